"""Drawing: a loss shows the graph that computed it, forward and backward."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.methods.place import edge_of
from minigrad.tensor import Tensor
from minigrad.viz import plots
from minigrad.viz.diff import Difference, GraphDiff
from minigrad.viz.drop_in import draw_graph, make_dot, plot_model
from minigrad.viz.formulas import formula
from minigrad.viz.health import Finding, Health
from minigrad.viz.nan import NanReport
from minigrad.viz.numbers import TINY
from minigrad.viz.numbers import numbers as known
from minigrad.viz.picture import Graph
from minigrad.viz.player import Player, backward_recorded, player
from minigrad.viz.reading import history, read
from minigrad.viz.record import Recording, recording
from minigrad.viz.replay import numbers, run_again
from minigrad.viz.rows import Edge, Module, Node
from minigrad.viz.timeline import Timeline, timeline
from minigrad.viz.why import why

__all__ = [
    "Difference",
    "Edge",
    "Finding",
    "Graph",
    "GraphDiff",
    "Health",
    "Module",
    "NanReport",
    "Node",
    "Player",
    "Recording",
    "Timeline",
    "draw_graph",
    "explain",
    "formula",
    "gradcheck",
    "graph",
    "make_dot",
    "player",
    "plot_model",
    "plots",
    "record",
    "timeline",
    "why",
]

Outputs = Any  # a tensor, or lists, tuples and dicts of such


def graph(
    outputs: Outputs,
    *,
    model: Any = None,
    names: Mapping[Any, Any] | None = None,
    values: str | None = "auto",
    direction: str = "both",
    rankdir: str = "TB",
) -> Graph:
    """Return the graph that computed `outputs`, a tensor or a list, tuple or dict of them, as plain data to draw.

    It can be taken before `backward()`, after it, and after the graph was released, and leaves all tensors as they
    are. If it is tiny (no tensor has more than 16 elements) every value and every gradient is in it; of a larger one,
    the size of the gradients in the parameters' `.grad`.

    `model` names parameters and the classes of modules by its `named_parameters()` and `named_modules()` (not needed
    after a call of a minigrad model, which names them itself). `names` maps tensors to names or names to tensors; of a
    tensor that requires no gradient the graph keeps only the `.name` it had when it was used.
    `values` is "auto", or None for no numbers. `direction` is "forward", "backward" or "both"; `rankdir` "TB" (top to
    bottom) or "LR". Raises ArgumentError, also a TypeError, for arguments of another kind.

    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> [(node.id, node.op or node.kind, node.value, node.grad) for node in graph((x * x).sum()).nodes]
    [(0, 'param', '[1, 2]', '[2, 4]'), (1, 'mul', '[1, 4]', '[1, 1]'), (2, 'sum', '5', '1')]
    """
    _check("values", values, ("auto", None))
    _check("direction", direction, ("both", "forward", "backward"))
    _check("rankdir", rankdir, ("TB", "LR"))
    found = list(_tensors(outputs))
    if not found:
        raise ArgumentError(f"graph: outputs holds no tensor: {outputs!r}")
    ends = {_place(tensor): tensor for _, tensor in found}
    called = {_place(tensor): name for name, tensor in reversed(found) if name}
    called |= {place: tensor.name for place, tensor in ends.items() if tensor.name}
    order = history(ends)
    shown, gradients, notes = numbers(order, ends) if values else ({}, {}, ())
    if values and not any("changed" in note for note in notes):  # the outcome at least is at hand
        shown = {place: known(t._data) for place, t in ends.items() if t.numel() <= TINY} | shown
    kinds = _kinds(model)
    rows = read(order, ends, called | _names(model, names), shown, gradients, kinds)
    return Graph(*rows, notes=notes, direction=direction, rankdir=rankdir)


def record(
    model: Any = None,
    *,
    values: str | None = "stats",
    max_numel: int = TINY,
    time: bool = True,
    source: bool = True,
    names: Mapping[Any, Any] | None = None,
) -> Recording:
    """Return what records, in a `with` block, every op and every gradient rule that runs, as plain data.

    `values` is "stats" (range, mean, spread, counts of zeros, nan and inf of every value and gradient; the elements of
    tensors with at most 16), "full" (the elements of tensors with at most `max_numel`) or None. `time` measures
    microseconds, `source` notes the line of the program. `model` and `names` name things as in `graph`. Outside of the
    block nothing costs anything. Raises ArgumentError for arguments of another kind.

    >>> import minigrad as mg
    >>> w = mg.tensor(3.0, requires_grad=True)
    >>> with record(names={"w": w}) as step:
    ...     (w * w).backward()
    >>> step.graph()["w"].grad, [s.kind for s in step.graph().steps]
    ('6', ['forward', 'backward', 'backward'])
    """
    called = _names(model, names)
    return recording(called, _kinds(model), values=values, most=max_numel, time=time, source=source)


def gradcheck(source: Any, *, eps: float | None = None, rtol: float = 1e-4, seed: int = 0) -> Graph:
    """Return the graph of a recording or a loss with each op marked by whether its gradient rules are right.

    A recording needs `values="full"`; it and the arguments are told of in `Recording.gradcheck`. A loss must be of a
    tiny graph (no tensor has more than 16 elements), whose ops can be run again. Raises ArgumentError for others.

    >>> import minigrad as mg
    >>> w = mg.tensor([3.0], requires_grad=True)
    >>> gradcheck((w * w).sum()).notes
    ('gradcheck of each op: 2 right',)
    """
    if isinstance(source, Recording):
        return source.gradcheck(eps=eps, rtol=rtol, seed=seed)
    if not isinstance(source, Tensor):
        raise ArgumentError(f"gradcheck: expected a recording or a loss, got {type(source).__name__}")
    again = recording({}, {}, values="full", most=TINY, time=False, source=False)
    if not run_again(source, again):
        raise ArgumentError('gradcheck: this graph cannot be run again: record the step with viz.record(values="full")')
    return again.gradcheck(eps=eps, rtol=rtol, seed=seed)


def explain(
    loss: Tensor,
    path: str | os.PathLike[str] | None = None,
    *,
    model: Any = None,
    names: Mapping[Any, Any] | None = None,
    values: str | None = "stats",
    max_numel: int = TINY,
    retain_graph: bool | None = None,
    speed: float = 1.0,
    quiz: bool = False,
    title: str | None = None,
) -> Player:
    """Run `loss.backward()` and return the player of it, a page that is written if `path` is given.

    Every `.grad` is filled and the graph is released as by `backward()`. The forward is shown as the graph remembers
    it: all values of a tiny graph, of a larger one those of parameters and of what is saved for backward. Inside of a
    `with viz.record()` block that has seen the forward, all values, the lines of the program and times are in it.
    `model`, `names`, `values` and `max_numel` are those of `record`, `retain_graph` that of `backward`, the others
    those of `player`. `loss.explain()` is the same.

    >>> import minigrad as mg
    >>> w = mg.tensor(3.0, requires_grad=True)
    >>> explain(w * w, names={"w": w})
    <Player: 3 steps of <Graph: 1 op, 1 parameter>>
    >>> w.grad.item()
    6.0
    """
    called = _names(model, names)
    watching = recording(called, _kinds(model), values=values, most=max_numel, time=True, source=True)
    found = backward_recorded(loss, watching, called, retain_graph)
    return player(found, path, speed=speed, quiz=quiz, title=title)


def _check(argument: str, value: Any, allowed: tuple[Any, ...]) -> None:
    if value not in allowed:
        raise ArgumentError(f"graph: {argument} must be one of {', '.join(map(repr, allowed))}, got {value!r}")


def _place(tensor: Tensor) -> Any:
    """Return where a tensor stands in its graph: its edge, or itself if it is a leaf."""
    edge = edge_of(tensor)
    return tensor if edge is None else edge


def _tensors(outputs: Outputs) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors in nested containers, each under its key path; a path without dict keys names nothing."""
    stack: list[tuple[str, bool, Any]] = [("", False, outputs)]
    while stack:
        path, keyed, value = stack.pop()
        if isinstance(value, Tensor):
            yield path if keyed else "", value
        elif isinstance(value, Mapping):
            stack += [(f"{path}.{k}" if path else str(k), True, v) for k, v in reversed(list(value.items()))]
        elif isinstance(value, list | tuple):
            stack += [(f"{path}[{i}]", keyed, v) for i, v in reversed(list(enumerate(value)))]
        else:
            raise ArgumentError(
                f"graph: outputs{path and f' at {path}'} must be a Tensor or a list, tuple or dict of them, "
                f"got {type(value).__name__}"
            )


def _names(model: Any, names: Mapping[Any, Any] | None) -> dict[Any, str]:
    """Return the names the user gave, and those of the model, by place in the graph."""
    pairs = [(p, name) for name, p in _listed(model, "named_parameters")]
    for key, value in ({} if names is None else names).items():
        if isinstance(key, Tensor) == isinstance(value, Tensor):
            raise ArgumentError(
                f"graph: names must map tensors to names or names to tensors, got {type(key).__name__} to "
                f"{type(value).__name__}"
            )
        tensor, name = (key, str(value)) if isinstance(key, Tensor) else (value, str(key))
        pairs.append((tensor, name))
    return {_place(tensor) if tensor.requires_grad else tensor._storage: name for tensor, name in pairs}


def _kinds(model: Any) -> dict[str, str]:
    return {path: type(module).__name__ for path, module in _listed(model, "named_modules")}


def _listed(model: Any, method: str) -> list[tuple[str, Any]]:
    if model is None:
        return []
    if not hasattr(model, method):
        raise ArgumentError(f"graph: model must be a Module, with {method}(), got {type(model).__name__}")
    return list(getattr(model, method)())

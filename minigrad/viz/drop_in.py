"""Drawing under the names and arguments of torchviz (`make_dot`), torchview (`draw_graph`) and Keras (`plot_model`).

What is drawn of a model is one run of a copy of it: the model, and all random numbers that come later, are as before.
"""

from __future__ import annotations

import copy
import inspect
import math
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minigrad import files, graph, viz
from minigrad.errors import ArgumentError
from minigrad.random import fork_rng, rand
from minigrad.tensor import Tensor
from minigrad.viz import dot, render
from minigrad.viz.collapse import CUT, Origin
from minigrad.viz.picture import Graph
from minigrad.viz.rows import MODULE, Edge, Node, ancestors

_SETTINGS = re.compile(r", (?=\w+=)")


def make_dot(
    var: Any,
    params: Mapping[str, Tensor] | Iterable[tuple[str, Tensor]] | None = None,
    show_attrs: bool = False,
    show_saved: bool = False,
    max_attr_chars: int = 50,
) -> Graph:
    """Return the graph that gradients of `var` (a tensor, or a list, tuple or dict of them) flow through, as torchviz.

    `params` names tensors, as a dict or as `model.named_parameters()`; parameters of a minigrad model that was called
    have their names without it. `show_attrs` writes the settings of an op into its box, at most `max_attr_chars`
    characters of each; `show_saved` what it keeps for its backward. Raises ArgumentError, also a TypeError, where `var`
    holds anything but tensors.

    >>> import minigrad as mg
    >>> w = mg.ones(2, 3, requires_grad=True)
    >>> make_dot(w.exp().sum(dim=1), params={"w": w}, show_attrs=True, show_saved=True)["w"].shape
    (2, 3)
    """
    names = params if params is None or isinstance(params, Mapping) else dict(params)
    whole = viz.graph(var, names=names, values=None, direction="backward")
    called = {node.id: node.name or node.op or node.kind for node in whole.nodes}
    nodes = []
    for node in whole.nodes:
        parts = (
            [_cut(part, max_attr_chars) for part in _SETTINGS.split(node.attrs)] if show_attrs and node.attrs else []
        )
        if show_saved and node.saved:
            kept = (f"{s.name}{f' ({called[s.node]})' if s.node in called else ''} {s.nbytes} B" for s in node.saved)
            parts.append(f"saved={_cut('; '.join(kept), max_attr_chars)}")
        nodes.append(node._replace(attrs=", ".join(parts), saved=node.saved if show_saved else ()))
    return replace(whole, nodes=tuple(nodes))


def draw_graph(
    model: Any,
    input_data: Any = None,
    input_size: Any = None,
    graph_name: str = "model",
    depth: float = 3,
    device: Any = None,
    dtypes: Sequence[Any] | None = None,
    mode: str | None = None,
    strict: bool = True,
    expand_nested: bool = False,
    graph_dir: str | None = None,
    hide_module_functions: bool = True,
    hide_inner_tensors: bool = True,
    roll: bool = False,
    show_shapes: bool = True,
    save_graph: bool = False,
    filename: str | None = None,
    directory: str = ".",
    **kwargs: Any,
) -> Graph:
    """Return the picture of one run of `model`, as torchview: modules as boxes, down to `depth`.

    `input_data` is a tensor, a sequence of arguments or a dict of them, `input_size` the shape (or a list of shapes)
    of random input of `dtypes`; one of the two must be given. `mode` is "eval" (without one) or "train"; further
    keywords are handed to the model. `expand_nested` draws frames around nested modules, `graph_dir` is "TB" (without
    one), "LR", "BT" or "RL"; `hide_module_functions=False` opens modules that consist of ops only,
    `hide_inner_tensors=False` shows their parameters. `roll` draws all calls of a module as one box. `save_graph`
    writes `filename` (`graph_name` without one) into `directory`, as png if it has no suffix of another format.
    `device` and `strict` change nothing.

    A copy of the model runs, so that it stays as it is (but a hook that writes elsewhere does so). Raises
    ArgumentError where the arguments do not fit, or the model cannot be copied.

    >>> from minigrad import nn
    >>> picture = draw_graph(nn.Linear(3, 2), input_size=(5, 3), hide_module_functions=False)
    >>> [node.op for node in picture.visual_graph.nodes if node.op]
    ['linear']
    """
    if depth < 0:
        raise ArgumentError(f"draw_graph: depth must not be negative, got {depth}")
    run = _run("draw_graph", model, input_data, input_size, dtypes, mode, kwargs)
    drawn: Any = _folded(run, depth, hide_module_functions, hide_inner_tensors)
    drawn = replace(drawn, rankdir=_direction("draw_graph", "graph_dir", graph_dir or "TB"))
    drawn = _rolled(drawn) if roll else drawn
    drawn = drawn if show_shapes else drawn.label("name", "op", "attrs")
    picture: Graph = drawn if expand_nested else _without_frames(drawn)
    if save_graph:
        _write(picture, Path(directory) / (filename or graph_name), "png", None)
    return picture


def plot_model(
    model: Any,
    to_file: str | None = "model.svg",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int | None = None,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    *,
    input_data: Any = None,
    input_size: Any = None,
    dtypes: Sequence[Any] | None = None,
) -> Graph:
    """Write the picture of a model's layers to a file and return it, as `keras.utils.plot_model`.

    Unlike Keras's, a minigrad model does not know what it will be given, so that `input_data` or `input_size` must
    say it, as for `draw_graph`; a copy of the model runs once, in evaluation mode. `to_file=None` writes nothing;
    its suffix is the format. `show_shapes`, `show_dtype`, `show_layer_names` and `show_trainable` say what stands in
    the boxes; `expand_nested` opens nested models, in frames; `dpi` is for png. `show_layer_activations` changes
    nothing: an activation is a box of its own.

    >>> from minigrad import nn
    >>> model = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    >>> plot_model(model, to_file=None, input_size=(5, 3)).rankdir
    'TB'
    """
    run = _run("plot_model", model, input_data, input_size, dtypes, None, {})
    drawn: Any = _folded(run, math.inf if expand_nested else 1, True, True)
    drawn = replace(drawn, rankdir=_direction("plot_model", "rankdir", rankdir))
    if show_trainable:
        drawn = _with_trainable(drawn, run.graph)
    wanted = {"name": show_layer_names, "op": True, "attrs": show_trainable, "shape": show_shapes, "dtype": show_dtype}
    if hasattr(drawn, "label"):
        drawn = drawn.label(*(field for field, shown in wanted.items() if shown))
    picture: Graph = drawn if expand_nested else _without_frames(drawn)
    if to_file is not None:
        _write(picture, Path(to_file), "svg", dpi)
    return picture


# --- running ---


class Run(NamedTuple):
    """What one run of a model computed, and the names of its inputs."""

    graph: Graph
    inputs: frozenset[str]


def _run(
    caller: str, model: Any, data: Any, size: Any, dtypes: Sequence[Any] | None, mode: str | None, more: dict[str, Any]
) -> Run:
    """Return what one run of a copy of the model computes."""
    if not hasattr(model, "named_modules"):
        raise ArgumentError(f"{caller}: model must be a Module, got {type(model).__name__}")
    if (data is None) == (size is None):
        raise ArgumentError(f"{caller}: give either input_data or input_size, as input_size=(1, 3, 32, 32)")
    if mode not in (None, "eval", "train"):
        raise ArgumentError(f"{caller}: mode must be 'eval' or 'train', got {mode!r}")
    with _nothing_moves():
        args, keywords = _arguments(caller, data) if size is None else (_random(caller, size, dtypes), {})
        running = _copy(caller, model).train(mode == "train")
        names = _input_names(running, args, keywords | more)
        seen = copy_context().run(_recorded, running, names, args, keywords | more)
    nodes = tuple(node._replace(stats=None) for node in seen.nodes)
    return Run(replace(seen, nodes=nodes), frozenset(names))


def _recorded(model: Any, names: dict[str, Tensor], args: list[Any], keywords: dict[str, Any]) -> Graph:
    """Run the model, with gradients and as nobody's part, in a context that is thrown away afterwards."""
    graph.recording.set(True)
    graph.scope.set(None)
    with viz.record(model, values=None, time=False, names=names) as recording:
        model(*args, **keywords)
    return recording.graph(direction="forward")


@contextmanager
def _nothing_moves() -> Iterator[None]:
    """Let everything random outside of the block be as if the block had drawn nothing, and nobody watch it."""
    of_python, of_numpy, watching = random.getstate(), np.random.get_state(), graph.observe(None)  # noqa: NPY002
    try:
        with fork_rng():
            yield
    finally:
        graph.observe(watching)
        random.setstate(of_python)
        np.random.set_state(of_numpy)  # noqa: NPY002


def _copy(caller: str, model: Any) -> Any:
    try:
        return copy.deepcopy(model)
    except Exception as error:
        raise ArgumentError(
            f"{caller}: it runs a copy of the model, so that the model stays as it is, and this one cannot be copied "
            f"({error}); run it yourself in `with viz.record(model) as step:` and draw `step.graph()`"
        ) from error


def _arguments(caller: str, data: Any) -> tuple[list[Any], dict[str, Any]]:
    """Return copies of the input as positional and keyword arguments: a model may write into what it is given."""
    if isinstance(data, Mapping):
        return [], {str(name): _own(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [_own(value) for value in data], {}
    if not isinstance(data, Tensor):
        raise ArgumentError(
            f"{caller}: input_data must be a Tensor, a sequence or a dict of arguments, got {type(data).__name__}"
        )
    return [_own(data)], {}


def _own(value: Any) -> Any:
    return value.detach().clone().requires_grad_(value.requires_grad) if isinstance(value, Tensor) else value


def _random(caller: str, size: Any, dtypes: Sequence[Any] | None) -> list[Any]:
    """Return random tensors of one shape or several."""
    sizes = [size] if isinstance(size, list | tuple) and all(isinstance(n, int) for n in size) else size
    try:
        shapes = [tuple(int(n) for n in one) for one in sizes]
    except TypeError as error:
        raise ArgumentError(f"{caller}: input_size must be a shape or a list of shapes, got {size!r}") from error
    if not size or any(n < 0 for shape in shapes for n in shape):
        raise ArgumentError(f"{caller}: input_size must be a shape or a list of shapes, got {size!r}")
    kinds = [None] * len(shapes) if dtypes is None else list(dtypes)
    if len(kinds) != len(shapes):
        raise ArgumentError(f"{caller}: {len(shapes)} shapes need as many dtypes, got {len(kinds)}")
    made = [rand(*shape) for shape in shapes]
    return [x if kind is None else x.to(kind) for x, kind in zip(made, kinds, strict=True)]


def _input_names(model: Any, args: list[Any], keywords: dict[str, Any]) -> dict[str, Tensor]:
    """Return the tensors among the arguments by the names that `forward` has for them."""
    try:
        given = inspect.signature(model.forward).bind(*args, **keywords).arguments
    except (AttributeError, TypeError, ValueError):  # the call itself says what is wrong
        given = {f"input{i}": value for i, value in enumerate(args)} | keywords
    return dict(_tensors("", given))


def _tensors(name: str, value: Any) -> Iterator[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield from _tensors(f"{name}.{key}" if name else str(key), part)
    elif isinstance(value, list | tuple):
        for i, part in enumerate(value):
            yield from _tensors(f"{name}[{i}]", part)


# --- what is shown ---


def _folded(run: Run, depth: float, hide_functions: bool, hide_tensors: bool) -> Any:
    """Return the run with its modules folded as torchview and Keras do, and without what they do not draw."""
    modules = run.graph.modules
    around = {path for module in modules if module.path for path in [*ancestors(module.path)][1:]}
    leaves = {module.path: module.kind for module in modules if module.path not in around} if hide_functions else {}
    nodes = run.graph.nodes
    keys = tuple(n.id if n.op or n.name in run.inputs or not hide_tensors else CUT for n in nodes)
    drawn: Any = replace(run.graph, origin=Origin(run.graph, keys))  # the table of it counts what is not drawn as well
    drawn = drawn.collapse(depth=int(min(depth, len(nodes))), paths=tuple(leaves), repeats=False)
    notes = tuple(note for note in drawn.notes if not note.startswith("not shown:"))
    return replace(drawn, nodes=tuple(_as_box(node, leaves) for node in drawn.nodes), notes=notes)


def _as_box(node: Node, leaves: Mapping[str, str]) -> Node:
    """Return the only op of a module as the box of that module."""
    path = node.module
    if node.kind == MODULE or not node.op or path not in leaves or path is None:
        return node
    outer, facts = path.rpartition(".")[0] if path else None, f"{node.op}, {node.attrs}" if node.attrs else node.op
    return node._replace(kind=MODULE, op=leaves[path] or node.op, name=path, module=outer, attrs=facts)


def _without_frames(drawn: Graph) -> Graph:
    """Return the picture with no frames around modules."""
    return replace(drawn, nodes=tuple(node._replace(module=None) for node in drawn.nodes), modules=())


def _rolled(drawn: Graph) -> Graph:
    """Return the picture with all calls of a module as one box; what it gives to itself is not drawn."""
    first: dict[str, Node] = {}
    ids: dict[int, int] = {}
    counts: dict[int, int] = {}
    for node in drawn.nodes:
        name = re.sub(r"@\d+", "", node.name or "")
        found = first.setdefault(name, node) if node.kind == MODULE and name else node
        ids[node.id] = found.id
        counts[found.id] = counts.get(found.id, 0) + 1
    kept = (node for node in drawn.nodes if ids[node.id] == node.id)
    nodes = tuple(n._replace(attrs=f"called {counts[n.id]} times") if counts[n.id] > 1 else n for n in kept)
    moved = (edge._replace(tail=ids[edge.tail], head=ids[edge.head]) for edge in drawn.edges)
    edges: dict[tuple[int, int, int], Edge] = {}
    for edge in moved:
        if edge.tail < edge.head:
            edges.setdefault((edge.tail, edge.head, edge.operand), edge)
    return replace(drawn, nodes=nodes, edges=tuple(edges.values()))


def _with_trainable(drawn: Graph, run: Graph) -> Graph:
    """Return the picture with a word in each box that has parameters: whether gradients change them."""
    owners: dict[str, set[bool]] = {}
    for node in run.nodes:
        if not node.op and node.name and node.module is not None and node.name.rpartition(".")[0] == node.module:
            for path in ancestors(node.module):
                owners.setdefault(path, set()).add(node.requires_grad)
    words = {frozenset((True,)): "trainable", frozenset((False,)): "not trainable"}
    nodes = []
    for node in drawn.nodes:
        known = owners.get(re.sub(r"@\d+", "", node.name or "")) if node.kind == MODULE else None
        nodes.append(node._replace(attrs=words.get(frozenset(known), "partly trainable") if known else ""))
    return replace(drawn, nodes=tuple(nodes))


def _direction(caller: str, argument: str, value: str) -> str:
    if value not in ("TB", "LR", "BT", "RL"):
        raise ArgumentError(f"{caller}: {argument} must be 'TB', 'LR', 'BT' or 'RL', got {value!r}")
    return value


def _write(picture: Graph, path: Path, otherwise: str, dpi: int | None) -> None:
    """Write the picture, in the format of the suffix or else `otherwise`."""
    suffix = path.suffix[1:].lower()
    name = suffix if suffix in render.FORMATS else otherwise
    path = path if suffix == name else path.with_name(f"{path.name}.{name}")
    if dpi is None or name != "png":
        picture.render(path)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, render.pipe(dot.source(picture.collapse(), dpi=dpi), name))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: max(most - 1, 0)]}…"

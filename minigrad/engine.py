"""The reverse sweep: from gradients of outputs to gradients of everything they were computed from.

Nodes are numbered as they are created and edges only point to older ones, so "reachable, newest first" is reverse
topological order: every node is visited once, after all that used it, however many paths lead there.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import graph
from minigrad.dtypes import Array
from minigrad.errors import GraphError
from minigrad.graph import Node, Op, Scope, edge_facts, scope
from minigrad.ops.shape import sum_to
from minigrad.plans import ATTRIBUTE, NUMBER, SHAPE, SHAPES, Rule, Saving

Edge = Any  # (node, index) or a leaf: what a gradient can belong to
Wrap = Callable[[Array, Edge], Any]


_number = operator.attrgetter("number")
_NOTHING: tuple[Any, bool] = (None, False)


class Totals(dict[Edge, tuple[Any, bool]]):
    """The gradients that have arrived so far, one per edge, and which of these buffers are ours to add into.

    A gradient is owned if the rule allocated it and only this edge received it. An owned first one is adopted; the
    second that arrives is added in place, or allocates if the first was not ours.
    """

    __slots__ = ()

    def add(self, edge: Edge, gradient: Any, owned: bool) -> None:
        """Add `gradient` to what `edge` has received."""
        held = self.get(edge)
        if held is None:
            self[edge] = (gradient, owned)
            return
        total, ours = held
        if type(gradient) is not np.ndarray:  # a recorded gradient: addition is recorded too
            self[edge] = (total + gradient, False)
        elif ours:
            np.add(total, gradient, out=total)
        else:
            self[edge] = (np.asarray(total + gradient), True)


def reachable(roots: Iterable[Edge]) -> list[Node]:
    """Return the nodes a gradient of `roots` passes through, newest first."""
    seen: set[Node] = set()
    stack = [edge[0] for edge in roots if type(edge) is tuple]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            edges = node.edges
            for i in node.plan.wanted:
                edge = edges[i]
                if type(edge) is tuple:
                    stack.append(edge[0])
    return sorted(seen, key=_number, reverse=True)


def leading_to(order: list[Node], targets: set[Edge]) -> set[Node]:
    """Return those nodes of `order` from which one of `targets` can be reached."""
    leading: set[Node] = set()
    for node in reversed(order):
        for i in node.plan.wanted:
            if _leads(node.edges[i], targets, leading):
                leading.add(node)
                break
    return leading


def _leads(edge: Edge, targets: set[Edge], leading: set[Node]) -> bool:
    return edge in targets or (type(edge) is tuple and edge[0] in leading)


def sweep(
    roots: list[tuple[Edge, Any]],
    *,
    wrap: Wrap,
    create_graph: bool = False,
    retain_graph: bool = False,
    targets: set[Edge] | None = None,
) -> dict[Edge, tuple[Any, bool]]:
    """Return the gradient and its ownership for every leaf reached from `roots`, or for each of `targets`.

    `roots` are (edge, gradient) pairs, the gradients arrays. With `create_graph` the rules run on tensors made by
    `wrap`, and so are recorded; otherwise on plain arrays, and each node's arrays are released unless `retain_graph`.
    """
    totals, results = Totals(), dict[Edge, tuple[Any, bool]]()
    for edge, gradient in roots:
        totals.add(edge, gradient, False)
    order = reachable(edge for edge, _ in roots)
    leading: set[Node] = set() if targets is None else leading_to(order, targets)
    is_short = not create_graph and targets is None and graph.observer is None
    for node in order:
        if is_short and node.plan.steps and node.hooks is None:
            _visit(node, totals, retain_graph)
            continue
        if create_graph:
            scope.set(_place_of_derivative(node))
        arrived = [totals.pop((node, i), _NOTHING) for i in range(len(node.outputs))]
        if node.hooks is not None:
            arrived = [_hooked(node, i, held, wrap) for i, held in enumerate(arrived)]
        if targets is not None:
            results |= {
                (node, i): held for i, held in enumerate(arrived) if (node, i) in targets and held[0] is not None
            }
        gradients = [gradient for gradient, _ in arrived]
        if graph.observer is not None:
            _report(graph.observer, {(node, i): held for i, held in enumerate(arrived)})
        if _is_all_none(gradients) or (targets is not None and node not in leading):
            continue
        for edge, gradient, owned in _contributions(node, gradients, wrap, create_graph):
            if targets is None or _leads(edge, targets, leading):
                totals.add(edge, gradient, owned)
        if not retain_graph and node.plan.saves:
            node.saved = None
    assert not any(type(edge) is tuple for edge in totals), f"gradients were left over for {list(totals)}"
    if graph.observer is not None:
        _report(graph.observer, totals)
    return results | totals


def _report(observer: graph.Observer, complete: Mapping[Edge, tuple[Any, bool]]) -> None:
    for edge, (gradient, _) in complete.items():
        if gradient is not None:
            observer.gradient(edge, gradient)


def _visit(node: Node, totals: Totals, retain_graph: bool) -> None:
    """Run the rules of one node on arrays, where nothing has to be wrapped, recorded, watched or left out.

    Most nodes of most sweeps are such; a test holds this equal to the longer way, which is `_contributions`.
    """
    gradient, _ = totals.pop((node, 0), _NOTHING)
    if gradient is None:
        return
    plan, edges = node.plan, node.edges
    asked = [gradient]
    if plan.saves:
        asked += _unchanged(node)
    for name, position, kind in plan.facts:
        asked.append(_fact(node, name, position, kind))
    for function, pick, target in plan.steps:
        part = function(*pick(asked))
        if part is None:
            continue
        edge = edges[target]
        if type(edge) is tuple:
            source, index = edge
            shape, dtype = source.outputs[index]
        else:
            shape, dtype = edge._facts()
        if type(part) is not ndarray:
            part = np.asarray(part)
        owned = part is not gradient and part.base is None
        if part.shape != shape:
            part, owned = sum_to(part, shape=shape), True
            assert part.shape == shape, f"{node.op.name}: a gradient of shape {part.shape} for {shape}"
        assert part.dtype == dtype, f"{node.op.name}: a gradient of dtype {part.dtype} for {dtype}"
        if edge in totals:
            totals.add(edge, part, owned)
        else:  # as for most: the call is spared
            totals[edge] = (part, owned)
    if plan.saves and not retain_graph:
        node.saved = None


def _hooked(node: Node, index: int, held: tuple[Any, bool], wrap: Wrap) -> tuple[Any, bool]:
    """Pass a gradient that is now complete through the hooks on its output."""
    gradient, owned = held
    if gradient is None:
        return held
    hooks = [hook for at, hook in node.hooks or () if at == index]
    return through_hooks(hooks, gradient, wrap, node.op.name), owned and not hooks


def through_hooks(hooks: Iterable[Callable[[Any], Any]], gradient: Any, wrap: Wrap, where: str) -> Any:
    """Return what `hooks` make of a gradient: each may return another in its place, of the same shape and dtype."""
    raw = type(gradient) is np.ndarray
    for hook in tuple(hooks):
        replaced = hook(wrap(gradient, None) if raw else gradient)
        if replaced is None:
            continue
        held, got = (gradient if raw else gradient._data), replaced._data
        if got.shape != held.shape or got.dtype != held.dtype:
            raise GraphError(
                f"a hook on {where} has changed the gradient from {held.dtype} of shape {held.shape} to {got.dtype} of "
                f"shape {got.shape}; what it returns must agree"
            )
        gradient = got if raw else replaced
    return gradient


def _contributions(
    node: Node, gradients: list[Any], wrap: Wrap, create_graph: bool
) -> Iterator[tuple[Edge, Any, bool]]:
    """Run the rules of one node: yield the edge, its gradient in the edge's own shape, and whether that is owned."""
    op, wanted, edges = node.op, node.plan.wanted, node.edges
    on_tensors = create_graph or op.on_tensors
    asked = _environment(node, gradients, wrap, on_tensors, create_graph)
    is_usual = graph.observer is None and op.variadic is None
    taken = gradients if op.joint is None else [*gradients]
    for rule in node.plan.rules:
        returned = rule.function(*rule.pick(asked)) if is_usual and not rule.optional else _call(node, rule, asked)
        if op.joint is None:
            returned = (returned,)
        for i, gradient in zip(rule.targets, returned):  # noqa: B905 - the check would cost more than the pairs
            if gradient is None or i not in wanted:
                continue
            edge = edges[i]
            shape, dtype = edge[0].outputs[edge[1]] if type(edge) is tuple else edge._facts()
            if op.on_tensors:
                gradient = _fitting(op, i, gradient.to(dtype), shape)
            if not create_graph and type(gradient) is not ndarray:
                gradient = gradient._data if op.on_tensors else np.asarray(gradient)
            # What a rule returns is new, or a view, or a gradient it was given or has returned for another input.
            owned = not on_tensors and gradient.base is None and not _is_among(gradient, taken)
            if op.joint is not None:
                taken.append(gradient)
            if gradient.shape != shape:
                gradient, owned = sum_to(gradient, shape=shape), not create_graph
            array = gradient._data if create_graph else gradient
            assert array.shape == shape, f"{op.name}: a gradient of shape {array.shape} for {shape}"
            assert array.dtype == dtype, f"{op.name}: a gradient of dtype {array.dtype} for {dtype}"
            yield edge, gradient, owned


def _fitting(op: Op, position: int, gradient: Any, shape: tuple[int, ...]) -> Any:
    """Return a gradient that a user's rule gave, or say that it does not fit the input."""
    if not _broadcasts(shape, gradient.shape):
        raise GraphError(
            f"{op.name}: the gradient returned for input {position}, of shape {shape}, has shape "
            f"{tuple(gradient.shape)}, which cannot be summed down to it"
        )
    return gradient


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    """Whether an array of `shape` could have been broadcast to the shape `to`."""
    lead = len(to) - len(shape)
    return lead >= 0 and all(n in (1, m) for n, m in zip(shape, to[lead:], strict=True))


def _is_all_none(gradients: list[Any]) -> bool:
    return gradients[0] is None and (len(gradients) == 1 or all(g is None for g in gradients))


def _is_among(x: Any, others: list[Any]) -> bool:
    """Whether `x` is one of `others` itself."""
    for other in others:  # noqa: SIM110 - a generator expression would cost three times as much, for every gradient
        if other is x:
            return True
    return False


def _call(node: Node, rule: Rule, asked: dict[str, Any]) -> Any:
    """Call one rule with what it asks for by name and there is, the observer around it if there is one."""
    if node.op.variadic is not None:
        asked = asked | {"i": rule.targets[0] - len(node.op.inputs) + 1}
    arguments = {name: asked[name] for name in rule.names if name in asked}
    if graph.observer is None:
        return rule.function(**arguments)
    return graph.observer.rule(node, rule, functools.partial(rule.function, **arguments))


def _place_of_derivative(node: Node) -> Scope:
    """Return the scope of what computes the derivative of `node`, and is recorded itself."""
    here = node.scope or Scope("", "")
    return here._replace(order=here.order + 1, of=node.number)


def _environment(node: Node, gradients: list[Any], wrap: Wrap, on_tensors: bool, create_graph: bool) -> dict[str, Any]:
    """Return what the node's rules may ask for: attributes, saved arrays, shapes and dtypes, gradients."""
    plan, asked = node.plan, dict(node.attrs)
    if node.op.variadic is not None:
        asked[node.op.variadic] = ()
    if plan.saves:
        for saving, value in zip(plan.saves, _unchanged(node)[::3], strict=True):
            if on_tensors and type(value) is np.ndarray:
                value = wrap(value, _edge_of_saved(node, saving))
            asked[saving.name] = (*asked.get(saving.name, ()), value) if saving.is_grouped else value
    for name, position, kind in plan.facts:
        asked[name] = _fact(node, name, position, kind)
    if on_tensors and not create_graph:
        gradients = [None if g is None else wrap(g, None) for g in gradients]
    if len(gradients) == 1:
        asked["g"] = gradients[0]
    for name in plan.extras:
        if name == "gs":
            asked[name] = gradients
        elif name == "output_facts":
            asked[name] = node.outputs
        elif name == "needs":
            asked[name] = tuple(i in plan.wanted for i in range(len(node.edges)))
        else:
            _add_gradient(asked, name, node, gradients, wrap if on_tensors else None)
    return asked


def _fact(node: Node, name: str, position: int, kind: int) -> Any:
    """Return what a rule asks to know of an input that was not saved, or an attribute."""
    if kind == ATTRIBUTE:
        return node.attrs[name]
    edge = node.edges[position]
    if kind == NUMBER:
        return edge
    if kind == SHAPES:
        return tuple(edge_facts(each)[0] for each in node.edges[position:])
    return edge_facts(edge)[0 if kind == SHAPE else 1]


def _add_gradient(asked: dict[str, Any], name: str, node: Node, gradients: list[Any], wrap: Wrap | None) -> None:
    """Add the gradient of one of several outputs: zeros if none came, or nothing if every rule has its own default."""
    index = 0 if name == "g" else node.op.outputs.index(name[2:])
    if gradients[index] is not None:
        asked[name] = gradients[index]
    elif not all(name in rule.optional for rule in node.plan.rules if name in rule.names):
        shape, dtype = node.outputs[index]
        zero = np.broadcast_to(np.zeros((), dtype), shape)
        asked[name] = wrap(zero, None) if wrap else zero


def _edge_of_saved(node: Node, saving: Saving) -> Edge:
    """Return the place in the graph of a saved array: an output of `node`, an input, or (position -1) neither."""
    if saving.is_output:
        return node, saving.position
    return None if saving.position < 0 else node.edges[saving.position]


def _unchanged(node: Node) -> tuple[Any, ...]:
    """Return `node.saved`. Raises GraphError if that was released, or an array in it written to since."""
    saved = node.saved
    if saved is None:
        raise GraphError(
            f"{node.op.name}: Trying to backward through the graph a second time, but its saved arrays were freed by "
            "the first backward(). Specify retain_graph=True there if you need to backward twice, or compute the loss "
            "again."
        )
    for k in node.plan.storages:
        storage = saved[k]
        if storage is not None and storage.version != saved[k + 1]:
            raise _modified(node, node.plan.saves[k // 3].name, *saved[k - 1 : k + 2])
    checked: tuple[Any, ...] = saved
    return checked


def _modified(node: Node, name: str, value: Array, storage: Any, then: int) -> GraphError:
    where = f" in {node.scope.path or node.scope.kind}" if node.scope else ""
    return GraphError(
        f"{node.op.name}{where}: one of the variables needed for gradient computation has been modified by an inplace "
        f"operation: {name!r}, {value.dtype} of shape {value.shape}, is at version {storage.version}; expected version "
        f"{then}. Write the change out of place (h = h + 1), or change a clone()."
    )

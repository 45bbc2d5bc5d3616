"""Where a nan comes from: the op and the line that made the first, the way it took, and all that it reached.

A nan is born in the forward pass (the logarithm of a negative number) or in the backward pass only (the derivative of
a square root at 0 is infinite, and infinity times 0 is nan). An infinity counts where a nan came of it, or where it
reached the outcome; one that an op swallows, as softmax does with masks, is no fault.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from minigrad.viz.numbers import Numbers
from minigrad.viz.paint import ORANGE, WHITE, between
from minigrad.viz.rows import (
    BACKWARD,
    CREATED,
    DATA,
    FORWARD,
    OUTPUT,
    PARAM,
    Edge,
    Mark,
    Node,
    Part,
    Rows,
    Step,
    Where,
)

_REACHED = between(WHITE, ORANGE, 0.4)
_NAMED = 12  # of a long way or list


class NanReport(NamedTuple):
    """What `Graph.nan` found; false if all that is known is finite.

    `origin` is the node where it was born, "forward" or "backward" (`born`), `where` its line. `path` leads from it to
    the outcome, or backward to a leaf whose gradient it spoilt; `reached` are the ids of all nodes whose value or
    gradient it reached. `operands` are what went into the origin, or the gradient that came. `graph` is painted.
    """

    origin: Node | None
    born: str | None
    path: tuple[Node, ...]
    where: Where | None
    reached: tuple[int, ...]
    operands: tuple[str, ...]
    graph: Rows

    def __bool__(self) -> bool:
        return self.origin is not None

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        if self.origin is None:
            unknown = all(node.stats is None and node.grad_stats is None for node in self.graph.nodes)
            return "nothing is known of values: record the step with viz.record()" if unknown else "all is finite"
        rule = f"in the gradient rule of {self.origin.op}" if self.born == BACKWARD else f"in {title(self.origin)}"
        if self.born == BACKWARD and not self.graph.steps and _is_odd(self.origin.grad_stats):
            rule = f"in the gradient that comes to {title(self.origin)}"
        lines = [f"born in the {self.born} pass, {rule}" + (f" of {module}" if (module := self.origin.module) else "")]
        if self.where is not None:
            lines += [f"  {self.where.file}:{self.where.line}, in {self.where.function}", f"    {self.where.code}"]
        lines += [f"  {operand}" for operand in self.operands]
        if self.born == FORWARD:
            lines.append(f"  {'result' if self.origin.op else 'value'}: {_said(self.origin.stats)}")
        lines.append(f"  its way: {listed([title(node) for node in self.path], ' → ')}")
        spoilt = [title(node) for node in self.graph.nodes if _is_odd(node.grad_stats) and not node.op]
        lines.append(f"  it reached {len(self.reached)} of {len(self.graph.nodes)} boxes")
        return "\n".join(lines + [f"  gradients spoilt: {listed(spoilt, ', ')}"] * bool(spoilt))


def nan(rows: Rows) -> NanReport:
    """Return where the first nan (or infinity that spoilt something) of these rows comes from."""
    at = {node.id: node for node in rows.nodes}
    into: dict[int, list[Edge]] = {}
    for edge in rows.edges:
        if edge.kind == DATA:
            into.setdefault(edge.head, []).append(edge)
    first = _forward_origin(rows, at, into)
    found = (FORWARD, first, None) if first is not None else _backward_origin(rows)
    if found is None:
        return NanReport(None, None, (), None, (), (), rows)
    born, origin, step = found
    path = _path(rows, at, origin, born)
    if born == FORWARD and origin.order:  # of what computed a derivative: its line is that of the op differentiated
        born, origin = BACKWARD, _differentiated(rows, at, origin)
    reached = tuple(node.id for node in rows.nodes if _is_odd(node.stats) or _is_odd(node.grad_stats))
    operands = _gradients(step) if step is not None else _operands(origin, at, into)
    if born == BACKWARD and step is None and _is_odd(origin.grad_stats):
        rules = listed([title(at[id]) for id in _users(rows, origin.id)], ", ")
        operands = (f"sent by one of: {rules}; record the step with viz.record() to know which",)
    where = origin.where or next((node.where for node in path if node.where is not None), None)
    return NanReport(origin, born, path, where, reached, operands, _painted(rows, origin, born, reached))


def _is_odd(known: Numbers | None) -> bool:
    return known is not None and not known.is_finite


def _forward_origin(rows: Rows, at: dict[int, Node], into: dict[int, list[Edge]]) -> Node | None:
    """Return the node from which the first nan in a value, or the first infinite outcome, descends."""
    first = next((node for node in rows.nodes if node.stats is not None and node.stats.nans), None)
    if first is None:
        first = next((node for node in rows.nodes if node.kind == OUTPUT and _is_odd(node.stats)), None)
    while first is not None:
        before = (at[edge.tail] for edge in into.get(first.id, ()))
        earlier = min((node for node in before if _is_odd(node.stats)), key=lambda node: node.id, default=None)
        if earlier is None:
            return first
        first = earlier
    return None


def _backward_origin(rows: Rows) -> tuple[str, Node, Step | None] | None:
    """Return the node whose rule first sent what spoilt a gradient."""
    at = {node.id: node for node in rows.nodes}
    steps = [step for step in rows.steps if step.kind == BACKWARD]
    bad = [i for i, step in enumerate(steps) if any(not part.numbers.is_finite for part in step.parts)]
    if not bad:
        odd = max((node.id for node in rows.nodes if _is_odd(node.grad_stats)), default=None)
        if odd is None:
            return None
        users = _users(rows, odd)  # what each of their rules sent is not known
        return BACKWARD, at[users[0] if len(users) == 1 else odd], None
    now = next((i for i in bad if any(part.numbers.nans for part in steps[i].parts)), bad[0])
    while _is_odd(steps[now].gradient):
        from_here = (i for i in bad if i < now and any(_spoils(p, steps[now].node) for p in steps[i].parts))
        earlier = next(from_here, None)
        if earlier is None:
            break
        now = earlier
    return BACKWARD, at[steps[now].node], steps[now]


def _users(rows: Rows, node: int) -> list[int]:
    """Return the ids of the ops that send a gradient to a node."""
    return sorted({edge.head for edge in rows.edges if edge.tail == node and edge.requires_grad})


def _spoils(part: Part, node: int) -> bool:
    return part.tail == node and not part.numbers.is_finite


def _path(rows: Rows, at: dict[int, Node], origin: Node, born: str) -> tuple[Node, ...]:
    """Return the shortest way through what is not finite from the origin to where it ends."""
    spoilt = {node.id for node in rows.nodes if _is_odd(node.stats if born == FORWARD else node.grad_stats)}
    next_to: dict[int, list[int]] = {}
    for edge in rows.edges:
        if edge.kind == DATA:
            tail, head = (edge.tail, edge.head) if born == FORWARD else (edge.head, edge.tail)
            next_to.setdefault(tail, []).append(head)
    before: dict[int, int | None] = {origin.id: None}
    queue, last = deque([origin.id]), origin.id
    while queue:
        now = queue.popleft()
        last = now
        for then in next_to.get(now, ()):
            if then in spoilt and then not in before:
                before[then] = now
                queue.append(then)
    way: list[Node] = []
    step: int | None = last
    while step is not None:
        way.append(at[step])
        step = before[step]
    return tuple(reversed(way))


def _differentiated(rows: Rows, at: dict[int, Node], node: Node) -> Node:
    created = {edge.head: edge.tail for edge in rows.edges if edge.kind == CREATED}
    while node.order and node.id in created:
        node = at[created[node.id]]
    return node


def _operands(origin: Node, at: dict[int, Node], into: dict[int, list[Edge]]) -> tuple[str, ...]:
    return tuple(f"from {title(at[edge.tail])}: {_said(at[edge.tail].stats)}" for edge in into.get(origin.id, ()))


def _gradients(step: Step) -> tuple[str, ...]:
    came = [f"gradient that came: {_said(step.gradient)}"]
    return (*came, *(f"sent on: {_said(part.numbers)}" for part in step.parts))


def _said(known: Numbers | None) -> str:
    """Return what is known of an array in one line, its range where it is too large to be listed."""
    if known is None:
        return "not known"
    if known.data is not None or known.min is None:
        return known.text.replace("\n", ", ")
    odd = [f"{count} {what}" for count, what in ((known.nans, "nan"), (known.infs, "inf")) if count]
    return ", ".join([f"{known.min:.4g} to {known.max:.4g}", *odd])


def _painted(rows: Rows, origin: Node, born: str, reached: Iterable[int]) -> Rows:
    spoilt = set(reached)
    marks = {node.id: Mark(_REACHED, _spoilt(node)) for node in rows.nodes if node.id in spoilt}
    known = origin.stats if born == FORWARD else None
    what = "inf" if known is not None and known.infs and not known.nans else "nan"
    marks[origin.id] = Mark(ORANGE, f"{what} is born here ({born})")
    nodes = tuple(node._replace(mark=marks.get(node.id)) for node in rows.nodes)
    note = f"nan: born in the {born} pass at the box that says so; the others are what it reached"
    return replace(rows, nodes=nodes, notes=(*rows.notes, note))


def _spoilt(node: Node) -> str:
    """Return which of value and gradient is not finite."""
    known = (("value", node.stats), ("grad", node.grad_stats))
    which = " and ".join(way for way, numbers in known if numbers is not None and not numbers.is_finite)
    return f"{which} not finite".strip()


def title(node: Node) -> str:
    """Return what a node is called in a sentence."""
    unnamed = "a parameter" if node.kind == PARAM else "an input"
    return f"{node.name} = {node.op}" if node.name and node.op else node.name or node.op or unnamed


def listed(names: list[str], between: str) -> str:
    """Return names in a row, the middle of a long one left out."""
    if len(names) > _NAMED:
        names = [*names[: _NAMED // 2], "…", *names[-_NAMED // 2 :]]
    return between.join(names)

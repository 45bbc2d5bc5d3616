"""Health of a training step: do gradients vanish, explode or become nan, are units dead or saturated; where, and why.

A gradient vanishes only beside larger ones: in a net that has converged all are small, and nothing is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from minigrad.viz.nan import NanReport, listed, nan
from minigrad.viz.numbers import Numbers
from minigrad.viz.paint import ORANGE
from minigrad.viz.rows import BACKWARD, FORWARD, PARAM, Mark, Node, Rows, Where
from minigrad.viz.text import number

VANISHING, EXPLODING, DEAD, SATURATED, NAN = "vanishing", "exploding", "dead", "saturated", "nan"
OK, UNKNOWN = "ok", "unknown"
_BESIDE = 1e-3  # a vanishing gradient is at most so much of the largest
_DEAD = 0.9  # of the outputs of a ReLU are 0
_DEAD_UNITS = 0.5  # of its units are 0 for every sample
_SAMPLES = 8  # fewer say nothing of a unit
_FLAT = 0.05  # mean slope of a saturated activation, in relation to its largest


class Finding(NamedTuple):
    """One thing that is wrong: its kind, the modules it is in, the line where it begins, numbers in words, boxes."""

    kind: str
    modules: tuple[str, ...]
    where: Where | None
    text: str
    nodes: tuple[int, ...]

    def __str__(self) -> str:
        line = f"\n  since {self.where.file}:{self.where.line}: {self.where.code}" if self.where else ""
        return f"{self.kind} in {listed(list(self.modules), ', ') or 'the program'}: {self.text}{line}"


class Health(NamedTuple):
    """What `Graph.health` found. `verdict` is "ok", or the kind of the worst finding, or "unknown" without numbers."""

    verdict: str
    findings: tuple[Finding, ...]
    graph: Rows

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return self.verdict == OK

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        if self.verdict == UNKNOWN:
            return "unknown: no gradients are known; record the step, with its backward(), with viz.record()"
        return "\n".join([self.verdict] * self.ok + [str(finding) for finding in self.findings])


def health(rows: Rows, vanish: float, explode: float) -> Health:
    """Return the verdict on these rows, the worst finding first."""
    origin = nan(rows)
    exploding = list(_exploding(rows, explode, origin))
    overflown = bool(exploding) and _is_overflow(origin, explode)
    dead = list(_dead(rows))
    found = [
        *(() if overflown or not origin else [_of_nan(origin)]),
        *exploding,
        *_vanishing(rows, vanish, bool(dead)),
        *dead,
        *_saturated(rows),
    ]
    knows = any(node.grad_stats is not None for node in rows.nodes)
    verdict = found[0].kind if found else OK if knows else UNKNOWN
    marks = {i: Mark(ORANGE, finding.kind) for finding in reversed(found) for i in finding.nodes}
    nodes = tuple(node._replace(mark=marks.get(node.id)) for node in rows.nodes)
    return Health(verdict, tuple(found), replace(rows, nodes=nodes, notes=(*rows.notes, f"health: {verdict}")))


def _owner(node: Node) -> str:
    """Return the module that a node belongs to, or what else it is called."""
    return node.module or (node.name or "").rpartition(".")[0] or node.name or node.op or f"parameter {node.id}"


def _owners(nodes: Iterable[Node]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_owner(node) for node in nodes))


def _rms(known: Numbers | None) -> float | None:
    return None if known is None else known.rms


def _learning(rows: Rows) -> list[tuple[Node, float]]:
    """Return the parameters whose gradients are known and not empty, in the order they are used, with their rms."""
    known = ((node, _rms(node.grad_stats)) for node in rows.nodes if node.kind == PARAM)
    return [(node, size) for node, size in known if size is not None]


def _since(rows: Rows, nodes: Sequence[Node], last: bool) -> Where | None:
    """Return the line of the op that uses the last (going back: the first met) of these parameters, or the first."""
    if not nodes:
        return None
    node = max(nodes, key=lambda n: n.id) if last else min(nodes, key=lambda n: n.id)
    lines = {row.id: row.where for row in rows.nodes}
    users = (lines[edge.head] for edge in rows.edges if edge.tail == node.id)
    return node.where or next((line for line in users if line is not None), None)


# --- vanishing and exploding ---


def _vanishing(rows: Rows, vanish: float, has_dead: bool) -> Iterable[Finding]:
    learning = [(node, size) for node, size in _learning(rows) if node.grad_stats is None or node.grad_stats.is_finite]
    largest = max((size for _, size in learning), default=0.0)
    small = [
        (node, size)
        for node, size in learning
        if size < vanish and size <= largest * _BESIDE and not (has_dead and size == 0)
    ]
    if small:
        least = min(size for _, size in small)
        text = f"gradients down to rms {number(least)}, the largest is {number(largest)}{_per_layer(learning)}"
        nodes = [node for node, _ in small]
        text += _cause(rows, shrinks=True)
        yield Finding(VANISHING, _owners(nodes), _since(rows, nodes, True), text, tuple(n.id for n in nodes))


def _exploding(rows: Rows, explode: float, origin: NanReport) -> Iterable[Finding]:
    learning = _learning(rows)
    large = [
        node for node, size in learning if size > explode or (node.grad_stats is not None and node.grad_stats.infs)
    ]
    if not large and _is_overflow(origin, explode):
        large = [node for node in rows.nodes if (node.stats is not None and node.stats.infs)]
    if large:
        sizes = [size for node, size in learning if math.isfinite(size)]
        most = f"gradients up to rms {number(max(sizes))}" if sizes and max(sizes) > explode else "numbers overflow"
        text = most + _cause(rows, shrinks=False)
        yield Finding(EXPLODING, _owners(large), _since(rows, large, True), text, tuple(n.id for n in large))


def _per_layer(learning: Sequence[tuple[Node, float]]) -> str:
    """Return by how much the gradient changes from a layer to the one before it, in the mean."""
    first: dict[str, float] = {}
    for node, size in learning:
        if size > 0 and len(node.shape) > 1:
            first.setdefault(_owner(node), size)
    sizes = list(first.values())
    if len(sizes) < 3:
        return ""
    return f", ×{number((sizes[0] / sizes[-1]) ** (1 / (len(sizes) - 1)))} per layer going back"


def _cause(rows: Rows, shrinks: bool) -> str:
    """Return which op, taken all together, makes the gradient smaller (or larger) than it was when it came."""
    at = {node.id: node for node in rows.nodes}
    changes: dict[str, list[tuple[float, Node]]] = {}
    for step in rows.steps:
        came = _norm(step.gradient)
        sent = [norm for part in step.parts if at[part.tail].op and (norm := _norm(part.numbers))]
        if step.kind == BACKWARD and came and sent:
            node = at[step.node]
            changes.setdefault(node.op, []).append((math.log(max(sent) / came), node))
    totals = {op: sum(change for change, _ in found) for op, found in changes.items()}
    if not totals:
        return ""
    op = min(totals, key=lambda name: totals[name] if shrinks else -totals[name])
    if totals[op] > -0.5 if shrinks else totals[op] < 0.5:
        return ""
    found = changes[op]
    each = math.exp(totals[op] / len(found))
    line = found[0][1].where
    place = f" ({line.file}:{line.line})" if line is not None else ""
    times = f"{len(found)} times" if len(found) > 1 else "once"
    return f"; first cause: {op}{place} sends back ×{number(each)} of what comes, {times}"


def _norm(known: Numbers | None) -> float:
    size = _rms(known)
    return 0.0 if known is None or size is None else size * math.sqrt(known.size)


# --- nan ---


def _is_overflow(origin: NanReport, explode: float) -> bool:
    """Return whether what is not finite came of numbers that had grown too large, not of an op at a wrong place."""
    if origin.origin is None:
        return False
    rows = origin.graph
    if origin.born == FORWARD:
        stats = origin.origin.stats
        into = {edge.tail for edge in rows.edges if edge.head == origin.origin.id}
        largest = max((_extent(node.stats) for node in rows.nodes if node.id in into), default=0.0)
        return stats is not None and bool(stats.infs) and not stats.nans and largest > explode
    step = next((s for s in rows.steps if s.kind == BACKWARD and s.node == origin.origin.id), None)
    return step is not None and _extent(step.gradient) > explode


def _extent(known: Numbers | None) -> float:
    if known is None or known.min is None or known.max is None:
        return 0.0
    return max(abs(known.min), abs(known.max))


def _of_nan(origin: NanReport) -> Finding:
    assert origin.origin is not None
    return Finding(NAN, (_owner(origin.origin),), origin.where, str(origin), (origin.origin.id,))


# --- activations ---


def _dead(rows: Rows) -> Iterable[Finding]:
    for node in rows.nodes:
        known = node.stats
        if node.op != "relu" or known is None or not known.size or node.order:
            continue
        share, units = known.zeros / known.size, _dead_units(known)
        if share >= _DEAD or (units is not None and units[0] > _DEAD_UNITS * units[1]):
            text = f"{share:.0%} of the outputs of relu are 0"
            if units is not None:
                text += f", {units[0]} of {units[1]} units for every sample"
            yield Finding(DEAD, (_owner(node),), node.where, text, (node.id,))


def _dead_units(known: Numbers) -> tuple[int, int] | None:
    """Return how many units are 0 for every sample, and of how many, where the elements are known and are enough."""
    if known.data is None or len(known.shape) < 2 or known.size < _SAMPLES * known.shape[1]:
        return None
    units = np.moveaxis(np.array(known.data).reshape(known.shape), 1, 0).reshape(known.shape[1], -1)
    return int((~units.any(1)).sum()), known.shape[1]


def _saturated(rows: Rows) -> Iterable[Finding]:
    """Yield activations whose slope, in the mean, is next to nothing: it follows from the moments of the outputs."""
    for node in rows.nodes:
        known = node.stats
        if node.order or node.op not in ("sigmoid", "tanh") or known is None or known.mean is None or known.std is None:
            continue
        square = known.mean**2 + known.std**2
        slope = 4 * (known.mean - square) if node.op == "sigmoid" else 1 - square
        if slope < _FLAT:
            text = f"{node.op} is flat where it is used: its mean slope is {max(slope, 0.0):.1%} of the largest"
            yield Finding(SATURATED, (_owner(node),), node.where, text, (node.id,))

"""The memory of a step as a film: which arrays the graph keeps alive for its backward, how large they are, until when.

An array is kept from the op that saves it until the last gradient rule of the last op that saved it. What the program
holds anyway (parameters, inputs, constants) is left out: no backward frees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from minigrad import graph
from minigrad.errors import ArgumentError
from minigrad.viz import plots
from minigrad.viz.rows import BACKWARD, CREATED, FORWARD, Node, Rows, Saved
from minigrad.viz.text import bytes_of

_WIDTH = 40  # characters of the longest bar of the text
_MOST_LINES = 60

Place = tuple[int, int]  # a node, and which of its outputs


class Kept(NamedTuple):
    """An array that the graph keeps: whose output it is, its bytes, the nodes that saved it, and from when to when.

    `since` is the step that first saved it; `until` the step with which it is freed, None if no backward came to it.
    """

    node: int
    nbytes: int
    by: tuple[int, ...]
    since: int
    until: int | None


@dataclass(frozen=True, repr=False)
class MemoryFilm:
    """The bytes that saved arrays keep alive after each step of a recording (`Graph.steps`), and which arrays.

    `peak` is the first step at which they are most. It is assumed that a backward releases what it has used, as it
    does without `retain_graph`.
    """

    rows: Rows
    kept: tuple[Kept, ...]
    bytes: tuple[int, ...]

    @property
    def peak(self) -> int:
        """The first step with the most bytes."""
        return max(range(len(self.bytes)), key=self.bytes.__getitem__)

    def at(self, step: int) -> tuple[Kept, ...]:
        """Return what is kept after a step (counted from 0; negative from the end), the largest first."""
        step = range(len(self.bytes))[step]
        alive = (k for k in self.kept if k.since <= step and (k.until is None or step < k.until))
        return tuple(sorted(alive, key=lambda k: (-k.nbytes, k.node)))

    def __repr__(self) -> str:
        return f"<MemoryFilm: {len(self.bytes)} steps, at most {bytes_of(self.bytes[self.peak])}>"

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self) -> str:
        """Return a bar for each step (of more than 60, of some, the peak among them), and what is kept at the peak."""
        nodes = {node.id: node for node in self.rows.nodes}
        return "\n".join([*self._bars(nodes), "", *self._at_peak(nodes)])

    def _bars(self, nodes: dict[int, Node]) -> Iterator[str]:
        most, stride = max(self.bytes) or 1, -(-len(self.bytes) // _MOST_LINES)
        for i, count in enumerate(self.bytes):
            if i == self.peak or i % stride == 0 or i == len(self.bytes) - 1:
                step = self.rows.steps[i]
                bar = "█" * round(_WIDTH * count / most)
                what = f"{step.kind:8} {_called(nodes[step.node])}"
                yield f"{i:4} {what[:30]:30} {bytes_of(count):>10} {bar}{' ← peak' * (i == self.peak)}"

    def _at_peak(self, nodes: dict[int, Node]) -> Iterator[str]:
        alive = self.at(self.peak)
        yield f"{len(alive)} arrays are kept at the peak, {bytes_of(self.bytes[self.peak])}:"
        for k in alive[:20]:
            by = ", ".join(_called(nodes[i]) for i in k.by)
            yield f"  {bytes_of(k.nbytes):>10} {_called(nodes[k.node])} {nodes[k.node].shape}, for the backward of {by}"
        if len(alive) > 20:
            yield f"  and {len(alive) - 20} smaller ones"

    def plot(self, *, ax: Any = None) -> Any:
        """Draw the bytes over the steps, forward and backward told apart and the peak marked; return the Axes.

        Raises MissingDependencyError without matplotlib.
        """
        ax = plots.curves({"bytes": self.bytes}, x=range(len(self.bytes)), xlabel="step", ylabel="bytes kept", ax=ax)
        ax.lines[0].set_drawstyle("steps-post")
        ax.set_ylim(0, 1.15 * (max(self.bytes) or 1))
        turn = next((i for i, step in enumerate(self.rows.steps) if step.kind == BACKWARD), None)
        if turn is not None:
            ax.axvspan(turn - 0.5, len(self.bytes) - 0.5, color=plots.COLORS[1], alpha=0.12, label="backward")
            ax.legend(handles=[ax.patches[-1]], loc="upper right")
        ax.annotate(
            f"peak {bytes_of(self.bytes[self.peak])}", (self.peak, self.bytes[self.peak]), (0, 4),
            textcoords="offset points", ha="center",
        )  # fmt: skip
        return ax


def film(rows: Rows) -> MemoryFilm:
    """Return the film of a recorded step. Raises ArgumentError if the rows are not of a recording."""
    nodes = {node.id: node for node in rows.nodes}
    if not rows.steps or any(step.node not in nodes for step in rows.steps):
        raise ArgumentError("memory: take the graph of a recording, `viz.record() ... .graph()`, that is not folded")
    owners = _owners(rows)
    freed = _freed(rows)
    saved: dict[Place, list[tuple[int, int]]] = {}  # by array: the steps and the nodes that saved it
    sizes: dict[Place, int] = {}
    for i, step in enumerate(rows.steps):
        for each in nodes[step.node].saved if step.kind == FORWARD else ():
            if each.node is not None and nodes[(place := owners[each.node, each.output])[0]].op:
                saved.setdefault(place, []).append((i, step.node))
                sizes[place] = _size(each, place, nodes)
    kept = tuple(_kept(place, sizes[place], times, freed) for place, times in saved.items())
    return MemoryFilm(rows, kept, tuple(_sums(kept, len(rows.steps))))


def _called(node: Node) -> str:
    place = f"{node.module}." if node.module and node.op else ""
    return node.name or f"{place}{node.op or node.kind}"


def _size(saved: Saved, place: Place, nodes: dict[int, Node]) -> int:
    """Return the bytes that are kept: of a view those of the whole array, which is known of a first output."""
    is_view = place != (saved.node, saved.output)
    return nodes[place[0]].nbytes if is_view and place[1] == 0 else saved.nbytes


class _Owners(dict[Place, Place]):
    """For each output the one whose memory it lies in: itself, unless it is told otherwise."""

    def __missing__(self, place: Place) -> Place:
        return place


def _owners(rows: Rows) -> _Owners:
    """Return for each view the output whose memory it lies in."""
    data = [edge for edge in rows.edges if edge.operand == 0 and edge.kind != CREATED]
    source = {edge.head: (edge.tail, edge.output) for edge in data}
    owners = _Owners()
    scattered: set[Place] = set()  # views whose elements do not lie in order
    for node in rows.nodes:
        kind, tail, place = _view(node), source.get(node.id), (node.id, 0)
        if kind is None or tail is None or (kind == "dense" and tail in scattered):
            continue
        owners[place] = owners[tail]
        if kind != "dense":
            scattered.add(place)
    return owners


def _view(node: Node) -> str | None:
    """Return how an op's output shares memory with its operand: "dense", "strided" or, if it does not, None."""
    op = graph.primitives.get(node.op)
    return None if op is None or "array" in node.attrs else op.view  # an index of arrays copies


def _freed(rows: Rows) -> dict[int, int]:
    """Return for each node the step with which its saved arrays are freed: its last rule that is not recorded itself.

    A rule that was recorded (`create_graph`) has made nodes, of the next order, since the rule before it.
    """
    of = {edge.head: edge.tail for edge in rows.edges if edge.kind == CREATED}
    freed: dict[int, int] = {}
    made: set[int | None] = set()
    last, is_recorded = None, False
    for i, step in enumerate(rows.steps):
        if step.kind == FORWARD:
            made.add(of.get(step.node))
            continue
        is_recorded = step.node in made or (is_recorded and step.node == last)
        if is_recorded:
            freed.pop(step.node, None)
        else:
            freed[step.node] = i
        last, made = step.node, set()
    return freed


def _kept(place: Place, nbytes: int, times: list[tuple[int, int]], freed: dict[int, int]) -> Kept:
    ends = [freed.get(node) for _, node in times]
    until = None if None in ends else max(end for end in ends if end is not None)
    by = tuple(dict.fromkeys(node for _, node in times))
    return Kept(place[0], nbytes, by, times[0][0], until)


def _sums(kept: tuple[Kept, ...], steps: int) -> Iterator[int]:
    changes = [0] * (steps + 1)
    for k in kept:
        changes[k.since] += k.nbytes
        changes[steps if k.until is None else k.until] -= k.nbytes
    total = 0
    for change in changes[:steps]:
        total += change
        yield total

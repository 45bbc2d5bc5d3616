"""What differs between two graphs: by module, op and operands, not by number, so that two runs of a model are alike.

A call of a module is compared with the call of the same path; if it is not as it was there, with one alike at another
path, so that a layer put in between others is one layer more and not a change of all that follow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from minigrad.viz.numbers import Numbers
from minigrad.viz.paint import BLUE, GREY, ORANGE, VIOLET
from minigrad.viz.rows import DATA, MODULE, Mark, Node, Rows, ancestors

if TYPE_CHECKING:
    from minigrad.viz.picture import Graph

ADDED, REMOVED, CHANGED, MOVED = "added", "removed", "changed", "moved"
MARKS = {
    ADDED: Mark(BLUE, ADDED),
    REMOVED: Mark(ORANGE, REMOVED),
    CHANGED: Mark(VIOLET, CHANGED),
    MOVED: Mark(GREY, MOVED),
}
_SIGNS = {ADDED: "+", REMOVED: "-", CHANGED: "~", MOVED: "~"}
_MOST_EDITS = 400
_FACTS = ("kind", "shape", "dtype", "attrs", "requires_grad", "order", "error")
_FEW = 4  # elements; of more their size is said
_MOST = 12  # ops that one line lists


class Difference(NamedTuple):
    """One thing that differs: "added", "removed", "changed" or "moved"; where; in words; and which nodes it is about.

    `before` are ids of nodes in the first graph, `after` in the second.
    """

    kind: str
    place: str
    text: str
    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()

    def __str__(self) -> str:
        return f"{_SIGNS[self.kind]} {': '.join(filter(None, (self.place, self.text)))}"


@dataclass(frozen=True)
class GraphDiff:
    """What differs between two graphs: true where anything does. In a notebook it shows itself.

    `differences` lists it, `graph` is the picture of both: what only one of them has is in it, marked.
    """

    before: Graph = field(repr=False)
    after: Graph = field(repr=False)
    differences: tuple[Difference, ...]

    def __bool__(self) -> bool:
        return bool(self.differences)

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self) -> str:
        """Return a line for each difference: "+" is only in the second graph, "-" only in the first, "~" in both."""
        return "\n".join(map(str, self.differences)) or "the same"

    @property
    def graph(self) -> Graph:
        """The second graph, with what only the first has, marked: boxes say added, removed, changed or moved."""
        return _union(self)

    @property
    def source(self) -> str:
        """The DOT text of `graph`."""
        return self.graph.source

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, Any]:
        """Return what a notebook shows: the picture of both, and the differences as text."""
        bundle = self.graph._repr_mimebundle_() | {"text/plain": self.to_text()}
        return {kind: bundle[kind] for kind in bundle if kind in (include or bundle) and kind not in (exclude or ())}


def diff(before: Graph, after: Graph, values: bool) -> GraphDiff:
    """Return what differs between the graphs; with `values` also the numbers that are known of values and gradients."""
    pairs, loose = _paired(_units(before), _units(after))
    found: list[tuple[int, Difference]] = []
    same: dict[int, int] = {}
    for a, b in pairs:
        found += _within(a, b, same, values)
    for kind, units in zip((REMOVED, ADDED), loose, strict=True):
        found += [(unit.at, unit.difference(kind)) for unit in units]
    found += _rewired(before, after, same, {i for _, d in found for i in d.after})
    ordered = sorted(found, key=lambda item: item[0])
    return GraphDiff(before, after, tuple(difference for _, difference in ordered))


class Unit(NamedTuple):
    """The nodes that belong to a call of a module, and to none inside of it."""

    path: str | None
    kind: str
    nodes: tuple[Node, ...]

    @property
    def at(self) -> int:
        """The id of the first node."""
        return self.nodes[0].id

    @property
    def look(self) -> Hashable:
        """What two units have in common that are the same but for their path."""
        return self.kind, tuple((_name(node), *_facts(node)) for node in self.nodes)

    def difference(self, kind: str) -> Difference:
        """Return that the unit is only in one of the graphs."""
        ids = tuple(node.id for node in self.nodes)
        ops = [node.op for node in self.nodes if node.op] or [node.name or node.kind for node in self.nodes]
        listed = ", ".join(ops[:_MOST]) + (f" and {len(ops) - _MOST} more" if len(ops) > _MOST else "")
        sizes = (f"{_name(node)} {node.shape}" for node in self.nodes if not node.op and node.name)
        text = f"{self.kind or 'module'} ({', '.join(sizes) or listed})" if self.path is not None else listed
        return Difference(kind, self.path or "", text, *((ids, ()) if kind == REMOVED else ((), ids)))


def _units(graph: Graph) -> list[Unit]:
    kinds = {module.path: module.kind for module in graph.modules}
    nodes: dict[str | None, list[Node]] = {}
    for node in graph.nodes:
        nodes.setdefault(node.module, []).append(node)
    return [Unit(path, kinds.get(path or "", ""), tuple(inside)) for path, inside in nodes.items()]


def _paired(before: list[Unit], after: list[Unit]) -> tuple[list[tuple[Unit, Unit]], tuple[list[Unit], list[Unit]]]:
    """Return which unit is which, and those that are in one of the graphs only."""
    pairs: list[tuple[Unit, Unit]] = []
    for key in (lambda u: (u.path, u.look), _anywhere, lambda u: (u.path, u.kind) if u.path else u.path):
        found: dict[Hashable, list[Unit]] = {}
        for unit in before:
            found.setdefault(key(unit), []).append(unit)
        rest = []
        for unit in after:
            same = found.get(key(unit))
            if same:
                pairs.append((same.pop(0), unit))
            else:
                rest.append(unit)
        taken = {id(a) for a, _ in pairs}
        before, after = [unit for unit in before if id(unit) not in taken], rest
    return pairs, (before, after)


def _anywhere(unit: Unit) -> Hashable:
    """Return what tells a module whatever its path; the model itself, and what is outside of modules, has not moved."""
    return unit.look if unit.path and unit.kind else (unit.path, unit.look)


def _within(a: Unit, b: Unit, same: dict[int, int], values: bool) -> Iterator[tuple[int, Difference]]:
    """Yield what differs between two units that are taken for the same, and note which node is which."""
    if a.path != b.path:
        ids = tuple(node.id for node in a.nodes), tuple(node.id for node in b.nodes)
        yield b.at, Difference(MOVED, f"{a.path} → {b.path}", b.kind, *ids)
    for x, y in _aligned(a.nodes, b.nodes):
        if x is not None and y is not None:
            same[x.id] = y.id
            changes = [f"{name} {old} → {new}" for name, old, new in _changes(x, y, values)]
            if changes:
                yield y.id, Difference(CHANGED, _place(y), ", ".join(changes), (x.id,), (y.id,))
        else:
            kind, node = (REMOVED, x) if y is None else (ADDED, y)
            assert node is not None
            yield node.id, _alone(kind, node)


def _alone(kind: str, node: Node) -> Difference:
    place = node.module or "" if node.op and node.kind != MODULE else _place(node)
    text = f"{node.op or node.kind} {node.shape}"
    return Difference(kind, place, text, *(((node.id,), ()) if kind == REMOVED else ((), (node.id,))))


def _aligned(a: Sequence[Node], b: Sequence[Node]) -> Iterator[tuple[Node | None, Node | None]]:
    """Yield the nodes of two units side by side, as few as can be alone: leaves by name, others in their order."""
    mine, theirs = _by_name(a), _by_name(b)
    yield from ((node, theirs.get(name)) for name, node in mine.items())
    yield from ((None, node) for name, node in theirs.items() if name not in mine)
    yield from _in_order([n for n in a if n.op or not n.name], [n for n in b if n.op or not n.name])


def _by_name(nodes: Sequence[Node]) -> dict[tuple[str, int], Node]:
    """Return the leaves that have a name, by it and by how many had it before."""
    counts: Counter[str] = Counter()
    found: dict[tuple[str, int], Node] = {}
    for node in nodes:
        if node.name and not node.op:
            found[_name(node), counts[_name(node)]] = node
            counts[_name(node)] += 1
    return found


def _in_order(a: Sequence[Node], b: Sequence[Node]) -> Iterator[tuple[Node | None, Node | None]]:
    i = j = 0
    alike = _alike([_key(node) for node in a], [_key(node) for node in b])
    for x, y in (*alike, (len(a), len(b))):
        yield from ((node, None) for node in a[i:x])
        yield from ((None, node) for node in b[j:y])
        if x < len(a):
            yield a[x], b[y]
        i, j = x + 1, y + 1


def _key(node: Node) -> str:
    """Return what tells an op from others of its unit: of a folded module also its path."""
    return f"{node.name}: {node.op}" if node.kind == MODULE and node.name else node.op or node.kind


def _alike(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """Return which places of two sequences are the same, so that as few as can be are not (Myers, 1986).

    It takes time for what differs, hardly for what does not; of sequences that differ in more than a few hundred
    places none is the same.
    """
    furthest, rounds = {1: 0}, list[dict[int, int]]()  # for each difference of the places how far it reaches
    for edits in range(min(len(a) + len(b), _MOST_EDITS) + 1):
        rounds.append(dict(furthest))
        for k in range(-edits, edits + 1, 2):
            down = k == -edits or (k != edits and furthest[k - 1] < furthest[k + 1])
            x = furthest[k + 1] if down else furthest[k - 1] + 1
            while x < len(a) and x - k < len(b) and a[x] == b[x - k]:
                x += 1
            furthest[k] = x
            if x >= len(a) and x - k >= len(b):
                return _way_back(rounds, len(a), len(b))
    return []


def _way_back(rounds: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    """Return the places that are the same on the way that led to the ends `x` and `y`."""
    found: list[tuple[int, int]] = []
    for edits in range(len(rounds) - 1, -1, -1):
        furthest, k = rounds[edits], x - y
        down = k == -edits or (k != edits and furthest[k - 1] < furthest[k + 1])
        k += 1 if down else -1
        first, second = furthest[k], furthest[k] - k
        while x > first and y > second:
            x, y = x - 1, y - 1
            found.append((x, y))
        x, y = first, second
    return found[::-1]


def _facts(node: Node) -> tuple[Any, ...]:
    return node.op, *(getattr(node, name) for name in _FACTS)


def _changes(x: Node, y: Node, values: bool) -> Iterator[tuple[str, Any, Any]]:
    """Yield the facts that differ between two nodes: their name, and both."""
    for name in _FACTS:
        old, new = getattr(x, name), getattr(y, name)
        if old != new:
            yield name, old or "none" if isinstance(old, str) else old, new or "none" if isinstance(new, str) else new
    for name, old, new in (("value", x.stats, y.stats), ("grad", x.grad_stats, y.grad_stats)) if values else ():
        if repr(old) != repr(new):  # nan is not equal to itself
            yield name, _short(old), _short(new)


def _short(known: Numbers | None) -> str:
    """Return numbers in one line of a bearable length."""
    if known is None or known.data is None or (known.size <= _FEW and "\n" not in known.text):
        return "not known" if known is None else known.text
    return known._replace(data=None).text


def _rewired(before: Graph, after: Graph, same: dict[int, int], reported: set[int]) -> Iterator[tuple[int, Difference]]:
    """Yield the ops that are in both graphs and take other operands, all of which are in both."""
    back = {new: old for old, new in same.items()}
    was, now = _operands(before), _operands(after)
    places = {node.id: _place(node) for node in after.nodes}
    for id, operands in now.items():
        if id not in back or id in reported:
            continue
        old = sorted((i, same.get(tail, -1), output) for i, tail, output in was[back[id]])
        if all(tail in back for _, tail, _ in (*old, *operands)) and old != sorted(operands):
            first, then = (", ".join(places[tail] for _, tail, _ in sorted(found)) for found in (old, operands))
            yield id, Difference(CHANGED, places[id], f"operands {first} → {then}", (back[id],), (id,))


def _operands(graph: Graph) -> dict[int, list[tuple[int, int, int]]]:
    found: dict[int, list[tuple[int, int, int]]] = {node.id: [] for node in graph.nodes}
    for edge in graph.edges:
        if edge.kind == DATA:
            found[edge.head].append((edge.operand, edge.tail, edge.output))
    return found


def _name(node: Node) -> str:
    """Return the name of a node without the path of its module."""
    return (node.name or "").removeprefix(f"{node.module}.") if node.module else node.name or ""


def _place(node: Node) -> str:
    """Return where a node is, with its name or op."""
    if node.name and (node.kind == MODULE or not node.op):
        return node.name
    return ".".join(filter(None, (node.module, _name(node) if node.name else node.op or node.kind)))


# --- the picture of both ---


def _union(found: GraphDiff) -> Graph:
    """Return the second graph with the nodes that only the first has, under numbers of their own."""
    marks = {i: MARKS[d.kind] for d in found.differences for i in d.after}
    gone = {i for d in found.differences if d.kind == REMOVED for i in d.before}
    offset = max((node.id for node in found.after.nodes), default=-1) + 1
    ids = _twins(found) | {i: i + offset for i in gone}
    removed = tuple(_moved(n, ids, MARKS[REMOVED]) for n in found.before.nodes if n.id in gone)
    edges = tuple(
        edge._replace(tail=ids[edge.tail], head=ids[edge.head])
        for edge in found.before.edges
        if (edge.tail in gone or edge.head in gone) and edge.tail in ids and edge.head in ids
    )
    nodes = tuple(node._replace(mark=marks.get(node.id)) for node in found.after.nodes)
    paths = {module.path for module in found.after.modules}
    needed = {path for node in removed if node.module is not None for path in ancestors(node.module)} - paths
    modules = tuple(module for module in found.before.modules if module.path in needed)
    counts = {kind: sum(d.kind == kind for d in found.differences) for kind in MARKS}
    said = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count) or "the same"
    changes = {
        "nodes": nodes + removed,
        "edges": (*found.after.edges, *edges),
        "modules": (*found.after.modules, *modules),
        "notes": (*found.after.notes, f"difference: {said}"),
        "steps": (),
    }
    # A graph of its own: what `after` may have been folded from knows nothing of what was removed.
    kept = {name: getattr(found.after, name) for name in Rows.__dataclass_fields__}
    return type(found.after)(**kept | changes)


def _twins(found: GraphDiff) -> dict[int, int]:
    """Return for each node of the first graph that is in both its id in the second."""
    same: dict[int, int] = {}
    for a, b in _paired(_units(found.before), _units(found.after))[0]:
        same |= {x.id: y.id for x, y in _aligned(a.nodes, b.nodes) if x is not None and y is not None}
    return same


def _moved(node: Node, ids: dict[int, int], mark: Mark) -> Node:
    saved = tuple(s._replace(node=None if s.node is None else ids.get(s.node)) for s in node.saved)
    return node._replace(id=ids[node.id], saved=saved, mark=mark)

"""Folding a large graph into one that can be looked at: by module, then long runs, then whatever stands together.

Every fold is the same step, `merged`: nodes that were given the same key become one node. A picture that was folded
keeps what it was folded from and the keys (`Origin`), so that it can be unfolded, and folded otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from minigrad.viz.rows import CREATED, DATA, MODULE, OP, PARAM, Edge, Mark, Node, Rows, ancestors

Key = Hashable  # a node's own id; (what folded it, ...); HIDDEN or CUT
HIDDEN, CUT = ("hidden",), ("cut",)  # not in the picture: the edges pass through, or end
MODULES, REPEATS, RUN, BLOCK, PATTERN = "module", "repeat", "run", "block", "pattern"
Some = TypeVar("Some", bound=Rows)
_ENDS = 2  # nodes left to see at both ends of a run
_LONGEST_PERIOD = 8  # modules of a sequence that is repeated
_NAMED = 3  # kinds of op that a folded node lists


class Origin(NamedTuple):
    """What a picture was made from, and under which key each node of that stands in it."""

    graph: Rows
    keys: tuple[Key, ...]

    def stands(self) -> dict[int, int]:
        """Return for the id of each node that is in the picture the id of the box it stands in."""
        first: dict[Key, int] = {}
        pairs = [(n.id, key) for n, key in zip(self.graph.nodes, self.keys, strict=True) if key not in (HIDDEN, CUT)]
        return {id: first.setdefault(key, id) for id, key in pairs}

    def rows(self) -> Rows:
        """Return the picture."""
        shown = without(self.graph, self.keys)
        return merged(shown, [key for key in self.keys if key not in (HIDDEN, CUT)])


def collapsed(
    origin: Origin, depth: int | None, paths: Collection[str], keep: Collection[str], repeats: bool, max_nodes: int
) -> Origin:
    """Return the origin folded to `depth`, with `paths` closed and `keep` open, and then to at most `max_nodes`."""
    graph, keys = origin
    deepest = max((len([*ancestors(module.path)]) for module in graph.modules), default=0)
    if paths:
        keys = tuple(_coarser(old, closed(node, paths)) for old, node in zip(keys, graph.nodes, strict=True))
    if depth is not None:
        keys = _at_depth(graph, keys, depth, keep, repeats)
    for lower in reversed(range(deepest if depth is None else min(depth, deepest))):
        for also in (False, True) if repeats else (False,):  # modules alike are one only where it is needed
            if _boxes(keys) > max_nodes:
                keys = _at_depth(graph, keys, lower, keep, also)
    for further in (_runs, lambda rows: _blocks(rows, max_nodes)):
        if _boxes(keys) > max_nodes:
            rows = Origin(graph, keys).rows()
            keys = _on_top(graph, keys, rows, further(rows))
    return Origin(graph, keys)


def _boxes(keys: Sequence[Key]) -> int:
    return len(set(keys) - {HIDDEN, CUT})


def _at_depth(graph: Rows, keys: tuple[Key, ...], depth: int, keep: Collection[str], repeats: bool) -> tuple[Key, ...]:
    """Return keys under which no module deeper than `depth` is open, but for those of `keep`."""
    keys = tuple(_coarser(old, closed_at(n, depth, keep)) for old, n in zip(keys, graph.nodes, strict=True))
    if not repeats:
        return keys
    rows = Origin(graph, keys).rows()
    return _on_top(graph, keys, rows, _repeated(rows, keys, graph))


def closed_at(node: Node, depth: int, keep: Collection[str] = ()) -> Key | None:
    """Return the key of the module to fold `node` into, so that it is not open deeper than `depth`."""
    if node.module is None:
        return None
    for path in [*ancestors(node.module)][::-1][depth:]:
        if not any(path in ancestors(kept) for kept in keep):
            return (MODULES, path, node.order)
    return None


def closed(node: Node, paths: Collection[str]) -> Key | None:
    """Return the key of the outermost of `paths` (of any call of it) that `node` is in."""
    around = [] if node.module is None else [*ancestors(node.module)][::-1]
    return next(((MODULES, p, node.order) for p in around if p in paths or _uncalled(p) in paths), None)


def _uncalled(path: str) -> str:
    """Return a path without the numbers of calls."""
    return ".".join(part.partition("@")[0] for part in path.split(".")) if "@" in path else path


def _coarser(old: Key, new: Key | None) -> Key:
    """Return whichever key folds more: a node that was folded stays so."""
    if new is None or old in (HIDDEN, CUT):
        return old
    if isinstance(old, tuple) and old[0] in (MODULES, REPEATS):
        assert isinstance(new, tuple)
        return new if new[1] != old[1] and new[1] in ancestors(old[1]) else old
    return new if isinstance(old, int) else old


def _on_top(graph: Rows, keys: tuple[Key, ...], rows: Rows, further: Sequence[Key]) -> tuple[Key, ...]:
    """Return the keys after the boxes of `rows`, which `keys` made, were given keys themselves."""
    new = dict(zip((node.id for node in rows.nodes), further, strict=True))
    stands = Origin(graph, keys).stands()
    result: list[Key] = []
    for node, key in zip(graph.nodes, keys, strict=True):
        over = new.get(stands.get(node.id, -1))
        result.append(key if over is None or isinstance(over, int) else over)
    return tuple(result)


def _repeated(rows: Rows, keys: tuple[Key, ...], graph: Rows) -> list[Key]:
    """Return keys under which modules that are closed, alike, and follow upon each other are one.

    A sequence may be repeated too: in a chain of Linear, ReLU, Linear, ReLU the pair is.
    """
    stands = Origin(graph, keys).stands()
    closed = {
        stands[n.id]: k for n, k in zip(graph.nodes, keys, strict=True) if isinstance(k, tuple) and k[0] == MODULES
    }
    boxes = {node.id: node for node in rows.nodes}
    result: dict[int, Key] = {}
    for chain in _chains(rows, closed):
        looks, i = [_looks(boxes[id]) for id in chain], 0
        while i < len(chain):
            period, count = _period(looks, i)
            part = chain[i : i + period * count]
            if count > 1:
                first, last = closed[part[0]], closed[part[-1]]
                paths = tuple(closed[id][1] for id in part[:period])
                result |= dict.fromkeys(part, (REPEATS, first[1], first[2], last[1], count, paths))
            i += len(part)
    return [result.get(node.id, node.id) for node in rows.nodes]


def _chains(rows: Rows, closed: Mapping[int, Any]) -> Iterator[list[int]]:
    """Yield the closed modules, by their boxes, that stand in one module and feed only one the next."""
    heads: dict[int, set[int]] = {}
    for edge in rows.edges:
        if edge.kind == DATA:
            heads.setdefault(edge.tail, set()).add(edge.head)
    following: dict[int, int] = {}
    for id, (_, path, order) in closed.items():
        only = next(iter(heads[id])) if len(heads.get(id, ())) == 1 else None
        if only is not None and only in closed and path:
            _, after, same = closed[only]
            if after and after.rpartition(".")[0] == path.rpartition(".")[0] and same == order:
                following[id] = only
    taken: set[int] = set()
    for id in sorted(set(following) - set(following.values())):
        chain: list[int] = []
        at: int | None = id
        while at is not None and at not in taken:
            taken.add(at)
            chain.append(at)
            at = following.get(at)
        yield chain


def _period(looks: list[Any], at: int) -> tuple[int, int]:
    """Return the length of what is repeated from `at` on, and how often; the choice that covers most."""
    best = 1, 1
    for period in range(1, min(_LONGEST_PERIOD, len(looks) - at) + 1):
        end = at + period
        while end < len(looks) and looks[end] == looks[end - period]:
            end += 1
        count = (end - at) // period
        if count > 1 and period * count > best[0] * best[1]:
            best = period, count
    return best


def _looks(node: Node) -> tuple[Any, ...]:
    """Return what is the same of modules alike."""
    return node.kind, node.op, node.attrs, node.params, node.shape, node.dtype, node.times


def _runs(rows: Rows) -> list[Key]:
    """Return keys under which the ops of an unbranched run, but for its ends, are one; and their own leaves with them.

    An op continues a run if it uses one op only, and it alone uses that.
    """
    at = {node.id: i for i, node in enumerate(rows.nodes)}
    users: list[set[int]] = [set() for _ in rows.nodes]
    used: list[set[int]] = [set() for _ in rows.nodes]
    for edge in rows.edges:
        tail, head = at[edge.tail], at[edge.head]
        if edge.kind == DATA:
            users[tail].add(head)
            if rows.nodes[tail].kind == OP:
                used[head].add(tail)
    run = list(range(len(rows.nodes)))  # the first op of the run that this one is in
    length = [1] * len(run)
    for i, node in enumerate(rows.nodes):
        if node.kind == OP and len(used[i]) == 1:
            (before,) = used[i]
            same = (rows.nodes[before].module, rows.nodes[before].order) == (node.module, node.order)
            if len(users[before]) == 1 and same:
                run[i], length[i] = run[before], length[before] + 1
    longest = Counter(run[i] for i, node in enumerate(rows.nodes) if node.kind == OP)
    keys: list[Key] = [node.id for node in rows.nodes]
    for i in range(len(run)):
        if rows.nodes[i].kind == OP and _ENDS < length[i] <= longest[run[i]] - _ENDS:
            keys[i] = (RUN, run[i])
    for i, node in enumerate(rows.nodes):
        heads = {keys[head] for head in users[i]}
        if not node.op and len(heads) == 1 and isinstance(only := heads.pop(), tuple):
            keys[i] = only
    return keys


def _blocks(rows: Rows, count: int) -> list[Key]:
    """Return keys that cut the nodes, in order, into `count` blocks of about one size, the last node by itself."""
    size = -(-(len(rows.nodes) - 1) // max(count - 1, 1))
    return [*((BLOCK, i // size) for i in range(len(rows.nodes) - 1)), ("last",)]


def without(rows: Some, keys: Sequence[Key]) -> Some:
    """Return `rows` without the nodes whose key is HIDDEN or CUT; past a HIDDEN one, edges go on."""
    gone = {node.id: key for node, key in zip(rows.nodes, keys, strict=True) if key in (HIDDEN, CUT)}
    if not gone:
        return rows
    through: dict[int, list[Edge]] = {id: [] for id, key in gone.items() if key == HIDDEN}
    edges: list[Edge] = []
    for edge in rows.edges:
        if edge.kind == CREATED:
            edges += [] if edge.tail in gone or edge.head in gone else [edge]
            continue
        sources = through.get(edge.tail, [] if edge.tail in gone else [edge])
        if edge.tail in through:
            sources = [_past(e, edge) for e in sources]
        if edge.head in through:
            through[edge.head] += sources
        elif edge.head not in gone:
            edges += sources
    nodes = tuple(node for node in rows.nodes if node.id not in gone)
    inside = {path for node in nodes if node.module is not None for path in ancestors(node.module)}
    modules = tuple(module for module in rows.modules if module.path in inside)
    return replace(rows, nodes=nodes, edges=tuple(edges), modules=modules, steps=())


def _past(before: Edge, edge: Edge) -> Edge:
    """Return the edge that leads from where `before` begins to where `edge` ends."""
    flows = before.requires_grad and edge.requires_grad
    return edge._replace(tail=before.tail, output=before.output, requires_grad=flows)


def merged(rows: Some, keys: Sequence[Key]) -> Some:
    """Return `rows` with the nodes of each key made one, under the id of the first of them."""
    groups: dict[Key, list[Node]] = {}
    for node, key in zip(rows.nodes, keys, strict=True):
        groups.setdefault(key, []).append(node)
    if len(groups) == len(rows.nodes):
        return rows
    kinds = {module.path: module.kind for module in rows.modules}
    ids = {node.id: group[0].id for group in groups.values() for node in group}
    leaving = {edge.tail for edge in rows.edges if edge.kind == DATA and ids[edge.tail] != ids[edge.head]}
    nodes = tuple(g[0] if len(g) == 1 else _folded(key, g, kinds, leaving) for key, g in groups.items())
    edges: dict[tuple[int, int, str], Edge] = {}
    kept: list[Edge] = []
    folded = {node.id for node, group in zip(nodes, groups.values(), strict=True) if len(group) > 1}
    for edge in rows.edges:
        tail, head = ids[edge.tail], ids[edge.head]
        if tail not in folded and head not in folded:
            kept.append(edge)
        elif tail != head:
            held = edges.get((tail, head, edge.kind))
            flows = edge.requires_grad or (held is not None and held.requires_grad)
            edges[tail, head, edge.kind] = Edge(tail, head, "", flows, kind=edge.kind)
    inside = {path for node in nodes if node.module is not None for path in ancestors(node.module)}
    modules = tuple(module for module in rows.modules if module.path in inside)
    ordered = sorted([*kept, *edges.values()], key=lambda edge: edge.head)
    return replace(rows, nodes=nodes, edges=tuple(ordered), modules=modules, steps=())


def _folded(key: Key, group: list[Node], kinds: dict[str, str], leaving: Collection[int]) -> Node:
    """Return the one node for `group`: what it holds and what comes out of it last."""
    inner = [node for node in group if node.op]
    last = next((node for node in reversed(inner) if node.id in leaving), (inner or group)[-1])
    ops: Counter[str] = Counter()
    for node in inner or group:
        ops[node.op or node.kind] += node.holds
    most = sorted(ops.items(), key=lambda item: -item[1])
    more = f", and {len(most) - _NAMED} more kind{'s' * (len(most) > _NAMED + 1)}" if len(most) > _NAMED else ""
    op, name, module, times = _title(key, group, last, kinds)
    tells = isinstance(key, tuple) and key[0] != BLOCK  # what the last op returned is what came out of it all
    return last._replace(
        id=group[0].id,
        kind=MODULE,
        op=op,
        name=name,
        module=module,
        attrs=", ".join(f"{name} ×{count:,}" if count > 1 else name for name, count in most[:_NAMED]) + more,
        stats=last.stats if tells else None,
        grad_stats=last.grad_stats if tells else None,
        requires_grad=any(node.requires_grad for node in group),
        holds=sum(node.holds for node in group),
        saved=tuple(saved for node in group for saved in node.saved),
        forward_us=_total(node.forward_us for node in group),
        backward_us=_total(node.backward_us for node in group),
        mark=_mark(group),
        error=next((node.error for node in group if node.error), None),
        params=sum(node.params or (node.numel if node.kind == PARAM else 0) for node in group),
        times=times,
    )


def _total(times: Iterable[float | None]) -> float | None:
    known = [us for us in times if us is not None]
    return sum(known) if known else None


def _title(key: Key, group: list[Node], last: Node, kinds: dict[str, str]) -> tuple[str, str | None, str | None, int]:
    """Return what a folded node is called: its op, its name, the module it is in, and how often it is repeated."""
    if isinstance(key, tuple) and key[0] in (MODULES, REPEATS):
        path, times, name, paths = key[1], 1, key[1], (key[1],)
        if key[0] == REPEATS:
            final, times, paths = key[3], key[4], key[5]
            same = _uncalled(path) == _uncalled(final)
            name = _uncalled(path) if same else f"{path} … {final.rpartition('.')[2]}"
        around = path.rpartition(".")[0] if path else None
        return (
            ", ".join(kinds.get(p) or "module" for p in paths),
            name,
            around if around or "" in kinds else None,
            times,
        )
    inner = [node.module for node in group if node.op] or [last.module]
    shared = (
        None
        if None in inner
        else next(p for p in ancestors(inner[0] or "") if all(p in ancestors(q or "") for q in inner))
    )
    if isinstance(key, tuple) and key[0] == PATTERN:
        return key[1], None, shared, 1
    return "⋯", None, shared, 1


def _mark(group: list[Node]) -> Mark | None:
    """Return the mark that is rarest among the nodes: what stands out among many alike must not vanish."""
    counts = Counter(node.mark for node in group if node.mark is not None)
    return min(reversed(counts), key=counts.__getitem__) if counts else None

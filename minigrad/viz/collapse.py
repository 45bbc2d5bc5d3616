"""Folding a large graph into one that can be looked at: by module, then long runs, then whatever stands together.

Every fold is the same step, `merged`: nodes that were given the same key become one node.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import TypeVar

from minigrad.viz.rows import DATA, MODULE, OP, OUTPUT, Edge, Node, Rows, ancestors

Key = Hashable
Some = TypeVar("Some", bound=Rows)
_ENDS = 2  # nodes left to see at both ends of a run
_NAMED = 3  # kinds of op that a folded node lists


def collapse(rows: Some, max_nodes: int) -> Some:
    """Return `rows` folded to at most `max_nodes` nodes; as they are if they are no more."""
    total = sum(node.holds for node in rows.nodes)
    folded = rows
    deepest = max((len([*ancestors(module.path)]) for module in rows.modules), default=0)
    for depth in reversed(range(deepest)):
        if len(folded.nodes) <= max_nodes:
            break
        folded = merged(rows, [_at_depth(node, depth) for node in rows.nodes])
    if len(folded.nodes) > max_nodes:
        folded = merged(folded, _runs(folded))
    if len(folded.nodes) > max_nodes:
        folded = merged(folded, _blocks(folded, max_nodes))
    if folded is rows:
        return rows
    said = tuple(note for note in rows.notes if not note.startswith("folded:"))
    return replace(folded, notes=(*said, f"folded: {len(folded.nodes)} boxes stand for {total:,} nodes"))


def _at_depth(node: Node, depth: int) -> Key:
    """Return the module to fold `node` into, so that no module deeper than `depth` is left open."""
    if node.module is None or node.kind == OUTPUT:
        return node.id
    path = [*ancestors(node.module)][::-1]
    return path[depth] if depth < len(path) else node.id


def _runs(rows: Rows) -> list[Key]:
    """Return keys under which the ops of an unbranched run, but for its ends, are one; and their own leaves with them.

    An op continues a run if it uses one op only, and it alone uses that.
    """
    at = {node.id: i for i, node in enumerate(rows.nodes)}
    users: list[set[int]] = [set() for _ in rows.nodes]
    used: list[set[int]] = [set() for _ in rows.nodes]
    for edge in rows.edges:
        tail, head = at[edge.tail], at[edge.head]
        users[tail].add(head)
        if rows.nodes[tail].kind == OP:
            used[head].add(tail)
    run = list(range(len(rows.nodes)))  # the first op of the run that this one is in
    length = [1] * len(run)
    for i, node in enumerate(rows.nodes):
        if node.kind == OP and len(used[i]) == 1:
            (before,) = used[i]
            if len(users[before]) == 1 and rows.nodes[before].module == node.module:
                run[i], length[i] = run[before], length[before] + 1
    longest = Counter(run[i] for i, node in enumerate(rows.nodes) if node.kind == OP)
    keys: list[Key] = [node.id for node in rows.nodes]
    for i in range(len(run)):
        if rows.nodes[i].kind == OP and _ENDS < length[i] <= longest[run[i]] - _ENDS:
            keys[i] = ("run", run[i])
    for i, node in enumerate(rows.nodes):
        heads = {keys[head] for head in users[i]}
        if not node.op and len(heads) == 1 and isinstance(only := heads.pop(), tuple):
            keys[i] = only
    return keys


def _blocks(rows: Rows, count: int) -> list[Key]:
    """Return keys that cut the nodes, in order, into `count` blocks of about one size, the last node by itself."""
    size = -(-(len(rows.nodes) - 1) // max(count - 1, 1))
    return [*(("block", i // size) for i in range(len(rows.nodes) - 1)), ("last",)]


def merged(rows: Some, keys: Sequence[Key]) -> Some:
    """Return `rows` with the nodes of each key made one, under the id of the first of them."""
    groups: dict[Key, list[Node]] = {}
    for node, key in zip(rows.nodes, keys, strict=True):
        groups.setdefault(key, []).append(node)
    kinds = {module.path: module.kind for module in rows.modules}
    nodes = tuple(g[0] if len(g) == 1 else _folded(key, g, kinds) for key, g in groups.items())
    ids = {node.id: group[0].id for group in groups.values() for node in group}
    edges: dict[tuple[int, int], Edge] = {}
    kept: list[Edge] = []
    folded = {node.id for node, group in zip(nodes, groups.values(), strict=True) if len(group) > 1}
    for edge in rows.edges:
        tail, head = ids[edge.tail], ids[edge.head]
        if tail not in folded and head not in folded:
            kept.append(edge)
        elif tail != head and edge.kind == DATA:
            held = edges.get((tail, head))
            flows = edge.requires_grad or (held is not None and held.requires_grad)
            edges[tail, head] = Edge(tail, head, "", flows)
    inside = {path for node in nodes if node.module is not None for path in ancestors(node.module)}
    modules = tuple(module for module in rows.modules if module.path in inside)
    ordered = sorted([*kept, *edges.values()], key=lambda edge: edge.head)
    return replace(rows, nodes=nodes, edges=tuple(ordered), modules=modules, steps=())


def _folded(key: Key, group: list[Node], kinds: dict[str, str]) -> Node:
    """Return the one node for `group`: what it holds and what comes out of it last."""
    path = key if isinstance(key, str) else None
    last = next((node for node in reversed(group) if node.op), group[-1])
    ops: Counter[str] = Counter()
    for node in group:
        ops[node.op or node.kind] += node.holds
    most = sorted(ops.items(), key=lambda item: -item[1])
    more = f", and {len(most) - _NAMED} kinds more" if len(most) > _NAMED else ""
    return last._replace(
        id=group[0].id,
        kind=MODULE,
        op=(kinds.get(path) or "module") if path is not None else "⋯",
        name=path,
        module=path.rpartition(".")[0] if path else None if path == "" else last.module,
        attrs=", ".join(f"{name} ×{count:,}" for name, count in most[:_NAMED]) + more,
        stats=None,
        grad_stats=None,
        requires_grad=any(node.requires_grad for node in group),
        holds=sum(node.holds for node in group),
    )

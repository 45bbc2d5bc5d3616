"""The table of a graph: for each module what it returns, its parameters, bytes and FLOPs; each thing is counted once.

A figure stands in the row of the innermost module that is shown, so that every column adds up to its total.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from minigrad.errors import ArgumentError
from minigrad.viz import flops
from minigrad.viz.box import called
from minigrad.viz.rows import DATA, FAILED, INPUT, PARAM, Node, Rows, ancestors
from minigrad.viz.text import bytes_of, count_of
from minigrad.viz.textual import cells, clean, fit

_TITLES = ("Layer", "Output shape", "Parameters", "Bytes", "FLOPs")
_LISTED = 20  # ops outside of modules; more are one row
_LEAST = 60  # columns


@dataclass
class _Row:
    """A line of the table."""

    title: str
    shape: str = ""
    params: int = 0
    shared: bool = False
    bytes: int = 0
    flops: int = 0


def table(rows: Rows, depth: int | None, width: int) -> str:
    """Return the table; the arguments are those of `Graph.summary`."""
    if width < _LEAST or (depth is not None and depth < 0):
        raise ArgumentError(f"summary: width must be at least {_LEAST}, depth at least 0, got {width}, {depth}")
    origin = getattr(rows, "origin", None)
    rows = rows if origin is None else origin.graph
    counted = _counted(rows, depth)
    widths = _widths(counted, width)
    lines = [_line(_TITLES, widths), "─" * width]
    lines += [_line(_texts(row), widths) for row in counted]
    return "\n".join([*lines, "─" * width, *(fit(line, width) for line in _totals(rows, counted))])


def _counted(rows: Rows, depth: int | None) -> list[_Row]:
    """Return the lines, with the figures of each node added to one of them."""
    work = flops.by_node(rows)
    table = {m.path: _Row(_title(m.path, m.kind)) for m in rows.modules if depth is None or _depth(m.path) <= depth}
    loose = [node for node in rows.nodes if node.op and not node.order and _owner(node, table) is None]
    each = len(loose) <= _LISTED
    outside: dict[int, _Row] = {}
    rest = _Row("(outside of modules)" if each else f"({len(loose):,} ops outside of modules)")
    for node in rows.nodes:
        if node.order:
            continue
        path = _owner(node, table)
        if path is not None:
            row = table[path]
        elif node.op and each:
            row = outside[node.id] = _Row(clean(node.op), _shape(node))
        else:
            row = rest
        row.params += _params(node)
        row.bytes += node.nbytes if node.op else 0
        row.flops += work[node.id]
    _share(table)
    _say_shapes(rows, table)
    return [*table.values(), *outside.values(), *([rest] if rest.params or not each else [])]


def _owner(node: Node, table: dict[str, _Row]) -> str | None:
    """Return the innermost module in the table that a node is in."""
    if node.module is None:
        return None
    return next((path for path in ancestors(node.module) if path in table), None)


def _say_shapes(rows: Rows, table: dict[str, _Row]) -> None:
    """Say of each module the shape of the last thing computed in it that is used outside, or else of the last."""
    outside: dict[int, list[set[str]]] = {}
    around = {node.id: set(ancestors(node.module)) if node.module is not None else set[str]() for node in rows.nodes}
    nodes = {node.id: node for node in rows.nodes}
    for edge in rows.edges:
        if edge.kind == DATA and not nodes[edge.head].order:
            outside.setdefault(edge.tail, []).append(around[edge.head])
    ops = [node for node in rows.nodes if node.op and not node.order]
    for leaves in (False, True):
        for node in ops:
            for path in around[node.id] & table.keys():
                if not leaves or any(path not in within for within in outside.get(node.id, ())):
                    table[path].shape = _shape(node)


def _share(table: dict[str, _Row]) -> None:
    """Mark the calls of a module whose parameters were counted at its first call."""
    for path, row in table.items():
        first = ".".join(part.partition("@")[0] for part in path.split("."))
        row.shared = path != first and first in table and table[first].params > 0


def _params(node: Node) -> int:
    return node.params or (node.numel if node.kind == PARAM else 0)


def _depth(path: str) -> int:
    return len(path.split(".")) if path else 0


def _title(path: str, kind: str) -> str:
    name = clean(": ".join(filter(None, (called(path), kind))))
    return "  " * _depth(path) + (name or "(model)")


def _shape(node: Node) -> str:
    return "" if node.kind == FAILED else str(node.shape) if node.shape else "scalar"


def _texts(row: _Row) -> tuple[str, ...]:
    params = f"{row.params:,}" if row.params else "shared" if row.shared else "–"
    return (
        row.title,
        row.shape,
        params,
        bytes_of(row.bytes) if row.bytes else "–",
        count_of(row.flops) if row.flops else "–",
    )


def _widths(rows: list[_Row], width: int) -> tuple[int, ...]:
    """Return the widths of the columns: figures as wide as they are, names what is left."""
    texts = [_TITLES, *map(_texts, rows)]
    needed = [max(cells(row[i]) for row in texts) for i in range(5)]
    shape = min(needed[1], width // 4)
    return width - shape - sum(needed[2:]) - 8, shape, *needed[2:]


def _line(texts: tuple[str, ...], widths: tuple[int, ...]) -> str:
    """Return a line: names on the left, figures on the right of their columns."""
    parts = []
    for i, (text, width) in enumerate(zip(texts, widths, strict=True)):
        cut = fit(text, width)
        pad = " " * (width - cells(cut))
        parts.append(cut + pad if i < 2 else pad + cut)
    return "  ".join(parts).rstrip()


def _totals(rows: Rows, counted: list[_Row]) -> Iterator[str]:
    """Yield what stands below the table."""
    program = [node for node in rows.nodes if not node.order]
    params = [node for node in program if node.kind == PARAM or node.params]
    kept = {(s.node, s.name) if s.node is None else s.node: s.nbytes for n in program for s in n.saved}
    fixed = [node for node in program if node.kind == INPUT and node.module is not None and node.name]
    size = sum(node.nbytes for node in params if node.kind == PARAM)
    yield f"Parameters: {sum(row.params for row in counted):,} ({bytes_of(size)})"
    if fixed:
        yield f"Not trained: {sum(n.numel for n in fixed):,} ({bytes_of(sum(n.nbytes for n in fixed))})"
    yield f"Computed: {bytes_of(sum(row.bytes for row in counted))}"
    yield f"Kept for backward: {bytes_of(sum(kept.values()))}"
    yield f"FLOPs of forward: {sum(row.flops for row in counted):,} (a multiply-add counts 2)"
    yield from _tied(rows)


def _tied(rows: Rows) -> Iterator[str]:
    """Yield a sentence about each parameter that several modules use."""
    modules: dict[int, dict[str, None]] = {}
    nodes = {node.id: node for node in rows.nodes}
    for edge in rows.edges:
        head = nodes[edge.head]
        if edge.kind == DATA and nodes[edge.tail].kind == PARAM and head.module is not None and not head.order:
            path = ".".join(part.partition("@")[0] for part in head.module.split("."))
            modules.setdefault(edge.tail, {})[path] = None
    for id, used in modules.items():
        if len(used) > 1:
            places = " and ".join(clean(path or "the model itself") for path in used)
            yield f"Tied: {clean(nodes[id].name or 'a parameter')} is used in {places}, and counted once"

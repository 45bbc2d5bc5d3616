"""Rows as DOT text, by small pure functions: the same rows give the same bytes.

Blue is the way forward and its values, orange the way back and its gradients; both are also said in words. Every text
goes into an HTML-like label through `html`, so no name can break the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from minigrad.viz import flops
from minigrad.viz.box import TAG, Look, called, font, html, label, plain_title, short
from minigrad.viz.palette import LIGHT, PALETTES, Palette
from minigrad.viz.rows import CREATED, DATA, FAILED, OUTPUT, PARAM, Edge, Module, Node, Rows, ancestors

FORWARD, BACKWARD, INK, MUTED = LIGHT.forward, LIGHT.backward, LIGHT.ink, LIGHT.muted
FILL, CLUSTER = LIGHT.fill, LIGHT.cluster
FONT = "DejaVu Sans,Verdana,sans-serif"  # wide ones: a text never needs more room than was measured for it
_MANY = 1000  # nodes; of more, Graphviz is asked to be quick rather than beautiful
_QUICK = (("nslimit", "0.1"), ("nslimit1", "0.1"), ("mclimit", "0.01"), ("searchsize", "5"))
_ORDERS = ("", "first", "second", "third")


def source(rows: Rows, *, dpi: int | None = None) -> str:
    """Return the DOT text of `rows`; `dpi` is for pictures made of pixels."""
    rows = only_backward(rows) if rows.direction == "backward" else rows
    p, hurry = PALETTES[rows.palette], _QUICK if len(rows.nodes) > _MANY else ()
    more = "".join(f", {name}={quoted(value)}" for name, value in (*hurry, *rows.attrs))
    lines = [
        "digraph minigrad {",
        f'  graph [rankdir={rows.rankdir}, fontname="{FONT}", fontsize=11, fontcolor="{p.ink}", '
        f'bgcolor="{p.background}", '
        f"pad=0.2, nodesep=0.3, ranksep=0.45, labelloc=b, labeljust=l{f', dpi={dpi}' if dpi else ''}{more},",
        f"    label=<{legend(rows)}>]",
        f'  node [shape=box, style="filled", fontname="{FONT}", fontsize=12, fontcolor="{p.ink}", '
        'margin="0.14,0.07", height=0.3, width=0.3]',
        f'  edge [fontname="{FONT}", fontsize=9, fontcolor="{p.muted}", arrowsize=0.6, penwidth=1.1]',
        *boxes(rows),
        *edge_lines(rows),
        "}",
    ]
    return "\n".join(lines) + "\n"


def quoted(text: str) -> str:
    """Return any text as a quoted string of DOT."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def only_backward(rows: Rows) -> Rows:
    """Return the part of `rows` that gradients pass through."""
    nodes = tuple(node for node in rows.nodes if node.requires_grad)
    there = {node.id for node in nodes}
    edges = tuple(
        edge
        for edge in rows.edges
        if edge.requires_grad or (edge.kind == CREATED and edge.tail in there and edge.head in there)
    )
    return replace(rows, nodes=nodes, edges=edges)


def look_of(rows: Rows) -> Look:
    """Return how the boxes of `rows` look."""
    users: dict[int, set[int]] = {}
    for edge in rows.edges:
        if edge.kind == DATA:
            users.setdefault(edge.tail, set()).add(edge.head)
    uses = {node.id: len(users.get(node.id, ())) for node in rows.nodes if node.kind == PARAM}
    work = flops.by_node(rows) if "flops" in rows.labels else {}
    return Look(PALETTES[rows.palette], rows.direction, rows.labels, uses, work)


def boxes(rows: Rows) -> Iterator[str]:
    """Yield the nodes, each within the clusters of the modules around it; a module of a single op is not one.

    What computes a derivative stands in a cluster of its order, beside the modules.
    """
    look, line = look_of(rows), main_line(rows) if len(rows.nodes) <= _MANY else set[int]()

    def draw(node: Node, module: str = "") -> str:
        return node_line(node, look, node.id in line, module)

    levels = orders(rows)
    yield from _modules(rows, [node for node in rows.nodes if not levels[node.id]], look.palette, draw)
    for order in sorted({*levels.values()} - {0}):
        yield f"  subgraph cluster_order{order} {{"
        nth = f"{_ORDERS[order]} derivative" if order < len(_ORDERS) else f"derivative of order {order}"
        title = f"<B>order {order}</B>: computes the {nth}"
        yield f"    {_cluster_style(title, look.palette, 1, 'b')}"
        yield from (f"    {draw(node)}" for node in rows.nodes if levels[node.id] == order)
        yield "  }"


def orders(rows: Rows) -> dict[int, int]:
    """Return by id for which order of derivative each node is there; a leaf, for the lowest that uses it."""
    levels = {node.id: node.order for node in rows.nodes}
    used: dict[int, int] = {}
    for edge in rows.edges:
        if edge.kind == DATA:
            used[edge.tail] = min(levels[edge.head], used.get(edge.tail, levels[edge.head]))
    return levels | {node.id: used.get(node.id, 0) for node in rows.nodes if not node.op}


def _modules(rows: Rows, nodes: list[Node], palette: Palette, draw: Callable[..., str]) -> Iterator[str]:
    """Yield the nodes of the program itself within their modules."""
    used = {path for node in nodes if node.module is not None for path in ancestors(node.module)}
    modules = [module for module in rows.modules if module.path in used]
    paths = {module.path for module in modules}
    inside: dict[str | None, list[Module]] = {}
    for module in modules:
        inside.setdefault(parent(module, paths), []).append(module)
    held: dict[str | None, list[Node]] = {}
    for node in nodes:
        held.setdefault(node.module if node.module in paths else None, []).append(node)
    number = {module.path: i for i, module in enumerate(rows.modules)}
    stack: list[Module | Node | None] = [*reversed([*held.get(None, ()), *inside.get(None, ())])]
    depth = 1
    while stack:
        item = stack.pop()
        if item is None:
            depth -= 1
            yield f"{'  ' * depth}}}"
        elif isinstance(item, Node):
            yield f"{'  ' * depth}{draw(item)}"
        elif item.path not in inside and len(only := held.get(item.path, [])) == 1 and only[0].op:
            yield f"{'  ' * depth}{draw(only[0], cluster_title(item))}"
        else:
            yield from (f"{'  ' * depth}{text}" for text in cluster_lines(item, number[item.path], depth, palette))
            depth += 1
            stack += [None, *reversed([*held.get(item.path, ()), *inside.get(item.path, ())])]


def parent(module: Module, paths: Collection[str]) -> str | None:
    """Return the path of the module around this one; None if there is none in the picture."""
    around = module.path.rpartition(".")[0]
    return around if module.path and around in paths else None


def cluster_lines(module: Module, number: int, depth: int, palette: Palette) -> Iterator[str]:
    """Yield the opening of a module's cluster."""
    aside = "&#160;" * (
        len(module.path.rpartition(".")[2]) + len(module.kind) + 8
    )  # the line of the data goes by on the left
    yield f"subgraph cluster_{number} {{"
    yield f"  {_cluster_style(aside + cluster_title(module), palette, depth)}"


def _cluster_style(title: str, palette: Palette, depth: int, place: str = "t") -> str:
    return (
        f'graph [label=<{title}>, labelloc={place}, labeljust=r, style="rounded,filled", '
        f'fillcolor="{palette.cluster[depth % 2]}", color="{palette.cluster_rim}", margin=12]'
    )


def cluster_title(module: Module) -> str:
    """Return "conv1: Conv2d" in markup, or as much of it as is known."""
    name = called(module.path)
    parts = [f"<B>{html(short(name))}</B>"] * bool(name) + [html(module.kind)] * bool(module.kind)
    return ": ".join(parts)


def main_line(rows: Rows) -> set[int]:
    """Return the ids of the ops on the longest way to the last output: the picture's straight line."""
    ops = {node.id for node in rows.nodes if node.op}
    steps = dict.fromkeys(ops, 0)
    before: dict[int, int] = {}
    for edge in rows.edges:
        if edge.tail in ops and edge.tail < edge.head and steps[edge.tail] >= steps[edge.head]:
            steps[edge.head], before[edge.head] = steps[edge.tail] + 1, edge.tail
    at = max((node.id for node in rows.nodes if node.kind == OUTPUT), default=max(ops, default=None))
    line: set[int] = set()
    while at is not None:
        line.add(at)
        at = before.get(at)
    return line


def node_line(node: Node, look: Look, straight: bool, module: str = "") -> str:
    """Return the statement for one node; `module` is markup for the module that it alone makes up."""
    style = "filled" if node.kind in TAG and node.kind not in (OUTPUT, FAILED) else "rounded,filled"
    style += ",dashed" if node.kind == FAILED else ""
    wide = node.kind in (PARAM, OUTPUT) or node.mark is not None
    width = 2.4 if node.kind == FAILED else 1.6 if wide else 0
    more = (f", penwidth={width}" if width else "") + (", group=line" if straight else "")
    if node.times > 1:
        more += ", peripheries=2"
    fill = look.palette.fill[node.kind] if node.mark is None else node.mark.fill
    return (
        f'n{node.id} [id="n{node.id}", class="{node.kind}", style="{style}", fillcolor="{fill}", '
        f'color="{look.palette.rim[node.kind]}"{more}, tooltip=<{html(short(plain_title(node)))}>, '
        f"label=<{label(node, look, module)}>]"
    )


def edge_lines(rows: Rows) -> Iterator[str]:
    """Yield the edges; those between ops are to be straight, so that the data's way is a line and leaves stand beside.

    An edge into a module leaves room for what the module computes before it, or the clusters would stand in a stair.
    """
    nodes = {node.id: node for node in rows.nodes}
    within = dict.fromkeys(nodes, 0)  # steps from the first one in the node's own module
    few = len(rows.nodes) <= _MANY
    for edge in rows.edges:
        if edge.tail < edge.head and nodes[edge.tail].module == nodes[edge.head].module is not None:
            within[edge.head] = max(within[edge.head], within[edge.tail] + 1)
    for edge in _entering(rows):
        tail, head = nodes[edge.tail], nodes[edge.head]
        enters = few and tail.op and tail.module != head.module and within[edge.head]
        place = (", weight=8" if tail.op else "") + (f", minlen={within[edge.head] + 1}" if enters else "")
        style = edge_style(edge, rows.direction, PALETTES[rows.palette])
        yield f"  n{edge.tail} -> n{edge.head} [{edge_id(edge)}, {style}{place}]"


def edge_id(edge: Edge) -> str:
    """Return the id of an edge, which no other has, and its class, for a page that works with the picture."""
    which = edge.operand if edge.kind == DATA else edge.kind
    kinds = edge.kind + (" grad" if edge.requires_grad else "")
    return f'id="e{edge.tail}-{edge.head}-{which}", class="{kinds}"'


def _entering(rows: Rows) -> Iterator[Edge]:
    """Yield the edges, but of those of the kind "created" only the ones to where the derivative's computation begins.

    To what is computed further on, a solid line leads already.
    """
    made = {(edge.tail, edge.head) for edge in rows.edges if edge.kind == CREATED}
    within: dict[int, set[int]] = {}
    for edge in rows.edges:
        if edge.kind == DATA:
            within.setdefault(edge.head, set()).add(edge.tail)
    for edge in rows.edges:
        if edge.kind == DATA or not any((edge.tail, before) in made for before in within.get(edge.head, ())):
            yield edge


def edge_style(edge: Edge, direction: str, p: Palette = LIGHT) -> str:
    """Return the attributes of an edge: forward in blue, and beside it, where a gradient flows, back in orange."""
    if edge.kind == CREATED:
        return f'style=dotted, color="{p.muted}", arrowhead=open, constraint=false'
    label = f", label=<{html(f'  {short(edge.label)} ')}>" if edge.label else ""
    if direction == "backward":
        return f'dir=back, color="{p.backward}", style={p.back}{label}'
    if edge.requires_grad and direction == "both":
        return f'dir=both, color="{p.forward}:{p.backward}"{label}'
    return f'color="{p.forward}"{label}'


def legend(rows: Rows) -> str:
    """Return what stands below the picture: what the colours mean, and what else has to be said."""
    result = next((html(short(node.name)) for node in rows.nodes if node.kind == OUTPUT and node.name), "output")
    parts, p = [], PALETTES[rows.palette]
    if rows.direction != "backward":
        way = {"TB": "↓", "LR": "→", "BT": "↑", "RL": "←"}[rows.rankdir]
        parts.append(font(f"{way} value, computed forward", p.forward, 10))
    if rows.direction != "forward" and any(edge.requires_grad for edge in rows.edges):
        back = {"TB": "↑", "LR": "←", "BT": "↓", "RL": "→"}[rows.rankdir]
        which = "of the last backward" if any(n.order for n in rows.nodes) else f"= ∂{result}/∂this, flowing backward"
        parts.append(font(f"{back} grad {which}", p.backward, 10))
    if any(edge.kind == CREATED for edge in rows.edges):
        parts.append(font("dotted: from an op to what computes its derivative", p.muted, 10))
    lines = ["   ".join(parts), *(font(html(note), p.muted, 10) for note in rows.notes)]
    cells = "".join(f'<TR><TD ALIGN="LEFT">{line or " "}</TD></TR>' for line in lines)
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2">{cells}</TABLE>'

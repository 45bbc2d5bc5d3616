"""Rows as DOT text, by small pure functions: the same rows give the same bytes.

Blue is the way forward and its values, orange the way back and its gradients; both are also said in words. Every text
goes into an HTML-like label through `html`, so no name can break the picture.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from minigrad.viz.rows import CONST, CREATED, DATA, FAILED, INPUT, MODULE, OP, OUTPUT, PARAM, Edge, Module, Node, Rows

FORWARD, BACKWARD, INK, MUTED, LINE = "#0b57a4", "#a33f00", "#1d2733", "#4a5866", "#74818f"
FILL = {
    OP: "#ffffff",
    PARAM: "#dcefe3",
    INPUT: "#e9edf2",
    CONST: "#e9edf2",
    OUTPUT: "#fff0c4",
    MODULE: "#f0eafa",
    FAILED: "#ffffff",
}
RIM = {OP: LINE, PARAM: "#2b7a53", INPUT: LINE, CONST: LINE, OUTPUT: "#94710a", MODULE: "#6d54a3", FAILED: "#1d2733"}
TAG = {PARAM: "parameter", INPUT: "input", CONST: "constant", OUTPUT: "output", FAILED: "failed"}
CLUSTER = ("#f6f8fa", "#edf1f5")  # by turns, so that a module stands out from the one around it
FONT = "DejaVu Sans,Verdana,sans-serif"  # wide ones: a text never needs more room than was measured for it
_LONGEST = 60  # characters of one name

# Characters that may not stand in XML, among them half surrogate pairs.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# A backslash is doubled, as Graphviz reads \N as the name of the node even here.
_ENTITIES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\\": "&#92;&#92;", "\t": " ", "\r": " ", "\n": "<BR/>"}
)


def html(text: str) -> str:
    """Return any text as the inside of an HTML-like label.

    >>> html('a < b & "c"')
    'a &lt; b &amp; &quot;c&quot;'
    """
    return _FORBIDDEN.sub("\ufffd", text).translate(_ENTITIES) or " "


def font(text: str, color: str, size: int) -> str:
    """Return markup (already escaped) in a colour and size."""
    return f'<FONT COLOR="{color}" POINT-SIZE="{size}">{text}</FONT>'


def short(text: str) -> str:
    """Return a name cut to a length that fits a box."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def source(rows: Rows, *, dpi: int | None = None) -> str:
    """Return the DOT text of `rows`; `dpi` is for pictures made of pixels."""
    rows = only_backward(rows) if rows.direction == "backward" else rows
    lines = [
        "digraph minigrad {",
        f'  graph [rankdir={rows.rankdir}, fontname="{FONT}", fontsize=11, fontcolor="{INK}", bgcolor=white, '
        f"pad=0.2, nodesep=0.3, ranksep=0.45, labelloc=b, labeljust=l{f', dpi={dpi}' if dpi else ''},",
        f"    label=<{legend(rows)}>]",
        f'  node [shape=box, style="filled", fontname="{FONT}", fontsize=12, fontcolor="{INK}", margin="0.14,0.07", '
        "height=0.3, width=0.3]",
        f'  edge [fontname="{FONT}", fontsize=9, fontcolor="{MUTED}", arrowsize=0.6, penwidth=1.1]',
        *boxes(rows),
        *edge_lines(rows),
        "}",
    ]
    return "\n".join(lines) + "\n"


def only_backward(rows: Rows) -> Rows:
    """Return the part of `rows` that gradients pass through."""
    nodes = tuple(node for node in rows.nodes if node.requires_grad)
    edges = tuple(edge for edge in rows.edges if edge.requires_grad)
    return Rows(nodes, edges, rows.modules, rows.notes, rows.direction, rows.rankdir)


def boxes(rows: Rows) -> Iterator[str]:
    """Yield the nodes, each within the clusters of the modules around it; a module of a single op is not one."""
    paths = {module.path for module in rows.modules}
    inside: dict[str | None, list[Module]] = {}
    for module in rows.modules:
        inside.setdefault(parent(module, paths), []).append(module)
    line = main_line(rows)
    held: dict[str | None, list[Node]] = {}
    for node in rows.nodes:
        held.setdefault(node.module, []).append(node)
    number = {module.path: i for i, module in enumerate(rows.modules)}
    stack: list[Module | Node | None] = [*reversed([*held.get(None, ()), *inside.get(None, ())])]
    depth = 1
    while stack:
        item = stack.pop()
        if item is None:
            depth -= 1
            yield f"{'  ' * depth}}}"
        elif isinstance(item, Node):
            yield f"{'  ' * depth}{node_line(item, rows.direction, item.id in line)}"
        elif item.path not in inside and len(only := held.get(item.path, [])) == 1 and only[0].op:
            yield f"{'  ' * depth}{node_line(only[0], rows.direction, only[0].id in line, cluster_title(item))}"
        else:
            yield from (f"{'  ' * depth}{line}" for line in cluster_lines(item, number[item.path], depth))
            depth += 1
            stack += [None, *reversed([*held.get(item.path, ()), *inside.get(item.path, ())])]


def parent(module: Module, paths: Collection[str]) -> str | None:
    """Return the path of the module around this one; None if there is none in the picture."""
    around = module.path.rpartition(".")[0]
    return around if module.path and around in paths else None


def cluster_lines(module: Module, number: int, depth: int) -> Iterator[str]:
    """Yield the opening of a module's cluster."""
    aside = "&#160;" * (
        len(module.path.rpartition(".")[2]) + len(module.kind) + 8
    )  # the line of the data goes by on the left
    yield f"subgraph cluster_{number} {{"
    yield (
        f'  graph [label=<{aside}{cluster_title(module)}>, labelloc=t, labeljust=r, style="rounded,filled", '
        f'fillcolor="{CLUSTER[depth % 2]}", color="#a9b4bf", margin=12]'
    )


def cluster_title(module: Module) -> str:
    """Return "conv1: Conv2d" in markup, or as much of it as is known."""
    name = module.path.rpartition(".")[2]
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
    at = max((node.id for node in rows.nodes if node.kind == OUTPUT), default=None)
    line: set[int] = set()
    while at is not None:
        line.add(at)
        at = before.get(at)
    return line


def node_line(node: Node, direction: str, straight: bool, module: str = "") -> str:
    """Return the statement for one node; `module` is markup for the module that it alone makes up."""
    style = "filled" if node.kind in TAG and node.kind != OUTPUT else "rounded,filled"
    more = (", penwidth=1.6" if node.kind in (PARAM, OUTPUT) else "") + (", group=line" if straight else "")
    return (
        f'n{node.id} [id="n{node.id}", class="{node.kind}", style="{style}", fillcolor="{FILL[node.kind]}", '
        f'color="{RIM[node.kind]}"{more}, tooltip=<{html(short(plain_title(node)))}>, '
        f"label=<{label(node, direction, module)}>]"
    )


def plain_title(node: Node) -> str:
    """Return what a node is called: its name with all of its path, or else its op."""
    return node.name or node.op or TAG[node.kind]


def label(node: Node, direction: str, module: str = "") -> str:
    """Return the content of a node's box: what it is, its shape and settings, its value and its gradient."""
    numbers = [("value", node.value, FORWARD), ("grad", node.grad, BACKWARD)]
    hidden = {"forward": "grad", "backward": "value"}.get(direction)
    lines = [
        *([font(module, MUTED, 9)] if module else []),
        title(node),
        *(font(html(line), MUTED, 9) for line in wrapped(node.attrs)),
        *([font(html(facts), INK, 10)] if (facts := shape(node)) else []),
    ]
    rows = [f'<TR><TD COLSPAN="2">{line}</TD></TR>' for line in lines]
    for tag, text, color in numbers:
        if text is not None and tag != hidden:
            rows.append(
                f'<TR><TD ALIGN="RIGHT" VALIGN="TOP">{font(f"{tag} ", color, 11)}</TD><TD ALIGN="LEFT" BALIGN="LEFT">'
                f"{font(f'<B>{html(text)}</B>', color, 11)}</TD></TR>"
            )
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{"".join(rows)}</TABLE>'


def title(node: Node) -> str:
    """Return the headline of a box: "z = add", "weight parameter", "Linear"."""
    inner = (node.name or "").removeprefix(f"{node.module}.") if node.module else node.name or ""
    tag = f" {font(TAG[node.kind], MUTED, 9)}" if node.kind in TAG else ""
    if node.kind == MODULE:
        return f"<B>{html(short(inner))}</B>{': ' if inner else ''}<B>{html(node.op)}</B>"
    if node.op:
        return f"{f'{html(short(inner))} = ' if inner else ''}<B>{html(short(node.op))}</B>{tag}"
    return f"<B>{html(short(inner))}</B>{tag}" if inner else tag.strip()


def shape(node: Node) -> str:
    """Return the shape, and the dtype if it is not float32; nothing for a single number that is shown."""
    dtype = "" if node.dtype == "float32" else node.dtype
    if not node.shape:
        return dtype or ("" if node.value is not None else "scalar")
    return f"{node.shape} {dtype}".strip()


def wrapped(attrs: str) -> list[str]:
    """Return settings in lines of about the width of a box.

    >>> wrapped("stride=(2, 2), padding=(1, 1), dilation=(3, 3)")
    ['stride=(2, 2), padding=(1, 1)', 'dilation=(3, 3)']
    """
    lines: list[str] = []
    for part in re.split(r", (?=\w+=)", attrs) if attrs else []:
        if lines and len(lines[-1]) + len(part) < 32:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return lines


def edge_lines(rows: Rows) -> Iterator[str]:
    """Yield the edges; those between ops are to be straight, so that the data's way is a line and leaves stand beside.

    An edge into a module leaves room for what the module computes before it, or the clusters would stand in a stair.
    """
    nodes = {node.id: node for node in rows.nodes}
    within = dict.fromkeys(nodes, 0)  # steps from the first one in the node's own module
    for edge in rows.edges:
        if edge.tail < edge.head and nodes[edge.tail].module == nodes[edge.head].module is not None:
            within[edge.head] = max(within[edge.head], within[edge.tail] + 1)
    for edge in rows.edges:
        tail, head = nodes[edge.tail], nodes[edge.head]
        enters = tail.op and tail.module != head.module and within[edge.head]
        place = (", weight=8" if tail.op else "") + (f", minlen={within[edge.head] + 1}" if enters else "")
        yield f"  n{edge.tail} -> n{edge.head} [{edge_id(edge)}, {edge_style(edge, rows.direction)}{place}]"


def edge_id(edge: Edge) -> str:
    """Return the id of an edge, which no other has, and its class, for a page that works with the picture."""
    which = edge.operand if edge.kind == DATA else edge.kind
    kinds = edge.kind + (" grad" if edge.requires_grad else "")
    return f'id="e{edge.tail}-{edge.head}-{which}", class="{kinds}"'


def edge_style(edge: Edge, direction: str) -> str:
    """Return the attributes of an edge: forward in blue, and beside it, where a gradient flows, back in orange."""
    if edge.kind == CREATED:
        return f'style=dotted, color="{MUTED}", arrowhead=open, constraint=false'
    label = f", label=<{html(f'  {short(edge.label)} ')}>" if edge.label else ""
    if direction == "backward":
        return f'dir=back, color="{BACKWARD}"{label}'
    if edge.requires_grad and direction == "both":
        return f'dir=both, color="{FORWARD}:{BACKWARD}"{label}'
    return f'color="{FORWARD}"{label}'


def legend(rows: Rows) -> str:
    """Return what stands below the picture: what the colours mean, and what else has to be said."""
    result = next((html(short(node.name)) for node in rows.nodes if node.kind == OUTPUT and node.name), "output")
    parts = []
    if rows.direction != "backward":
        parts.append(
            font("↓ value, computed forward" if rows.rankdir == "TB" else "→ value, computed forward", FORWARD, 10)
        )
    if rows.direction != "forward" and any(edge.requires_grad for edge in rows.edges):
        back = "↑" if rows.rankdir == "TB" else "←"
        parts.append(font(f"{back} grad = ∂{result}/∂this, flowing backward", BACKWARD, 10))
    lines = ["   ".join(parts), *(font(html(note), MUTED, 10) for note in rows.notes)]
    cells = "".join(f'<TR><TD ALIGN="LEFT">{line or " "}</TD></TR>' for line in lines)
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2">{cells}</TABLE>'

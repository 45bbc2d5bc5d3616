"""The inside of a node's box: an HTML-like label of Graphviz, in which no text can break the picture.

Every text goes through `html`, every colour comes from a `Palette`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from minigrad.viz.palette import LIGHT, Palette, readable
from minigrad.viz.rows import CONST, FAILED, INPUT, MODULE, OUTPUT, PARAM, Node
from minigrad.viz.text import bytes_of, count_of, time_of

TAG = {PARAM: "parameter", INPUT: "input", CONST: "constant", OUTPUT: "output", FAILED: "failed"}
USUAL = ("name", "op", "attrs", "shape", "dtype", "value", "grad", "error")
FIELDS = (*USUAL, "params", "bytes", "flops", "saved", "source", "time", "module", "stats")
_LONGEST = 60  # characters of one name
_LINE = 46  # characters of one line of an error

# Characters that may not stand in XML, among them half surrogate pairs.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# A backslash is doubled, as Graphviz reads \N as the name of the node even here.
_ENTITIES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\\": "&#92;&#92;", "\t": " ", "\r": " ", "\n": "<BR/>"}
)


class Look(NamedTuple):
    """How boxes are drawn, and what of the graph around a node its box may tell."""

    palette: Palette = LIGHT
    direction: str = "both"
    labels: tuple[str, ...] = ()
    uses: Mapping[int, int] = {}  # by how many ops a node is used
    flops: Mapping[int, int] = {}


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


def called(path: str) -> str:
    """Return the last part of a module's path, with the number of the call in words.

    >>> called("body.pool@2"), called("body.pool")
    ('pool (call 2)', 'pool')
    """
    name = path.rpartition(".")[2]
    plain, at, count = name.rpartition("@")
    return f"{plain} (call {count})" if at and count.isdigit() else name


def plain_title(node: Node) -> str:
    """Return what a node is called: its name with all of its path, or else its op."""
    return node.name or node.op or TAG.get(node.kind, node.kind)


def label(node: Node, look: Look, module: str = "") -> str:
    """Return the content of a node's box; `module` is markup for the module that the node alone makes up.

    Without wishes it tells what the node is, its shape and settings, its value and its gradient.
    """
    shown = look.labels or USUAL
    p = look.palette if node.mark is None else _on(look.palette, node.mark.fill)
    uses = look.uses.get(node.id, 0)
    lines = [
        *([font(f"<B>{html(short(node.mark.tag))}</B>", p.ink, 11)] if node.mark is not None else []),
        *([font(module, p.muted, 9)] if module else []),
        title(node, p, uses, shown) if node.mark is None else font(title(node, p, uses, shown), p.ink, 12),
        *(font(html(line), p.muted, 9) for line in (wrapped(node.attrs) if "attrs" in shown else ())),
        *(font(html(fact), p.ink, 10) for fact in _facts(node, look, shown)),
        *(font(html(line), p.ink, 10) for line in (broken(node.error or "") if "error" in shown else ())),
    ]
    rows = [f'<TR><TD COLSPAN="2">{line}</TD></TR>' for line in lines]
    for tag, text, color in _numbers(node, look, shown, p):
        for i, line in enumerate(text.split("\n")):  # a row each: <BR/> would set them too close to be read
            beside = f'<TD ALIGN="RIGHT">{font(f"{tag} ", color, 11)}</TD>' if i == 0 else "<TD></TD>"
            rows.append(f'<TR>{beside}<TD ALIGN="LEFT">{font(f"<B>{html(line)}</B>", color, 11)}</TD></TR>')
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="1">{"".join(rows)}</TABLE>'


def _on(palette: Palette, fill: str) -> Palette:
    """Return the palette for texts on a painted box: all black, or all white."""
    ink = readable(fill)
    return palette._replace(ink=ink, muted=ink, forward=ink, backward=ink)


def title(node: Node, palette: Palette, uses: int = 0, shown: tuple[str, ...] = USUAL) -> str:
    """Return the headline of a box: "z = add", "weight parameter", "Linear", "pool (call 2): MaxPool2d"."""
    inner = (node.name or "").removeprefix(f"{node.module}.") if node.module else node.name or ""
    if node.kind == MODULE and "…" not in inner:
        inner = called(inner)
    inner = html(short(inner)) if inner and "name" in shown else ""
    op = html(short(node.op)) if node.op and "op" in shown else ""
    if node.kind == MODULE:
        times = f" <B>×{node.times:,}</B>" if node.times > 1 else ""
        return ": ".join(f"<B>{part}</B>" for part in (inner, op) if part) + times or " "
    learns = ", requires grad" if node.kind == INPUT and node.requires_grad else ""
    tags = ([TAG[node.kind] + learns] if node.kind in TAG else []) + ([f"used by {uses} ops"] if uses > 1 else [])
    tag = f" {font(', '.join(tags), palette.muted, 9)}" if tags else ""
    if op:
        return f"{f'{inner} = ' if inner else ''}<B>{op}</B>{tag}"
    return f"<B>{inner}</B>{tag}" if inner else tag.strip() or " "


def _facts(node: Node, look: Look, shown: tuple[str, ...]) -> list[str]:
    """Return the lines about sizes, work, time and place that are to be shown and are known."""
    flops = look.flops.get(node.id)
    params = node.params or (node.numel if node.kind == PARAM else 0)
    times = [
        f"{way} {time_of(us)}"
        for way, us in (("forward", node.forward_us), ("backward", node.backward_us))
        if us is not None
    ]
    where = node.where
    lines = {
        "shape": shape(node, "shape" in shown, "dtype" in shown),
        "module": node.module or "",
        "params": f"{params:,} parameters" if params else "",
        "bytes": f"takes {bytes_of(node.nbytes)}",
        "flops": f"{count_of(flops)} FLOPs" if flops else "",
        "saved": f"saves {bytes_of(node.saved_bytes)}" if node.saved else "",
        "time": ", ".join(times),
        "source": f"{Path(where.file).name}:{where.line}  {short(where.code)}" if where is not None else "",
    }
    asked = dict.fromkeys("shape" if field == "dtype" else field for field in shown)
    return [lines[field] for field in asked if lines.get(field)]


def _numbers(node: Node, look: Look, shown: tuple[str, ...], p: Palette) -> list[tuple[str, str, str]]:
    """Return what is known of value and gradient, each with a tag and a colour."""
    pairs = [("value", node.stats, p.forward), ("grad", node.grad_stats, p.backward)]
    hidden = {"forward": "grad", "backward": "value"}.get(look.direction)
    rows = []
    for tag, known, color in pairs:
        if known is not None and tag != hidden and tag in shown:
            rows.append((tag, known.text, color))
        if known is not None and tag != hidden and "stats" in shown and known.min is not None:
            rows.append((f"{tag} range", f"{known.min:.3g} to {known.max:.3g}", color))
    return rows


def shape(node: Node, sizes: bool = True, types: bool = True) -> str:
    """Return the shape, and the dtype if it is not float32; nothing for a single number that is shown."""
    dtype = "" if (node.dtype == "float32" and sizes) or not types else node.dtype
    if not sizes:
        return dtype
    if node.kind == FAILED:
        return ""
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


def broken(text: str) -> list[str]:
    """Return a sentence in lines of about the width of a box, at most six of them."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + len(word) < _LINE:
            lines[-1] += f" {word}"
        else:
            lines.append(short(word))
    return lines if len(lines) <= 6 else [*lines[:5], "…"]

"""The SVG of Graphviz as a part of a page: half as large, and told apart by classes instead of by colours.

What a stylesheet can say once is taken out of every element. In a box the texts of the value have the class "v" and
those of the gradient "g"; of an edge the way forward has the class "f" and the way back "b".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from xml.etree import ElementTree as ET

from minigrad.viz.dot import BACKWARD, FORWARD, INK, MUTED

_SVG, _LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
_TEXT = {FORWARD: "v", BACKWARD: "g", MUTED: "m", INK: ""}
_SIZE = {"v": 11.0, "g": 11.0, "m": 9.0, "": 10.0, "b": 12.0}  # what page.css gives each class of text
_LINE = {FORWARD: "f", BACKWARD: "b"}
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
_CORNERS = 25  # points of the outline of a rounded box


def inline(svg: bytes, prefix: str = "") -> str:
    """Return a drawing as an `<svg>` element to stand in HTML; `prefix` goes before each id in it.

    Nothing in it refers to anything outside of it.
    """
    root = ET.fromstring(svg)
    family = next((e.get("font-family", "") for e in root.iter(f"{_SVG}text")), "sans-serif")
    size = f'width="{escape(root.get("width", ""))}" height="{escape(root.get("height", ""))}"'
    head = f'<svg xmlns="{_SVG[1:-1]}" {size} viewBox="{root.get("viewBox")}" font-family="{escape(family)}">'
    return head + "".join(piece for child in root for piece in _group(child, prefix)) + "</svg>"


def _group(group: ET.Element, prefix: str) -> Iterator[str]:
    """Yield a group's markup: of the whole picture, of a module, a box or an edge."""
    kinds = (group.get("class") or "").split()
    what = kinds[0] if kinds else ""
    name = f' id="{prefix}{escape(group.get("id", ""))}"' if what in ("node", "edge") else ""
    place = f' transform="{escape(group.get("transform", ""))}"' if what == "graph" else ""
    yield f'<g{name}{place} class="{escape(" ".join(kinds))}">'
    for element in _flat(group):
        tag = element.tag.removeprefix(_SVG)
        if tag == "g":
            yield from _group(element, prefix)
        elif tag == "text":
            yield _text(element)
        elif tag == "tip":
            yield f"<title>{escape(element.text or '')}</title>"
        elif not (what == "graph" and element.get("fill") == "white"):  # the paper
            yield _line(element, tag) if what == "edge" else _shape(element, tag)
    yield "</g>"


def _flat(group: ET.Element) -> Iterator[ET.Element]:
    """Yield what a group draws: links are opened, of their titles only those are kept that say something."""
    for element in group:
        if element.tag == f"{_SVG}title":
            continue
        link = element.find(f"{_SVG}a") if element.tag == f"{_SVG}g" else None
        if link is None:
            yield element
            continue
        tip = ET.Element("tip")
        tip.text = link.get(f"{_LINK}title")
        yield from (tip, *link)


def _text(element: ET.Element) -> str:
    words = (element.text or "").rstrip().replace("\xa0", " ")
    if not words.strip():
        return ""
    color = element.get("fill", INK)
    kind = _TEXT.get(color)
    is_bold = element.get("font-weight") == "bold"
    size = float(element.get("font-size", 10))
    usual = _SIZE["b"] if is_bold and not kind else _SIZE[kind or ""]
    style = [f"fill:{color}"] * (kind is None) + [f"font-size:{size:g}px"] * (size != usual)
    name = " ".join([kind or ""] * bool(kind) + ["b"] * is_bold)
    anchor = element.get("text-anchor", "start")
    parts = [
        f'x="{_short(element.get("x", "0"))}" y="{_short(element.get("y", "0"))}"',
        *([f'class="{name}"'] if name else []),
        *([f'style="{escape(";".join(style))}"'] if style else []),
        *([f'text-anchor="{escape(anchor)}"'] if anchor != "start" else []),
    ]
    return f"<text {' '.join(parts)}>{escape(words, quote=False)}</text>"


def _line(element: ET.Element, tag: str) -> str:
    """Return a line of an edge; the points of arrows in its two colours are drawn by the stylesheet."""
    kind = _LINE.get(element.get("stroke", ""))
    if kind is None or element.get("stroke-dasharray"):
        return _shape(element, tag)
    return f'<path class="{kind}" d="{_short(element.get("d", ""))}"/>' if tag == "path" else ""


def _shape(element: ET.Element, tag: str) -> str:
    """Return an outline, as a rectangle where it is one."""
    kept = {k: v for k, v in element.attrib.items() if k not in ("d", "points")}
    where = element.get("d") or element.get("points") or ""
    numbers = [float(n) for n in _NUMBER.findall(where)]
    xs, ys = numbers[::2], numbers[1::2]
    is_box = tag == "polygon" and len(xs) == 5 and len(set(xs)) == len(set(ys)) == 2
    if is_box or (tag == "path" and len(xs) == _CORNERS and kept.get("fill") != "none"):
        box = {"x": min(xs), "y": min(ys), "width": max(xs) - min(xs), "height": max(ys) - min(ys)}
        kept = {k: f"{v:.1f}" for k, v in box.items()} | ({} if is_box else {"rx": "6"}) | kept
        tag = "rect"
    elif where:
        kept["d" if tag == "path" else "points"] = _short(where)
    written = (f'{name}="{escape(value)}"' for name, value in kept.items())
    return f"<{tag} {' '.join(written)}/>"


def _short(numbers: str) -> str:
    """Return coordinates with one digit behind the point.

    >>> _short("M174.11,-210.97C173.97,-205")
    'M174.1,-211C174,-205'
    """
    return _NUMBER.sub(lambda found: f"{round(float(found[0]), 1) + 0:g}", numbers)

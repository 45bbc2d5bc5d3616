"""The SVG of Graphviz as a part of a page: a quarter as large, and told apart by classes instead of by colours.

What many elements have in common is said once, in a style of the picture's own; a box is placed as a whole, and lines
go on from where they are. In a box the value is a text of the class "v" and the gradient one of the class "g", each
with a `tspan` for every line of numbers; of an edge the way forward has the class "f" and the way back "b".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from html import escape
from xml.etree import ElementTree as ET

from minigrad.viz.dot import BACKWARD, FORWARD, INK

_SVG = "{http://www.w3.org/2000/svg}"
_TAGS = {"value": "v", "grad": "g"}
_USUAL = {"": (INK, "10.00", ""), "v": (FORWARD, "11.00", ""), "g": (BACKWARD, "11.00", "")}  # as page.css has them
_LINE = {FORWARD: "f", BACKWARD: "b"}
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
_CURVE = re.compile(r"M[^A-Za-z]*C[^A-Za-z]*")
_PAPER = ("white", "#ffffff", "none")  # what is behind a picture, as it is behind a page
_CORNERS = 25  # points of the outline of a rounded box
Point = tuple[float, float]


def inline(svg: bytes, prefix: str = "") -> str:
    """Return a drawing as an `<svg>` element to stand in HTML; `prefix` goes before each id in it.

    Nothing in it refers to anything outside of it.
    """
    root = ET.fromstring(svg)
    family = next((e.get("font-family", "") for e in root.iter(f"{_SVG}text")), "sans-serif")
    size = f'width="{escape(root.get("width", ""))}" height="{escape(root.get("height", ""))}"'
    head = f'<svg xmlns="{_SVG[1:-1]}" {size} viewBox="{root.get("viewBox")}" font-family="{escape(family)}">'
    writer = _Writer(prefix)
    body = "".join(piece for child in root for piece in writer.group(child))
    return f"{head}<style>{writer.styles()}</style>{body}</svg>"


class _Writer:
    """Writes elements, and collects the styles they have."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._classes: dict[str, str] = {}  # by the style
        self._boxes: dict[str, str] = {}  # the style of boxes that have no class, by their kind
        self._kind = ""

    def styles(self) -> str:
        """Return the rules for all classes that were used."""
        boxes = [f":where(.{kind})>rect{{{style}}}" for kind, style in self._boxes.items()]
        return "".join([*boxes, *(f".{name}{{{style}}}" for style, name in self._classes.items())])

    def _class(self, style: str) -> str:
        return self._classes.setdefault(style, f"{self.prefix}k{len(self._classes)}")

    def group(self, group: ET.Element) -> Iterator[str]:
        """Yield a group's markup: of the whole picture, of a module, a box or an edge."""
        kinds = (group.get("class") or "").split()
        what = kinds[0] if kinds else ""
        name = f' id="{self.prefix}{escape(group.get("id", ""))}"' if what in ("node", "edge") else ""
        kinds = [kind for kind in kinds if kind not in ("data", "grad")]
        parts, origin, place = [*_flat(group)], (0.0, 0.0), group.get("transform") if what == "graph" else None
        if what == "node" and (points := [p for part in parts for p in _points(part)]):
            origin = float(round(min(x for x, _ in points))), float(round(min(y for _, y in points)))
            place = f"translate({origin[0]:g} {origin[1]:g})"
        at = "" if place is None else f' transform="{escape(place)}"'
        yield f'<g{name}{at} class="{escape(" ".join(kinds))}">'
        self._kind, lines = " ".join(kinds).replace(" ", "."), 0
        texts = self._numbers(parts, origin) if what == "node" else {}
        texts |= self._titles(parts, origin, texts)
        for i, part in enumerate(parts):
            tag = part.tag.removeprefix(_SVG)
            if tag == "g":
                yield from self.group(part)
            elif i in texts:
                yield texts[i]
            elif tag == "text":
                yield self._text(part, origin)
            elif not (what == "graph" and part.get("fill") in _PAPER):
                line = self._line(part, tag, lines) if what == "edge" else self._shape(part, tag, origin)
                lines += line.startswith("<path")
                yield line
        yield "</g>"

    def _numbers(self, parts: list[ET.Element], origin: Point) -> dict[int, str]:
        """Return what stands for the texts of a value and a gradient, by their place: one text, then nothing."""
        found: dict[int, str] = {}
        at, opened, lines = -1, "", list[ET.Element]()
        for i, part in enumerate(parts):
            words, size = (part.text or "").strip(), part.get("font-size")
            is_bold = part.get("font-weight") == "bold"
            if part.tag == f"{_SVG}text" and not is_bold and size == "11.00" and words in _TAGS:
                at, lines, opened = i, [], self._opened(part, origin, _TAGS[words]) + words
                found[at] = f"{opened}</text>"
            elif at >= 0 and part.tag == f"{_SVG}text" and is_bold:
                lines.append(part)
                tops = [int(_at(line, origin)[1]) for line in (parts[at], *lines)]
                is_level = len(lines) == 1 or abs(tops[1] - tops[0]) < 2  # then the first line stands beside the word
                pieces = [_span(line, origin, k > 0 or not is_level) for k, line in enumerate(lines)]
                found[at], found[i] = f"{opened}{''.join(pieces)}</text>", ""
            else:
                at = -1
        return found

    def _titles(self, parts: list[ET.Element], origin: Point, done: Collection[int]) -> dict[int, str]:
        """Return what stands for texts that go on in the same line, such as "weight parameter": one text, then none."""
        found: dict[int, str] = {}
        at, line = -1, 0.0
        for i, part in enumerate(parts):
            if part.tag != f"{_SVG}text" or i in done or part.get("text-anchor") != "start":
                at = -1
                continue
            words = escape((part.text or "").replace("\xa0", " "), quote=False)
            y = float(part.get("y", 0))
            if at >= 0 and abs(y - line) < 2:
                piece = f'<tspan class="{self._look(part)}">{words}</tspan>' if words.strip() else words
                found[at], found[i] = found[at].removesuffix("</text>") + piece + "</text>", ""
            elif words.strip():
                at, line = i, y
                found[at] = f"{self._opened(part, origin)}{words}</text>"
        return found

    def _look(self, element: ET.Element) -> str:
        """Return a class for how a text looks."""
        color, size = element.get("fill", INK), float(element.get("font-size", 10))
        return self._class(
            escape(f"fill:{color};font-size:{size:g}px;font-weight:{element.get('font-weight', 'normal')}")
        )

    def _opened(self, element: ET.Element, origin: Point, kind: str = "") -> str:
        """Return the opening of a text, with a class for how it looks where that is not usual."""
        x, y = _at(element, origin)
        look = element.get("fill", INK), element.get("font-size", "10.00"), element.get("font-weight", "")
        names = [kind] * bool(kind) + [self._look(element)] * (look != _USUAL[kind])
        anchor = element.get("text-anchor", "start")
        return (
            f'<text x="{x}" y="{y}"'
            + (f' class="{" ".join(names)}"' if names else "")
            + (f' text-anchor="{escape(anchor)}">' if anchor != "start" else ">")
        )

    def _text(self, element: ET.Element, origin: Point) -> str:
        words = (element.text or "").rstrip().replace("\xa0", " ")
        return f"{self._opened(element, origin)}{escape(words, quote=False)}</text>" if words.strip() else ""

    def _line(self, element: ET.Element, tag: str, before: int) -> str:
        """Return a line of an edge; the points of arrows in its two colours are drawn by the stylesheet.

        Of two lines the first is the way forward and the second the way back, unless a class says otherwise.
        """
        kind = _LINE.get(element.get("stroke", ""))
        if kind is None or element.get("stroke-dasharray"):
            return self._shape(element, tag, (0.0, 0.0))
        name = "" if kind == "fb"[before > 0] else f' class="{kind}"'
        return f'<path{name} d="{_curve(element.get("d", ""))}"/>' if tag == "path" else ""

    def _shape(self, element: ET.Element, tag: str, origin: Point) -> str:
        """Return an outline, as a rectangle where it is one."""
        looks = {k: v for k, v in element.attrib.items() if k.startswith(("fill", "stroke"))}
        style = escape(";".join(f"{k}:{v}" for k, v in looks.items()))
        points = [(x - origin[0], y - origin[1]) for x, y in _points(element)]
        if not points:
            rest = {k: v for k, v in element.attrib.items() if k not in looks}
            return f'<{tag} class="{self._class(style)}" {_attributes(rest)}/>'
        xs, ys = [x for x, _ in points], [y for _, y in points]
        is_box = tag == "polygon" and len(points) == 5 and len(set(xs)) == len(set(ys)) == 2
        if is_box or (tag == "path" and len(points) == _CORNERS and looks.get("fill") != "none"):
            box = {"x": min(xs), "y": min(ys), "width": max(xs) - min(xs), "height": max(ys) - min(ys)}
            sides = {k: f"{v:.0f}" for k, v in box.items() if round(v)} | ({} if is_box else {"rx": "6"})
            is_usual = self._kind.startswith("node.") and self._boxes.setdefault(self._kind, style) == style
            name = "" if is_usual else f'class="{self._class(style)}" '
            return f"<rect {name}{_attributes(sides)}/>"
        place = "d" if tag == "path" else "points"
        moved = iter(n for point in points for n in point)
        where = _NUMBER.sub(lambda _: _short(next(moved)), element.get(place, ""))
        return f'<{tag} class="{self._class(style)}" {place}="{where}"/>'


def _attributes(values: dict[str, str]) -> str:
    return " ".join(f'{name}="{escape(value)}"' for name, value in values.items())


def _flat(group: ET.Element) -> Iterator[ET.Element]:
    """Yield what a group draws: links are opened, titles left out."""
    for element in group:
        link = element.find(f"{_SVG}a") if element.tag == f"{_SVG}g" else None
        if link is not None:
            yield from link
        elif element.tag != f"{_SVG}title":
            yield element


def _points(element: ET.Element) -> list[Point]:
    """Return the points of an outline or a curve; none for other elements."""
    numbers = [float(n) for n in _NUMBER.findall(element.get("d") or element.get("points") or "")]
    return [*zip(numbers[::2], numbers[1::2], strict=True)]


def _at(element: ET.Element, origin: Point) -> tuple[str, str]:
    x, y = float(element.get("x", 0)) - origin[0], float(element.get("y", 0)) - origin[1]
    return f"{x + 0:.0f}", f"{y + 0:.0f}"


def _span(line: ET.Element, origin: Point, is_placed: bool) -> str:
    """Return a line of numbers."""
    x, y = _at(line, origin)
    place = f'x="{x}" y="{y}"' if is_placed else f'x="{x}"'
    return f"<tspan {place}>{escape((line.text or '').rstrip(), quote=False)}</tspan>"


def _short(number: float) -> str:
    return f"{round(number, 1) + 0:g}" if abs(number) < 1e5 else f"{number:.1f}"


def _curve(path: str) -> str:
    """Return a curve whose points are told from the one before, to a tenth.

    >>> _curve("M174.11,-210.97C173.97,-205 174,-200.42 174,-194.4"), _curve("M5,-10C5,-12 5,-14 5,-16.5")
    ('M174.1-211c-.1 6-.1 10.6-.1 16.6', 'M5-10v-6.5')
    """
    if not _CURVE.fullmatch(path):
        return path
    numbers = [round(float(n), 1) for n in _NUMBER.findall(path)]
    points = [*zip(numbers[::2], numbers[1::2], strict=True)]
    pieces = [f"M{_joined(points[0])}"]
    for i in range(0, len(points) - 1, 3):
        x, y = points[i]
        steps = [(px - x, py - y) for px, py in points[i + 1 : i + 4]]
        if all(abs(dx) < 0.05 for dx, _ in steps):
            pieces.append(f"v{_joined([steps[-1][1]])}")
        else:
            pieces.append(f"c{_joined(n for step in steps for n in step)}")
    return "".join(pieces)


def _joined(numbers: Iterable[float]) -> str:
    """Return numbers with as little between them as can be."""
    texts = [re.sub(r"^(-?)0\.", r"\1.", _short(n)) for n in numbers]
    return "".join(t if i == 0 or t.startswith("-") else f" {t}" for i, t in enumerate(texts))

"""One HTML file that shows a graph, and plays how it was computed: the picture laid out beforehand, and its story.

Nothing is fetched: picture, data, style and script are in the file. Without JavaScript the final state is there to
read; without Graphviz a text drawing and tables stand in the picture's place. Texts of the user's reach the page in
two ways only: escaped, or as JSON in which no "<" is left, which the script shows as text and never as markup.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from minigrad.errors import MinigradError
from minigrad.viz import collapse, dot, render
from minigrad.viz.inline import inline
from minigrad.viz.numbers import Numbers
from minigrad.viz.rows import BACKWARD, OUTPUT, PARAM, Edge, Module, Node, Rows, ancestors
from minigrad.viz.story import exact, headline, steps_of, story, summary
from minigrad.viz.template import filled, script_data

MOST_DRAWN = 400  # nodes; more are folded before they are laid out
_ROOM = 265_000  # bytes of pictures and story; beyond it fewer numbers are listed, and levels of detail left out
_FEW = (4, 1)  # elements
_MOST_STEPS = 20_000
_MOST_TOLD = 5_000  # nodes; of a larger graph the page knows only how it is folded
_NOT_PLAYED = "its steps are too many for a page"
_MOST_LISTED = 30  # parameters


def page(rows: Rows, *, player: bool, title: str | None = None, speed: float = 1.0, quiz: bool = False) -> str:
    """Return the page for a graph; a `player` also has its steps."""
    title = headline(rows, player) if title is None else title
    if len(rows.nodes) > _MOST_TOLD:
        folded = next(_folds(rows))[0]
        rows = replace(folded, notes=(*folded.notes, *[_NOT_PLAYED] * bool(rows.steps)))
    rows, told, first, missing = _fitting(rows, player)
    packed = {} if first is None else _packed(rows, _ROOM - _size(told, first))
    told |= {"fold": {} if first is None else first.fold, "levels": packed}
    told |= {"speed": speed, "quiz": quiz, "title": title}
    if len(told["steps"]) > _MOST_STEPS:
        told["steps"] = told["steps"][:_MOST_STEPS]
        missing += f" Only the first {_MOST_STEPS:,} steps are in this page."
    values = {
        "title": escape(title),
        "policy": f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_digest()}'",
        "style": _file("page.css"),
        "script": _file("page.js"),
        "summary": escape(summary(rows)),
        "notes": "".join(f"<p>{escape(note)}</p>" for note in [*rows.notes, missing.strip()] if note),
        "levels": "" if first is None else _levels(first.depth, [*packed]),
        "stage": _picture(first.svg) if first else "".join(tables(rows, player)),
        "data": script_data(told),
        "classes": " ".join(["player"] * player + ["quiz"] * quiz + ["plain"] * (first is None)),
        "result": escape(next((n.name for n in reversed(rows.nodes) if n.kind == OUTPUT and n.name), "output")),
        "gradients": _results(rows),
    }
    return filled(_file("page.html"), values)


@cache
def _file(name: str) -> str:
    """Return a file of the package, without indents and lines that are only a comment."""
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    return "\n".join(line.strip() for line in lines if line.strip() and not line.strip().startswith("//"))


@cache
def _digest() -> str:
    """Return what tells the page's own script from any other."""
    return base64.b64encode(hashlib.sha256(_file("page.js").encode()).digest()).decode()


class Picture(NamedTuple):
    """A drawing, in which box each node is that has none of its own, and how deep modules are open (None: all)."""

    svg: str
    fold: dict[int, int]
    depth: int | None


def _picture(svg: str) -> str:
    return f'<div class="picture" id="picture0">{svg}</div>'


def _size(told: dict[str, Any], first: Picture | None) -> int:
    """Return the bytes of a story and of the picture that is shown at first."""
    return len(script_data(told).encode()) + (len(first.svg.encode()) if first else 0)


def _fitting(rows: Rows, player: bool) -> tuple[Rows, dict[str, Any], Picture | None, str]:
    """Return the graph, its story and picture, or why there is none, with as many numbers as there is room for."""
    shown, told = rows, story(rows, player=player)
    first, missing = _first(rows)
    for few in _FEW:
        if _size(told, first) > _ROOM:
            shown = _shorter(rows, few)
            told = story(shown, player=player)
            first, missing = _first(shown)
    return shown, told, first, missing


def _first(rows: Rows) -> tuple[Picture | None, str]:
    """Return the fullest picture that may be drawn; or None and why."""
    try:
        return _drawn(*next(_folds(rows)), ""), ""
    except MinigradError as error:
        return None, f"There is no picture: {error}"


def _drawn(folded: Rows, fold: dict[int, int], depth: int | None, prefix: str) -> Picture:
    return Picture(inline(render.pipe(dot.source(folded), "svg"), prefix), fold, depth)


def _packed(rows: Rows, room: int) -> dict[int, str]:
    """Return the further pictures, compressed, by their numbers; without the fullest if there is no room for them."""
    found = {}
    for folded, fold, depth in [*_folds(rows)][1:]:
        picture = _drawn(folded, fold, depth, f"s{_number(depth)}-")
        text = script_data([picture.svg, picture.fold]).encode()
        found[_number(depth)] = base64.b64encode(zlib.compress(text, 9)).decode()
    while len(found) > 1 and sum(map(len, found.values())) > room:
        del found[max(found)]
    return found


def _shorter(rows: Rows, few: int) -> Rows:
    """Return a graph in which the elements of a tensor are listed only if they are at most `few`."""

    def short(known: Numbers) -> Numbers:
        return known if known.size <= few else known._replace(data=None)

    nodes, steps = [], []
    for node in rows.nodes:
        stats, grads = node.stats and short(node.stats), node.grad_stats and short(node.grad_stats)
        nodes.append(node._replace(stats=stats, grad_stats=grads))
    for step in rows.steps:
        parts = tuple(p._replace(numbers=short(p.numbers), total=short(p.total)) for p in step.parts)
        steps.append(step._replace(gradient=step.gradient and short(step.gradient), parts=parts))
    return replace(rows, nodes=tuple(nodes), steps=tuple(steps))


def _folds(rows: Rows) -> Iterator[tuple[Rows, dict[int, int], int | None]]:
    """Yield the graph as it is, if it may be drawn, and with the modules of each depth closed, the deepest first."""
    deepest = max((len([*ancestors(module.path)]) for module in rows.modules), default=0)
    sizes = set()
    for depth in range(deepest, -1, -1):
        keys = [node.id if depth == deepest else _at_depth(node, depth) for node in rows.nodes]
        if (size := len(set(keys))) <= MOST_DRAWN and size not in sizes:
            sizes.add(size)
            yield *_folded(rows, keys), None if depth == deepest else depth
    if not sizes:
        size = -(-len(rows.nodes) // MOST_DRAWN)
        yield *_folded(rows, [("block", i // size) for i in range(len(rows.nodes))]), 0


def _folded(rows: Rows, keys: Sequence[Any]) -> tuple[Rows, dict[int, int]]:
    first: dict[Any, int] = {}
    for node, key in zip(rows.nodes, keys, strict=True):
        first.setdefault(key, node.id)
    fold = {node.id: first[key] for node, key in zip(rows.nodes, keys, strict=True) if first[key] != node.id}
    if not fold:
        return rows, fold
    folded = collapse.merged(rows, keys)
    note = f"{len(folded.nodes)} boxes stand for {sum(node.holds for node in rows.nodes):,} nodes"
    return replace(folded, notes=(*rows.notes, note)), fold


def _at_depth(node: Node, depth: int) -> Any:
    """Return the module that is closed around a node when none deeper than `depth` is open, else its own id."""
    if node.module is None or node.kind == OUTPUT:
        return node.id
    path = [*ancestors(node.module)][::-1]
    return path[depth] if depth < len(path) else node.id


def _number(depth: int | None) -> int:
    """Return what a level of detail is called in the page, in which 0 is the picture that is shown at first."""
    return 0 if depth is None else depth + 1


def _levels(first: int | None, numbers: list[int]) -> str:
    """Return the choice of how far modules are open; nothing where there is no choice."""
    if not numbers:
        return ""
    known = {0: "all open" if first is None else f"open to depth {first}", 1: "all closed"}
    names = {number: known.get(number, f"open to depth {number - 1}") for number in (0, *numbers)}
    options = "".join(f'<option value="{number}">{name}</option>' for number, name in names.items())
    return f'<label class="js">modules <select id="level">{options}</select></label>'


def _results(rows: Rows) -> str:
    """Return what came of it: the gradient of each parameter, as a table."""
    known = [node for node in rows.nodes if node.kind == PARAM and node.grad_stats is not None]
    lines = (
        f'<tr><th>{escape(node.name or "parameter")}<td class="g">{escape(exact(node.grad_stats))}'
        for node in known[:_MOST_LISTED]
        if node.grad_stats is not None
    )
    more = f"<p class=note>and {len(known) - _MOST_LISTED} more</p>" if len(known) > _MOST_LISTED else ""
    return f'<h3>gradients of the parameters</h3><table class="g">{"".join(lines)}</table>{more}' if known else ""


# --- where there is no picture ---


def tables(rows: Rows, player: bool) -> Iterator[str]:
    """Yield the text drawing if there is one, and all nodes and steps as tables."""
    draw = getattr(rows, "to_text", None)
    if draw is not None:
        yield f'<pre class="drawing">{escape(draw(width=100, color=False))}</pre>'
    operands: dict[int, list[Edge]] = {}
    for edge in rows.edges:
        operands.setdefault(edge.head, []).append(edge)
    yield "<table><caption>Everything that was computed, in order</caption><thead><tr>"
    yield "<th>node<th>what<th>module<th>from<th>shape<th>value<th>grad<th>line</tr></thead><tbody>"
    for node in rows.nodes:
        yield _row(node, operands.get(node.id, []), {module.path: module for module in rows.modules})
    yield "</tbody></table>"
    if player:
        yield f'<ol class="steps" start="0">{"".join(_sentences(rows))}</ol>'


def _row(node: Node, operands: list[Edge], modules: dict[str, Module]) -> str:
    kind = modules[node.module].kind if node.module in modules else ""
    where = "" if node.where is None else f"{Path(node.where.file).name}:{node.where.line} {node.where.code}"
    cells = [
        f"n{node.id}",
        " = ".join(part for part in (node.name, node.op) if part) or node.kind,
        " ".join(part for part in (node.module, kind) if part),
        ", ".join(f"{edge.label} n{edge.tail}".strip() for edge in operands if edge.kind == "data"),
        f"{node.shape} {node.dtype}",
        node.value or "",
        node.grad or "",
        where if node.error is None else f"{where} {node.error}",
    ]
    names = ("", "", "", "", "", "v", "g", "")
    row = "".join(f'<td class="{c}">{escape(x)}' for c, x in zip(names, cells, strict=True))
    return f'<tr id="n{node.id}" class="node {escape(node.kind)}">{row}</tr>'


def _sentences(rows: Rows) -> Iterator[str]:
    """Yield each step as a sentence."""
    nodes = {node.id: node for node in rows.nodes}
    for step in steps_of(rows)[:_MOST_STEPS]:
        node = nodes[step.node]
        what = f"{node.op} (n{node.id})"
        if step.kind != BACKWARD:
            yield f"<li>forward: {escape(what)}{escape(f' = {node.value}' if node.value else '')}</li>"
            continue
        sent = "; ".join(
            f"n{part.tail} gets {part.numbers.text}{' (summed: it was broadcast)' if part.summed else ''}"
            f"{f', in all {part.total.text}' if part.total != part.numbers else ''}"
            for part in step.parts
        )
        came = "" if step.gradient is None else f" has gradient {step.gradient.text}"
        yield f"<li>backward: {escape(f'{what}{came}; {sent}')}</li>"

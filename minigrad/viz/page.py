"""One HTML file that shows a graph, and plays how it was computed: the picture laid out beforehand, and its story.

Nothing is fetched: picture, data, style and script are in the file. Without JavaScript the final state is there to
read; without Graphviz a text drawing and tables stand in the picture's place. Texts of the user's reach the page in
two ways only: escaped, or as JSON in which no "<" is left, which the script shows as text and never as markup.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from minigrad import files
from minigrad.errors import MinigradError
from minigrad.viz import collapse, dot, render
from minigrad.viz.inline import inline
from minigrad.viz.rows import BACKWARD, OUTPUT, Edge, Module, Node, Rows, ancestors
from minigrad.viz.story import headline, steps_of, story, summary

MOST_DRAWN = 400  # nodes; more are folded before they are laid out
_ROOM = 200_000  # bytes of all pictures; folded ones beyond that are left out
_MOST_STEPS = 20_000


def page(rows: Rows, *, player: bool, title: str | None = None, speed: float = 1.0, quiz: bool = False) -> str:
    """Return the page for a graph; a `player` also has its steps."""
    title = headline(rows, player) if title is None else title
    told = story(rows, player=player)
    pictures, missing = drawings(rows)
    told |= {"folds": [fold for _, fold in pictures], "speed": speed, "quiz": quiz, "title": title}
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
        "levels": _levels([name for name, _ in pictures]),
        "stage": "".join(_pictures([name for name, _ in pictures])) or "".join(tables(rows, player)),
        "data": json.dumps(told, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c"),
        "classes": " ".join(["player"] * player + ["quiz"] * quiz + ["plain"] * (not pictures)),
        "result": escape(next((n.name for n in reversed(rows.nodes) if n.kind == OUTPUT and n.name), "the output")),
    }
    return _filled(_file("page.html"), values)


def written(html: str, path: str | os.PathLike[str]) -> str:
    """Write a page into a file and return its path."""
    place = Path(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    files.write(place, html.encode())
    return str(place)


def _filled(template: str, values: dict[str, str]) -> str:
    """Return the template with each `{{name}}` replaced, once, so that no value is taken for a place."""
    pieces = template.split("{{")
    rest = (piece.partition("}}") for piece in pieces[1:])
    return pieces[0] + "".join(values[name] + text for name, _, text in rest)


@cache
def _file(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


@cache
def _digest() -> str:
    """Return what tells the page's own script from any other."""
    return base64.b64encode(hashlib.sha256(_file("page.js").encode()).digest()).decode()


Fold = dict[int, int]  # the box in which a node is drawn, where that is not its own


def drawings(rows: Rows) -> tuple[list[tuple[str, Fold]], str]:
    """Return (svg, fold) for each level of detail, the fullest first, or none and why."""
    levels = list(_folds(rows))
    found: list[tuple[str, Fold]] = []
    left = _ROOM
    try:
        for i, (folded, fold) in enumerate(levels):
            prefix = f"s{i}-" if i else ""
            svg = inline(render.pipe(dot.source(folded), "svg"), prefix)
            left -= len(svg) if found else 0
            if found and left < 0:
                continue
            found.append((svg if i == len(found) else svg.replace(f'id="{prefix}', f'id="s{len(found)}-'), fold))
    except MinigradError as error:
        return [], f"There is no picture: {error}"
    return found, ""


def _folds(rows: Rows) -> Iterator[tuple[Rows, Fold]]:
    """Yield the graph as it is, if it may be drawn, and with the modules of each depth closed, the deepest first."""
    deepest = max((len([*ancestors(module.path)]) for module in rows.modules), default=0)
    sizes = set()
    for depth in range(deepest, -1, -1):
        keys = [node.id if depth == deepest else _at_depth(node, depth) for node in rows.nodes]
        if (size := len(set(keys))) <= MOST_DRAWN and size not in sizes:
            sizes.add(size)
            yield _folded(rows, keys)
    if not sizes:
        size = -(-len(rows.nodes) // MOST_DRAWN)
        yield _folded(rows, [("block", i // size) for i in range(len(rows.nodes))])


def _folded(rows: Rows, keys: Sequence[Any]) -> tuple[Rows, Fold]:
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


def _pictures(drawn: list[str]) -> Iterator[str]:
    for i, svg in enumerate(drawn):
        yield f'<div class="picture" id="picture{i}"{" hidden" if i else ""}>{svg}</div>'


def _levels(drawn: list[str]) -> str:
    """Return the choice of how far modules are open; nothing where there is no choice."""
    if len(drawn) < 2:
        return ""
    names = ["all open", *(f"closed {i}×" for i in range(1, len(drawn)))]
    options = "".join(f'<option value="{i}">{name}</option>' for i, name in enumerate(names))
    return f'<label>modules <select id="level">{options}</select></label>'


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

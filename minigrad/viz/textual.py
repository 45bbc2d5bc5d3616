"""The graph as text, as `git log --graph` draws history: a line for each op, and lanes for what flows between them.

    ●        x  input                     (8, 16)
    ├─●      fc1: Linear  linear          (8, 16)   ███▏ 0.012
    │ ●      relu                         (8, 16)   ██▊  0.010
    ●─╯      add                          (8, 16)   ████ 0.020

A lane ends at the last op that uses it. Leaves that gradients flow to are said in the line of the op that uses them.
"""

from __future__ import annotations

import heapq
import math
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Collection, Iterator
from typing import NamedTuple

from minigrad.errors import ArgumentError
from minigrad.viz.box import broken, called
from minigrad.viz.dot import only_backward
from minigrad.viz.numbers import Numbers
from minigrad.viz.rows import CONST, DATA, FAILED, INPUT, MODULE, OUTPUT, Module, Node, Rows
from minigrad.viz.text import number

PLAIN_WIDTH = 80
_LEAST = 40  # columns; a narrower drawing cannot be read
_BAR = 6  # cells
_PLAIN = str.maketrans({"…": ".", "⋯": "~", "×": "x", "−": "-", "∂": "d", "→": ">"})  # one for one, so widths stay
_CODES = {"forward": "34", "backward": "33", "muted": "2", "bad": "1;31", "strong": "1"}


class Signs(NamedTuple):
    """The characters that draw."""

    op: str = "●"
    leaf: str = "○"
    failed: str = "✗"
    folded: str = "◆"
    lane: str = "│"
    across: str = "─"
    from_left: tuple[str, str] = ("├", "╰")  # a lane that goes on, and one that ends, left of the op
    from_right: tuple[str, str] = ("┤", "╯")
    guide: str = "┊ "
    bar: str = " ▏▎▍▌▋▊▉█"
    more: str = "…"
    times: str = "×"


UNICODE = Signs()
ASCII = Signs("*", "o", "X", "#", "|", "-", ("+", "`"), ("+", "'"), ": ", " -=#", "...", "x")


def text(rows: Rows, *, width: int | None, color: bool | str, unicode: bool) -> str:
    """Return the drawing; the arguments are those of `Graph.to_text`."""
    if color not in (True, False, "auto"):
        raise ArgumentError(f"to_text: color must be True, False or 'auto', got {color!r}")
    rows = only_backward(rows) if rows.direction == "backward" else rows
    signs = UNICODE if unicode else ASCII
    columns = max(_LEAST, _terminal() if width is None else width)
    paint = _has_color() if color == "auto" else bool(color)
    lines = [*_Drawing(rows, columns, signs, paint).lines(), *(f"  {note}" for note in rows.notes)]
    lines = [line if paint else fit(line, columns, signs.more) for line in lines]
    return "\n".join((line if unicode else line.translate(_PLAIN)).rstrip() for line in lines)


def can_print() -> bool:
    """Return whether what standard output goes to knows the signs of the drawing."""
    try:
        "".join(map(str, UNICODE)).encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _terminal() -> int:
    return shutil.get_terminal_size((PLAIN_WIDTH, 24)).columns if sys.stdout.isatty() else PLAIN_WIDTH


def _has_color() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def cells(text: str) -> int:
    """Return how many columns of a terminal a text takes: Chinese letters and most pictures take two.

    >>> cells("abc"), cells("图"), cells("é")
    (3, 2, 1)
    """
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def fit(text: str, room: int, more: str = "…") -> str:
    """Return a text cut so that it takes at most `room` columns.

    >>> fit("abcdef", 4), fit("abc", 4)
    ('abc…', 'abc')
    """
    if cells(text) <= room:
        return text
    kept, used = [], cells(more)
    for c in text:
        used += cells(c)
        if used > room:
            break
        kept.append(c)
    return "".join(kept) + more[: max(room, 0)]


def clean(text: str) -> str:
    """Return a text on one line, without characters that would move the cursor or colour the terminal."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "\ufffd" for c in text)


def in_order(rows: Rows) -> list[Node]:
    """Return the nodes, each after those it was computed from; where folding has made a circle, the older one first."""
    nodes = {node.id: node for node in rows.nodes}
    waits: dict[int, set[int]] = {id: set() for id in nodes}
    heads: dict[int, set[int]] = {id: set() for id in nodes}
    for edge in rows.edges:
        if edge.kind == DATA:
            waits[edge.head].add(edge.tail)
            heads[edge.tail].add(edge.head)
    ready = [id for id in nodes if not waits[id]]
    order: list[Node] = []
    while nodes:
        id = heapq.heappop(ready) if ready else min(nodes)
        if id not in nodes:
            continue
        order.append(nodes.pop(id))
        for head in heads[id]:
            waits[head].discard(id)
            if not waits[head] and head in nodes:
                heapq.heappush(ready, head)
    return order


class _Drawing:
    """One drawing: what was measured for all of its lines, and the lanes that are open."""

    def __init__(self, rows: Rows, width: int, signs: Signs, paint: bool) -> None:
        self.rows, self.width, self.signs, self.paint = rows, width, signs, paint
        self.nodes = {node.id: node for node in rows.nodes}
        order = in_order(rows)
        place = {node.id: i for i, node in enumerate(order)}
        self.operands: dict[int, list[int]] = {node.id: [] for node in rows.nodes}
        self.called = {(edge.tail, edge.head): edge.label for edge in rows.edges if edge.label}
        users: dict[int, int] = {node.id: 0 for node in rows.nodes}
        self.last: dict[int, int] = {}
        for edge in rows.edges:
            if edge.kind == DATA and place[edge.tail] < place[edge.head]:
                self.operands[edge.head].append(edge.tail)
                users[edge.tail] += 1
                self.last[edge.tail] = max(self.last.get(edge.tail, -1), place[edge.head])
        self.users, self.place = users, place
        self.order = [node for node in order if self._has_line(node)]
        self.lined = {node.id for node in self.order}
        self.lanes: list[int | None] = []
        self.grads = self._range()
        self.kinds = {module.path: module.kind for module in rows.modules}
        self.alone = self._alone(rows.modules)
        self.tells_grad = rows.direction != "forward" and any(node.grad_stats is not None for node in self.order)
        self.tells_value = (
            not self.tells_grad and rows.direction != "backward" and any(node.stats is not None for node in self.order)
        )
        self.shape_room = min(24, max((len(_shape(node)) for node in self.order), default=0))

    def _has_line(self, node: Node) -> bool:
        """Return whether a node is more than a word in the line of an op: ops are, data is, and what nothing uses."""
        data = node.kind == INPUT and node.module is None
        reused = node.kind == CONST and node.numel > 4 and self.users[node.id] > 1
        return bool(node.op) or data or reused or not self.users[node.id]

    def _range(self) -> tuple[float, float]:
        """Return the smallest and the largest gradient, in powers of ten; those of 0 do not count."""
        known = [n.grad_stats.rms for n in self.order if n.grad_stats is not None]
        powers = [math.log10(rms) for rms in known if rms]
        return (min(powers), max(powers)) if powers else (0.0, 0.0)

    def _alone(self, modules: Collection[Module]) -> set[str]:
        """Return the modules that are one line, with nothing inside them."""
        counts: dict[str, int] = {}
        for node in self.order:
            if node.module is not None and not node.order:
                counts[node.module] = counts.get(node.module, 0) + 1
        around = {path.rpartition(".")[0] for path in (module.path for module in modules) if path}
        return {path for path, count in counts.items() if count == 1 and path and path not in around}

    # --- lines ---

    def lines(self) -> Iterator[str]:
        """Yield the lines from the first op to the last."""
        room = self._lane_room()
        opened: list[str] = []
        order = 0
        for node in self.order:
            if node.order != order:
                order, opened = node.order, []
                yield from self._header(f"order {order}: computes a derivative", [], room) if order else ()
            heads, opened, indent = self._headers(node, opened)
            for title, depth in heads:
                yield from self._header(title, [self.signs.guide] * depth, room)
            graphic = self._graphic(node)
            yield self._line(node, graphic, indent, room)
            if node.error:
                for part in broken(clean(node.error)):
                    yield self._lane_text(room) + self.signs.guide * indent + self._colored("  " + part, "bad")

    def _lane_room(self) -> int:
        """Return how many columns the lanes take: a third of the width at the most."""
        most = 1
        for node in self.order:
            most = max(most, len(self._graphic(node)) // 2)
        self.lanes = []
        return min(2 * most + 1, self.width // 3)

    def _headers(self, node: Node, opened: list[str]) -> tuple[list[tuple[str, int]], list[str], int]:
        """Return the titles of modules that begin with `node`, the modules now open, and how far it is indented."""
        if node.module is None and not node.op:  # data comes in between, and ends no module
            return [], opened, 0
        if node.module is None or node.order or not self.kinds:
            return [], [], 0
        parts = node.module.split(".") if node.module else []
        chain = ([""] if "" in self.kinds else []) + [".".join(parts[: i + 1]) for i in range(len(parts))]
        chain = [path for path in chain if path in self.kinds and path not in self.alone]
        kept = 0
        while kept < min(len(chain), len(opened)) and chain[kept] == opened[kept]:
            kept += 1
        titles = [(self._module(path), depth) for depth, path in enumerate(chain) if depth >= kept]
        return titles, chain, len(chain)

    def _module(self, path: str) -> str:
        return ": ".join(filter(None, (clean(called(path)), clean(self.kinds.get(path, "")))))

    def _header(self, title: str, guides: list[str], room: int) -> Iterator[str]:
        front = self._lane_text(room) + "".join(guides)
        yield front + self._colored(fit(title, self.width - cells(front), self.signs.more), "strong")

    def _lane_text(self, room: int) -> str:
        """Return the lanes as they are, on a line without an op."""
        return self._cut("".join(f"{' ' if lane is None else self.signs.lane} " for lane in self.lanes), room)

    def _cut(self, graphic: str, room: int) -> str:
        return f"{graphic:<{room}}" if len(graphic) <= room else graphic[: room - 2] + "~ "

    def _graphic(self, node: Node) -> str:
        """Return the lanes at the line of `node`, which takes up its operands' and opens its own."""
        wanted = list(dict.fromkeys(o for o in self.operands[node.id] if o in self.lanes))
        ends = [o for o in wanted if self.last[o] <= self.place[node.id]]
        free = [i for i, lane in enumerate(self.lanes) if lane is None]
        if ends:
            column = min(self.lanes.index(o) for o in ends)
        elif free and not wanted:
            column = free[0]
        else:
            after = max((self.lanes.index(o) for o in wanted), default=-1)
            column = next((i for i in free if i > after), free[0] if free else len(self.lanes))
        self.lanes += [None] * (column + 1 - len(self.lanes))
        sources = sorted(self.lanes.index(o) for o in wanted)
        ending = {self.lanes.index(o) for o in ends}
        graphic = self._row(node, column, [s for s in sources if s != column], ending)
        for i in ending:
            self.lanes[i] = None
        self.lanes[column] = node.id if self.users[node.id] else None
        while self.lanes and self.lanes[-1] is None:
            self.lanes.pop()
        return graphic

    def _row(self, node: Node, column: int, sources: list[int], ending: set[int]) -> str:
        s = self.signs
        left, right = min([*sources, column]), max([*sources, column])
        out = []
        for i, lane in enumerate(self.lanes):
            if i == column:
                sign = (
                    s.failed
                    if node.kind == FAILED
                    else s.folded
                    if node.kind == MODULE
                    else s.op
                    if node.op
                    else s.leaf
                )
            elif i in sources:
                pair = s.from_left if i < column else s.from_right
                sign = pair[i in ending]
                if i not in (left, right) and i in ending:
                    sign = "┴" if s is UNICODE else "'"
                elif i not in (left, right):
                    sign = "┼" if s is UNICODE else "+"
            else:
                sign = s.lane if lane is not None else s.across if left < i < right else " "
            out.append(sign + (s.across if left <= i < right else " "))
        return "".join(out)

    def _line(self, node: Node, graphic: str, indent: int, room: int) -> str:
        front = self._cut(graphic, room) + self.signs.guide * indent
        tail, plain_tail = self._tail(node)
        space = self.width - cells(front) - cells(plain_tail) - 2
        title = fit(self._title(node), max(space, 1), self.signs.more)
        pad = " " * max(space - cells(title), 0)
        strong = "strong" if node.kind in (OUTPUT, FAILED) else ""
        return f"{self._colored(front, 'muted')}{self._colored(title, strong)}{pad}  {tail}"

    def _title(self, node: Node) -> str:
        module = node.module if node.module in self.alone and not node.order else None
        head = f"{self._module(module)}  " if module else ""
        name = (node.name or "").removeprefix(f"{node.module}.") if node.module else node.name or ""
        name = clean(name)
        if node.kind == MODULE:
            times = f" {self.signs.times}{node.times:,}" if node.times > 1 else ""
            what = ": ".join(filter(None, (name if "…" in name else called(name), clean(node.op)))) + times
            inside = f"  [{clean(node.attrs)}]"
            return head + what + (inside if self.signs is UNICODE else inside.replace("×", "x"))
        what = clean(node.op) or node.kind
        if node.op and name:
            what = f"{name} = {what}"
        elif name:
            what = f"{name}  {what}"
        leaves = [self._leaf(o, node) for o in dict.fromkeys(self.operands[node.id]) if o not in self.lined]
        tells = node.attrs and node.op and (not leaves or node.kind == FAILED)
        attrs = f"  {clean(node.attrs)}" if tells else ""
        end = f"  {node.kind}" if node.kind in (OUTPUT, FAILED) else ""
        beside = f"  {', '.join(leaves)}" if leaves else ""
        return f"{head}{what}{beside}{attrs}{end}"

    def _leaf(self, id: int, user: Node) -> str:
        """Return what the line of `user` calls a leaf: by the last part of its name if that is of the same module."""
        leaf = self.nodes[id]
        if leaf.kind == CONST or not leaf.name:
            few = leaf.value.replace("\n", " ") if leaf.numel <= 4 and leaf.value else ""
            return few or clean(self.called.get((id, user.id), "")) or leaf.kind
        return clean(leaf.name.removeprefix(f"{user.module}.") if user.module else leaf.name)

    # --- the right end of a line ---

    def _tail(self, node: Node) -> tuple[str, str]:
        """Return shape, gradient or value, and flags: coloured, and plain."""
        parts = [(f"{_shape(node):<{self.shape_room}}", "")]
        if self.tells_grad:
            parts.append((self._gradient(node.grad_stats), "backward"))
        elif self.tells_value:
            known = node.stats
            text = "" if known is None else number(known.data[0]) if known.data and known.size == 1 else _rms(known)
            parts.append((f"{text:<9}", "forward"))
        flags = self._flags(node)
        if flags:
            parts.append((flags, "bad"))
        plain = " ".join(t for t, _ in parts)
        parts[-1] = (parts[-1][0].rstrip(), parts[-1][1])
        return " ".join(self._colored(t, c) for t, c in parts), plain

    def _gradient(self, known: Numbers | None) -> str:
        if known is None:
            return " " * (_BAR + 10)
        text = "nan" if known.nans else "inf" if known.infs else number(known.rms or 0.0)
        return f"{self._bar(known)} {text:<9}"

    def _bar(self, known: Numbers) -> str:
        low, high = self.grads
        if not known.rms or not known.is_finite:
            return " " * _BAR
        share = 1.0 if high == low else 0.15 + 0.85 * (math.log10(known.rms) - low) / (high - low)
        steps = len(self.signs.bar) - 1
        full, part = divmod(max(1, round(share * _BAR * steps)), steps)
        return f"{self.signs.bar[-1] * full}{self.signs.bar[part] if part else ''}".ljust(_BAR)

    def _flags(self, node: Node) -> str:
        flags = []
        for what, known in (("", node.stats), ("grad ", node.grad_stats if self.tells_grad else None)):
            if known is not None and known.nans:
                flags.append(f"{what}NaN")
            elif known is not None and known.infs:
                flags.append(f"{what}inf")
        if node.mark is not None:
            flags.append(clean(node.mark.tag))
        return fit(f"[{', '.join(flags)}]", self.width // 4, self.signs.more) if flags else ""

    def _colored(self, text: str, what: str) -> str:
        return f"\x1b[{_CODES[what]}m{text}\x1b[0m" if self.paint and what and text.strip() else text


def _shape(node: Node) -> str:
    if node.kind == FAILED:
        return ""
    dtype = "" if node.dtype == "float32" else f" {node.dtype}"
    return (re.sub(r",\)$", ")", str(node.shape)) if node.shape else "scalar") + dtype


def _rms(known: Numbers) -> str:
    return "" if known.rms is None else f"rms {known.rms:.2g}"

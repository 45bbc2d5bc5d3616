"""Heat: boxes coloured by a number of theirs, with the number in the box and the scale below the picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from minigrad.errors import ArgumentError
from minigrad.viz import flops
from minigrad.viz.numbers import Numbers
from minigrad.viz.paint import GREY, ORANGE, WHITE, between, diverging
from minigrad.viz.rows import Mark, Node, Rows
from minigrad.viz.text import number

Some = TypeVar("Some", bound=Rows)
By = str | Callable[[Node], float | None] | Mapping[Any, float]
_PREFIXES = ("", "k", "M", "G", "T", "P")


class Quantity(NamedTuple):
    """A number that boxes have: how it is read, said and called, and whether both ends of its scale tell something."""

    read: Callable[[Node], float | None]
    say: Callable[[float], str]
    name: str
    diverges: bool = False


def heat(rows: Some, by: By, scale: str, vmin: float | None, vmax: float | None) -> Some:
    """Return `rows` with every box that has the number marked in the colour of its place on the scale."""
    if scale not in ("log", "linear"):
        raise ArgumentError(f"heat: scale must be 'log' or 'linear', got {scale!r}")
    quantity = _quantity(rows, by)
    found = {node.id: quantity.read(node) for node in rows.nodes}
    known = [value for value in found.values() if value is not None and math.isfinite(value)]
    if scale == "log" and any(value < 0 for value in known):
        raise ArgumentError("heat: a logarithmic scale has no place for negative numbers; use scale='linear'")
    span = _span([value for value in known if value > 0 or scale == "linear"], scale, vmin, vmax, quantity.diverges)
    nodes = tuple(node._replace(mark=_mark(found[node.id], quantity, span)) for node in rows.nodes)
    return replace(rows, nodes=nodes, notes=(*_others(rows.notes), _legend(quantity, span, scale, bool(known))))


class Span(NamedTuple):
    """From where to where a scale goes, on the axis on which it is even."""

    low: float
    high: float
    is_log: bool
    middle: float | None  # what is white; None where the low end is

    def color(self, value: float) -> str:
        """Return the colour of a number."""
        if value != value or value == math.inf:
            return ORANGE
        at = self.axis(value)
        if self.middle is None:
            return between(WHITE, ORANGE, (at - self.low) / ((self.high - self.low) or 1.0))
        reach = max(self.high - self.middle, self.middle - self.low) or 1.0
        return diverging(min(max((at - self.middle) / reach, -1.0), 1.0))

    def axis(self, value: float) -> float:
        """Return where a number is on the even axis; zero of a logarithmic one at its low end."""
        if not self.is_log:
            return value
        return math.log10(value) if value > 0 else self.low

    def back(self, at: float) -> float:
        """Return the number at a place of the axis."""
        return 10**at if self.is_log else at


def _span(values: list[float], scale: str, vmin: float | None, vmax: float | None, diverges: bool) -> Span:
    is_log = scale == "log"
    if is_log and any(end is not None and end <= 0 for end in (vmin, vmax)):
        raise ArgumentError(f"heat: a logarithmic scale goes from above 0, got vmin={vmin}, vmax={vmax}")
    places = sorted(math.log10(value) if is_log else value for value in values) or [0.0]
    low, high = (
        given if end is None else math.log10(end) if is_log else end
        for given, end in ((places[0], vmin), (places[-1], vmax))
    )
    if low > high:
        raise ArgumentError(f"heat: the scale is empty: vmin={vmin}, vmax={vmax}")
    if not is_log and low < 0 < high:
        return Span(low, high, is_log, 0.0)
    if not diverges:
        return Span(low, high, is_log, None)
    middle = min(max(places[len(places) // 2], low), high) if vmin is None and vmax is None else (low + high) / 2
    if is_log and vmin is None and vmax is None and high - low < 1:  # less than a decade is no difference to colour
        low, high = middle - 1, middle + 1
    return Span(low, high, is_log, middle)


def _mark(value: float | None, quantity: Quantity, span: Span) -> Mark | None:
    if value is None:
        return None
    if value == 0 and span.is_log:
        return Mark(GREY if span.middle is not None else WHITE, f"{quantity.name} 0")
    return Mark(span.color(value), f"{quantity.name} {quantity.say(value)}")


def _legend(quantity: Quantity, span: Span, scale: str, is_known: bool) -> str:
    if not is_known:
        return f"heat: {quantity.name} is not known of any box"
    low, high = quantity.say(span.back(span.low)), quantity.say(span.back(span.high))
    if span.middle is None:
        return f"heat: {quantity.name}, {scale} scale: white {low} … orange {high}"
    middle = quantity.say(span.back(span.middle))
    return f"heat: {quantity.name}, {scale} scale: blue {low} … white {middle} … orange {high}"


def _others(notes: Iterable[str]) -> tuple[str, ...]:
    return tuple(note for note in notes if not note.startswith("heat:"))


def _quantity(rows: Rows, by: By) -> Quantity:
    if isinstance(by, Mapping):
        return Quantity(lambda node: _looked_up(by, node), number, "value", True)
    if not isinstance(by, str):
        return Quantity(by, number, getattr(by, "__name__", "value").strip("<>"), True)
    counts = flops.by_node(rows) if by == "flops" else {}
    table = {
        "grad": Quantity(lambda node: rms(node.grad_stats), number, "grad rms", True),
        "value": Quantity(lambda node: rms(node.stats), number, "value rms", True),
        "time": Quantity(lambda node: node.forward_us, microseconds, "forward"),
        "backward_time": Quantity(lambda node: node.backward_us, microseconds, "backward"),
        "bytes": Quantity(lambda node: node.nbytes, lambda n: metric(n, "B"), "size"),
        "saved": Quantity(lambda node: node.saved_bytes if node.op else None, lambda n: metric(n, "B"), "saved"),
        "flops": Quantity(lambda node: counts[node.id] if node.op else None, lambda n: metric(n, "FLOP"), "work"),
    }
    if by not in table:
        raise ArgumentError(f"heat: by must be {', '.join(map(repr, table))}, a function or a mapping, got {by!r}")
    return table[by]


def _looked_up(values: Mapping[Any, float], node: Node) -> float | None:
    for key in (node.id, node.name, node.module):
        if key is not None and key in values:
            return values[key]
    return None


def rms(known: Numbers | None) -> float | None:
    """Return the root mean square, nan if an element is not finite, None if nothing is known."""
    if known is None or not known.size:
        return None
    return known.rms if known.is_finite else math.nan


def microseconds(us: float) -> str:
    """Return a time in words.

    >>> microseconds(12.34), microseconds(4321.0)
    ('12.3 µs', '4.32 ms')
    """
    return f"{us:.3g} µs" if us < 1e3 else f"{us / 1e3:.3g} ms" if us < 1e6 else f"{us / 1e6:.3g} s"


def metric(count: float, unit: str) -> str:
    """Return a count with its unit.

    >>> metric(12, "B"), metric(4_300_000, "FLOP")
    ('12 B', '4.3 MFLOP')
    """
    step = 0
    while count >= 999.5 and step + 1 < len(_PREFIXES):
        count, step = count / 1e3, step + 1
    return f"{count:.3g} {_PREFIXES[step]}{unit}"

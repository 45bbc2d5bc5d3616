"""How it is timed: the sides in turn in one process, A B B A, and the ratio with its spread."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple


class Ratio(NamedTuple):
    """The ratio of two times over all A B B A: its median and quartiles."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:5.2f}  ({self.low:.2f} to {self.high:.2f})"


def interleaved(
    sides: dict[str, Callable[[], Any]], rounds: int, calls: int = 1, pause: float = 0.0, warm: int = 1
) -> dict[str, list[float]]:
    """Return seconds per call of each side, timed in turn, forwards and then backwards, `rounds` times.

    Each side first runs `warm` times untimed. `pause` seconds are waited before each, so that threads of the side
    before have stopped spinning.
    """
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(warm):
        for name in sides:
            sides[name]()
    gc.collect()
    for k in range(rounds):
        for name in sides if k % 2 == 0 else reversed(sides):
            if pause:
                time.sleep(pause)
            start = time.perf_counter()
            for _ in range(calls):
                sides[name]()
            times[name].append((time.perf_counter() - start) / calls)
    return times


def calls_for(step: Callable[[], Any], turn: float = 2e-3) -> int:
    """Return how often to call a step in a turn: a short one until `turn` seconds have passed, at most 20 times.

    In a program it follows itself, so that caches hold what it needs; called once in turn, it would find the other's.
    """
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    return max(1, min(20, int(turn / statistics.median(seconds))))


def ratio(ours: list[float], theirs: list[float]) -> Ratio:
    """Return the median and quartiles of the ratio over all A B B A, that is, over two rounds each.

    A load on the machine hits both sides of one; and in each, either side follows itself once, when it is quicker.
    """
    a, b = ([x + y for x, y in zip(t[::2], t[1::2], strict=False)] for t in (ours, theirs))
    low, median, high = statistics.quantiles([x / y for x, y in zip(a, b, strict=True)], n=4)
    return Ratio(median, low, high)

"""Where the time of a step goes: seconds of each op, forward and backward."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from minigrad import graph


class Clock:
    """The observer that adds up the time of each op's forward and of its rules."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    def forward(self, op: Any, inputs: tuple[Any, ...], attrs: dict[str, Any], call: Callable[[], Any]) -> Any:
        return self._timed(op.name, call)

    def rule(self, node: Any, rule: Any, call: Callable[[], Any]) -> Any:
        return self._timed(f"{node.op.name} backward", call)

    def _timed(self, name: str, call: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = call()
        self.seconds[name] += time.perf_counter() - start
        return result


def per_op(step: Callable[[], Any], within: float = 0.3) -> dict[str, float]:
    """Return seconds of a step for each op, the longest first, and what is left as "rest" (optimiser, Python).

    The observer itself adds about a microsecond to each op. Steps are watched for `within` seconds, at least three.
    """
    clock, calls = Clock(), 0
    previous = graph.observe(clock)
    start = time.perf_counter()
    try:
        while calls < 3 or time.perf_counter() - start < within:
            step()
            calls += 1
    finally:
        graph.observe(previous)
    whole = time.perf_counter() - start
    clock.seconds["rest"] = whole - clock.seconds.total()
    return {name: seconds / calls for name, seconds in clock.seconds.most_common()}

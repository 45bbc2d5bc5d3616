"""Where the time of a step goes: seconds of each op, forward and backward."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from minigrad.profiler import profile


def per_op(step: Callable[[], Any], within: float = 0.3) -> dict[str, float]:
    """Return seconds of a step for each op, the longest first, and what is left as "rest" (optimiser, Python).

    The profiler itself adds some microseconds to each op. Steps are watched for `within` seconds, at least three.
    """
    calls, start = 0, time.perf_counter()
    with profile() as measured:
        while calls < 3 or time.perf_counter() - start < within:
            step()
            calls += 1
    whole, seconds = time.perf_counter() - start, Counter[str]()
    for row in measured.key_averages():
        op, backward, _ = row.key.partition(".backward")
        if "#" not in op:  # a named range, such as an optimiser's step
            seconds[f"{op} backward" if backward else op] += row.self_cpu_time_total / 1e6
    seconds["rest"] = whole - seconds.total()
    return {name: spent / calls for name, spent in seconds.most_common()}

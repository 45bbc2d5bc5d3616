"""Peak memory of a step: how far the process's high-water mark rises over where it stood before the first step."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import resource
from pathlib import Path
from typing import Any

from benchmarks.child import measured
from benchmarks.workloads import WORKLOADS, side

STEPS = 3


def high_water() -> int:
    """Return the most bytes of memory that this process ever held.

    Linux's VmHWM, for `ru_maxrss` begins there with what the process had from which this one was started.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().split("VmHWM:")[1].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def lower() -> None:
    """Set the high-water mark to what is in use now, where Linux lets one: building a workload may have needed more.

    What was freed is first given back to the system, for a step that takes it again would seem to need nothing.
    """
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")


def answer(threads: int, on: str, name: str) -> dict[str, int]:
    """Return the bytes by which some steps of a workload raise the high-water mark, and where it stood before."""
    ready = side(on)
    ready.library.set_num_threads(threads)
    step = WORKLOADS[name].build(ready)
    lower()
    before = high_water()
    for _ in range(STEPS):
        step()
    return {"growth": high_water() - before, "before": before}


def peaks(names: list[str], sides: list[str], threads: int) -> dict[str, Any]:
    """Return the growth in bytes for each workload and side, each measured in a fresh process."""
    return {n: {s: measured("memory", threads, on=s, name=n)["growth"] for s in sides} for n in names}

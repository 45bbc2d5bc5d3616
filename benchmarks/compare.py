"""One workload after the other on all sides, in turn in one process, with the floor as one side more."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from typing import Any

import minigrad
from benchmarks.agreement import TOLERANCE, difference
from benchmarks.child import PAUSE
from benchmarks.floor import floor, products
from benchmarks.perop import per_op
from benchmarks.rivals import RIVALS
from benchmarks.timing import interleaved, ratio
from benchmarks.workloads import WORKLOADS, Side, Workload, side

Step = Callable[[], Any]


def sides() -> list[Side]:
    """Return minigrad, and PyTorch if it is installed."""
    try:
        return [side("minigrad"), side("torch")]
    except ImportError:
        return [side("minigrad")]


def rivals() -> dict[str, str]:
    """Return the version of every rival that is installed, and "" for those that are not."""
    found = {"torch": sides()[-1].library.__version__ if len(sides()) > 1 else ""}
    return {name: str(version) for name, version in (found | {k: r.version() for k, r in RIVALS.items()}).items()}


def steps(name: str, workload: Workload) -> dict[str, Step]:
    """Return the function to time on every side that can run the workload."""
    found = {s.name: workload.build(s) for s in sides()}
    others = {k: r.step(name) for k, r in RIVALS.items() if r.version() and r.can(name)}
    return found | others


def unequal(ready: dict[str, Step]) -> dict[str, float]:
    """Return the sides whose first result is not minigrad's, and how far it is from it."""
    firsts = {name: step() for name, step in ready.items()}
    apart = {name: difference(first, firsts["minigrad"]) for name, first in firsts.items()}
    return {name: d for name, d in apart.items() if not d <= TOLERANCE}


def one(name: str, rounds: int, pause: float, ops: bool = True) -> dict[str, Any]:
    """Return the figures of one workload, or which sides compute something else."""
    workload = WORKLOADS[name]
    ready = steps(name, workload)
    apart = unequal(ready)
    if apart:
        return {"kind": workload.kind, "unequal": apart}
    found = products(ready["minigrad"])
    if found:
        ready["floor"] = floor(found)
    times = interleaved(ready, rounds, pause=pause, warm=2)
    figures: dict[str, Any] = {
        "kind": workload.kind,
        "rounds": rounds,
        "seconds": {k: statistics.median(v) for k, v in times.items()},
        "ratio": {k: ratio(times["minigrad"], v)._asdict() for k, v in times.items() if k != "minigrad"},
    }
    return figures | ({"ops": per_op(ready["minigrad"])} if ops else {})


def answer(names: list[str], threads: int, scale: float, ops: bool = True) -> dict[str, Any]:
    """Return the figures of the workloads `names` with `threads` threads, and what took part."""
    for s in sides():
        s.library.set_num_threads(threads)
    results = {}
    for name in names:
        rounds = max(6, round(WORKLOADS[name].rounds * scale))
        results[name] = one(name, rounds, PAUSE if threads > 1 else 0.0, ops)
        print(f"  {name}: {said(results[name])}", file=sys.stderr, flush=True)
    return {"workloads": results, "rivals": rivals(), "minigrad": minigrad.__version__}


def said(figures: dict[str, Any]) -> str:
    """Return the ratios of a workload in a line."""
    if "unequal" in figures:
        return "not timed, since the first results differ: " + ", ".join(
            f"{k} by {v:.1e}" for k, v in figures["unequal"].items()
        )
    return ", ".join(f"{v['median']:.2f} of {k}" for k, v in figures["ratio"].items()) or "nothing to compare with"

"""One workload after the other on all sides, in turn in one process, with the floor as one side more."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.agreement import TOLERANCE, difference
from benchmarks.child import PAUSE
from benchmarks.floor import floor, products
from benchmarks.perop import per_op
from benchmarks.rivals import RIVALS
from benchmarks.timing import calls_for, interleaved, ratio
from benchmarks.workloads import WORKLOADS, Side, Workload, side

Step = Callable[[], Any]
LEAST = 8  # rounds


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


def firsts(name: str, workload: Workload) -> tuple[dict[str, Step], dict[str, Any], dict[str, str]]:
    """Return what to time on every side that can run the workload, its first result, and why a rival failed."""
    ready = {s.name: workload.build(s) for s in sides()}
    results, failed = {name: step() for name, step in ready.items()}, {}
    for label, rival in RIVALS.items():
        if rival.version() and rival.can(name):
            try:
                step = rival.step(name)
                results[label] = step()
                ready[label] = step
            except Exception as error:  # another library's, for whatever reason: the others are still compared
                failed[label] = f"{type(error).__name__}: {error}".splitlines()[0]
    return ready, results, failed


def one(name: str, rounds: int, pause: float, ops: bool = True) -> dict[str, Any]:
    """Return the figures of one workload; sides whose first result is not minigrad's are named and not timed."""
    ready, results, failed = firsts(name, WORKLOADS[name])
    apart = {label: difference(result, results["minigrad"]) for label, result in results.items()}
    for label, distance in apart.items():
        if not distance <= TOLERANCE:
            failed[label] = f"its first result differs by {distance:.1e}"
            del ready[label]
    figures: dict[str, Any] = {"kind": WORKLOADS[name].kind, "failed": failed}
    if "minigrad" not in ready or "torch" in failed:
        return figures
    found = products(ready["minigrad"])
    if found:
        ready["floor"] = floor(found)
    if "torch" in ready:  # first and last: with others in between, these two follow themselves equally often
        ready["torch"] = ready.pop("torch")
    calls = calls_for(ready["minigrad"])
    rounds = max(LEAST, 2 * rounds // calls if calls > 1 else rounds) // 2 * 2
    times = interleaved(ready, rounds, calls, pause=pause, warm=2)
    figures |= {"rounds": rounds, "calls": calls}
    figures["seconds"] = {k: statistics.median(v) for k, v in times.items()}
    figures["ratio"] = {k: ratio(times["minigrad"], v)._asdict() for k, v in times.items() if k != "minigrad"}
    if found:
        figures["efficiency"] = {k: ratio(times["floor"], v).median for k, v in times.items() if k != "floor"}
    return figures | ({"ops": per_op(ready["minigrad"])} if ops else {})


def answer(names: list[str], threads: int, scale: float, ops: bool = True) -> dict[str, Any]:
    """Return the figures of the workloads `names` with `threads` threads, and what took part."""
    for s in sides():
        s.library.set_num_threads(threads)
    results = {}
    for name in names:
        results[name] = one(name, round(WORKLOADS[name].rounds * scale), PAUSE if threads > 1 else 0.0, ops)
        print(f"  {name}: {said(results[name])}", file=sys.stderr, flush=True)
    return {"workloads": results, "rivals": rivals()}


def said(figures: dict[str, Any]) -> str:
    """Return the ratios of a workload in a line, and what was not timed."""
    parts = [f"{v['median']:.2f} of {k}" for k, v in figures.get("ratio", {}).items()]
    parts += [f"{k} not timed ({reason})" for k, reason in figures["failed"].items()]
    return ", ".join(parts) or "nothing to compare with"

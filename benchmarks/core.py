"""What every program pays: recording an op, the import, long graphs; `python -m benchmarks.core` adds small steps."""

from __future__ import annotations

import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad as mg
from benchmarks.child import ROOT
from benchmarks.compare import sides
from benchmarks.timing import interleaved, ratio
from benchmarks.workloads import WORKLOADS, side

Op = Callable[[Any, Any], Any]
OPS: dict[str, tuple[Op, Op]] = {  # on NumPy's arrays, and on tensors of either library
    "a + b": (lambda a, b: a + b,) * 2,
    "a - b": (lambda a, b: a - b,) * 2,
    "a * b": (lambda a, b: a * b,) * 2,
    "a / b": (lambda a, b: a / b,) * 2,
    "a * 2.0": (lambda a, b: a * 2.0,) * 2,
    "exp(a)": (lambda a, b: np.exp(a), lambda a, b: a.exp()),
    "tanh(a)": (lambda a, b: np.tanh(a), lambda a, b: a.tanh()),
    "relu(a)": (lambda a, b: np.maximum(a, 0), lambda a, b: a.relu()),
}


def per_op(rounds: int) -> dict[str, dict[str, float]]:
    """Return the least seconds of an op on 8 x 8 floats: NumPy's call alone, and recorded on each side."""
    arrays = [np.random.default_rng(i).random((8, 8), np.float32) + 0.5 for i in range(2)]
    tensors = {s.name: [s.library.tensor(a, requires_grad=True) for a in arrays] for s in sides()}
    found = {}
    for name, (plain, op) in OPS.items():
        calls = {"numpy": _bound(plain, arrays)} | {side: _bound(op, pair) for side, pair in tensors.items()}
        found[name] = {side: min(times) for side, times in interleaved(calls, rounds, 500).items()}
    return found


def _bound(op: Op, pair: list[Any]) -> Callable[[], Any]:
    a, b = pair
    return lambda: op(a, b)


def import_time(rounds: int) -> dict[str, float]:
    """Return the seconds of `import numpy`, and what `import minigrad` adds, in fresh processes in turn."""
    # With Python's cached bytecode, as any installed package has it.
    compiled = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def run(code: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-c", code], check=True, env=compiled)

    times = interleaved({"numpy": run("import numpy"), "minigrad": run("import numpy, minigrad")}, rounds)
    added = [b - a for a, b in zip(times["numpy"], times["minigrad"], strict=True)]
    return {"numpy": statistics.median(times["numpy"]), "minigrad adds": statistics.median(added)}


def chain(length: int) -> dict[str, float]:
    """Return the seconds in which a chain of `length` ops is built, differentiated and freed."""
    x = mg.ones(1, requires_grad=True)
    marks, y = [time.perf_counter()], x
    for _ in range(length):
        y = y + 1.0
    marks.append(time.perf_counter())
    y.backward()
    marks.append(time.perf_counter())
    del y
    marks.append(time.perf_counter())
    return dict(zip(("built", "differentiated", "freed"), (b - a for a, b in itertools.pairwise(marks)), strict=True))


def doublings(count: int = 60) -> float:
    """Return the seconds in which so many doublings b = b + b are differentiated; the gradient is exactly 2**count."""
    w = mg.tensor(1.0, dtype=mg.float64, requires_grad=True)
    b = w
    for _ in range(count):
        b = b + b
    start = time.perf_counter()
    b.backward()
    seconds = time.perf_counter() - start
    assert w.grad is not None
    assert w.grad.item() == 2.0**count
    return seconds


RECORDED = ("mlp-64", "lenet-64")
ALONE = """
import statistics, sys, time
from benchmarks.workloads import WORKLOADS, side
step, rounds = WORKLOADS[sys.argv[1]].build(side("minigrad")), int(sys.argv[2])
if sys.argv[3:]:
    from minigrad import viz
assert ("minigrad.viz" in sys.modules) == bool(sys.argv[3:])
times = []
for _ in range(rounds):
    start = time.perf_counter()
    step()
    times.append(time.perf_counter() - start)
print(statistics.median(times[rounds // 10:]))
"""


def recording(rounds: int) -> dict[str, dict[str, Any]]:
    """Return of training steps how many times as long they take with viz imported, and with everything recorded.

    The first is between fresh processes in turn, since what is imported stays; the second in one process.
    """
    from minigrad import viz

    found = {}
    for name in RECORDED:
        step, count = WORKLOADS[name].build(side("minigrad")), WORKLOADS[name].rounds
        times = interleaved({"plain": step, "recorded": lambda step=step: _recorded(viz, step)}, 2 * rounds, warm=5)
        alone: dict[str, list[float]] = {"plain": [], "imported": []}
        for k in range(rounds):
            for which in ("plain", "imported") if k % 2 == 0 else ("imported", "plain"):
                alone[which].append(_alone(name, count, which))
        pairs = {"imported": (alone["imported"], alone["plain"]), "recorded": (times["recorded"], times["plain"])}
        found[name] = {"seconds": statistics.median(times["plain"])}
        found[name] |= {which: ratio(*pair)._asdict() for which, pair in pairs.items()}
    return found


def _recorded(viz: Any, step: Callable[[], Any]) -> None:
    with viz.record():
        step()


def _alone(name: str, count: int, which: str) -> float:
    """Return the median seconds of a step in a process of its own."""
    command = [sys.executable, "-c", ALONE, name, str(count), *["viz"] * (which == "imported")]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)


def answer(threads: int, quick: bool) -> dict[str, Any]:
    """Return all of it."""
    found: dict[str, Any] = {"ops": per_op(50 if quick else 200), "import": import_time(6 if quick else 20)}
    found["recording"] = recording(8 if quick else 20)
    length = 100_000 if quick else 1_000_000
    return found | {"chain": {"ops": length} | chain(length), "doublings": doublings()}


def main() -> None:
    """Measure this and the small training steps at one thread, and print it."""
    from benchmarks import report
    from benchmarks.child import measured
    from benchmarks.machine import machine

    steps = measured("compare", 1, names=["mlp-1", "mlp-64", "mlp-512", "mlp-adam-64", "card-cnn-64"], scale=1.0)
    print(report.text({"machine": machine(), "threads": {"1": steps}, "core": measured("core", 1, quick=False)}))


if __name__ == "__main__":
    main()

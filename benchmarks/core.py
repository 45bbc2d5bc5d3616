"""Small costs that every program pays: recording an op, and the import."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.compare import sides
from benchmarks.timing import interleaved

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


def answer(threads: int, quick: bool) -> dict[str, Any]:
    """Return both."""
    return {"ops": per_op(50 if quick else 200), "import": import_time(6 if quick else 20)}

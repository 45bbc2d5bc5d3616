"""The ratios that are held to: `python -m benchmarks.reference` measures them anew and writes reference.json.

Only ratios to something timed in the same process, in turn, so that a busy machine slows both. They depend on the
processor all the same, which is why it is noted and another one is not judged by them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.child import measured
from benchmarks.machine import machine
from benchmarks.workloads import WORKLOADS

FILE = Path(__file__).with_suffix(".json")
ALLOWED = 1.25
SCALE = 0.5
AGAIN = "Renew it with `python -m benchmarks.reference` if the slowdown is meant."


def ratios(names: list[str], scale: float = SCALE) -> dict[str, dict[str, float]]:
    """Return for each workload the median of minigrad's time over that of PyTorch, if installed, and of the floor."""
    found = measured("compare", 1, names=names, scale=scale, ops=False)["workloads"]
    return {name: {k: r["median"] for k, r in figures.get("ratio", {}).items()} for name, figures in found.items()}


def renew(names: list[str] | None = None) -> None:
    """Measure twice, keep of each ratio the mean, and write the file; not without PyTorch, or if results differ."""
    first, second = (ratios(names or list(WORKLOADS)) for _ in range(2))
    if missing := [name for name, of in first.items() if "torch" not in of]:
        raise SystemExit(f"not compared with PyTorch, so reference.json stays as it was: {', '.join(missing)}")
    kept: dict[str, Any] = {
        name: {k: round((value * second[name][k]) ** 0.5, 3) for k, value in of.items() if k in ("torch", "floor")}
        for name, of in first.items()
    }
    FILE.write_text(json.dumps({"machine": machine(), "ratios": kept}, indent=1) + "\n")


def worse(then: dict[str, float], now: dict[str, float]) -> str:
    """Return in words by how much a ratio is worse than it was allowed to become; empty if it is not.

    PyTorch is the reference where both have it, else the matrix products.

    >>> worse({"torch": 0.5}, {"torch": 0.6})
    ''
    >>> worse({"torch": 0.5}, {"torch": 0.7})
    '0.70 of the time of torch, and was 0.50'
    """
    other = next((k for k in ("torch", "floor") if k in then and k in now), None)
    if other is None or now[other] <= ALLOWED * then[other]:
        return ""
    return f"{now[other]:.2f} of the time of {other}, and was {then[other]:.2f}"


if __name__ == "__main__":
    renew()

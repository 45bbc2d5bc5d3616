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

Ratios = dict[str, dict[str, float]]
FILE = Path(__file__).with_suffix(".json")
ALLOWED = 1.25
SCALE = 0.5
# With two threads ratios hang on what else runs: held to are these only, where two measurements agree.
TWO = ("mlp-512", "lenet-64", "card-cnn-64", "mnist-example-64", "resnet-32", "infer-card-cnn-256")
STEADY = 1.1
AGAIN = "Renew it with `python -m benchmarks.reference` if the slowdown is meant."


def ratios(names: list[str], scale: float = SCALE, threads: int = 1) -> Ratios:
    """Return for each workload the median of minigrad's time over that of PyTorch, if installed, and of the floor."""
    found = measured("compare", threads, names=names, scale=scale, ops=False)["workloads"]
    return {name: {k: r["median"] for k, r in figures.get("ratio", {}).items()} for name, figures in found.items()}


def renew(names: list[str] | None = None) -> None:
    """Measure twice, keep of each ratio the mean, and write the file; not without PyTorch, or if results differ."""
    first, second = (ratios(names or list(WORKLOADS)) for _ in range(2))
    if missing := [name for name, of in first.items() if "torch" not in of]:
        raise SystemExit(f"not compared with PyTorch, so reference.json stays as it was: {', '.join(missing)}")
    two = [name for name in TWO if name in first]
    content: dict[str, Any] = {"machine": machine(), "ratios": means(first, second)}
    content["two_threads"] = means(*(ratios(two, threads=2) for _ in range(2)), apart=STEADY)
    FILE.write_text(json.dumps(content, indent=1) + "\n")


def means(first: Ratios, second: Ratios, apart: float = float("inf")) -> Ratios:
    """Return the geometric means of two measurements, without the ratios of which one is `apart` times the other.

    >>> means({"a": {"torch": 0.5, "floor": 1.0}}, {"a": {"torch": 0.5, "floor": 2.0}}, apart=1.5)
    {'a': {'torch': 0.5}}
    """
    kept = {
        name: {
            k: round((value * second[name][k]) ** 0.5, 3)
            for k, value in of.items()
            if k in ("torch", "floor") and max(value, second[name][k]) <= apart * min(value, second[name][k])
        }
        for name, of in first.items()
    }
    return {name: of for name, of in kept.items() if of}


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

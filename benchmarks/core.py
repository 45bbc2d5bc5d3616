"""Core figures: overhead per op, training steps against PyTorch, import time, long chains.

Run `make bench`, or `python benchmarks/core.py [ops] [steps] [import] [chain]` for a part. Sides are timed in turn in
one process at one thread (A B B A), and medians and their ratio are printed. Without PyTorch its columns stay empty.
"""

from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

import minigrad as mg
from minigrad import nn, optim

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]


def interleaved(sides: dict[str, Callable[[], object]], rounds: int, calls: int = 1) -> dict[str, list[float]]:
    """Return seconds per call of each side, timed in turn, forwards and then backwards, `rounds` times."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for name in sides:
        sides[name]()
    for k in range(rounds):
        for name in sides if k % 2 == 0 else reversed(sides):
            start = time.perf_counter()
            for _ in range(calls):
                sides[name]()
            times[name].append((time.perf_counter() - start) / calls)
    return times


def spread(ours: list[float], theirs: list[float]) -> str:
    """Return the ratio of medians, and the quartiles of the ratio round by round."""
    ratios = statistics.quantiles([a / b for a, b in zip(ours, theirs, strict=True)], n=4)
    return f"{statistics.median(ours) / statistics.median(theirs):5.2f}  ({ratios[0]:.2f} to {ratios[2]:.2f})"


def per_op() -> None:
    """Print what recording an elementwise op on 8 x 8 floats costs beyond the NumPy call itself."""
    a, b = (np.random.default_rng(i).random((8, 8), np.float32) + 0.5 for i in range(2))
    x, y = mg.tensor(a, requires_grad=True), mg.tensor(b, requires_grad=True)
    t, u = (torch.tensor(v, requires_grad=True) for v in (a, b)) if torch else (None, None)
    rows = {
        "a + b": (lambda: a + b, lambda: x + y, lambda: t + u),
        "a - b": (lambda: a - b, lambda: x - y, lambda: t - u),
        "a * b": (lambda: a * b, lambda: x * y, lambda: t * u),
        "a / b": (lambda: a / b, lambda: x / y, lambda: t / u),
        "a * 2.0": (lambda: a * 2.0, lambda: x * 2.0, lambda: t * 2.0),
        "exp(a)": (lambda: np.exp(a), lambda: x.exp(), lambda: t.exp()),
        "tanh(a)": (lambda: np.tanh(a), lambda: x.tanh(), lambda: t.tanh()),
        "relu(a)": (lambda: np.maximum(a, 0), lambda: x.relu(), lambda: t.relu()),
    }
    print("\nper op, 8 x 8 float32, recorded: microseconds (best of 200 rounds of 500)")
    print(f"{'op':10s} {'numpy':>8s} {'minigrad':>9s} {'overhead':>9s} {'torch':>8s} {'minigrad/torch':>15s}")
    for name, (plain, ours, theirs) in rows.items():
        sides = {"numpy": plain, "minigrad": ours} | ({"torch": theirs} if torch else {})
        best = {side: min(v) * 1e6 for side, v in interleaved(sides, 200, 500).items()}
        tail = f"{best['torch']:8.2f} {best['minigrad'] / best['torch']:15.2f}" if torch else ""
        over = best["minigrad"] - best["numpy"]
        print(f"{name:10s} {best['numpy']:8.2f} {best['minigrad']:9.2f} {over:9.2f} {tail}")


def mlp(n: object) -> object:
    """The multilayer perceptron 784-128-10, of minigrad's or PyTorch's layers `n`."""
    return n.Sequential(n.Linear(784, 128), n.ReLU(), n.Linear(128, 10))  # type: ignore[attr-defined]


def card_cnn(n: object) -> object:
    """The two-block convolutional network for 28 x 28 images."""
    return n.Sequential(  # type: ignore[attr-defined]
        n.Conv2d(1, 16, 3, padding=1), n.BatchNorm2d(16), n.ReLU(), n.MaxPool2d(2),
        n.Conv2d(16, 32, 3, padding=1), n.BatchNorm2d(32), n.ReLU(), n.MaxPool2d(2),
        n.Flatten(), n.Dropout(0.25), n.Linear(1568, 128), n.ReLU(), n.Linear(128, 10),
    )  # fmt: skip


def training_step(library: object, layers: object, optimisers: object, build: Callable, make: Callable, shape: tuple):
    """Return a function that makes one training step: zero_grad, forward, backward, step."""
    library.manual_seed(0)
    rng = np.random.default_rng(0)
    model = build(layers)
    x = library.tensor(rng.standard_normal(shape).astype(np.float32))
    target = library.tensor(rng.integers(0, 10, shape[0]))
    criterion, optimiser = layers.CrossEntropyLoss(), make(optimisers, model.parameters())

    def step() -> float:
        optimiser.zero_grad()
        loss = criterion(model(x), target)
        loss.backward()
        optimiser.step()
        return loss

    return step


def sgd(optimisers: object, parameters: object) -> object:
    return optimisers.SGD(parameters, lr=0.01, momentum=0.9)  # type: ignore[attr-defined]


def adam(optimisers: object, parameters: object) -> object:
    return optimisers.Adam(parameters, lr=1e-3)  # type: ignore[attr-defined]


def steps() -> None:
    """Print the time of training steps, and their ratio to PyTorch eager."""
    print("\ntraining steps, one thread: milliseconds (median), and ratio minigrad / torch with its quartiles")
    workloads = [
        ("mlp-64", mlp, sgd, (64, 784), 400),
        ("mlp-1", mlp, sgd, (1, 784), 400),
        ("mlp-512", mlp, sgd, (512, 784), 60),
        ("mlp-adam-64", mlp, adam, (64, 784), 400),
        ("card-cnn-64", card_cnn, adam, (64, 1, 28, 28), 40),
    ]
    for name, build, make, shape, rounds in workloads:
        sides = {"minigrad": training_step(mg, nn, optim, build, make, shape)}
        if torch:
            sides["torch"] = training_step(torch, torch.nn, torch.optim, build, make, shape)
        times = interleaved(sides, rounds)
        medians = "  ".join(f"{side} {statistics.median(v) * 1e3:8.3f}" for side, v in times.items())
        print(f"{name:12s} {medians}  {spread(times['minigrad'], times['torch']) if torch else ''}")


def import_time() -> None:
    """Print what `import minigrad` adds to `import numpy`, each in fresh processes in turn."""

    # With Python's cached bytecode, as any installed package has it.
    compiled = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def run(code: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-c", code], check=True, env=compiled)

    times = interleaved({"numpy": run("import numpy"), "minigrad": run("import numpy, minigrad")}, 20)
    added = [(b - a) * 1e3 for a, b in zip(times["numpy"], times["minigrad"], strict=True)]
    numpy_alone = statistics.median(times["numpy"]) * 1e3
    print(f"\nimport: numpy {numpy_alone:.0f} ms; minigrad adds {statistics.median(added):.0f} ms")


def chain(length: int = 1_000_000) -> None:
    """Print how long a chain of a million ops takes to build, differentiate and free."""
    x = mg.ones(1, requires_grad=True)
    marks = [time.perf_counter()]
    y = x
    for _ in range(length):
        y = y + 1.0
    marks.append(time.perf_counter())
    y.backward()
    marks.append(time.perf_counter())
    del y
    marks.append(time.perf_counter())
    built, swept, freed = ((b - a) for a, b in itertools.pairwise(marks))
    print(f"\nchain of {length:,} ops: built {built:.2f} s, differentiated {swept:.2f} s, freed {freed:.2f} s")
    w = mg.tensor(1.0, dtype=mg.float64, requires_grad=True)
    y = w
    for _ in range(60):
        y = y + y
    start = time.perf_counter()
    y.backward()
    print(f"60 doublings: {(time.perf_counter() - start) * 1e3:.2f} ms, gradient 2**60: {w.grad.item() == 2.0**60}")


def main() -> None:
    """Run the parts named on the command line, or all."""
    parts = {"ops": per_op, "steps": steps, "import": import_time, "chain": chain}
    if torch:
        torch.set_num_threads(1)
    rival = f"torch {torch.__version__}" if torch else "torch is not installed"
    print(f"minigrad {mg.__version__}, numpy {np.__version__}, {rival}, Python {sys.version.split()[0]}")
    for name in sys.argv[1:] or parts:
        parts[name]()


if __name__ == "__main__":
    main()

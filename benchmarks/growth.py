"""How the cost grows: with the depth of a net, with the nodes of a graph, with the size of a batch."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

import minigrad as mg
from benchmarks.workloads import card_cnn, mlp, side, training
from minigrad import nn

Step = Callable[[], Any]
DEPTHS = (10, 30, 100, 300, 1000)
NODES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
BATCHES = (64, 128, 256, 512, 1024)


def deep(layers: int) -> Step:
    """Return a forward and backward through `layers` layers, each adding a little to what came in."""
    mg.manual_seed(0)
    stack = [nn.Linear(32, 32) for _ in range(layers)]
    x = mg.randn(32, 32)

    def step() -> None:
        h = x
        for layer in stack:
            h = h + layer(h).relu() / layers  # sized so that neither values nor gradients vanish or explode
        h.sum().backward()
        for layer in stack:
            layer.zero_grad()

    return step


def chain(nodes: int) -> Step:
    """Return what builds a graph of `nodes` additions, differentiates it and frees it."""
    x = mg.rand(4, 4, requires_grad=True)

    def step() -> None:
        y = x
        for _ in range(nodes):
            y = y + x
        y.sum().backward()
        x.grad = None

    return step


def quickest(steps: dict[int, Step], rounds: int, collect: bool) -> dict[int, float]:
    """Return the least seconds of each step in some rounds over all, with Python's collector on or off."""
    least = dict.fromkeys(steps, float("inf"))
    for _ in range(rounds):
        for size, step in steps.items():
            gc.collect()
            if not collect:
                gc.disable()
            start = time.perf_counter()
            step()
            least[size] = min(least[size], time.perf_counter() - start)
            gc.enable()
    return least


def line(points: dict[int, float]) -> dict[str, float]:
    """Return a and b of time = a + b n, by least squares of the relative errors, and the largest of these errors.

    >>> line({1: 3.0, 2: 5.0, 10: 21.0})["deviation"] < 1e-9
    True
    """
    n, t = np.array(list(points), float), np.array(list(points.values()))
    (a, b), *_ = np.linalg.lstsq(np.stack([1 / t, n / t], 1), np.ones(len(t)), rcond=None)
    return {"a": float(a), "b": float(b), "deviation": float(np.abs(t / (a + b * n) - 1).max())}


def grown(make: Callable[[int], Step], sizes: Iterable[int], rounds: int) -> dict[str, Any]:
    """Return the times of all sizes with the collector off, the line through them, and the times with it on."""
    steps = {size: make(size) for size in sizes}
    steps[min(steps)]()
    off = quickest(steps, rounds, collect=False)
    return {"seconds": off, "line": line(off), "collector_on": quickest(steps, 1, collect=True)}


def per_sample(model: Callable[[Any], Any], shape: tuple[int, ...], rounds: int) -> dict[int, float]:
    """Return seconds per sample of a training step for each size of the batch."""
    ours = side("minigrad")
    steps = {n: training(model, (n, *shape))(ours) for n in BATCHES}
    for step in steps.values():
        step()
    return {n: seconds / n for n, seconds in quickest(steps, rounds, collect=True).items()}


def answer(threads: int, quick: bool) -> dict[str, Any]:
    """Return all that is measured here."""
    mg.set_num_threads(threads)
    rounds = 2 if quick else 3
    return {
        "depth": grown(deep, DEPTHS, 4 * rounds),
        "nodes": grown(chain, NODES[:-2] if quick else NODES, rounds),
        "samples": {
            "mlp": per_sample(mlp, (784,), 4 * rounds),
            "card-cnn": per_sample(card_cnn, (1, 28, 28), rounds),
        },
    }

"""The floor of a step: the time that NumPy's own matmul takes for the products that it contains.

They are found by watching one step: of each op that multiplies matrices, the shapes, and which inputs need a gradient.
A convolution counts as the product of its unfolded input (im2col) with its weight.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import graph

Form = tuple[int, int, int, int]  # how many products, each of m x k with k x n
Product = tuple[Form, ...]  # ways to lay out one product; the quickest counts
Shape = tuple[int, ...]


def product(many: int, m: int, k: int, n: int) -> Product:
    """Return the product in both layouts of its result, as it is and transposed."""
    return (many, m, k, n), (many, n, k, m)


def _linear(shapes: list[Shape], needs: list[bool], y: Shape) -> list[Product]:
    (out, inputs), rows = shapes[1], math.prod(shapes[0][:-1])
    return [product(1, rows, inputs, out)] + [
        p
        for need, p in zip(needs, (product(1, rows, out, inputs), product(1, out, rows, inputs)), strict=False)
        if need
    ]


def _matmul(shapes: list[Shape], needs: list[bool], y: Shape) -> list[Product]:
    many, m, k, n = math.prod(y[:-2]), y[-2], shapes[0][-1], y[-1]
    if len(shapes[1]) == 2:
        many, m = 1, many * m
    backward = (product(many, m, n, k), product(many, k, m, n))
    return [product(many, m, k, n), *(p for need, p in zip(needs, backward, strict=False) if need)]


def _conv(shapes: list[Shape], needs: list[bool], y: Shape) -> list[Product]:
    images, places, (out, channels, *kernel) = y[0], math.prod(y[2:]), shapes[1]
    groups, patch = shapes[0][1] // channels, channels * math.prod(kernel)
    out //= groups

    def forms(a: int, b: int, c: int, over_places: bool) -> Product:
        whole = (a, images * b, c) if over_places else (images * a, b, c)
        return (groups, *whole), *product(images * groups, a, b, c)

    backward = (forms(places, out, patch, False), forms(patch, places, out, True))
    return [forms(places, patch, out, False), *(p for need, p in zip(needs, backward, strict=False) if need)]


def _lstm(shapes: list[Shape], needs: list[bool], y: Shape) -> list[Product]:
    (gates, hidden), rows, batch = shapes[3], y[0], shapes[1][0]
    steps = rows // batch
    found = [product(steps, batch, hidden, gates)]
    return found + [product(steps, batch, gates, hidden), product(1, gates, rows, hidden)] * any(needs)


OPS: dict[str, Callable[[list[Shape], list[bool], Shape], list[Product]]] = {
    "linear": _linear, "matmul": _matmul, "conv2d": _conv, "lstm": _lstm,
}  # fmt: skip


class Products(graph.Observer):
    """The observer that notes the products of every op that has some."""

    def __init__(self) -> None:
        self.found: list[Product] = []

    def forward(self, op: Any, inputs: tuple[Any, ...], attrs: dict[str, Any], call: Callable[[], Any]) -> Any:
        outputs = call()
        if op.name in OPS:
            first = outputs[0] if isinstance(outputs, tuple) else outputs
            needs = [graph.recording.get() and isinstance(x, mg.Tensor) and x.requires_grad for x in inputs]
            shapes = [() if x is None else tuple(x.shape) for x in inputs]
            self.found += OPS[op.name](shapes, needs, tuple(first.shape))
        return outputs

    def rule(self, node: Any, rule: Any, call: Callable[[], Any]) -> Any:
        return call()


def products(step: Callable[[], Any]) -> list[Product]:
    """Return the products of one step of minigrad's, forward and backward."""
    watcher = Products()
    previous = graph.observe(watcher)
    try:
        step()
    finally:
        graph.observe(previous)
    return watcher.found


def multiplications(found: list[Product]) -> int:
    """Return how many multiplications of two numbers the products are."""
    return sum(math.prod(forms[0]) for forms in found)


def floor(found: list[Product]) -> Callable[[], None]:
    """Return the function that does the products, each in the layout that was quickest when tried."""
    forms = {form for layouts in found for form in layouts}
    sizes = [max(q * m * k, q * k * n, q * m * n) for q, m, k, n in forms]
    pools = np.random.default_rng(0).standard_normal((3, max(sizes)), np.float32)

    def ready(form: Form) -> Callable[[], Any]:
        q, m, k, n = form
        shapes = ((q, m, k), (q, k, n), (q, m, n))
        a, b, y = (pool[: math.prod(s)].reshape(s) for pool, s in zip(pools, shapes, strict=True))
        return (lambda: np.matmul(a[0], b[0], out=y[0])) if q == 1 else (lambda: np.matmul(a, b, out=y))

    cost = {form: _quickest(ready(form)) for form in forms}
    calls = [ready(min(layouts, key=cost.__getitem__)) for layouts in found]

    def run() -> None:
        for call in calls:
            call()

    return run


def _quickest(call: Callable[[], Any]) -> float:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return min(times)

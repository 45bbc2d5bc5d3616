"""The arithmetic of the optimisers: parameters and their running averages, updated in place.

An update reads every array several times, so it is done block by block: a block of all of them stays in the cache from
the first operation to the last. Intermediate values go to scratch buffers of a block's size, which are kept: memory
that is new at every step costs more in page faults than the arithmetic. Settings are Python floats, which NumPy takes
in the dtype of the array beside them; a NumPy float64 would widen the result.

Names: in a block, p is the parameter, g its gradient, s scratch.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.dtypes import Array

BLOCK = 1 << 17  # elements: smaller blocks pay more for the calls than they save in the cache, larger ones leave it


def blocks(*arrays: Array | None) -> Iterator[tuple[Any, ...]]:
    """Yield matching pieces of `arrays`, which have one shape or are None.

    >>> [[a.shape for a in pieces] for pieces in blocks(np.zeros((4, BLOCK // 2)), np.zeros((4, BLOCK // 2)))]
    [[(2, 65536), (2, 65536)], [(2, 65536), (2, 65536)]]
    """
    first = arrays[0]
    assert first is not None
    if first.size <= BLOCK:
        yield arrays
        return
    axis, length = _cut(first.shape, first.size)
    for start in range(0, first.shape[axis], length):
        here = (*(slice(None),) * axis, slice(start, start + length))
        yield tuple(None if a is None else a[here] for a in arrays)


def _cut(shape: tuple[int, ...], size: int) -> tuple[int, int]:
    """Return the axis to cut along, the first that is long enough, and the length of a piece."""
    pieces = -(-size // BLOCK)
    longest = max(range(len(shape)), key=shape.__getitem__)
    axis = next((k for k, n in enumerate(shape) if n >= pieces), longest)
    return axis, -(-shape[axis] // pieces)


class _Held(threading.local):
    """The scratch buffers of one thread, by number and dtype."""

    def __init__(self) -> None:
        self.buffers: dict[tuple[int, np.dtype[Any]], Array] = {}


_held = _Held()


def scratch(like: Array, number: int = 0) -> Array:
    """Return scratch buffer `number`, in the shape and dtype of `like`; it holds whatever was left there."""
    buffer = _held.buffers.get((number, like.dtype))
    if buffer is None or buffer.size < like.size:
        buffer = _held.buffers[number, like.dtype] = np.empty(max(like.size, BLOCK), like.dtype)
    return buffer[: like.size].reshape(like.shape)


def descent(p: Array, g: Array, weight_decay: float, maximize: bool) -> Array:
    """Return the gradient to descend along: `g`, or, in scratch 1, -g to maximise, with weight_decay * p added.

    >>> descent(np.array([10.0]), np.array([3.0]), weight_decay=0.1, maximize=True)
    array([-2.])
    """
    if weight_decay:
        decayed = np.multiply(p, weight_decay, out=scratch(p, 1))
        return (np.subtract if maximize else np.add)(decayed, g, out=decayed)
    return np.negative(g, out=scratch(p, 1)) if maximize else g


def sgd(
    param: Array,
    grad: Array,
    momentum_buffer: Array | None,
    *,
    lr: float,
    momentum: float,
    dampening: float,
    nesterov: bool,
    weight_decay: float,
    maximize: bool,
) -> None:
    """Move `param` down its gradient, or along `momentum_buffer`, the decaying sum of its gradients."""
    for p, g, buffer in blocks(param, grad, momentum_buffer):
        s = scratch(p)
        g = descent(p, g, weight_decay, maximize)
        if buffer is not None:
            np.multiply(buffer, momentum, out=buffer)
            np.add(buffer, np.multiply(g, 1 - dampening, out=s) if dampening else g, out=buffer)
            g = np.add(g, np.multiply(buffer, momentum, out=s), out=scratch(p, 1)) if nesterov else buffer
        np.subtract(p, np.multiply(g, lr, out=s), out=p)


def adam(
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    max_exp_avg_sq: Array | None,
    *,
    step: float,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
    shrink: float,
) -> None:
    """Shrink `param`, then move it by the running mean of its gradient over the root of that of its square.

    With c = sqrt(1 - beta2^step) the step m_hat / (sqrt(v_hat) + eps) is c / (1 - beta1^step) * m / (sqrt(v) + c eps),
    which costs one pass less.
    """
    c = math.sqrt(1 - beta2**step)
    rate = lr * c / (1 - beta1**step)
    for p, g, m, v, top in blocks(param, grad, exp_avg, exp_avg_sq, max_exp_avg_sq):
        s = scratch(p)
        if shrink != 1:
            np.multiply(p, shrink, out=p)
        g = descent(p, g, weight_decay, maximize)
        move_towards(m, g, 1 - beta1, s)
        average_square(v, g, beta2, s)
        if top is not None:
            v = np.maximum(top, v, out=top)
        np.add(np.sqrt(v, out=s), c * eps, out=s)
        np.multiply(np.divide(m, s, out=s), rate, out=s)
        np.subtract(p, s, out=p)


def rmsprop(
    param: Array,
    grad: Array,
    square_avg: Array,
    momentum_buffer: Array | None,
    grad_avg: Array | None,
    *,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    maximize: bool,
) -> None:
    """Move `param` by its gradient over the root of the mean of its square or, with `grad_avg`, of its variance."""
    for p, g, v, buffer, mean in blocks(param, grad, square_avg, momentum_buffer, grad_avg):
        s = scratch(p)
        g = descent(p, g, weight_decay, maximize)
        average_square(v, g, alpha, s)
        if mean is not None:
            move_towards(mean, g, 1 - alpha, s)
            v = np.subtract(v, np.multiply(mean, mean, out=s), out=s)
        np.add(np.sqrt(v, out=s), eps, out=s)
        step = np.divide(g, s, out=s)
        if buffer is not None:
            np.multiply(buffer, momentum, out=buffer)
            step = np.add(buffer, step, out=buffer)
        np.subtract(p, np.multiply(step, lr, out=s), out=p)


def move_towards(mean: Array, g: Array, weight: float, s: Array) -> None:
    """Make `mean` the mean of itself and `g`, which counts with `weight`."""
    np.multiply(np.subtract(g, mean, out=s), weight, out=s)
    np.add(mean, s, out=mean)


def average_square(mean: Array, g: Array, keep: float, s: Array) -> None:
    """Make `mean` the mean of itself, which counts with `keep`, and the square of `g`."""
    np.multiply(np.multiply(g, 1 - keep, out=s), g, out=s)  # in PyTorch's order, to be rounded alike
    np.multiply(mean, keep, out=mean)
    np.add(mean, s, out=mean)

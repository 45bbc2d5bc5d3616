"""The arithmetic of the optimisers that are less in use, on the blocks and scratch buffers of `kernels.optim`.

What takes `shrink` multiplies the parameter by it first: weight decay apart from the gradient.
"""

from __future__ import annotations

import math

import numpy as np

from minigrad.dtypes import Array
from minigrad.kernels.optim import average_square, blocks, descent, move_towards, scratch


def adagrad(
    param: Array, grad: Array, total: Array, *, rate: float, eps: float, weight_decay: float, maximize: bool
) -> None:
    """Move `param` by its gradient over the root of the `total` of the squares so far."""
    for p, g, v in blocks(param, grad, total):
        s = scratch(p)
        g = descent(p, g, weight_decay, maximize)
        np.add(v, np.multiply(g, g, out=s), out=v)
        np.add(np.sqrt(v, out=s), eps, out=s)
        np.multiply(np.divide(g, s, out=s), rate, out=s)
        np.subtract(p, s, out=p)


def adadelta(
    param: Array,
    grad: Array,
    square_avg: Array,
    acc_delta: Array,
    *,
    lr: float,
    rho: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """Move `param` by its gradient, times the recent size of the moves over the recent size of the gradient."""
    for p, g, v, moved in blocks(param, grad, square_avg, acc_delta):
        s, step = scratch(p), scratch(p, 2)
        g = descent(p, g, weight_decay, maximize)
        average_square(v, g, rho, s)
        np.sqrt(np.add(v, eps, out=s), out=s)
        np.sqrt(np.add(moved, eps, out=step), out=step)
        np.multiply(np.divide(step, s, out=step), g, out=step)
        average_square(moved, step, rho, s)
        np.subtract(p, np.multiply(step, lr, out=s), out=p)


def adamax(
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_inf: Array,
    *,
    rate: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """Move `param` by the running mean of its gradient over the decaying maximum of its size."""
    for p, g, m, top in blocks(param, grad, exp_avg, exp_inf):
        s = scratch(p)
        g = descent(p, g, weight_decay, maximize)
        move_towards(m, g, 1 - beta1, s)
        np.multiply(top, beta2, out=top)
        np.maximum(top, np.add(np.abs(g, out=s), eps, out=s), out=top)
        np.multiply(np.divide(m, top, out=s), rate, out=s)
        np.subtract(p, s, out=p)


def nadam(
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    *,
    grad_rate: float,
    mean_rate: float,
    root: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
    shrink: float,
) -> None:
    """Move `param` by its gradient and the running mean of it, each at its rate, over the root of that of its square.

    `root` is the root of what corrects the mean of the squares for its start at zero.
    """
    for p, g, m, v in blocks(param, grad, exp_avg, exp_avg_sq):
        s, step = scratch(p), scratch(p, 2)
        if shrink != 1:
            np.multiply(p, shrink, out=p)
        g = descent(p, g, weight_decay, maximize)
        move_towards(m, g, 1 - beta1, s)
        average_square(v, g, beta2, s)
        np.add(np.divide(np.sqrt(v, out=s), root, out=s), eps, out=s)
        for moved, rate in ((g, grad_rate), (m, mean_rate)):  # one after the other, to be rounded as in PyTorch
            np.multiply(np.divide(moved, s, out=step), rate, out=step)
            np.subtract(p, step, out=p)


def radam(
    param: Array,
    grad: Array,
    exp_avg: Array,
    exp_avg_sq: Array,
    *,
    mean_rate: float,
    adaptive: float | None,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
    shrink: float,
) -> None:
    """Move `param` by the running mean of its gradient, times `adaptive` over the root of that of its square.

    Without `adaptive` the squares are only counted: there are too few of them yet to divide by.
    """
    for p, g, m, v in blocks(param, grad, exp_avg, exp_avg_sq):
        s = scratch(p)
        if shrink != 1:
            np.multiply(p, shrink, out=p)
        g = descent(p, g, weight_decay, maximize)
        move_towards(m, g, 1 - beta1, s)
        average_square(v, g, beta2, s)
        if adaptive is None:
            np.multiply(m, mean_rate, out=s)
        else:
            np.add(np.sqrt(v, out=s), eps, out=s)
            np.multiply(np.divide(m, s, out=s), mean_rate * adaptive, out=s)
        np.subtract(p, s, out=p)


def rprop(
    param: Array,
    grad: Array,
    prev: Array,
    step_size: Array,
    *,
    shorter: float,
    longer: float,
    least: float,
    most: float,
    maximize: bool,
) -> None:
    """Move each element of `param` against the sign of its gradient by a step of its own.

    The step grows while the sign stays, and shrinks when it has changed; then the element waits for a step.
    """
    for p, g, before, size in blocks(param, grad, prev, step_size):
        s = scratch(p)
        g = descent(p, g, 0.0, maximize)
        turn = np.multiply(g, before, out=s)
        turned = turn < 0
        size[turned] *= shorter
        size[turn > 0] *= longer
        np.clip(size, least, most, out=size)
        np.copyto(before, g)
        before[turned] = 0
        np.multiply(np.sign(before, out=s), size, out=s)
        np.subtract(p, s, out=p)


def asgd(
    param: Array,
    grad: Array,
    average: Array,
    *,
    rate: float,
    mu: float,
    weight_decay: float,
    maximize: bool,
    shrink: float,
) -> None:
    """Move `param` down its gradient, and `average` towards it by the part `mu`."""
    for p, g, mean in blocks(param, grad, average):
        s = scratch(p)
        g = descent(p, g, weight_decay, maximize)
        np.multiply(p, shrink, out=p)
        np.subtract(p, np.multiply(g, rate, out=s), out=p)
        if mu == 1:
            np.copyto(mean, p)
        else:
            move_towards(mean, p, mu, s)


def adafactor(
    param: Array, grad: Array, variance: Array, *, least: float, most: float, rate: float, shrink: float
) -> None:
    """Move `param` by `rate` times its gradient over the root of `variance`, held to root mean square `most`."""
    step = np.asarray(grad / np.sqrt(np.maximum(variance, least * least)))  # of 0 dims NumPy makes no array
    size = root_mean_square(step)
    np.multiply(param, shrink, out=param)
    np.subtract(param, np.multiply(step, rate / max(1.0, size / most), out=step), out=param)


def root_mean_square(x: Array) -> float:
    """Return the root of the mean of the squares of `x`; nan if it is empty.

    >>> root_mean_square(np.array([3.0, -3.0]))
    3.0
    """
    return math.sqrt(float((x * x).sum()) / x.size) if x.size else math.nan


def orthogonalised(matrix: Array, coefficients: tuple[float, float, float], steps: int, eps: float) -> Array:
    """Return about the nearest matrix with singular values of 1, by Newton and Schulz's iteration.

    It is done in bfloat16's precision, PyTorch's choice, which is kept here by rounding, for the same numbers.
    """
    a, b, c = map(np.float32, coefficients)
    tall = matrix.shape[0] > matrix.shape[1]
    x = _bfloat16(matrix.T if tall else matrix)
    norm = _bfloat16(np.sqrt((x * x).sum(keepdims=True)))
    x = _bfloat16(x / np.maximum(norm, np.float32(eps)))
    for _ in range(steps):
        gram = _bfloat16(x @ x.T)
        x = _bfloat16(a * x + _bfloat16(b * gram + c * (gram @ gram)) @ x)
    return x.T if tall else x


def _bfloat16(x: Array) -> Array:
    """Return `x` as float32 whose last 16 bits are rounded away, ties to even."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    odd = (bits >> np.uint32(16)) & np.uint32(1)
    rounded: Array = ((bits + np.uint32(0x7FFF) + odd) & np.uint32(0xFFFF0000)).view(np.float32)
    return rounded

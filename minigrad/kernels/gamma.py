"""The gamma function's logarithm and its derivatives, and numbers drawn from gamma distributions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.dtypes import Array

# The even Bernoulli numbers B2, B4, ...
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798)
_FAR = 15  # from here on the asymptotic series is as exact as a float64
_DEEPEST = 1000


def lgamma(x: Array) -> Array:
    """Return log |Gamma(x)|: inf at 0 and at the negative integers."""
    return np.array([_log_gamma(v) for v in x.ravel().tolist()], x.dtype).reshape(x.shape)


def _log_gamma(x: float) -> float:
    return math.inf if x <= 0 and x % 1 == 0 else math.lgamma(x)


def digamma(x: Array) -> Array:
    """Return the derivative of lgamma: -inf at 0, nan at the negative integers."""
    z = x.astype(np.float64)
    with np.errstate(all="ignore"):
        mirrored = _series(0, 1 - z) - math.pi / np.tan(math.pi * (z - np.ceil(z)))
        y = np.where(z > 0, _series(0, z), np.where(z == np.floor(z), math.nan, mirrored))
    y[...] = np.where(z == 0, np.copysign(math.inf, -z), y)
    return y.astype(x.dtype)


def polygamma(x: Array, *, n: int) -> Array:
    """Return the n-th derivative of digamma."""
    if n == 0:
        return digamma(x)
    with np.errstate(all="ignore"):
        return _series(n, x.astype(np.float64)).astype(x.dtype)


def _series(n: int, x: Array) -> Array:
    """Return the n-th derivative of digamma: the recurrence up to where the asymptotic series is exact.

    Far below 0 that is not reached, and the result is nan.
    """
    sign, total = (-1) ** (n + 1), np.zeros_like(x)
    x = np.where(x < -_DEEPEST, math.nan, x)
    for _ in range(math.ceil(_FAR + n - np.nanmin(x, initial=0))):
        near = x < _FAR + n
        total += np.where(near, sign * math.factorial(n) / x ** (n + 1), 0)
        x = np.where(near, x + 1, x)
    if n == 0:
        total += np.log(x) - 0.5 / x
    else:
        total += sign * (math.factorial(n - 1) / x**n + math.factorial(n) / (2 * x ** (n + 1)))
    for k, bernoulli in enumerate(_BERNOULLI, 1):
        total += sign * bernoulli * math.factorial(2 * k + n - 1) / math.factorial(2 * k) / x ** (2 * k + n)
    return total


_THIRD, _SQUEEZE = np.float32(1) / np.float32(3), float(np.float32(0.0331))


def standard_gamma(shapes: Array, stream: Any) -> Array:
    """Return, as float64, a draw from the gamma distribution of each shape, with the numbers PyTorch's stream gives."""
    return np.array([_one_gamma(a, stream) for a in shapes.ravel()], np.float64).reshape(shapes.shape)


def _one_gamma(a: Any, stream: Any) -> float:
    """Draw by rejection (Marsaglia & Tsang, 2000); below shape 1 from the next shape up, and scaled."""
    kind, scale = type(a), 1.0
    if a < 1:
        if a == 0:
            return 0.0
        scale = (1 - float(stream.uniform(1, np.float64)[0])) ** float(np.float32(1) / a)
        a = a + kind(1)
    d = float(a - kind(_THIRD))
    c = 1 / math.sqrt(9 * d)
    while True:
        y = 0.0
        while y <= 0:
            x = float(stream.normal(1, np.float64)[0])
            y = 1 + c * x
        v, u, square = y * y * y, 1 - float(stream.uniform(1, np.float64)[0]), x * x
        if u < 1 - _SQUEEZE * square * square or math.log(u) < 0.5 * square + d * (1 - v + math.log(v)):
            return scale * d * v

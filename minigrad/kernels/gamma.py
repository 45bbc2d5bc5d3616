"""The logarithm of the gamma function and its derivatives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.dtypes import Array

# B_2k of the asymptotic series (Abramowitz & Stegun, Handbook of Mathematical Functions, 6.4.11).
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798)
_FAR = 15.0


def _narrowed(y: Any, x: Array) -> Array:
    return np.asarray(y, np.float64).astype(x.dtype)


def _log_gamma(x: float) -> float:
    if math.isnan(x):
        return x
    if math.isinf(x) or (x <= 0 and x == math.floor(x)):
        return math.inf
    return math.lgamma(x)


def lgamma(x: Array) -> Array:
    """Return log|gamma(x)|, in double precision inside; at 0, -1, -2 ... it is inf."""
    flat = np.array([_log_gamma(v) for v in x.reshape(-1).tolist()], np.float64)
    return _narrowed(flat.reshape(x.shape), x)


def polygamma(x: Array, *, n: int) -> Array:
    """Return the n-th derivative of digamma, in double precision inside.

    By its recurrence to numbers above 15, and there by the asymptotic series; below 0 by reflection (digamma only;
    the others by the recurrence from as far below as needed).
    """
    t = np.asarray(x, np.float64)
    if n == 0:
        return _narrowed(_digamma(t), x)
    steps = int(np.ceil(np.max(np.where(np.isfinite(t), _FAR - t, 0.0), initial=0.0)))
    sign, size = (-1) ** (n + 1), math.factorial(n)
    total = np.zeros_like(t)
    for k in range(min(steps, 10_000)):
        total += np.where(t + k < _FAR, 1.0, 0.0) / (t + k) ** (n + 1)
    far = np.where(t < _FAR, t + np.ceil(_FAR - t), t)
    series = math.factorial(n - 1) / far**n + size / (2 * far ** (n + 1))
    for k, b in enumerate(_BERNOULLI, 1):
        series = series + b * math.factorial(2 * k + n - 1) / math.factorial(2 * k) / far ** (2 * k + n)
    return _narrowed(sign * (series + size * total), x)


def _digamma(t: Array) -> Array:
    below = t < 0
    x = np.where(below, 1 - t, t)
    total = np.zeros_like(x)
    for _ in range(int(_FAR)):
        small = x < _FAR
        total -= np.where(small, 1 / x, 0.0)
        x = np.where(small, x + 1, x)
    series = np.log(x) - 0.5 / x
    for k, b in enumerate(_BERNOULLI, 1):
        series = series - b / (2 * k) / x ** (2 * k)
    found = series + total
    reflected = found - math.pi / np.tan(math.pi * np.fmod(t, 1.0))
    result = np.where(below, np.where(t == np.floor(t), np.nan, reflected), found)
    return np.where(t == 0, np.copysign(np.inf, -t), result)

"""Evenly spaced numbers, rounded as PyTorch rounds them, and products and sums rounded once."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.dtypes import Array

_F16, _F64 = np.dtype(np.float16), np.dtype(np.float64)


def stepped(start: float, step: float, count: int, kind: np.dtype[Any]) -> Array:
    """Return start, start + step, ... : `count` numbers of dtype `kind`.

    PyTorch computes them 32 bytes at a time: the first of those is rounded, and the others are counted from it. What
    does not fill two times 32 bytes is computed one by one.
    """
    if kind.kind != "f":
        return (start + np.arange(count) * step).astype(kind)
    at = np.arange(count, dtype=_F64)
    values = multiply_add(at, step, start).astype(kind)
    width = 32 // kind.itemsize
    blocks = count // (2 * width) * 2
    firsts = values[: blocks * width : width].astype(_F64)
    values[: blocks * width].reshape(blocks, width)[...] = multiply_add(np.arange(float(width)), step, firsts[:, None])
    return values


def spaced(start: float, end: float, steps: int, kind: np.dtype[Any]) -> Array:
    """Return `steps` numbers from `start` to `end`, both included: one half counted up, the other down.

    They are computed in their own dtype, integers in double precision. Product and sum are rounded once, but
    each for float16.
    """
    work = kind.type if kind.kind == "f" else np.float64
    first, last = work(start), work(end)
    if steps < 2:
        return np.full(steps, first).astype(kind)
    step = (last - first) / work(steps - 1)
    at = np.arange(steps, dtype=_F64)
    half = steps // 2
    up, down = at[:half], at[: steps - half][::-1]
    values = np.concatenate([_along(up, step, first), _along(down, -step, last)])
    return values.astype(kind)


def _along(x: Array, factor: Any, term: Any) -> Array:
    kind = np.asarray(factor).dtype
    if kind == _F16:
        return np.asarray(x.astype(kind) * factor + term)
    return multiply_add(x, float(factor), float(term)).astype(kind)


def multiply_add(x: Array, factor: float, term: Any) -> Array:
    """Return x * factor + term rounded once, as a processor's fused instruction does (Dekker 1971, Knuth's two-sum)."""
    product = x * factor
    x_high, f_high = _high_half(x), _high_half(factor)
    x_low, f_low = x - x_high, factor - f_high
    lost = ((x_high * f_high - product) + x_high * f_low + x_low * f_high) + x_low * f_low
    total = product + term
    back = total - product
    return np.asarray(total + ((product - (total - back)) + (term - back) + lost))


def _high_half(x: Any) -> Any:
    """Return `x` with the upper 26 bits of its 53: products of two such halves are exact."""
    shifted = (2.0**27 + 1) * x
    return shifted - (shifted - x)

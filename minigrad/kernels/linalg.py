"""Matrix products and the linear map of a layer."""

from __future__ import annotations

import math

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import ShapeError
from minigrad.kernels.products import product


def matmul(a: Array, b: Array) -> Array:
    """Return a @ b for matrices or batches of them; leading dims broadcast."""
    if a.shape[-1] != b.shape[-2]:
        raise ShapeError(
            f"matmul: mat1 and mat2 shapes cannot be multiplied ({_by(a)} and {_by(b)}): axis -1 of the first is "
            f"{a.shape[-1]}, axis -2 of the second is {b.shape[-2]}"
        )
    if a.ndim > 2 and b.ndim == 2 and a.flags.c_contiguous:  # one large product instead of many small ones
        return product(a.reshape(math.prod(a.shape[:-1]), a.shape[-1]), b).reshape(*a.shape[:-1], b.shape[1])
    return product(a, b) if a.ndim == 2 == b.ndim else np.matmul(a, b)


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """Return x @ weight^T + bias for x (..., in), weight (out, in), bias (out,)."""
    if x.ndim == 0 or x.shape[-1] != weight.shape[1]:
        raise ShapeError(_linear_mismatch(x, weight))
    rows = x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
    # For few rows and many outputs weight @ x^T, turned round, takes some of the BLAS kernels a tenth less time.
    y = product(rows, weight.T) if 2 * len(rows) > len(weight) else product(weight, rows.T).T
    if bias is None:
        y = np.ascontiguousarray(y)
    elif y.flags.c_contiguous:
        y += bias
    else:
        y = np.add(y, bias, order="C")
    return y if x.ndim == 2 else y.reshape(*x.shape[:-1], len(weight))


def _linear_mismatch(x: Array, weight: Array) -> str:
    out, need = weight.shape
    message = (
        f"linear: input {x.shape} and weight {weight.shape} do not fit: axis -1 of the input is "
        f"{x.shape[-1] if x.ndim else 'missing'}, the layer needs {need} "
        f"(mat1 and mat2 shapes cannot be multiplied: {_by(x)} and {need}x{out})"
    )
    for k in range(1, x.ndim - 1):
        if np.prod(x.shape[k:]) == need:
            factors = "*".join(map(str, x.shape[k:]))
            return f"{message}. {factors} = {need}: insert Flatten() before this layer"
    return message


def _by(x: Array) -> str:
    return "x".join(map(str, x.shape))

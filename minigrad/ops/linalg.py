"""Matrix products."""

from __future__ import annotations

import math
from typing import Any

from minigrad.errors import ShapeError
from minigrad.graph import composite, primitive
from minigrad.kernels import linalg as kernel
from minigrad.ops.shape import permute, reshape, transpose


def _right(g: Any, a: Any, b_shape: tuple[int, ...]) -> Any:
    """Return the gradient of b in a @ b; where only a has a batch, the product itself sums over it."""
    if len(b_shape) == 2 and a.ndim > 2 and g.ndim == a.ndim:
        return matrix_product(transpose(_rows(a), 0, 1), _rows(g))
    return matrix_product(transpose(a, -1, -2), g)


def _rows(x: Any) -> Any:
    """Return `x` as a matrix, with all dims but the last made one."""
    return x if x.ndim == 2 else reshape(x, shape=(math.prod(x.shape[:-1]), x.shape[-1]))


matrix_product = primitive(
    "matmul", kernel.matmul, casts="same",
    a=lambda g, b: matrix_product(g, transpose(b, -1, -2)),
    b=lambda g, a, b_shape: _right(g, a, b_shape),
)  # fmt: skip
linear = primitive(
    "linear", kernel.linear, casts="same",
    x=lambda g, weight: matmul(g, weight),
    weight=lambda g, x: matrix_product(permute(_rows(g), dims=(1, 0)), _rows(x)),
    bias=lambda g: g,
)  # fmt: skip


@composite
def matmul(a: Any, b: Any) -> Any:
    """Return the product of two vectors, matrices or batches of matrices; leading dims broadcast.

    A 1-D `a` is a row and a 1-D `b` a column, whose dim does not appear in the result.
    """
    if a.ndim == 0 or b.ndim == 0:
        raise ShapeError(
            f"matmul: both arguments need at least 1 dim, got shapes {tuple(a.shape)} and {tuple(b.shape)}"
        )
    row, column = a.ndim == 1, b.ndim == 1
    y = matrix_product(reshape(a, shape=(1, *a.shape)) if row else a, reshape(b, shape=(*b.shape, 1)) if column else b)
    if row:
        y = reshape(y, shape=(*y.shape[:-2], y.shape[-1]))
    return reshape(y, shape=tuple(y.shape[:-1])) if column else y

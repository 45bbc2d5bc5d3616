"""Matrix products and the linear map of a layer."""

from __future__ import annotations

import functools
import math

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import ShapeError
from minigrad.kernels.threads import divided, one_thread, threads


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


_SMALL = 1_000_000  # multiplications up to which OpenBLAS reads matrices where they lie
_COLUMNS = 64  # of a tile, where tiles of all columns would be less than 8 rows high
_REPAID = 64  # rows in `a` that repay bringing the columns of `b` into rows, which costs more per element
_CHEAP = 1 << 17  # where `b` has more elements than this


def product(a: Array, b: Array) -> Array:
    """Return a @ b for two matrices, in tiles and on several threads where that is quicker.

    BLAS first copies parts of large matrices into the order that suits it. OpenBLAS's kernels for AVX-512 spare
    themselves this for small ones and then take a seventh less time; so a large product is made of small ones.
    """
    work = a.size * b.shape[1]
    tile = None if work <= _SMALL else _tile(len(a), *b.shape)
    if tile is None or a.dtype.char not in "fd" or b.dtype != a.dtype or not (_is_regular(a) and _is_regular(b)):
        return np.dot(a, b)  # np.matmul takes eight times as long where one dim is 1: a single sample's gradient
    if b.strides[1] != b.itemsize:
        if len(a) < _REPAID or b.size > _CHEAP:
            return np.dot(a, b)
        b = np.ascontiguousarray(b)
    y = np.empty((len(a), b.shape[1]), a.dtype)
    if threads.shares(work):
        divided(lambda part: _fill(y[part], a[part], b, *tile), len(a), work)
    else:
        _fill(y, a, b, *tile)
    return y


@functools.cache
def _tiles_pay() -> bool:
    """Return whether NumPy's BLAS is one that multiplies small matrices without copying them first."""
    quick = {"SkylakeX", "Cooperlake", "SapphireRapids"}
    return any(getattr(library, "architecture", "") in quick for library in one_thread.libraries())


def _is_regular(x: Array) -> bool:
    """Return whether BLAS can read `x` as it is, by rows or by columns."""
    (rows, columns), (down, right), one = x.shape, x.strides, x.itemsize
    return (right == one and down >= columns * one) or (down == one and right >= rows * one)


@functools.lru_cache(maxsize=1024)
def _tile(rows: int, deep: int, wide: int) -> tuple[int, int] | None:
    """Return how many rows and columns of a product to compute at a time; None where tiles do not pay."""
    columns = wide if 8 * deep * wide <= _SMALL else _COLUMNS
    most = min(128, _SMALL // (deep * columns)) // 8 * 8
    if rows < 8 or most < (8 if columns == wide else 16) or columns > wide or not _tiles_pay():
        return None
    return min(most, 8 * math.ceil(rows / math.ceil(rows / most) / 8)), columns


def _fill(y: Array, a: Array, b: Array, tall: int, wide: int) -> None:
    """Make `y` the product a @ b, in tiles of `tall` rows and `wide` columns and smaller ones at the edges.

    All of `a` meets one strip of `b` after the other, which stays in the cache meanwhile.
    """
    rows, columns = len(a) // tall, b.shape[1] // wide
    down, right = rows * tall, columns * wide
    np.matmul(
        a[:down].reshape(rows, tall, a.shape[1]),
        b[:, :right].reshape(len(b), columns, 1, wide).transpose(1, 2, 0, 3),
        out=y[:down, :right].reshape(rows, tall, columns, wide).transpose(2, 0, 1, 3),
    )
    if right < b.shape[1]:
        _fill(y[:down, right:], a[:down], b[:, right:], tall, b.shape[1] - right)
    if down < len(a):
        _fill(y[down:], a[down:], b, len(a) - down, wide)


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

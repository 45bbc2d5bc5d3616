"""Products of matrices in pieces that BLAS multiplies where they lie.

Before OpenBLAS multiplies it packs both matrices into an order of its own, which takes a tenth of the time of a wide
product and more than half of a thin one's. Its kernels for processors with AVX-512 leave that out up to a million
multiplications; on others it always packs, and small pieces would only be slower.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache

import numpy as np

from minigrad.dtypes import Array
from minigrad.kernels.threads import divided, one_thread, threads

_UNPACKED = 1_000_000  # multiplications
_ROWS = 12  # of which pieces are made of a multiple, as the kernels work on so many at a time
_COLUMNS = 64  # of a tile, where tiles of all columns would be less than 8 rows high
_REPAID = 64  # rows in `a` that repay bringing the columns of `b` into rows, which costs more per element
_CHEAP = 1 << 17  # where `b` has more elements than this
_KERNELS = {"SkylakeX", "Cooperlake", "SapphireRapids"}


@cache
def _spares_packing() -> bool:
    """Return whether the BLAS that is loaded has kernels that do without packing."""
    return any(getattr(library, "architecture", None) in _KERNELS for library in one_thread.libraries())


def multiply(a: Array, b: Array, out: Array) -> None:
    """Write a @ b into `out`, stacks of matrices (stack, rows, columns), a few rows of `a` at a time."""
    rows, inner = a.shape[1:]
    step = _UNPACKED // max(1, inner * b.shape[2]) // _ROWS * _ROWS
    if step == 0 or step >= rows or not _spares_packing():
        np.matmul(a, b, out=out)
        return
    whole = rows - rows % step
    pieces, results = (m[:, :whole].reshape(len(m), whole // step, step, m.shape[2]) for m in (a, out))
    np.matmul(pieces, b[:, None], out=results)
    if whole < rows:
        np.matmul(a[:, whole:], b, out=out[:, whole:])


def product(a: Array, b: Array) -> Array:
    """Return a @ b for two matrices, in tiles and on several threads where that is quicker.

    Where packing is never spared, it is one product of BLAS's.
    """
    work = a.size * b.shape[1]
    tile = None if work <= _UNPACKED else _tile(len(a), *b.shape)
    if tile is None or a.dtype.char not in "fd" or b.dtype != a.dtype or not (_is_regular(a) and _is_regular(b)):
        return _whole(a, b, work)
    if b.strides[1] != b.itemsize:
        if len(a) < _REPAID or b.size > _CHEAP:
            return _whole(a, b, work)
        b = np.ascontiguousarray(b)
    y = np.empty((len(a), b.shape[1]), a.dtype)
    if threads.shares(work):
        divided(lambda part: _fill(y[part], a[part], b, *tile), len(a), work)
    else:
        _fill(y, a, b, *tile)
    return y


def _whole(a: Array, b: Array, work: int) -> Array:
    """Return a @ b as BLAS computes it, the rows of much work shared: BLAS's own threads spin on when it is done."""
    if not threads.shares(work):
        return np.dot(a, b)  # np.matmul takes eight times as long where one dim is 1: a single sample's gradient
    y = np.empty((len(a), b.shape[1]), np.result_type(a, b))
    divided(lambda part: np.dot(a[part], b, out=y[part]), len(a), work)
    return y


def _is_regular(x: Array) -> bool:
    """Return whether BLAS can read `x` as it is, by rows or by columns."""
    (rows, columns), (down, right), one = x.shape, x.strides, x.itemsize
    return (right == one and down >= columns * one) or (down == one and right >= rows * one)


@lru_cache(maxsize=1024)
def _tile(rows: int, deep: int, wide: int) -> tuple[int, int] | None:
    """Return how many rows and columns of a product to compute at a time; None where tiles do not pay."""
    columns = wide if 8 * deep * wide <= _UNPACKED else _COLUMNS
    most = min(128, _UNPACKED // (deep * columns)) // 8 * 8
    if rows < 8 or most < (8 if columns == wide else 16) or columns > wide or not _spares_packing():
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

"""Normalisation over some axes, with its gradient, and sums over all axes but that of the channels.

An array is seen as a cube (before, kept, after) in the order it has in memory: statistics are taken over the outer two,
for each of the kept. For images with their planes together that is (N, C, H*W), with channels last (N*H*W, C, 1), and
for a layer norm (1, rows, features). Work goes block by block, so that its passes stay in the cache.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from minigrad.dtypes import Array
from minigrad.kernels.reduce import ones, row_sums
from minigrad.kernels.threads import alone

Axes = tuple[int, ...]
_BLOCK = 1 << 19  # elements taken at a time
_RUN = 8192  # elements: about how long a row becomes when short ones are joined; NumPy buffers operands of shorter ones
_FEW = 256  # terms that a product may sum in single precision
# How many standard deviations from zero every mean may be for sums to be taken of values that are not centred. Those of
# products need all their digits, since most of what they add up cancels.
_SQUARES, _PRODUCTS = 4.0, 2.0


class Layout(NamedTuple):
    """How an array of `shape` is seen as a cube: `order` lists its axes, slowest in memory first, `kept` among them."""

    shape: Axes
    order: Axes
    kept: Axes
    outer: Axes  # the shape of the cube
    inverse: Axes  # the order of the cube's axes that is the array's

    def cube(self, x: Array) -> Array:
        """Return `x` as (before, kept, after), a view if its memory lies in the order."""
        return np.ascontiguousarray(x.transpose(self.order)).reshape(self.outer)

    def back(self, values: Array, axes: Axes) -> Array:
        """Return `values` of some axes of a cube, in the dims of the array; those it has not have size 1."""
        sizes = [self.shape[a] if a in axes else 1 for a in self.order]
        return values.reshape(sizes).transpose(self.inverse)

    def row(self, values: Array, axes: Axes) -> Array:
        """Return `values`, which are along the given axes of the array, as one row in the order of the cube."""
        sizes = [n if a in axes else 1 for a, n in enumerate(self.shape)]
        return values.reshape(sizes).transpose(self.order).reshape(-1)


def _layout(x: Array, axes: Axes, along: Axes) -> Layout:
    """Return how `x` is best seen for statistics over `axes`, with a weight along the axes `along`."""
    return _layout_of(x.shape, x.strides, axes, along)


@functools.lru_cache(256)
def _layout_of(shape: Axes, strides: Axes, axes: Axes, along: Axes) -> Layout:
    natural = tuple(range(len(shape)))
    order = tuple(sorted(natural, key=lambda a: -abs(strides[a])))
    kept = tuple(a for a in order if a not in axes)
    start = order.index(kept[0]) if kept else 0
    if order[start : start + len(kept)] != kept or (start and along == axes):
        order, kept = natural, tuple(sorted(kept))
    start = order.index(kept[0]) if kept else 0
    sizes, stop = [shape[a] for a in order], start + len(kept)
    outer = (math.prod(sizes[:start]), math.prod(sizes[start:stop]), math.prod(sizes[stop:]))
    return Layout(shape, order, kept, outer, tuple(sorted(natural, key=order.__getitem__)))


def _parts(cube: Array) -> list[slice]:
    """Return slices of the kept whose statistics are worked out at a time: all, unless a row holds one's values."""
    before, kept, after = cube.shape
    step = max(1, _BLOCK // max(1, after)) if before == 1 else max(1, kept)
    return [slice(i, i + step) for i in range(0, kept, step)]


@functools.lru_cache(256)
def _divisor(count: int, most: int) -> int:
    """Return the largest divisor of `count` that is at most `most`."""
    return next(m for m in range(most, 0, -1) if count % m == 0)


class Rows:
    """How a cube is gone through in blocks of long rows.

    If nothing comes after the kept, a row of the cube may be as short as three numbers, and the cost of a row would be
    that of NumPy's inner loop; `joined` of them are taken as one, and what belongs to the kept is repeated as often.
    """

    def __init__(self, cube: Array) -> None:
        before, self.kept, after = cube.shape
        most = max(1, _RUN // max(1, self.kept)) if after == 1 else 1
        self.joined = _divisor(before, most)
        self.step = max(1, _BLOCK // max(1, self.kept * self.joined * after))

    def blocks(self, *cubes: Array) -> Iterator[tuple[Array, ...]]:
        """Yield blocks of the cubes, views, a few rows at a time."""
        before, kept, after = cubes[0].shape
        folded = [c.reshape(before // self.joined, self.joined * kept, after) for c in cubes]
        for i in range(0, len(folded[0]) if folded[0].size else 0, self.step):
            yield tuple(f[i : i + self.step] for f in folded)

    def per_kept(self, values: Array) -> Array:
        """Return `values`, one for each of the kept, as what broadcasts against a block."""
        repeated = np.empty((self.joined, self.kept), values.dtype)  # np.tile takes five times as long
        repeated[...] = values
        return repeated.reshape(-1, 1)

    def totals(self, block: Array) -> Array:
        """Return the sum of a block for each of the kept, in double precision from where the sums grow long."""
        if block.shape[2] > 1:
            sums = row_sums(block)
        elif len(block) <= _FEW:  # by BLAS, which is quicker than NumPy's sum
            sums = ones(len(block), block.dtype) @ block.reshape(block.shape[:2])
        else:  # rows that could not be joined
            sums = np.add.reduce(block.reshape(block.shape[:2]), axis=0, dtype=np.float64)
        wide = sums.astype(np.float64).reshape(-1, self.kept)
        return np.asarray(ones(len(wide), wide.dtype) @ wide)


def channel_sum(x: Array) -> Array:
    """Return the sum of x (N, C, ...) over all but the channels."""
    how = _layout(x, (0, *range(2, x.ndim)), (1,))
    cube = how.cube(x)
    rows, total = Rows(cube), np.zeros(cube.shape[1])
    with alone(cube.size):
        for (block,) in rows.blocks(cube):
            total += rows.totals(block)
    return total.astype(x.dtype)


def _is_near(mean: Array, var: Array, within: float) -> bool:
    """Return whether no mean is farther from zero than so many standard deviations."""
    return bool((mean * mean <= within**2 * var).all())


def _moments(cube: Array, rows: Rows) -> tuple[Array, Array]:
    """Return mean and variance for each of the kept, in double precision.

    Each block is centred by its own mean, unless its means are near zero, and the blocks' moments are merged as in
    T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances"
    (1979).
    """
    count, mean, squares, is_near = 0, np.zeros(cube.shape[1]), np.zeros(cube.shape[1]), True
    for (block,) in rows.blocks(cube):
        n = block.size // cube.shape[1]
        here = rows.totals(block) / n
        if is_near:
            away = rows.totals(np.square(block)) - n * here * here
            is_near = _is_near(here, away / n, _SQUARES)
        if not is_near:
            centred = block - rows.per_kept(here.astype(cube.dtype))
            away = rows.totals(np.square(centred, out=centred))
        squares += away + (here - mean) ** 2 * (count * n / (count + n))
        count += n
        mean += (here - mean) * (n / count)
    return mean, squares / max(count, 1)


def normalize(
    x: Array, weight: Array | None = None, bias: Array | None = None, *, axes: Axes, along: Axes, eps: float
) -> tuple[Array, Array, Array]:
    """Return (x - mean) / sqrt(var + eps) * weight + bias, and the mean and the biased variance over `axes`.

    The weight and the bias lie along the axes `along` of x: either all that are kept, or all of `axes`.
    """
    how = _layout(x, axes, along)
    cube = how.cube(x)
    y = np.empty_like(cube)
    mean, var = np.empty((2, cube.shape[1]), x.dtype)
    scale, shift = (None if p is None else how.row(p, along) for p in (weight, bias))
    step = _by_position if along == axes else _by_kept
    with alone(cube.size):
        for kept in _parts(cube):
            here = slice(None) if along == axes else kept
            weights, biases = (None if p is None else p[here] for p in (scale, shift))
            mean[kept], var[kept] = step(cube[:, kept], weights, biases, eps, y[:, kept])
    natural = tuple(range(x.ndim))
    return how.back(y, natural), how.back(mean, how.kept), how.back(var, how.kept)


def _by_kept(x: Array, weight: Array | None, bias: Array | None, eps: float, y: Array) -> tuple[Array, Array]:
    """Write the normalised x where each of the kept has one weight and bias; return mean and variance.

    Unless a mean is far from zero it goes into what is added, which saves a pass.
    """
    rows = Rows(x)
    mean, var = _moments(x, rows)
    center = None if _is_near(mean, var, _SQUARES) else rows.per_kept(mean.astype(x.dtype))
    scale = (1.0 if weight is None else weight) / np.sqrt(var + eps)
    term = (0.0 if bias is None else bias) - (mean * scale if center is None else 0.0)
    factor, term = (rows.per_kept(t.astype(x.dtype)) for t in (scale, np.asarray(term)))
    for x_block, y_block in rows.blocks(x, y):
        np.multiply(x_block if center is None else np.subtract(x_block, center, out=y_block), factor, out=y_block)
        y_block += term
    return mean, var


def _by_position(x: Array, weight: Array | None, bias: Array | None, eps: float, y: Array) -> tuple[Array, Array]:
    """Write the normalised x where weight and bias lie along the row that is normalised; return mean and variance."""
    x, y, count = x[0], y[0], x.dtype.type(max(1, x.shape[2]))
    mean = row_sums(x) / count
    np.subtract(x, mean[:, None], out=y)
    var = row_sums(np.square(y)) / count
    inv = (1 / np.sqrt(var + x.dtype.type(eps)))[:, None]
    y *= inv if weight is None else np.dot(inv, weight[None])
    if bias is not None:
        y += bias
    return mean, var


def normalize_by(
    x: Array, mean: Array, var: Array, weight: Array | None = None, bias: Array | None = None, *, eps: float
) -> Array:
    """Return (x - mean) / sqrt(var + eps) * weight + bias with statistics that are given, all of them (C,)."""
    scale = 1 / np.sqrt(var + x.dtype.type(eps))
    scale = scale if weight is None else scale * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    how = _layout(x, (0, *range(2, x.ndim)), (1,))
    cube = how.cube(x)
    y, rows = np.empty_like(cube), Rows(cube)
    factor, term = rows.per_kept(scale), rows.per_kept(shift)
    for x_block, y_block in rows.blocks(cube, y):
        np.multiply(x_block, factor, out=y_block)
        y_block += term
    return how.back(y, tuple(range(x.ndim)))


def normalize_grad(
    u: Array, x: Array, weight: Array | None, mean: Array, var: Array, *, axes: Axes, along: Axes, eps: float
) -> tuple[Array, Array, Array]:
    """Return what the gradient `u` of normalize's output makes the gradients of x, weight and bias."""
    how = _layout(x, axes, along)
    x_cube, u_cube = how.cube(x), how.cube(u)
    gx = np.empty_like(x_cube)
    sizes = tuple(x.shape[a] for a in along)
    scale = how.row(np.ones(sizes, x.dtype) if weight is None else weight, along)
    center, spread = how.row(mean, how.kept), how.row(var, how.kept)
    inv = 1 / np.sqrt(spread + x.dtype.type(eps))
    if not _is_near(center, spread, _PRODUCTS):
        x_cube, center = _centred(x_cube, center), np.zeros_like(center)
    totals = np.zeros((2, len(scale)))
    step = _grad_by_position if along == axes else _grad_by_kept
    with alone(x_cube.size):
        for kept in _parts(x_cube):
            here = slice(None) if along == axes else kept
            step(u_cube[:, kept], x_cube[:, kept], scale[here], center[kept], inv[kept], gx[:, kept], totals[:, here])
    gweight, gbias = (how.back(t, along).astype(x.dtype).reshape(sizes) for t in totals)
    return how.back(gx, tuple(range(x.ndim))), gweight, gbias


def _centred(cube: Array, mean: Array) -> Array:
    """Return the values less the mean of each of the kept."""
    away, rows = np.empty_like(cube), Rows(cube)
    center = rows.per_kept(mean)
    for x_block, away_block in rows.blocks(cube, away):
        np.subtract(x_block, center, out=away_block)
    return away


def _grad_by_kept(u: Array, x: Array, weight: Array, mean: Array, inv: Array, gx: Array, totals: Array) -> None:
    """Write the gradient of x where each of the kept has one weight; add the gradients of weight and bias to `totals`.

    With x' the normalised x: gx = (u - mean(u) - x' mean(u x')) * inv * weight. The sums of u x' are those of u x less
    `mean` times those of u.
    """
    rows, count = Rows(x), max(1, x.shape[0] * x.shape[2])
    for u_block, x_block, gx_block in rows.blocks(u, x, gx):
        totals[1] += rows.totals(u_block)
        totals[0] += rows.totals(np.multiply(u_block, x_block, out=gx_block))
    totals[0] = (totals[0] - mean * totals[1]) * inv
    slope = totals[0] * inv / -count
    offset = mean * slope + totals[1] / count
    factors = rows.per_kept(slope.astype(x.dtype)), rows.per_kept(inv * weight)
    term = rows.per_kept(offset.astype(x.dtype))
    for u_block, x_block, gx_block in rows.blocks(u, x, gx):
        np.multiply(x_block, factors[0], out=gx_block)
        gx_block += u_block
        gx_block -= term
        gx_block *= factors[1]


def _grad_by_position(u: Array, x: Array, weight: Array, mean: Array, inv: Array, gx: Array, totals: Array) -> None:
    """Write the gradient of x where the weight lies along the row over which x was normalised.

    With x' the normalised x and h = u * weight: gx = (h - mean(h) - x' mean(h x')) * inv. The sums are products of a
    matrix with a vector; those of h x' are made of the sums of u x.
    """
    u, x, gx = u[0], x[0], gx[0]
    count = x.dtype.type(max(1, x.shape[1]))
    product = np.multiply(u, x, out=gx)
    totals[1] += _column_sums(np.ones_like(inv), u)
    totals[0] += _column_sums(inv, product) - _column_sums(mean * inv, u)
    by_h, by_product = _along_rows(u, weight), _along_rows(product, weight)
    slope = (by_product - mean * by_h) * inv * inv / count
    offset = by_h / count - mean * slope
    np.multiply(u, weight, out=gx)
    gx -= x * slope[:, None]
    gx -= offset[:, None]
    gx *= inv[:, None]


def _along_rows(x: Array, weight: Array) -> Array:
    """Return the sums of x * weight along rows; BLAS would lose digits in long ones."""
    return np.asarray(x @ weight) if len(weight) <= _FEW else row_sums(x * weight)


def _column_sums(by: Array, x: Array) -> Array:
    """Return the sums of the rows of `x` times `by`, in double precision where there are many."""
    whole = len(x) // _FEW * _FEW
    parts = by[:whole].reshape(-1, 1, _FEW) @ x[:whole].reshape(-1, _FEW, x.shape[1])
    return np.asarray(np.add.reduce(parts, axis=(0, 1), dtype=np.float64) + by[whole:] @ x[whole:])

"""Convolution of images as matrix products, and the two adjoints of it.

Inside, images are seen as pixels (N, H, W, C), whatever their order in memory. A few of them at a time (or a few rows
of a large one) are unfolded into columns, a matrix (groups, pixels, window), and multiplied while that is in the cache;
the columns of a whole batch would be many times the size of the batch. What comes out has its channels last in memory,
so that in the next convolution a row of a window is one run to copy. Where channels are few or in groups such runs
would be short: there the columns are planar, made of rows of the image, and with groups so is what comes out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from minigrad.dtypes import Array
from minigrad.kernels.threads import divided

Pair = tuple[int, int]
_BLOCK = 1 << 18  # elements of columns made at a time
_PIXELS = 256  # of which there are at least so many, or the products become thin
_FEW = 4  # channels


class Grid(NamedTuple):
    """Where windows lie: tap k of output o falls on input o * stride + k * dilation - before, along (height, width)."""

    outputs: Pair
    kernel: Pair
    stride: Pair
    before: Pair
    dilation: Pair

    def extent(self, d: int) -> int:
        """Return how many inputs all windows together span along dim `d`."""
        return (self.outputs[d] - 1) * self.stride[d] + self.dilation[d] * (self.kernel[d] - 1) + 1

    @property
    def is_pointwise(self) -> bool:
        """Whether a window is a single pixel of the image."""
        return self.kernel == (1, 1) and self.before == (0, 0)

    def is_inside(self, sizes: Pair) -> bool:
        """Whether no window reaches over the edge of an image of `sizes`."""
        return self.before == (0, 0) and self.extent(0) <= sizes[0] and self.extent(1) <= sizes[1]

    def inputs(self, rows: slice) -> tuple[slice, slice]:
        """Return the pixels that the first taps of all windows in `rows` of the output fall on."""
        (sh, sw), width = self.stride, self.outputs[1]
        return slice(rows.start * sh, (rows.stop - 1) * sh + 1, sh), slice(0, (width - 1) * sw + 1, sw)

    def overlap(self, sizes: Pair) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        """Return the part of the span in which an image of `sizes` lies, and the part of the image that lies in it."""
        low = [max(0, b) for b in self.before]
        high = [max(low[d], min(self.extent(d), sizes[d] + self.before[d])) for d in (0, 1)]
        inside = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        return inside, tuple(slice(s.start - b, s.stop - b) for s, b in zip(inside, self.before, strict=True))


def output_sizes(sizes: Pair, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair) -> Pair:
    """Return how many windows fit into an image of `sizes`."""
    h, w = ((sizes[d] + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1) // stride[d] + 1 for d in (0, 1))
    return h, w


def conv2d(
    x: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    stride: Pair,
    padding: Pair,
    dilation: Pair,
    groups: int,
) -> Array:
    """Return the cross-correlation of x (N, C, H, W) with weight (O, C / groups, kh, kw), plus bias (O,)."""
    kernel = (weight.shape[2], weight.shape[3])
    outputs = output_sizes((x.shape[2], x.shape[3]), kernel, stride, padding, dilation)
    return _correlate(x, weight, bias, Grid(outputs, kernel, stride, padding, dilation), groups)


def conv2d_input_grad(
    u: Array, weight: Array, *, sizes: Pair, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Array:
    """Return what the gradient `u` of an output makes the gradient of its input, images of `sizes`.

    With stride 1 that is itself a correlation, with the kernel turned around. Otherwise, and where few channels are
    made of many, columns of gradients are folded: each is added to where it would have been unfolded from.
    """
    kernel, per_group = (weight.shape[2], weight.shape[3]), weight.shape[1]
    if stride == (1, 1) and _FEW * per_group * groups > len(weight):
        reach = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
        before = (reach[0] - padding[0], reach[1] - padding[1])
        turned = weight.reshape(groups, -1, *weight.shape[1:]).swapaxes(1, 2)[..., ::-1, ::-1]
        turned = turned.reshape(groups * per_group, -1, *kernel)
        return _correlate(u, turned, None, Grid(sizes, kernel, stride, before, dilation), groups)
    grid = Grid((u.shape[2], u.shape[3]), kernel, stride, padding, dilation)
    return _fold(u, weight, sizes, grid, groups)


def conv2d_weight_grad(
    u: Array, x: Array, *, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Array:
    """Return what the gradient `u` of an output makes the gradient of a weight whose windows are `kernel`."""
    u, x = _pixels(u), _pixels(x)
    grid = Grid((u.shape[1], u.shape[2]), kernel, stride, padding, dilation)
    out, per_group = u.shape[3] // groups, x.shape[3] // groups

    def of_images(images: slice) -> Array:
        total = np.zeros((groups, kernel[0] * kernel[1] * per_group, out), x.dtype)
        for part, columns in _unfold(x[images], grid, groups):
            total += np.matmul(columns.swapaxes(1, 2), _matrix(u[images][part], groups))
        return total

    first, *others = divided(of_images, len(x), u.size * kernel[0] * kernel[1] * per_group)
    total = sum(others, first).reshape(groups, *kernel, per_group, out)
    return total.transpose(0, 4, 3, 1, 2).reshape(groups * out, per_group, *kernel)


def _correlate(x: Array, weight: Array, bias: Array | None, grid: Grid, groups: int) -> Array:
    """Return for every window of `grid` its product with each filter, plus its bias."""
    filters = _filters(weight, groups)
    y = _empty((len(x), *grid.outputs, len(weight)), x.dtype, groups > 1)
    if bias is not None:
        bias = np.broadcast_to(bias, (grid.outputs[1], len(bias)))
        bias = np.ascontiguousarray(bias) if groups == 1 else bias  # one run of addition is then a row of the image

    def of_images(images: slice) -> None:
        here = y[images]
        for part, columns in _unfold(_pixels(x[images]), grid, groups):
            np.matmul(columns, filters, out=_matrix(here[part], groups))
            if bias is not None:
                here[part] += bias

    divided(of_images, len(x), y.size * math.prod(weight.shape[1:]))
    return y.transpose(0, 3, 1, 2)


def _unfold(x: Array, grid: Grid, groups: int) -> Iterator[tuple[tuple[slice, slice], Array]]:
    """Yield which (images, rows) of the output come next, and their columns, valid until the next are asked for."""
    scratch = Scratch(len(x), x.shape[3], grid, groups, x.dtype)
    for images in scratch.images:
        if grid.is_pointwise:
            for rows in scratch.rows:
                yield (images, rows), _matrix(x[(images, *grid.inputs(rows))], groups)
            continue
        windows = scratch.windows(scratch.span(x[images]))
        for rows in scratch.rows:
            block = scratch.block(windows, rows)
            np.copyto(block, windows[:, rows])
            yield (images, rows), _columns(block)


def _fold(u: Array, weight: Array, sizes: Pair, grid: Grid, groups: int) -> Array:
    """Return images of `sizes` to which each window of `grid` has added its filter, weighed by `u`."""
    u, filters = _pixels(u), _filters(weight, groups).swapaxes(1, 2)
    x = _empty((len(u), *sizes, weight.shape[1] * groups), u.dtype, groups > 1)
    divided(lambda part: _fold_into(x[part], u[part], filters, grid, groups), len(x), u.size * filters[0, 0].size)
    return x.transpose(0, 3, 1, 2)


def _fold_into(x: Array, u: Array, filters: Array, grid: Grid, groups: int) -> None:
    """Write into the images `x` what `_fold` returns."""
    scratch = Scratch(len(u), x.shape[3], grid, groups, u.dtype)
    inside, outside = grid.overlap((x.shape[1], x.shape[2]))
    for images in scratch.images:
        span = scratch.empty_span(len(u[images]))
        span[...] = 0
        windows = scratch.windows(span)
        for rows in scratch.rows:
            block = scratch.block(windows, rows)
            np.matmul(_matrix(u[images, rows], groups), filters, out=_columns(block))
            for i, j in product(*map(range, grid.kernel)):
                windows[:, rows, :, :, i, j] += block[:, :, :, :, i, j]
        x[images] = 0
        x[(images, *outside)] = span[(slice(None), *inside)]


class Scratch:
    """The memory that images are unfolded into or folded from, and the plan of how many of them at a time.

    `images` and `rows` are the slices of the output to be gone through. A block of columns has the dims (images, rows,
    width, groups, kernel height, kernel width, channels of a group); a span, the part of an image that windows see and
    the padding around it, is (images, height, width, channels).
    """

    def __init__(self, count: int, channels: int, grid: Grid, groups: int, dtype: np.dtype[Any]) -> None:
        (height, width), self.grid, self.dtype = grid.outputs, grid, dtype
        self.groups, self.channels = groups, channels // groups
        self.is_planar = groups > 1 or self.channels <= _FEW
        pixels = max(_PIXELS, _BLOCK // max(1, channels * math.prod(grid.kernel)))
        at_once = max(1, min(count, pixels // max(1, height * width))) if groups == 1 else 1
        bands = max(1, -(-height * width // pixels)) if at_once == 1 else 1
        self.images = _slices(count, at_once)
        self.rows = _slices(height, max(1, -(-height // bands)))
        self._span: Array | None = None
        self._block = self._new_block(at_once, self.rows[0].stop, width)

    def _new_block(self, *pixels: int) -> Array:
        window = (*self.grid.kernel, self.channels)
        if self.is_planar:
            return np.empty((self.groups, *window, *pixels), self.dtype).transpose(4, 5, 6, 0, 1, 2, 3)
        return np.empty((*pixels, self.groups, *window), self.dtype)

    def block(self, windows: Array, rows: slice) -> Array:
        """Return the memory for the columns of those `rows` of `windows`."""
        return self._block[: len(windows), : rows.stop - rows.start]

    def empty_span(self, count: int) -> Array:
        """Return the memory for the spans of `count` images, zero outside the images if nobody else wrote there."""
        if self._span is None:
            sizes = (self.grid.extent(0), self.grid.extent(1), self.groups * self.channels)
            self._span = _empty((count, *sizes), self.dtype, self.is_planar)
            self._span[...] = 0
        return self._span[:count]

    def span(self, x: Array) -> Array:
        """Return the span of the images `x`: themselves, if they have it all and in the order the copying likes."""
        sizes = (x.shape[1], x.shape[2])
        if self.grid.is_inside(sizes) and x.strides[2 if self.is_planar else 3] == x.itemsize:
            return x
        inside, outside = self.grid.overlap(sizes)
        span = self.empty_span(len(x))
        span[(slice(None), *inside)] = x[(slice(None), *outside)]
        return span

    def windows(self, span: Array) -> Array:
        """Return the view of `span` that has the dims of a block."""
        (sh, sw), (dh, dw), (n, h, w, c) = self.grid.stride, self.grid.dilation, span.strides
        shape = (len(span), *self.grid.outputs, self.groups, *self.grid.kernel, self.channels)
        return as_strided(span, shape, (n, sh * h, sw * w, self.channels * c, dh * h, dw * w, c))


def _slices(size: int, step: int) -> list[slice]:
    return [slice(i, min(i + step, size)) for i in range(0, size, step)]


def _empty(shape: tuple[int, ...], dtype: np.dtype[Any], is_planar: bool) -> Array:
    """Return pixels (N, H, W, C) whose planes, or else whose channels, lie together in memory."""
    n, h, w, c = shape
    return np.empty((n, c, h, w), dtype).transpose(0, 2, 3, 1) if is_planar else np.empty(shape, dtype)


def _pixels(x: Array) -> Array:
    return x.transpose(0, 2, 3, 1)


def _matrix(pixels: Array, groups: int) -> Array:
    """Return (images, rows, width, channels) as matrices (groups, pixels, channels of a group); a view if it can be."""
    n, h, w, c = pixels.shape
    return pixels.reshape(n, h, w, groups, c // groups).transpose(3, 0, 1, 2, 4).reshape(groups, n * h * w, c // groups)


def _columns(block: Array) -> Array:
    """Return a block of columns as matrices (groups, pixels, window), a view."""
    n, h, w, groups, kh, kw, c = block.shape
    return block.transpose(3, 0, 1, 2, 4, 5, 6).reshape(groups, n * h * w, kh * kw * c)


def _filters(weight: Array, groups: int) -> Array:
    """Return the weight (O, C / groups, kh, kw) as matrices (groups, window, filters of a group)."""
    out, channels, kh, kw = weight.shape
    by_group = weight.reshape(groups, out // groups, channels, kh, kw)
    return by_group.transpose(0, 3, 4, 2, 1).reshape(groups, kh * kw * channels, out // groups)

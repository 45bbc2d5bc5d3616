"""Convolution of images as matrix products, and the two adjoints of it.

Inside, images are seen as pixels (N, H, W, C), whatever their order in memory. A few of them at a time (or a few rows
of a large one) are unfolded into columns, a matrix (groups, pixels, window), and multiplied while that is in the cache;
the columns of a whole batch would be many times the size of the batch. What comes out has its channels last in memory,
so that in the next convolution a row of a window is one run to copy. Where channels are few or in groups such runs
would be short: there the columns are planar, made of rows of the image, and with groups so is what comes out.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from minigrad.dtypes import Array
from minigrad.kernels.products import multiply
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

    With stride 1 that is itself a correlation, with the kernel turned around. With more it is one for each phase, the
    pixels a stride apart from one another: the same taps fall on all of them, and the others beside them.
    """
    turned = weight.reshape(groups, -1, *weight.shape[1:]).swapaxes(1, 2)
    turned = turned.reshape(groups * weight.shape[1], -1, *weight.shape[2:])
    along = [list(_phases(sizes[d], weight.shape[2 + d], stride[d], padding[d], dilation[d])) for d in (0, 1)]
    if stride == (1, 1):
        return _phase(u, turned, along[0][0], along[1][0], groups)
    x = _empty((len(u), *sizes, len(turned)), u.dtype, groups > 1).transpose(0, 3, 1, 2)
    x[...] = 0
    for rows, columns in product(*along):
        x[:, :, rows.pixels, columns.pixels] = _phase(u, turned, rows, columns, groups)
    return x


class Phase(NamedTuple):
    """Some of the pixels along one dim, how many, the taps that fall on them, last first, and the grid these make."""

    pixels: slice
    size: int
    taps: list[int]
    before: int
    dilation: int


def _phases(size: int, kernel: int, stride: int, padding: int, dilation: int) -> Iterator[Phase]:
    """Yield the phases along one dim that any taps fall on."""
    apart = dilation // math.gcd(dilation, stride)
    for first in range(min(stride, size)):
        taps = [k for k in reversed(range(kernel)) if (first + padding - k * dilation) % stride == 0]
        if taps:
            before = (taps[0] * dilation - first - padding) // stride
            yield Phase(slice(first, None, stride), -(-(size - first) // stride), taps, before, apart)


def _phase(u: Array, turned: Array, rows: Phase, columns: Phase, groups: int) -> Array:
    """Return the gradient of the pixels in a phase of the rows and one of the columns."""
    filters = turned[:, :, rows.taps][..., columns.taps]
    grid = Grid(
        (rows.size, columns.size), (len(rows.taps), len(columns.taps)), (1, 1),
        (rows.before, columns.before), (rows.dilation, columns.dilation),
    )  # fmt: skip
    return _correlate(u, filters, None, grid, groups)


def conv2d_weight_grad(
    u: Array, x: Array, *, kernel: Pair, stride: Pair, padding: Pair, dilation: Pair, groups: int
) -> Array:
    """Return what the gradient `u` of an output makes the gradient of a weight whose windows are `kernel`."""
    u, x = _pixels(u), _pixels(x)
    grid = Grid((u.shape[1], u.shape[2]), kernel, stride, padding, dilation)
    out, per_group = u.shape[3] // groups, x.shape[3] // groups

    def of_images(images: slice) -> Array:
        total = np.zeros((groups, kernel[0] * kernel[1] * per_group, out), x.dtype)
        share = np.empty_like(total)
        for part, columns in _unfold(x[images], grid, groups):
            multiply(columns.swapaxes(1, 2), _matrix(u[images][part], groups), out=share)
            total += share
        return total

    first, *others = divided(of_images, len(x), u.size * kernel[0] * kernel[1] * per_group)
    total = sum(others, first).reshape(groups, *kernel, per_group, out)
    return total.transpose(0, 4, 3, 1, 2).reshape(groups * out, per_group, *kernel)


def _correlate(x: Array, weight: Array, bias: Array | None, grid: Grid, groups: int) -> Array:
    """Return for every window of `grid` its product with each filter, plus its bias."""
    if groups == 1 and grid.stride[0] == 1 < grid.kernel[0] and 2 * len(weight) <= weight.shape[1]:
        return _correlate_by_row(x, weight, bias, grid)
    filters = _filters(weight, groups)
    y = _empty((len(x), *grid.outputs, len(weight)), x.dtype, groups > 1)
    if bias is not None and groups == 1:  # one run of addition is then a row of the image
        row = np.empty((grid.outputs[1], len(bias)), bias.dtype)
        row[...] = bias
        bias = row

    def of_images(images: slice) -> None:
        here = y[images]
        for part, columns in _unfold(_pixels(x[images]), grid, groups):
            multiply(columns, filters, out=_matrix(here[part], groups))
            if bias is not None:
                here[part] += bias

    divided(of_images, len(x), y.size * math.prod(weight.shape[1:]))
    return y.transpose(0, 3, 1, 2)


def _correlate_by_row(x: Array, weight: Array, bias: Array | None, grid: Grid) -> Array:
    """Return what `_correlate` does, for few filters of many channels and without a stride down the image.

    There it is less work to unfold along the width alone, multiply with each row of the filters and add what comes out
    to the rows it belongs to, than to unfold along both.
    """
    (height, width), (taps, across), before = grid.outputs, grid.kernel, grid.before
    flat = Grid((x.shape[2], width), (1, across), (1, grid.stride[1]), (0, before[1]), (1, grid.dilation[1]))
    filters = np.concatenate([_filters(weight[:, :, i : i + 1], 1) for i in range(taps)])
    y = _empty((len(x), height, width, len(weight)), x.dtype, False)

    def of_images(images: slice) -> None:
        here = y[images]
        for (some, rows), columns in _unfold(_pixels(x[images]), flat, 1):
            if rows.start == 0:
                here[some] = 0 if bias is None else bias
            products = np.empty((taps, columns.shape[1], len(weight)), x.dtype)
            multiply(columns, filters, out=products)
            by_row = products.reshape(taps, -1, rows.stop - rows.start, width, len(weight))
            for i in range(taps):
                down = before[0] - i * grid.dilation[0]
                first, last = max(0, rows.start + down), min(height, rows.stop + down)
                if first < last:
                    here[some, first:last] += by_row[i, :, first - down - rows.start : last - down - rows.start]

    divided(of_images, len(x), y.size * math.prod(weight.shape[1:]))
    return y.transpose(0, 3, 1, 2)


def _unfold(x: Array, grid: Grid, groups: int) -> Iterator[tuple[tuple[slice, slice], Array]]:
    """Yield which (images, rows) of the output come next, and their columns, valid until the next are asked for."""
    unfolding = _unfolding(x.shape, x.dtype, grid, groups)
    if grid.kernel == (1, 1) and grid.is_inside((x.shape[1], x.shape[2])):
        for images, rows in product(unfolding.images, unfolding.rows):
            yield (images, rows), _matrix(x[(images, *grid.inputs(rows))], groups)
    else:
        yield from unfolding.columns(x)


class View(NamedTuple):
    """How an array lies in the memory that begins with its first element."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]

    @classmethod
    def of(cls, x: Array) -> View:
        """Return how `x` lies."""
        return cls(x.shape, x.strides, x.dtype)

    def on(self, memory: Array) -> Array:
        """Return the array that lies so in `memory`."""
        return np.ndarray(self.shape, self.dtype, memory, 0, self.strides)


class Unfolding:
    """How images of a shape are unfolded: how many of them at a time, and how what that takes lies in memory.

    `images` and `rows` are the slices of the output to be gone through. Windows and a block of columns have the dims
    (images, rows, width, groups, kernel height, kernel width, channels of a group); a span, the part of an image that
    windows see and the padding around it, is (images, height, width, channels).
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any], grid: Grid, groups: int) -> None:
        (count, *sizes, channels), (height, width) = shape, grid.outputs
        self.grid, self.groups, self.channels, self.dtype = grid, groups, channels // groups, dtype
        self.is_planar = groups > 1 or self.channels <= _FEW
        pixels = max(_PIXELS, _BLOCK // max(1, channels * math.prod(grid.kernel)))
        at_once = max(1, min(count, pixels // max(1, height * width))) if groups == 1 else 1
        bands = max(1, -(-height * width // pixels)) if at_once == 1 else 1
        self.images = _slices(count, at_once)
        self.rows = _slices(height, max(1, -(-height // bands)))
        self.is_inside = grid.is_inside((sizes[0], sizes[1]))
        self.inside, self.outside = grid.overlap((sizes[0], sizes[1]))
        block = self._block(at_once)
        self.block_size, self.block, self.matrix = block.size, View.of(self._runs(block)), View.of(_columns(block))
        span = _empty((at_once, grid.extent(0), grid.extent(1), channels), dtype, self.is_planar)
        self.span_size, self.span, self.windows = (
            span.size, View.of(span), View.of(self._runs(self._windows_of(span))),
        )  # fmt: skip

    def columns(self, x: Array) -> Iterator[tuple[tuple[slice, slice], Array]]:
        """Yield what `_unfold` does."""
        memory = np.empty(self.block_size, self.dtype)
        block, columns, width = self.block.on(memory), self.matrix.on(memory), self.grid.outputs[1]
        windows = self._windows(x)
        for images in self.images:
            some = next(windows)
            for rows in self.rows:
                count = (images.stop - images.start) * (rows.stop - rows.start) * width
                np.copyto(block[: len(some), : rows.stop - rows.start], some[:, rows])
                yield (images, rows), columns[:, :count]

    def _block(self, at_once: int) -> Array:
        pixels = (at_once, self.rows[0].stop, self.grid.outputs[1])
        window = (*self.grid.kernel, self.channels)
        if self.is_planar:
            return np.empty((self.groups, *window, *pixels), self.dtype).transpose(4, 5, 6, 0, 1, 2, 3)
        return np.empty((*pixels, self.groups, *window), self.dtype)

    def _windows(self, x: Array) -> Iterator[Array]:
        """Yield the windows of the next images: of themselves, if they have all of them in the order copying likes."""
        pixel = 1 if self.is_planar else x.shape[3]
        has_runs = x.strides[2] == pixel * x.itemsize and (pixel == 1 or x.strides[3] == x.itemsize)
        if has_runs and self.is_inside:
            windows = self._runs(self._windows_of(x))
            yield from (windows[images] for images in self.images)
            return
        memory = np.empty(self.span_size, self.dtype)
        memory.fill(0)
        windows, span, x = self.windows.on(memory), self.span.on(memory)[:, *self.inside], x[:, *self.outside]
        for images in self.images:
            count = images.stop - images.start
            span[:count] = x[images]
            yield windows[:count]

    def _windows_of(self, span: Array) -> Array:
        (sh, sw), (dh, dw), (n, h, w, c) = self.grid.stride, self.grid.dilation, span.strides
        shape = (len(span), *self.grid.outputs, self.groups, *self.grid.kernel, self.channels)
        return as_strided(span, shape, (n, sh * h, sw * w, self.channels * c, dh * h, dw * w, c))

    def _runs(self, windows: Array) -> Array:
        """Return the view of windows, or of a block, that has their common runs of memory as its elements."""
        if not windows.size:
            return windows
        if self.is_planar:
            if self.grid.stride[1] > 1:
                return windows
            windows = windows.swapaxes(2, 6)
        elif self.grid.dilation[1] == 1:
            row = windows.shape[5] * windows.shape[6]
            windows = as_strided(windows, (*windows.shape[:5], row), (*windows.strides[:5], windows.itemsize))
        return windows.view(np.dtype((np.void, windows.shape[-1] * windows.itemsize)))


# Worked out once for all batches alike.
_unfolding = functools.lru_cache(256)(Unfolding)


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
    if groups == 1:
        return pixels.reshape(1, n * h * w, c)
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

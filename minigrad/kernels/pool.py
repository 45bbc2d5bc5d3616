"""Max and average pooling over images (N, C, H, W), and their adjoints.

Nothing is unfolded: a tap is one place of the window, and the inputs that all windows have at that place are a strided
slice of the image. Padding is not written out either: a tap's slice covers only those outputs whose windows have that
tap inside the image. Images are taken a few at a time, so that the passes over them stay in the cache.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from minigrad.dtypes import Array
from minigrad.kernels.elementwise import keep_bits, where

Pair = tuple[int, int]
Place = tuple[slice, ...]
_BLOCK = 1 << 17  # elements taken at a time
_ALL = slice(None)


class Window(NamedTuple):
    """A pooling window; the pairs are along (height, width)."""

    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair = (1, 1)
    ceil_mode: bool = False

    def counts(self, sizes: Pair) -> Pair:
        """Return how many windows an image of `sizes` has along each dim."""
        return self._count(sizes, 0), self._count(sizes, 1)

    def _count(self, sizes: Pair, d: int) -> int:
        room = sizes[d] + 2 * self.padding[d] - self.dilation[d] * (self.kernel[d] - 1) - 1
        if not self.ceil_mode:
            return room // self.stride[d] + 1
        count = -(-room // self.stride[d]) + 1
        # The last window has to start inside the image or in the padding before it.
        return count - 1 if (count - 1) * self.stride[d] >= sizes[d] + self.padding[d] else count

    def taps(self, sizes: Pair, d: int) -> list[tuple[slice, slice]]:
        """Return, for each tap along `d`, the outputs that have it inside the image, and the inputs it falls on."""
        found, stride, count = [], self.stride[d], self._count(sizes, d)
        for k in range(self.kernel[d]):
            first = k * self.dilation[d] - self.padding[d]
            low, high = max(0, -(first // stride)), min(count, (sizes[d] - 1 - first) // stride + 1)
            if low < high:
                start = first + low * stride
                found.append((slice(low, high), slice(start, start + (high - low - 1) * stride + 1, stride)))
        return found

    def places(self, sizes: Pair) -> Iterator[tuple[Place, Place]]:
        """Yield, for each tap of the whole window in reading order, its outputs and its inputs."""
        for (oh, ih), (ow, iw) in product(self.taps(sizes, 0), self.taps(sizes, 1)):
            yield (_ALL, _ALL, oh, ow), (_ALL, _ALL, ih, iw)

    def is_disjoint(self) -> bool:
        """Whether no two windows share an input."""
        return all(s > d * (k - 1) for k, s, d in zip(self.kernel, self.stride, self.dilation, strict=True))


def _sizes(x: Array) -> Pair:
    return x.shape[2], x.shape[3]


def _pooled(x: Array, window: Window) -> tuple[int, ...]:
    return (*x.shape[:2], *window.counts(_sizes(x)))


def _blockwise(step: Callable[..., None], lead: Array, shape: tuple[int, ...], *others: Array) -> Array:
    """Return an array of `shape`, in memory ordered as `lead`, that `step` fills a few images at a time."""
    y = np.empty_like(lead, shape=shape)
    images = max(1, _BLOCK // max(1, lead[:1].size, y[:1].size))
    for n in range(0, len(y), images):
        part = slice(n, n + images)
        step(y[part], lead[part], *(_ordered_as(lead, x[part]) for x in others))
    return y


def _ordered_as(lead: Array, x: Array) -> Array:
    """Return `x` in the order in memory that `lead` has: passes over arrays in different orders are slow."""
    y = np.empty_like(lead, shape=x.shape, dtype=x.dtype)
    if y.strides == x.strides:
        return x
    y[...] = x
    return y


def _over_windows(ufunc: Any, x: Array, window: Window, start: Any) -> Array:
    """Return `ufunc` over every window, along the height and then along the width."""
    rows = _along(ufunc, x, window.taps(_sizes(x), 0), 2, window.counts(_sizes(x))[0], start)
    return _along(ufunc, rows, window.taps(_sizes(x), 1), 3, window.counts(_sizes(x))[1], start)


def _along(ufunc: Any, x: Array, taps: list[tuple[slice, slice]], axis: int, count: int, start: Any) -> Array:
    """Return `ufunc` over the taps along `axis`, from `start` on if no two of them serve every output."""
    lead = (_ALL,) * axis
    taps = sorted(taps, key=lambda tap: tap[0] != slice(0, count))
    if len(taps) > 1 and taps[1][0] == slice(0, count):
        y = ufunc(x[(*lead, taps[0][1])], x[(*lead, taps[1][1])])
        taps = taps[2:]
    else:
        y = np.full_like(x, start, shape=(*x.shape[:axis], count, *x.shape[axis + 1 :]))
    for outputs, inputs in taps:
        ufunc(y[(*lead, outputs)], x[(*lead, inputs)], out=y[(*lead, outputs)])
    return y


# --- the largest of each window ---


def max_pool(x: Array, *, window: Window) -> Array:
    """Return the largest value of every window; nan if there is one in it."""

    def step(y: Array, x: Array) -> None:
        y[...] = _maxima(x, window)

    return _blockwise(step, x, _pooled(x, window))


def _maxima(x: Array, window: Window) -> Array:
    return _over_windows(np.maximum, x, window, -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min)


def _winners(x: Array, window: Window) -> Iterator[tuple[Place, Place, Array]]:
    """Yield, for each tap, its outputs, its inputs, and whether it is what they are the maximum of.

    Of equals that is the first, and where there are nans the last of them.
    """
    y = _maxima(x, window)
    taken, last = np.zeros_like(y, bool), _last_nan(x, y, window)
    for k, (outputs, inputs) in enumerate(window.places(_sizes(x))):
        equal = np.equal(x[inputs], y[outputs])
        won = np.greater(equal, taken[outputs])
        np.logical_or(taken[outputs], equal, out=taken[outputs])
        if last is not None:
            won |= last[outputs] == k
        yield outputs, inputs, won


def _last_nan(x: Array, y: Array, window: Window) -> Array | None:
    """Return which tap of every window is its last nan, -1 for none; None if there are none at all."""
    if x.dtype.kind != "f" or not np.isnan(np.max(y, initial=-np.inf)):
        return None
    last = np.full_like(y, -1, np.int64)
    for k, (outputs, inputs) in enumerate(window.places(_sizes(x))):
        last[outputs][np.isnan(x[inputs])] = k
    return last


def max_pool_scatter(g: Array, x: Array, *, window: Window) -> Array:
    """Return zeros like `x` with each `g` added where its window of `x` has its maximum: the adjoint of max_pool."""

    def step(gx: Array, x: Array, g: Array) -> None:
        gx.fill(0)
        for outputs, inputs, won in _winners(x, window):
            if window.is_disjoint():
                keep_bits(g[outputs], np.negative(won.view(np.int8)), out=gx[inputs])
            else:
                gx[inputs] += where(won, g[outputs], 0)

    return _blockwise(step, x, x.shape, g)


def max_pool_gather(u: Array, x: Array, *, window: Window) -> Array:
    """Return the values of `u` at the places where the windows of `x` have their maxima."""

    def step(y: Array, x: Array, u: Array) -> None:
        y.fill(0)
        for outputs, inputs, won in _winners(x, window):
            np.copyto(y[outputs], u[inputs], where=won)

    return _blockwise(step, x, _pooled(x, window), u)


# --- the mean of each window ---


def avg_pool(x: Array, *, window: Window, count_include_pad: bool, divisor_override: int | None) -> Array:
    """Return the mean of every window; see `_divisor` for what the sums are divided by."""
    divisor = _divisor(x.dtype, window, _sizes(x), count_include_pad, divisor_override)

    def step(y: Array, x: Array) -> None:
        np.divide(_over_windows(np.add, x, window, 0), divisor, out=y)

    return _blockwise(step, x, _pooled(x, window))


def avg_pool_spread(
    g: Array, *, sizes: Pair, window: Window, count_include_pad: bool, divisor_override: int | None
) -> Array:
    """Return images of `sizes` in which each `g` is shared out evenly over its window: the adjoint of avg_pool."""
    divisor = _divisor(g.dtype, window, sizes, count_include_pad, divisor_override)

    def step(gx: Array, g: Array) -> None:
        rows = np.zeros_like(g, shape=(*g.shape[:3], sizes[1]))
        share = g / divisor
        for outputs, inputs in window.taps(sizes, 1):
            rows[..., inputs] += share[..., outputs]
        gx.fill(0)
        for outputs, inputs in window.taps(sizes, 0):
            gx[:, :, inputs] += rows[:, :, outputs]

    return _blockwise(step, g, (*g.shape[:2], *sizes))


def _divisor(dtype: np.dtype[Any], window: Window, sizes: Pair, include_pad: bool, override: int | None) -> Array:
    """Return what the sums are divided by: `override`, or the places of each window, with or without the padding.

    Of a window that a ceil_mode lets hang over the padded image, only the part on it counts.
    """
    if override is not None:
        return np.asarray(override, dtype)
    lengths = []
    for d, count in enumerate(window.counts(sizes)):
        margin = window.padding[d] if include_pad else 0
        start = np.arange(count) * window.stride[d] - window.padding[d]
        end = np.minimum(start + window.kernel[d], sizes[d] + margin)
        lengths.append(end - np.maximum(start, -margin))
    places = np.multiply.outer(*lengths).astype(dtype)
    return places if np.ptp(places) else places[0, 0]

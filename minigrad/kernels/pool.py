"""Max and average pooling over images (N, C, H, W), and their adjoints.

Inside, images are planes (planes, H, W) of pixels: where the channels lie together in memory a pixel is all of them and
a plane an image, elsewhere a pixel is one number. Nothing is unfolded: a tap is one place of the window, and the pixels
that all windows have at that place are a strided slice of the planes. It is copied first, pixel by pixel, because
arithmetic on the slice itself would go in runs as short as there are channels. Padding is not written out either: a
tap's slice covers only those outputs whose windows have that tap inside the image. Images are taken a few at a time, so
that the passes over them stay in the cache.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from minigrad.dtypes import Array
from minigrad.kernels.elementwise import keep_bits

Pair = tuple[int, int]
Place = tuple[slice, ...]
_BLOCK = 1 << 18  # elements taken at a time
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


class Plan(NamedTuple):
    """Which outputs have a tap inside the image, and which inputs it falls on, for each tap.

    The outputs are a place in numbers (planes, height, width * numbers of a pixel), the inputs one in pixels.
    """

    counts: Pair  # of windows along each dim
    rows: list[tuple[Place, Place]]  # the taps along the height, those that serve every output first
    columns: list[tuple[Place, Place]]  # and along the width
    places: list[tuple[Place, Place]]  # those of the whole window, in reading order
    is_disjoint: bool  # whether no two windows share an input
    is_tiling: bool  # whether, besides, every input has its window


@functools.lru_cache(256)
def _plan(window: Window, sizes: Pair, numbers: int) -> Plan:
    """Return the plan for images of `sizes` with that many numbers a pixel, worked out once for all batches."""
    rows, columns = _taps(window, sizes, 0), _taps(window, sizes, 1)
    reached = [sum(len(range(size)[i]) for _, i in taps) for taps, size in zip((rows, columns), sizes, strict=True)]
    columns = [(slice(o.start * numbers, o.stop * numbers), i) for o, i in columns]
    is_disjoint = all(s > d * (k - 1) for k, s, d in zip(window.kernel, window.stride, window.dilation, strict=True))
    places: list[tuple[Place, Place]] = [
        ((_ALL, oh, ow), (_ALL, ih, iw)) for (oh, ih), (ow, iw) in product(rows, columns)
    ]
    rows.sort(key=_missed)
    columns.sort(key=_missed)
    return Plan(
        window.counts(sizes),
        [((_ALL, o), (_ALL, i)) for o, i in rows],
        [((_ALL, _ALL, o), (_ALL, _ALL, i)) for o, i in columns],
        places,
        is_disjoint,
        is_disjoint and tuple(reached) == sizes,
    )


def _missed(tap: tuple[slice, slice]) -> int:
    """Return a number that is the higher, the fewer outputs a tap serves."""
    outputs = tap[0]
    return int(outputs.start - outputs.stop)


def _taps(window: Window, sizes: Pair, d: int) -> list[tuple[slice, slice]]:
    """Return, for each tap along `d`, the outputs that have it inside the image, and the inputs it falls on."""
    found, stride, count = [], window.stride[d], window.counts(sizes)[d]
    for k in range(window.kernel[d]):
        first = k * window.dilation[d] - window.padding[d]
        low, high = max(0, -(first // stride)), min(count, (sizes[d] - 1 - first) // stride + 1)
        if low < high:
            start = first + low * stride
            found.append((slice(low, high), slice(start, start + (high - low - 1) * stride + 1, stride)))
    return found


class Images(NamedTuple):
    """How images are gone through: as planes of pixels, each of which is `pixel`, `numbers` of `dtype`."""

    numbers: int
    dtype: np.dtype[Any]
    pixel: np.dtype[Any]

    @classmethod
    def of(cls, x: Array) -> Images:
        """Return how images as `x` are best seen."""
        together = x.shape[1] > 1 and x.strides[1] == x.itemsize
        return _images(x.shape[1] if together else 1, x.dtype)

    def planes(self, x: Array) -> Array:
        """Return `x` as numbers (planes, height, width * numbers of a pixel), a view if its memory is in that order."""
        n, c, h, w = x.shape
        lying = x.transpose(0, 2, 3, 1) if self.numbers > 1 else x
        return np.ascontiguousarray(lying).reshape(n * c // self.numbers, h, w * self.numbers)

    def empty(self, shape: tuple[int, ...]) -> Array:
        """Return images (N, C, H, W) without values, which lie in that order."""
        n, c, h, w = shape
        return (
            np.empty((n, h, w, c), self.dtype).transpose(0, 3, 1, 2)
            if self.numbers > 1
            else np.empty(shape, self.dtype)
        )

    def picked(self, planes: Array, inputs: Place) -> Array:
        """Return a copy of the numbers of some pixels."""
        return planes.view(self.pixel)[inputs].copy().view(self.dtype)

    def put(self, planes: Array, inputs: Place, values: Array) -> None:
        """Write the numbers of some pixels."""
        planes.view(self.pixel)[inputs] = values.view(self.pixel)

    def add(self, planes: Array, inputs: Place, values: Array) -> None:
        """Add to the numbers of some pixels."""
        n, h, w = planes.shape
        planes.reshape(n, h, w // self.numbers, self.numbers)[inputs] += values.reshape(
            *values.shape[:2], -1, self.numbers
        )


@functools.lru_cache(256)
def _images(numbers: int, dtype: np.dtype[Any]) -> Images:
    pixel = np.dtype((np.void, numbers * dtype.itemsize)) if numbers > 1 else dtype
    return Images(numbers, dtype, pixel)


Step = Callable[..., None]


def _blockwise(step: Step, how: Images, shape: tuple[int, ...], *inputs: Array) -> Array:
    """Return images of `shape`, of which `step` fills the planes from those of the inputs, a few images at a time."""
    y = how.empty(shape)
    largest = max(y.size, *(x.size for x in inputs))
    at_once = max(1, _BLOCK * len(y) // max(1, largest))
    for n in range(0, len(y) if y.size else 0, at_once):
        part = slice(n, n + at_once)
        step(how.planes(y[part]), *(how.planes(x[part]) for x in inputs))
    return y


def _sizes(x: Array) -> Pair:
    return x.shape[2], x.shape[3]


def _over_windows(ufunc: Any, y: Array, x: Array, plan: Plan, how: Images, start: Any) -> None:
    """Write into `y` what `ufunc` makes of every window of `x`, along the height and then along the width."""
    tall = np.empty((len(x), y.shape[1], x.shape[2]), x.dtype)
    _over(ufunc, tall, [(outputs, x[inputs]) for outputs, inputs in plan.rows], start)
    _over(ufunc, y, [(outputs, how.picked(tall, inputs)) for outputs, inputs in plan.columns], start)


def _over(ufunc: Any, y: Array, taps: list[tuple[Place, Array]], start: Any) -> None:
    """Write into `y` what `ufunc` makes of the taps, from `start` on if the first two do not serve every output."""
    if len(taps) > 1 and taps[1][1].shape == y.shape:
        ufunc(taps[0][1], taps[1][1], out=y)
        taps = taps[2:]
    else:
        y.fill(start)
    for outputs, x in taps:
        ufunc(y[outputs], x, out=y[outputs])


# --- the largest of each window ---


def max_pool(x: Array, *, window: Window) -> Array:
    """Return the largest value of every window; nan if there is one in it."""
    how, least = Images.of(x), _least(x.dtype)
    plan = _plan(window, _sizes(x), how.numbers)
    step = lambda y, x: _over_windows(np.maximum, y, x, plan, how, least)
    return _blockwise(step, how, (*x.shape[:2], *plan.counts), x)


def _least(dtype: np.dtype[Any]) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def _winners(x: Array, shape: tuple[int, ...], plan: Plan, how: Images) -> Iterator[tuple[Place, Place, Array]]:
    """Yield, for each tap, its outputs, its inputs, and as -1 or 0 whether it is what they are the maximum of.

    Of equals that is the first, and where there are nans the last of them.
    """
    taps = [(outputs, inputs, how.picked(x, inputs)) for outputs, inputs in plan.places]
    y = np.empty(shape, x.dtype)
    whole_first = sorted(taps, key=lambda tap: -tap[2].size)
    _over(np.maximum, y, [(outputs, tap) for outputs, _, tap in whole_first], _least(x.dtype))
    free, last = np.ones(shape, np.int8), _last_nan(y, taps)
    for k, (outputs, inputs, tap) in enumerate(taps):
        won = np.equal(tap, y[outputs]).view(np.int8)
        won &= free[outputs]
        free[outputs] ^= won
        if last is not None:
            won |= last[outputs] == k
        yield outputs, inputs, np.negative(won, out=won)


def _last_nan(y: Array, taps: list[tuple[Place, Place, Array]]) -> Array | None:
    """Return which tap of every window is its last nan, -1 for none; None if there are none at all."""
    if y.dtype.kind != "f" or not np.isnan(np.max(y, initial=-np.inf)):
        return None
    last = np.full(y.shape, -1)
    for k, (outputs, _, tap) in enumerate(taps):
        last[outputs][np.isnan(tap)] = k
    return last


def max_pool_scatter(g: Array, x: Array, *, window: Window) -> Array:
    """Return zeros like `x` with each `g` added where its window of `x` has its maximum: the adjoint of max_pool."""
    how = Images.of(x)
    plan = _plan(window, _sizes(x), how.numbers)

    def step(gx: Array, g: Array, x: Array) -> None:
        if not plan.is_tiling:
            gx.fill(0)
        write = how.put if plan.is_disjoint else how.add
        for outputs, inputs, won in _winners(x, g.shape, plan, how):
            write(gx, inputs, keep_bits(g[outputs], won))

    return _blockwise(step, how, x.shape, g, x)


def max_pool_gather(u: Array, x: Array, *, window: Window) -> Array:
    """Return the values of `u` at the places where the windows of `x` have their maxima."""
    how = Images.of(x)
    plan = _plan(window, _sizes(x), how.numbers)

    def step(y: Array, u: Array, x: Array) -> None:
        y.fill(0)
        for outputs, inputs, won in _winners(x, y.shape, plan, how):
            np.copyto(y[outputs], how.picked(u, inputs), where=won.view(bool))

    return _blockwise(step, how, (*x.shape[:2], *plan.counts), u, x)


# --- the mean of each window ---


def avg_pool(x: Array, *, window: Window, count_include_pad: bool, divisor_override: int | None) -> Array:
    """Return the mean of every window; see `_divisor` for what the sums are divided by."""
    how = Images.of(x)
    plan = _plan(window, _sizes(x), how.numbers)
    divisor = _divisor(how, window, _sizes(x), count_include_pad, divisor_override)

    def step(y: Array, x: Array) -> None:
        _over_windows(np.add, y, x, plan, how, 0)
        np.divide(y, divisor, out=y)

    return _blockwise(step, how, (*x.shape[:2], *plan.counts), x)


def avg_pool_spread(
    g: Array, *, sizes: Pair, window: Window, count_include_pad: bool, divisor_override: int | None
) -> Array:
    """Return images of `sizes` in which each `g` is shared out evenly over its window: the adjoint of avg_pool."""
    how = Images.of(g)
    plan = _plan(window, sizes, how.numbers)
    divisor = _divisor(how, window, sizes, count_include_pad, divisor_override)

    def step(gx: Array, g: Array) -> None:
        tall = np.zeros((*g.shape[:2], gx.shape[2]), g.dtype)
        share = g / divisor
        for outputs, inputs in plan.columns:
            how.add(tall, inputs, share[outputs])
        gx.fill(0)
        for outputs, inputs in plan.rows:
            gx[inputs] += tall[outputs]

    return _blockwise(step, how, (*g.shape[:2], *sizes), g)


def _divisor(how: Images, window: Window, sizes: Pair, include_pad: bool, override: int | None) -> Array:
    """Return what the sums are divided by: `override`, or the places of each window, with or without the padding.

    Of a window that a ceil_mode lets hang over the padded image, only the part on it counts.
    """
    if override is not None:
        return np.asarray(override, how.dtype)
    lengths = []
    for d, count in enumerate(window.counts(sizes)):
        margin = window.padding[d] if include_pad else 0
        start = np.arange(count) * window.stride[d] - window.padding[d]
        end = np.minimum(start + window.kernel[d], sizes[d] + margin)
        lengths.append(end - np.maximum(start, -margin))
    places = np.multiply.outer(*lengths).astype(how.dtype)
    return places.repeat(how.numbers, axis=1) if np.ptp(places) else places[0, 0]

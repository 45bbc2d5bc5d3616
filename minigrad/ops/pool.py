"""Pooling: the largest value, or the mean, of every window of an image."""

from __future__ import annotations

import functools
from typing import Any

from minigrad.errors import ArgumentError, ShapeError
from minigrad.graph import array_of, composite, primitive
from minigrad.kernels import pool as kernel
from minigrad.kernels.half import in_float32
from minigrad.kernels.pool import Pair, Window
from minigrad.ops.conv import pair
from minigrad.ops.shape import squeeze, unsqueeze

# The windows of x have their maxima at certain places; scattering to these and gathering from them are linear and each
# other's rule. x only says which places, and so has no derivative there.
max_pool = primitive(
    "max_pool2d", kernel.max_pool,
    x=lambda g, x, window: max_pool_scatter(g, x, window=window),
)  # fmt: skip
max_pool_scatter = primitive(
    "max_pool2d_scatter", kernel.max_pool_scatter,
    u=lambda g, x, window: max_pool_gather(g, x, window=window),
    x=None,
)  # fmt: skip
max_pool_gather = primitive(
    "max_pool2d_gather", kernel.max_pool_gather,
    u=lambda g, x, window: max_pool_scatter(g, x, window=window),
    x=None,
)  # fmt: skip

# The mean and its adjoint are each other's rule too.
avg_pool = primitive(
    "avg_pool2d", in_float32(kernel.avg_pool), casts="floating",
    x=lambda g, x_shape, window, count_include_pad, divisor_override: avg_pool_spread(
        g, sizes=x_shape[2:], window=window, count_include_pad=count_include_pad, divisor_override=divisor_override),
)  # fmt: skip
avg_pool_spread = primitive(
    "avg_pool2d_spread", in_float32(kernel.avg_pool_spread),
    u=lambda g, window, count_include_pad, divisor_override: avg_pool(
        g, window=window, count_include_pad=count_include_pad, divisor_override=divisor_override),
)  # fmt: skip


@composite
def max_pool2d(
    x: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> Any:
    """Return the largest value of every window of `x` (N, C, H, W) or (C, H, W).

    `stride` is the kernel's size if not given; padding never wins. The gradient goes to the first of equals, and where
    there are nans to the last of them, as in PyTorch. Raises ShapeError if not one window fits.

    >>> import numpy as np
    >>> max_pool2d(np.arange(16.0).reshape(1, 4, 4), 2)
    array([[[ 5.,  7.],
            [13., 15.]]])
    """
    window = _window("max_pool2d", x, kernel_size, stride, padding, dilation, ceil_mode)
    return squeeze(max_pool(unsqueeze(x, 0), window=window), 0) if x.ndim == 3 else max_pool(x, window=window)


@composite
def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """Return the mean of every window of `input` (N, C, H, W) or (C, H, W).

    `stride` is the kernel's size if not given. The zeros of the padding count as values unless `count_include_pad` is
    False; `divisor_override` is what the sums are divided by instead. Raises ShapeError if not one window fits.

    >>> import numpy as np
    >>> avg_pool2d(np.arange(16.0).reshape(1, 4, 4), 2)
    array([[[ 2.5,  4.5],
            [10.5, 12.5]]])
    """
    if divisor_override == 0:
        raise ArgumentError("avg_pool2d: divisor must be not zero")
    window = _window("avg_pool2d", input, kernel_size, stride, padding, 1, ceil_mode)
    attrs = {"window": window, "count_include_pad": count_include_pad, "divisor_override": divisor_override}
    return squeeze(avg_pool(unsqueeze(input, 0), **attrs), 0) if input.ndim == 3 else avg_pool(input, **attrs)


def _window(what: str, x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> Window:
    """Return the settings as a window that was checked against `x`."""
    size = pair(kernel_size, "kernel_size", what, 1)
    steps = size if stride is None or stride in ((), []) else pair(stride, "stride", what, 1)
    margin, apart = pair(padding, "padding", what, 0), pair(dilation, "dilation", what, 1)
    return _checked(what, array_of(x).shape, size, steps, margin, apart, bool(ceil_mode))


@functools.lru_cache(256)
def _checked(
    what: str, shape: tuple[int, ...], size: Pair, stride: Pair, padding: Pair, dilation: Pair, ceil_mode: bool
) -> Window:
    """Return the window, made and checked once for all calls alike."""
    window = Window(size, stride, padding, dilation, ceil_mode)
    for k, p, d in zip(size, padding, dilation, strict=True):
        if p > ((k - 1) * d + 1) // 2:
            raise ArgumentError(
                f"{what}: pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and "
                f"dilation={d}"
            )
    if len(shape) not in (3, 4):
        raise ShapeError(f"{what}: Expected 3D (unbatched) or 4D (batched) input, but got shape {shape}")
    channels, *sizes = shape[-3:]
    counts = window.counts((sizes[0], sizes[1]))
    if min(counts) < 1 or min(sizes) < 1:
        raise ShapeError(
            f"{what}: Given input size: ({channels}x{sizes[0]}x{sizes[1]}). Calculated output size: "
            f"({channels}x{max(counts[0], 0)}x{max(counts[1], 0)}). Output size is too small: kernel_size {size} does "
            "not fit into the padded input"
        )
    return window

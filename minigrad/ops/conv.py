"""Convolution in two dimensions, a family of three ops closed under differentiation."""

from __future__ import annotations

import functools
import operator
from typing import Any

from minigrad.errors import ArgumentError, ShapeError
from minigrad.graph import array_of, composite, primitive
from minigrad.kernels import conv as kernel
from minigrad.kernels.conv import Pair
from minigrad.kernels.norm import channel_sum as channel_sum_kernel
from minigrad.ops.pad import pad
from minigrad.ops.shape import expand, reshape, squeeze, unsqueeze


def _settings(stride: Pair, padding: Pair, dilation: Pair, groups: int) -> dict[str, Any]:
    return {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}


# The output is linear in the image and in the weight, and so is each gradient in what it is made of: the derivative of
# one of the three is another of the three. In the gradients, u is the gradient of the output.
convolution = primitive(
    "conv2d", kernel.conv2d, casts="same",
    x=lambda g, weight, x_shape, stride, padding, dilation, groups: input_grad(
        g, weight, sizes=x_shape[2:], **_settings(stride, padding, dilation, groups)),
    weight=lambda g, x, weight_shape, stride, padding, dilation, groups: weight_grad(
        g, x, kernel=weight_shape[2:], **_settings(stride, padding, dilation, groups)),
    bias=lambda g: channel_sum(g),
)  # fmt: skip
input_grad = primitive(
    "conv2d_input_grad", kernel.conv2d_input_grad,
    u=lambda g, weight, stride, padding, dilation, groups: convolution(
        g, weight, None, **_settings(stride, padding, dilation, groups)),
    weight=lambda g, u, weight_shape, stride, padding, dilation, groups: weight_grad(
        u, g, kernel=weight_shape[2:], **_settings(stride, padding, dilation, groups)),
)  # fmt: skip
weight_grad = primitive(
    "conv2d_weight_grad", kernel.conv2d_weight_grad,
    u=lambda g, x, stride, padding, dilation, groups: convolution(
        x, g, None, **_settings(stride, padding, dilation, groups)),
    x=lambda g, u, x_shape, stride, padding, dilation, groups: input_grad(
        u, g, sizes=x_shape[2:], **_settings(stride, padding, dilation, groups)),
)  # fmt: skip
channel_sum = primitive(
    "channel_sum", channel_sum_kernel,
    x=lambda g, x_shape: expand(reshape(g, shape=(-1, *(1,) * (len(x_shape) - 2))), shape=x_shape),
)  # fmt: skip


@composite
def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Return the cross-correlation of `input` (N, C, H, W) or (C, H, W) with `weight` (O, C / groups, kh, kw).

    `bias` is (O,) or None. Settings are an int or a pair for (height, width); `padding` may also be "valid" (none) or
    "same" (the output has the size of the input; stride 1 only). With `groups`, each group of filters sees its own part
    of the channels. Raises ShapeError if shapes do not fit together or the kernel is larger than the padded input.

    >>> import numpy as np
    >>> conv2d(np.arange(9.0).reshape(1, 3, 3), np.ones((1, 1, 2, 2)))
    array([[[ 8., 12.],
            [20., 24.]]])
    """
    x, strides, paddings, dilations = checked_call("conv2d", input, weight, bias, stride, padding, dilation, groups)
    settings = _settings(strides, paddings, dilations, groups)
    if x.ndim == 3:
        return squeeze(convolution(unsqueeze(x, 0), weight, bias, **settings), 0)
    return convolution(x, weight, bias, **settings)


def pair(value: Any, name: str, what: str, least: int) -> Pair:
    """Return a setting given as one int or as two, for (height, width), each at least `least`.

    >>> pair(3, "stride", "conv2d", 1), pair((1, 2), "stride", "conv2d", 1)
    ((3, 3), (1, 2))
    """
    rows, columns = several(value, 2, name, what, least)
    return rows, columns


def several(value: Any, count: int, name: str, what: str, least: int) -> tuple[int, ...]:
    """Return a setting given as one int or as `count` of them, one for each dim, each at least `least`."""
    try:
        values = tuple(map(operator.index, value if isinstance(value, (tuple, list)) else (value,)))
    except TypeError:
        values = ()
    if len(values) not in (1, count):
        number = {1: "one int", 2: "two ints", 3: "three ints"}[count]
        raise ArgumentError(f"{what}: {name} must either be a single int, or a tuple of {number}, got {value!r}")
    if min(values) < least:
        kind = "negative" if least == 0 else "non-positive"
        raise ArgumentError(f"{what}: {kind} {name} is not supported, got {name}={value!r}")
    return values if len(values) == count else values * count


def check_named_padding(name: str, stride: tuple[int, ...], what: str = "conv2d") -> None:
    """Raise ArgumentError unless the padding called `name` is "valid", or "same" with stride 1."""
    if name not in ("same", "valid"):
        raise ArgumentError(f"{what}: Invalid padding string {name!r}, should be a number, a tuple, 'valid' or 'same'")
    if name == "same" and set(stride) != {1}:
        raise ArgumentError(f"{what}: padding='same' is not supported for strided convolutions, got stride={stride}")


def checked_call(
    what: str, x: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> tuple[Any, Any, Any, Any]:
    """Return the input (padded where "same" asks for an odd number), stride, padding and dilation of the call `what`.

    Raises ShapeError or ArgumentError for what does not fit together.
    """
    dims, size = int(what[-2]), array_of(weight).shape
    if x.ndim not in (dims + 1, dims + 2) or len(size) != dims + 2:
        raise ShapeError(
            f"{what}: Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to {what} and a {dims + 2}D "
            f"weight, but got input of size: {list(x.shape)} and weight of size: {list(size)}"
        )
    strides = several(stride, dims, "stride", what, 1)
    dilations = several(dilation, dims, "dilation", what, 1)
    if isinstance(padding, str):
        x, padding = _padded_by_name(what, x, padding, size[2:], strides, dilations)
    paddings = several(padding, dims, "padding", what, 0)
    _check(what, array_of(x).shape, size, groups, paddings, dilations)
    check_bias(what, weight, bias, size[0])
    return x, strides, paddings, dilations


def _padded_by_name(
    what: str, x: Any, name: str, size: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> tuple[Any, Any]:
    """Return the input and the padding that "valid" or "same" mean; an odd one out goes to the right and below."""
    check_named_padding(name, stride, what)
    if name == "valid":
        return x, 0
    reach = [d * (k - 1) for d, k in zip(dilation, size, strict=True)]
    if any(r % 2 for r in reach):
        x = pad(x, tuple(n for r in reversed(reach) for n in (0, r % 2)))
    return x, tuple(r // 2 for r in reach)


@functools.lru_cache(256)
def _check(
    what: str,
    x: tuple[int, ...],
    weight: tuple[int, ...],
    groups: int,
    padding: tuple[int, ...],
    dilation: tuple[int, ...],
) -> None:
    """Raise ShapeError unless the shapes of input and weight fit together; asked once for all calls alike."""
    (out, per_group, *size), (channels, *sizes) = weight, x[1 - len(weight) :]
    given = f"{what}: Given groups={groups}"
    if groups < 1 or out < groups or out % groups:
        raise ShapeError(
            f"{given}, expected weight to be at least {groups} and divisible by {groups} at dimension 0, but got "
            f"weight of size {list(weight)}"
        )
    if channels != per_group * groups:
        raise ShapeError(
            f"{given}, weight of size {list(weight)}, expected input{list(x)} to have {per_group * groups} channels, "
            f"but got {channels} channels instead (axis {len(x) - len(size) - 1} of the input)"
        )
    padded = [n + 2 * p for n, p in zip(sizes, padding, strict=True)]
    reach = [d * (k - 1) + 1 for k, d in zip(size, dilation, strict=True)]
    if any(n < k for n, k in zip(padded, reach, strict=True)):
        raise ShapeError(
            f"{what}: Calculated padded input size per channel: ({' x '.join(map(str, padded))}). Kernel size: "
            f"({' x '.join(map(str, reach))}). Kernel size can't be greater than actual input size"
        )


def check_bias(what: str, weight: Any, bias: Any, out: int) -> None:
    """Raise ShapeError unless there is no bias or it has one element for each of the `out` channels."""
    if bias is not None and array_of(bias).shape != (out,):
        raise ShapeError(
            f"{what}: Given weight of size {list(weight.shape)}, expected bias to be 1-dimensional with {out} "
            f"elements, but got bias of size {list(bias.shape)} instead"
        )

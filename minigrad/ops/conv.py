"""Convolution in two dimensions, a family of three ops closed under differentiation."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError, ShapeError
from minigrad.graph import composite, primitive
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
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Return the cross-correlation of `x` (N, C, H, W) or (C, H, W) with `weight` (O, C / groups, kh, kw).

    `bias` is (O,) or None. Settings are an int or a pair for (height, width); `padding` may also be "valid" (none) or
    "same" (the output has the size of the input; stride 1 only). With `groups`, each group of filters sees its own part
    of the channels. Raises ShapeError if shapes do not fit together or the kernel is larger than the padded input.

    >>> import numpy as np
    >>> conv2d(np.arange(9.0).reshape(1, 3, 3), np.ones((1, 1, 2, 2)))
    array([[[ 8., 12.],
            [20., 24.]]])
    """
    strides, dilations = pair(stride, "stride", "conv2d", 1), pair(dilation, "dilation", "conv2d", 1)
    if x.ndim not in (3, 4) or weight.ndim != 4:
        raise ShapeError(
            f"conv2d: Expected 3D (unbatched) or 4D (batched) input to conv2d and a 4D weight, but got input of size: "
            f"{list(x.shape)} and weight of size: {list(weight.shape)}"
        )
    if isinstance(padding, str):
        x, padding = _padded_by_name(x, padding, tuple(weight.shape[2:]), strides, dilations)
    settings = _settings(strides, pair(padding, "padding", "conv2d", 0), dilations, groups)
    _check(x, weight, bias, **settings)
    if x.ndim == 3:
        return squeeze(convolution(unsqueeze(x, 0), weight, bias, **settings), 0)
    return convolution(x, weight, bias, **settings)


def pair(value: Any, name: str, what: str, least: int) -> Pair:
    """Return a setting given as one int or as two, for (height, width), each at least `least`.

    >>> pair(3, "stride", "conv2d", 1), pair((1, 2), "stride", "conv2d", 1)
    ((3, 3), (1, 2))
    """
    values = tuple(value) if isinstance(value, tuple | list) else (value,)
    if len(values) not in (1, 2) or not all(hasattr(v, "__index__") for v in values):
        raise ArgumentError(f"{what}: {name} must either be a single int, or a tuple of two ints, got {value!r}")
    if min(values) < least:
        kind = "negative" if least == 0 else "non-positive"
        raise ArgumentError(f"{what}: {kind} {name} is not supported, got {name}={value!r}")
    return int(values[0]), int(values[-1])


def check_named_padding(name: str, stride: Pair) -> None:
    """Raise ArgumentError unless the padding called `name` is "valid", or "same" with stride 1."""
    if name not in ("same", "valid"):
        raise ArgumentError(f"conv2d: Invalid padding string {name!r}, should be a number, a pair, 'valid' or 'same'")
    if name == "same" and stride != (1, 1):
        raise ArgumentError(f"conv2d: padding='same' is not supported for strided convolutions, got stride={stride}")


def _padded_by_name(x: Any, name: str, size: Pair, stride: Pair, dilation: Pair) -> tuple[Any, Any]:
    """Return the input and the padding that "valid" or "same" mean; an odd one out goes to the right and below."""
    check_named_padding(name, stride)
    if name == "valid":
        return x, 0
    down, right = (d * (k - 1) for d, k in zip(dilation, size, strict=True))
    if down % 2 or right % 2:
        x = pad(x, (0, right % 2, 0, down % 2))
    return x, (down // 2, right // 2)


def _check(x: Any, weight: Any, bias: Any, *, stride: Pair, padding: Pair, dilation: Pair, groups: int) -> None:
    (out, per_group, *size), (channels, *sizes) = weight.shape, x.shape[-3:]
    given = f"conv2d: Given groups={groups}"
    if groups < 1 or out < groups or out % groups:
        raise ShapeError(
            f"{given}, expected weight to be at least {groups} and divisible by {groups} at dimension 0, but got "
            f"weight of size {list(weight.shape)}"
        )
    if channels != per_group * groups:
        raise ShapeError(
            f"{given}, weight of size {list(weight.shape)}, expected input{list(x.shape)} to have "
            f"{per_group * groups} channels, but got {channels} channels instead (axis {x.ndim - 3} of the input)"
        )
    if bias is not None and tuple(bias.shape) != (out,):
        raise ShapeError(
            f"conv2d: Given weight of size {list(weight.shape)}, expected bias to be 1-dimensional with {out} "
            f"elements, but got bias of size {list(bias.shape)} instead"
        )
    padded = [n + 2 * p for n, p in zip(sizes, padding, strict=True)]
    reach = [d * (k - 1) + 1 for k, d in zip(size, dilation, strict=True)]
    if any(n < k for n, k in zip(padded, reach, strict=True)):
        raise ShapeError(
            f"conv2d: Calculated padded input size per channel: ({padded[0]} x {padded[1]}). Kernel size: "
            f"({reach[0]} x {reach[1]}). Kernel size can't be greater than actual input size"
        )

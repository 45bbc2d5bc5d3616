"""Convolutions of sequences and volumes, and transposed ones: composites of the two-dimensional family.

A sequence is an image one pixel high. The taps of a volume's kernel along the depth are counted as channels, so that
one product of images does the rest. A transposed convolution is the gradient of a convolution by its input.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.errors import ArgumentError, ShapeError
from minigrad.graph import composite
from minigrad.kernels.index import ARRAY
from minigrad.ops.conv import check_bias, checked_call, conv2d, input_grad, several
from minigrad.ops.index import getitem, put_among_zeros
from minigrad.ops.pad import pad
from minigrad.ops.shape import narrow, permute, reshape, squeeze, unsqueeze

Ints = tuple[int, ...]


@composite
def conv1d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Return the cross-correlation of `input` (N, C, L) or (C, L) with `weight` (O, C / groups, k).

    Settings are those of conv2d.

    >>> conv1d(np.arange(4.0).reshape(1, 4), np.ones((1, 1, 2)))
    array([[1., 3., 5.]])
    """
    x, (s,), (p,), (d,) = checked_call("conv1d", input, weight, bias, stride, padding, dilation, groups)
    y = conv2d(unsqueeze(x, -2), unsqueeze(weight, -2), bias, (1, s), (0, p), (1, d), groups)
    return squeeze(y, -2)


@composite
def conv3d(
    input: Any, weight: Any, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Any:
    """Return the cross-correlation of `input` (N, C, D, H, W) or (C, D, H, W) with `weight` (O, C / groups, d, h, w).

    Settings are those of conv2d, as one int or three, for (depth, height, width).
    """
    x, strides, paddings, dilations = checked_call("conv3d", input, weight, bias, stride, padding, dilation, groups)
    if x.ndim == 4:
        return squeeze(_conv3d(unsqueeze(x, 0), weight, bias, strides, paddings, dilations, groups), 0)
    return _conv3d(x, weight, bias, strides, paddings, dilations, groups)


def _conv3d(x: Any, weight: Any, bias: Any, stride: Ints, padding: Ints, dilation: Ints, groups: int) -> Any:
    out, per_group, taps, kh, kw = weight.shape
    x = pad(x, (0, 0, 0, 0, padding[0], padding[0])) if padding[0] else x
    count = (x.shape[2] - dilation[0] * (taps - 1) - 1) // stride[0] + 1
    slices = _depth_taps(x, _taps(count, taps, stride[0], dilation[0]))
    filters = reshape(weight, shape=(out, per_group * taps, kh, kw))
    y = conv2d(slices, filters, bias, stride[1:], padding[1:], dilation[1:], groups)
    return permute(reshape(y, shape=(x.shape[0], count, *y.shape[1:])), dims=(0, 2, 1, 3, 4))


def _taps(count: int, taps: int, stride: int, dilation: int) -> Any:
    """Return the places (count, taps) that the taps of each of `count` windows fall on."""
    return np.arange(count)[:, None] * stride + np.arange(taps) * dilation


def _depth_taps(x: Any, places: Any) -> Any:
    """Return volumes (N, C, D, H, W) as images (N * count, C * taps, H, W), one for each window along the depth."""
    n, channels, _, height, width = x.shape
    windows = permute(getitem(x, places, index=(slice(None), slice(None), ARRAY)), dims=(0, 2, 1, 3, 4, 5))
    return reshape(windows, shape=(n * len(places), channels * places.shape[1], height, width))


@composite
def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Return the transposed convolution of `input` (N, C, L) or (C, L) with `weight` (C, O / groups, k)."""
    (s,), (p,), (d,), sizes = _checked_transposed(
        "conv_transpose1d", input, weight, bias, stride, padding, output_padding, groups, dilation
    )
    batch = reshape(input, shape=(-1, input.shape[-2], 1, input.shape[-1])) if input.ndim == 2 else unsqueeze(input, -2)
    y = squeeze(_adjoint(batch, unsqueeze(weight, -2), (1, s), (0, p), (1, d), groups, (1, *sizes)), -2)
    return _with_bias(squeeze(y, 0) if input.ndim == 2 else y, bias, 1)


@composite
def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Return the transposed convolution of `input` (N, C, H, W) or (C, H, W) with `weight` (C, O / groups, kh, kw).

    It is what the gradient of conv2d by its input computes: H becomes (H - 1) stride - 2 padding + dilation (kh - 1) +
    output_padding + 1. `output_padding` is smaller than stride or dilation. Raises ShapeError if nothing is left.

    >>> conv_transpose2d(np.ones((1, 1, 2)), np.ones((1, 1, 1, 2)), stride=2)
    array([[[1., 1., 1., 1.]]])
    """
    strides, paddings, dilations, sizes = _checked_transposed(
        "conv_transpose2d", input, weight, bias, stride, padding, output_padding, groups, dilation
    )
    y = _adjoint(unsqueeze(input, 0) if input.ndim == 3 else input, weight, strides, paddings, dilations, groups, sizes)
    return _with_bias(squeeze(y, 0) if input.ndim == 3 else y, bias, 2)


@composite
def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Return the transposed convolution of `input` (N, C, D, H, W) or (C, D, H, W) with `weight` (C, O / groups, ...).

    Settings are those of conv_transpose2d.
    """
    strides, paddings, dilations, sizes = _checked_transposed(
        "conv_transpose3d", input, weight, bias, stride, padding, output_padding, groups, dilation
    )
    volumes = unsqueeze(input, 0) if input.ndim == 4 else input
    y = _conv_transpose3d(volumes, weight, strides, paddings, dilations, groups, sizes)
    return _with_bias(squeeze(y, 0) if input.ndim == 4 else y, bias, 3)


def _adjoint(x: Any, weight: Any, stride: Ints, padding: Ints, dilation: Ints, groups: int, sizes: Ints) -> Any:
    """Return images of `sizes` of which conv2d, with these settings, makes as many windows as `x` has pixels.

    Where the sizes would leave room for more, the images are made without padding and cropped.
    """
    settings = {"stride": stride, "dilation": dilation, "groups": groups}
    spans = [
        (n - 1) * s + d * (k - 1) + 1
        for n, s, d, k in zip(x.shape[2:], stride, dilation, weight.shape[2:], strict=True)
    ]
    room = [n + 2 * p - span for n, p, span in zip(sizes, padding, spans, strict=True)]
    if all(r < s for r, s in zip(room, stride, strict=True)):
        return input_grad(x, weight, sizes=sizes, padding=padding, **settings)
    y = input_grad(x, weight, sizes=tuple(spans), padding=(0, 0), **settings)
    (top, left), (bottom, right) = padding, (r - p for r, p in zip(room, padding, strict=True))
    return pad(y, (-left, right, -top, bottom))


def _conv_transpose3d(
    x: Any, weight: Any, stride: Ints, padding: Ints, dilation: Ints, groups: int, sizes: Ints
) -> Any:
    """Return what every tap along the depth adds to its place: images first, then the depth."""
    (n, channels, depth, height, width), (_, per_group, taps, kh, kw) = x.shape, weight.shape
    images = reshape(permute(x, dims=(0, 2, 1, 3, 4)), shape=(n * depth, channels, height, width))
    filters = reshape(weight, shape=(channels, per_group * taps, kh, kw))
    y = _adjoint(images, filters, stride[1:], padding[1:], dilation[1:], groups, sizes[1:])
    y = permute(reshape(y, shape=(n, depth, per_group * groups, taps, *sizes[1:])), dims=(0, 2, 1, 3, 4, 5))
    places = _taps(depth, taps, stride[0], dilation[0])
    span = max(int(places.max(initial=0)) + 1, padding[0] + sizes[0])
    shape = (n, per_group * groups, span, *sizes[1:])
    whole = put_among_zeros(y, places, index=(slice(None), slice(None), ARRAY), shape=shape)
    return narrow(whole, dim=2, start=padding[0], length=sizes[0])


def _with_bias(y: Any, bias: Any, dims: int) -> Any:
    return y if bias is None else y + reshape(bias, shape=(-1, *(1,) * dims))


def _checked_transposed(
    what: str,
    x: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: int,
    dilation: Any,
) -> tuple[Any, ...]:
    """Return stride, padding and dilation with one value for each dim, and the sizes of the output."""
    dims = int(what[-2])
    if x.ndim not in (dims + 1, dims + 2) or weight.ndim != dims + 2:
        raise ShapeError(
            f"{what}: Expected {dims + 1}D (unbatched) or {dims + 2}D (batched) input to {what} and a {dims + 2}D "
            f"weight, but got input of size: {list(x.shape)} and weight of size: {list(weight.shape)}"
        )
    strides, dilations = several(stride, dims, "stride", what, 1), several(dilation, dims, "dilation", what, 1)
    paddings = several(padding, dims, "padding", what, 0)
    extra = several(output_padding, dims, "output_padding", what, 0)
    (channels, per_group, *kernel), (given, *inputs) = weight.shape, x.shape[-dims - 1 :]
    if given != channels or groups < 1 or channels % groups:
        raise ShapeError(
            f"{what}: Given transposed=1, weight of size {list(weight.shape)} and groups={groups}, expected "
            f"input{list(x.shape)} to have {channels} channels, divisible by groups, but got {given} channels instead"
        )
    check_bias(what, weight, bias, per_group * groups)
    return strides, paddings, dilations, _transposed_sizes(what, inputs, kernel, strides, paddings, dilations, extra)


def _transposed_sizes(
    what: str, inputs: list[int], kernel: list[int], stride: Ints, padding: Ints, dilation: Ints, extra: Ints
) -> Ints:
    """Return the sizes of the output, which has `extra` places at its ends."""
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ArgumentError(
            f"{what}: output padding must be smaller than either stride or dilation, but got output_padding={extra}, "
            f"stride={stride}, dilation={dilation}"
        )
    sizes = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + e + 1
        for n, s, p, d, k, e in zip(inputs, stride, padding, dilation, kernel, extra, strict=True)
    )
    if min(sizes) < 1:
        raise ShapeError(
            f"{what}: Given input size per channel: {inputs}. Calculated output size per channel: {list(sizes)}. "
            "Output size is too small"
        )
    return sizes

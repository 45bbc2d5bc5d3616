"""Convolutions of sequences, images and volumes, and the transposed ones."""

from __future__ import annotations

from typing import Any

from minigrad.ops import conv as _conv
from minigrad.ops import convnd as _convnd
from minigrad.tensor import Tensor


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Return the cross-correlation of sequences (N, C, L) with weight (out, C / groups, k), plus bias (out,)."""
    return _convnd.conv1d(input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Return the cross-correlation of images (N, C, H, W) with weight (out, C / groups, kH, kW), plus bias (out,).

    `padding` is a number of zeros on each side, a pair (rows, columns), "valid" (none) or "same" (H and W stay).
    """
    return _conv.conv2d(input, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Return the cross-correlation of volumes (N, C, D, H, W) with weight (out, C / groups, kD, kH, kW), plus bias."""
    return _convnd.conv3d(input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Return the transposed convolution of sequences (N, C, L) with weight (C, out / groups, k), plus bias (out,)."""
    return _convnd.conv_transpose1d(input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Return the transposed convolution of images (N, C, H, W) with weight (C, out / groups, kH, kW), plus bias."""
    return _convnd.conv_transpose2d(input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Return the transposed convolution of volumes (N, C, D, H, W) with weight (C, out / groups, kD, kH, kW)."""
    return _convnd.conv_transpose3d(input, weight, bias, stride, padding, output_padding, groups, dilation)

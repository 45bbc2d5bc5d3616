"""Windows of images taken apart into columns, and columns added up to images."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import ShapeError
from minigrad.kernels.index import ARRAY
from minigrad.nodenames import titled, titling
from minigrad.ops.conv import several
from minigrad.ops.index import getitem, put_among_zeros
from minigrad.ops.pad import pad
from minigrad.ops.shape import reshape
from minigrad.tensor import Tensor

_WINDOWS = (slice(None), slice(None), ARRAY, ARRAY)


def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """Return the windows of images (N, C, H, W) as columns (N, C kh kw, L). Raises ShapeError if none fits."""
    if input.ndim not in (3, 4):
        raise ShapeError(f"unfold: Expected 3D or 4D (batch mode) tensor, but got shape {tuple(input.shape)}")
    x = input if input.ndim == 4 else input.unsqueeze(0)
    (kh, kw), (ph, pw), rows, columns = _grid("unfold", tuple(x.shape[2:]), kernel_size, dilation, padding, stride)
    windows = getitem(pad(x, (pw, pw, ph, ph)), rows, columns, index=_WINDOWS)
    count = rows.shape[2] * columns.shape[3]
    y = reshape(windows, shape=(x.shape[0], x.shape[1] * kh * kw, count))
    return titled(y if input.ndim == 4 else y.squeeze(0), "Im2Col")  # there is a Tensor.unfold too


@titling
def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Return images (N, C, *output_size) to which each column of (N, C kh kw, L) was added at its window."""
    if input.ndim not in (2, 3):
        raise ShapeError(f"fold: Expected 2D or 3D (batch mode) tensor, but got shape {tuple(input.shape)}")
    x = input if input.ndim == 3 else input.unsqueeze(0)
    height, width = several(output_size, 2, "output_size", "fold", 1)
    (kh, kw), (ph, pw), rows, columns = _grid("fold", (height, width), kernel_size, dilation, padding, stride)
    count = rows.shape[2] * columns.shape[3]
    if x.shape[1] % (kh * kw) or x.shape[2] != count:
        raise ShapeError(
            f"fold: Given output_size=({height}, {width}), kernel_size=({kh}, {kw}), expected input of shape "
            f"(N, C * {kh * kw}, {count}), but got {tuple(input.shape)}"
        )
    windows = reshape(x, shape=(x.shape[0], x.shape[1] // (kh * kw), kh, kw, rows.shape[2], columns.shape[3]))
    shape = (*windows.shape[:2], height + 2 * ph, width + 2 * pw)
    y: Tensor = pad(put_among_zeros(windows, rows, columns, index=_WINDOWS, shape=shape), (-pw, -pw, -ph, -ph))
    return y if input.ndim == 3 else y.squeeze(0)


def _grid(
    what: str, sizes: tuple[int, ...], kernel_size: Any, dilation: Any, padding: Any, stride: Any
) -> tuple[tuple[int, ...], tuple[int, ...], Array, Array]:
    """Return kernel, padding, and for each tap of each window its row (kh, 1, L_h, 1) and column (1, kw, 1, L_w)."""
    kernel, paddings = several(kernel_size, 2, "kernel_size", what, 1), several(padding, 2, "padding", what, 0)
    dilations, strides = several(dilation, 2, "dilation", what, 1), several(stride, 2, "stride", what, 1)
    places = []
    for n, k, p, d, s in zip(sizes, kernel, paddings, dilations, strides, strict=True):
        count = (n + 2 * p - d * (k - 1) - 1) // s + 1
        if count < 1:
            raise ShapeError(f"{what}: sizes {sizes} and kernel_size={kernel} leave no window at all")
        places.append(np.arange(k)[:, None] * d + np.arange(count) * s)
    return kernel, paddings, places[0][:, None, :, None], places[1][None, :, None, :]

"""Tensors of images as one picture, and as a file: torchvision's `utils`."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, MissingDependencyError, ShapeError
from minigrad.tensor import Tensor, wrap


def make_grid(
    tensor: Tensor | Sequence[Tensor],
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Tensor:
    """Return the images in rows of `nrow`, with `padding` pixels of `pad_value` around each: (3, height, width).

    `tensor` is (N, C, H, W), one image (C, H, W) or (H, W), or a list of images; grey becomes three equal channels.
    With `normalize` the values are shifted and scaled to [0, 1], from `value_range` or from the lowest to the highest
    there is, in each image if `scale_each`. Raises ShapeError for other dims.
    """
    images = _batch(tensor)
    if normalize:
        parts = images if scale_each else [images]
        images = np.stack([_unit(part, value_range) for part in parts]).reshape(images.shape)
    elif value_range is not None or scale_each:
        raise ArgumentError("make_grid: value_range and scale_each are for normalize=True")
    if len(images) == 1:
        return wrap(images[0].copy())
    count, channels, height, width = images.shape
    across = min(nrow, count)
    high, wide = height + padding, width + padding
    grid = np.full((channels, high * math.ceil(count / across) + padding, wide * across + padding), pad_value)
    grid = grid.astype(images.dtype)
    for i, image in enumerate(images):
        top, left = i // across * high + padding, i % across * wide + padding
        grid[:, top : top + height, left : left + width] = image
    return wrap(grid)


def _batch(tensor: Any) -> Array:
    """Return the images as an array (N, C, H, W), grey ones with three channels."""
    if isinstance(tensor, Tensor):
        images = tensor._data
    elif isinstance(tensor, list | tuple) and tensor and all(isinstance(t, Tensor) for t in tensor):
        images = np.stack([t._data for t in tensor])
    else:
        raise ArgumentError(f"tensor or list of tensors expected, got {type(tensor)}")
    if images.ndim in (2, 3):
        images = images[None, None] if images.ndim == 2 else images[None]
    if images.ndim != 4:
        raise ShapeError(f"expected images (N, C, H, W), (C, H, W) or (H, W), got shape {images.shape}")
    return np.repeat(images, 3, axis=1) if images.shape[1] == 1 else images


def _unit(images: Array, value_range: tuple[float, float] | None) -> Array:
    """Return the values from `value_range`, or from the lowest to the highest, as 0 to 1."""
    low, high = (float(images.min()), float(images.max())) if value_range is None else value_range
    kind = images.dtype.type
    return (np.clip(images, kind(low), kind(high)) - kind(low)) / kind(max(high - low, 1e-5))


def save_image(
    tensor: Tensor | Sequence[Tensor], fp: str | os.PathLike[str] | Any, format: str | None = None, **settings: Any
) -> None:
    """Write the grid that `make_grid(tensor, **settings)` makes, its values in [0, 1], to a picture file.

    `fp` is a path, whose suffix says the format, or an open file, with `format` beside it. Raises
    MissingDependencyError without Pillow.
    """
    try:
        from PIL import Image
    except ImportError:
        raise MissingDependencyError("save_image needs Pillow: pip install pillow") from None
    values = make_grid(tensor, **settings)._data * 255 + 0.5
    pixels = np.clip(values, 0, 255).transpose(1, 2, 0).astype(np.uint8)
    Image.fromarray(np.ascontiguousarray(pixels)).save(fp, format=format)

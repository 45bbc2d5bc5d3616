"""A PIL image, a tensor (..., C, H, W), or an array (H, W) or (H, W, C); and one made from another."""

from __future__ import annotations

from enum import Enum
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, MissingDependencyError, ShapeError
from minigrad.tensor import Tensor, wrap


class InterpolationMode(Enum):
    """How the pixels between pixels are found; the value is what PyTorch calls it."""

    NEAREST = "nearest"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


_DTYPES: dict[str, Any] = {"I": np.int32, "I;16": np.int16, "F": np.float32}


def pil() -> Any:
    """Return the module PIL.Image. Raises MissingDependencyError without Pillow."""
    try:
        from PIL import Image
    except ImportError:
        raise MissingDependencyError("images as PIL images need Pillow: pip install pillow") from None
    return Image


def is_pil(img: Any) -> bool:
    """Return whether `img` is a PIL image; False for all there is without Pillow."""
    return type(img).__module__.startswith("PIL.") or any(c.__module__ == "PIL.Image" for c in type(img).__mro__)


def resample(mode: InterpolationMode) -> Any:
    """Return Pillow's constant for `mode`."""
    return getattr(pil().Resampling, InterpolationMode(mode).name)


def image_array(img: Any) -> Array:
    """Return the array of a tensor image. Raises ArgumentError if it is none, ShapeError below 2 dims."""
    if not isinstance(img, Tensor):
        raise ArgumentError(f"img should be a PIL Image or a Tensor image (..., C, H, W), got {type(img).__name__}")
    if img.ndim < 2:
        raise ShapeError(f"Tensor is not a torch image: expected (..., C, H, W), got shape {tuple(img.shape)}")
    return img._data


def get_dimensions(img: Any) -> list[int]:
    """Return channels, height and width of an image."""
    if is_pil(img):
        return [len(img.getbands()), img.height, img.width]
    array = image_array(img)
    return [1 if array.ndim == 2 else array.shape[-3], *array.shape[-2:]]


def pil_to_tensor(pic: Any) -> Tensor:
    """Return a PIL image as a tensor (C, H, W) of the values it holds, uint8 for most."""
    array = np.array(pic, _DTYPES.get(pic.mode))
    if pic.mode == "1":
        array = np.uint8(255) * array.astype(np.uint8)
    return wrap(_channels_first(array))


def to_tensor(pic: Any) -> Tensor:
    """Return a PIL image, or an array (H, W) or (H, W, C), as a tensor (C, H, W): bytes as float32 in [0, 1].

    Values of other types are kept as they are. A tensor, which torchvision refuses, is returned itself. Raises
    ArgumentError for anything else, ShapeError for an array of other dims.

    >>> to_tensor(np.array([[0, 51], [102, 255]], np.uint8))
    tensor([[[0.0000, 0.2000],
             [0.4000, 1.0000]]])
    """
    if isinstance(pic, Tensor):
        return pic
    if is_pil(pic):
        tensor = pil_to_tensor(pic)
    elif isinstance(pic, np.ndarray):
        if pic.ndim not in (2, 3):
            raise ShapeError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        tensor = wrap(_channels_first(pic).copy())
    else:
        raise ArgumentError(f"pic should be PIL Image or ndarray. Got {type(pic)}")
    return convert_image_dtype(tensor) if tensor._data.dtype == np.uint8 else tensor


def _channels_first(array: Array) -> Array:
    return np.ascontiguousarray(array[None] if array.ndim == 2 else array.transpose(2, 0, 1))


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """Return a tensor (C, H, W) or (H, W), or an array (H, W) or (H, W, C), as a PIL image.

    A tensor of floats is taken to lie in [0, 1]. Raises ShapeError for other dims or more than four channels.
    """
    if isinstance(pic, Tensor):
        array = pic._data[None] if pic.ndim == 2 else pic._data
        if array.ndim != 3:
            raise ShapeError(f"pic should be 2/3 dimensional. Got {array.ndim} dimensions.")
        array = array.transpose(1, 2, 0)
        if array.dtype.kind == "f" and mode != "F":
            array = (array * array.dtype.type(255)).astype(np.int64).astype(np.uint8)
    elif isinstance(pic, np.ndarray):
        array = pic[..., None] if pic.ndim == 2 else pic
    else:
        raise ArgumentError(f"pic should be Tensor or ndarray. Got {type(pic)}.")
    if array.ndim != 3 or array.shape[2] > 4:
        raise ShapeError(f"pic should have 2 or 3 dims and at most 4 channels, got shape {tuple(pic.shape)}")
    image = pil().fromarray(np.ascontiguousarray(array[..., 0] if array.shape[2] == 1 else array))
    return image if mode is None or image.mode == mode else image.convert(mode)


def convert_image_dtype(image: Tensor, dtype: Any = dtypes.float32) -> Tensor:
    """Return the image in `dtype`, with its values scaled: floats from 0 to 1, integers from 0 to their largest."""
    array, kind = image_array(image), dtypes.numpy_dtype(dtype)
    if array.dtype == kind:
        return image
    if array.dtype.kind == "f":
        if kind.kind == "f":
            return wrap(array.astype(kind))
        scale = np.iinfo(kind).max + 1 - 1e-3
        return wrap((array * array.dtype.type(scale)).astype(kind))
    most = np.iinfo(array.dtype).max
    if kind.kind == "f":
        return wrap(array.astype(kind) / kind.type(most))
    wanted = np.iinfo(kind).max
    if most > wanted:
        return wrap((array // ((most + 1) // (wanted + 1))).astype(kind))
    return wrap(array.astype(kind) * kind.type((wanted + 1) // (most + 1)))

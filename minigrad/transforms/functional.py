"""The transforms as functions of an image: a PIL image, or a tensor (..., C, H, W); tensors record no gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, ShapeError
from minigrad.tensor import Tensor, wrap
from minigrad.transforms.pictures import (  # noqa: F401 - some are only offered
    InterpolationMode,
    convert_image_dtype,
    get_dimensions,
    image_array,
    is_pil,
    pil,
    pil_to_tensor,
    resample,
    to_pil_image,
    to_tensor,
)
from minigrad.transforms.resampling import resized, rotated

_GREY = (0.2989, 0.587, 0.114)
_PAD = ("constant", "edge", "reflect", "symmetric")


def normalize(tensor: Tensor, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> Tensor:
    """Return (x - mean) / std for each channel of a float tensor (..., C, H, W).

    Raises ArgumentError for integers and for a std of 0.
    """
    array = image_array(tensor)
    if array.dtype.kind != "f":
        raise ArgumentError(f"Input tensor should be a float tensor. Got {tensor.dtype}: use ToTensor first")
    if not np.all(np.asarray(std)):
        raise ArgumentError("std evaluated to zero, leading to division by zero.")
    centre, spread = (np.asarray(v, array.dtype).reshape(-1, 1, 1) for v in (mean, std))
    if inplace:
        return tensor.sub_(wrap(centre)).div_(wrap(spread))
    return wrap((array - centre) / spread)


def resize(
    img: Any,
    size: int | Sequence[int],
    interpolation: InterpolationMode = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    """Return the image in `size`: (height, width), or the length of its shorter side, the other in proportion."""
    _, height, width = get_dimensions(img)
    new_height, new_width = _new_size(height, width, size, max_size)
    if (new_height, new_width) == (height, width):
        return img
    if is_pil(img):
        return img.resize((new_width, new_height), resample(interpolation))
    mode = InterpolationMode(interpolation).value
    return wrap(resized(image_array(img), new_height, new_width, mode, bool(antialias)))


def _new_size(height: int, width: int, size: int | Sequence[int], max_size: int | None) -> tuple[int, int]:
    sizes = [size] if isinstance(size, int) else list(size)
    if len(sizes) == 2:
        return sizes[0], sizes[1]
    short, long = sorted((height, width))
    new_short, new_long = sizes[0], int(sizes[0] * long / short)
    if max_size is not None and new_long > max_size:
        new_short, new_long = int(max_size * new_short / new_long), max_size
    return (new_short, new_long) if height <= width else (new_long, new_short)


def pad(img: Any, padding: int | Sequence[int], fill: Any = 0, padding_mode: str = "constant") -> Any:
    """Return the image with a border: one width, (left and right, top and bottom), or (left, top, right, bottom).

    Raises ArgumentError for a `padding_mode` other than constant, edge, reflect and symmetric.
    """
    left, top, right, bottom = _borders(padding)
    if padding_mode not in _PAD:
        raise ArgumentError(f"Padding mode should be either constant, edge, reflect or symmetric, not {padding_mode}")
    if is_pil(img) and padding_mode == "constant":
        from PIL import ImageOps

        return ImageOps.expand(img, (left, top, right, bottom), fill=fill)
    if is_pil(img):
        array = np.asarray(img)
        around = ((top, bottom), (left, right), (0, 0))[: array.ndim]
        return pil().fromarray(np.pad(array, around, padding_mode))  # type: ignore[call-overload]
    return wrap(_padded(image_array(img), (left, top, right, bottom), fill, padding_mode))


def _borders(padding: int | Sequence[int]) -> tuple[int, int, int, int]:
    sizes = [padding] if isinstance(padding, int) else list(padding)
    if len(sizes) not in (1, 2, 4):
        raise ArgumentError(f"Padding must be an int or a 1, 2, or 4 element tuple, not {len(sizes)} elements")
    left, top, right, bottom = sizes * (4 // len(sizes))
    return left, top, right, bottom


def _padded(array: Array, borders: tuple[int, int, int, int], fill: Any, mode: str) -> Array:
    left, top, right, bottom = borders
    around = [(0, 0)] * (array.ndim - 2) + [(top, bottom), (left, right)]
    options = {"constant_values": fill} if mode == "constant" else {}
    return np.pad(array, around, mode, **options)  # type: ignore[call-overload]


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """Return the part of the image whose upper left corner is at (top, left); beyond the image it is 0."""
    if is_pil(img):
        return img.crop((left, top, left + width, top + height))
    _, rows, columns = get_dimensions(img)
    outside = (max(-left, 0), max(-top, 0), max(left + width - columns, 0), max(top + height - rows, 0))
    if any(outside):
        img, top, left = pad(img, outside), max(top, 0), max(left, 0)
    return img[..., top : top + height, left : left + width]


def center_crop(img: Any, output_size: int | Sequence[int]) -> Any:
    """Return the middle of the image, (height, width) or a square; what is smaller gets a border of 0."""
    height, width = pair(output_size)
    _, rows, columns = get_dimensions(img)
    if height > rows or width > columns:
        tall, wide = max(height - rows, 0), max(width - columns, 0)
        img = pad(img, [wide // 2, tall // 2, (wide + 1) // 2, (tall + 1) // 2])
        _, rows, columns = get_dimensions(img)
    return crop(img, round((rows - height) / 2), round((columns - width) / 2), height, width)


def pair(size: int | Sequence[int]) -> tuple[int, int]:
    """Return (height, width) of a size that may be one number. Raises ArgumentError for more than two."""
    sizes = [size] if isinstance(size, int) else list(size)
    if len(sizes) not in (1, 2):
        raise ArgumentError(f"Please provide only two dimensions (h, w) for size, got {size}")
    return sizes[0], sizes[-1]


def resized_crop(
    img: Any,
    top: int,
    left: int,
    height: int,
    width: int,
    size: int | Sequence[int],
    interpolation: InterpolationMode = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> Any:
    """Return a part of the image, resized."""
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)


def hflip(img: Any) -> Any:
    """Return the image with left and right exchanged."""
    if is_pil(img):
        return img.transpose(pil().Transpose.FLIP_LEFT_RIGHT)
    return wrap(np.ascontiguousarray(image_array(img)[..., ::-1]))


def vflip(img: Any) -> Any:
    """Return the image upside down."""
    if is_pil(img):
        return img.transpose(pil().Transpose.FLIP_TOP_BOTTOM)
    return wrap(np.ascontiguousarray(image_array(img)[..., ::-1, :]))


def rotate(
    img: Any,
    angle: float,
    interpolation: InterpolationMode = InterpolationMode.NEAREST,
    expand: bool = False,
    center: Sequence[int] | None = None,
    fill: Any = None,
) -> Any:
    """Return the image turned counter-clockwise by `angle` degrees.

    Raises ArgumentError for a tensor with another interpolation than nearest, `expand` or `center`: these are for PIL
    images.
    """
    if is_pil(img):
        mode = resample(interpolation)
        return img.rotate(angle, mode, expand, center and tuple(center), fillcolor=_color(img, fill))
    if interpolation != InterpolationMode.NEAREST or expand or center is not None:
        raise ArgumentError("rotate: tensors are turned about their centre, by nearest pixels, in their own size")
    return wrap(rotated(image_array(img), angle, 0 if fill is None else fill))


def _color(img: Any, fill: Any) -> Any:
    """Return what Pillow takes as a colour: a number for each channel."""
    count = len(img.getbands())
    fill = 0 if fill is None else fill
    return (int(fill),) * count if isinstance(fill, int | float) and count > 1 else fill


def rgb_to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """Return the image in grey, with one channel or three equal ones."""
    if num_output_channels not in (1, 3):
        raise ArgumentError("num_output_channels should be either 1 or 3")
    if is_pil(img):
        grey = img.convert("L")
        return grey if num_output_channels == 1 else pil().merge("RGB", [grey] * 3)
    array = image_array(img)
    if array.ndim < 3 or array.shape[-3] not in (1, 3):
        raise ShapeError(f"expected an image of 1 or 3 channels (..., C, H, W), got shape {array.shape}")
    grey = array
    if array.shape[-3] == 3:
        red, green, blue = np.moveaxis(array, -3, 0)
        grey = (_GREY[0] * red + _GREY[1] * green + _GREY[2] * blue).astype(array.dtype)[..., None, :, :]
    return wrap(np.repeat(grey, num_output_channels, -3))


to_grayscale = rgb_to_grayscale


def _enhanced(img: Any, name: str, factor: float, other: Any) -> Any:
    """Return the image moved away from `other(array)` by `factor`: 1 is the image, 0 the other."""
    if factor < 0:
        raise ArgumentError(f"{name.lower()}_factor ({factor}) is not non-negative.")
    if is_pil(img):
        from PIL import ImageEnhance

        return getattr(ImageEnhance, name)(img).enhance(factor)
    array = image_array(img)
    most = 1.0 if array.dtype.kind == "f" else float(np.iinfo(array.dtype).max)
    kind = array.dtype if array.dtype.kind == "f" else np.dtype(np.float32)
    mixed = kind.type(factor) * array.astype(kind) + kind.type(1 - factor) * other(array).astype(kind)
    return wrap(np.clip(mixed, 0, most).astype(array.dtype))


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """Return the image brighter: 0 is black, 1 the image itself, 2 twice as bright."""
    return _enhanced(img, "Brightness", brightness_factor, np.zeros_like)


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """Return the image with more contrast: 0 is its mean grey, 1 the image itself."""
    return _enhanced(
        img,
        "Contrast",
        contrast_factor,
        lambda a: rgb_to_grayscale(wrap(a))._data.astype(np.float32).mean((-3, -2, -1), keepdims=True),
    )


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """Return the image with more colour: 0 is grey, 1 the image itself."""
    return _enhanced(img, "Color", saturation_factor, lambda a: rgb_to_grayscale(wrap(a))._data)


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """Return a PIL image with its hues turned, by -0.5 to 0.5 of the circle. Raises ArgumentError for a tensor."""
    if not -0.5 <= hue_factor <= 0.5:
        raise ArgumentError(f"hue_factor ({hue_factor}) is not in [-0.5, 0.5].")
    if not is_pil(img):
        raise ArgumentError("adjust_hue: of tensors it comes later; give a PIL image")
    if img.mode in ("L", "1", "I", "F"):
        return img
    hue, saturation, value = img.convert("HSV").split()
    turned = np.asarray(hue) + np.array(int(hue_factor * 255) % 256, np.uint8)
    return pil().merge("HSV", (pil().fromarray(turned.astype(np.uint8)), saturation, value)).convert(img.mode)

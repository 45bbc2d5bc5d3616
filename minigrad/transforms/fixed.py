"""Transforms that do the same to every image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minigrad import dtypes
from minigrad.errors import ArgumentError
from minigrad.transforms import functional as F
from minigrad.transforms.pictures import InterpolationMode


class Transform:
    """Base of transforms: those named in `shown` are the settings in the repr."""

    shown: tuple[str, ...] = ()

    def __call__(self, img: Any) -> Any:
        """Return what becomes of `img`."""
        return self._apply(img)

    def _apply(self, img: Any) -> Any:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{n}={_written(getattr(self, n))}' for n in self.shown)})"


def _written(value: Any) -> str:
    return value.value if isinstance(value, InterpolationMode) else str(value)


class Compose(Transform):
    """The transforms in `transforms`, one after the other.

    >>> Compose([ToTensor(), Normalize((0.5,), (0.5,))])
    Compose(
        ToTensor()
        Normalize(mean=(0.5,), std=(0.5,))
    )
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        self.transforms = transforms

    def _apply(self, img: Any) -> Any:
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return "\n    ".join([f"{type(self).__name__}(", *map(repr, self.transforms)]) + "\n)"


class ToTensor(Transform):
    """A PIL image, or an array (H, W, C), as a tensor (C, H, W): bytes as float32 in [0, 1]; tensors as they are."""

    def _apply(self, img: Any) -> Any:
        return F.to_tensor(img)


class PILToTensor(Transform):
    """A PIL image as a tensor (C, H, W) of the values it holds."""

    def _apply(self, img: Any) -> Any:
        return F.pil_to_tensor(img)


class ToPILImage(Transform):
    """A tensor (C, H, W) or an array (H, W, C) as a PIL image."""

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def _apply(self, img: Any) -> Any:
        return F.to_pil_image(img, self.mode)


class ConvertImageDtype(Transform):
    """The image in `dtype`, with its values scaled: floats from 0 to 1, integers from 0 to their largest."""

    def __init__(self, dtype: dtypes.dtype) -> None:
        self.dtype = dtype

    def _apply(self, img: Any) -> Any:
        return F.convert_image_dtype(img, self.dtype)


class Normalize(Transform):
    """(x - mean) / std for each channel of a float tensor (..., C, H, W)."""

    shown = ("mean", "std")

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        self.mean, self.std, self.inplace = mean, std, inplace

    def _apply(self, img: Any) -> Any:
        return F.normalize(img, self.mean, self.std, self.inplace)


class Resize(Transform):
    """The image in `size`: (height, width), or the length of its shorter side, the other in proportion."""

    shown = ("size", "interpolation", "max_size", "antialias")

    def __init__(
        self,
        size: int | Sequence[int],
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        self.size, self.interpolation, self.max_size, self.antialias = size, interpolation, max_size, antialias

    def _apply(self, img: Any) -> Any:
        return F.resize(img, self.size, self.interpolation, self.max_size, self.antialias)


class CenterCrop(Transform):
    """The middle of the image, (height, width) or a square."""

    shown = ("size",)

    def __init__(self, size: int | Sequence[int]) -> None:
        self.size = F.pair(size)

    def _apply(self, img: Any) -> Any:
        return F.center_crop(img, self.size)


class Pad(Transform):
    """The image with a border: one width, (left and right, top and bottom), or (left, top, right, bottom)."""

    shown = ("padding", "fill", "padding_mode")

    def __init__(self, padding: int | Sequence[int], fill: Any = 0, padding_mode: str = "constant") -> None:
        self.padding, self.fill, self.padding_mode = padding, fill, padding_mode

    def _apply(self, img: Any) -> Any:
        return F.pad(img, self.padding, self.fill, self.padding_mode)


class Grayscale(Transform):
    """The image in grey, with one channel or three equal ones."""

    shown = ("num_output_channels",)

    def __init__(self, num_output_channels: int = 1) -> None:
        self.num_output_channels = num_output_channels

    def _apply(self, img: Any) -> Any:
        return F.rgb_to_grayscale(img, self.num_output_channels)


class Lambda(Transform):
    """What `lambd(img)` returns."""

    def __init__(self, lambd: Callable[[Any], Any]) -> None:
        if not callable(lambd):
            raise ArgumentError(f"Argument lambd should be callable, got {type(lambd).__name__}")
        self.lambd = lambd

    def _apply(self, img: Any) -> Any:
        return self.lambd(img)

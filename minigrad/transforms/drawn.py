"""Transforms that draw what they do from PyTorch's stream, in torchvision's order."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad import creation, random
from minigrad.errors import ArgumentError, ShapeError
from minigrad.transforms import functional as F
from minigrad.transforms.fixed import Compose, Transform
from minigrad.transforms.pictures import InterpolationMode

Range = float | Sequence[float]


def _uniform(low: float, high: float) -> float:
    return float(random.uniform_(creation.empty(1), float(low), float(high)).item())


def _below(limit: int) -> int:
    return int(random.randint(0, limit, (1,)).item())


def _happens(p: float) -> bool:
    return bool(random.rand(1).item() < p)


class RandomHorizontalFlip(Transform):
    """The image with left and right exchanged, with probability `p`."""

    shown = ("p",)

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def _apply(self, img: Any) -> Any:
        return F.hflip(img) if _happens(self.p) else img


class RandomVerticalFlip(Transform):
    """The image upside down, with probability `p`."""

    shown = ("p",)

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def _apply(self, img: Any) -> Any:
        return F.vflip(img) if _happens(self.p) else img


class RandomGrayscale(Transform):
    """The image in grey, in as many channels as it had, with probability `p`."""

    shown = ("p",)

    def __init__(self, p: float = 0.1) -> None:
        self.p = p

    def _apply(self, img: Any) -> Any:
        return F.rgb_to_grayscale(img, F.get_dimensions(img)[0]) if _happens(self.p) else img


class RandomApply(Compose):
    """All of `transforms`, with probability `p`."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]], p: float = 0.5) -> None:
        super().__init__(transforms)
        self.p = p

    def _apply(self, img: Any) -> Any:
        return img if self.p < random.rand(1).item() else super()._apply(img)

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__}(", f"p={self.p}", *map(repr, self.transforms)]
        return "\n    ".join(lines) + "\n)"


class RandomCrop(Transform):
    """A part of `size` at a random place of the image, which may get a border of `padding` first.

    Raises ShapeError if the image is smaller than `size` and not `pad_if_needed`.
    """

    shown = ("size", "padding")

    def __init__(
        self,
        size: int | Sequence[int],
        padding: int | Sequence[int] | None = None,
        pad_if_needed: bool = False,
        fill: Any = 0,
        padding_mode: str = "constant",
    ) -> None:
        self.size, self.padding, self.pad_if_needed = F.pair(size), padding, pad_if_needed
        self.fill, self.padding_mode = fill, padding_mode

    def _apply(self, img: Any) -> Any:
        if self.padding is not None:
            img = F.pad(img, self.padding, self.fill, self.padding_mode)
        _, height, width = F.get_dimensions(img)
        for missing, borders in ((self.size[1] - width, (1, 0)), (self.size[0] - height, (0, 1))):
            if self.pad_if_needed and missing > 0:
                img = F.pad(img, [n * missing for n in borders], self.fill, self.padding_mode)
        return F.crop(img, *self.get_params(img, self.size))

    @staticmethod
    def get_params(img: Any, output_size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Draw a place; return top, left, height and width."""
        _, height, width = F.get_dimensions(img)
        tall, wide = output_size
        if height < tall or width < wide:
            raise ShapeError(f"Required crop size {(tall, wide)} is larger than input image size {(height, width)}")
        if (height, width) == (tall, wide):
            return 0, 0, height, width
        top = _below(height - tall + 1)
        return top, _below(width - wide + 1), tall, wide


class RandomResizedCrop(Transform):
    """A part of the image, of a random share `scale` of its area and a random ratio of width to height, resized.

    Source: Szegedy et al., Going deeper with convolutions, arXiv:1409.4842 (2014).
    """

    shown = ("size", "scale", "ratio", "interpolation", "antialias")

    def __init__(
        self,
        size: int | Sequence[int],
        scale: tuple[float, float] = (0.08, 1.0),
        ratio: tuple[float, float] = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        self.size, self.scale, self.ratio = F.pair(size), scale, ratio
        self.interpolation, self.antialias = interpolation, antialias

    def _apply(self, img: Any) -> Any:
        place = self.get_params(img, self.scale, self.ratio)
        return F.resized_crop(img, *place, self.size, self.interpolation, self.antialias)

    def __repr__(self) -> str:
        rounded = [tuple(round(v, 4) for v in pair) for pair in (self.scale, self.ratio)]
        return (
            f"{type(self).__name__}(size={self.size}, scale={rounded[0]}, ratio={rounded[1]}, "
            f"interpolation={self.interpolation.value}, antialias={self.antialias})"
        )

    @staticmethod
    def get_params(img: Any, scale: Sequence[float], ratio: Sequence[float]) -> tuple[int, int, int, int]:
        """Draw a place, ten times if it does not fit; return top, left, height and width."""
        _, height, width = F.get_dimensions(img)
        lowest, highest = (float(np.log(np.float32(r))) for r in ratio)
        for _ in range(10):
            area = height * width * _uniform(scale[0], scale[1])
            shape = float(np.exp(np.float32(_uniform(lowest, highest))))
            wide, tall = round(math.sqrt(area * shape)), round(math.sqrt(area / shape))
            if 0 < wide <= width and 0 < tall <= height:
                top = _below(height - tall + 1)
                return top, _below(width - wide + 1), tall, wide
        wide = min(width, round(height * max(ratio)))
        tall = min(height, round(width / min(ratio)))
        return (height - tall) // 2, (width - wide) // 2, tall, wide


class RandomRotation(Transform):
    """The image turned by an angle from -degrees to degrees, or from the first to the second of two."""

    shown = ("degrees", "interpolation", "expand", "fill")

    def __init__(
        self,
        degrees: Range,
        interpolation: InterpolationMode = InterpolationMode.NEAREST,
        expand: bool = False,
        center: Sequence[int] | None = None,
        fill: Any = 0,
    ) -> None:
        self.degrees = [-float(degrees), float(degrees)] if isinstance(degrees, int | float) else [*map(float, degrees)]
        self.interpolation, self.expand, self.center, self.fill = interpolation, expand, center, fill

    def _apply(self, img: Any) -> Any:
        angle = _uniform(self.degrees[0], self.degrees[1])
        return F.rotate(img, angle, self.interpolation, self.expand, self.center, self.fill)


class ColorJitter(Transform):
    """Brightness, contrast, saturation and hue changed at random, in a random order.

    Each setting is a number, for a factor from max(0, 1 - x) to 1 + x (of hue: from -x to x), or the two limits.
    """

    shown = ("brightness", "contrast", "saturation", "hue")

    def __init__(self, brightness: Range = 0, contrast: Range = 0, saturation: Range = 0, hue: Range = 0) -> None:
        self.brightness = _limits("brightness", brightness)
        self.contrast = _limits("contrast", contrast)
        self.saturation = _limits("saturation", saturation)
        self.hue = _limits("hue", hue, 0.0)

    def _apply(self, img: Any) -> Any:
        order = random.randperm(4).tolist()
        factors = [
            None if r is None else _uniform(*r) for r in (self.brightness, self.contrast, self.saturation, self.hue)
        ]
        changes = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)
        for i in order:
            if factors[i] is not None:
                img = changes[i](img, factors[i])
        return img


def _limits(name: str, value: Range, centre: float = 1.0) -> tuple[float, float] | None:
    """Return the two limits of a factor; None where it would always be the one that changes nothing."""
    if isinstance(value, int | float):
        if value < 0:
            raise ArgumentError(f"If {name} is a single number, it must be non negative.")
        limits = (max(centre - value, 0.0) if centre else -float(value), float(centre + value))
    else:
        limits = (float(value[0]), float(value[1]))
    return None if limits == (centre, centre) else limits

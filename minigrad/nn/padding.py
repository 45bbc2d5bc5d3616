"""Padding layers: a margin of zeros, of another value, or of what lies inside."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn import functional as F
from minigrad.nn.module import Module
from minigrad.tensor import Tensor


class _Pad(Module):
    """What the padding layers share: `padding` is a number for all sides, or (left, right, top, bottom, ...).

    A subclass says over how many last `dims` it goes, and in which `mode` of `functional.pad`.
    """

    dims = 0
    mode = "constant"

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding = tuple(padding) if isinstance(padding, tuple | list) else (padding,) * (2 * self.dims)
        if len(self.padding) != 2 * self.dims:
            raise ArgumentError(f"{type(self).__name__}: padding needs {2 * self.dims} numbers, got {self.padding}")

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"{self.padding}"

    def forward(self, input: Tensor) -> Tensor:
        """Return x with its margin."""
        if input.ndim < self.dims or (self.mode != "constant" and input.ndim not in (self.dims + 1, self.dims + 2)):
            raise ShapeError(f"{type(self).__name__}: input of shape {tuple(input.shape)} has too few or too many dims")
        result: Tensor = F.pad(input, self.padding, self.mode)
        return result


class _ConstantPad(_Pad):
    """A margin of one value."""

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"padding={self.padding}, value={self.value}"

    def forward(self, input: Tensor) -> Tensor:
        """Return x with its margin."""
        result: Tensor = F.pad(input, self.padding, "constant", self.value)
        return result


class ConstantPad1d(_ConstantPad):
    """A margin of `value` left and right of sequences."""

    dims = 1


class ConstantPad2d(_ConstantPad):
    """A margin of `value` around images: `padding` is (left, right, top, bottom) or one number."""

    dims = 2


class ConstantPad3d(_ConstantPad):
    """A margin of `value` around volumes."""

    dims = 3


class ZeroPad1d(_Pad):
    """A margin of zeros left and right of sequences."""

    dims = 1


class ZeroPad2d(_Pad):
    """A margin of zeros around images: `padding` is (left, right, top, bottom) or one number."""

    dims = 2


class ZeroPad3d(_Pad):
    """A margin of zeros around volumes."""

    dims = 3


class ReflectionPad1d(_Pad):
    """A margin in which sequences run backwards from their ends, which are not repeated."""

    dims, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """A margin in which images are mirrored at their edges, which are not repeated."""

    dims, mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """A margin in which volumes are mirrored at their faces, which are not repeated."""

    dims, mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """A margin of the ends of sequences, repeated."""

    dims, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """A margin of the edges of images, repeated."""

    dims, mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """A margin of the faces of volumes, repeated."""

    dims, mode = 3, "replicate"


class CircularPad1d(_Pad):
    """A margin in which sequences begin again."""

    dims, mode = 1, "circular"


class CircularPad2d(_Pad):
    """A margin in which images begin again, as tiles."""

    dims, mode = 2, "circular"


class CircularPad3d(_Pad):
    """A margin in which volumes begin again."""

    dims, mode = 3, "circular"

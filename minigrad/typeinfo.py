"""What dtypes can hold and how they meet: `finfo`, `iinfo`, promotion, the default dtype, and a few constants."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.errors import DTypeError
from minigrad.spoken import spoken

__all__ = [
    "can_cast",
    "channels_last",
    "contiguous_format",
    "e",
    "finfo",
    "get_default_dtype",
    "iinfo",
    "inf",
    "is_complex",
    "nan",
    "newaxis",
    "pi",
    "preserve_format",
    "promote_types",
    "set_default_dtype",
    "set_default_tensor_type",
    "strided",
]

inf, nan, pi, e, newaxis = math.inf, math.nan, math.pi, math.e, None


class _Named:
    """A setting that only has a name: how memory is laid out is not for programs to say."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"{spoken()}.{self.name}"


strided = _Named("strided")
contiguous_format, preserve_format, channels_last = (
    _Named(name) for name in ("contiguous_format", "preserve_format", "channels_last")
)


class finfo:
    """The limits of a float dtype, of the default one if none is given. Raises DTypeError for another dtype.

    >>> finfo(dtypes.float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, type: Any = None) -> None:
        kind = dtypes.chosen(type)
        if kind.kind != "f":
            raise DTypeError(f"finfo() requires a floating point input type, got {kind}; use iinfo()")
        info = np.finfo(kind)
        self.bits: int = info.bits
        self.eps, self.max, self.min = float(info.eps), float(info.max), float(info.min)
        self.tiny = self.smallest_normal = float(info.tiny)
        self.resolution = float(info.resolution)
        self.dtype = kind.name

    def __repr__(self) -> str:
        values = (
            f"{name}={getattr(self, name):g}" for name in ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        )
        return f"finfo({', '.join(values)}, dtype={self.dtype})"


class iinfo:
    """The limits of an integer dtype. Raises DTypeError for another dtype.

    >>> iinfo(dtypes.int8).max
    127
    """

    def __init__(self, type: Any) -> None:
        kind = dtypes.numpy_dtype(type)
        if kind.kind not in "iu":
            raise DTypeError(f"iinfo() requires an integer input type, got {kind}; use finfo()")
        info = np.iinfo(kind)
        self.bits, self.max, self.min, self.dtype = info.bits, int(info.max), int(info.min), kind.name

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"


def promote_types(type1: Any, type2: Any) -> dtypes.dtype:
    """Return the dtype that holds both: a float wins over an integer, otherwise the smallest.

    >>> promote_types(dtypes.int64, dtypes.float16)
    minigrad.float16
    """
    return dtypes.of(dtypes.promote(dtypes.numpy_dtype(type1), dtypes.numpy_dtype(type2)))


def can_cast(from_: Any, to: Any) -> bool:
    """Return whether a result of one dtype may be written into a tensor of another: not float into int, say."""
    source, target = (dtypes.CATEGORY[dtypes.numpy_dtype(kind).kind] for kind in (from_, to))
    return source <= target


def is_complex(input: Any) -> bool:
    """Return False: there are no complex numbers here."""
    return False


def get_default_dtype() -> dtypes.dtype:
    """Return the dtype of tensors that are made from Python floats, or from a shape alone."""
    return dtypes.of(dtypes.DEFAULT)


def set_default_dtype(d: Any) -> None:
    """Set the dtype of tensors that are made from Python floats, or from a shape alone, to another float dtype."""
    kind = dtypes.numpy_dtype(d)
    if kind.kind != "f":
        raise DTypeError(f"only floating-point types are supported as the default type, got {kind}")
    dtypes.DEFAULT = kind


def set_default_tensor_type(t: Any) -> None:
    """Set the default dtype by an older name: `FloatTensor`, `DoubleTensor`, or as text, 'torch.DoubleTensor'."""
    name = t if isinstance(t, str) else t.__name__
    known = {"HalfTensor": dtypes.float16, "FloatTensor": dtypes.float32, "DoubleTensor": dtypes.float64}
    found = known.get(name.rpartition(".")[2])
    if found is None or ".cuda." in name:
        raise DTypeError(f"{name} is not a default tensor type; use FloatTensor, DoubleTensor or HalfTensor")
    set_default_dtype(found)

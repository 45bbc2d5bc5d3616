"""The dtypes, and the one rule by which operands of different dtypes meet.

Promotion is PyTorch's, not NumPy's: operands come in three ranks (arrays of one or more dimensions, 0-d arrays,
Python and NumPy scalars) and three categories (bool < int < float). A lower rank changes the dtype of a higher one
only if its category is higher; within one rank the dtypes are promoted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.errors import DTypeError
from minigrad.spoken import spoken

Array = np.ndarray[Any, np.dtype[Any]]
CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2}


class dtype:
    """The type of a tensor's elements, such as `minigrad.float32`; equal to itself only, usable where NumPy asks one.

    >>> import numpy as np
    >>> np.zeros(2, dtype=float32).itemsize, float32.is_floating_point
    (4, True)
    """

    __slots__ = ("dtype", "is_complex", "is_floating_point", "is_signed", "itemsize", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.dtype = np.dtype(name)
        self.itemsize = self.dtype.itemsize
        self.is_floating_point = self.dtype.kind == "f"
        self.is_signed, self.is_complex = self.dtype.kind in "fi", False

    def __repr__(self) -> str:
        return f"{spoken()}.{self.name}"

    def __reduce__(self) -> tuple[Any, ...]:
        return of, (self.name,)


_FLOATS, _INTEGERS = ("float16", "float32", "float64"), ("uint8", "int8", "int16", "int32", "int64")
_ALL = {np.dtype(n): dtype(n) for n in (*_FLOATS, *_INTEGERS, "uint16", "uint32", "uint64", "bool")}
float16, float32, float64 = (_ALL[np.dtype(n)] for n in _FLOATS)
uint8, int8, int16, int32, int64 = (_ALL[np.dtype(n)] for n in _INTEGERS)
uint16, uint32, uint64 = (_ALL[np.dtype(n)] for n in ("uint16", "uint32", "uint64"))
bool_ = _ALL[np.dtype(bool)]
half, float_, double = float16, float32, float64
short, int_, long = int16, int32, int64
_F32, _I64, _BOOL = np.dtype(np.float32), np.dtype(np.int64), np.dtype(np.bool_)
DEFAULT: np.dtype[Any] = _F32  # of tensors made without a dtype, and of Python floats; set_default_dtype changes it
_PYTHON = {bool: _BOOL, int: _I64, float: np.dtype(np.float64)}


def of(spec: Any) -> dtype:
    """Return the minigrad dtype that `spec` (one of ours, a NumPy dtype, a name or a Python type) stands for."""
    found = _ALL.get(numpy_dtype(spec))
    if found is None:
        known = ", ".join(d.name for d in _ALL.values())
        raise DTypeError(f"dtype {spec!r} is not supported; the dtypes are {known}")
    return found


def numpy_dtype(spec: Any) -> np.dtype[Any]:
    """Return the NumPy dtype for `spec`; Python's `float` means float64, as in PyTorch."""
    if spec in _PYTHON:
        return _PYTHON[spec]
    try:
        kind = np.dtype(spec)
        # NumPy's own object for the dtype wherever there is one: then `is` tells quickly that two are the same.
        return kind if kind.isnative else np.dtype(kind.newbyteorder("=").str)
    except TypeError:
        raise DTypeError(f"{spec!r} is not a dtype; use one such as minigrad.float32") from None


def chosen(spec: Any, default: Any = None) -> np.dtype[Any]:
    """Return the NumPy dtype for `spec`; where that is None for `default`, or else the default dtype."""
    spec = default if spec is None else spec
    return DEFAULT if spec is None else numpy_dtype(spec)


def scalar_dtype(value: Any) -> np.dtype[Any]:
    """Return the dtype a Python or NumPy scalar takes when it becomes a tensor of its own.

    >>> scalar_dtype(1), scalar_dtype(1.5), scalar_dtype(True)
    (dtype('int64'), dtype('float32'), dtype('bool'))
    """
    if isinstance(value, bool | np.bool_):
        return _BOOL
    if isinstance(value, int | np.integer):
        return _I64
    if isinstance(value, float | np.floating):
        return DEFAULT
    raise DTypeError(f"expected a number, got {type(value).__name__} {value!r}")


def promote(a: np.dtype[Any], b: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of two equals: a float wins over any integer, otherwise the smallest that holds both.

    >>> promote(np.dtype("int64"), np.dtype("float16"))
    dtype('float16')
    """
    if a == b:
        return a
    if (a.kind == "f") != (b.kind == "f"):
        return a if a.kind == "f" else b
    return np.promote_types(a, b)


def result_dtype(operands: Iterable[Any]) -> np.dtype[Any]:
    """Return the dtype in which `operands` (arrays, or Python and NumPy scalars) meet, by PyTorch's rule.

    >>> result_dtype([np.ones(3, np.float32), 2.5]), result_dtype([np.ones(3, np.int64), 2.5])
    (dtype('float32'), dtype('float32'))
    >>> result_dtype([np.ones(3, np.float32), np.array(1.0)]), result_dtype([np.ones(3, np.float32), np.ones(3)])
    (dtype('float32'), dtype('float64'))
    """
    ranks: list[np.dtype[Any] | None] = [None, None, None]
    for x in operands:
        if isinstance(x, np.ndarray):
            rank, kind = (0 if x.ndim else 1), x.dtype
        else:
            rank, kind = 2, scalar_dtype(x)
        held = ranks[rank]
        ranks[rank] = kind if held is None else promote(held, kind)
    result: np.dtype[Any] | None = None
    for lower in ranks:  # from the rank that decides to the one that decides least
        if lower is not None and (result is None or CATEGORY[lower.kind] > CATEGORY[result.kind]):
            result = lower
    assert result is not None, "result_dtype of nothing"
    return result

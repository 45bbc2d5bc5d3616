"""Comparing tensors in tests, by PyTorch's names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.creation import as_tensor
from minigrad.dtypes import Array
from minigrad.errors import ArgumentError
from minigrad.tensor import Tensor

__all__ = ["assert_close"]

# How far results of a dtype may be apart: in relation to the expected value, and at all.
_TOLERANCES = {"float16": (1e-3, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: Any = None,
) -> None:
    """Raise AssertionError unless |actual - expected| <= atol + rtol * |expected| for every element.

    Both are tensors, arrays or numbers of one shape and dtype, or sequences or mappings of those. The tolerances
    depend by default on the dtype: (1.3e-6, 1e-5) for float32. `msg` is the error's text, or a function of it. Raises
    ArgumentError if only one of the tolerances is given.

    >>> import minigrad as mg
    >>> assert_close(mg.tensor([1.0, 2.0]), mg.tensor([1.0, 2.0 + 1e-6]))
    """
    if (rtol is None) != (atol is None):
        raise ArgumentError(f"rtol and atol must both be specified or both be unspecified, got {rtol=} and {atol=}")
    how = {"rtol": rtol, "atol": atol, "equal_nan": equal_nan, "check_dtype": check_dtype, "stride": check_stride}
    fault = _fault(actual, expected, how)
    if fault is not None:
        raise AssertionError(fault if msg is None else msg(fault) if callable(msg) else msg)


def _fault(a: Any, b: Any, how: dict[str, Any]) -> str | None:
    """Return what is wrong, or None."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        if a.keys() != b.keys():
            lacking, beyond = sorted(b.keys() - a.keys()), sorted(a.keys() - b.keys())
            return (
                f"The keys of the mappings do not match:\nMissing keys in the actual mapping: {lacking}\n"
                f"Additional keys in the actual mapping: {beyond}"
            )
        return _first((k, _fault(a[k], b[k], how)) for k in b)
    if all(isinstance(x, Sequence) and not isinstance(x, str) for x in (a, b)):
        if len(a) != len(b):
            return f"The length of the sequences mismatch: {len(a)} != {len(b)}"
        return _first((i, _fault(x, y, how)) for i, (x, y) in enumerate(zip(a, b, strict=True)))
    if a is None or b is None:
        return None if a is b else f"None mismatch: {a} is not {b}"
    return _fault_of_tensors(a, b, how)


def _first(faults: Any) -> str | None:
    for place, fault in faults:
        if fault is not None:
            head, _, rest = fault.partition("\n\nThe failure occurred for item ")
            return f"{head}\n\nThe failure occurred for item [{place!r}]{rest}"
    return None


def _fault_of_tensors(a: Any, b: Any, how: dict[str, Any]) -> str | None:
    are_numbers = all(isinstance(x, bool | int | float) for x in (a, b))
    x, y = (np.float64(v) if are_numbers else as_tensor(v)._data for v in (a, b))
    if np.shape(x) != np.shape(y):
        return f"The values for attribute 'shape' do not match: {_size(a)} != {_size(b)}."
    if not are_numbers and how["check_dtype"] and x.dtype != y.dtype:
        return f"The values for attribute 'dtype' do not match: {as_tensor(a).dtype} != {as_tensor(b).dtype}."
    if how["stride"] and isinstance(a, Tensor) and isinstance(b, Tensor) and a.stride() != b.stride():
        return f"The values for attribute 'stride()' do not match: {a.stride()} != {b.stride()}."
    rtol, atol = _tolerances(a, b, how) if are_numbers else _tolerances(x, y, how)
    close = np.isclose(x, y, rtol=rtol, atol=atol, equal_nan=how["equal_nan"])
    numbers = (a, b) if are_numbers else (x.item(), y.item()) if x.ndim == 0 else None
    return None if close.all() else _told(np.asarray(x), np.asarray(y), close, rtol, atol, numbers)


def _tolerances(a: Any, b: Any, how: dict[str, Any]) -> tuple[float, float]:
    """Return (rtol, atol) as given, or the larger of those of the two dtypes; none for whole numbers."""
    if how["rtol"] is not None:
        return how["rtol"], how["atol"]
    kinds = [str(np.asarray(v).dtype) for v in (a, b)]
    each = [_TOLERANCES.get(kind, (0.0, 0.0)) for kind in kinds]
    return max(r for r, _ in each), max(t for _, t in each)


def _size(x: Any) -> Any:
    return as_tensor(x).shape


def _told(x: Array, y: Array, close: Array, rtol: float, atol: float, numbers: tuple[Any, Any] | None) -> str:
    """Return PyTorch's account of a mismatch."""
    kind = np.result_type(x, y)
    x, y = (v.astype(np.int64 if kind.kind in "biu" else kind) for v in (x, y))
    with np.errstate(all="ignore"):
        away = np.where(close, 0, np.abs(x - y))
        quotient = np.true_divide(away, np.abs(y), dtype=kind if kind.kind == "f" else np.float32, casting="unsafe")
        share = np.where(close, 0, quotient)
    word = "close" if rtol or atol else "equal"
    limits = [f" (up to {t} allowed)" if rtol or atol else "" for t in (atol, rtol)]
    if numbers is not None:
        apart = abs(numbers[0] - numbers[1])
        return (
            f"Scalars are not {word}!\n\nExpected {numbers[1]} but got {numbers[0]}.\n"
            f"Absolute difference: {apart}{limits[0]}\n"
            f"Relative difference: {apart / abs(numbers[1]) if numbers[1] else math.inf}{limits[1]}"
        )
    lines = [f"Mismatched elements: {(~close).sum()} / {close.size} ({100 * (~close).sum() / close.size:.1f}%)"]
    for name, values, limit in (("absolute", away, limits[0]), ("relative", share, limits[1])):
        at = np.unravel_index(int(np.argmax(values)), values.shape)
        place = f" at index {tuple(int(i) for i in at)}" if x.ndim else ""
        lines.append(f"Greatest {name} difference: {values[at].item()}{place}{limit}")
    return f"Tensor-likes are not {word}!\n\n" + "\n".join(lines)

"""How a tensor is written as text: PyTorch's layout of numbers, in PyTorch's widths."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import inf, isfinite
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.dtypes import Array
from minigrad.nodenames import short_name
from minigrad.spoken import speak_as as speak_as  # for `python -m minigrad run`
from minigrad.spoken import spoken as spoken


@dataclass(slots=True)
class _Options:
    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_options = _Options()
_PROFILES = {"default": _Options(), "short": _Options(precision=2, edgeitems=2), "full": _Options(threshold=inf)}


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print; what is None stays, except `sci_mode`, where None lets the values decide.

    `precision` is the number of decimals; more than `threshold` elements are summarised by `edgeitems` at each end of
    each dim; lines are at most `linewidth` wide; `profile` ("default", "short" or "full") sets these four first.

    >>> import minigrad as mg
    >>> set_printoptions(precision=2)
    >>> mg.tensor([1 / 3])
    tensor([0.33])
    >>> set_printoptions(profile="default")
    """
    start = _PROFILES.get(profile or "", _options)
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    for name, value in given.items():
        setattr(_options, name, getattr(start, name) if value is None else value)
    _options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """Return how tensors print, as keywords for `set_printoptions`."""
    return asdict(_options)


@contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """Print with `options`, as `set_printoptions` takes them, for the length of a with statement."""
    before = get_printoptions()
    set_printoptions(**options)
    try:
        yield
    finally:
        set_printoptions(**before)


def tensor_text(tensor: Any) -> str:
    """Return `tensor(...)` with its values, and its dtype, grad_fn or requires_grad where these are not the usual.

    A class derived from Tensor outside the library is called by its own name.
    """
    array, kind = tensor._data, type(tensor)
    start = "tensor(" if kind.__module__.partition(".")[0] in ("minigrad", "torch") else f"{kind.__name__}("
    said = []
    if (array.ndim != 1) if array.size == 0 else not _options.edgeitems:
        said.append(f"size={array.shape}")
    usual = (dtypes.DEFAULT,) if array.size == 0 else (dtypes.DEFAULT, np.int64, np.bool_)
    if array.dtype not in usual:
        said.append(f"dtype={dtypes.of(array.dtype)}")
    if tensor.grad_fn is not None:
        said.append(f"grad_fn=<{short_name(tensor.grad_fn, tensor._edge[1])}>")
    elif tensor.requires_grad:
        said.append("requires_grad=True")
    return _joined(start + _values(array, len(start)), said, len(start))


def _joined(text: str, said: list[str], indent: int) -> str:
    """Join the values and what is said about them, in a new line where the last one would become too long."""
    last = len(text) - text.rfind("\n") + 1
    for part in said:
        if last + len(part) + 2 > _options.linewidth:
            text += ",\n" + " " * indent + part
            last = indent + len(part)
        else:
            text += ", " + part
            last += len(part) + 2
    return text + ")"


def _values(array: Array, indent: int) -> str:
    if array.size == 0:
        return "[]"
    summary = array.size > _options.threshold
    write, width = _number_format(_edges(array) if summary else array)
    return _nested(array, indent, summary, lambda v: write(v).rjust(width), width)


def _edges(array: Array) -> Array:
    """Return the elements that a summary shows: the first and last few along each dim."""
    few = _options.edgeitems
    for axis, size in enumerate(array.shape):
        if size > 2 * few:
            array = np.take(array, [*range(few), *range(size - few, size)], axis=axis)
    return array


def _number_format(shown: Array) -> tuple[Callable[[Any], str], int]:
    """Return the function that writes one element, and the width that the elements shown need together."""
    if shown.dtype.kind != "f":
        return str, max((len(str(v)) for v in shown.reshape(-1).tolist()), default=1)
    values = shown.reshape(-1).astype(np.float64)
    values = values[np.isfinite(values) & (values != 0)]
    write = _float_style(np.abs(values))
    return write, max((len(write(v)) for v in values.tolist()), default=1)


def _float_style(sizes: Array) -> Callable[[float], str]:
    """Return how floats of these absolute values are written: as integers, with decimals, or in scientific form."""
    low, high = (float(sizes.min()), float(sizes.max())) if sizes.size else (1.0, 1.0)
    scientific = high / low > 1000.0 or high > 1e8 or low < 1e-4
    if sizes.size and (scientific if _options.sci_mode is None else _options.sci_mode):
        return lambda v: f"{v:.{_options.precision}e}"
    if np.all(sizes == np.ceil(sizes)):
        return lambda v: f"{v:.0f}." if isfinite(v) else f"{v}"
    return lambda v: f"{v:.{_options.precision}f}"


def _nested(array: Array, indent: int, summary: bool, write: Callable[[Any], str], width: int) -> str:
    """Return the elements in brackets, dim by dim."""
    if array.ndim == 0:
        return write(array.item())
    few = _options.edgeitems
    cut = summary and len(array) > 2 * few
    rows = [*array[:few], *array[len(array) - few :]] if cut else list(array)
    if array.ndim == 1:
        return _line([write(v.item()) for v in rows], cut, indent, width)
    parts = [_nested(row, indent + 1, summary, write, width) for row in rows]
    if cut:
        parts.insert(few, "...")
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(parts) + "]"


def _line(words: list[str], cut: bool, indent: int, width: int) -> str:
    """Return one row, broken into lines that fit."""
    per_line = max((_options.linewidth - indent) // (width + 2), 1)
    few = _options.edgeitems
    if cut:
        words = [*words[:few], " ..." if few else "...", *words[few:]]
    lines = [", ".join(words[i : i + per_line]) for i in range(0, len(words), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"

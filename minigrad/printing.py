"""How a tensor is written as text: PyTorch's layout of numbers, in PyTorch's widths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.dtypes import Array

PRECISION, THRESHOLD, EDGE_ITEMS, LINE_WIDTH = 4, 1000, 3, 80
_DEFAULTS = ("float32", "int64", "bool")


def tensor_text(tensor: Any) -> str:
    """Return `tensor(...)` with its values, and its dtype, grad_fn or requires_grad where these are not the usual."""
    array = tensor._data
    parts = [_values(array, len("tensor("))]
    if array.size == 0 and array.shape != (0,):
        parts.append(f"size={array.shape}")
    if array.dtype.name not in _DEFAULTS:
        parts.append(f"dtype=minigrad.{array.dtype.name}")
    if tensor.grad_fn is not None:
        parts.append(f"grad_fn=<{grad_fn_name(tensor.grad_fn)}>")
    elif tensor.requires_grad:
        parts.append("requires_grad=True")
    return _joined(parts)


def grad_fn_name(node: Any) -> str:
    """Return the name PyTorch gives the backward of an op.

    >>> from types import SimpleNamespace as N
    >>> grad_fn_name(N(op=N(name="log_softmax")))
    'LogSoftmaxBackward0'
    """
    return "".join(part[:1].upper() + part[1:] for part in node.op.name.split("_")) + "Backward0"


def _joined(parts: list[str]) -> str:
    """Join the values and what is said about them, in a new line where the last one would become too long."""
    text = f"tensor({parts[0]}"
    for part in parts[1:]:
        last = len(text) - text.rfind("\n") - 1
        text += f",\n       {part}" if last + len(part) + 3 > LINE_WIDTH else f", {part}"
    return text + ")"


def _values(array: Array, indent: int) -> str:
    if array.size == 0:
        return "[]"
    summary = array.size > THRESHOLD
    shown = _edges(array) if summary else array
    return _nested(array, indent, summary, _number_format(shown))


def _edges(array: Array) -> Array:
    """Return the elements that a summary shows: the first and last three along each dim."""
    for axis, size in enumerate(array.shape):
        if size > 2 * EDGE_ITEMS:
            array = np.take(array, [*range(EDGE_ITEMS), *range(size - EDGE_ITEMS, size)], axis=axis)
    return array


def _number_format(shown: Array) -> Callable[[Any], str]:
    """Return the function that writes one element, of the width that the elements shown need together."""
    if shown.dtype.kind != "f":
        width = max(len(str(v)) for v in shown.reshape(-1).tolist())
        return lambda v: f"{v!s:>{width}}"
    values = shown.astype(np.float64).reshape(-1)
    finite = np.abs(values[np.isfinite(values) & (values != 0)])
    one = _float_style(finite)
    width = max(len(one(float(v))) for v in (values[np.isfinite(values) & (values != 0)] if finite.size else values))
    return lambda v: f"{one(float(v)):>{width}}"


def _float_style(sizes: Array) -> Callable[[float], str]:
    """Return how floats of these absolute values are written: as integers, with decimals, or in scientific form."""
    low, high = (float(sizes.min()), float(sizes.max())) if sizes.size else (0.0, 0.0)
    if np.all(sizes == np.ceil(sizes)):
        if high / low > 1000.0 or high > 1e8 if sizes.size else False:
            return lambda v: f"{v:.{PRECISION}e}"
        return lambda v: f"{v:.0f}." if np.isfinite(v) else f"{v}"
    if high / low > 1000.0 or high > 1e8 or low < 1e-4:
        return lambda v: f"{v:.{PRECISION}e}"
    return lambda v: f"{v:.{PRECISION}f}"


def _nested(array: Array, indent: int, summary: bool, write: Callable[[Any], str]) -> str:
    """Return the elements in brackets, dim by dim."""
    if array.ndim == 0:
        return write(array[()].item()).strip()
    cut = summary and len(array) > 2 * EDGE_ITEMS
    rows = [*array[:EDGE_ITEMS], *array[len(array) - EDGE_ITEMS :]] if cut else list(array)
    if array.ndim == 1:
        return _line([write(v.item()) for v in rows], cut, indent)
    parts = [_nested(row, indent + 1, summary, write) for row in rows]
    if cut:
        parts.insert(EDGE_ITEMS, "...")
    return "[" + ("," + "\n" * (array.ndim - 1) + " " * (indent + 1)).join(parts) + "]"


def _line(words: list[str], cut: bool, indent: int) -> str:
    """Return one row, broken into lines that fit the width."""
    per_line = max((LINE_WIDTH - indent) // (max(map(len, words), default=0) + 2), 1)
    if cut:
        words = [*words[:EDGE_ITEMS], " ...", *words[EDGE_ITEMS:]]
    lines = [", ".join(words[i : i + per_line]) for i in range(0, len(words), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"

"""Numbers and settings as short text that is the same on every run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.dtypes import Array, dtype

_SIGNS = {"add": "+", "sub": "−", "mul": "×", "div": "/", "pow": "^"}
_LONGEST = 40  # characters of one setting
_PER_LINE = 8  # elements of a vector before it goes on in the next line


def number(value: Any) -> str:
    """Return a number with four significant digits.

    >>> number(0.123456), number(-0.0), number(np.int64(1234567)), number(True)
    ('0.1235', '0', '1234567', 'True')
    """
    if isinstance(value, bool | np.bool_ | int | np.integer):
        return str(value)
    return f"{value + 0:.4g}"


def values(array: Array) -> str:
    """Return the elements of a small array, each row of the last dim on lines of its own.

    >>> print(values(np.array([[1.0, 2.5], [-0.25, 4.0]])))
    [1, 2.5]
    [-0.25, 4]
    """
    if array.ndim == 0:
        return number(array[()])
    if array.size == 0:
        return "[]"
    return "\n".join(_row([number(v) for v in row]) for row in array.reshape(-1, array.shape[-1]))


def _row(numbers: list[str]) -> str:
    lines = [", ".join(numbers[i : i + _PER_LINE]) for i in range(0, len(numbers), _PER_LINE)]
    return "[" + ",\n ".join(lines) + "]"


def rms(array: Array) -> str:
    """Return the root mean square of a large array, as a labelled number.

    >>> rms(np.array([3.0, -3.0]))
    'rms 3'
    """
    return f"rms {number(float(np.sqrt(np.mean(np.square(array, dtype=np.float64)))))}" if array.size else "[]"


def attribute(value: Any) -> str:
    """Return a setting as short text, never with an address in it.

    >>> attribute((0, slice(None, 3), None, ...)), attribute(0.1), attribute(np.zeros((2, 3)))
    ('(0, :3, None, …)', '0.1', 'array (2, 3)')
    """
    if hasattr(value, "_fields"):  # settings that belong together, each with its name
        return ", ".join(f"{field}={attribute(part)}" for field, part in zip(value._fields, value, strict=True))
    text = _plain(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _plain(value: Any) -> str:
    if hasattr(value, "_fields"):  # settings that belong together, each with its name
        return ", ".join(f"{field}={_plain(part)}" for field, part in zip(value._fields, value, strict=True))
    if value is None or isinstance(value, str | bool):
        return str(value)
    if isinstance(value, int | float | np.generic):
        return number(value)
    if value is Ellipsis:
        return "…"
    if isinstance(value, slice):
        parts = [value.start, value.stop] + ([] if value.step is None else [value.step])
        return ":".join("" if part is None else str(part) for part in parts)
    if isinstance(value, tuple | list):
        inner = ", ".join(_plain(part) for part in value[:_LONGEST])
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={_plain(part)}" for key, part in value.items())
    if isinstance(value, np.dtype | dtype):
        return value.name
    if isinstance(value, np.ndarray):
        return f"array {value.shape}"
    return str(getattr(value, "name", getattr(value, "__name__", type(value).__name__)))


def call(op: str, numbers: Mapping[str, Any]) -> str:
    """Return the plain numbers among an op's operands: as arithmetic where it has a sign, else by their names.

    >>> call("pow", {"right": 2}), call("sub", {"left": 1.0}), call("where", {"right": 0.5})
    ('(…) ^ 2', '1 − (…)', 'right=0.5')
    """
    if op in _SIGNS and len(numbers) == 1:
        left, right = (number(numbers[side]) if side in numbers else "(…)" for side in ("left", "right"))
        return f"{left} {_SIGNS[op]} {right}"
    return ", ".join(f"{name}={number(value)}" for name, value in numbers.items())


def count_of(count: float) -> str:
    """Return a large count in three digits: 950, 12.3 k, 4.5 M, 6 G.

    >>> count_of(950), count_of(12_345), count_of(4_500_000), count_of(0)
    ('950', '12.3 k', '4.5 M', '0')
    """
    return _scaled(count, 1000, ("", "k", "M", "G", "T", "P"))


def bytes_of(count: float) -> str:
    """Return a number of bytes in binary units.

    >>> bytes_of(80), bytes_of(2048), bytes_of(3 << 20)
    ('80 B', '2 KiB', '3 MiB')
    """
    return _scaled(count, 1024, ("B", "KiB", "MiB", "GiB", "TiB", "PiB"))


def time_of(microseconds: float) -> str:
    """Return a time that was measured in microseconds.

    >>> time_of(12.345), time_of(4567.0), time_of(2.5e6)
    ('12.3 µs', '4.57 ms', '2.5 s')
    """
    return _scaled(microseconds, 1000, ("µs", "ms", "s"))


def _scaled(value: float, step: int, units: tuple[str, ...]) -> str:
    at = 0
    while value >= step * 0.9995 and at < len(units) - 1:
        value, at = value / step, at + 1
    return f"{value:.0f} {units[at]}".strip() if value >= 99.95 else f"{value:.3g} {units[at]}".strip()

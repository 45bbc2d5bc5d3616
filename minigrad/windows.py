"""Windows of signal processing: weights that fall off towards both ends."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.creation import tensor
from minigrad.dtypes import Array
from minigrad.errors import ArgumentError
from minigrad.tensor import Tensor

__all__ = ["bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window"]


def _window(name: str, length: int, periodic: bool, shape: Callable[[Array], Array], dtype: Any, how: Any) -> Tensor:
    """Return a window as a function of the place in it, from 0 to 1; a periodic one lacks the last place."""
    if length < 0:
        raise ArgumentError(f"{name} requires non-negative window_length, got window_length={length}")
    kind = dtypes.chosen(dtype)
    if kind.kind != "f":
        raise ArgumentError(f"{name} expects floating point dtypes, got: {kind}")
    places = np.arange(length) / max(length - (0 if periodic else 1), 1)
    values = shape(places) if length > 1 else np.ones(length)
    return tensor(values.astype(kind), **how)


def hamming_window(
    window_length: int, periodic: bool = True, alpha: float = 0.54, beta: float = 0.46, *, dtype: Any = None, **how: Any
) -> Tensor:
    """Return alpha - beta * cos(2 pi t), for t from 0 to 1; raises ArgumentError for a length below 0.

    A `periodic` window is one longer and lacks its last place, as windows of a Fourier transform do.
    """
    shape = lambda t: alpha - beta * np.cos(2 * math.pi * t)
    return _window("hamming_window", window_length, periodic, shape, dtype, how)


def hann_window(window_length: int, periodic: bool = True, *, dtype: Any = None, **how: Any) -> Tensor:
    """Return sin(pi t)**2, for t from 0 to 1, else as `hamming_window`.

    >>> hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    shape = lambda t: 0.5 - 0.5 * np.cos(2 * math.pi * t)
    return _window("hann_window", window_length, periodic, shape, dtype, how)


def blackman_window(window_length: int, periodic: bool = True, *, dtype: Any = None, **how: Any) -> Tensor:
    """Return 0.42 - 0.5 cos(2 pi t) + 0.08 cos(4 pi t), for t from 0 to 1, else as `hamming_window`."""
    shape = lambda t: 0.42 - 0.5 * np.cos(2 * math.pi * t) + 0.08 * np.cos(4 * math.pi * t)
    return _window("blackman_window", window_length, periodic, shape, dtype, how)


def bartlett_window(window_length: int, periodic: bool = True, *, dtype: Any = None, **how: Any) -> Tensor:
    """Return 1 - |2 t - 1|, for t from 0 to 1, else as `hamming_window`."""
    shape = lambda t: 1 - np.abs(2 * t - 1)
    return _window("bartlett_window", window_length, periodic, shape, dtype, how)


def kaiser_window(
    window_length: int, periodic: bool = True, beta: float = 12.0, *, dtype: Any = None, **how: Any
) -> Tensor:
    """Return I0(beta sqrt(1 - (2 t - 1)**2)) / I0(beta), for t from 0 to 1, else as `hamming_window`."""
    shape = lambda t: np.i0(beta * np.sqrt(np.maximum(1 - (2 * t - 1) ** 2, 0))) / np.i0(beta)
    return _window("kaiser_window", window_length, periodic, shape, dtype, how)

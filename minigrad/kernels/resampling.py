"""The filters of resized images: how much each old pixel counts for a new one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from minigrad.dtypes import Array


def triangle(x: Array) -> Array:
    """Return 1 at 0, falling to 0 at a distance of 1."""
    return np.maximum(1 - np.abs(x), 0)


def cubic(x: Array, a: float = -0.5) -> Array:
    """Return the cubic of R. Keys, Cubic convolution interpolation for digital image processing (1981)."""
    x = np.abs(x)
    inner = ((a + 2) * x - (a + 3)) * x * x + 1
    outer = a * (((x - 5) * x + 8) * x - 4)
    return np.where(x < 1, inner, np.where(x < 2, outer, 0))


# The filter of each mode, and how far it reaches.
FILTERS: dict[str, tuple[Callable[[Array], Array], float]] = {"bilinear": (triangle, 1.0), "bicubic": (cubic, 2.0)}


def smoothing(old: int, new: int, step: float, mode: str) -> Array:
    """Return the matrix (new, old) that resizes a row by a filter as wide as the `step` between new pixels, if above 1.

    >>> smoothing(4, 2, 2.0, "bilinear").round(3)
    array([[0.429, 0.429, 0.143, 0.   ],
           [0.   , 0.143, 0.429, 0.429]])
    """
    kernel, reach = FILTERS[mode]
    stretch = max(step, 1.0)
    away = np.arange(old) + 0.5 - ((np.arange(new) + 0.5) * step)[:, None]
    table = kernel(away / stretch) * (np.abs(away) < reach * stretch)
    return np.asarray(table / table.sum(1, keepdims=True))

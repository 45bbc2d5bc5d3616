"""Numbers drawn by rejection: proposals are made until one is taken."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.dtypes import Array

_THIRD, _SQUEEZE = np.float32(1) / np.float32(3), float(np.float32(0.0331))


def standard_gamma(shapes: Array, stream: Any) -> Array:
    """Return, as float64, a draw from the gamma distribution of each shape, with the numbers PyTorch's stream gives."""
    return np.array([_one_gamma(a, stream) for a in shapes.ravel()], np.float64).reshape(shapes.shape)


def _one_gamma(a: Any, stream: Any) -> float:
    """Draw by rejection (Marsaglia & Tsang, 2000); below shape 1 from the next shape up, and scaled."""
    kind, scale = type(a), 1.0
    if a < 1:
        if a == 0:
            return 0.0
        scale = (1 - float(stream.uniform(1, np.float64)[0])) ** float(np.float32(1) / a)
        a = a + kind(1)
    d = float(a - kind(_THIRD))
    c = 1 / math.sqrt(9 * d)
    while True:
        y = 0.0
        while y <= 0:
            x = float(stream.normal(1, np.float64)[0])
            y = 1 + c * x
        v, u, square = y * y * y, 1 - float(stream.uniform(1, np.float64)[0]), x * x
        if u < 1 - _SQUEEZE * square * square or math.log(u) < 0.5 * square + d * (1 - v + math.log(v)):
            return scale * d * v

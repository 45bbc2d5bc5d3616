"""What a picture knows of an array: its range, mean and spread, how many of its elements are odd, and, if few, all."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from minigrad.dtypes import Array
from minigrad.viz.text import number, values

TINY = 16  # elements; a tensor of at most so many is shown by value
_SQUARABLE = 1e150  # the square of a larger number is too large for float64


class Numbers(NamedTuple):
    """What is known of an array: statistics over its finite elements, counts of others, and the elements if few.

    Of an array without finite elements `min`, `max`, `mean` and `std` (the standard deviation of all elements, not of
    a sample) are None. `data` lists the elements in reading order.
    """

    shape: tuple[int, ...]
    min: float | None
    max: float | None
    mean: float | None
    std: float | None
    zeros: int
    nans: int
    infs: int
    data: tuple[float | int | bool, ...] | None = None

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def rms(self) -> float | None:
        """The root of the mean square of the finite elements."""
        return None if self.mean is None or self.std is None else math.hypot(self.mean, self.std)

    @property
    def is_finite(self) -> bool:
        """Whether no element is nan or infinite."""
        return not self.nans and not self.infs

    @property
    def text(self) -> str:
        """The elements, if they are known, or how large they are and how many are not finite.

        >>> numbers(np.array([1.0, 2.0])).text, numbers(np.full(20, 3.0)).text, numbers(np.full(20, np.nan)).text
        ('[1, 2]', 'rms 3', '20 nan')
        """
        if self.data is not None:
            return values(np.array(self.data).reshape(self.shape))
        odd = [f"{count} {what}" for count, what in ((self.nans, "nan"), (self.infs, "inf")) if count]
        return ", ".join(([] if self.rms is None else [f"rms {number(self.rms)}"]) + odd) or "[]"


def numbers(array: Array, most: int = TINY) -> Numbers:
    """Return what is known of an array; its elements if they are at most `most`."""
    data = tuple(array.reshape(-1).tolist()) if array.size <= most else None
    if not array.size:
        return Numbers(array.shape, None, None, None, None, 0, 0, 0, data)
    low, high = float(np.minimum.reduce(array, None)), float(np.maximum.reduce(array, None))
    if math.isfinite(low) and math.isfinite(high):  # then all are: nan and inf would have come out
        return _summary(array, array, low, high, data)
    finite = array[np.isfinite(array)]
    if not finite.size:
        nans = int(np.isnan(array).sum())
        return Numbers(array.shape, None, None, None, None, 0, nans, array.size - nans, data)
    return _summary(array, finite, float(finite.min()), float(finite.max()), data)


def _summary(array: Array, finite: Array, least: float, most: float, data: Any) -> Numbers:
    """Return what is known of an array of whose elements `finite`, at least one, are."""
    odd = array.size - finite.size
    nans = int(np.isnan(array).sum()) if odd else 0
    zeros = int(np.count_nonzero(finite == 0)) if least <= 0 <= most else 0
    wide = finite.astype(np.float64)  # of its own, to be worked on in place
    largest = max(abs(least), abs(most))
    unit = largest if largest > _SQUARABLE else 1.0
    if unit != 1.0:
        wide /= unit
    mean = float(np.add.reduce(wide, None)) / finite.size
    wide -= mean
    wide *= wide
    std = math.sqrt(float(np.add.reduce(wide, None)) / finite.size)
    return Numbers(array.shape, least, most, mean * unit, std * unit, zeros, nans, odd - nans, data)

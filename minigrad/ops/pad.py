"""Padding and cropping."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.dtypes import Array, numpy_dtype
from minigrad.errors import ShapeError
from minigrad.graph import composite
from minigrad.kernels.index import ARRAY
from minigrad.ops.elementwise import where
from minigrad.ops.index import getitem
from minigrad.ops.shape import Shape, concatenate, expand, flip, narrow, widen


@composite
def pad(input: Any, pad: Shape, mode: str = "constant", value: float = 0.0) -> Any:
    """Return `input` with `pad` elements added: (left, right) of the last dim, then of the one before it, and so on.

    Negative amounts crop. `mode` is "constant" (filled with `value`); "reflect" and "replicate" repeat the inside.
    """
    x = input
    if len(pad) % 2 or len(pad) > 2 * x.ndim:
        raise ShapeError(
            f"pad: {len(pad)} amounts for a tensor of {x.ndim} dims; give a pair per dim, the last dim first"
        )
    for k in range(len(pad) // 2):
        x = _pad_dim(x, x.ndim - 1 - k, pad[2 * k], pad[2 * k + 1], mode, value)
    return x


def _pad_dim(x: Any, dim: int, left: int, right: int, mode: str, value: float) -> Any:
    size = x.shape[dim]
    if size + left + right < 0:
        raise ShapeError(f"pad: amounts ({left}, {right}) leave less than nothing of dim {dim}, which has size {size}")
    if mode != "constant" and (left or right):
        return _continued(x, dim, left, right, mode)
    low, high = max(-left, 0), size - max(-right, 0)
    x = narrow(x, dim=dim, start=low, length=high - low) if high - low < size else x
    left, right = max(left, 0), max(right, 0)
    if not left and not right:
        return x
    y = widen(x, dim=dim, start=left, size=left + x.shape[dim] + right)
    if numpy_dtype(x.dtype).kind in "iu":
        value = int(value)
    if value == 0:
        return y
    inside = np.zeros([n if i == dim else 1 for i, n in enumerate(y.shape)], bool)
    narrow(inside, dim=dim, start=left, length=x.shape[dim])[...] = True
    return where(inside, y, value)


def _continued(x: Any, dim: int, left: int, right: int, mode: str) -> Any:
    """Return `x` with margins of what lies inside, as `mode` has it; a negative margin crops."""
    if mode == "circular" and min(left, right) < 0:  # what is cropped does not come again
        kept = x.shape[dim] + min(left, 0) + min(right, 0)
        x, left, right = narrow(x, dim=dim, start=max(-left, 0), length=kept), max(left, 0), max(right, 0)
    size = x.shape[dim]
    if min(left, right) >= 0 and max(left, right) < size + (mode == "circular"):
        return concatenate(*_margins(x, dim, left, right, mode), dim=dim)
    return getitem(x, pad_source(size, left, right, mode), index=(*(slice(None),) * dim, ARRAY))


def _margins(x: Any, dim: int, left: int, right: int, mode: str) -> list[Any]:
    """Return `x` between the two margins that it has in `mode`, without those that are empty."""
    size = x.shape[dim]

    def part(start: int, length: int) -> Any:
        piece = narrow(x, dim=dim, start=start, length=length)
        return flip(piece, dims=(dim,)) if mode == "reflect" else piece

    if mode == "replicate":
        before, after = (
            expand(part(at, 1), shape=tuple(n if d == dim else m for d, m in enumerate(x.shape)))
            for at, n in ((0, left), (size - 1, right))
        )
    elif mode == "reflect":
        before, after = part(1, left), part(size - 1 - right, right)
    elif mode == "circular":
        before, after = part(size - left, left), part(0, right)
    else:
        pad_source(size, left, right, mode)  # which says what is wrong
    return [*([before] if left else []), x, *([after] if right else [])]


def pad_source(size: int, left: int, right: int, mode: str) -> Array:
    """Return, for each place of a padded axis, the place it copies."""
    i = np.arange(-left, size + right)
    if mode == "replicate":
        return np.clip(i, 0, size - 1)
    if mode == "circular":
        first, last = max(-left, 0), size - max(-right, 0)  # what is cropped is not wrapped around either
        return first + np.mod(i - first, last - first)
    if mode != "reflect":
        raise ShapeError(f"pad: mode {mode!r} is none of constant, reflect, replicate, circular")
    if max(left, right) >= size:
        raise ShapeError(f"pad: reflecting {max(left, right)} needs a dim larger than that, got size {size}")
    return size - 1 - np.abs(size - 1 - np.abs(i))

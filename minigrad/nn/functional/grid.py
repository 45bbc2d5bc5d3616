"""Images read at the places a grid names, as in spatial transformer networks (Jaderberg et al., arXiv:1506.02025)."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn.functional.resize import cubic_weights
from minigrad.nodenames import titling
from minigrad.ops.elementwise import abs, ge, le, where
from minigrad.ops.index import gather
from minigrad.ops.shape import flatten, permute, reshape
from minigrad.tensor import Tensor, wrap


@titling
def affine_grid(theta: Tensor, size: Any, align_corners: bool | None = None) -> Tensor:
    """Return the grid (N, H, W, 2) of the maps theta (N, 2, 3), for images of `size` (N, C, H, W); likewise in 3-D.

    Places run from -1 to 1: the centres of the outermost pixels with `align_corners`, their outer edges without.
    """
    sizes = [int(n) for n in size][2:]
    dims = len(sizes)
    if dims not in (2, 3) or tuple(theta.shape[1:]) != (dims, dims + 1):
        raise ShapeError(
            f"affine_grid: theta of shape {tuple(theta.shape)} does not fit size {tuple(size)}: wanted (N, 2, 3) for "
            "(N, C, H, W), or (N, 3, 4) for (N, C, D, H, W)"
        )
    kind, points = theta._data.dtype, []
    for n in sizes:
        line = np.linspace(-1, 1, n, dtype=kind) if n > 1 else np.zeros(1, kind)
        points.append(line if align_corners else line * kind.type((n - 1) / n))
    mesh = np.meshgrid(*points, indexing="ij")
    base = np.stack([*reversed(mesh), np.ones_like(mesh[0])], -1).reshape(-1, dims + 1)
    return (wrap(base) @ permute(theta, dims=(0, 2, 1))).reshape(len(theta), *sizes, dims)


@titling
def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """Return images (N, C, H, W) read at the places (x, y) in `grid` (N, H', W', 2), which run from -1 to 1.

    Volumes (N, C, D, H, W) with (N, D', H', W', 3) likewise. `mode` is "bilinear", "nearest" or, for images, "bicubic";
    outside lie "zeros", the "border" goes on, or a "reflection" is seen. Raises ArgumentError for another mode.
    """
    dims = input.ndim - 2
    if dims not in (2, 3) or grid.ndim != input.ndim or grid.shape[-1] != dims or len(grid) != len(input):
        raise ShapeError(
            f"grid_sample(): expected input (N, C, H, W) and grid (N, H', W', 2), or one dim more for volumes, but got "
            f"input {tuple(input.shape)} and grid {tuple(grid.shape)}"
        )
    if mode not in ("bilinear", "nearest", *(["bicubic"] if dims == 2 else [])) or padding_mode not in (
        "zeros",
        "border",
        "reflection",
    ):
        raise ArgumentError(
            f"grid_sample: mode {mode!r} with padding_mode {padding_mode!r} is not supported; modes are 'bilinear', "
            "'nearest' and for images 'bicubic', paddings 'zeros', 'border' and 'reflection'"
        )
    sizes = tuple(input.shape[2:])
    pixels, total = flatten(input, 2), None
    for corner, weight in _reads(grid, sizes, mode, padding_mode, bool(align_corners)):
        inside = np.all([(at >= 0) & (at < n) for at, n in zip(corner, sizes, strict=True)], 0)
        flat = np.ravel_multi_index([np.clip(at, 0, n - 1) for at, n in zip(corner, sizes, strict=True)], sizes)
        index = np.broadcast_to(flat.reshape(len(flat), 1, -1), (*input.shape[:2], flat[0].size))
        value = where(inside.reshape(len(flat), 1, -1), gather(pixels, index, dim=2), 0.0)
        value = value if weight is None else value * reshape(weight, shape=(len(flat), 1, -1))
        total = value if total is None else total + value
    result: Tensor = reshape(total, shape=(*input.shape[:2], *grid.shape[1:-1]))
    return result


def _reads(
    grid: Tensor, sizes: tuple[int, ...], mode: str, padding_mode: str, align: bool
) -> list[tuple[list[Array], Any]]:
    """Return which pixels are read for each place of the grid, and how much each of them counts; None: wholly."""
    dims = len(sizes)
    inside = "zeros" if mode == "bicubic" else padding_mode  # there it is pixels that are brought inside
    places = [_place(grid[..., dims - 1 - d], n, inside, align) for d, n in enumerate(sizes)]
    if mode == "bicubic":
        return _squares(places, sizes, padding_mode, align)
    return _nearest(places) if mode == "nearest" else _corners(places)


def _place(x: Any, size: int, padding_mode: str, align: bool) -> Any:
    """Return where along a dim of `size` pixels a place from -1 to 1 lies, brought inside unless zeros lie outside."""
    x = (x + 1) / 2 * (size - 1) if align else ((x + 1) * size - 1) / 2
    return _brought_inside(x, size, padding_mode, align)


def _brought_inside(x: Any, size: int, padding_mode: str, align: bool) -> Any:
    if padding_mode == "zeros":
        return x
    if padding_mode == "reflection":
        x = _reflected(x, *((0.0, size - 1.0) if align else (-0.5, size - 0.5)))
    return where(le(x, 0), 0.0, where(ge(x, size - 1), size - 1.0, x))


def _reflected(x: Any, low: float, high: float) -> Any:
    span = high - low
    if not span:
        return x * 0
    away = abs(x - low)
    turns = np.floor(away._data / span)
    rest = away - (turns * span).astype(away._data.dtype)
    return where(turns % 2 == 0, rest + low, span - rest + low)


def _nearest(places: list[Any]) -> list[tuple[list[Array], Any]]:
    return [([np.rint(x._data).astype(np.int64) for x in places], None)]


def _corners(places: list[Any]) -> list[tuple[list[Array], Any]]:
    """Return the pixels around each place, and how much each of them counts."""
    found, lows = [], [np.floor(x._data) for x in places]
    for above in product((0, 1), repeat=len(places)):
        weight: Any = 1.0
        for x, low, up in zip(places, lows, above, strict=True):
            weight = weight * (x - low if up else (low + 1) - x)
        found.append(([(low + up).astype(np.int64) for low, up in zip(lows, above, strict=True)], weight))
    return found


def _squares(
    places: list[Any], sizes: tuple[int, ...], padding_mode: str, align: bool
) -> list[tuple[list[Array], Any]]:
    """Return the 4 x 4 pixels around each place, and their weights."""
    found, lows = [], [np.floor(x._data) for x in places]
    weights = [cubic_weights(x - low) for x, low in zip(places, lows, strict=True)]
    for steps in product(range(4), repeat=2):
        near = [wrap(low + k - 1) for low, k in zip(lows, steps, strict=True)]
        corner = [_brought_inside(x, n, padding_mode, align)._data for x, n in zip(near, sizes, strict=True)]
        found.append(([np.rint(x).astype(np.int64) for x in corner], weights[0][steps[0]] * weights[1][steps[1]]))
    return found

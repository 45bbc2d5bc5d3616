"""Adaptive pooling: as many windows as the output is to have places, wherever these have to lie."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.errors import ShapeError
from minigrad.nn.functional.pooling import avg_pool1d, avg_pool2d, avg_pool3d
from minigrad.nodenames import titling
from minigrad.ops.reduce import max_along
from minigrad.ops.shape import narrow, stack
from minigrad.tensor import Tensor, wrap


@titling
def adaptive_avg_pool1d(input: Tensor, output_size: Any) -> Tensor:
    """Return the means of `output_size` windows of sequences (N, C, L)."""
    return _means(input, 1, output_size)


@titling
def adaptive_avg_pool2d(input: Tensor, output_size: Any) -> Tensor:
    """Return the means of windows of images (N, C, H, W), `output_size` (rows, columns) of them; None keeps a size."""
    return _means(input, 2, output_size)


@titling
def adaptive_avg_pool3d(input: Tensor, output_size: Any) -> Tensor:
    """Return the means of windows of volumes (N, C, D, H, W), `output_size` of them along each dim."""
    return _means(input, 3, output_size)


@titling
def adaptive_max_pool1d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Return the largest values of `output_size` windows of sequences (N, C, L), and if asked for their places."""
    return _maxima(input, 1, output_size, return_indices)


@titling
def adaptive_max_pool2d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Return the largest values of windows of images (N, C, H, W), and if asked for their places in H * W."""
    return _maxima(input, 2, output_size, return_indices)


@titling
def adaptive_max_pool3d(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
    """Return the largest values of windows of volumes (N, C, D, H, W), and if asked for their places."""
    return _maxima(input, 3, output_size, return_indices)


def _means(x: Tensor, dims: int, output_size: Any) -> Tensor:
    wanted = _wanted(f"adaptive_avg_pool{dims}d", x, dims, output_size)
    if 0 not in wanted and all(n % m == 0 for n, m in zip(x.shape[-dims:], wanted, strict=True)):
        kernel = tuple(n // m for n, m in zip(x.shape[-dims:], wanted, strict=True))
        return (avg_pool1d, avg_pool2d, avg_pool3d)[dims - 1](x, kernel)
    for dim in range(x.ndim - dims, x.ndim):
        parts = [part.mean(dim) for part in _windows(x, dim, wanted[dim - x.ndim])]
        x = stack(parts, dim) if parts else narrow(x, dim=dim, start=0, length=0)
    return x


def _maxima(x: Tensor, dims: int, output_size: Any, return_indices: bool) -> Any:
    """Return the largest values, found along the last dim first: among equals, the first in reading order."""
    wanted = _wanted(f"adaptive_max_pool{dims}d", x, dims, output_size)
    places = np.broadcast_to(np.arange(np.prod(x.shape[-dims:], dtype=int)).reshape(x.shape[-dims:]), x.shape)
    for dim in range(x.ndim - 1, x.ndim - dims - 1, -1):
        found = [max_along(part, dim=dim, keepdim=False) for part in _windows(x, dim, wanted[dim - x.ndim])]
        starts = [start for start, _ in _bounds(x.shape[dim], wanted[dim - x.ndim])]
        at = [indices._data + start for (_, indices), start in zip(found, starts, strict=True)]
        places = np.take_along_axis(places, np.stack(at, dim), dim) if return_indices else places
        x = stack([values for values, _ in found], dim)
    return (x, wrap(np.ascontiguousarray(places))) if return_indices else x


def _windows(x: Tensor, dim: int, count: int) -> list[Tensor]:
    return [narrow(x, dim=dim, start=a, length=b - a) for a, b in _bounds(x.shape[dim], count)]


def _bounds(size: int, count: int) -> list[tuple[int, int]]:
    """Return where each of `count` windows starts and ends; neighbours overlap where the size does not divide."""
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


def _wanted(what: str, x: Tensor, dims: int, output_size: Any) -> tuple[int, ...]:
    """Return the size of the output along each pooled dim."""
    if x.ndim not in (dims + 1, dims + 2):
        raise ShapeError(f"{what}: Expected {dims + 1}D or {dims + 2}D tensor, but got shape {tuple(x.shape)}")
    given = tuple(output_size) if isinstance(output_size, tuple | list) else (output_size,) * dims
    if len(given) != dims:
        raise ShapeError(f"{what}: output_size must have {dims} elements, got {list(given)}")
    if 0 in x.shape[-dims:]:
        raise ShapeError(f"{what}: expected input with non-zero size for non-batch dimensions, got {tuple(x.shape)}")
    return tuple(n if m is None else int(m) for n, m in zip(x.shape[-dims:], given, strict=True))

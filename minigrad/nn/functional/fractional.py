"""Max pooling over windows that lie at random, a little more or less apart (Graham, 2014, arXiv:1412.6071)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import random
from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, ShapeError
from minigrad.ops.conv import several
from minigrad.ops.index import gather
from minigrad.ops.reduce import max_along
from minigrad.ops.shape import flatten, reshape
from minigrad.tensor import Tensor, wrap


def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Return the largest values of windows of images (N, C, H, W) or (C, H, W), and if asked for their places in H * W.

    There are `output_size` windows, or `output_ratio` times the size of the input. `_random_samples` (N, C, 2) of
    [0, 1) says where they lie, by default uniform numbers. Raises ArgumentError if neither size nor ratio is given,
    ShapeError if the windows do not fit.
    """
    return _pooled(2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Any,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """Return the largest values of windows of volumes (N, C, D, H, W) or (C, D, H, W), as for images."""
    return _pooled(3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def _pooled(
    dims: int, x: Tensor, kernel_size: Any, size: Any, ratio: Any, return_indices: bool, samples: Tensor | None
) -> Any:
    what = f"fractional_max_pool{dims}d"
    if x.ndim not in (dims + 1, dims + 2):
        raise ShapeError(f"{what}: Expected {dims + 1}D or {dims + 2}D tensor, but got shape {tuple(x.shape)}")
    if size is None and ratio is None:
        raise ArgumentError(f"{what} requires specifying either an output_size or an output_ratio")
    kernel, sizes = several(kernel_size, dims, "kernel_size", what, 1), tuple(x.shape[-dims:])
    ratios = ratio if isinstance(ratio, tuple | list) else (ratio,) * dims
    wanted = several(size, dims, "output_size", what, 1) if size is not None else None
    counts = wanted or tuple(int(n * r) for n, r in zip(sizes, ratios, strict=True))
    if any(m < 1 or m + k - 1 > n for n, m, k in zip(sizes, counts, kernel, strict=True)):
        raise ShapeError(f"{what}: {counts} windows of {kernel} do not fit an input of {sizes}")
    batch = x if x.ndim == dims + 2 else x.unsqueeze(0)
    if samples is None:
        samples = random.rand(*batch.shape[:2], dims, dtype=x.dtype)
    drawn = samples._data[: len(batch)]
    places = _places(drawn if dims == 3 else drawn[..., ::-1], sizes, counts, kernel)
    windows = reshape(_read(batch, dims, places), shape=places.shape)
    values, best = max_along(windows, dim=places.ndim - 1, keepdim=False)
    at = np.take_along_axis(places, best._data[..., None], -1)[..., 0]
    y, indices = (t if x.ndim == dims + 2 else t.squeeze(0) for t in (values, wrap(at)))
    return (y, indices) if return_indices else y


def _read(x: Tensor, dims: int, places: Array) -> Any:
    return gather(flatten(x, x.ndim - dims), places.reshape(*places.shape[:2], math.prod(places.shape[2:])), dim=2)


def _places(samples: Array, sizes: tuple[int, ...], counts: tuple[int, ...], kernel: tuple[int, ...]) -> Array:
    """Return the flat places (N, C, *counts, k) that each window reads; the samples are in the order of the dims."""
    flat: Any = 0
    dims = len(sizes)
    for d, (n, m, k) in enumerate(zip(sizes, counts, kernel, strict=True)):
        sample = samples[..., d, None]
        step = samples.dtype.type((n - k) / (m - 1)) if m > 1 else samples.dtype.type(0)
        starts = ((np.arange(m, dtype=samples.dtype) + sample) * step).astype(np.int64) - (sample * step).astype(
            np.int64
        )
        starts[..., -1] = n - k
        along = starts[..., None] + np.arange(k)
        shape = [*along.shape[:2], *(1,) * (2 * dims)]
        shape[2 + d], shape[2 + dims + d] = m, k
        flat = flat * n + along.reshape(shape)
    return np.asarray(flat).reshape(*samples.shape[:2], *counts, math.prod(kernel))

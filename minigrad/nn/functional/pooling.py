"""Pooling: one value for each window of a sequence, an image or a volume.

A sequence is pooled as an image one pixel high; a volume first along height and width, then along the depth, which
gives the same values, and among equals the same first one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.errors import ArgumentError, ShapeError
from minigrad.kernels.index import ARRAY
from minigrad.nodenames import titling
from minigrad.ops import pool as _pool
from minigrad.ops.conv import several
from minigrad.ops.index import index_put
from minigrad.ops.pool import avg_pool2d
from minigrad.tensor import Tensor, wrap


@titling
def max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the largest value of each window of images (N, C, H, W), with `return_indices` also its place in H * W."""
    y = _pool.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode)
    if not return_indices:
        return y
    return y, _places(input, 2, kernel_size, stride, padding, dilation, ceil_mode)


def max_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the largest value of each window of sequences (N, C, L), with `return_indices` also its place in L."""
    _check_dims("max_pool1d", input, 1)
    k, s, p, d = _flat("max_pool1d", kernel_size, stride, padding, dilation)
    y = _pool.max_pool2d(input.unsqueeze(-2), (1, k), (1, s), (0, p), (1, d), ceil_mode).squeeze(-2)
    return (y, _places(input, 1, kernel_size, stride, padding, dilation, ceil_mode)) if return_indices else y


@titling
def max_pool3d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """Return the largest value of each window of volumes (N, C, D, H, W), with `return_indices` also its place."""
    _check_dims("max_pool3d", input, 3)
    (kd, *k), (sd, *s), (pd, *p), (dd, *d) = _each("max_pool3d", 3, kernel_size, stride, padding, dilation)
    flat = _pool.max_pool2d(input.flatten(0, -3), k, s, p, d, ceil_mode)
    columns = flat.reshape(*input.shape[:-2], flat.shape[-2] * flat.shape[-1])
    deep = _pool.max_pool2d(columns, (kd, 1), (sd, 1), (pd, 0), (dd, 1), ceil_mode)
    y = deep.reshape(*deep.shape[:-1], *flat.shape[-2:])
    return (y, _places(input, 3, kernel_size, stride, padding, dilation, ceil_mode)) if return_indices else y


def _places(x: Tensor, dims: int, *settings: Any) -> Tensor:
    """Return where, counted through the last `dims` dims, the largest value of each window stands."""
    *sizes, ceil_mode = settings
    kernel, stride, padding, dilation = _each("max_pool", dims, *sizes)
    values = x._data.reshape(-1, 1, *x.shape[-dims:]).astype(np.float64)
    count = np.arange(np.prod(x.shape[-dims:]), dtype=np.float64).reshape(x.shape[-dims:])
    found = np.broadcast_to(count, values.shape)
    for first in range(dims - 1, -1, -1):  # the last dim first, as the values are found
        shape = values.shape
        columns = (int(np.prod(shape[: 2 + first])), 1, shape[2 + first], int(np.prod(shape[3 + first :])))
        window = _pool.Window(
            (kernel[first], 1), (stride[first], 1), (padding[first], 0), (dilation[first], 1), bool(ceil_mode)
        )
        seen = values.reshape(columns)
        found = _pool.max_pool_gather(np.ascontiguousarray(found).reshape(columns), seen, window=window)
        values = _pool.max_pool(seen, window=window)
        kept = (*shape[: 2 + first], values.shape[2], *shape[3 + first :])
        values, found = values.reshape(kept), found.reshape(kept)
    return wrap(found.reshape(*x.shape[:-dims], *found.shape[2:]).astype(np.int64))


def avg_pool1d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Return the mean of each window of sequences (N, C, L)."""
    _check_dims("avg_pool1d", input, 1)
    k, s, p, _ = _flat("avg_pool1d", kernel_size, stride, padding, 1)
    return avg_pool2d(input.unsqueeze(-2), (1, k), (1, s), (0, p), ceil_mode, count_include_pad).squeeze(-2)


@titling
def avg_pool3d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Return the mean of each window of volumes (N, C, D, H, W)."""
    _check_dims("avg_pool3d", input, 3)
    if divisor_override == 0:
        raise ArgumentError("avg_pool3d: divisor must be not zero")
    (kd, *k), (sd, *s), (pd, *p), _ = _each("avg_pool3d", 3, kernel_size, stride, padding, 1)
    first = None if divisor_override is None else 1
    flat = avg_pool2d(input.flatten(0, -3), k, s, p, ceil_mode, count_include_pad, first)
    columns = flat.reshape(*input.shape[:-2], flat.shape[-2] * flat.shape[-1])
    deep = avg_pool2d(columns, (kd, 1), (sd, 1), (pd, 0), ceil_mode, count_include_pad, divisor_override)
    return deep.reshape(*deep.shape[:-1], *flat.shape[-2:])


def lp_pool1d(
    input: Tensor, norm_type: float, kernel_size: int, stride: int | None = None, ceil_mode: bool = False
) -> Tensor:
    """Return the `norm_type`-norm of each window of sequences (N, C, L)."""
    mean = avg_pool1d(input.pow(norm_type), kernel_size, stride, 0, ceil_mode)
    return _rooted(mean, kernel_size, norm_type)


def lp_pool2d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """Return the `norm_type`-norm of each window of images (N, C, H, W)."""
    kh, kw = several(kernel_size, 2, "kernel_size", "lp_pool2d", 1)
    return _rooted(avg_pool2d(input.pow(norm_type), kernel_size, stride, 0, ceil_mode), kh * kw, norm_type)


def lp_pool3d(input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Tensor:
    """Return the `norm_type`-norm of each window of volumes (N, C, D, H, W)."""
    kd, kh, kw = several(kernel_size, 3, "kernel_size", "lp_pool3d", 1)
    return _rooted(avg_pool3d(input.pow(norm_type), kernel_size, stride, 0, ceil_mode), kd * kh * kw, norm_type)


def _rooted(mean: Tensor, count: int, norm_type: float) -> Tensor:
    return (mean.sign() * mean.abs().relu() * count).pow(1.0 / norm_type)


@titling
def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """Return zeros with the values of sequences, which max_pool1d made smaller, put back at their `indices`."""
    return _unpooled(1, input, indices, kernel_size, stride, padding, output_size)


@titling
def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """Return zeros with the values of images, which max_pool2d made smaller, put back at their `indices`."""
    return _unpooled(2, input, indices, kernel_size, stride, padding, output_size)


@titling
def max_unpool3d(
    input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Tensor:
    """Return zeros with the values of volumes, which max_pool3d made smaller, put back at their `indices`."""
    return _unpooled(3, input, indices, kernel_size, stride, padding, output_size)


def _unpooled(
    dims: int, x: Tensor, indices: Tensor, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Tensor:
    kernel, steps, paddings, _ = _each(f"max_unpool{dims}d", dims, kernel_size, stride, padding, 1)
    usual = [(n - 1) * s - 2 * p + k for n, k, s, p in zip(x.shape[-dims:], kernel, steps, paddings, strict=True)]
    sizes = usual if output_size is None else [int(n) for n in output_size][-dims:]
    if any(not n - s < m < n + s for n, m, s in zip(usual, sizes, steps, strict=True)):
        raise ArgumentError(f"invalid output_size {list(output_size)!r}: each dim must lie near {usual}")
    lead = x.shape[:-dims]
    flat, places = x.flatten(-dims), indices.flatten(-dims)._data
    if places.size and not 0 <= places.min() <= places.max() < np.prod(sizes):
        raise ShapeError(f"max_unpool{dims}d: found an invalid max index for an output of size {list(sizes)}")
    rows = [np.arange(n).reshape(-1, *(1,) * (len(lead) - i)) for i, n in enumerate(lead)]
    blank = np.zeros((*lead, int(np.prod(sizes))), x._data.dtype)
    y = index_put(wrap(blank), flat, *rows, places, index=(ARRAY,) * (len(lead) + 1))
    return y.reshape(*lead, *sizes)


def _check_dims(what: str, x: Tensor, dims: int) -> None:
    if x.ndim not in (dims + 1, dims + 2):
        raise ShapeError(f"{what}: Expected {dims + 1}D or {dims + 2}D input, but got shape {tuple(x.shape)}")


def _each(what: str, dims: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any) -> list[tuple[int, ...]]:
    """Return kernel, stride, padding and dilation with one value for each dim."""
    kernel = several(kernel_size, dims, "kernel_size", what, 1)
    steps = kernel if stride is None or stride == [] else several(stride, dims, "stride", what, 1)
    return [kernel, steps, several(padding, dims, "padding", what, 0), several(dilation, dims, "dilation", what, 1)]


def _flat(what: str, *settings: Any) -> list[int]:
    """Return kernel, stride, padding and dilation of a sequence."""
    return [value for (value,) in _each(what, 1, *settings)]

"""Images of another size: interpolation, and channels turned into pixels.

Every mode goes along one dim at a time: each place of the output is a weighed sum of a few places of the input.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, ShapeError
from minigrad.kernels.index import ARRAY
from minigrad.kernels.resampling import smoothing
from minigrad.nn.functional.adaptive import _means
from minigrad.nodenames import titling
from minigrad.ops.index import getitem
from minigrad.ops.shape import expand, permute, reshape
from minigrad.tensor import Tensor, wrap

_DIMS = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}
_NEAREST = ("nearest", "nearest-exact", "area")


@titling
def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Return sequences, images or volumes (N, C, ...) of another `size`, or of `scale_factor` times theirs.

    `mode` is "nearest", "nearest-exact", "linear" (3-D), "bilinear", "bicubic" (4-D), "trilinear" (5-D) or "area".
    `align_corners` puts the outermost places of input and output on one another. Raises ArgumentError for arguments
    that do not go together. `antialias` has each place see all of the input that it stands for (bilinear, bicubic).

    >>> import minigrad as mg
    >>> interpolate(mg.tensor([[[1.0, 2.0]]]), scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    _check(input, size, scale_factor, mode, align_corners, antialias)
    sizes, scales = _output_sizes(input, size, scale_factor, bool(recompute_scale_factor))
    if mode == "area":
        return _means(input, input.ndim - 2, sizes)
    result = input
    for dim, (count, scale) in enumerate(zip(sizes, scales, strict=True), start=2):
        result = (_blurred if antialias else _along)(result, dim, count, scale, mode, bool(align_corners))
    return result.to(input.dtype)  # the weights of float16 are float32


def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Tensor:
    """Return `interpolate` of the same arguments: its old name."""
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """Return `interpolate` with mode "nearest": an old name."""
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """Return `interpolate` with mode "bilinear" and aligned corners: an old name."""
    return interpolate(input, size, scale_factor, "bilinear", align_corners=True)


def _check(x: Tensor, size: Any, scale_factor: Any, mode: str, align_corners: bool | None, antialias: bool) -> None:
    if (size is None) == (scale_factor is None):
        raise ArgumentError("interpolate: only one of size or scale_factor should be defined, and one has to be")
    if mode not in _DIMS and mode not in _NEAREST:
        raise ArgumentError(f"interpolate: mode {mode!r} is none of {', '.join((*_NEAREST, *_DIMS))}")
    if x.ndim not in ((3, 4, 5) if mode in _NEAREST else (_DIMS[mode],)):
        wanted = "3D, 4D or 5D" if mode in _NEAREST else f"{_DIMS[mode]}D"
        raise ShapeError(f"interpolate: mode {mode!r} needs a {wanted} input (N, C, ...), got shape {tuple(x.shape)}")
    if align_corners is not None and mode in _NEAREST:
        raise ArgumentError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ArgumentError(
            "Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D tensor as input"
        )


def _output_sizes(x: Tensor, size: Any, scale_factor: Any, recompute: bool) -> tuple[list[int], list[float | None]]:
    """Return the size of each dim, and the factors by which to find places; None: as the sizes say."""
    dims = x.ndim - 2
    given = size if size is not None else scale_factor
    each = list(given) if isinstance(given, tuple | list) else [given] * dims
    if len(each) != dims:
        raise ShapeError(
            f"interpolate: Input and output must have the same number of spatial dimensions, but got input with "
            f"spatial dimensions of {list(x.shape[2:])} and {each}"
        )
    if size is not None:
        return [int(n) for n in each], [None] * dims
    sizes = [math.floor(n * s) for n, s in zip(x.shape[2:], each, strict=True)]
    return sizes, [None] * dims if recompute else [float(s) for s in each]


def _along(x: Tensor, dim: int, count: int, scale: float | None, mode: str, align: bool) -> Tensor:
    size = x.shape[dim]
    if count < 1 or size < 1:
        raise ShapeError(f"interpolate: Input and output sizes should be greater than 0, got {size} and {count}")
    if mode.startswith("nearest"):
        return _nearest(x, dim, count, scale, 0.5 if mode == "nearest-exact" else 0.0)
    if count == size and (align or scale is None or scale == 1):
        return x
    kind = np.float64 if x._data.dtype == np.float64 else np.float32
    places, weights = (_cubic if mode == "bicubic" else _linear)(size, _sources(size, count, scale, align, kind))
    total: Any = 0.0
    for at, weight in zip(places, weights, strict=True):
        total = _picked(x, dim, at) * weight.astype(kind).reshape(-1, *(1,) * (x.ndim - 1 - dim)) + total
    result: Tensor = total
    return result


def _picked(x: Tensor, dim: int, places: Array) -> Any:
    return getitem(x, places, index=(*(slice(None),) * dim, ARRAY))


def _nearest(x: Tensor, dim: int, count: int, scale: float | None, shift: float) -> Any:
    size = x.shape[dim]
    if count == size:
        return x
    if count % size == 0 and (scale is None or scale == count // size):  # each place repeated
        shape = (*x.shape[: dim + 1], count // size, *x.shape[dim + 1 :])
        repeated = expand(x.unsqueeze(dim + 1), shape=shape)
        return reshape(repeated, shape=(*x.shape[:dim], count, *x.shape[dim + 1 :]))
    step = np.float32(size / count if scale is None else 1 / scale)
    places = np.floor((np.arange(count, dtype=np.float32) + np.float32(shift)) * step).astype(np.int64)
    return _picked(x, dim, np.minimum(places, size - 1))


def _sources(size: int, count: int, scale: float | None, align: bool, kind: Any) -> Array:
    """Return where in the input each place of the output lies."""
    if align:
        return np.arange(count, dtype=kind) * kind((size - 1) / (count - 1) if count > 1 else 0.0)
    step = kind(size / count if scale is None else 1 / scale)
    return np.asarray(step * (np.arange(count, dtype=kind) + kind(0.5)) - kind(0.5))


def _linear(size: int, sources: Array) -> tuple[list[Array], list[Array]]:
    sources = np.maximum(sources, 0)
    low = np.minimum(sources.astype(np.int64), size - 1)
    share = np.clip(sources - low, 0, 1)
    return [low, np.minimum(low + 1, size - 1)], [1 - share, share]


def _cubic(size: int, sources: Array) -> tuple[list[Array], list[Array]]:
    """Return the four nearest places and their weights."""
    low = np.floor(sources)
    places = [np.clip(low.astype(np.int64) + k, 0, size - 1) for k in (-1, 0, 1, 2)]
    return places, cubic_weights(sources - low)


def cubic_weights(t: Any) -> list[Any]:
    """Return the weights of the places at -1, 0, 1 and 2 for a value at t, by Keys' kernel (1981), a = -3/4."""
    a = -0.75

    def near(d: Any) -> Any:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d: Any) -> Any:
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    return [far(t + 1), near(t), near(1 - t), far(2 - t)]


def _blurred(x: Tensor, dim: int, count: int, scale: float | None, mode: str, align: bool) -> Any:
    """Return images with dim 2 or 3 resized by a kernel as wide as the step between places of the output.

    Source: the resampling of the Python Imaging Library.
    """
    size = x.shape[dim]
    step = size / count if scale is None else 1 / scale
    if align:
        step = (size - 1) / (count - 1) if count > 1 else 0.0
    kind = np.float64 if x._data.dtype == np.float64 else np.float32
    matrix = wrap(smoothing(size, count, step, mode).astype(kind))
    return matrix @ x if dim == 2 else x @ matrix.mT


@titling
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Return (..., C r^2, H, W) as (..., C, H r, W r) (Shi et al., 2016, arXiv:1609.05158).

    Raises ShapeError unless the channels are a multiple of r^2.
    """
    r = int(upscale_factor)
    if input.ndim < 3 or r < 1 or input.shape[-3] % r**2:
        raise ShapeError(
            f"pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input of shape {tuple(input.shape)} and upscale_factor={r} do not fit"
        )
    *lead, channels, height, width = input.shape
    parts = reshape(input, shape=(math.prod(lead), channels // r**2, r, r, height, width))
    mixed = permute(parts, dims=(0, 1, 4, 2, 5, 3))
    return reshape(mixed, shape=(*lead, channels // r**2, height * r, width * r))


@titling
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Return (..., C, H r, W r) as (..., C r^2, H, W): what undoes `pixel_shuffle`."""
    r = int(downscale_factor)
    if input.ndim < 3 or r < 1 or input.shape[-2] % r or input.shape[-1] % r:
        raise ShapeError(
            f"pixel_unshuffle expects height and width to be divisible by downscale_factor, but input of shape "
            f"{tuple(input.shape)} and downscale_factor={r} do not fit"
        )
    *lead, channels, height, width = input.shape
    parts = reshape(input, shape=(math.prod(lead), channels, height // r, r, width // r, r))
    mixed = permute(parts, dims=(0, 1, 3, 5, 2, 4))
    return reshape(mixed, shape=(*lead, channels * r**2, height // r, width // r))


@titling
def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """Return (N, C, ...) with the channels of `groups` groups dealt out in turn (Zhang et al., arXiv:1707.01083)."""
    if input.ndim < 3 or groups < 1 or input.shape[1] % groups:
        raise ShapeError(
            f"channel_shuffle: Number of channels must be divisible by groups. Got shape {tuple(input.shape)} and "
            f"{groups} groups."
        )
    n, channels, *rest = input.shape
    parts = reshape(input, shape=(n, groups, channels // groups, *rest))
    return reshape(permute(parts, dims=(0, 2, 1, *range(3, parts.ndim))), shape=tuple(input.shape))

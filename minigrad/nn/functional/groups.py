"""Normalisation within each sample: by groups of channels, by channel, by neighbouring channels, by mean square."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.autograd import no_grad
from minigrad.errors import ShapeError
from minigrad.nn.functional.normalization import batch_norm
from minigrad.nn.functional.pooling import avg_pool2d
from minigrad.nodenames import titling
from minigrad.ops.norm import normalize
from minigrad.ops.pad import pad
from minigrad.ops.reduce import mean
from minigrad.ops.shape import reshape
from minigrad.tensor import Tensor


@titling
def group_norm(
    input: Tensor, num_groups: int, weight: Tensor | None = None, bias: Tensor | None = None, eps: float = 1e-5
) -> Tensor:
    """Return `input` (N, C, ...) normalised over each of `num_groups` groups of channels, times weight plus bias (C,).

    Raises ShapeError if the groups do not divide the channels, or have one value each and there is one sample.
    """
    if input.ndim < 2 or num_groups < 1 or input.shape[1] % num_groups:
        raise ShapeError(
            f"group_norm: Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{tuple(input.shape)} and num_groups={num_groups}"
        )
    count = math.prod(input.shape[2:]) * input.shape[1] // num_groups
    if input.shape[0] * count == 1 and num_groups == 1:
        raise ShapeError(f"Expected more than 1 value per channel when training, got input size {list(input.shape)}")
    rows = reshape(input, shape=(input.shape[0] * num_groups, count))
    y: Tensor = reshape(_centred(rows, (1,), eps)[0], shape=tuple(input.shape))
    return _scaled(y, weight, bias)


@titling
def instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Return `input` (N, C, ...) normalised over each channel of each sample, or by the running statistics (C,).

    With `use_input_stats` the running ones, if given, move by the fraction `momentum` towards the samples' mean ones.
    """
    if not use_input_stats:
        return batch_norm(input, running_mean, running_var, weight, bias, False, momentum, eps)
    count = math.prod(input.shape[2:])
    if count == 1:
        raise ShapeError(f"Expected more than 1 spatial element when training, got input size {list(input.shape)}")
    y, centre, spread = _centred(input, tuple(range(2, input.ndim)), eps)
    _move(running_mean, centre, momentum)
    _move(running_var, spread * (count / max(count - 1, 1)), momentum)
    return _scaled(y, weight, bias)


def _centred(x: Any, axes: tuple[int, ...], eps: float) -> Any:
    return normalize(x, None, None, axes=axes, along=axes, eps=eps)


def _scaled(x: Tensor, weight: Tensor | None, bias: Tensor | None) -> Tensor:
    """Return x (N, C, ...) times a weight plus a bias, (C,) both."""
    spread = (-1, *(1,) * (x.ndim - 2))
    x = x if weight is None else x * reshape(weight, shape=spread)
    return x if bias is None else x + reshape(bias, shape=spread)


@no_grad()
def _move(running: Tensor | None, of_samples: Tensor, momentum: float) -> None:
    if running is not None:
        batch = of_samples.reshape(len(of_samples), -1).mean(0)
        running.copy_(running * (1 - momentum) + batch * momentum)


def local_response_norm(input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Tensor:
    """Return `input` (N, C, ...) / (k + alpha * mean of its squares over `size` neighbouring channels)^beta.

    Raises ShapeError for fewer than 3 dims.
    """
    if input.ndim < 3:
        raise ShapeError(f"Expected 3D or higher dimensionality input (got {input.ndim} dimensions)")
    if not input.numel():
        return input
    squares = reshape(input * input, shape=(*input.shape[:2], -1))
    around = avg_pool2d(pad(squares, (0, 0, size // 2, (size - 1) // 2)), (size, 1), 1)
    return input / (reshape(around, shape=tuple(input.shape)) * alpha + k) ** beta


def rms_norm(input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None) -> Tensor:
    """Return `input` divided by the root of its mean square over the last dims, `normalized_shape`, times `weight`.

    `eps`, added to the mean square, is by default the smallest step of the dtype at 1. Raises ShapeError if the last
    dims are others. (Zhang & Sennrich, 2019, arXiv:1910.07467)
    """
    sizes = tuple(normalized_shape)
    if not sizes or tuple(input.shape[-len(sizes) :]) != sizes:
        raise ShapeError(
            f"rms_norm: Given normalized_shape={list(sizes)}, expected input with shape [*, "
            f"{', '.join(map(str, sizes))}], but got input of size {list(input.shape)}"
        )
    added = float(np.finfo(input._data.dtype).eps) if eps is None else eps
    dims = tuple(range(input.ndim - len(sizes), input.ndim))
    y: Tensor = input * (mean(input * input, dim=dims, keepdim=True) + added).rsqrt()
    return y if weight is None else y * weight

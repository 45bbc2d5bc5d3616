"""The layers as functions, with PyTorch's names and arguments; every number in them is computed by `minigrad.ops`."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from minigrad import ops
from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, DTypeError, OutOfRangeError, ShapeError
from minigrad.nn.losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    l1_loss,
    mse_loss,
    nll_loss,
    smooth_l1_loss,
)
from minigrad.ops import conv as _conv
from minigrad.ops import elementwise as _elementwise
from minigrad.ops import norm as _norm
from minigrad.ops import pool as _pool
from minigrad.ops.index import one_hot
from minigrad.ops.loss import first_place, log_sigmoid
from minigrad.ops.pad import pad
from minigrad.random import draw_like, dropout_mask
from minigrad.tensor import Tensor, wrap

__all__ = [
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "conv2d",
    "cross_entropy",
    "dropout",
    "dropout2d",
    "elu",
    "embedding",
    "gelu",
    "huber_loss",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "max_pool2d",
    "mse_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "relu",
    "relu_",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "softmax",
    "softplus",
    "tanh",
]


# --- linear maps ---


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return input @ weight^T + bias, for input (..., in), weight (out, in) and bias (out,)."""
    return ops.linalg.linear(input, weight, bias)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Return the cross-correlation of images (N, C, H, W) with weight (out, C / groups, kH, kW), plus bias (out,).

    `padding` is a number of zeros on each side, a pair (rows, columns), "valid" (none) or "same" (H and W stay).
    """
    return _conv.conv2d(input, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """Return the rows of `weight` (rows, features) that the integers in `input` name; `padding_idx` gets no gradient.

    Raises DTypeError if `input` is not of an integer dtype, OutOfRangeError if it names a row that is not there.
    """
    index = input._data
    if index.dtype.kind not in "iu":
        raise DTypeError(f"embedding: expected a tensor of int64 indices, got {index.dtype}; convert it with .long()")
    rows = len(weight)
    if index.min(initial=0) < 0 or index.max(initial=0) >= rows:
        place = first_place((index < 0) | (index >= rows))
        raise OutOfRangeError(
            f"embedding: index out of range in self: input{place} is {index[tuple(place)]}, the table has the rows "
            f"0..{rows - 1}"
        )
    y = ops.index.embedding(weight, input)
    if padding_idx is None:
        return y
    padding = (index == padding_idx % rows)[..., None]
    return _elementwise.where(padding, y.detach(), y) if padding.any() else y


# --- pooling ---


def max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the largest value of each window of images (N, C, H, W)."""
    return _pool.max_pool2d(input, kernel_size, stride, padding, dilation, ceil_mode)


def avg_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Return the mean of each window of images (N, C, H, W)."""
    return _pool.avg_pool2d(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)


# --- normalisation ---


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Return `input` (N, C, ...) normalised per channel, in `training` by the batch and moving the running statistics.

    Raises ShapeError if in training a channel has a single value.
    """
    return _norm.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def layer_norm(
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Return `input` (..., *normalized_shape) normalised over those last dims."""
    return _norm.layer_norm(input, tuple(normalized_shape), weight, bias, eps)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """Return `input` divided by its p-norm along `dim`, or by `eps` where the norm is smaller."""
    return input / ops.reduce.norm(input, p, dim, keepdim=True).clamp(min=eps)


# --- dropout ---


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Return, in training, `input` with elements made 0 with probability `p` and the others divided by 1 - p."""
    if not _drops(p, training):
        return input
    return _times(input, draw_like(input, lambda count: dropout_mask((count,), p)) if p < 1 else None, p, inplace)


def dropout2d(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Return, in training, `input` (N, C, ...) with whole channels made 0 with probability `p`, as `dropout` does."""
    if input.ndim < 2:
        raise ShapeError(f"dropout2d: expected an input (N, C, ...), got shape {tuple(input.shape)}")
    if not _drops(p, training):
        return input
    shape = (*input.shape[:2], *(1,) * (input.ndim - 2))
    return _times(input, dropout_mask(shape, p) if p < 1 else None, p, inplace)


def _drops(p: float, training: bool) -> bool:
    if not 0 <= p <= 1:
        raise ArgumentError(f"dropout probability has to be between 0 and 1, but got {p}")
    return training and p > 0


def _times(x: Tensor, mask: Array | None, p: float, inplace: bool) -> Tensor:
    """Return x * mask / (1 - p); the mask is drawn outside the graph and enters it as a constant.

    It is laid out in memory as x is, which keeps the product a single pass.
    """
    kind = x._data.dtype
    noise: Array = np.zeros((), kind)
    if mask is not None:
        noise = np.empty_like(x._data) if mask.shape == x._data.shape else np.empty(mask.shape, kind)
        np.multiply(mask, kind.type(1) / kind.type(1 - p), out=noise)
    drawn = wrap(noise)
    drawn.name = "mask"
    return x.mul_(drawn) if inplace else x * drawn


# --- activations ---


def _maybe_inplace(x: Tensor, y: Tensor, inplace: bool) -> Tensor:
    return x._become(y) if inplace else y


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return max(x, 0); `inplace` writes it into `input`."""
    return _maybe_inplace(input, _elementwise.relu(input), inplace)


def relu_(input: Tensor) -> Tensor:
    """Return max(x, 0), written into `input`."""
    return relu(input, inplace=True)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Return x where x > 0, else negative_slope * x."""
    return _maybe_inplace(input, _elementwise.leaky_relu(input, negative_slope=negative_slope), inplace)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return x where x > 0, else alpha * (exp(x) - 1)."""
    return _maybe_inplace(input, _elementwise.elu(input, alpha=alpha), inplace)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x * sigmoid(x)."""
    return _maybe_inplace(input, _elementwise.silu(input), inplace)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """Return x times the standard normal distribution function of x, or its approximation by "tanh"."""
    if approximate not in ("none", "tanh"):
        raise ArgumentError(f"gelu: approximate argument must be either none or tanh, got {approximate!r}")
    return _elementwise.gelu(input, approximate)


def softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """Return log(1 + exp(beta * x)) / beta, and x itself where beta * x > threshold."""
    return _elementwise.softplus(input, beta=beta, threshold=threshold)


def sigmoid(input: Tensor) -> Tensor:
    """Return 1 / (1 + exp(-x))."""
    return _elementwise.sigmoid(input)


def logsigmoid(input: Tensor) -> Tensor:
    """Return log(1 / (1 + exp(-x))), exact for x of any size."""
    return log_sigmoid(input)


def tanh(input: Tensor) -> Tensor:
    """Return the hyperbolic tangent."""
    return _elementwise.tanh(input)


def softmax(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """Return exp(x) / sum(exp(x)) along `dim`; `input` is first converted to `dtype` if one is given."""
    return input.to(dtype).softmax(_chosen_dim("softmax", dim, input.ndim))


def log_softmax(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """Return x - log(sum(exp(x))) along `dim`; `input` is first converted to `dtype` if one is given."""
    return input.to(dtype).log_softmax(_chosen_dim("log_softmax", dim, input.ndim))


def _chosen_dim(name: str, dim: int | None, ndim: int) -> int:
    """Return `dim`; if it was left out, warn and return the one PyTorch picks."""
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=3,
    )
    return 0 if ndim in (0, 1, 3) else 1

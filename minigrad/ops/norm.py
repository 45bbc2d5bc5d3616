"""Normalisation: one fused primitive under batch norm and layer norm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.errors import ShapeError
from minigrad.graph import array_of, composite, primitive
from minigrad.kernels import norm as kernel
from minigrad.kernels.half import in_float32
from minigrad.kernels.norm import Axes
from minigrad.ops.conv import channel_sum
from minigrad.ops.elementwise import rsqrt
from minigrad.ops.reduce import sum
from minigrad.ops.shape import reshape, sum_to


def _count(shape: Axes, axes: Axes) -> int:
    return max(1, math.prod(shape[a] for a in axes))


def _spread(weight: Any, shape: Axes, along: Axes) -> Any:
    """Return a weight that lies along some axes of an array of `shape` so that it broadcasts against it."""
    return reshape(weight, shape=tuple(n if a in along else 1 for a, n in enumerate(shape)))


def _normalize_rule(
    g: Any, x: Any, weight: Any, mean: Any, var: Any, axes: Axes, along: Axes, eps: float,
    g_mean: Any = None, g_var: Any = None,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Return the gradients; those of the statistics arrive only if somebody used them: a second derivative does."""
    gx, gweight, gbias = normalize_grad(g, x, weight, mean, var, axes=axes, along=along, eps=eps)
    n = _count(x.shape, axes)
    if g_mean is not None:
        gx = gx + g_mean / n
    if g_var is not None:
        gx = gx + g_var * (2 / n) * (x - mean)
    return gx, gweight, gbias


def _normalize_grad_rule(
    g_gx: Any, g_gweight: Any, g_gbias: Any, u: Any, x: Any, weight: Any, mean: Any, var: Any,
    axes: Axes, along: Axes, eps: float,
) -> tuple[Any, Any, Any, Any, Any]:  # fmt: skip
    """Return the gradients of normalize_grad, in which mean and var are inputs like the others.

    With hat the normalised x, h = u * weight and E the mean over `axes`, it computes gx = inv * P(h) for the projection
    P(h) = h - E(h) - hat * E(h * hat), and sums of u * hat and of u for the weight and the bias.
    """
    shape = tuple(x.shape)

    def mean_over(t: Any) -> Any:
        return sum(t, dim=axes, keepdim=True) / _count(shape, axes)

    scale: Any = 1.0 if weight is None else _spread(weight, shape, along)
    to_weight, to_bias = _spread(g_gweight, shape, along), _spread(g_gbias, shape, along)
    away, inv = x - mean, rsqrt(var + eps)
    hat, h, v = away * inv, u * scale, g_gx * inv
    by_h, by_v = mean_over(h * hat), mean_over(v * hat)
    projected = v - mean_over(v) - hat * by_v
    ghat = to_weight * u - v * by_h - by_v * h
    ginv = sum(ghat * away + g_gx * (h - mean_over(h) - hat * by_h), dim=axes, keepdim=True)
    gx = ghat * inv
    return (
        projected * scale + to_weight * hat + to_bias,
        gx,
        None if weight is None else reshape(sum_to(u * projected, shape=scale.shape), shape=weight.shape),
        -sum(gx, dim=axes, keepdim=True),
        ginv * inv**3 * -0.5,
    )


# Mean and variance are outputs because the rule uses them: what it makes of them is differentiated in turn.
normalize = primitive(
    "normalize", in_float32(kernel.normalize), casts="same",
    inputs=("x", "weight", "bias"), outputs=("y", "mean", "var"), joint=_normalize_rule,
)  # fmt: skip
normalize_grad = primitive(
    "normalize_grad", in_float32(kernel.normalize_grad),
    inputs=("u", "x", "weight", "mean", "var"), outputs=("gx", "gweight", "gbias"), joint=_normalize_grad_rule,
)  # fmt: skip


def _along_channels(p: Any, shape: Axes) -> Any:
    return _spread(p, shape, (1,))


def _channel_products(g: Any, x: Any, mean: Any) -> Any:
    """Return for each channel the sum of g * (x - mean)."""
    return channel_sum(g * (x - _along_channels(mean, tuple(x.shape))))


def _scale(var: Any, weight: Any, eps: float) -> Any:
    return rsqrt(var + eps) if weight is None else weight * rsqrt(var + eps)


normalize_by = primitive(
    "normalize_by", in_float32(kernel.normalize_by), casts="same",
    x=lambda g, x_shape, var, weight, eps: g * _along_channels(_scale(var, weight, eps), x_shape),
    mean=lambda g, var, weight, eps: -channel_sum(g) * _scale(var, weight, eps),
    var=lambda g, x, mean, var, weight, eps:
        _channel_products(g, x, mean) * _scale(var, weight, eps) / (var + eps) * -0.5,
    weight=lambda g, x, mean, var, eps: _channel_products(g, x, mean) * rsqrt(var + eps),
    bias=lambda g: channel_sum(g),
)  # fmt: skip


_PER_CHANNEL = ("running_mean", "running_var", "weight", "bias")


@composite
def batch_norm(
    x: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Return x (N, C, ...) normalised for each channel, times `weight` (C,) plus `bias` (C,).

    In training by the mean and the biased variance of the batch, towards which the running ones (C,), if given, move in
    place by the fraction `momentum`, the variance then being the unbiased one. Otherwise by the running ones. Raises
    ShapeError for a training batch with one value per channel. After S. Ioffe, C. Szegedy, "Batch Normalization"
    (arXiv:1502.03167).

    >>> import numpy as np
    >>> batch_norm(np.array([[1.0], [3.0]]), None, None, training=True, eps=0.0)
    array([[-1.],
           [ 1.]])
    """
    if x.ndim < 2:
        raise ShapeError(f"batch_norm: expected an input of at least 2 dims (N, C, ...), got shape {tuple(x.shape)}")
    shape = array_of(x).shape
    for name, p in zip(_PER_CHANNEL, (running_mean, running_var, weight, bias), strict=True):
        if p is not None and array_of(p).shape != (shape[1],):
            raise ShapeError(
                f"batch_norm: {name} should contain {shape[1]} elements not {math.prod(p.shape)}: axis 1 of the input "
                f"{shape} is {shape[1]}, {name} has shape {tuple(p.shape)}"
            )
    if not training:
        return _by_running(x, running_mean, running_var, weight, bias, eps)
    axes = (0, *range(2, len(shape)))
    count = math.prod(shape[a] for a in axes)
    if count == 1:
        raise ShapeError(
            f"batch_norm: Expected more than 1 value per channel when training, got input size {list(shape)}; use a "
            "larger batch, or eval()"
        )
    y, mean, var = normalize(x, weight, bias, axes=axes, along=(1,), eps=eps)
    if count:
        _move(running_mean, mean, momentum)
        _move(running_var, var, momentum, count / (count - 1))
    return y


def _move(running: Any, batch: Any, momentum: float, correction: float = 1.0) -> None:
    """Move a running statistic in place towards that of the batch; outside the graph."""
    if running is not None:
        values = np.asarray(array_of(batch))
        running *= 1 - momentum
        running += values.reshape(-1) * (momentum * correction)


def _by_running(x: Any, mean: Any, var: Any, weight: Any, bias: Any, eps: float) -> Any:
    for name, p in (("running_mean", mean), ("running_var", var)):
        if p is None:
            raise ShapeError(f"batch_norm: {name} must be defined in evaluation mode")
    return normalize_by(x, mean, var, weight, bias, eps=eps)


@composite
def layer_norm(x: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Return `x` normalised over its last dims, which are `normalized_shape`, times `weight` plus `bias` of that shape.

    The variance is the biased one. Raises ShapeError if the shapes do not agree. After J. L. Ba, J. R. Kiros, G. E.
    Hinton, "Layer Normalization" (arXiv:1607.06450).

    >>> import numpy as np
    >>> layer_norm(np.array([[1.0, 3.0]]), (2,), eps=0.0)
    array([[-1.,  1.]])
    """
    sizes = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    shape = tuple(x.shape)
    if not sizes or shape[-len(sizes) :] != sizes:
        raise ShapeError(
            f"layer_norm: Given normalized_shape={list(sizes)}, expected input with shape "
            f"[{', '.join(['*', *map(str, sizes)])}], but got input of size{list(shape)}"
        )
    for name, p in (("weight", weight), ("bias", bias)):
        if p is not None and tuple(p.shape) != sizes:
            raise ShapeError(
                f"layer_norm: Expected {name} to be of same shape as normalized_shape, but got {name} of shape "
                f"{list(p.shape)} and normalized_shape = {list(sizes)}"
            )
    axes = tuple(range(len(shape) - len(sizes), len(shape)))
    return normalize(x, weight, bias, axes=axes, along=axes, eps=eps)[0]

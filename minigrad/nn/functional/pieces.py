"""Activations with two straight pieces or more: hard, shrinking, leaky and scaled ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn.functional.activation import maybe_inplace, original
from minigrad.nodenames import titling
from minigrad.ops import elementwise as _elementwise
from minigrad.ops.elementwise import expm1, ge, gt, le, logical_and, lt, where
from minigrad.ops.shape import reshape
from minigrad.random import uniform_noise
from minigrad.tensor import Tensor, wrap

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


@titling
def hardtanh(input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Tensor:
    """Return x, but at least `min_val` and at most `max_val`. Raises ArgumentError if min_val > max_val."""
    if min_val > max_val:
        raise ArgumentError(f"min_val cannot be greater than max_val, got {min_val} and {max_val}")
    return maybe_inplace(input, _between(input, min_val, max_val), inplace)


def hardtanh_(input: Tensor, min_val: float = -1.0, max_val: float = 1.0) -> Tensor:
    """`hardtanh`, written into `input`."""
    return hardtanh(input, min_val, max_val, inplace=True)


def _between(x: Any, low: float, high: float) -> Any:
    """Return x clipped; unlike that of `clamp`, the slope at the two ends is 0."""
    return where(le(x, low), low, where(ge(x, high), high, x))


@titling
def relu6(input: Tensor, inplace: bool = False) -> Tensor:
    """Return min(max(x, 0), 6)."""
    return hardtanh(input, 0.0, 6.0, inplace)


@titling
def hardsigmoid(input: Tensor, inplace: bool = False) -> Tensor:
    """Return 0 where x <= -3, 1 where x >= 3, and x / 6 + 1 / 2 between."""
    return maybe_inplace(input, _between(input + 3.0, 0.0, 6.0) / 6.0, inplace)


@titling
def hardswish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x * hardsigmoid(x) (Howard et al., 2019, arXiv:1905.02244)."""
    x = original(input, inplace)
    return maybe_inplace(input, x * _between(x + 3.0, 0.0, 6.0) / 6.0, inplace)


@titling
def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Return x, but 0 where |x| <= `lambd`."""
    return where(logical_and(ge(input, -lambd), le(input, lambd)), 0.0, input)


@titling
def softshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """Return x moved by `lambd` towards 0, and 0 where |x| <= `lambd`. Raises ArgumentError for a negative `lambd`."""
    if lambd < 0:
        raise ArgumentError(f"lambda must be greater or equal to 0, but found to be {lambd}.")
    # A nan is neither above nor below and stays one.
    near = where(logical_and(ge(input, -lambd), le(input, lambd)), 0.0, input)
    return where(gt(input, lambd), input - lambd, where(lt(input, -lambd), input + lambd, near))


def tanhshrink(input: Tensor) -> Tensor:
    """Return x - tanh(x)."""
    return input - _elementwise.tanh(input)


def softsign(input: Tensor) -> Tensor:
    """Return x / (1 + |x|)."""
    return input / (_elementwise.abs(input) + 1)


@titling
def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """Return x where x > threshold, else `value`."""
    return maybe_inplace(input, where(le(input, threshold), value, input), inplace)


def threshold_(input: Tensor, threshold: float, value: float) -> Tensor:
    """`threshold`, written into `input`."""
    return maybe_inplace(input, where(le(input, threshold), value, input), True)


@titling
def selu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return scale * elu(x, alpha), with the two numbers of Klambauer et al. (2017, arXiv:1706.02515)."""
    x = original(input, inplace)
    return maybe_inplace(input, _elementwise.elu(x, alpha=_SELU_ALPHA) * _SELU_SCALE, inplace)


def selu_(input: Tensor) -> Tensor:
    """`selu`, written into `input`."""
    return selu(input, inplace=True)


@titling
def celu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return x where x > 0, else alpha * (exp(x / alpha) - 1) (Barron, 2017, arXiv:1704.07483)."""
    if alpha == 0:
        raise ArgumentError("ZeroDivisionError: alpha cannot be 0 for CELU")
    above = gt(input, 0)
    return maybe_inplace(input, where(above, input, alpha * expm1(where(above, 0.0, input) / alpha)), inplace)


def celu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`celu`, written into `input`."""
    return celu(input, alpha, inplace=True)


@titling
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """Return x where x > 0, else weight * x; `weight` is one number or one for each channel (dim 1 of `input`).

    Raises ShapeError if it is neither (He et al., 2015, arXiv:1502.01852).
    """
    count, channels = weight.numel(), input.shape[1] if input.ndim > 1 else 1
    if count not in (1, channels) or weight.ndim > 1:
        raise ShapeError(
            f"prelu: Mismatch of parameter numbers and input channel size. Found parameter numbers = {count} and "
            f"channel size = {channels}."
        )
    if weight.ndim:
        weight = reshape(weight, shape=(-1, *(1,) * (input.ndim - 2)) if input.ndim > 1 else (1,) * input.ndim)
    return where(gt(input, 0), input, weight * input)


@titling
def rrelu(
    input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Tensor:
    """Return x where x > 0, else slope * x: in `training` a slope drawn from [lower, upper), else their mean.

    Raises ArgumentError if lower > upper (Xu et al., 2015, arXiv:1505.00853).
    """
    if lower > upper:
        raise ArgumentError(f"rrelu: Lower bound should be less than or equal to the upper bound, got {lower}, {upper}")
    slope: Any = (lower + upper) / 2
    if training:
        slope = wrap(_drawn_slopes(input, lower, upper))
    return maybe_inplace(input, where(gt(input, 0), input, input * slope), inplace)


def _drawn_slopes(x: Tensor, lower: float, upper: float) -> Array:
    """Return a slope for each element; only for those not above 0 is one drawn."""
    below = ~(x._data > 0)
    slopes = np.ones(x.shape)
    slopes[below] = uniform_noise(int(below.sum()), lower, upper)
    return slopes.astype(x._data.dtype)


def rrelu_(input: Tensor, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Tensor:
    """`rrelu`, written into `input`."""
    return rrelu(input, lower, upper, training, inplace=True)

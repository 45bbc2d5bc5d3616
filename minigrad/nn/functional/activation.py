"""Activations."""

from __future__ import annotations

import warnings
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.ops import elementwise as _elementwise
from minigrad.ops.loss import log_sigmoid
from minigrad.tensor import Tensor


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

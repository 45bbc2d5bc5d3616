"""Activations."""

from __future__ import annotations

from minigrad.errors import ArgumentError, ShapeError
from minigrad.nodenames import titling
from minigrad.ops import elementwise as _elementwise
from minigrad.ops.loss import log_sigmoid
from minigrad.tensor import Tensor


def maybe_inplace(x: Tensor, y: Tensor, inplace: bool) -> Tensor:
    """Return `y`, computed from `x`; with `inplace`, written into `x`."""
    return x._become(y) if inplace else y


def original(x: Tensor, inplace: bool) -> Tensor:
    """Return `x`, or a copy of it where `x` itself will be overwritten although a rule needs it."""
    return x.clone() if inplace else x


def relu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return max(x, 0); `inplace` writes it into `input`."""
    return maybe_inplace(input, _elementwise.relu(input), inplace)


def relu_(input: Tensor) -> Tensor:
    """Return max(x, 0), written into `input`."""
    return relu(input, inplace=True)


def leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Tensor:
    """Return x where x > 0, else negative_slope * x."""
    return maybe_inplace(input, _elementwise.leaky_relu(input, negative_slope=negative_slope), inplace)


def elu(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Tensor:
    """Return x where x > 0, else alpha * (exp(x) - 1)."""
    return maybe_inplace(input, _elementwise.elu(input, alpha=alpha), inplace)


def leaky_relu_(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """`leaky_relu`, written into `input`."""
    return leaky_relu(input, negative_slope, inplace=True)


def elu_(input: Tensor, alpha: float = 1.0) -> Tensor:
    """`elu`, written into `input`."""
    return elu(input, alpha, inplace=True)


@titling
def mish(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x * tanh(softplus(x)) (Misra, 2019, arXiv:1908.08681)."""
    x = original(input, inplace)
    return maybe_inplace(input, x * _elementwise.tanh(softplus(x)), inplace)


def silu(input: Tensor, inplace: bool = False) -> Tensor:
    """Return x * sigmoid(x)."""
    return maybe_inplace(input, _elementwise.silu(input), inplace)


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


@titling
def glu(input: Tensor, dim: int = -1) -> Tensor:
    """Return a * sigmoid(b) for the halves a and b of `input` along `dim` (Dauphin et al., 2016, arXiv:1612.08083).

    Raises ShapeError if they are not of one size.
    """
    size = input.shape[dim] if input.ndim else 1
    if size % 2:
        raise ShapeError(f"glu: Halving dimension must be even, but dimension {dim} is size {size}")
    a, b = input.chunk(2, dim)
    return a * _elementwise.sigmoid(b)


def tanh(input: Tensor) -> Tensor:
    """Return the hyperbolic tangent."""
    return _elementwise.tanh(input)

"""Filling weights before training, with PyTorch's values for a seed; all functions write in place, unrecorded."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import random
from minigrad.autograd import no_grad
from minigrad.errors import ArgumentError, ShapeError
from minigrad.tensor import Tensor, wrap

_GAINS = {"sigmoid": 1.0, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 3 / 4}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """Return the factor that keeps the variance of a signal through `nonlinearity`.

    `param` is the negative slope of "leaky_relu" (0.01 if None). Raises ArgumentError for an unknown name.

    >>> calculate_gain("tanh")
    1.6666666666666667
    """
    if nonlinearity == "linear" or nonlinearity.startswith("conv"):
        return 1.0
    if nonlinearity == "leaky_relu":
        return math.sqrt(2 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        raise ArgumentError(
            f"Unsupported nonlinearity {nonlinearity}; known are linear, conv..., leaky_relu, {', '.join(_GAINS)}"
        )
    return _GAINS[nonlinearity]


def fans(tensor: Tensor) -> tuple[int, int]:
    """Return how many inputs one output of a weight (out, in, ...) depends on, and how many outputs one input reaches.

    Raises ShapeError for fewer than 2 dims.
    """
    if tensor.ndim < 2:
        raise ShapeError(
            "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions, got shape "
            f"{tuple(tensor.shape)}"
        )
    window = math.prod(tensor.shape[2:])
    return tensor.shape[1] * window, tensor.shape[0] * window


@no_grad()
def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with numbers uniform in [a, b)."""
    return random.uniform_(tensor, a, b, generator)


@no_grad()
def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Tensor:
    """Fill with numbers from N(mean, std**2)."""
    return random.normal_(tensor, mean, std, generator)


@no_grad()
def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, generator: Any = None
) -> Tensor:
    """Fill with numbers from N(mean, std**2) that lie in [a, b].

    Where at least three in ten would, those outside are drawn again; otherwise uniform numbers are, until the density
    accepts them. Warns if the mean lies more than 2 std outside.
    """
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. The distribution of values may be "
            "incorrect.",
            stacklevel=2,
        )
    low, high = (math.erf((end - mean) / std / math.sqrt(2)) / 2 for end in (a, b))
    if high - low <= 0.3:
        return _accepted(tensor, mean, std, a, b, generator)
    normal_(tensor, mean, std, generator)
    while (outside := (tensor < a) | (tensor > b)).any():
        again = normal_(tensor.detach().clone(), mean, std, generator)
        tensor.copy_(again.where(outside, tensor))
    return tensor


def _accepted(tensor: Tensor, mean: float, std: float, a: float, b: float, generator: Any) -> Tensor:
    """Fill with uniform numbers, each drawn until a second one lies below the density there (von Neumann, 1951)."""
    peak = -0.5 * ((max(a, min(mean, b)) - mean) / std) ** 2
    drawn, chance = tensor.detach().clone(), tensor.detach().clone()
    pending = wrap(np.ones(tensor.shape, bool))
    while pending.any():
        uniform_(drawn, a, b, generator)
        tensor.copy_(drawn.where(pending, tensor))
        density = -0.5 * ((drawn - mean) / std) ** 2 - peak
        pending = pending & (uniform_(chance, 0.0, 1.0, generator).log() > density)
    return tensor


@no_grad()
def constant_(tensor: Tensor, val: float) -> Tensor:
    """Fill with `val`."""
    return tensor.fill_(val)


def ones_(tensor: Tensor) -> Tensor:
    """Fill with 1."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Tensor) -> Tensor:
    """Fill with 0."""
    return constant_(tensor, 0.0)


@no_grad()
def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix with ones on its diagonal and zeros elsewhere. Raises ShapeError unless it has 2 dims."""
    if tensor.ndim != 2:
        raise ShapeError(f"eye_: Only tensors with 2 dimensions are supported, got shape {tuple(tensor.shape)}")
    return tensor.copy_(np.eye(*tensor.shape))


def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill uniformly with variance gain**2 * 2 / (fan_in + fan_out) (Glorot & Bengio, 2010)."""
    bound = math.sqrt(3.0) * _xavier_std(tensor, gain)
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Any = None) -> Tensor:
    """Fill normally with variance gain**2 * 2 / (fan_in + fan_out) (Glorot & Bengio, 2010)."""
    return normal_(tensor, 0.0, _xavier_std(tensor, gain), generator)


def _xavier_std(tensor: Tensor, gain: float) -> float:
    return gain * math.sqrt(2.0 / float(sum(fans(tensor))))


def kaiming_uniform_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Fill uniformly with variance gain**2 / fan (He et al., 2015, arXiv:1502.01852); `a` is leaky_relu's slope."""
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Tensor, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", generator: Any = None
) -> Tensor:
    """Fill normally with variance gain**2 / fan (He et al., 2015, arXiv:1502.01852); `a` is leaky_relu's slope."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ArgumentError(f"Mode {mode} not supported, please use one of ['fan_in', 'fan_out']")
    fan = fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan) if fan else 0.0


@no_grad()
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Any = None) -> Tensor:
    """Fill with a (semi-)orthogonal matrix times `gain`; dims after the first count as one (Saxe et al., 2013).

    Raises ShapeError for fewer than 2 dims.
    """
    if tensor.ndim < 2:
        raise ShapeError(f"Only tensors with 2 or more dimensions are supported, got shape {tuple(tensor.shape)}")
    rows = tensor.shape[0]
    flat = normal_(tensor.detach().clone().reshape(rows, -1), 0.0, 1.0, generator).numpy()
    q, r = np.linalg.qr(flat.T if rows < flat.shape[1] else flat)
    q = q * np.sign(np.diag(r))  # makes the distribution uniform over orthogonal matrices
    return tensor.copy_(np.ascontiguousarray(q.T if rows < flat.shape[1] else q).reshape(tensor.shape) * gain)


@no_grad()
def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01, generator: Any = None) -> Tensor:
    """Fill a matrix from N(0, std**2), but a share `sparsity` of each column, chosen by chance, with 0 (Martens, 2010).

    Which ones is drawn from the default generator, as in PyTorch. Raises ShapeError unless there are 2 dims.
    """
    if tensor.ndim != 2:
        raise ShapeError(f"sparse_: Only tensors with 2 dimensions are supported, got shape {tuple(tensor.shape)}")
    rows, columns = tensor.shape
    normal_(tensor, 0.0, std, generator)
    for column in range(columns):
        tensor[random.randperm(rows)[: math.ceil(sparsity * rows)], column] = 0
    return tensor


@no_grad()
def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill the weight of a convolution so that each group's channels pass unchanged, as many as there are.

    Raises ShapeError unless it has 3, 4 or 5 dims, of which the first is a multiple of `groups`.
    """
    if tensor.ndim not in (3, 4, 5):
        raise ShapeError(f"dirac_: Only tensors with 3, 4, or 5 dimensions are supported, got {tuple(tensor.shape)}")
    if tensor.shape[0] % groups:
        raise ShapeError(f"dirac_: dim 0 must be divisible by groups, got {tensor.shape[0]} and {groups}")
    per_group, centre = tensor.shape[0] // groups, tuple(n // 2 for n in tensor.shape[2:])
    tensor.zero_()
    for out in range(tensor.shape[0]):
        if out % per_group < tensor.shape[1]:
            tensor[(out, out % per_group, *centre)] = 1
    return tensor


def _old(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return `function` under its name of old, which warns."""

    def old(*args: Any, **kwargs: Any) -> Tensor:
        new = function.__name__
        warnings.warn(
            f"`nn.init.{new[:-1]}` is now deprecated in favor of `nn.init.{new}`.", FutureWarning, stacklevel=2
        )
        return function(*args, **kwargs)

    old.__name__, old.__doc__ = function.__name__[:-1], f"`{function.__name__}` by its old name, which warns."
    return old


uniform, normal, constant, eye, dirac = _old(uniform_), _old(normal_), _old(constant_), _old(eye_), _old(dirac_)
xavier_uniform, xavier_normal = _old(xavier_uniform_), _old(xavier_normal_)
kaiming_uniform, kaiming_normal = _old(kaiming_uniform_), _old(kaiming_normal_)
orthogonal, sparse = _old(orthogonal_), _old(sparse_)

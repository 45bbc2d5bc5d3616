"""The normal distribution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import random
from minigrad.autograd import no_grad
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution, broadcast
from minigrad.tensor import Tensor


def standard_normal(shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Return draws of mean 0 and deviation 1, in the dtype of `like`."""
    return random.randn(shape, dtype=like.dtype)


class Normal(Distribution):
    """The normal distribution of mean `loc` and standard deviation `scale`.

    >>> import minigrad as mg
    >>> Normal(0.0, mg.tensor([1.0, 2.0])).log_prob(mg.tensor(0.0))
    tensor([-0.9189, -1.6121])
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}  # noqa: RUF012
    support = constraints.real
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """loc."""
        return self.loc

    mode = mean

    @property
    def stddev(self) -> Tensor:
        """scale."""
        return self.scale

    @property
    def variance(self) -> Tensor:
        """scale**2."""
        return self.scale.pow(2)

    @no_grad()
    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Return samples without a gradient."""
        shape = self._extended_shape(sample_shape)
        return random.normal(self.loc.expand(*shape), self.scale.expand(*shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return loc + scale * a standard normal draw."""
        return self.loc + standard_normal(self._extended_shape(sample_shape), self.loc) * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density at `value`."""
        self._validate_sample(value)
        squares = -((value - self.loc) ** 2) / (2 * self.scale**2)
        return squares - self.scale.log() - math.log(math.sqrt(2 * math.pi))

    def cdf(self, value: Tensor) -> Tensor:
        """Return the probability of what is not above `value`."""
        self._validate_sample(value)
        return 0.5 * (1 + ((value - self.loc) * self.scale.reciprocal() / math.sqrt(2)).erf())

    def icdf(self, value: Any) -> Tensor:
        """Return where the cdf has the value `value`."""
        return self.loc + self.scale * (2 * value - 1).erfinv() * math.sqrt(2)

    def entropy(self) -> Tensor:
        """Return log(scale) and a constant."""
        return 0.5 + 0.5 * math.log(2 * math.pi) + self.scale.log()


def tiny(x: Tensor) -> float:
    """Return the least positive normal number of the dtype of `x`."""
    return float(np.finfo(x._data.dtype).tiny)

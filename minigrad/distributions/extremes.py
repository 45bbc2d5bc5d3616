"""Distributions of extremes and of lifetimes: Gumbel's, Weibull's and Pareto's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import random
from minigrad.creation import empty
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution, broadcast
from minigrad.distributions.gamma import lgamma
from minigrad.distributions.normal import tiny
from minigrad.tensor import Tensor

EULER = float(np.euler_gamma)


class Gumbel(Distribution):
    """Gumbel's distribution of the largest of many, with mode `loc` and width `scale`."""

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}  # noqa: RUF012
    support = constraints.real
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """loc + Euler's constant times scale."""
        return self.loc + self.scale * EULER

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def stddev(self) -> Tensor:
        """scale times pi / sqrt(6)."""
        return (math.pi / math.sqrt(6)) * self.scale

    @property
    def variance(self) -> Tensor:
        """stddev**2."""
        return self.stddev.pow(2)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return loc - scale * log(-log(u)) for u uniform in (0, 1)."""
        drawn = random.rand(self._extended_shape(sample_shape), dtype=self.loc.dtype)
        low = tiny(drawn)
        u = low + drawn * (1 - float(np.finfo(drawn._data.dtype).eps) - low)
        return self.loc - self.scale * (-u.log()).log()

    def log_prob(self, value: Tensor) -> Tensor:
        """Return y - exp(y) - log(scale) with y = (loc - value) / scale."""
        self._validate_sample(value)
        y = (self.loc - value) / self.scale
        return (y - y.exp()) - self.scale.log()

    def cdf(self, value: Tensor) -> Tensor:
        """Return the probability of what is not above `value`."""
        return (-((self.loc - value) / self.scale).exp()).exp()

    def icdf(self, value: Tensor) -> Tensor:
        """Return where the cdf has the value `value`."""
        return self.loc - self.scale * (-value.log()).log()

    def entropy(self) -> Tensor:
        """Return log(scale) + 1 + Euler's constant."""
        return self.scale.log() + (1 + EULER)


class Weibull(Distribution):
    """Weibull's distribution of lifetimes: (value / scale)**concentration is exponential of rate 1."""

    arg_constraints = {"scale": constraints.positive, "concentration": constraints.positive}  # noqa: RUF012
    support = constraints.positive
    has_rsample = True

    def __init__(self, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = broadcast(scale, concentration)
        super().__init__(self.scale.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """scale * Gamma(1 + 1 / concentration)."""
        return self.scale * lgamma(1 + self.concentration.reciprocal()).exp()

    @property
    def mode(self) -> Tensor:
        """scale * ((concentration - 1) / concentration)**(1 / concentration)."""
        back = self.concentration.reciprocal()
        return self.scale * ((self.concentration - 1) / self.concentration) ** back

    @property
    def variance(self) -> Tensor:
        """The variance."""
        back = self.concentration.reciprocal()
        return self.scale.pow(2) * (lgamma(1 + 2 * back).exp() - (2 * lgamma(1 + back)).exp())

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return scale * e**(1 / concentration) for an exponential draw e."""
        drawn = random.exponential_(empty(self._extended_shape(sample_shape), dtype=self.scale.dtype))
        return self.scale * drawn.pow(self.concentration.reciprocal())

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density at `value`."""
        self._validate_sample(value)
        ratio, k = value / self.scale, self.concentration
        return (k / self.scale).log() + (k - 1) * ratio.log() - ratio**k

    def cdf(self, value: Tensor) -> Tensor:
        """Return the probability of what is not above `value`."""
        return 1 - (-((value / self.scale) ** self.concentration)).exp()

    def icdf(self, value: Tensor) -> Tensor:
        """Return where the cdf has the value `value`."""
        return self.scale * (-(-value).log1p()) ** self.concentration.reciprocal()

    def entropy(self) -> Tensor:
        """Return the expectation of -log_prob."""
        back = self.concentration.reciprocal()
        return EULER * (1 - back) + (self.scale * back).log() + 1


class Pareto(Distribution):
    """Pareto's distribution of what is above `scale`: log(value / scale) is exponential of rate `alpha`."""

    arg_constraints = {"alpha": constraints.positive, "scale": constraints.positive}  # noqa: RUF012
    has_rsample = True

    def __init__(self, scale: Any, alpha: Any, validate_args: bool | None = None) -> None:
        self.scale, self.alpha = broadcast(scale, alpha)
        super().__init__(self.scale.shape, validate_args=validate_args)

    @property
    def support(self) -> constraints.Constraint:  # type: ignore[override]
        """What is not below scale."""
        return constraints.greater_than_eq(self.scale)

    @property
    def mean(self) -> Tensor:
        """alpha * scale / (alpha - 1); inf where alpha is not above 1."""
        a = self.alpha.clamp(min=1)
        return a * self.scale / (a - 1)

    @property
    def mode(self) -> Tensor:
        """scale."""
        return self.scale

    @property
    def variance(self) -> Tensor:
        """The variance; inf where alpha is not above 2."""
        a = self.alpha.clamp(min=2)
        return self.scale.pow(2) * a / ((a - 1).pow(2) * (a - 2))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return scale * exp(e / alpha) for an exponential draw e."""
        drawn = random.exponential_(empty(self._extended_shape(sample_shape), dtype=self.scale.dtype))
        return self.scale * (drawn / self.alpha).exp()

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density at `value`."""
        self._validate_sample(value)
        return self.alpha.log() + self.alpha * (self.scale / value).log() - value.log()

    def cdf(self, value: Tensor) -> Tensor:
        """Return the probability of what is not above `value`."""
        return 1 - (self.scale / value) ** self.alpha

    def icdf(self, value: Tensor) -> Tensor:
        """Return where the cdf has the value `value`."""
        return self.scale * (-(-value).log1p() / self.alpha).exp()

    def entropy(self) -> Tensor:
        """Return log(scale / alpha) + 1 + 1 / alpha."""
        return (self.scale / self.alpha).log() + (1 + self.alpha.reciprocal())

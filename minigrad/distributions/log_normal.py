"""The distribution whose logarithm is normal."""

from __future__ import annotations

from typing import Any

from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.normal import Normal
from minigrad.tensor import Tensor


class LogNormal(Distribution):
    """The distribution of exp(X) for X normal of mean `loc` and standard deviation `scale`."""

    support = constraints.positive
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.base_dist = Normal(loc, scale, validate_args)
        super().__init__(self.base_dist.batch_shape, validate_args=validate_args)

    def expand(self, batch_shape: Any) -> LogNormal:
        """Return this distribution with its parameters expanded to `batch_shape`."""
        base = self.base_dist.expand(batch_shape)
        return self._alike(LogNormal(base.loc, base.scale, validate_args=False))

    @property
    def loc(self) -> Tensor:
        """The mean of the logarithm."""
        return self.base_dist.loc

    @property
    def scale(self) -> Tensor:
        """The standard deviation of the logarithm."""
        return self.base_dist.scale

    @property
    def mean(self) -> Tensor:
        """exp(loc + scale**2 / 2)."""
        return (self.loc + self.scale.pow(2) / 2).exp()

    @property
    def mode(self) -> Tensor:
        """exp(loc - scale**2)."""
        return (self.loc - self.scale.square()).exp()

    @property
    def variance(self) -> Tensor:
        """(exp(scale**2) - 1) exp(2 loc + scale**2)."""
        square = self.scale.pow(2)
        return square.expm1() * (2 * self.loc + square).exp()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Return samples without a gradient."""
        return self.base_dist.sample(sample_shape).exp()

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return exp of a normal draw."""
        return self.base_dist.rsample(sample_shape).exp()

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density at `value`."""
        self._validate_sample(value)
        return self.base_dist.log_prob(value.log()) - value.log()

    def cdf(self, value: Tensor) -> Tensor:
        """Return the probability of what is not above `value`."""
        return self.base_dist.cdf(value.log())

    def icdf(self, value: Tensor) -> Tensor:
        """Return where the cdf has the value `value`."""
        return self.base_dist.icdf(value).exp()

    def entropy(self) -> Tensor:
        """Return the normal's entropy plus loc."""
        return self.base_dist.entropy() + self.loc

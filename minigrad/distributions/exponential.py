"""The exponential distribution."""

from __future__ import annotations

from typing import Any

from minigrad import random
from minigrad.creation import empty, zeros_like
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution, broadcast
from minigrad.tensor import Tensor


class Exponential(Distribution):
    """The exponential distribution of mean 1 / rate."""

    arg_constraints = {"rate": constraints.positive}  # noqa: RUF012
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """1 / rate."""
        return self.rate.reciprocal()

    stddev = mean

    @property
    def mode(self) -> Tensor:
        """0."""
        return zeros_like(self.rate)

    @property
    def variance(self) -> Tensor:
        """1 / rate**2."""
        return self.rate.pow(-2)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return a draw of rate 1 divided by the rate."""
        return random.exponential_(empty(self._extended_shape(sample_shape), dtype=self.rate.dtype)) / self.rate

    def log_prob(self, value: Tensor) -> Tensor:
        """Return log(rate) - rate * value."""
        self._validate_sample(value)
        return self.rate.log() - self.rate * value

    def cdf(self, value: Tensor) -> Tensor:
        """Return 1 - exp(-rate * value)."""
        self._validate_sample(value)
        return 1 - (-self.rate * value).exp()

    def icdf(self, value: Tensor) -> Tensor:
        """Return where the cdf has the value `value`."""
        return -(-value).log1p() / self.rate

    def entropy(self) -> Tensor:
        """Return 1 - log(rate)."""
        return 1.0 - self.rate.log()

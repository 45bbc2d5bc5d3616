"""The uniform distribution."""

from __future__ import annotations

from typing import Any

from minigrad import random
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution, broadcast
from minigrad.errors import ArgumentError
from minigrad.tensor import Tensor


class Uniform(Distribution):
    """The uniform distribution on [low, high). Raises ArgumentError unless low < high."""

    arg_constraints = {"low": constraints.real, "high": constraints.real}  # noqa: RUF012
    has_rsample = True

    def __init__(self, low: Any, high: Any, validate_args: bool | None = None) -> None:
        self.low, self.high = broadcast(low, high)
        super().__init__(self.low.shape, validate_args=validate_args)
        if self._validate_args and not (self.low < self.high).all():
            raise ArgumentError(f"Expected low < high in Uniform, got low {self.low} and high {self.high}")

    @property
    def support(self) -> constraints.Constraint:  # type: ignore[override]
        """[low, high]."""
        return constraints.interval(self.low, self.high)

    @property
    def mean(self) -> Tensor:
        """The middle."""
        return (self.high + self.low) / 2

    @property
    def mode(self) -> Tensor:
        """There is none: nan."""
        return float("nan") * self.high

    @property
    def stddev(self) -> Tensor:
        """The width divided by the root of 12."""
        return (self.high - self.low) / 12**0.5

    @property
    def variance(self) -> Tensor:
        """The squared width divided by 12."""
        return (self.high - self.low).pow(2) / 12

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return low + (high - low) * a uniform draw."""
        unit = random.rand(self._extended_shape(sample_shape), dtype=self.low.dtype)
        return self.low + unit * (self.high - self.low)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return -log(high - low) within, -inf outside."""
        self._validate_sample(value)
        inside = ((self.low <= value) & (self.high > value)).type_as(self.low)
        return inside.log() - (self.high - self.low).log()

    def cdf(self, value: Tensor) -> Tensor:
        """Return the share of the interval below `value`."""
        self._validate_sample(value)
        return ((value - self.low) / (self.high - self.low)).clamp(min=0, max=1)

    def icdf(self, value: Tensor) -> Tensor:
        """Return where the cdf has the value `value`."""
        return value * (self.high - self.low) + self.low

    def entropy(self) -> Tensor:
        """Return log(high - low)."""
        return (self.high - self.low).log()

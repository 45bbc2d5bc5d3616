"""The Laplace distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import random
from minigrad.creation import empty
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution, broadcast
from minigrad.distributions.normal import tiny
from minigrad.tensor import Tensor


class Laplace(Distribution):
    """The Laplace distribution around `loc`, with mean distance `scale` from it."""

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
    def variance(self) -> Tensor:
        """2 scale**2."""
        return 2 * self.scale.pow(2)

    @property
    def stddev(self) -> Tensor:
        """The root of 2 times scale."""
        return (2**0.5) * self.scale

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return loc - scale * sign(u) * log(1 - |u|) for u uniform in (-1, 1)."""
        unit = empty(self._extended_shape(sample_shape), dtype=self.loc.dtype)
        u = random.uniform_(unit, float(np.finfo(unit._data.dtype).eps) - 1, 1)
        return self.loc - self.scale * u.sign() * (-u.abs().clamp(min=tiny(u))).log1p()

    def log_prob(self, value: Tensor) -> Tensor:
        """Return -log(2 scale) - |value - loc| / scale."""
        self._validate_sample(value)
        return -(2 * self.scale).log() - (value - self.loc).abs() / self.scale

    def cdf(self, value: Tensor) -> Tensor:
        """Return the probability of what is not above `value`."""
        self._validate_sample(value)
        away = value - self.loc
        return 0.5 - 0.5 * away.sign() * (-away.abs() / self.scale).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        """Return where the cdf has the value `value`."""
        term = value - 0.5
        return self.loc - self.scale * term.sign() * (-2 * term.abs()).log1p()

    def entropy(self) -> Tensor:
        """Return 1 + log(2 scale)."""
        return 1 + (2 * self.scale).log()

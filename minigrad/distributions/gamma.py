"""The gamma distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.autograd import is_grad_enabled
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution, broadcast
from minigrad.distributions.normal import tiny
from minigrad.errors import GraphError
from minigrad.kernels.rejection import standard_gamma
from minigrad.ops.elementwise import where
from minigrad.random import default_generator
from minigrad.tensor import Tensor, wrap


class Gamma(Distribution):
    """The gamma distribution of shape `concentration` and inverse scale `rate`.

    Gradients of samples reach the rate; the concentration has none yet: `rsample` raises GraphError if it requires one.
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}  # noqa: RUF012
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """concentration / rate."""
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        """(concentration - 1) / rate, from 0 up."""
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        """concentration / rate**2."""
        return self.concentration / self.rate.pow(2)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return a draw of rate 1 divided by the rate."""
        check_no_gradient("Gamma", self.concentration)
        shapes = self.concentration.expand(*self._extended_shape(sample_shape))._data
        drawn = standard_gamma(shapes, default_generator._stream).astype(shapes.dtype)
        value = wrap(np.maximum(drawn, tiny(self.rate))) / self.rate
        value.detach().clamp_(min=tiny(value))
        return value

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density at `value`."""
        self._validate_sample(value)
        a, b = self.concentration, self.rate
        return a * b.log() + xlogy(a - 1, value) - b * value - lgamma(a)

    def entropy(self) -> Tensor:
        """Return the expectation of -log_prob."""
        a = self.concentration
        return a - self.rate.log() + lgamma(a) + (1.0 - a) * digamma(a)


def lgamma(x: Any) -> Any:
    """Return log |Gamma(x)|."""
    return x.lgamma()


def digamma(x: Any) -> Any:
    """Return the derivative of lgamma."""
    return x.digamma()


def xlogy(x: Tensor, y: Tensor) -> Tensor:
    """Return x * log(y), 0 where both are 0."""
    return where((x == 0) & (y <= 0), 0.0, x * y.log())


def check_no_gradient(name: str, parameter: Tensor) -> None:
    """Raise GraphError if samples are to have a gradient by `parameter`."""
    if parameter.requires_grad and is_grad_enabled():
        raise GraphError(
            f"{name}.rsample: the gradient of a sample by its concentration is not there yet; use sample(), or a "
            "concentration that does not require grad"
        )

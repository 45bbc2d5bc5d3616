"""The beta distribution."""

from __future__ import annotations

from typing import Any

from minigrad.distributions import constraints
from minigrad.distributions.dirichlet import Dirichlet
from minigrad.distributions.distribution import Distribution, broadcast
from minigrad.ops.shape import stack
from minigrad.tensor import Tensor


class Beta(Distribution):
    """The beta distribution on [0, 1] of concentrations `concentration1` (at 1) and `concentration0` (at 0).

    Samples have no gradient yet: `rsample` raises GraphError if a concentration requires one.
    """

    arg_constraints = {"concentration1": constraints.positive, "concentration0": constraints.positive}  # noqa: RUF012
    support = constraints.unit_interval
    has_rsample = True

    def __init__(self, concentration1: Any, concentration0: Any, validate_args: bool | None = None) -> None:
        both = broadcast(concentration1, concentration0)
        self._dirichlet = Dirichlet(stack(both, -1), validate_args=False)
        super().__init__(both[0].shape, validate_args=validate_args)

    def expand(self, batch_shape: Any) -> Beta:
        """Return this distribution with its parameters expanded to `batch_shape`."""
        ones, zeros = (x.expand(*batch_shape) for x in (self.concentration1, self.concentration0))
        return self._alike(Beta(ones, zeros, validate_args=False))

    @property
    def concentration1(self) -> Tensor:
        """The concentration at 1."""
        return self._dirichlet.concentration[..., 0]

    @property
    def concentration0(self) -> Tensor:
        """The concentration at 0."""
        return self._dirichlet.concentration[..., 1]

    @property
    def mean(self) -> Tensor:
        """concentration1 divided by the sum of both."""
        return self.concentration1 / (self.concentration1 + self.concentration0)

    @property
    def mode(self) -> Tensor:
        """Where the density is highest."""
        return self._dirichlet.mode[..., 0]

    @property
    def variance(self) -> Tensor:
        """The variance."""
        total = self.concentration1 + self.concentration0
        return self.concentration1 * self.concentration0 / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return the first number of a Dirichlet draw."""
        return self._dirichlet.rsample(sample_shape)[..., 0]

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density at `value`."""
        self._validate_sample(value)
        return self._dirichlet.log_prob(stack([value, 1.0 - value], -1))

    def entropy(self) -> Tensor:
        """Return the expectation of -log_prob."""
        return self._dirichlet.entropy()

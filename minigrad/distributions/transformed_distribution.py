"""What becomes of a distribution when its values go through functions."""

from __future__ import annotations

import math
from typing import Any

from minigrad.autograd import no_grad
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution, sum_rightmost
from minigrad.distributions.transforms import Transform
from minigrad.errors import ArgumentError
from minigrad.tensor import Tensor


class TransformedDistribution(Distribution):
    """The distribution of f(X) for X from `base_distribution` and f the transform(s), in order.

    Raises ArgumentError for what is no Transform.

    >>> import minigrad as mg
    >>> from minigrad.distributions import Normal, transforms
    >>> squashed = TransformedDistribution(Normal(0.0, 1.0), transforms.TanhTransform())
    >>> squashed.log_prob(mg.tensor(0.5))
    tensor(-0.7821)
    """

    def __init__(
        self,
        base_distribution: Distribution,
        transforms: Transform | list[Transform],
        validate_args: bool | None = None,
    ) -> None:
        self.transforms = [transforms] if isinstance(transforms, Transform) else transforms
        if not isinstance(self.transforms, list) or not all(isinstance(t, Transform) for t in self.transforms):
            raise ArgumentError(f"transforms must be a Transform or a list of Transforms, but was {transforms}")
        self.base_dist = base_distribution
        super().__init__(base_distribution.batch_shape, base_distribution.event_shape, validate_args)

    @property
    def has_rsample(self) -> bool:  # type: ignore[override]
        """Whether the base distribution has."""
        return self.base_dist.has_rsample

    @property
    def support(self) -> constraints.Constraint:  # type: ignore[override]
        """What the last transform may return."""
        if not self.transforms:
            return self.base_dist.support
        last, n = self.transforms[-1].codomain, len(self.event_shape)
        return constraints.independent(last, n) if n else last

    def expand(self, batch_shape: Any) -> TransformedDistribution:
        """Return this distribution with its parameters expanded to `batch_shape`."""
        return self._alike(TransformedDistribution(self.base_dist.expand(batch_shape), self.transforms, False))

    @no_grad()
    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Return samples without a gradient."""
        return self._through(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return samples through which gradients reach the parameters."""
        return self._through(self.base_dist.rsample(sample_shape))

    def _through(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the base distribution's at where `value` came from, less the logarithms of the slopes."""
        self._validate_sample(value)
        total: Any = 0.0
        for transform in reversed(self.transforms):
            before = transform.inv(value)
            total = total - sum_rightmost(transform.log_abs_det_jacobian(before, value), len(self._event_shape))
            value = before
        return total + self.base_dist.log_prob(value)

    def cdf(self, value: Tensor) -> Tensor:
        """Return the probability of what is not above `value`."""
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        return self._mirrored(self.base_dist.cdf(value))

    def icdf(self, value: Tensor) -> Tensor:
        """Return where the cdf has the value `value`."""
        return self._through(self.base_dist.icdf(self._mirrored(value)))

    def _mirrored(self, probability: Tensor) -> Tensor:
        """Return 1 - `probability` where the transforms together fall, so that what was below is above."""
        sign = math.prod(transform.sign for transform in self.transforms)
        return probability if isinstance(sign, int) and sign == 1 else sign * (probability - 0.5) + 0.5

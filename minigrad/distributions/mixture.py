"""Mixtures: a component is drawn, then a value from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.autograd import no_grad
from minigrad.distributions import constraints
from minigrad.distributions.categorical import Categorical
from minigrad.distributions.distribution import Distribution
from minigrad.errors import ArgumentError
from minigrad.tensor import Tensor


class MixtureSameFamily(Distribution):
    """One of the distributions along the last batch dim of `component_distribution`, as `mixture_distribution` draws.

    Raises ArgumentError for parts that are no distributions or whose batches do not fit.

    >>> import minigrad as mg
    >>> from minigrad.distributions import Normal
    >>> mixture = MixtureSameFamily(Categorical(mg.tensor([0.25, 0.75])), Normal(mg.tensor([0.0, 4.0]), mg.ones(2)))
    >>> mixture.mean, mixture.variance
    (tensor(3.), tensor(4.))
    """

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Distribution,
        validate_args: bool | None = None,
    ) -> None:
        self._mixture_distribution, self._component_distribution = mixture_distribution, component_distribution
        self._check_parts()
        event = component_distribution.event_shape
        self._event_ndims = len(event)
        super().__init__(component_distribution.batch_shape[:-1], event, validate_args)

    def _check_parts(self) -> None:
        mixture, component = self._mixture_distribution, self._component_distribution
        if not isinstance(mixture, Categorical):
            raise ArgumentError(" The Mixture distribution needs to be an instance of distributions.Categorical")
        if not isinstance(component, Distribution):
            raise ArgumentError("The Component distribution needs to be an instance of distributions.Distribution")
        batch = component.batch_shape[:-1]
        for n, m in zip(reversed(mixture.batch_shape), reversed(batch), strict=False):
            if n != 1 and m != 1 and n != m:
                raise ArgumentError(
                    f"`mixture_distribution.batch_shape` ({mixture.batch_shape}) is not compatible with "
                    f"`component_distribution.batch_shape`({batch})"
                )
        kinds = mixture.logits.shape[-1]
        if component.batch_shape[-1:] != (kinds,):
            raise ArgumentError(
                f"`mixture_distribution component` ({kinds}) does not equal `component_distribution.batch_shape[-1]` "
                f"({component.batch_shape[-1] if component.batch_shape else 'there is none'})"
            )

    @property
    def mixture_distribution(self) -> Categorical:
        """What draws the component."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        """The components, along the last dim of the batch."""
        return self._component_distribution

    @property
    def support(self) -> constraints.Constraint:  # type: ignore[override]
        """What every component allows."""
        base, event = self._component_distribution.support, self._event_ndims

        def holds(x: Any) -> Any:
            found = np.asarray(base.holds(np.expand_dims(x, -1 - event)))
            return found.all(axis=-1 - (event - base.event_dim))

        return constraints.Constraint(f"MixtureSameFamilyConstraint({base!r})", holds, base.event_dim)

    def expand(self, batch_shape: Any) -> MixtureSameFamily:
        """Return this distribution with its parameters expanded to `batch_shape`."""
        components = self._component_distribution.expand((*batch_shape, self._mixture_distribution._num_events))
        return self._alike(MixtureSameFamily(self._mixture_distribution.expand(batch_shape), components, False))

    def _over_components(self, x: Tensor) -> Tensor:
        """Return the sum over the components, each with its probability."""
        probs = self._mixture_distribution.probs
        return (probs.reshape(*probs.shape, *(1,) * self._event_ndims) * x).sum(-1 - self._event_ndims)

    def _pad(self, x: Tensor) -> Tensor:
        return x.unsqueeze(-1 - self._event_ndims)

    @property
    def mean(self) -> Tensor:
        """The expectation."""
        return self._over_components(self._component_distribution.mean)

    @property
    def variance(self) -> Tensor:
        """The mean of the variances and the variance of the means."""
        component = self._component_distribution
        apart = component.mean - self._pad(self.mean)
        return self._over_components(component.variance) + self._over_components(apart.pow(2))

    def cdf(self, value: Tensor) -> Tensor:
        """Return the probability of what is not above `value`."""
        self._validate_sample(value)
        found = self._component_distribution.cdf(self._pad(value))
        return (found * self._mixture_distribution.probs).sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density (or probability) at `value`."""
        self._validate_sample(value)
        found = self._component_distribution.log_prob(self._pad(value))
        return (found + self._mixture_distribution.logits.log_softmax(-1)).logsumexp(-1)

    @no_grad()
    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Return samples without a gradient."""
        which = self._mixture_distribution.sample(sample_shape)
        drawn = self._component_distribution.sample(sample_shape)
        at = len(sample_shape) + len(self._batch_shape)
        shape = (*drawn.shape[:at], 1, *self._event_shape)
        index = which.reshape(*which.shape, *(1,) * (self._event_ndims + 1)).expand(*shape)
        return drawn.gather(at, index).squeeze(at)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self._mixture_distribution},\n  {self._component_distribution})"

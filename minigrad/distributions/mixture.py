"""Mixtures of distributions of one family."""

from __future__ import annotations

from typing import Any

from minigrad.autograd import no_grad
from minigrad.distributions import constraints
from minigrad.distributions.categorical import Categorical
from minigrad.distributions.distribution import Distribution
from minigrad.errors import ArgumentError
from minigrad.tensor import Tensor


class MixtureSameFamily(Distribution):
    """What is drawn from one of the distributions along the last dim of a batch, which a Categorical chooses.

    Raises ArgumentError unless the number of components is that of the classes.

    >>> import minigrad as mg
    >>> from minigrad.distributions import Normal
    >>> two = MixtureSameFamily(Categorical(mg.ones(2)), Normal(mg.tensor([-1.0, 1.0]), 1.0))
    >>> two.mean, two.variance
    (tensor(0.), tensor(2.))
    """

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Distribution,
        validate_args: bool | None = None,
    ) -> None:
        self._mixture_distribution, self._component_distribution = mixture_distribution, component_distribution
        if not isinstance(mixture_distribution, Categorical):
            raise ArgumentError(" The Mixture distribution needs to be an  instance of torch.distributions.Categorical")
        if not isinstance(component_distribution, Distribution):
            raise ArgumentError("The Component distribution need to be an instance of torch.distributions.Distribution")
        batch, chosen = component_distribution.batch_shape, mixture_distribution.batch_shape
        if tuple(batch[:-1][len(batch) - 1 - len(chosen) :]) != tuple(chosen):
            raise ArgumentError(
                f"`mixture_distribution.batch_shape` {tuple(chosen)} is not compatible with "
                f"`component_distribution.batch_shape` {tuple(batch)}"
            )
        if not batch or batch[-1] != mixture_distribution.probs.shape[-1]:
            raise ArgumentError(
                f"`mixture_distribution component` does not equal `component_distribution.batch_shape[-1]`: "
                f"{mixture_distribution.probs.shape[-1]} classes, components {tuple(batch)}"
            )
        super().__init__(batch[:-1], component_distribution.event_shape, validate_args)

    def expand(self, batch_shape: Any) -> MixtureSameFamily:
        """Return this distribution with its parameters expanded to `batch_shape`."""
        count = self._component_distribution.batch_shape[-1]
        component = self._component_distribution.expand((*batch_shape, count))
        return self._alike(MixtureSameFamily(self._mixture_distribution.expand(batch_shape), component, False))

    @property
    def support(self) -> constraints.Constraint:  # type: ignore[override]
        """That of the components."""
        return self._component_distribution.support

    @property
    def mixture_distribution(self) -> Categorical:
        """What chooses."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        """What is chosen from."""
        return self._component_distribution

    def _weighed(self, x: Tensor) -> Tensor:
        events = len(self._event_shape)
        probs = self._mixture_distribution.probs
        return (probs.reshape(*probs.shape, *(1,) * events) * x).sum(-1 - events)

    @property
    def mean(self) -> Tensor:
        """The mean of the components' means."""
        return self._weighed(self._component_distribution.mean)

    @property
    def variance(self) -> Tensor:
        """The mean of the components' variances and the variance of their means."""
        away = self._component_distribution.mean - self.mean.unsqueeze(-1 - len(self._event_shape))
        return self._weighed(self._component_distribution.variance) + self._weighed(away.pow(2.0))

    @no_grad()
    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Return draws of all components, of which one is chosen."""
        events = len(self._event_shape)
        chosen = self._mixture_distribution.sample(sample_shape)
        drawn = self._component_distribution.sample(sample_shape)
        at = len(sample_shape) + len(self._batch_shape)
        index = chosen.reshape(*chosen.shape, *(1,) * (events + 1))
        wide = index.expand(*drawn.shape[:at], 1, *self._event_shape)
        return drawn.gather(at, wide).squeeze(at)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the mean of the components' densities at `value`."""
        self._validate_sample(value)
        x = value.unsqueeze(-1 - len(self._event_shape))
        each = self._component_distribution.log_prob(x)
        return (each + self._mixture_distribution.logits.log_softmax(-1)).logsumexp(-1)

    def cdf(self, value: Tensor) -> Tensor:
        """Return the probability of what is not above `value`."""
        each = self._component_distribution.cdf(value.unsqueeze(-1))
        return (each * self._mixture_distribution.probs).sum(-1)

    def __repr__(self) -> str:
        return f"MixtureSameFamily(\n  {self._mixture_distribution},\n  {self._component_distribution})"

"""Draws of classes that gradients go through: softened by a temperature, or straight through the choice.

Sources: Maddison et al., 2016 (arXiv:1611.00712); Jang et al., 2016 (arXiv:1611.01144); Bengio et al., 2013
(arXiv:1308.3432).
"""

from __future__ import annotations

from typing import Any

from minigrad import random
from minigrad.creation import full_like
from minigrad.distributions import constraints
from minigrad.distributions.categorical import Categorical, OneHotCategorical
from minigrad.distributions.counts import _OfTrials
from minigrad.distributions.distribution import Distribution, broadcast, clamped
from minigrad.distributions.gamma import lgamma
from minigrad.distributions.transformed_distribution import TransformedDistribution
from minigrad.distributions.transforms import ExpTransform, SigmoidTransform
from minigrad.tensor import Tensor


class LogitRelaxedBernoulli(_OfTrials):
    """The logit of a softened coin: (logits + a logistic draw) / temperature."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}  # noqa: RUF012
    support = constraints.real
    has_rsample = True

    def __init__(
        self, temperature: Tensor, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self.temperature = temperature
        self._take(probs, logits)
        super().__init__((self.logits if probs is None else self.probs).shape, validate_args=validate_args)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return draws."""
        shape = self._extended_shape(sample_shape)
        probs = clamped(self.probs.expand(*shape))
        u = clamped(random.rand(shape, dtype=probs.dtype))
        return (u.log() - (-u).log1p() + probs.log() - (-probs).log1p()) / self.temperature

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density at `value`."""
        self._validate_sample(value)
        logits, value = broadcast(self.logits, value)
        away = logits - value * self.temperature
        return self.temperature.log() + away - 2 * away.exp().log1p()


class _Relaxed(TransformedDistribution):
    """A relaxed distribution, of the transformed values of one that has its parameters."""

    @property
    def temperature(self) -> Tensor:
        """How soft it is."""
        return self.base_dist.temperature  # type: ignore[attr-defined]

    @property
    def logits(self) -> Tensor:
        """The logarithms of the odds, or of the probabilities of classes."""
        return self.base_dist.logits  # type: ignore[attr-defined]

    @property
    def probs(self) -> Tensor:
        """The probabilities that the logits stand for."""
        return self.base_dist.probs  # type: ignore[attr-defined]


class RelaxedBernoulli(_Relaxed):
    """A softened coin: numbers of (0, 1), near its ends if the tensor `temperature` is low."""

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}  # noqa: RUF012
    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self, temperature: Tensor, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        base = LogitRelaxedBernoulli(temperature, probs, logits)
        super().__init__(base, SigmoidTransform(), validate_args)


class ExpRelaxedCategorical(Distribution):
    """The logarithm of a softened choice of one of several classes."""

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}  # noqa: RUF012
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        temperature: Tensor,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        self._categorical, self.temperature = Categorical(probs, logits), temperature
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Any) -> ExpRelaxedCategorical:
        """Return this distribution with its parameters expanded to `batch_shape`."""
        logits = self.logits.expand(*batch_shape, -1)
        return self._alike(ExpRelaxedCategorical(self.temperature, logits=logits, validate_args=False))

    @property
    def logits(self) -> Tensor:
        """log(probs)."""
        return self._categorical.logits

    @property
    def probs(self) -> Tensor:
        """exp(logits)."""
        return self._categorical.probs

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return draws."""
        u = clamped(random.rand(self._extended_shape(sample_shape), dtype=self.logits.dtype))
        scores = (self.logits - (-u.log()).log()) / self.temperature
        return scores - scores.logsumexp(-1, keepdim=True)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density at `value`."""
        k = self.event_shape[0]
        self._validate_sample(value)
        logits, value = broadcast(self.logits, value)
        size = lgamma(full_like(self.temperature, float(k))) + self.temperature.log() * (k - 1)
        score = logits - value * self.temperature
        return (score - score.logsumexp(-1, keepdim=True)).sum(-1) + size


class RelaxedOneHotCategorical(_Relaxed):
    """A softened choice of one of several classes: shares that sum to 1, near 0 and 1 if the `temperature` is low."""

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}  # noqa: RUF012
    support = constraints.simplex
    has_rsample = True

    def __init__(
        self,
        temperature: Tensor,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        super().__init__(ExpRelaxedCategorical(temperature, probs, logits), ExpTransform(), validate_args)


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """OneHotCategorical whose samples pass their gradient on to the probabilities."""

    has_rsample = True

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return vectors of zeros with a 1, with the gradient of the probabilities."""
        return self.sample(sample_shape) + (self.probs - self.probs.detach())

"""How often each class comes up."""

from __future__ import annotations

import math
from typing import Any

from minigrad.autograd import no_grad
from minigrad.creation import arange
from minigrad.distributions import constraints
from minigrad.distributions.categorical import Categorical
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.gamma import lgamma
from minigrad.errors import ArgumentError
from minigrad.ops.elementwise import where
from minigrad.ops.index import one_hot
from minigrad.tensor import Tensor


class Multinomial(Distribution):
    """The counts of each class among `total_count` draws from `Categorical(probs, logits)`.

    Raises ArgumentError unless one of `probs` and `logits` is given.
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}  # noqa: RUF012

    def __init__(
        self,
        total_count: int = 1,
        probs: Tensor | None = None,
        logits: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(total_count, int):
            raise ArgumentError(f"Multinomial: inhomogeneous total_count is not supported, got {total_count!r}")
        self.total_count = total_count
        self._categorical = Categorical(probs, logits, validate_args)
        super().__init__(self._categorical.batch_shape, self._categorical.probs.shape[-1:], validate_args)

    def expand(self, batch_shape: Any) -> Multinomial:
        """Return this distribution with its parameters expanded to `batch_shape`."""
        new = Multinomial(self.total_count, logits=self._categorical.expand(batch_shape).logits, validate_args=False)
        new._categorical = self._categorical.expand(batch_shape)
        return self._alike(new)

    @property
    def support(self) -> constraints.Constraint:  # type: ignore[override]
        """Counts with the sum total_count."""
        return constraints.multinomial(self.total_count)

    @property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        return self._categorical.logits

    @property
    def probs(self) -> Tensor:
        """The probabilities."""
        return self._categorical.probs

    @property
    def mean(self) -> Tensor:
        """total_count * probs."""
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        """total_count * probs * (1 - probs)."""
        return self.total_count * self.probs * (1 - self.probs)

    @no_grad()
    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Return counts, in the dtype of the probabilities."""
        drawn = self._categorical.sample((self.total_count, *sample_shape))
        return one_hot(drawn, self._event_shape[0]).sum(0).to(self.probs.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the probability of the counts `value`."""
        self._validate_sample(value)
        terms = where((value == 0) & (self.logits == -math.inf), 0.0, self.logits)
        return lgamma(value.sum(-1) + 1) - lgamma(value + 1).sum(-1) + (terms * value).sum(-1)

    def entropy(self) -> Tensor:
        """Return the expectation of -log_prob: a sum over the binomial distribution of each count."""
        n = self.total_count
        counts = arange(1, n + 1, dtype=self.probs.dtype).reshape(-1, *(1,) * self.probs.ndim)
        total = lgamma(counts[-1:].reshape(()) + 1)
        ways = total - lgamma(counts + 1) - lgamma(n - counts + 1)
        chances = (ways + counts * self.probs.log() + (n - counts) * (-self.probs).log1p()).exp()
        chances = where(self.probs == 1, (counts == n).to(self.probs.dtype), chances)
        return n * self._categorical.entropy() - total + (chances * lgamma(counts + 1)).sum((0, -1))

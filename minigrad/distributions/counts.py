"""Distributions of counts: of events in a time, and of failures before successes."""

from __future__ import annotations

from typing import Any

from minigrad import random
from minigrad.autograd import no_grad
from minigrad.creation import empty, zeros_like
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution, broadcast, clamped, lazy, one_of
from minigrad.distributions.gamma import Gamma, lgamma
from minigrad.distributions.normal import tiny
from minigrad.errors import ArgumentError
from minigrad.ops.elementwise import softplus
from minigrad.ops.loss import binary_cross_entropy_with_logits
from minigrad.tensor import Tensor


class Poisson(Distribution):
    """How many events there are in a time in which `rate` are expected.

    >>> import minigrad as mg
    >>> Poisson(mg.tensor(2.0)).log_prob(mg.tensor(3.0))
    tensor(-1.7123)
    """

    arg_constraints = {"rate": constraints.nonnegative}  # noqa: RUF012
    support = constraints.nonnegative_integer

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """rate."""
        return self.rate

    variance = mean

    @property
    def mode(self) -> Tensor:
        """The whole part of the rate."""
        return self.rate.floor()

    @no_grad()
    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Return counts."""
        return random.poisson(self.rate.expand(*self._extended_shape(sample_shape)).contiguous())

    def log_prob(self, value: Tensor) -> Tensor:
        """Return value * log(rate) - rate - log(value!)."""
        self._validate_sample(value)
        rate, value = broadcast(self.rate, value)
        return value.xlogy(rate) - rate - lgamma(value + 1)


class _OfTrials(Distribution):
    """What distributions of trials of a success of probability `probs`, or sigmoid(`logits`), share."""

    def _take(self, probs: Any, logits: Any, *others: Any) -> tuple[Tensor, ...]:
        one_of(probs, logits)
        parameter, *rest = broadcast(logits if probs is None else probs, *others)
        self.__dict__["logits" if probs is None else "probs"] = parameter
        return tuple(rest)

    @lazy
    def logits(self) -> Tensor:
        """log(probs / (1 - probs))."""
        probs = clamped(self.probs)
        return probs.log() - (-probs).log1p()

    @lazy
    def probs(self) -> Tensor:
        """sigmoid(logits)."""
        return self.logits.sigmoid()

    @property
    def param_shape(self) -> Any:
        """The shape of the parameter."""
        return self._batch_shape


class Geometric(_OfTrials):
    """How many trials fail before the first success, of probability `probs`, or sigmoid(`logits`), each time.

    Raises ArgumentError unless one of them is given, and for a probability of 0.
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}  # noqa: RUF012
    support = constraints.nonnegative_integer

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        self._take(probs, logits)
        super().__init__((self.logits if probs is None else self.probs).shape, validate_args=validate_args)
        if self._validate_args and probs is not None and not (self.probs._data > 0).all():
            raise ArgumentError(
                f"Expected parameter probs of distribution {self!r} to be positive but found invalid values:\n{probs}"
            )

    @property
    def mean(self) -> Tensor:
        """1 / probs - 1."""
        return 1.0 / self.probs - 1.0

    @property
    def mode(self) -> Tensor:
        """0."""
        return zeros_like(self.probs)

    @property
    def variance(self) -> Tensor:
        """(1 / probs - 1) / probs."""
        return (1.0 / self.probs - 1.0) / self.probs

    @no_grad()
    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Return counts."""
        unit = empty(self._extended_shape(sample_shape), dtype=self.probs.dtype)
        return (random.uniform_(unit, tiny(unit), 1).log() / (-self.probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        """Return value * log(1 - probs) + log(probs)."""
        self._validate_sample(value)
        probs, value = broadcast(self.probs, value)
        return value * (-probs.masked_fill((probs == 1) & (value == 0), 0)).log1p() + self.probs.log()

    def entropy(self) -> Tensor:
        """Return the entropy of one trial, divided by probs."""
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none") / self.probs


class NegativeBinomial(_OfTrials):
    """How many successes, of probability `probs`, or sigmoid(`logits`), there are before `total_count` failures.

    Raises ArgumentError unless one of them is given.
    """

    arg_constraints = {  # noqa: RUF012
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer

    def __init__(
        self, total_count: Any, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        (self.total_count,) = self._take(probs, logits, total_count)
        super().__init__(self.total_count.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """total_count * probs / (1 - probs)."""
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        """The likeliest count."""
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0.0)

    @property
    def variance(self) -> Tensor:
        """The mean divided by 1 - probs."""
        return self.mean / (-self.logits).sigmoid()

    @no_grad()
    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Return counts: a Poisson draw of a rate that is a gamma draw."""
        rates = Gamma(self.total_count, (-self.logits).exp(), validate_args=False)
        return random.poisson(rates.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the probability of `value`."""
        self._validate_sample(value)
        n = self.total_count
        shares = -n * softplus(self.logits) - value * softplus(-self.logits)
        ways = -lgamma(n + value) + lgamma(value + 1.0) + lgamma(n)
        return shares - ways.masked_fill(n + value == 0, 0.0)

"""The distribution of a coin."""

from __future__ import annotations

from typing import Any

from minigrad import random
from minigrad.autograd import no_grad
from minigrad.creation import arange
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution, broadcast, clamped, lazy, one_of
from minigrad.dtypes import result_dtype
from minigrad.ops.elementwise import where
from minigrad.ops.loss import binary_cross_entropy_with_logits
from minigrad.tensor import Tensor


class Bernoulli(Distribution):
    """1 with probability `probs`, or sigmoid(`logits`), otherwise 0. Raises ArgumentError unless one of them is given.

    >>> import minigrad as mg
    >>> Bernoulli(mg.tensor([0.5, 0.25])).entropy()
    tensor([0.6931, 0.5623])
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}  # noqa: RUF012
    support = constraints.boolean
    has_enumerate_support = True

    def __init__(self, probs: Any = None, logits: Any = None, validate_args: bool | None = None) -> None:
        one_of(probs, logits)
        (parameter,) = broadcast(logits if probs is None else probs)
        self.__dict__["logits" if probs is None else "probs"] = parameter
        super().__init__(parameter.shape, validate_args=validate_args)

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

    @property
    def mean(self) -> Tensor:
        """probs."""
        return self.probs

    @property
    def mode(self) -> Tensor:
        """The likelier of 0 and 1; nan where neither is."""
        return where(self.probs == 0.5, float("nan"), (self.probs >= 0.5).to(self.probs.dtype))

    @property
    def variance(self) -> Tensor:
        """probs * (1 - probs)."""
        return self.probs * (1 - self.probs)

    @no_grad()
    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Return zeros and ones."""
        return random.bernoulli(self.probs.expand(*self._extended_shape(sample_shape)).contiguous())

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the probability of `value`, 0 or 1."""
        self._validate_sample(value)
        logits, value = broadcast(self.logits, value)
        kind = result_dtype([logits._data, value._data])
        return -binary_cross_entropy_with_logits(logits.to(kind), value.to(kind), reduction="none")

    def entropy(self) -> Tensor:
        """Return -p log p - (1 - p) log (1 - p)."""
        return binary_cross_entropy_with_logits(self.logits, self.probs, reduction="none")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """Return 0 and 1."""
        values = arange(2, dtype=self.probs.dtype).reshape(-1, *(1,) * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values

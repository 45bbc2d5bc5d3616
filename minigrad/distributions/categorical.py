"""The distribution of one of several classes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import random
from minigrad.autograd import no_grad
from minigrad.creation import arange, eye, full
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution, clamped, lazy, one_of
from minigrad.errors import ShapeError
from minigrad.ops.index import one_hot
from minigrad.tensor import Tensor


class Categorical(Distribution):
    """A class from 0 to K - 1, with probabilities in proportion to `probs` (..., K), or to exp(`logits`).

    Raises ArgumentError unless one of them is given.

    >>> import minigrad as mg
    >>> dice = Categorical(mg.ones(6))
    >>> dice.log_prob(mg.tensor(3)), dice.entropy()
    (tensor(-1.7918), tensor(1.7918))
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}  # noqa: RUF012
    has_enumerate_support = True

    def __init__(
        self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        one_of(probs, logits)
        if probs is not None:
            _check_dims("probs", probs)
            parameter = self.__dict__["probs"] = probs / probs.sum(-1, keepdim=True)
        elif logits is not None:
            _check_dims("logits", logits)
            parameter = self.__dict__["logits"] = logits - logits.logsumexp(-1, keepdim=True)
        self._num_events = parameter.shape[-1]
        super().__init__(parameter.shape[:-1], validate_args=validate_args)

    @property
    def support(self) -> constraints.Constraint:  # type: ignore[override]
        """0, 1, ... K - 1."""
        return constraints.integer_interval(0, self._num_events - 1)

    @lazy
    def logits(self) -> Tensor:
        """log(probs)."""
        return clamped(self.probs).log()

    @lazy
    def probs(self) -> Tensor:
        """exp(logits)."""
        return self.logits.softmax(-1)

    @property
    def param_shape(self) -> Any:
        """The shape of the parameter."""
        return self.probs.shape

    @property
    def mean(self) -> Tensor:
        """Classes have none: nan."""
        return full(self._extended_shape(), math.nan, dtype=self.probs.dtype)

    variance = mean

    @property
    def mode(self) -> Tensor:
        """The likeliest class."""
        return self.probs.argmax(-1)

    @no_grad()
    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Return int64 classes."""
        rows = self.probs.reshape(-1, self._num_events)
        drawn = random.multinomial(rows, math.prod(sample_shape), replacement=True).T
        return drawn.reshape(*sample_shape, *self._batch_shape)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the probability of the class `value`."""
        self._validate_sample(value)
        index = value.long()
        shape = np.broadcast_shapes(index.shape, self.logits.shape[:-1])
        rows = self.logits.expand(*shape, self._num_events)
        return rows.gather(-1, index.expand(*shape).unsqueeze(-1)).squeeze(-1)

    def entropy(self) -> Tensor:
        """Return -sum(p log p)."""
        logits = self.logits.clamp(min=float(np.finfo(self.logits._data.dtype).min))
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """Return all classes."""
        values = arange(self._num_events).reshape(-1, *(1,) * len(self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values


def _check_dims(name: str, parameter: Tensor) -> None:
    if parameter.ndim < 1:
        raise ShapeError(f"`{name}` parameter must be at least one-dimensional.")


class OneHotCategorical(Categorical):
    """A class as a vector of zeros with a 1, with probabilities in proportion to `probs` (..., K), or exp(`logits`)."""

    def __init__(
        self, probs: Tensor | None = None, logits: Tensor | None = None, validate_args: bool | None = None
    ) -> None:
        super().__init__(probs, logits, validate_args)
        self._event_shape = type(self._event_shape)((self._num_events,))

    @property
    def support(self) -> constraints.Constraint:  # type: ignore[override]
        """Vectors of zeros with a 1."""
        return constraints.one_hot

    @property
    def mean(self) -> Tensor:
        """probs."""
        return self.probs

    @property
    def variance(self) -> Tensor:
        """probs * (1 - probs)."""
        return self.probs * (1 - self.probs)

    @property
    def mode(self) -> Tensor:
        """The vector of the likeliest class."""
        return one_hot(self.probs.argmax(-1), self._num_events).to(self.probs.dtype)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Return vectors of zeros with a 1."""
        return one_hot(super().sample(sample_shape), self._num_events).to(self.probs.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the probability of the vector `value`."""
        self._validate_sample(value)
        shape = np.broadcast_shapes(value.shape, self.logits.shape)
        return self.logits.expand(*shape).gather(-1, value.argmax(-1).unsqueeze(-1).expand(*shape[:-1], 1)).squeeze(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """Return the vectors of all classes."""
        n = self._num_events
        values = eye(n, dtype=self.probs.dtype).reshape(n, *(1,) * len(self._batch_shape), n)
        return values.expand(n, *self._batch_shape, n) if expand else values

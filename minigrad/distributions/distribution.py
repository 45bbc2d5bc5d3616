"""The base of all distributions: shapes, checks of parameters and values, and what each has by default."""

from __future__ import annotations

import copy
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from minigrad.arraylike import Size
from minigrad.autograd import enable_grad, no_grad
from minigrad.creation import tensor
from minigrad.distributions.constraints import Constraint
from minigrad.errors import ArgumentError
from minigrad.tensor import Tensor

D = TypeVar("D", bound="Distribution")
Shape = tuple[int, ...]


class Distribution:
    """A distribution over tensors of `event_shape`, one for each place in `batch_shape`.

    Samples have the shape sample_shape + batch_shape + event_shape; log_prob and entropy have none of event_shape.
    Parameters and values are checked unless `validate_args` is False. Raises ArgumentError for what is out of bounds.
    """

    has_rsample: bool = False
    has_enumerate_support: bool = False
    arg_constraints: dict[str, Constraint] = {}  # noqa: RUF012  a subclass may make it a property
    support: Constraint
    _validate_args: bool = True

    def __init__(self, batch_shape: Shape = (), event_shape: Shape = (), validate_args: bool | None = None) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            for name, constraint in self.arg_constraints.items():
                if name in self.__dict__ or not isinstance(getattr(type(self), name, None), lazy):
                    self._check_parameter(name, constraint)

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Set whether parameters and values are checked where `validate_args` is not given."""
        Distribution._validate_args = value

    @property
    def batch_shape(self) -> Size:
        """How many distributions this is, each with its parameters."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one value."""
        return self._event_shape

    # --- what a distribution defines ---

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return samples through which gradients reach the parameters."""
        raise self._lacks("rsample")

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density (or probability) at `value`."""
        raise self._lacks("log_prob")

    def entropy(self) -> Tensor:
        """Return the expectation of -log_prob."""
        raise self._lacks("entropy")

    def cdf(self, value: Tensor) -> Tensor:
        """Return the probability of what is not above `value`."""
        raise self._lacks("cdf")

    def icdf(self, value: Tensor) -> Tensor:
        """Return where the cdf has the value `value`."""
        raise self._lacks("icdf")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """Return all values there are, along a new first dim."""
        raise self._lacks("enumerate_support")

    @property
    def mean(self) -> Tensor:
        """The expectation."""
        raise self._lacks("mean")

    @property
    def mode(self) -> Tensor:
        """The likeliest value."""
        raise self._lacks("mode")

    @property
    def variance(self) -> Tensor:
        """The variance."""
        raise self._lacks("variance")

    def _lacks(self, name: str) -> Exception:
        return NotImplementedError(f"{type(self).__name__} does not implement {name}")

    # --- what follows from it ---

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Return samples without a gradient."""
        with no_grad():
            return self.rsample(sample_shape).detach()

    def perplexity(self) -> Tensor:
        """Return exp(entropy)."""
        return self.entropy().exp()

    def expand(self: D, batch_shape: Any) -> D:
        """Return this distribution with its parameters expanded to `batch_shape`."""
        new = copy.copy(self)
        new._batch_shape = Size(batch_shape)
        for name, constraint in self.arg_constraints.items():
            if name in self.__dict__:
                x = self.__dict__[name]
                new.__dict__[name] = x.expand(*batch_shape, *x.shape[x.ndim - constraint.event_dim :])
        return new

    def _alike(self, new: D) -> D:
        """Return `new`, which checks its values if this distribution does."""
        new._validate_args = self._validate_args
        return new

    def _extended_shape(self, sample_shape: Any = ()) -> Shape:
        return (*sample_shape, *self._batch_shape, *self._event_shape)

    def __repr__(self) -> str:
        shown = {name: self.__dict__[name] for name in self.arg_constraints if name in self.__dict__}
        parts = [f"{name}: {x if x.numel() == 1 else x.shape}" for name, x in shown.items()]
        return f"{type(self).__name__}({', '.join(parts)})"

    # --- checks ---

    def _check_parameter(self, name: str, constraint: Constraint) -> None:
        value = getattr(self, name)
        if not constraint.check(value)._data.all():
            raise ArgumentError(
                f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution "
                f"{self!r} to satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
            )

    def _validate_sample(self, value: Tensor) -> None:
        """Raise ArgumentError if `value` cannot come from this distribution."""
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise ArgumentError(f"The value argument to log_prob must be a Tensor, got {type(value).__name__}")
        events = len(self._event_shape)
        if tuple(value.shape[value.ndim - events :]) != tuple(self._event_shape):
            raise ArgumentError(
                f"The right-most size of value must match event_shape: {value.shape} vs {self._event_shape}."
            )
        expected = (*self._batch_shape, *self._event_shape)
        if any(1 not in (i, j) and i != j for i, j in zip(reversed(value.shape), reversed(expected), strict=False)):
            raise ArgumentError(
                f"Value is not broadcastable with batch_shape+event_shape: {value.shape} vs {Size(expected)}."
            )
        if not self.support.check(value)._data.all():
            raise ArgumentError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be within the "
                f"support ({self.support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )


class lazy(cached_property[Tensor]):
    """A parameter worked out from the other one when it is first asked for, with its graph even under `no_grad`."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Return the parameter."""
        with enable_grad():
            return super().__get__(instance, owner)


def broadcast(*values: Any) -> tuple[Tensor, ...]:
    """Return numbers and tensors as tensors of one shape; numbers take the dtype of the first tensor, or float32."""
    kinds = [v.dtype for v in values if isinstance(v, Tensor)]
    for v in values:
        if not isinstance(v, Tensor | float | int):
            raise ArgumentError(f"Input arguments must all be instances of Number or Tensor, got {type(v).__name__}")
    kind: Any = kinds[0] if kinds else np.float32
    tensors = [v if isinstance(v, Tensor) else tensor(v, dtype=kind) for v in values]
    shape = np.broadcast_shapes(*(v.shape for v in tensors))
    return tuple(v if v.shape == shape else v.expand(*shape) for v in tensors)


def one_of(probs: Any, logits: Any) -> None:
    """Raise ArgumentError unless exactly one of the two is given."""
    if (probs is None) == (logits is None):
        raise ArgumentError("Either `probs` or `logits` must be specified, but not both.")


def clamped(probs: Tensor) -> Tensor:
    """Return probabilities kept from 0 and 1 by a rounding step, for their logarithm."""
    eps = float(np.finfo(probs._data.dtype).eps)
    return probs.clamp(min=eps, max=1 - eps)


def sum_rightmost(value: Tensor, dims: int) -> Tensor:
    """Return the sum over the last `dims` dims."""
    return value.sum(tuple(range(-dims, 0))) if dims else value

"""The Dirichlet distribution."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution
from minigrad.distributions.gamma import check_no_gradient, digamma, lgamma, xlogy
from minigrad.errors import ShapeError
from minigrad.kernels.rejection import standard_gamma
from minigrad.ops.elementwise import where
from minigrad.ops.index import one_hot
from minigrad.random import default_generator
from minigrad.tensor import Tensor, wrap


class Dirichlet(Distribution):
    """The Dirichlet distribution over vectors of K numbers with the sum 1, of `concentration` (..., K).

    Samples have no gradient yet: `rsample` raises GraphError if the concentration requires one.
    """

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}  # noqa: RUF012
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.ndim < 1:
            raise ShapeError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        super().__init__(concentration.shape[:-1], concentration.shape[-1:], validate_args)

    @property
    def mean(self) -> Tensor:
        """concentration / sum(concentration)."""
        return self.concentration / self.concentration.sum(-1, keepdim=True)

    @property
    def mode(self) -> Tensor:
        """Where the density is highest: a corner if the concentrations are below 1."""
        above = (self.concentration - 1).clamp(min=0.0)
        inner = above / above.sum(-1, keepdim=True)
        corner = one_hot(inner.argmax(-1), self._event_shape[0]).to(inner.dtype)
        return where((self.concentration < 1).all(-1).unsqueeze(-1), corner, inner)

    @property
    def variance(self) -> Tensor:
        """The variance of each number."""
        total = self.concentration.sum(-1, keepdim=True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return gamma draws divided by their sum."""
        check_no_gradient("Dirichlet", self.concentration)
        alphas = np.ascontiguousarray(self.concentration.expand(*self._extended_shape(sample_shape))._data)
        kind = alphas.dtype
        drawn = standard_gamma(alphas.astype(np.float64), default_generator._stream)
        parts = (drawn / drawn.sum(-1, keepdims=True)).astype(kind)
        return wrap(np.clip(parts, np.finfo(kind).tiny, np.nextafter(kind.type(1), kind.type(0))))

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density at `value`."""
        self._validate_sample(value)
        a = self.concentration
        return xlogy(a - 1.0, value).sum(-1) + lgamma(a.sum(-1)) - lgamma(a).sum(-1)

    def entropy(self) -> Tensor:
        """Return the expectation of -log_prob."""
        a, k = self.concentration, self._event_shape[0]
        total = a.sum(-1)
        return lgamma(a).sum(-1) - lgamma(total) - (k - total) * digamma(total) - ((a - 1.0) * digamma(a)).sum(-1)

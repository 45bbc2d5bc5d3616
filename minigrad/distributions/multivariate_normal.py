"""The normal distribution over vectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import linalg
from minigrad.creation import eye
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution, lazy
from minigrad.distributions.normal import standard_normal
from minigrad.errors import ArgumentError, ShapeError
from minigrad.tensor import Tensor


class MultivariateNormal(Distribution):
    """The normal distribution over vectors (..., K) of mean `loc`, by its covariance, precision or Cholesky factor.

    `covariance_matrix` and `precision_matrix` (..., K, K) are symmetric, `scale_tril` is lower triangular with a
    positive diagonal. Raises ArgumentError unless exactly one of the three is given.
    """

    arg_constraints = {  # noqa: RUF012
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        matrices = {
            "covariance_matrix": covariance_matrix, "precision_matrix": precision_matrix, "scale_tril": scale_tril
        }  # fmt: skip
        given = {name: m for name, m in matrices.items() if m is not None}
        if loc.ndim < 1:
            raise ShapeError("loc must be at least one-dimensional.")
        if len(given) != 1:
            raise ArgumentError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified, got "
                f"{', '.join(given) or 'none'}"
            )
        ((name, matrix),) = given.items()
        if matrix.ndim < 2:
            raise ShapeError(f"{name} must be at least two-dimensional, with optional leading batch dimensions")
        batch, k = np.broadcast_shapes(matrix.shape[:-2], loc.shape[:-1]), loc.shape[-1]
        self.loc = loc.expand(*batch, k)
        self.__dict__[name] = matrix.expand(*batch, k, k)
        super().__init__(batch, (k,), validate_args)

    @lazy
    def scale_tril(self) -> Tensor:
        """The lower triangular matrix L with L L^T the covariance."""
        if "covariance_matrix" in self.__dict__:
            return linalg.cholesky(self.covariance_matrix)
        turned = linalg.cholesky(self.precision_matrix.flip(-2, -1)).flip(-2, -1).mT  # upper, of the precision
        return whitened(turned, eye(turned.shape[-1], dtype=turned.dtype))

    @lazy
    def covariance_matrix(self) -> Tensor:
        """L L^T."""
        return self.scale_tril @ self.scale_tril.mT

    @lazy
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        inverse = whitened(self.scale_tril, eye(self._event_shape[0], dtype=self.loc.dtype))
        return inverse.mT @ inverse

    @property
    def mean(self) -> Tensor:
        """loc."""
        return self.loc

    mode = mean

    @property
    def variance(self) -> Tensor:
        """The diagonal of the covariance."""
        return self.scale_tril.pow(2).sum(-1)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return loc + L times a standard normal draw."""
        unit = standard_normal(self._extended_shape(sample_shape), self.loc)
        return self.loc + (self.scale_tril @ unit.unsqueeze(-1)).squeeze(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density at `value`."""
        self._validate_sample(value)
        squares = mahalanobis(self.scale_tril, value - self.loc)
        return -0.5 * (self._event_shape[0] * math.log(2 * math.pi) + squares) - half_log_det(self.scale_tril)

    def entropy(self) -> Tensor:
        """Return half the logarithm of the covariance's determinant and a constant."""
        return 0.5 * self._event_shape[0] * (1.0 + math.log(2 * math.pi)) + half_log_det(self.scale_tril)


def mahalanobis(low: Tensor, difference: Tensor) -> Tensor:
    """Return the squared length of L^-1 times the difference."""
    return whitened(low, difference.unsqueeze(-1)).pow(2).sum((-2, -1))


def whitened(low: Tensor, columns: Tensor) -> Tensor:
    """Return L^-1 times the columns."""
    batch = np.broadcast_shapes(low.shape[:-2], columns.shape[:-2])
    both = (x.expand(*batch, *x.shape[-2:]) for x in (low, columns))
    return linalg.solve_triangular(*both, upper=False)


def half_log_det(low: Tensor) -> Tensor:
    """Return the sum of the logarithms on the diagonal."""
    places = np.arange(low.shape[-1])
    return low[..., places, places].log().sum(-1)

"""The parametrizations most in use: weights of a length and a direction, and by their largest stretch."""

from __future__ import annotations

from typing import Any, TypeVar

from minigrad.autograd import no_grad
from minigrad.errors import ArgumentError, OutOfRangeError
from minigrad.nn.functional.normalization import normalize
from minigrad.nn.module import Module
from minigrad.nn.utils.parametrize import register_parametrization
from minigrad.nn.utils.reparametrize import length_along, rows_along
from minigrad.random import randn
from minigrad.tensor import Tensor

M = TypeVar("M", bound=Module)


class _WeightNorm(Module):
    """g * v / |v|, the lengths g along `dim`."""

    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        """Return the weight."""
        return weight_v * (weight_g / length_along(weight_v, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return the lengths, and the weight itself as direction."""
        return length_along(weight, self.dim), weight


class _SpectralNorm(Module):
    """A weight divided by its largest singular value, which power iteration finds."""

    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise OutOfRangeError(
                f"Dimension out of range (expected to be in range of [{-weight.ndim}, {weight.ndim - 1}] but got {dim})"
            )
        if n_power_iterations <= 0:
            raise ArgumentError(f"Expected n_power_iterations to be positive, but got {n_power_iterations}")
        self.dim, self.eps, self.n_power_iterations = dim % weight.ndim, eps, n_power_iterations
        if weight.ndim > 1:
            rows = rows_along(weight.detach(), self.dim)
            u, v = (randn(n, dtype=weight.dtype) for n in rows.shape)
            self.register_buffer("_u", normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", normalize(v, dim=0, eps=eps))
            self._improve(rows, 15)

    @no_grad()
    def _improve(self, rows: Tensor, steps: int) -> None:
        for _ in range(steps):
            self._u.copy_(normalize(rows @ self._v, dim=0, eps=self.eps))
            self._v.copy_(normalize(rows.t() @ self._u, dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        """Return the weight divided by u W v; in training u and v are improved first."""
        if weight.ndim == 1:
            return normalize(weight, dim=0, eps=self.eps)
        rows = rows_along(weight, self.dim)
        if self.training:
            self._improve(rows.detach(), self.n_power_iterations)
        # Copies, so that a second forward may improve u and v before the first one's backward.
        return weight / (self._u.clone() * (rows @ self._v.clone())).sum()

    def right_inverse(self, value: Tensor) -> Tensor:
        """Return the value: it is taken to be divided already."""
        return value


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Make the parameter `name` of `module` of its lengths along `dim` and its directions; return `module`.

    They are `parametrizations.NAME.original0` and `original1`. (Salimans & Kingma, 2016, arXiv:1602.07868)
    """
    return register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Divide the parameter `name` of `module` by its largest singular value, whenever it is read; return `module`.

    `dim` counts as the rows: by default the first, for transposed convolutions the second. Raises ArgumentError if
    there is no such parameter. (Miyato et al., 2018, arXiv:1802.05957)
    """
    weight: Any = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ArgumentError(f"Module {type(module).__name__} has no parameter or buffer with name {name!r}")
    if dim is None:
        dim = 1 if getattr(module, "transposed", False) else 0
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))

"""Weights made of other parameters before each forward: of a length and a direction, or by their largest stretch."""

from __future__ import annotations

import warnings
from typing import Any, TypeVar

from minigrad.autograd import no_grad
from minigrad.errors import ArgumentError, GraphError
from minigrad.nn.functional.normalization import normalize
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.random import randn
from minigrad.tensor import Tensor

M = TypeVar("M", bound=Module)


def length_along(v: Tensor, dim: int) -> Tensor:
    """Return the 2-norms of `v` over all dims but `dim`, which keep size 1; over all of them for -1."""
    if dim == -1:
        return v.norm(2)
    return v.norm(2, tuple(d for d in range(v.ndim) if d != dim % v.ndim), keepdim=True)


def rows_along(weight: Tensor, dim: int) -> Tensor:
    """Return the weight as a matrix with `dim` as rows."""
    order = (dim, *(d for d in range(weight.ndim) if d != dim))
    return weight.permute(*order).reshape(weight.shape[dim], -1)


class WeightNorm:
    """The hook that computes a weight g * v / |v|."""

    def __init__(self, name: str, dim: int) -> None:
        self.name, self.dim = name, dim

    def weight(self, module: Module) -> Tensor:
        """Return the weight that the two parameters make."""
        length, direction = getattr(module, f"{self.name}_g"), getattr(module, f"{self.name}_v")
        made: Tensor = direction * (length / length_along(direction, self.dim))
        return made

    def __call__(self, module: Module, args: Any) -> None:
        """Put the weight in its place."""
        setattr(module, self.name, self.weight(module))


class SpectralNorm:
    """The hook that computes a weight divided by its largest singular value, found by power iteration."""

    def __init__(self, name: str, steps: int, dim: int, eps: float) -> None:
        self.name, self.steps, self.dim, self.eps = name, steps, dim, eps

    def weight(self, module: Module, iterate: bool) -> Tensor:
        """Return the weight divided by u W v, after `steps` improvements of u and v if `iterate`."""
        original, u, v = (getattr(module, f"{self.name}_{part}") for part in ("orig", "u", "v"))
        rows = rows_along(original, self.dim)
        if iterate:
            with no_grad():
                for _ in range(self.steps):
                    v.copy_(normalize(rows.t() @ u, dim=0, eps=self.eps))
                    u.copy_(normalize(rows @ v, dim=0, eps=self.eps))
        # Copies, so that a second forward may improve u and v before the first one's backward.
        made: Tensor = original / (u.detach().clone() * (rows @ v.detach().clone())).sum()
        return made

    def __call__(self, module: Module, args: Any) -> None:
        """Put the weight in its place."""
        setattr(module, self.name, self.weight(module, module.training))


def weight_norm(module: M, name: str = "weight", dim: int | None = 0) -> M:
    """Make the parameter `name` of `module` of two: `name_g`, its lengths along `dim`, and `name_v`; return `module`.

    Warns that PyTorch has a newer one. Raises GraphError if it has been done already. (Salimans & Kingma, 2016,
    arXiv:1602.07868)
    """
    warnings.warn(
        "`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
        stacklevel=2,
    )
    hook = WeightNorm(name, -1 if dim is None else dim)
    weight = _taken(module, name, WeightNorm)
    module.register_parameter(f"{name}_g", Parameter(length_along(weight.detach(), hook.dim)))
    module.register_parameter(f"{name}_v", Parameter(weight.detach()))
    setattr(module, name, hook.weight(module))
    module.register_forward_pre_hook(hook)
    return module


def remove_weight_norm(module: M, name: str = "weight") -> M:
    """Make the parameter `name` one again; return `module`. Raises ArgumentError if it is one."""
    hook = _removed(module, name, WeightNorm)
    weight = hook.weight(module).detach()
    for gone in (name, f"{name}_g", f"{name}_v"):
        delattr(module, gone)
    module.register_parameter(name, Parameter(weight))
    return module


@no_grad()
def spectral_norm(
    module: M, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> M:
    """Divide the parameter `name` of `module`, kept as `name_orig`, by its largest singular value; return `module`.

    In training each forward improves the estimate by `n_power_iterations` steps. `dim` counts as the rows: by default
    the first, for transposed convolutions the second. (Miyato et al., 2018, arXiv:1802.05957)
    """
    if n_power_iterations <= 0:
        raise ArgumentError(f"Expected n_power_iterations to be positive, but got {n_power_iterations}")
    if dim is None:
        dim = 1 if getattr(module, "transposed", False) else 0
    hook = SpectralNorm(name, n_power_iterations, dim, eps)
    weight = _taken(module, name, SpectralNorm)
    rows, columns = rows_along(weight, dim).shape
    u = normalize(randn(rows, dtype=weight.dtype), dim=0, eps=eps)
    v = normalize(randn(columns, dtype=weight.dtype), dim=0, eps=eps)
    module.register_parameter(f"{name}_orig", weight)
    setattr(module, name, weight.detach())
    module.register_buffer(f"{name}_u", u)
    module.register_buffer(f"{name}_v", v)
    module.register_forward_pre_hook(hook)
    return module


def remove_spectral_norm(module: M, name: str = "weight") -> M:
    """Make the divided weight the parameter `name`; return `module`. Raises ArgumentError if there is none."""
    hook = _removed(module, name, SpectralNorm)
    weight = hook.weight(module, False).detach()
    for gone in (name, f"{name}_u", f"{name}_v", f"{name}_orig"):
        delattr(module, gone)
    module.register_parameter(name, Parameter(weight))
    return module


def _taken(module: Module, name: str, kind: type) -> Any:
    """Take the parameter `name` out of the module and return it."""
    if any(isinstance(hook, kind) and getattr(hook, "name", "") == name for hook in module._pre_hooks.values()):
        raise GraphError(f"Cannot register two {kind.__name__} hooks on the same parameter {name}")
    weight = module._parameters.get(name)
    if weight is None:
        raise ArgumentError(f"{kind.__name__} cannot be applied: {type(module).__name__} has no parameter {name!r}")
    delattr(module, name)
    return weight


def _removed(module: Module, name: str, kind: type) -> Any:
    """Take the hook for the parameter `name` off the module and return it."""
    for key, hook in module._pre_hooks.items():
        if isinstance(hook, kind) and getattr(hook, "name", "") == name:
            del module._pre_hooks[key]
            return hook
    raise ArgumentError(f"{kind.__name__} of {name!r} not found in {type(module).__name__}")

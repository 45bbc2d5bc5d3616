"""Helpers around the parameters of a model: clipping gradients, and all parameters as one vector."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.autograd import no_grad
from minigrad.errors import GraphError, ShapeError
from minigrad.ops.shape import cat
from minigrad.tensor import Tensor, wrap


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    several = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p.grad for p in several if p.grad is not None]


@no_grad()
def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: Any = None,
) -> Tensor:
    """Scale all gradients, in place, so that their norm as one vector is at most `max_norm`; return what it was.

    Raises GraphError if the norm is nan or inf and `error_if_nonfinite`. (Pascanu et al., 2012, arXiv:1211.5063)
    """
    several = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    total = get_total_norm(_gradients(several), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(several, max_norm, total)
    return total


@no_grad()
def get_total_norm(
    tensors: Tensor | Iterable[Tensor], norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: Any = None
) -> Tensor:
    """Return the norm of all `tensors` as one vector.

    Raises GraphError if it is nan or inf and `error_if_nonfinite`.
    """
    several = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    if not several:
        return wrap(np.zeros((), np.float32))
    norms = [t.norm(float(norm_type)) for t in several]
    total = norms[0].norm(float(norm_type)) if len(norms) == 1 else cat([n.reshape(1) for n in norms]).norm(norm_type)
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise GraphError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
            "error_if_nonfinite=False"
        )
    return total


@no_grad()
def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: Any = None
) -> None:
    """Scale all gradients, in place, as is needed to bring their norm from `total_norm` down to `max_norm`."""
    scale = (max_norm / (total_norm + 1e-6)).clamp(max=1.0)
    for g in _gradients(parameters):
        g.mul_(scale)


def clip_grad_norm(parameters: Tensor | Iterable[Tensor], *args: Any, **kwargs: Any) -> Tensor:
    """`clip_grad_norm_` by its old name, which warns."""
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, *args, **kwargs)


@no_grad()
def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: Any = None) -> None:
    """Bring every element of the gradients, in place, into [-clip_value, clip_value]."""
    for g in _gradients(parameters):
        g.clamp_(-float(clip_value), float(clip_value))


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Return all parameters, flattened and joined, as one vector that gradients flow through."""
    return cat([p.reshape(-1) for p in parameters])


@no_grad()
def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write the elements of `vec` into the parameters, in order. Raises ShapeError if there are too few or too many."""
    targets = list(parameters)
    need = sum(p.numel() for p in targets)
    if tuple(vec.shape) != (need,):
        raise ShapeError(f"vector_to_parameters: the parameters need shape ({need},), got {tuple(vec.shape)}")
    start = 0
    for p in targets:
        p.copy_(vec[start : start + p.numel()].reshape(p.shape))
        start += p.numel()

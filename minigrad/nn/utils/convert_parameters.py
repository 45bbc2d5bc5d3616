"""All parameters of a model as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

from minigrad.autograd import no_grad
from minigrad.errors import ShapeError
from minigrad.ops.shape import cat
from minigrad.tensor import Tensor


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

"""How far apart, or how alike in direction, vectors are."""

from __future__ import annotations

import numpy as np

from minigrad.errors import ShapeError
from minigrad.nodenames import titling
from minigrad.ops.elementwise import maximum
from minigrad.ops.reduce import norm, sum
from minigrad.ops.shape import expand
from minigrad.tensor import Tensor, wrap


@titling
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """Return the p-norm of x1 - x2 + eps along the last dim."""
    return norm(x1 - x2 + eps, p, -1, keepdim)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Return x1 . x2 / (|x1| |x2|) along `dim`, where a length below `eps` counts as `eps`.

    >>> import minigrad as mg
    >>> cosine_similarity(mg.tensor([[3.0, 4.0]]), mg.tensor([[4.0, 3.0]]))
    tensor([0.9600])
    """
    shape = np.broadcast_shapes(x1.shape, x2.shape)
    first, second = (x / _length(x, dim, eps) for x in (expand(x1, shape=shape), expand(x2, shape=shape)))
    return sum(first * second, dim=dim)


def _length(x: Tensor, dim: int, eps: float) -> Tensor:
    """Return the length of x, at least `eps`; the bound does not stop the gradient, as in PyTorch."""
    length = norm(x, 2, dim, keepdim=True)
    short = length.detach()
    return length + (maximum(short, eps) - short)


@titling
def pdist(input: Tensor, p: float = 2.0) -> Tensor:
    """Return the p-norm distances of every two rows of a matrix, in the order (0, 1), (0, 2), ..., (1, 2), ..."""
    if input.ndim != 2:
        raise ShapeError(f"pdist only supports 2D tensors, got: {input.ndim}D")
    first, second = np.triu_indices(len(input), 1)
    return norm(input[wrap(first)] - input[wrap(second)], p, -1)

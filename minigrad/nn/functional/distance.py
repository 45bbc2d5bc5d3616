"""How far apart, or how alike in direction, vectors are."""

from __future__ import annotations

from minigrad.ops.elementwise import maximum
from minigrad.ops.reduce import norm, sum
from minigrad.tensor import Tensor


def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """Return the p-norm of x1 - x2 + eps along the last dim."""
    return norm(x1 - x2 + eps, p, -1, keepdim)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """Return x1 . x2 / (|x1| |x2|) along `dim`, where a length below `eps` counts as `eps`.

    >>> import minigrad as mg
    >>> cosine_similarity(mg.tensor([[3.0, 4.0]]), mg.tensor([[4.0, 3.0]]))
    tensor([0.9600])
    """
    first, second = (x / maximum(norm(x, 2, dim, keepdim=True), eps) for x in (x1, x2))
    return sum(first * second, dim=dim)

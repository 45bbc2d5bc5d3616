"""Softmax and what is made of it."""

from __future__ import annotations

import warnings
from typing import Any

from minigrad.creation import empty_like, ones_like, zeros_like
from minigrad.random import exponential_
from minigrad.tensor import Tensor


def softmax(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """Return exp(x) / sum(exp(x)) along `dim`; `input` is first converted to `dtype` if one is given."""
    return input.to(dtype).softmax(_chosen_dim("softmax", dim, input.ndim))


def log_softmax(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """Return x - log(sum(exp(x))) along `dim`; `input` is first converted to `dtype` if one is given."""
    return input.to(dtype).log_softmax(_chosen_dim("log_softmax", dim, input.ndim))


def softmin(input: Tensor, dim: int | None = None, *, dtype: Any = None) -> Tensor:
    """Return softmax(-x) along `dim`."""
    return (-input).to(dtype).softmax(_chosen_dim("softmin", dim, input.ndim))


def gumbel_softmax(logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Tensor:
    """Return a draw from the Gumbel-softmax distribution; with `hard` one-hot, its gradient that of the soft draw.

    `eps` is ignored, as in PyTorch. (Jang et al., 2016, arXiv:1611.01144; Maddison et al., 2016, arXiv:1611.00712)
    """
    noise = -exponential_(empty_like(logits)).log()
    soft = ((logits + noise) / tau).softmax(dim)
    if not hard:
        return soft
    best = soft.detach().max(dim, keepdim=True)[1]
    one_hot = zeros_like(soft).scatter_add(dim, best, ones_like(best, dtype=soft.dtype))
    return one_hot - soft.detach() + soft


def _chosen_dim(name: str, dim: int | None, ndim: int) -> int:
    """Return `dim`; if it was left out, warn and return the one PyTorch picks."""
    if dim is not None:
        return dim
    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=3,
    )
    return 0 if ndim in (0, 1, 3) else 1

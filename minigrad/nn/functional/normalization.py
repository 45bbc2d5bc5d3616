"""Normalisation: values brought to mean 0 and variance 1, or vectors to length 1."""

from __future__ import annotations

from typing import Any

from minigrad.ops import norm as _norm
from minigrad.ops import reduce
from minigrad.tensor import Tensor


def batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Tensor:
    """Return `input` (N, C, ...) normalised per channel, in `training` by the batch and moving the running statistics.

    Raises ShapeError if in training a channel has a single value.
    """
    return _norm.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def layer_norm(
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    """Return `input` (..., *normalized_shape) normalised over those last dims."""
    return _norm.layer_norm(input, tuple(normalized_shape), weight, bias, eps)


def normalize(input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """Return `input` divided by its p-norm along `dim`, or by `eps` where the norm is smaller."""
    return input / reduce.norm(input, p, dim, keepdim=True).clamp(min=eps)

"""Losses of rankings and margins: what should be larger is to be larger by a margin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn.functional.distance import pairwise_distance
from minigrad.nn.functional.loss import chosen_reduction
from minigrad.nodenames import titling
from minigrad.ops.elementwise import clamp, eq, exp, log1p, minimum, ne, sqrt, where
from minigrad.ops.index import gather
from minigrad.ops.loss import constant_weights, log_sigmoid, reduced, same_shape
from minigrad.ops.reduce import mean, sum
from minigrad.ops.shape import reshape, unsqueeze
from minigrad.tensor import Tensor, wrap


def _above_zero(x: Any) -> Any:
    return clamp(x, min=0.0)


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return x where the target is 1, and max(0, margin - x) where it is -1."""
    same_shape("hinge_embedding_loss", input, target)
    far = where(ne(target, 1), _above_zero(margin - input), 0.0)
    return reduced(far + where(ne(target, -1), input, 0.0), chosen_reduction(size_average, reduce, reduction))


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return max(0, -target * (x1 - x2) + margin), for a target of 1 (x1 is to be larger) or -1."""
    if not input1.ndim == input2.ndim == target.ndim:
        raise ShapeError(
            f"margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: "
            f"{tuple(input1.shape)}, input2: {tuple(input2.shape)}, target: {tuple(target.shape)}"
        )
    loss = _above_zero(-target * (input1 - input2) + margin)
    return reduced(loss, chosen_reduction(size_average, reduce, reduction))


@titling
def soft_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return log(1 + exp(-target * x)), for targets of 1 or -1."""
    same_shape("soft_margin_loss", input, target)
    return reduced(log1p(exp(-target * input)), chosen_reduction(size_average, reduce, reduction))


def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return 1 - cos(x1, x2) where the target is 1, and max(0, cos(x1, x2) - margin) where it is -1.

    Shapes: (N, D), (N, D) and (N,), or (D,), (D,) and ().
    """
    dim = target.ndim
    if dim > 1 or input1.ndim != dim + 1 or input2.ndim != dim + 1:
        raise ShapeError(
            f"cosine_embedding_loss: {dim}D target tensor expects {dim + 1}D input tensors, but found inputs with "
            f"sizes {list(input1.shape)} and {list(input2.shape)}."
        )
    lengths = (sum(input1 * input1, dim=dim) + 1e-12) * (sum(input2 * input2, dim=dim) + 1e-12)
    cosine = sum(input1 * input2, dim=dim) / sqrt(lengths)
    far = where(eq(target, -1), _above_zero(cosine - margin), 0.0)
    return reduced(where(eq(target, 1), 1 - cosine, 0.0) + far, chosen_reduction(size_average, reduce, reduction))


@titling
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the mean over the classes i but the target y of max(0, margin - x[y] + x[i])^p, times weight[y].

    Shapes: x (N, C) or (C,), target (N,) or (), weight (C,). Raises ArgumentError for a p other than 1 and 2.
    """
    if p not in (1, 2):
        raise ArgumentError(f"multi_margin_loss: only p == 1 and p == 2 supported, got {p}")
    if input.ndim < 2 and target.numel() == 1:  # a row by itself, whose label may be of 0 dims or 1
        input, target = reshape(input, shape=(input.numel(),)), reshape(target, shape=())
    if input.ndim not in (1, 2) or tuple(target.shape) != tuple(input.shape[:-1]):
        raise ShapeError(
            f"multi_margin_loss: inconsistent target size, expected {list(input.shape[:-1])} but got "
            f"{list(target.shape)}"
        )
    label, classes = unsqueeze(target, -1), input.shape[-1]
    room = _above_zero(margin - gather(input, label, dim=input.ndim - 1) + input) ** p
    if weight is not None:
        room = room * wrap(constant_weights(weight, "multi_margin_loss")[label._data])
    loss = sum(where(eq(label, np.arange(classes)), 0.0, room), dim=input.ndim - 1) / classes
    return reduced(loss, chosen_reduction(size_average, reduce, reduction))


@titling
def multilabel_margin_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the sum over targets j and other classes i of max(0, 1 - x[j] + x[i]), divided by the number of classes.

    Shapes: x and target (N, C) or (C,); the targets of a row are the classes before its first -1.
    """
    same_shape("multilabel_margin_loss", input, target)
    classes = input.shape[-1] if input.ndim else 1
    x, labels = reshape(input, shape=(-1, classes)), target._data.reshape(-1, classes)
    counted = np.cumsum(labels < 0, 1) == 0
    labels = np.where(counted, labels, 0)
    chosen = _marked(labels, counted)
    gaps = _above_zero(1 - unsqueeze(gather(x, wrap(labels), dim=1), 2) + unsqueeze(x, 1))
    loss = sum(where(counted[:, :, None] & ~chosen[:, None, :], gaps, 0.0), dim=(1, 2)) / classes
    loss = loss if input.ndim == 2 else reshape(loss, shape=())
    return reduced(loss, chosen_reduction(size_average, reduce, reduction))


def _marked(labels: Array, counted: Array) -> Array:
    """Return for each row which classes are among its labels."""
    chosen = np.zeros(labels.shape, bool)
    rows, places = np.nonzero(counted)
    chosen[rows, labels[rows, places]] = True
    return chosen


def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the binary cross-entropy of sigmoid(x), averaged over the classes (the last dim)."""
    same_shape("multilabel_soft_margin_loss", input, target)
    loss = -(target * log_sigmoid(input) + (1 - target) * log_sigmoid(-input))
    loss = loss if weight is None else loss * weight
    return reduced(mean(loss, dim=input.ndim - 1), chosen_reduction(size_average, reduce, reduction))


def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return max(0, d(anchor, positive) - d(anchor, negative) + margin), for p-norm distances d of vectors (N, D).

    With `swap`, the negative's distance from the positive counts if it is the smaller one.
    """

    def distance(a: Tensor, b: Tensor) -> Tensor:
        return pairwise_distance(a, b, p, eps)

    how = chosen_reduction(size_average, reduce, reduction)
    return triplet_margin_with_distance_loss(
        anchor, positive, negative, distance_function=distance, margin=margin, swap=swap, reduction=how
    )


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """Return `triplet_margin_loss` for a distance of one's own (None: that of `pairwise_distance`)."""
    if margin <= 0:
        raise ArgumentError(f"margin must be greater than 0, got {margin}")
    distance = distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = minimum(far, distance(positive, negative))
    return reduced(_above_zero(margin + near - far), reduction)

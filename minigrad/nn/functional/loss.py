"""The losses as functions, with PyTorch's arguments, among them the two old ones that `reduction` has replaced."""

from __future__ import annotations

from minigrad.errors import ArgumentError
from minigrad.ops import loss
from minigrad.tensor import Tensor


def chosen_reduction(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """Return the reduction, in which the old `size_average` and `reduce` have the last word if they are given.

    Raises ArgumentError for a reduction that is not one.

    >>> chosen_reduction(None, None, "mean"), chosen_reduction(False, None, "mean")
    ('mean', 'sum')
    """
    if reduction not in ("mean", "sum", "none"):
        raise ArgumentError(f"{reduction} is not a valid value for reduction; use 'mean', 'sum' or 'none'")
    if size_average is None and reduce is None:
        return reduction
    return "none" if reduce is False else "sum" if size_average is False else "mean"


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Return the cross-entropy of scores (N, C, ...) or (C,) and classes (N, ...) or (), which are int64.

    A floating-point target of the scores' shape holds probabilities. The scores are raw: log_softmax is applied here.
    Raises ShapeError or DTypeError if the target does not fit, OutOfRangeError for a class that there is not.

    >>> import minigrad as mg
    >>> cross_entropy(mg.tensor([[0.0, 0.0]]), mg.tensor([1]))
    tensor(0.6931)
    """
    how = chosen_reduction(size_average, reduce, reduction)
    return loss.cross_entropy(input, target, weight, ignore_index, how, label_smoothing)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return minus the log-probability, from `input` (N, C, ...) or (C,), of the classes (N, ...) or ()."""
    return loss.nll_loss(input, target, weight, ignore_index, chosen_reduction(size_average, reduce, reduction))


def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the squared difference of two tensors of one shape. Raises ShapeError if they have two."""
    return loss.mse_loss(input, target, chosen_reduction(size_average, reduce, reduction))


def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return the absolute difference of two tensors of one shape. Raises ShapeError if they have two."""
    return loss.l1_loss(input, target, chosen_reduction(size_average, reduce, reduction))


def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """Return d**2 / (2 beta) for differences d below `beta`, else |d| - beta / 2."""
    return loss.smooth_l1_loss(input, target, chosen_reduction(size_average, reduce, reduction), beta)


def huber_loss(input: Tensor, target: Tensor, reduction: str = "mean", delta: float = 1.0) -> Tensor:
    """Return d**2 / 2 for differences d below `delta`, else delta * (|d| - delta / 2)."""
    return loss.huber_loss(input, target, reduction, delta)


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return -(t log x + (1 - t) log(1 - x)) for probabilities x; a logarithm below -100 counts as -100.

    Raises ShapeError if the shapes differ, OutOfRangeError for an `input` outside [0, 1].
    """
    return loss.binary_cross_entropy(input, target, weight, chosen_reduction(size_average, reduce, reduction))


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Return the binary cross-entropy of sigmoid(input), exact for scores of any size."""
    how = chosen_reduction(size_average, reduce, reduction)
    return loss.binary_cross_entropy_with_logits(input, target, weight, pos_weight, how)

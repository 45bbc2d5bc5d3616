"""Losses: one number (or one per sample) that says how far predictions are from targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.dtypes import Array, numpy_dtype
from minigrad.errors import ArgumentError, DTypeError, GraphError, OutOfRangeError, ShapeError
from minigrad.graph import Recordable, composite, primitive
from minigrad.kernels import loss as kernel
from minigrad.ops.elementwise import abs, eq, ge, le, log, logical_and, lt, maximum, sigmoid, square, to, where
from minigrad.ops.index import gather
from minigrad.ops.reduce import count_over, divided, log_softmax, mean, sum
from minigrad.ops.shape import reshape, unsqueeze

log_sigmoid = primitive(
    "log_sigmoid",
    lambda x: np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))),
    casts="float",
    x=lambda g, x: g * sigmoid(-x),
)


_INT64 = np.dtype(np.int64)
REDUCTIONS = ("mean", "sum", "none")


def _log_at_least_minus_100(x: Any) -> Any:
    return maximum(log(x), -100.0)


# One element of the binary cross-entropy. Its own rule, because log(0) has none: a saturated prediction gets the
# large, finite gradient that PyTorch gives it.
bernoulli_nll = primitive(
    "bernoulli_nll",
    lambda x, t: (t - 1) * np.maximum(np.log1p(-x), -100) - t * np.maximum(np.log(x), -100),
    casts="float",
    x=lambda g, x, t: g * (x - t) / maximum((1.0 - x) * x, 1e-12),
    t=lambda g, x: g * (_log_at_least_minus_100(1.0 - x) - _log_at_least_minus_100(x)),
)

# The cross-entropy of scores against class labels in one node: what forward computed on the way, the softmax, is its
# second output, so that the rule can use it and second derivatives flow through it.
label_cross_entropy = primitive(
    "label_cross_entropy", kernel.label_cross_entropy, outputs=("y", "share"), casts="floating", cast_from=1,
    label=None,
    x=lambda g, label, share, dim, reduction, g_share=None: _label_rule(g, label, share, dim, reduction, g_share),
)  # fmt: skip


def _label_rule(g: Any, label: Any, share: Any, dim: int, reduction: str, g_share: Any) -> Any:
    """Return (softmax(x) - one_hot(label)) g, and what came for the softmax itself."""
    if reduction == "mean":
        g = divided(g, count_over(share.shape, None) // share.shape[dim])
    elif reduction == "none":
        g = unsqueeze(g, dim)
    gradient = (share - eq(unsqueeze(label, dim), _classes(share.shape[dim], share.ndim - 1 - dim))) * g
    if reduction == "none":
        gradient = gradient + 0.0  # of ignored rows, g being 0, not -0
    return gradient if g_share is None else gradient + share * (g_share - sum(g_share * share, dim=dim, keepdim=True))


def _classes(count: int, dims_after: int) -> Array:
    """Return 0, 1, 2, ... up to `count` classes, with so many dims of size 1 after them."""
    return np.arange(count).reshape(-1, *(1,) * dims_after)


@composite
def cross_entropy(
    x: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Return -log softmax(x)[target], for scores (N, C, ...) or (C,) and classes (N, ...) or ().

    A floating-point `target` of the shape of `x` holds probabilities instead of classes. `label_smoothing` moves that
    share of the target's probability evenly to all classes. The mean is weighted by `weight`, one per class.
    """
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError(f"cross_entropy: label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    if reduction not in REDUCTIONS:
        raise _no_reduction(reduction)
    if values(target).dtype.kind != "f" or target.shape != x.shape:
        return _nll(x, target, weight, ignore_index, reduction, label_smoothing, "cross_entropy")
    dim = _class_dim(x, "cross_entropy")
    scores = log_softmax(x, dim=dim)
    if weight is not None:
        scores = scores * _per_class(weight, scores, dim)
    shared = target * (1 - label_smoothing) + label_smoothing / x.shape[dim] if label_smoothing else target
    return reduced(-sum(scores * shared, dim=dim), reduction)


@composite
def nll_loss(x: Any, target: Any, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """Return -x[target], for log-probabilities (N, C, ...) or (C,) and classes (N, ...) or ()."""
    return _nll(x, target, weight, ignore_index, reduction, 0.0, "nll_loss")


def _nll(x: Any, target: Any, weight: Any, ignore_index: int, reduction: str, smoothing: float, name: str) -> Any:
    """Return the negative log-likelihood of the labels, a share `smoothing` of it that of all classes evenly."""
    dim = _class_dim(x, name)
    labels, ignored = _checked_labels(x, target, dim, ignore_index, name)
    if ignored is not None:
        target = labels = np.where(ignored, 0, labels)
    if name == "cross_entropy" and not smoothing:
        plain = weight is None and ignored is None
        loss = label_cross_entropy(target, x, dim=dim, reduction=reduction if plain else "none")[0]
        if plain:
            return loss
    else:
        x = log_softmax(x, dim=dim) if name == "cross_entropy" else x
        loss = -reshape(gather(x, unsqueeze(target, dim), dim=dim), shape=labels.shape)
    weights = None
    if weight is not None:
        _class_weights(weight, x.shape[dim], name)
        weights = constant_weights(weight, name)[labels]
        loss = loss * weights
    if smoothing:
        every = x if weight is None else x * _per_class(weight, x, dim)
        loss = (1 - smoothing) * loss - (smoothing / x.shape[dim]) * sum(every, dim=dim)
    if ignored is not None:
        loss = where(ignored, 0.0, loss)
    if reduction != "mean" or (weights is None and ignored is None):
        return reduced(loss, reduction)
    kept = np.True_ if ignored is None else ~ignored
    total = np.sum(kept if weights is None else weights * kept)
    return sum(loss) / np.asarray(total, numpy_dtype(x.dtype))  # 0 / 0 where all are ignored: nan, as in PyTorch


@composite
def mse_loss(x: Any, target: Any, reduction: str = "mean") -> Any:
    """Return the squared difference, (x - target)**2."""
    same_shape("mse_loss", x, target)
    return reduced(square(x - target), reduction)


@composite
def l1_loss(x: Any, target: Any, reduction: str = "mean") -> Any:
    """Return the absolute difference, |x - target|."""
    same_shape("l1_loss", x, target)
    return reduced(abs(x - target), reduction)


@composite
def smooth_l1_loss(x: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Any:
    """Return d**2 / (2 beta) where the difference d is below `beta`, and |d| - beta / 2 elsewhere."""
    if beta < 0:
        raise ArgumentError(f"smooth_l1_loss does not support negative values for beta, got {beta}")
    if beta == 0:
        return l1_loss(x, target, reduction)
    same_shape("smooth_l1_loss", x, target)
    return reduced(_huber(x - target, beta) / beta, reduction)


@composite
def huber_loss(x: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """Return d**2 / 2 where the difference d is below `delta`, and delta (|d| - delta / 2) elsewhere (Huber, 1964)."""
    if delta <= 0:
        raise ArgumentError(f"huber_loss does not support non-positive values for delta, got {delta}")
    same_shape("huber_loss", x, target)
    return reduced(_huber(x - target, delta), reduction)


def _huber(difference: Any, delta: float) -> Any:
    away = abs(difference)
    return where(lt(away, delta), 0.5 * square(difference), delta * (away - 0.5 * delta))


@composite
def binary_cross_entropy(x: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """Return -(t log x + (1 - t) log(1 - x)) for probabilities x in [0, 1]; logarithms are at least -100."""
    same_shape("binary_cross_entropy", x, target)
    inside = logical_and(ge(x, 0.0), le(x, 1.0))
    if not values(inside).all():
        place = first_place(~values(inside))
        raise OutOfRangeError(
            f"binary_cross_entropy: all elements of input should be between 0 and 1, but input{place} is "
            f"{values(x)[tuple(place)]}; for scores before the sigmoid use binary_cross_entropy_with_logits"
        )
    loss = bernoulli_nll(x, target)
    return reduced(loss if weight is None else loss * weight, reduction)


@composite
def binary_cross_entropy_with_logits(
    x: Any, target: Any, weight: Any = None, pos_weight: Any = None, reduction: str = "mean"
) -> Any:
    """Return the binary cross-entropy of sigmoid(x), exact for scores `x` of any size; `pos_weight` scales the t's."""
    same_shape("binary_cross_entropy_with_logits", x, target)
    if target.dtype != x.dtype:
        target = to(target, dtype=numpy_dtype(x.dtype))
    scale = 1.0 if pos_weight is None else target * (pos_weight - 1.0) + 1.0
    loss = (1.0 - target) * x - scale * log_sigmoid(x)
    return reduced(loss if weight is None else loss * weight, reduction)


def reduced(loss: Any, reduction: str) -> Any:
    """Return the losses as they are ("none"), or their "mean" or "sum"."""
    if reduction == "mean":
        return mean(loss)
    if reduction == "sum":
        return sum(loss)
    if reduction == "none":
        return loss
    raise _no_reduction(reduction)


def _no_reduction(reduction: str) -> ArgumentError:
    return ArgumentError(f"{reduction} is not a valid value for reduction; use 'mean', 'sum' or 'none'")


def values(x: Any) -> Array:
    """Return the array of `x`, which may be a tensor, to look at."""
    return x._data if isinstance(x, Recordable) else np.asarray(x)


def same_shape(name: str, x: Any, target: Any) -> None:
    """Raise ShapeError unless both have one shape: (N, 1) against (N,) would make N x N differences."""
    got, wanted = tuple(target.shape), tuple(x.shape)
    if got != wanted:
        fix = "they must be equal"
        if values(x).size == values(target).size:
            fix = "write target.view_as(input), or input.view_as(target)"
        raise ShapeError(
            f"{name}: Using a target size {got} that is different to the input size {wanted}; losses do not "
            f"broadcast: {fix}"
        )


def first_place(mask: Array) -> list[int]:
    """Return the index of the first True in `mask`."""
    return [int(i) for i in np.argwhere(mask)[0]]


def _class_dim(x: Any, name: str) -> int:
    if values(x).ndim == 0:
        raise ShapeError(f"{name}: the input must have a dim of classes, (C,) or (N, C, ...), got a 0-d tensor")
    return 0 if values(x).ndim == 1 else 1


def _per_class(weight: Any, x: Any, dim: int) -> Any:
    """Return the class weights in a shape that broadcasts along the class dim of `x`."""
    _class_weights(weight, x.shape[dim], "cross_entropy")
    return reshape(weight, shape=tuple(x.shape[dim] if i == dim else 1 for i in range(x.ndim)))


def constant_weights(weight: Any, name: str) -> Array:
    """Return the array of class weights that labels pick from. Raises GraphError if they require grad."""
    if getattr(weight, "requires_grad", False):
        raise GraphError(f"{name}: the loss is not differentiable with respect to argument 'weight'; detach() it")
    return values(weight)


def _class_weights(weight: Any, classes: int, name: str) -> None:
    array = values(weight)
    if array.shape != (classes,):
        raise ShapeError(
            f"{name}: weight tensor should be defined either for all {classes} classes or no classes, "
            f"got shape {array.shape}"
        )


def _checked_labels(x: Any, target: Any, dim: int, ignore_index: int, name: str) -> tuple[Array, Array | None]:
    """Return the labels, and where they are to be ignored (None: nowhere); or say what is wrong with them."""
    labels, shape = values(target), values(x).shape
    wanted = (*shape[:dim], *shape[dim + 1 :])
    if labels.dtype.kind not in "iu":
        either = f" (or, as probabilities, shape {shape})" if name == "cross_entropy" else ""
        raise DTypeError(
            f"{name}: expected a target of int64 class indices of shape {wanted}{either}, got {labels.dtype} of "
            f"shape {labels.shape}; convert class indices with .long()"
        )
    if labels.shape != wanted:
        raise ShapeError(
            f"{name}: input of shape {shape} needs a target of shape {wanted}, one class per sample, got "
            f"{labels.shape}" + ("; for one-hot rows write target.argmax(1)" if labels.shape == shape else "")
        )
    classes = shape[dim]
    # Seen as unsigned, a negative label is larger than any class: one look finds both kinds of misfit.
    unsigned = labels.view(np.uint64) if labels.dtype is _INT64 else labels.astype(np.int64).view(np.uint64)
    inside = np.maximum.reduce(unsigned, axis=None, initial=0) < classes
    if inside and not 0 <= ignore_index < classes:
        return labels, None
    ignored = labels == ignore_index
    outside = ((labels < 0) | (labels >= classes)) & ~ignored
    if outside.any():
        place = first_place(outside)
        raise OutOfRangeError(
            f"{name}: Target {labels[tuple(place)]} is out of bounds: labels{place} must be one of the classes "
            f"0..{classes - 1}"
        )
    return labels, ignored

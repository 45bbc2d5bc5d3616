"""Connectionist temporal classification: the likelihood of a label sequence, summed over all its alignments."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, ShapeError
from minigrad.ops.elementwise import exp, gt, where
from minigrad.ops.index import gather
from minigrad.ops.loss import reduced
from minigrad.ops.reduce import logsumexp, sum
from minigrad.ops.shape import narrow, squeeze, stack
from minigrad.tensor import Tensor, wrap

_NEVER = -1e30  # the logarithm of a probability of 0: finite, so that nothing becomes nan


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """Return minus the log-likelihood of label sequences (Graves et al., 2006), for log-probabilities (T, N, C).

    `targets` is (N, S), or all sequences one after the other; the lengths are (N,). Without a batch: (T, C), (S,) and
    numbers. "mean" divides each loss by its target's length first. Where no alignment fits, the loss is inf, or 0 with
    `zero_infinity`. Raises ShapeError for lengths that do not fit.
    """
    single = log_probs.ndim == 2
    x = log_probs.unsqueeze(1) if single else log_probs
    steps, labels = _lengths(input_lengths), _lengths(target_lengths)
    if len(steps) != x.shape[1] or len(labels) != x.shape[1] or steps.max(initial=0) > x.shape[0]:
        raise ShapeError(
            f"ctc_loss: log_probs of shape {tuple(log_probs.shape)} need {x.shape[1]} input and target lengths of at "
            f"most {x.shape[0]}, got {steps.tolist()} and {labels.tolist()}"
        )
    extended = _extended(np.asarray(targets._data), labels, blank, x.shape[2])
    loss = -_log_likelihood(x, extended, steps, labels)
    never = gt(loss, -0.5 * _NEVER)
    # The gradient is meant for scores before a log_softmax, as in PyTorch: to them this adds nothing.
    mass = sum(where(np.arange(x.shape[0])[:, None, None] < steps[:, None], exp(x), 0.0), dim=(0, 2))
    loss = where(never, 0.0, loss + (mass - mass.detach()))
    if not zero_infinity:
        loss = loss + mass * where(never, np.inf, 0.0)  # inf, whose gradient before the log_softmax is nan
    if reduction == "mean":
        loss = loss / wrap(np.maximum(labels, 1).astype(x._data.dtype))
    return reduced(squeeze(loss, 0) if single and reduction == "none" else loss, reduction)


def _lengths(given: Any) -> Array:
    return np.atleast_1d(np.asarray(given._data if isinstance(given, Tensor) else given, dtype=np.int64))


def _extended(targets: Array, labels: Array, blank: int, classes: int) -> Array:
    """Return the sequences (N, 2 S + 1) with a blank before, between and after their labels."""
    longest = int(labels.max(initial=0))
    extended = np.full((len(labels), 2 * longest + 1), blank)
    start = 0
    for row, count in enumerate(labels):
        padded = targets.ndim == 2
        extended[row, 1 : 2 * count : 2] = targets[row, :count] if padded else targets[start : start + count]
        start += int(count)
    if not 0 <= blank < classes or (extended.size and not 0 <= extended.min() <= extended.max() < classes):
        raise ArgumentError(f"ctc_loss: blank and targets must be in label range, 0..{classes - 1}")
    return extended


def _log_likelihood(x: Any, extended: Array, steps: Array, labels: Array) -> Any:
    """Return the log-probability that the alignments, one step after the other, add up to."""
    width = extended.shape[1]
    places = np.arange(width)
    # From two places back one may come only to a label that differs from the one there.
    jumps = np.zeros(extended.shape, bool)
    jumps[:, 2:] = (places[2:] % 2 == 1) & (extended[:, 2:] != extended[:, :-2])
    here = [gather(squeeze(narrow(x, dim=0, start=t, length=1), 0), extended, dim=1) for t in range(x.shape[0])]
    alpha = where(places < 2, here[0], _NEVER)
    for t in range(1, x.shape[0]):
        ways = [alpha, _moved(alpha, 1), where(jumps, _moved(alpha, 2), _NEVER)]
        reached = logsumexp(stack(ways, 0), dim=0, keepdim=False) + here[t]
        alpha = where((t < steps)[:, None], reached, alpha)
    ends = (places == 2 * labels[:, None]) | (places == 2 * labels[:, None] - 1)
    return logsumexp(where(ends, alpha, _NEVER), dim=1, keepdim=False)


def _moved(alpha: Any, by: int) -> Any:
    """Return `alpha` moved to the right by so many places."""
    places = np.arange(alpha.shape[1]) - by
    index = np.broadcast_to(np.maximum(places, 0), alpha.shape)
    return where(places >= 0, gather(alpha, index, dim=1), _NEVER)

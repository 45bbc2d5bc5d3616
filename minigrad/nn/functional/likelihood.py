"""Losses that are likelihoods or divergences of distributions."""

from __future__ import annotations

import math
import warnings
from typing import Any

from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn.functional.loss import chosen_reduction
from minigrad.ops.elementwise import clamp, eq, exp, gt, log, square, where
from minigrad.ops.loss import reduced, same_shape
from minigrad.ops.shape import unsqueeze
from minigrad.tensor import Tensor


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Return target * (log target - input), for log-probabilities `input`; with `log_target` the target is one too.

    "batchmean" divides the sum by the size of the first dim, which is the divergence; "mean", by all elements, warns.
    """
    same_shape("kl_div", input, target)
    batchmean = size_average is None and reduce is None and reduction == "batchmean"
    how = "sum" if batchmean else chosen_reduction(size_average, reduce, reduction)
    if how == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size. 'batchmean' divides "
            "only by the batch size, and aligns with the KL math definition.",
            stacklevel=2,
        )
    loss: Any = exp(target) * (target - input) if log_target else _times_log(target) - target * input
    total: Tensor = reduced(loss, how)
    return total / input.shape[0] if batchmean and input.ndim else total


def _times_log(x: Any) -> Any:
    """Return x * log(x), which is 0 at 0."""
    return where(eq(x, 0), 0.0, x * log(where(eq(x, 0), 1.0, x)))


def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: bool | None = None,
    eps: float = 1e-8,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """Return exp(x) - target * x, or for `log_input=False` x - target * log(x + eps).

    With `full`, Stirling's approximation of log(target!) is added for targets above 1.
    """
    same_shape("poisson_nll_loss", input, target)
    loss: Any = exp(input) - target * input if log_input else input - target * log(input + eps)
    if full:
        above = gt(target, 1)
        safe = where(above, target, 1.0)
        loss = loss + where(above, target * log(safe) - target + 0.5 * log(2 * math.pi * safe), 0.0)
    return reduced(loss, chosen_reduction(size_average, reduce, reduction))


def gaussian_nll_loss(
    input: Tensor, target: Tensor, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Tensor:
    """Return (log var + (x - target)^2 / var) / 2, where a variance below `eps` counts as `eps`.

    `var` has the shape of `input`, or that without the last dim, or with 1 for some dims, or is a number. With `full`,
    log(2 pi) / 2 is added. Raises ShapeError for another shape, ArgumentError for a negative variance.
    """
    same_shape("gaussian_nll_loss", input, target)
    if isinstance(var, int | float):
        var = input.detach() * 0 + var
    if var.shape != input.shape:
        if tuple(var.shape) == tuple(input.shape[:-1]):
            var = unsqueeze(var, -1)
        elif var.ndim != input.ndim or any(n not in (1, m) for n, m in zip(var.shape, input.shape, strict=True)):
            raise ShapeError(f"var is of incorrect size: {tuple(var.shape)} for an input of {tuple(input.shape)}")
    if (var._data < 0).any():
        raise ArgumentError("var has negative entry/entries")
    var = var + (clamp(var.detach(), min=eps) - var.detach())  # the bound does not stop the gradient, as in PyTorch
    loss = 0.5 * (log(var) + square(input - target) / var)
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)

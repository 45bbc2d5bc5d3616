"""The line search of L-BFGS: how far to go along a direction, by the strong Wolfe conditions.

A length is good where the loss has fallen enough and its slope has flattened enough. First lengths grow until two of
them have a good one between them; then the bracket shrinks around it. Nocedal and Wright, "Numerical optimization",
2nd edition, 2006, algorithms 3.5 and 3.6; the constants are PyTorch's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minigrad.dtypes import Array

_FALL, _FLATTEN = 1e-4, 0.9  # c1 and c2 of the conditions


class Trial(NamedTuple):
    """A length `t` along the direction, with the loss, the gradient and the slope found there."""

    t: Any
    loss: float
    grad: Array
    slope: Any


Evaluate = Callable[[Any], Trial]


def strong_wolfe(evaluate: Evaluate, start: Trial, t: Any, size: Any, most: int, tolerance: float) -> tuple[Trial, int]:
    """Return the trial to take and how many were made, `most` of them beyond the first.

    `t` is the length to try first, `size` the largest element of the direction; a bracket narrower than `tolerance`
    is not searched further.
    """
    bracket, found, made = _bracket(evaluate, start, t, most)
    low, stuck = _lower(bracket), False
    while not found and made < most and not abs(bracket[1].t - bracket[0].t) * size < tolerance:
        best, other = bracket[low], bracket[1 - low]
        t, stuck = _inside(best, other, stuck)
        new = evaluate(t)
        made += 1
        if new.loss > start.loss + _FALL * t * start.slope or new.loss >= best.loss:
            bracket[1 - low] = new
            low = _lower(bracket)
            continue
        found = abs(new.slope) <= -_FLATTEN * start.slope
        if not found and new.slope * (other.t - best.t) >= 0:
            bracket[1 - low] = best
        bracket[low] = new
    return bracket[low], made + 1


def _lower(bracket: list[Trial]) -> int:
    """Return the place of the trial with the lower loss; of equal ones the first."""
    return 0 if bracket[0].loss <= bracket[-1].loss else 1


def _bracket(evaluate: Evaluate, start: Trial, t: Any, most: int) -> tuple[list[Trial], bool, int]:
    """Return two trials with a good one between them, or a good one and True; and how many further ones were made."""
    before, new, made = start._replace(t=0), evaluate(t), 0
    while made < most:
        fell = new.loss <= start.loss + _FALL * new.t * start.slope
        if not fell or (made > 1 and new.loss >= before.loss):
            return [before, new], False, made
        if abs(new.slope) <= -_FLATTEN * start.slope:
            return [new], True, made
        if new.slope >= 0:
            return [before, new], False, made
        t = _cubic(before, new, (new.t + 0.01 * (new.t - before.t), new.t * 10))
        before, new, made = new, evaluate(t), made + 1
    return [start._replace(t=0), new], False, made


def _inside(low: Trial, high: Trial, stuck: bool) -> tuple[Any, bool]:
    """Return a length between two trials, and whether it is close to an end: twice running it is moved inwards."""
    left, right = min(low.t, high.t), max(low.t, high.t)
    t, margin = _cubic(low, high, (left, right)), 0.1 * (right - left)
    if not min(right - t, t - left) < margin:
        return t, False
    if not (stuck or t >= right or t <= left):
        return t, True
    return (right - margin if abs(t - right) < abs(t - left) else left + margin), False


def _cubic(a: Trial, b: Trial, bounds: tuple[Any, Any]) -> Any:
    """Return where, within `bounds`, the cubic through two trials is least; their middle if it has no minimum."""
    if a.t > b.t:
        a, b = b, a
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1**2 - a.slope * b.slope
    if not square >= 0:
        return (bounds[0] + bounds[1]) / 2.0
    d2 = np.sqrt(square)
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
    return min(max(t, bounds[0]), bounds[1])

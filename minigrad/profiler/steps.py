"""Which steps of a program a profile measures."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from enum import Enum

from minigrad.errors import ArgumentError


class ProfilerAction(Enum):
    """What a profile does in a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3  # the last of those recorded together


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0, skip_first_wait: int = 0
) -> Callable[[int], ProfilerAction]:
    """Return the schedule of a profile that measures some steps only: what to do in each, numbered from 0.

    After `skip_first` steps it waits for `wait` steps, warms up for `warmup` (measures, and forgets), records
    `active`, and begins again, `repeat` times in all (0: until the end). If `skip_first_wait` is not 0 the first
    cycle does not wait. Raises ArgumentError for a negative number, and if nothing is active.

    >>> [schedule(wait=1, warmup=1, active=2, repeat=1)(step).name for step in range(5)]
    ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE', 'NONE']
    """
    if min(wait, warmup, active - 1, repeat, skip_first) < 0:
        raise ArgumentError(
            f"Invalid profiler schedule arguments. Got wait={wait} (need >= 0), warmup={warmup} (need >= 0), "
            f"active={active} (need > 0), repeat={repeat} (need >= 0), skip_first={skip_first} (need >= 0)."
        )
    if warmup == 0:
        warnings.warn("Profiler won't be using warmup, this can skew profiler results", stacklevel=2)
    length = wait + warmup + active

    def action(step: int) -> ProfilerAction:
        if step < 0:
            raise ArgumentError(f"Step must be non-negative. Got {step}.")
        if step < skip_first:
            return ProfilerAction.NONE
        cycle, at = divmod(step - skip_first + (wait if skip_first_wait else 0), length)
        if at < wait or 0 < repeat <= cycle:
            return ProfilerAction.NONE
        if at < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD if at < length - 1 else ProfilerAction.RECORD_AND_SAVE

    return action

"""PyTorch's newer profiler by name: it runs the block and measures nothing yet."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from minigrad.autograd.profiler import profile, record_function

__all__ = ["ProfilerActivity", "profile", "record_function", "schedule", "tensorboard_trace_handler"]


class ProfilerActivity(Enum):
    """What may be measured; here only ever the CPU."""

    CPU = 0
    CUDA = 1


def schedule(**steps: int) -> Callable[[int], Any]:
    """Accept the steps at which to wait, warm up and measure."""
    return lambda step: None


def tensorboard_trace_handler(*args: Any, **kwargs: Any) -> Callable[[Any], None]:
    """Return what does nothing with a finished profile: there is no trace to write."""
    return lambda finished: None

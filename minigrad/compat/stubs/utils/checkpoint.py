"""torch.utils.checkpoint: saving memory by computing twice. Here nothing is computed twice, and nothing is saved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def checkpoint(function: Callable[..., Any], *args: Any, use_reentrant: bool | None = None, **kwargs: Any) -> Any:
    """Return `function(*args, **kwargs)`; the results are those of PyTorch, the memory is that of a plain call."""
    kwargs = {k: v for k, v in kwargs.items() if k not in ("preserve_rng_state", "determinism_check", "debug")}
    return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Return what a Sequential, or functions one after the other, make of `input`; `segments` changes nothing."""
    for function in functions:
        input = function(input)
    return input

"""Where kernels run: NumPy's floating-point warnings are off inside and untouched outside.

inf and nan are values here, as in PyTorch, and not worth a warning. `np.errstate` around each op would cost more than
the op; a context prepared once, in which they are already off, costs a tenth of it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context, ContextVar
from typing import Any

import numpy as np


def _prepare(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Prepare a quiet context for the calls to come, and run this one in it."""
    context = Context()
    context.run(np.seterr, all="ignore")
    quietly.set(context.run)
    return context.run(function, *args, **kwargs)


# `quietly.get()(function, *args)` runs a kernel. Every thread and task finds a context of its own, or makes one.
quietly: ContextVar[Callable[..., Any]] = ContextVar("quietly", default=_prepare)


def again(error: RuntimeError, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Run a kernel in a fresh quiet context, where `error` came because the old one was entered already.

    That happens where one context was copied into two threads. A kernel's own error is raised as it is.
    """
    if "cannot enter context" not in str(error):
        raise error
    return _prepare(function, *args, **kwargs)


def run(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Run `function` quietly; what calls kernels many times a step writes these lines out itself."""
    try:
        return quietly.get()(function, *args, **kwargs)
    except RuntimeError as error:
        return again(error, function, args, kwargs)

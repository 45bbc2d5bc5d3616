"""torch.jit without a compiler: a scripted or traced module is the module itself."""

from __future__ import annotations

from typing import Any

from minigrad.compat.refusals import never, refuse

_LATER = "it comes later; save the state_dict() with minigrad.save"
is_scripting = is_tracing = never
save = refuse("torch.jit.save", _LATER)
load = refuse("torch.jit.load", "it comes later; build the module and load its state_dict()")


def script(obj: Any, *args: Any, **kwargs: Any) -> Any:
    """Return `obj`, a module, function or class, as it is; also as a decorator."""
    return obj


def trace(func: Any, example_inputs: Any = None, *args: Any, **kwargs: Any) -> Any:
    """Return `func` as it is."""
    return func


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """Return the function it decorates, with or without arguments."""
    return drop if callable(drop) else lambda function: function


def export(fn: Any) -> Any:
    """Return the function it decorates."""
    return fn


unused = export

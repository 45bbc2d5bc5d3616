"""How a stub says no."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.errors import ArgumentError

WHY = "minigrad computes on the CPU"


def refuse(name: str, why: str = WHY) -> Callable[..., Any]:
    """Return a function that raises ArgumentError, naming itself and the reason, however it is called."""

    def refused(*args: Any, **kwargs: Any) -> Any:
        raise ArgumentError(f"{name} is not available: {why}")

    refused.__name__ = refused.__qualname__ = name.rpartition(".")[2]
    refused.__doc__ = f"Raise ArgumentError: {why}."
    return refused


def refused_class(name: str, why: str = WHY) -> Any:
    """Return a class that nothing is an instance of, and that raises ArgumentError when it is called."""
    return type(name.rpartition(".")[2], (), {"__new__": refuse(name, why), "__doc__": f"Not available: {why}."})


def nothing(*args: Any, **kwargs: Any) -> None:
    """Do nothing: there is no device to do it on."""


def never(*args: Any, **kwargs: Any) -> bool:
    """Return False."""
    return False


def none_at_all(*args: Any, **kwargs: Any) -> int:
    """Return 0."""
    return 0

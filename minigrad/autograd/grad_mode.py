"""Switching recording off and on: context managers that are decorators too."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from minigrad.graph import recording

F = TypeVar("F", bound=Callable[..., Any])


class _Mode:
    """Holds recording at one value inside a `with` block or a decorated function; one object may be nested."""

    def __init__(self, mode: bool) -> None:
        self.mode = mode
        self._previous: dict[int, list[bool]] = {}  # by thread, for an object that several threads use

    def __enter__(self) -> None:
        self._previous.setdefault(threading.get_ident(), []).append(recording.get())
        recording.set(self.mode)

    def __exit__(self, *exception: object) -> None:
        recording.set(self._previous[threading.get_ident()].pop())

    def __call__(self, function: F) -> F:
        mode = self.mode

        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with _Mode(mode):
                return function(*args, **kwargs)

        if inspect.isgeneratorfunction(function):
            inside = functools.wraps(function)(_stepping(function, mode))
        return inside  # type: ignore[return-value]


def _stepping(function: Callable[..., Any], mode: bool) -> Callable[..., Any]:
    """Return a generator function whose steps, but not what happens between them, run in `mode`."""

    def steps(*args: Any, **kwargs: Any) -> Any:
        generator, sent = function(*args, **kwargs), None
        try:
            while True:
                with _Mode(mode):
                    try:
                        item = generator.send(sent)
                    except StopIteration as end:
                        return end.value
                sent = yield item
        finally:
            generator.close()

    return steps


class no_grad(_Mode):
    """Record nothing inside: results do not require grad, and leaves may be written in place.

    A new thread starts with recording on, whatever the thread that started it does.

    >>> import minigrad as mg
    >>> x = mg.ones(2, requires_grad=True)
    >>> with mg.no_grad():
    ...     (x * 2).requires_grad
    False
    """

    def __new__(cls, function: Any = None) -> Any:
        """Make a context manager, or decorate at once when used as a bare `@no_grad`."""
        return super().__new__(cls) if function is None else no_grad()(function)

    def __init__(self, function: Any = None) -> None:
        super().__init__(False)


class enable_grad(_Mode):
    """Record inside, also within `no_grad`."""

    def __new__(cls, function: Any = None) -> Any:
        """Make a context manager, or decorate at once when used as a bare `@enable_grad`."""
        return super().__new__(cls) if function is None else enable_grad()(function)

    def __init__(self, function: Any = None) -> None:
        super().__init__(True)


class set_grad_enabled(_Mode):
    """Switch recording on or off, at once as a call and until the end of the block as a context manager."""

    def __init__(self, mode: bool) -> None:
        super().__init__(mode)
        super().__enter__()

    def __enter__(self) -> None:
        recording.set(self.mode)

    def __call__(self, function: F) -> F:
        """Decorate a function, which the call that made this object did not mean to affect anything else."""
        self.__exit__()
        return super().__call__(function)


def is_grad_enabled() -> bool:
    """Return whether operations are being recorded."""
    return recording.get()

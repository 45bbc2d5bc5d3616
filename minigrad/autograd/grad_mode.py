"""Switching recording off and on: context managers that are decorators too."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable
from contextvars import ContextVar
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
        mode = self._alike()

        @functools.wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with mode:
                return function(*args, **kwargs)

        if inspect.isgeneratorfunction(function):
            inside = functools.wraps(function)(_stepping(function, mode))
        return inside  # type: ignore[return-value]

    def _alike(self) -> _Mode:
        """Return what a decorated function enters: this mode, on its own."""
        return _Mode(self.mode)


def _stepping(function: Callable[..., Any], mode: _Mode) -> Callable[..., Any]:
    """Return a generator function whose steps, but not what happens between them, run in `mode`."""

    def steps(*args: Any, **kwargs: Any) -> Any:
        generator, sent = function(*args, **kwargs), None
        try:
            while True:
                with mode:
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


_inference: ContextVar[bool] = ContextVar("inference", default=False)


class inference_mode(_Mode):
    """Record nothing inside, as `no_grad`; with `mode=False` record again.

    Results are ordinary tensors: unlike PyTorch's they may be used in a graph later.

    >>> with inference_mode():
    ...     is_inference_mode_enabled(), is_grad_enabled()
    (True, False)
    """

    def __new__(cls, mode: Any = True) -> Any:
        """Make a context manager, or decorate at once when used as a bare `@inference_mode`."""
        return super().__new__(cls) if isinstance(mode, bool) else inference_mode()(mode)

    def __init__(self, mode: bool = True) -> None:
        super().__init__(not mode)
        self._before: dict[int, list[bool]] = {}

    def __enter__(self) -> None:
        super().__enter__()
        self._before.setdefault(threading.get_ident(), []).append(_inference.get())
        _inference.set(not self.mode)

    def __exit__(self, *exception: object) -> None:
        _inference.set(self._before[threading.get_ident()].pop())
        super().__exit__(*exception)

    def _alike(self) -> _Mode:
        return inference_mode(not self.mode)


def is_inference_mode_enabled() -> bool:
    """Return whether an `inference_mode` block is running."""
    return _inference.get()

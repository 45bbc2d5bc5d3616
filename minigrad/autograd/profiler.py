"""The profiler's names, so that programs which profile themselves run: nothing is measured yet, and they say so."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError

LATER = "minigrad does not measure the time of its ops yet: the profiler comes later."


class profile:
    """Run a block as PyTorch's profiler would, measuring nothing; tables and traces say that this comes later.

    All arguments are accepted.

    >>> with profile(use_cuda=False) as prof:
    ...     pass
    >>> print(prof.key_averages().table(sort_by="cpu_time_total"))
    minigrad does not measure the time of its ops yet: the profiler comes later.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.arguments = kwargs

    def __enter__(self) -> profile:
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    def start(self) -> None:
        """Begin, which means nothing yet."""

    def stop(self) -> None:
        """End, which means nothing yet."""

    def step(self) -> None:
        """Say that a step of the program is over, which means nothing yet."""

    def key_averages(self, *args: Any, **kwargs: Any) -> Averages:
        """Return the means by op: none."""
        return Averages()

    def events(self) -> Averages:
        """Return what happened: nothing was written down."""
        return Averages()

    def table(self, *args: Any, **kwargs: Any) -> str:
        """Return the sentence that says that nothing was measured."""
        return LATER

    def export_chrome_trace(self, path: str) -> None:
        """Raise ArgumentError: there is no trace to write."""
        raise ArgumentError(LATER)


class Averages(list[Any]):
    """An empty list of measurements whose table is the sentence that says so."""

    def table(self, *args: Any, **kwargs: Any) -> str:
        """Return the sentence that says that nothing was measured."""
        return LATER

    def __str__(self) -> str:
        return LATER

    __repr__ = __str__


class record_function:
    """Name a block, for a profiler that does not measure yet."""

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args

    def __enter__(self) -> record_function:
        return self

    def __exit__(self, *exception: object) -> None:
        return None

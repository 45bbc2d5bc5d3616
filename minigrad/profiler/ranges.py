"""Ranges of a program that have a name in its profile."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ContextDecorator
from time import perf_counter_ns
from typing import Any

from minigrad.profiler.recorder import Recorder, running


class record_function(ContextDecorator):
    """Name what runs in a `with` block, or in each call of a decorated function, in the profiles that are running.

    Without one it does nothing. `args` is more text, for the trace file.

    >>> from minigrad.profiler import profile
    >>> with profile() as p, record_function("preparing"):
    ...     pass
    >>> [event.name for event in p.events()]
    ['preparing']
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args
        self._begun: list[list[tuple[Recorder, Any]]] = []  # one list for each time this is entered and not left

    def _recreate_cm(self) -> record_function:
        return record_function(self.name, self.args)  # for each call of a decorated function, which may be in itself

    def __enter__(self) -> record_function:
        self._begun.append([])
        for recorder in tuple(running):
            begun = recorder.begin_range(self.name)
            if begun is not None:
                begun[2].note = self.args
                self._begun[-1].append((recorder, begun))
        return self

    def __exit__(self, *exception: object) -> None:
        now = perf_counter_ns()
        for recorder, (trace, stack, event) in self._begun.pop():
            event.end = now
            recorder.finish(trace, stack, event)


def each_named(iterator: Iterator[Any], name: str) -> Iterator[Any]:
    """Yield what `iterator` yields, each fetched in a range of that name."""
    while True:
        with record_function(name):
            try:
                item = next(iterator)
            except StopIteration:
                return
        yield item

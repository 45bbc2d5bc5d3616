"""Threads over the batch, and BLAS at one thread, for products too small to be shared among several.

On two threads such a product is little faster at best, and where another program wants a core one thread spins while it
waits for the other: a convolution, which is made of many of them, then takes a hundred times as long. So the images are
divided among the threads instead, and each multiplies its own.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

from minigrad.kernels import quiet

Result = TypeVar("Result")
_WORTH = 4_000_000  # multiplications a thread should have at least: handing work over takes some 50 us
_ALONE = 200_000  # multiplications that BLAS does on one thread anyway


class _OneThread:
    """A scope in which BLAS uses one thread.

    The limit is the process's. The first to enter sets it and the last to leave puts back what was there, so that
    scopes of several threads that overlap neither restore the wrong value nor let go of the limit too early.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depth = 0
        self._before: list[int] = []
        self._libraries: list[Any] | None = None

    def __enter__(self) -> None:
        with self._lock:
            if not self._depth:
                self._before = [library.get_num_threads() for library in self.libraries()]
                self._limit(self._before, [1] * len(self._before))
            self._depth += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._depth -= 1
            if not self._depth:
                self._limit([1] * len(self._before), self._before)

    def set_all(self, count: int) -> None:
        """Let BLAS use `count` threads outside of the scope."""
        with self._lock:
            counts = [count] * len(self.libraries())
            if self._depth:
                self._before = counts
            else:
                self._set(counts)

    def _limit(self, now: list[int], counts: list[int]) -> None:
        """Set the limits if they are not so now: it takes longer than to ask."""
        if now != counts:
            self._set(counts)

    def _set(self, counts: list[int]) -> None:
        """Set the limits and let go of the right to set them, which threadpoolctl else keeps for this thread."""
        for library, count in zip(self.libraries(), counts, strict=True):
            library.set_num_threads(count)
            if hasattr(library, "clear_controlling_thread"):
                library.clear_controlling_thread()

    def libraries(self) -> list[Any]:
        """Return what controls the BLAS libraries that are loaded, looked for once."""
        if self._libraries is None:
            from threadpoolctl import ThreadpoolController

            self._libraries = ThreadpoolController().select(user_api="blas").lib_controllers
        return self._libraries


one_thread = _OneThread()


def _default_count() -> int:
    """Return what MINIGRAD_NUM_THREADS says, or OMP_NUM_THREADS, or the number of CPUs this process may use."""
    for name in ("MINIGRAD_NUM_THREADS", "OMP_NUM_THREADS"):
        said = os.environ.get(name, "")
        if said.isdecimal() and int(said):
            return int(said)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def alone(work: int) -> AbstractContextManager[None]:
    """Return a scope for products of `work` multiplications in all: BLAS has one thread, unless they are few."""
    return nullcontext() if work < _ALONE else one_thread


class _Threads:
    """How many threads a kernel may use, this one among them, and the pool of the others, made when first needed."""

    def __init__(self) -> None:
        self.count = _default_count()
        self._pool: Any = None
        self._lock = threading.Lock()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        """In a forked process there are no other threads yet."""
        self._pool, self._lock = None, threading.Lock()

    def set(self, count: int) -> None:
        """Use `count` threads from now on, BLAS too."""
        with self._lock:
            if self._pool is not None:
                self._pool.shutdown(wait=False)
            self._pool, self.count = None, count
        one_thread.set_all(count)

    def shares(self, work: int) -> bool:
        """Return whether `divided` would have more than one thread do so many multiplications."""
        return self.count > 1 and work >= _WORTH

    def submit(self, function: Callable[[slice], Result], part: slice) -> Any:
        """Have another thread call function(part); return its future."""
        with self._lock:
            if self._pool is None:
                from concurrent.futures import ThreadPoolExecutor

                self._pool = ThreadPoolExecutor(self.count - 1, thread_name_prefix="minigrad")
            return self._pool.submit(quiet.run, function, part)


threads = _Threads()


def divided(function: Callable[[slice], Result], count: int, work: int) -> list[Result]:
    """Call `function` on slices that make up range(count), one for each thread, and return the results in order.

    `work` is the number of multiplications in all. BLAS has one thread meanwhile. The division depends on the number
    of threads alone, so that sums over the parts are the same from run to run.

    >>> divided(lambda part: part.stop - part.start, 10, 0)
    [10]
    """
    parts = min(threads.count, count, 1 + work // _WORTH)
    if work < _ALONE:
        return [function(slice(0, count))]
    with one_thread:
        if parts < 2:
            return [function(slice(0, count))]
        ends = [count * k // parts for k in range(parts + 1)]
        others = [threads.submit(function, slice(a, b)) for a, b in itertools.pairwise(ends[1:])]
        try:
            first = function(slice(0, ends[1]))
        finally:
            results = [other.result() for other in others]
        return [first, *results]

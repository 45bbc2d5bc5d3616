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
from typing import Any, TypeVar

from minigrad.kernels import quiet

Result = TypeVar("Result")
_WORTH = 4_000_000  # multiplications a thread should have at least: handing work over takes some 50 us
_ALONE = 200_000  # multiplications that BLAS does on one thread anyway


class _OneThread:
    """A scope in which BLAS uses one thread.

    The limit is the process's. The thread that is the first to enter sets it, and puts back what was there when it
    leaves; another that enters meanwhile changes nothing, so that two that overlap cannot restore the wrong value.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: int | None = None
        self._depth = 0
        self._blas: Any = None
        self._limit: Any = None

    def __enter__(self) -> None:
        me = threading.get_ident()
        with self._lock:
            if self._holder is None:
                self._limit = self.libraries().limit(limits=1)
                self._limit.__enter__()
                self._holder = me
            if self._holder == me:
                self._depth += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            if self._holder != threading.get_ident():
                return
            self._depth -= 1
            if not self._depth:
                self._holder = None
                self._limit.__exit__(None, None, None)

    def libraries(self) -> Any:
        """Return what controls the BLAS libraries that are loaded, looked for once."""
        if self._blas is None:
            from threadpoolctl import ThreadpoolController

            self._blas = ThreadpoolController().select(user_api="blas")
        return self._blas


one_thread = _OneThread()


def _default_count() -> int:
    """Return what MINIGRAD_NUM_THREADS says, or OMP_NUM_THREADS, or the number of CPUs this process may use."""
    for name in ("MINIGRAD_NUM_THREADS", "OMP_NUM_THREADS"):
        said = os.environ.get(name, "")
        if said.isdecimal() and int(said):
            return int(said)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
        one_thread.libraries().limit(limits=count)

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

"""BLAS at one thread, for products too small to be shared among several.

On two threads such a product is little faster at best, and where another program wants a core one thread spins while it
waits for the other: a convolution, which is made of many of them, then takes a hundred times as long.
"""

from __future__ import annotations

import threading
from typing import Any


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
                self._limit = self._libraries().limit(limits=1)
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

    def _libraries(self) -> Any:
        """Return what controls the BLAS libraries that are loaded, looked for once."""
        if self._blas is None:
            from threadpoolctl import ThreadpoolController

            self._blas = ThreadpoolController().select(user_api="blas")
        return self._blas


one_thread = _OneThread()

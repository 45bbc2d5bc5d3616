"""BLAS at one thread, for products too small to be shared among several.

On two threads such a product is little faster at best, and where another program wants a core one thread spins while it
waits for the other: a convolution, which is made of many of them, then takes a hundred times as long.
"""

from __future__ import annotations

import threading
from typing import Any


class _OneThread:
    """A scope in which BLAS uses one thread; the limit is the process's, so the last one out restores it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._blas: Any = None
        self._limits: Any = None

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                if self._blas is None:
                    from threadpoolctl import ThreadpoolController

                    self._blas = ThreadpoolController().select(user_api="blas")
                self._limits = self._blas.limit(limits=1)
            self._inside += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._limits.restore_original_limits()


one_thread = _OneThread()

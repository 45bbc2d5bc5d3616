"""What observers share: taking their place and giving it back, the lines of the program, and finding nan.

An observer (`graph.Observer`) hands on to the one it displaced. Those that come and go in any order, not only as
blocks nest, `take` and `leave`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np

from minigrad import graph
from minigrad.dtypes import Array

_HERE = str(Path(__file__).parent) + os.sep


def take(observer: graph.Observer) -> None:
    """Let `observer` stand around every op and rule, and those that stand there already inside of it."""
    observer.inner = graph.observe(None)
    graph.observe(observer)


def leave(observer: graph.Observer) -> None:
    """Take `observer` away, wherever among the others it stands; if it is not there, nothing happens."""
    if graph.observer is observer:
        graph.observe(observer.inner)
    else:
        outer = graph.observer
        while outer is not None and outer.inner is not observer:
            outer = outer.inner
        if outer is not None:
            outer.inner = observer.inner
    observer.inner = None


def is_watching(observer: graph.Observer) -> bool:
    """Return whether `observer` is among those that are called."""
    at = graph.observer
    while at is not None and at is not observer:
        at = at.inner
    return at is not None


def program(frame: Any) -> Iterator[tuple[CodeType, int]]:
    """Yield the lines of the program that led to `frame`, those outside of minigrad, the innermost first."""
    while frame is not None:
        if not frame.f_code.co_filename.startswith(_HERE):
            yield frame.f_code, frame.f_lineno
        frame = frame.f_back


def has_nan(array: Array) -> bool:
    """Return whether an element is nan.

    >>> has_nan(np.array([1.0, np.inf, -np.inf])), has_nan(np.array([np.nan]))
    (False, True)
    """
    if array.dtype.kind != "f":
        return False
    with np.errstate(all="ignore"):  # a sum is quicker than a test of each, and finite where nothing is amiss
        return not np.isfinite(np.add.reduce(array, axis=None)) and bool(np.isnan(array).any())

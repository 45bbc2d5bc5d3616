"""Kernels that compute in float32 what they are given in float16, as PyTorch's do: sums of squares would overflow."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

HALF, SINGLE = np.dtype(np.float16), np.dtype(np.float32)


def in_float32(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Return `kernel`, which for a first array of float16 computes in float32 and rounds at the end.

    >>> mean = in_float32(lambda x: x.sum() / x.size)
    >>> mean(np.ones(70000, np.float16))
    np.float16(1.0)
    """

    @functools.wraps(kernel)
    def wrapped(x: Any, *others: Any, **settings: Any) -> Any:
        if x.dtype is not HALF:
            return kernel(x, *others, **settings)
        computed = kernel(_from_half(x), *map(_from_half, others), **settings)
        return tuple(map(_to_half, computed)) if type(computed) is tuple else _to_half(computed)

    wrapped.__kwdefaults__ = kernel.__kwdefaults__  # type: ignore[attr-defined]
    return wrapped


def _from_half(x: Any) -> Any:
    return x.astype(SINGLE) if isinstance(x, np.ndarray) and x.dtype == HALF else x


def _to_half(x: Any) -> Any:
    return x.astype(HALF) if x.dtype == SINGLE else x

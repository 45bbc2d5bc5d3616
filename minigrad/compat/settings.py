"""The functions of `torch` itself that set how it computes: kept where they can be read again, and refused where not.

minigrad's results do not depend on any of them: it is deterministic, always computes in full precision, and leaves the
number of threads to the BLAS library of NumPy (OMP_NUM_THREADS and OPENBLAS_NUM_THREADS in the environment set it).
"""

from __future__ import annotations

import os
from typing import Any

from minigrad.arraylike import check_device
from minigrad.errors import ArgumentError
from minigrad.kernels.threads import threads

_PRECISIONS = ("highest", "high", "medium")
_kept: dict[str, Any] = {"deterministic": False, "warn_only": False, "precision": "highest"}
_kept["interop"] = os.cpu_count() or 1


def compile(model: Any = None, **settings: Any) -> Any:
    """Return `model`, a module or function, as it is: nothing is compiled; also as a decorator with arguments.

    >>> @compile(mode="max-autotune")
    ... def double(x):
    ...     return 2 * x
    >>> double(4)
    8
    """
    return (lambda function: function) if model is None else model


def set_default_device(device: Any) -> None:
    """Accept the CPU. Raises ArgumentError for another device."""
    check_device(device)


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Keep the setting: minigrad's algorithms are deterministic with and without it."""
    _kept.update(deterministic=bool(mode), warn_only=warn_only)


def are_deterministic_algorithms_enabled() -> bool:
    """Return what `use_deterministic_algorithms` was last told."""
    return bool(_kept["deterministic"])


def set_float32_matmul_precision(precision: str) -> None:
    """Keep the setting: products are always of full precision. Raises ArgumentError for a name that is not one."""
    if precision not in _PRECISIONS:
        raise ArgumentError(f"the precision of products is one of {_PRECISIONS}, not {precision!r}")
    _kept["precision"] = precision


def get_float32_matmul_precision() -> str:
    """Return what `set_float32_matmul_precision` was last told; "highest" at first."""
    return str(_kept["precision"])


def _checked_count(count: int) -> int:
    if not isinstance(count, int) or count < 1:
        raise ArgumentError(f"expected a positive number of threads, got {count!r}")
    return count


def set_num_threads(count: int) -> None:
    """Use `count` threads from now on: convolutions divide the batch among them, and BLAS, also NumPy's own, has them.

    Before the first call there are as many as the environment's MINIGRAD_NUM_THREADS or else OMP_NUM_THREADS says, or
    as the process may use CPUs, and BLAS is left as it is. Results do not depend on the number but for rounding. Raises
    ArgumentError if it is not positive.
    """
    threads.set(_checked_count(count))


def get_num_threads() -> int:
    """Return the number of threads that kernels use."""
    return threads.count


def set_num_interop_threads(count: int) -> None:
    """Keep the number for `get_num_interop_threads`; nothing else changes. Raises ArgumentError if not positive."""
    _kept["interop"] = _checked_count(count)


def get_num_interop_threads() -> int:
    """Return what `set_num_interop_threads` was last told; the number of CPUs at first."""
    return int(_kept["interop"])


def set_flush_denormal(mode: bool) -> bool:
    """Return False: it is not supported, and nothing changes."""
    return False


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """Return False: nothing is computed in a dtype other than its operands'."""
    return False


def get_default_device() -> Any:
    """Return the CPU."""
    import minigrad

    return minigrad.zeros(()).device

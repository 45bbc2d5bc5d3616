"""Anomaly detection: its names, so that programs which switch it on run; what it finds is not looked for yet."""

from __future__ import annotations

from contextvars import ContextVar

_enabled: ContextVar[tuple[bool, bool]] = ContextVar("anomaly", default=(False, True))


class detect_anomaly:
    """Accept a program's wish that NaN in gradients be traced to the op that made it. It has no effect yet.

    >>> with detect_anomaly():
    ...     is_anomaly_enabled()
    True
    """

    def __init__(self, check_nan: bool = True) -> None:
        self._wanted = (True, check_nan)

    def __enter__(self) -> None:
        self._previous = _enabled.get()
        _enabled.set(self._wanted)

    def __exit__(self, *exception: object) -> None:
        _enabled.set(self._previous)


class set_detect_anomaly(detect_anomaly):
    """Like `detect_anomaly`, on or off by `mode`, at once as a call and until the end of the block in a `with`."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._previous = _enabled.get()
        self._wanted = (mode, check_nan)
        _enabled.set(self._wanted)

    def __enter__(self) -> None:
        _enabled.set(self._wanted)


def is_anomaly_enabled() -> bool:
    """Return whether anomaly detection was asked for."""
    return _enabled.get()[0]


def is_anomaly_check_nan_enabled() -> bool:
    """Return whether anomaly detection, where it is asked for, is to look for NaN."""
    return _enabled.get()[1]

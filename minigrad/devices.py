"""Devices by name: programs ask for one, and the CPU is the one there is."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from minigrad.errors import ArgumentError

_TYPES = ("cpu", "cuda", "mps", "xpu", "meta", "mkldnn", "hpu", "xla", "ipu", "mtia", "vulkan")


class device:
    """Where a tensor lies: `device("cpu")`, `device("cuda", 1)`, `device("cuda:1")`.

    One may name a device that is not here; only to put a tensor on it is an error.

    >>> device("cuda:1"), device("cpu").type
    (device(type='cuda', index=1), 'cpu')
    """

    __slots__ = ("index", "type")

    def __init__(self, type: Any, index: int | None = None) -> None:
        name, colon, number = str(type).partition(":")
        if isinstance(type, int):
            name, number, colon = "cuda", str(type), ":"
        if name not in _TYPES or (colon and not number.isdigit()):
            raise ArgumentError(f"Expected one of {', '.join(_TYPES)} device type at start of device string: {type}")
        self.type = name
        self.index = int(number) if colon else index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return (
            f"device(type={self.type!r})" if self.index is None else f"device(type={self.type!r}, index={self.index})"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return device, (self.type, self.index)

    def __enter__(self) -> device:
        check_device(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


CPU = device("cpu")


def check_device(name: Any) -> None:
    """Raise ArgumentError for a device that is not the CPU; None means the CPU."""
    if name is not None and (name if isinstance(name, device) else device(name)).type != "cpu":
        raise ArgumentError(f"device {str(name)!r} is not available: minigrad computes on the CPU")

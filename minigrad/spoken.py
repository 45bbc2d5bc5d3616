"""What the library calls itself in what it prints: `minigrad.float32`, or `torch.float32` while it stands in."""

from __future__ import annotations

_name = "minigrad"


def speak_as(name: str) -> None:
    """Set what reprs of shapes, dtypes and devices call this library: "torch" for a program that runs as torch's."""
    global _name
    _name = name


def spoken() -> str:
    """Return what the reprs call this library; "minigrad" at first."""
    return _name

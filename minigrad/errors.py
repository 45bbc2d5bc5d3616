"""The errors minigrad raises: each says what was wrong, where, and what to do.

Every class is also the built-in exception that PyTorch raises in its place, so `except RuntimeError` in a ported
program goes on working.
"""

from __future__ import annotations


class MinigradError(Exception):
    """Base of all errors of minigrad; `where` is the path of the layer that was running, if one was."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.where: str | None = None

    def __str__(self) -> str:
        message = super().__str__()
        return f"in {self.where}: {message}" if self.where else message


class ShapeError(MinigradError, RuntimeError, ValueError):
    """Shapes that do not fit together."""


class DTypeError(MinigradError, RuntimeError, TypeError):
    """A dtype the operation has no meaning for."""


class GraphError(MinigradError, RuntimeError):
    """A graph that cannot be differentiated as asked, or a write that would make a gradient wrong."""


class OutOfRangeError(MinigradError, IndexError, RuntimeError):
    """An index, label or dimension outside its range."""


class ArgumentError(MinigradError, ValueError, TypeError):
    """An argument whose value makes no sense."""


class StateDictError(MinigradError, RuntimeError, ValueError):
    """A state dict that does not fit the module or optimiser it is loaded into."""


class DataError(MinigradError, RuntimeError, ValueError):
    """A data file that is damaged or is not what its name says."""


class MissingDependencyError(MinigradError, ImportError):
    """A library that this feature needs and that is not installed."""


class LinAlgError(MinigradError, RuntimeError, ValueError):
    """A matrix without the inverse or decomposition that was asked for."""

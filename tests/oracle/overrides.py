"""Where a comparison with PyTorch's samples is not made as the databases have it, each with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from bridge import Unsupported


@dataclass(frozen=True)
class Skip:
    """Samples of an op that are not run: those for which `when(sample, way)` holds."""

    names: tuple[str, ...]
    reason: str
    when: Callable[[Any, str], bool] = lambda sample, way: True


@dataclass(frozen=True)
class Tolerance:
    """A tolerance of our own for an op in one dtype."""

    names: tuple[str, ...]
    reason: str
    dtype: torch.dtype
    rtol: float
    atol: float


SKIPS: tuple[Skip, ...] = ()

TOLERANCES: tuple[Tolerance, ...] = ()

ONLY_SHAPE: dict[str, str] = {
    "empty": "what uninitialised memory holds is nobody's promise",
    "empty_like": "what uninitialised memory holds is nobody's promise",
    "new_empty": "what uninitialised memory holds is nobody's promise",
}


class Overrides:
    """The tables above, by name."""

    def refuse(self, name: str, way: str, sample: Any) -> None:
        """Raise Unsupported with the reason if a sample is listed as not run."""
        for skip in SKIPS:
            if name in skip.names and skip.when(sample, way):
                raise Unsupported(skip.reason)

    def tolerance(self, name: str, dtype: torch.dtype) -> dict[str, float]:
        """Return the tolerance listed for an op, or nothing."""
        found = [t for t in TOLERANCES if name in t.names and t.dtype is dtype]
        return {"rtol": found[0].rtol, "atol": found[0].atol} if found else {}

    def only_shape(self, name: str) -> bool:
        """Return whether only shape and dtype mean anything."""
        return name in ONLY_SHAPE

    def names(self) -> set[str]:
        """Return every name that the tables mention."""
        return {n for row in (*SKIPS, *TOLERANCES) for n in row.names} | set(ONLY_SHAPE)


OVERRIDES = Overrides()

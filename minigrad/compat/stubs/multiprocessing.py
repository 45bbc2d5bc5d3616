"""torch.multiprocessing: Python's own; a tensor that goes to another process is copied, not shared."""

from multiprocessing import *  # noqa: F403
from typing import Any

from minigrad.compat.refusals import refuse
from minigrad.errors import ArgumentError

spawn = refuse("torch.multiprocessing.spawn", "minigrad runs in one process")


def get_all_sharing_strategies() -> set[str]:
    """Return the ways to share memory that may be asked for."""
    return {"file_descriptor", "file_system"}


def get_sharing_strategy() -> str:
    """Return PyTorch's default."""
    return "file_descriptor"


def set_sharing_strategy(new_strategy: Any) -> None:
    """Accept one of the strategies; nothing is shared, so nothing changes. Raises ArgumentError for another."""
    if new_strategy not in get_all_sharing_strategies():
        raise ArgumentError(f"the strategy is one of {sorted(get_all_sharing_strategies())}, not {new_strategy!r}")

"""torch.accelerator where there is none."""

from __future__ import annotations

from minigrad.compat.refusals import never, none_at_all, nothing, refuse

is_available = never
device_count = none_at_all
synchronize = empty_cache = nothing
current_device_index = refuse("torch.accelerator.current_device_index")
set_device_index = refuse("torch.accelerator.set_device_index")


def current_accelerator(check_available: bool = False) -> None:
    """Return None: there is no accelerator."""

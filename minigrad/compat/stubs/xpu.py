"""torch.xpu where there is no such device: not available, nothing to seed or wait for."""

from minigrad.compat.refusals import never, none_at_all, nothing

is_available = never
device_count = current_allocated_memory = memory_allocated = none_at_all
manual_seed = manual_seed_all = seed = synchronize = empty_cache = nothing

"""torch.cuda.memory where there is no GPU: no memory is used, and no history of it is kept."""

from minigrad.compat.refusals import none_at_all, nothing

memory_allocated = max_memory_allocated = memory_reserved = max_memory_reserved = none_at_all
empty_cache = reset_peak_memory_stats = nothing
_record_memory_history = _dump_snapshot = nothing

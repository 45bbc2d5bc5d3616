"""torch.distributed: not available; one process does all."""

from minigrad.compat.refusals import never, refuse

is_available = is_initialized = is_torchelastic_launched = never
_ONE = "minigrad runs in one process"
init_process_group = refuse("torch.distributed.init_process_group", _ONE)
destroy_process_group = refuse("torch.distributed.destroy_process_group", _ONE)
get_rank = refuse("torch.distributed.get_rank", _ONE)
get_world_size = refuse("torch.distributed.get_world_size", _ONE)
all_reduce = refuse("torch.distributed.all_reduce", _ONE)
barrier = refuse("torch.distributed.barrier", _ONE)

"""torch.cuda where there is no GPU: not available, nothing to seed or wait for, and a clear error for the rest."""

from __future__ import annotations

from minigrad.compat.refusals import never, none_at_all, nothing, refuse, refused_class
from minigrad.compat.stubs.cuda import amp, memory

is_available = is_initialized = is_bf16_supported = never
device_count = none_at_all
memory_allocated = max_memory_allocated = memory_reserved = max_memory_reserved = none_at_all
manual_seed = manual_seed_all = seed = seed_all = nothing
synchronize = empty_cache = ipc_collect = nothing
reset_peak_memory_stats = reset_max_memory_allocated = nothing

current_device = refuse("torch.cuda.current_device")
set_device = refuse("torch.cuda.set_device")
get_device_name = refuse("torch.cuda.get_device_name")
get_device_capability = refuse("torch.cuda.get_device_capability")
get_device_properties = refuse("torch.cuda.get_device_properties")
mem_get_info = refuse("torch.cuda.mem_get_info")

device = refused_class("torch.cuda.device")
Stream = refused_class("torch.cuda.Stream")
Event = refused_class("torch.cuda.Event")
FloatTensor = refused_class("torch.cuda.FloatTensor")
DoubleTensor = refused_class("torch.cuda.DoubleTensor")
HalfTensor = refused_class("torch.cuda.HalfTensor")
LongTensor = refused_class("torch.cuda.LongTensor")
IntTensor = refused_class("torch.cuda.IntTensor")
ByteTensor = refused_class("torch.cuda.ByteTensor")
BoolTensor = refused_class("torch.cuda.BoolTensor")

"""torch.backends.cudnn: not available; its settings may be set, and change nothing."""

from minigrad.compat.refusals import never, nothing

is_available = never
version = nothing
enabled = True
benchmark = False
deterministic = False
allow_tf32 = True
benchmark_limit = 10

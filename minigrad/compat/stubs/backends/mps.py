"""torch.backends.mps: not available."""

from minigrad.compat.refusals import never

is_available = is_built = never

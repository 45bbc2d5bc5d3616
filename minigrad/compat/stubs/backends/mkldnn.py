"""torch.backends.mkldnn: not available; NumPy brings its own libraries."""

from minigrad.compat.refusals import never

is_available = never

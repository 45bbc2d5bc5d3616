"""torch.backends.cuda: not built; its settings may be set, and change nothing."""

from types import SimpleNamespace

from minigrad.compat.refusals import never

is_built = never
matmul = SimpleNamespace(allow_tf32=False, allow_fp16_reduced_precision_reduction=True)

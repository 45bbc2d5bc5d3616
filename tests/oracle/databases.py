"""PyTorch's own sample inputs, which its wheel carries: the tables of ops, of modules and of optimisers."""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import hypothesis
import numpy as np
import torch

_profile = hypothesis.settings.get_current_profile_name()
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what PyTorch's test suite says of itself at import is no concern of ours
    from torch.testing._internal.common_device_type import toleranceOverride
    from torch.testing._internal.common_methods_invocations import op_db as op_db
    from torch.testing._internal.common_modules import module_db as module_db
    from torch.testing._internal.common_optimizers import optim_db as optim_db
    from torch.testing._internal.opinfo.core import DecorateInfo
hypothesis.settings.load_profile(_profile)  # PyTorch's suite loads a profile of its own
for device in (torch.cuda, torch.xpu, torch.mtia):
    if not device.is_available():  # seeding it later on needs the stack of each call, which takes longer than most ops
        device.manual_seed_all = lambda seed: None

FLOATS = (torch.float32, torch.float64)
WHOLE = (torch.int64, torch.bool)

# PyTorch's tests that compare two computations of the same values; their tolerances are the database's tolerances.
_COMPARING = (
    "test_compare_cpu",
    "test_cpu_gpu_parity",
    "test_forward",
    "test_noncontiguous_samples",
    "test_numpy_ref",
    "test_out",
    "test_reference_numerics",
    "test_variant_consistency",
)


def key(entry: Any) -> str:
    """Return the name under which an OpInfo entry is listed: `pow`, or `norm:nuc` for a variant."""
    return f"{entry.name}:{entry.variant_test_name}" if entry.variant_test_name else str(entry.name)


def dtypes_of(entry: Any) -> list[torch.dtype]:
    """Return the dtypes an op is tested in: the two floats, or int64 and bool where it takes no floats."""
    return [d for d in FLOATS if d in entry.dtypes] or [d for d in WHOLE if d in entry.dtypes]


def seeded() -> None:
    """Put every generator that the databases draw from at the same start."""
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)


def samples_of(entry: Any, dtype: torch.dtype) -> Iterator[Any]:
    """Yield every sample input of an OpInfo entry."""
    seeded()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield from list(
            entry.sample_inputs("cpu", dtype, requires_grad=entry.supports_autograd and dtype.is_floating_point)
        )


def tolerances(decorators: Iterable[Any], dtype: torch.dtype) -> dict[str, float]:
    """Return the tolerances that an entry's decorators give for comparing values in `dtype`; empty for the defaults."""
    found = [t for d in decorators for t in _overrides(d, dtype)]
    if not found:
        return {}
    rtol, atol = _defaults(dtype)
    return {"rtol": max([rtol, *(t.rtol for t in found)]), "atol": max([atol, *(t.atol for t in found)])}


def _defaults(dtype: torch.dtype) -> tuple[float, float]:
    return {torch.float32: (1.3e-6, 1e-5), torch.float64: (1e-7, 1e-7)}[dtype]


def _overrides(decorator: Any, dtype: torch.dtype) -> list[Any]:
    inner = [decorator]
    if isinstance(decorator, DecorateInfo):
        name = decorator.test_name
        inner = decorator.decorators if name is None or name.startswith(_COMPARING) else []
    return [d.d[dtype] for d in inner if isinstance(d, toleranceOverride) and dtype in d.d]


def named(info: Any) -> str:
    """Return the name of a ModuleInfo or OptimizerInfo entry: that of the class."""
    return str((getattr(info, "module_cls", None) or info.optim_cls).__name__)

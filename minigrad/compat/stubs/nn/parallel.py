"""torch.nn.parallel on one CPU: the module does the work itself."""

from __future__ import annotations

from typing import Any

from minigrad.compat.refusals import refused_class

DistributedDataParallel = refused_class("torch.nn.parallel.DistributedDataParallel", "minigrad runs in one process")


def data_parallel(
    module: Any,
    inputs: Any,
    device_ids: Any = None,
    output_device: Any = None,
    dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> Any:
    """Return `module(*inputs, **module_kwargs)`: there are no devices to share the batch among."""
    return module(*(inputs if isinstance(inputs, tuple) else (inputs,)), **(module_kwargs or {}))


def __getattr__(name: str) -> Any:
    if name == "DataParallel":
        from minigrad import nn

        return getattr(nn, name)
    raise AttributeError(f"module 'torch.nn.parallel' has no attribute {name!r}")

"""Data parallelism over several GPUs, as far as a CPU has it: the module is called as it is."""

from __future__ import annotations

from typing import Any

from minigrad.nn.module import Module


class DataParallel(Module):
    """`module`, called as it is: there are no GPUs to spread a batch over. Its state-dict keys begin with "module.".

    >>> from minigrad import nn
    >>> list(nn.DataParallel(nn.Linear(2, 1)).state_dict())
    ['module.weight', 'module.bias']
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        self.module, self.dim = module, dim
        self.device_ids: list[int] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """Return what the module makes of the inputs."""
        return self.module(*inputs, **kwargs)


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Any = None,
    output_device: Any = None,
    dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> Any:
    """Return what `module` makes of `inputs`, a tuple of arguments or one: there are no GPUs to spread them over."""
    arguments = inputs if isinstance(inputs, tuple) else () if inputs is None else (inputs,)
    return module(*arguments, **(module_kwargs or {}))

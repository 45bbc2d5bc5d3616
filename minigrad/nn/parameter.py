"""Parameters and buffers: tensors that a module registers when they are assigned to it."""

from __future__ import annotations

from typing import Any

from minigrad.creation import as_tensor
from minigrad.tensor import Tensor


class _Registered(Tensor):
    """A tensor on the memory of another, known by its class."""

    def __init__(self, data: Any = (), *, requires_grad: bool) -> None:
        source = as_tensor(data).detach()
        self._data, self._storage = source._data, source._storage
        self.requires_grad_(requires_grad)


class Parameter(_Registered):
    """A tensor that is trained: a module that it is assigned to lists it among its parameters.

    It shares the memory of `data`. Raises DTypeError if `data` is not of a floating-point dtype but requires grad.

    >>> import minigrad as mg
    >>> Parameter(mg.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    def __init__(self, data: Any = (), requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad=requires_grad)

    def __repr__(self) -> str:
        return f"Parameter containing:\n{super().__repr__()}"


class Buffer(_Registered):
    """A tensor that belongs to a module's state but is not trained, such as a running mean.

    It shares the memory of `data`; if it is not `persistent`, the state dict leaves it out.
    """

    def __init__(self, data: Any = (), *, persistent: bool = True) -> None:
        super().__init__(data, requires_grad=False)
        self.persistent = persistent

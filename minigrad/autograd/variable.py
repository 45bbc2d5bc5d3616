"""The name under which tensors were once recorded."""

from __future__ import annotations

import warnings
from typing import Any

from minigrad.creation import as_tensor
from minigrad.tensor import Tensor


class _IsTensor(type):
    """Every tensor counts as a Variable."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=_IsTensor):
    """`Variable(x)` is a tensor on the memory of `x`, outside its graph: tensors have long been what Variables were.

    `volatile` has no effect any more and says so; use `no_grad()`.

    >>> import minigrad as mg
    >>> x = Variable(mg.ones(2), requires_grad=True)
    >>> x, isinstance(x, Variable)
    (tensor([1., 1.], requires_grad=True), True)
    """

    def __new__(cls, data: Any = (), requires_grad: bool = False, volatile: bool = False) -> Any:
        """Return the tensor."""
        if volatile:
            warnings.warn(
                "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.", stacklevel=2
            )
        return as_tensor(data).detach().requires_grad_(requires_grad)

"""Operators: what Python and NumPy write with symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.arraylike import ArrayLike
from minigrad.ops import elementwise as e
from minigrad.ops import linalg

if TYPE_CHECKING:
    from minigrad.tensor import Tensor

_UFUNCS = {
    "multiply": "mul", "subtract": "sub", "divide": "div", "true_divide": "div", "power": "pow", "negative": "neg",
    "equal": "eq", "not_equal": "ne", "less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge",
    "absolute": "abs", "matmul": "matmul", "rint": "round",
}  # fmt: skip


class Operators(ArrayLike):
    """Operators of Tensor."""

    if TYPE_CHECKING:  # Tensor has these by its quick path

        def __add__(self, other: Any) -> Tensor: ...

        def __sub__(self, other: Any) -> Tensor: ...

        def __mul__(self, other: Any) -> Tensor: ...

        def __truediv__(self, other: Any) -> Tensor: ...

        __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> Tensor:
        return self._unary(e.neg)

    def __pos__(self) -> Operators:
        return self

    def __abs__(self) -> Tensor:
        return e.abs(self)

    def __rsub__(self, other: Any) -> Tensor:
        return e.sub(other, self)

    def __rtruediv__(self, other: Any) -> Tensor:
        return e.div(other, self)

    def __pow__(self, other: Any) -> Tensor:
        return e.pow(self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return e.pow(other, self)

    def __floordiv__(self, other: Any) -> Tensor:
        return e.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return e.floor_divide(other, self)

    def __mod__(self, other: Any) -> Tensor:
        return e.remainder(self, other)

    def __rmod__(self, other: Any) -> Tensor:
        return e.remainder(other, self)

    def __matmul__(self, other: Any) -> Tensor:
        return linalg.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return linalg.matmul(other, self)

    def __eq__(self, other: Any) -> Any:
        return e.eq(self, other) if _comparable(other) else False

    def __ne__(self, other: Any) -> Any:
        return e.ne(self, other) if _comparable(other) else True

    def __lt__(self, other: Any) -> Tensor:
        return e.lt(self, other)

    def __le__(self, other: Any) -> Tensor:
        return e.le(self, other)

    def __gt__(self, other: Any) -> Tensor:
        return e.gt(self, other)

    def __ge__(self, other: Any) -> Tensor:
        return e.ge(self, other)

    def __invert__(self) -> Tensor:
        return e.logical_not(self) if self._data.dtype == bool else e.bitwise_not(self)

    def __and__(self, other: Any) -> Tensor:
        return e.bitwise_and(self, other)

    def __or__(self, other: Any) -> Tensor:
        return e.bitwise_or(self, other)

    def __xor__(self, other: Any) -> Tensor:
        return e.bitwise_xor(self, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        """Answer NumPy's operators and functions: `ndarray * tensor` is a tensor; `array += tensor` stays an array."""
        op = getattr(linalg if ufunc is np.matmul else e, _UFUNCS.get(ufunc.__name__, ufunc.__name__), None)
        if method == "__call__" and out is None and not kwargs and op is not None:
            return op(*inputs)
        arrays = [x.numpy() if isinstance(x, ArrayLike) else x for x in inputs]
        if out is not None:
            kwargs["out"] = tuple(x.numpy() if isinstance(x, ArrayLike) else x for x in out)
        return getattr(ufunc, method)(*arrays, **kwargs)


def _comparable(other: Any) -> bool:
    return isinstance(other, ArrayLike | np.ndarray | np.generic | int | float)

"""Methods that reduce over dims.

`dim` is an int, a tuple, or None for all; NumPy's axis and keepdims are understood too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.arraylike import ArrayLike
from minigrad.errors import ArgumentError, ShapeError
from minigrad.kernels.reduce import Dim
from minigrad.methods.results import NUMPY_NAMES, numpy_names, result_of
from minigrad.nodenames import titled
from minigrad.ops import elementwise as e
from minigrad.ops import reduce, shape
from minigrad.ops.decompositions import matrix_norm

if TYPE_CHECKING:
    from minigrad.tensor import Tensor


class Reductions(ArrayLike):
    """Reductions of Tensor."""

    def sum(self, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None, **numpy: Any) -> Tensor:
        """Return the sum over `dim`; integers and bools sum to int64."""
        dim, keepdim = _over(self, dim, keepdim, numpy)
        return reduce.sum(self if dtype is None else self.to(dtype), dim=dim, keepdim=keepdim)

    def mean(self, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None, **numpy: Any) -> Tensor:
        """Return the mean over `dim`. Raises DTypeError for integers."""
        dim, keepdim = _over(self, dim, keepdim, numpy)
        return reduce.mean(self if dtype is None else self.to(dtype), dim=dim, keepdim=keepdim)

    @numpy_names
    def prod(self, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
        """Return the product of all elements or along `dim`."""
        dim, keepdim = _over(self, dim, keepdim, {})
        return reduce.prod(self if dtype is None else self.to(dtype), dim=dim, keepdim=keepdim)

    @numpy_names
    def var(
        self, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *, correction: int | None = None
    ) -> Tensor:
        """Return the variance over `dim`, divided by the count minus `correction` (1, or 0 if not `unbiased`)."""
        if isinstance(dim, bool):  # var(False): without a dim the first argument is `unbiased`
            dim, unbiased = None, dim
        dim, keepdim = _over(self, dim, keepdim, {})
        return reduce.var(
            self, dim=dim, correction=int(unbiased) if correction is None else correction, keepdim=keepdim
        )

    @numpy_names
    def std(
        self, dim: Any = None, unbiased: bool = True, keepdim: bool = False, *, correction: int | None = None
    ) -> Tensor:
        """Return the standard deviation over `dim`, of the count minus `correction` (1, or 0 if not `unbiased`)."""
        if isinstance(dim, bool):  # var(False): without a dim the first argument is `unbiased`
            dim, unbiased = None, dim
        dim, keepdim = _over(self, dim, keepdim, {})
        return reduce.std(
            self, dim=dim, correction=int(unbiased) if correction is None else correction, keepdim=keepdim
        )

    @numpy_names
    def norm(self, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
        """Return the p-norm over `dim`, "nuc" that of the singular values of a matrix; at 0 its gradient is 0."""
        x: Any = self if dtype is None else self.to(dtype)
        if p == "nuc":
            return matrix_norm(x, p, (-2, -1) if dim is None else dim, keepdim)
        dim, keepdim = _over(self, dim, keepdim, {})
        return reduce.norm(x, 2.0 if p is None else p, dim, keepdim)

    @numpy_names
    def max(self, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
        """Return the largest element, or (values, indices) along an int `dim`, or the maximum with another tensor.

        Over all, ties share the gradient evenly; along a dim, the first of equals has it.
        """
        if other is not None or isinstance(dim, ArrayLike):
            return e.maximum(self, dim if other is None else other)
        if dim is None:
            return titled(reduce.amax(self), "MaxBackward1")
        dim, keepdim = _over(self, dim, keepdim, {})
        return result_of["max"](*reduce.max_along(self, dim=dim, keepdim=keepdim))

    @numpy_names
    def min(self, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
        """Return the smallest element, or (values, indices) along an int `dim`, or the minimum with another tensor."""
        if other is not None or isinstance(dim, ArrayLike):
            return e.minimum(self, dim if other is None else other)
        if dim is None:
            return titled(reduce.amin(self), "MinBackward1")
        dim, keepdim = _over(self, dim, keepdim, {})
        return result_of["min"](*reduce.min_along(self, dim=dim, keepdim=keepdim))

    @numpy_names
    def amax(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """Return the largest value over `dim`; ties share the gradient evenly."""
        dim, keepdim = _over(self, dim, keepdim, {})
        return reduce.amax(self, dim=dim, keepdim=keepdim)

    @numpy_names
    def amin(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """Return the smallest value over `dim`; ties share the gradient evenly."""
        dim, keepdim = _over(self, dim, keepdim, {})
        return reduce.amin(self, dim=dim, keepdim=keepdim)

    @numpy_names
    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Return the index of the first largest element, in the flattened tensor or along `dim`."""
        dim, keepdim = _over(self, dim, keepdim, {})
        return reduce.argmax(self, dim=dim, keepdim=keepdim)

    @numpy_names
    def argmin(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Return the index of the first smallest element, in the flattened tensor or along `dim`."""
        dim, keepdim = _over(self, dim, keepdim, {})
        return reduce.argmin(self, dim=dim, keepdim=keepdim)

    @numpy_names
    def any(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """Return whether some element is not zero."""
        return _truth(self, reduce.sum(e.ne(self, 0), dim=dim, keepdim=keepdim) > 0)

    @numpy_names
    def all(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """Return whether no element is zero."""
        return _truth(self, reduce.sum(e.eq(self, 0), dim=dim, keepdim=keepdim) == 0)

    @numpy_names
    def logsumexp(self, dim: Dim, keepdim: bool = False) -> Tensor:
        """Return log(sum(exp(self))) over `dim`, without overflow."""
        dim, keepdim = _over(self, dim, keepdim, {})
        return reduce.logsumexp(self, dim=dim, keepdim=keepdim)

    @numpy_names
    def softmax(self, dim: int, dtype: Any = None) -> Tensor:
        """Return exp(self) / sum(exp(self)) along `dim`."""
        return reduce.softmax(self if dtype is None else self.to(dtype), dim=shape.checked_dim(dim, self.ndim))

    @numpy_names
    def log_softmax(self, dim: int, dtype: Any = None) -> Tensor:
        """Return the logarithm of the softmax along `dim`, exact where that is tiny."""
        return reduce.log_softmax(self if dtype is None else self.to(dtype), dim=shape.checked_dim(dim, self.ndim))

    @numpy_names
    def cumsum(self, dim: int, *, dtype: Any = None) -> Tensor:
        """Return running sums along `dim`."""
        return reduce.cumsum(self if dtype is None else self.to(dtype), dim=shape.checked_dim(dim, self.ndim))

    def allclose(self, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
        """Return whether |self - other| <= atol + rtol * |other| everywhere."""
        return bool(np.allclose(self._data, np.asarray(getattr(other, "_data", other)), rtol, atol, equal_nan))

    def equal(self, other: Any) -> bool:
        """Return whether both have the same shape and elements."""
        return bool(np.array_equal(self._data, other._data))


def _over(x: ArrayLike, dim: Any, keepdim: bool, numpy: dict[str, Any]) -> Any:
    """Return (dim, keepdim) with NumPy's axis and keepdims taken in, and dims counted from the front and checked."""
    if unknown := numpy.keys() - NUMPY_NAMES.keys():
        raise ArgumentError(
            f"unexpected arguments {sorted(unknown)}; a reduction takes dim (axis) and keepdim (keepdims)"
        )
    dim, keepdim = numpy.get("axis", dim), numpy.get("keepdims", keepdim)
    if dim is None:
        return None, keepdim
    if isinstance(dim, tuple | list):
        dims = tuple(shape.checked_dim(d, x.ndim) for d in dim)
        if len(set(dims)) < len(dims):
            raise ShapeError(f"dim {dims[0]} appears multiple times in the list of dims {tuple(dim)}")
        return (dims if x.ndim else None), keepdim
    at = shape.checked_dim(int(dim), x.ndim)
    return (at if x.ndim else None), keepdim


def _truth(x: ArrayLike, answer: Tensor) -> Tensor:
    """Return `answer` as PyTorch types it: uint8 for uint8, which was the type of truths before there was bool."""
    return answer.to(np.uint8) if x._data.dtype == np.uint8 else answer

"""What one can compute from a tensor: operators, and methods that are a call of an op each.

The public functions of the same names (`minigrad.exp`, `minigrad.sum`) are these methods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from minigrad import dtypes
from minigrad.arraylike import ArrayLike
from minigrad.errors import ArgumentError, ShapeError
from minigrad.kernels.reduce import Dim
from minigrad.ops import elementwise as e
from minigrad.ops import index as i
from minigrad.ops import linalg, reduce, shape
from minigrad.ops.shape import reshape as _reshape

if TYPE_CHECKING:
    from minigrad.tensor import Tensor

_UFUNCS = {
    "multiply": "mul", "subtract": "sub", "divide": "div", "true_divide": "div", "power": "pow", "negative": "neg",
    "equal": "eq", "not_equal": "ne", "less": "lt", "less_equal": "le", "greater": "gt", "greater_equal": "ge",
    "absolute": "abs", "matmul": "matmul", "rint": "round",
}  # fmt: skip


class Extreme(NamedTuple):
    """What `max(dim)` and `min(dim)` return: the extreme values along the dim, and where they were."""

    values: Any
    indices: Any


class Methods(ArrayLike):
    """The part of Tensor that computes; the operators + - * / with their fast path are in Tensor itself."""

    # --- operators ---

    def __neg__(self) -> Tensor:
        return e.neg(self)

    def __pos__(self) -> Methods:
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
        # The exponent's rule takes the logarithm of the base, which therefore has to be an array of the right dtype.
        kind = dtypes.result_dtype([self._data, other])
        return e.pow(np.asarray(other, kind if kind.kind == "f" else None), self)

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

    def __iadd__(self, other: Any) -> Tensor:
        return self._become(self + other)

    def __isub__(self, other: Any) -> Tensor:
        return self._become(self - other)

    def __imul__(self, other: Any) -> Tensor:
        return self._become(self * other)

    def __itruediv__(self, other: Any) -> Tensor:
        return self._become(self / other)

    def __ipow__(self, other: Any) -> Tensor:
        return self._become(self**other)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        """Answer NumPy's operators and functions: `ndarray * tensor` is a tensor; `array += tensor` stays an array."""
        op = getattr(linalg if ufunc is np.matmul else e, _UFUNCS.get(ufunc.__name__, ufunc.__name__), None)
        if method == "__call__" and out is None and not kwargs and op is not None:
            return op(*inputs)
        arrays = [x.numpy() if isinstance(x, Methods) else x for x in inputs]
        if out is not None:
            kwargs["out"] = tuple(x.numpy() if isinstance(x, Methods) else x for x in out)
        return getattr(ufunc, method)(*arrays, **kwargs)

    # --- elementwise ---

    def add(self, other: Any, *, alpha: float = 1) -> Tensor:
        """Return self + alpha * other."""
        return self + (other if alpha == 1 else alpha * other)

    def sub(self, other: Any, *, alpha: float = 1) -> Tensor:
        """Return self - alpha * other."""
        return self - (other if alpha == 1 else alpha * other)

    subtract = sub

    def mul(self, other: Any) -> Tensor:
        """Return self * other."""
        return self * other

    multiply = mul

    def div(self, other: Any) -> Tensor:
        """Return self / other; integers divide to floats."""
        return self / other

    divide = true_divide = div

    def pow(self, exponent: Any) -> Tensor:
        """Return self ** exponent."""
        return self**exponent

    def neg(self) -> Tensor:
        """Return -self."""
        return e.neg(self)

    def exp(self) -> Tensor:
        """Return e ** self."""
        return e.exp(self)

    def expm1(self) -> Tensor:
        """Return exp(self) - 1, exact for small values."""
        return e.expm1(self)

    def log(self) -> Tensor:
        """Return the natural logarithm: nan below 0, -inf at 0."""
        return e.log(self)

    def log1p(self) -> Tensor:
        """Return log(1 + self), exact for small values."""
        return e.log1p(self)

    def log2(self) -> Tensor:
        """Return the logarithm to base 2."""
        return e.log2(self)

    def log10(self) -> Tensor:
        """Return the logarithm to base 10."""
        return e.log10(self)

    def sqrt(self) -> Tensor:
        """Return the square root: nan below 0."""
        return e.sqrt(self)

    def rsqrt(self) -> Tensor:
        """Return 1 / sqrt(self)."""
        return e.rsqrt(self)

    def reciprocal(self) -> Tensor:
        """Return 1 / self."""
        return e.reciprocal(self)

    def square(self) -> Tensor:
        """Return self * self."""
        return e.square(self)

    def sin(self) -> Tensor:
        """Return the sine of self in radians."""
        return e.sin(self)

    def cos(self) -> Tensor:
        """Return the cosine of self in radians."""
        return e.cos(self)

    def tanh(self) -> Tensor:
        """Return the hyperbolic tangent."""
        return e.tanh(self)

    def sigmoid(self) -> Tensor:
        """Return 1 / (1 + exp(-self))."""
        return e.sigmoid(self)

    def erf(self) -> Tensor:
        """Return the error function."""
        return e.erf(self)

    def relu(self) -> Tensor:
        """Return max(self, 0)."""
        return e.relu(self)

    def abs(self) -> Tensor:
        """Return |self|, whose slope at 0 is 0."""
        return e.abs(self)

    def sign(self) -> Tensor:
        """Return -1, 0 or 1; its gradient is 0 everywhere."""
        return e.sign(self)

    def floor(self) -> Tensor:
        """Return the largest integer not above each element; its gradient is 0 everywhere."""
        return e.floor(self)

    def ceil(self) -> Tensor:
        """Return the smallest integer not below each element; its gradient is 0 everywhere."""
        return e.ceil(self)

    def round(self) -> Tensor:
        """Return the nearest integer, of two the even one; its gradient is 0 everywhere."""
        return e.round(self)

    def clamp(self, min: Any = None, max: Any = None) -> Tensor:
        """Return self limited to [min, max]; None leaves a side open. Raises ArgumentError if both are None."""
        if min is None and max is None:
            raise ArgumentError("clamp: at least one of min and max must not be None")
        return e.clamp(self, min=min, max=max)

    clip = clamp

    def maximum(self, other: Any) -> Tensor:
        """Return the elementwise maximum; a tie shares the gradient evenly."""
        return e.maximum(self, other)

    def minimum(self, other: Any) -> Tensor:
        """Return the elementwise minimum; a tie shares the gradient evenly."""
        return e.minimum(self, other)

    def where(self, condition: Any, other: Any) -> Tensor:
        """Return self where `condition` holds and `other` elsewhere."""
        return e.where(condition, self, other)

    def masked_fill(self, mask: Any, value: Any) -> Tensor:
        """Return self with `value` wherever `mask` is True."""
        return e.masked_fill(self, mask, value)

    def lerp(self, end: Any, weight: Any) -> Tensor:
        """Return self + weight * (end - self)."""
        return e.lerp(self, end, weight)

    def eq(self, other: Any) -> Tensor:
        """Return where self == other."""
        return e.eq(self, other)

    def ne(self, other: Any) -> Tensor:
        """Return where self != other."""
        return e.ne(self, other)

    def lt(self, other: Any) -> Tensor:
        """Return where self < other."""
        return e.lt(self, other)

    def le(self, other: Any) -> Tensor:
        """Return where self <= other."""
        return e.le(self, other)

    def gt(self, other: Any) -> Tensor:
        """Return where self > other."""
        return e.gt(self, other)

    def ge(self, other: Any) -> Tensor:
        """Return where self >= other."""
        return e.ge(self, other)

    def logical_and(self, other: Any) -> Tensor:
        """Return where both are not zero."""
        return e.logical_and(self, other)

    def logical_or(self, other: Any) -> Tensor:
        """Return where one of them is not zero."""
        return e.logical_or(self, other)

    def logical_not(self) -> Tensor:
        """Return where self is zero."""
        return e.logical_not(self)

    def isnan(self) -> Tensor:
        """Return where self is nan."""
        return e.isnan(self)

    def isinf(self) -> Tensor:
        """Return where self is inf or -inf."""
        return e.isinf(self)

    def isfinite(self) -> Tensor:
        """Return where self is neither inf nor nan."""
        return e.isfinite(self)

    # --- products ---

    def matmul(self, other: Any) -> Tensor:
        """Return the matrix product self @ other; leading dims are batches and broadcast."""
        return linalg.matmul(self, other)

    def mm(self, mat2: Any) -> Tensor:
        """Return the product of two matrices. Raises ShapeError if one is not a matrix."""
        return linalg.matmul(_of_ndim(self, 2, "mm"), _of_ndim(mat2, 2, "mm"))

    def bmm(self, mat2: Any) -> Tensor:
        """Return the products of two batches of matrices."""
        return linalg.matmul(_of_ndim(self, 3, "bmm"), _of_ndim(mat2, 3, "bmm"))

    def dot(self, other: Any) -> Tensor:
        """Return the inner product of two vectors."""
        return linalg.matmul(_of_ndim(self, 1, "dot"), _of_ndim(other, 1, "dot"))

    # --- reductions: `dim` is an int, a tuple, or None for all; NumPy's axis and keepdims are understood too ---

    def sum(self, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None, **numpy: Any) -> Tensor:
        """Return the sum over `dim`; integers and bools sum to int64."""
        dim, keepdim = _over(self, dim, keepdim, numpy)
        return reduce.sum(self if dtype is None else self.to(dtype), dim=dim, keepdim=keepdim)

    def mean(self, dim: Dim = None, keepdim: bool = False, *, dtype: Any = None, **numpy: Any) -> Tensor:
        """Return the mean over `dim`. Raises DTypeError for integers."""
        dim, keepdim = _over(self, dim, keepdim, numpy)
        return reduce.mean(self if dtype is None else self.to(dtype), dim=dim, keepdim=keepdim)

    def prod(self, dim: int | None = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
        """Return the product of all elements or along `dim`."""
        return reduce.prod(self if dtype is None else self.to(dtype), dim=dim, keepdim=keepdim)

    def var(
        self, dim: Dim = None, unbiased: bool = True, keepdim: bool = False, *, correction: int | None = None
    ) -> Tensor:
        """Return the variance over `dim`, divided by the count minus `correction` (1, or 0 if not `unbiased`)."""
        dim, keepdim = _over(self, dim, keepdim, {})
        return reduce.var(
            self, dim=dim, correction=int(unbiased) if correction is None else correction, keepdim=keepdim
        )

    def std(
        self, dim: Dim = None, unbiased: bool = True, keepdim: bool = False, *, correction: int | None = None
    ) -> Tensor:
        """Return the standard deviation over `dim`, of the count minus `correction` (1, or 0 if not `unbiased`)."""
        dim, keepdim = _over(self, dim, keepdim, {})
        return reduce.std(
            self, dim=dim, correction=int(unbiased) if correction is None else correction, keepdim=keepdim
        )

    def norm(self, p: Any = 2.0, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """Return the p-norm over `dim`; at 0 its gradient is 0."""
        dim, keepdim = _over(self, dim, keepdim, {})
        return reduce.norm(self, p, dim, keepdim)

    def max(self, dim: Any = None, keepdim: bool = False) -> Any:
        """Return the largest element, or (values, indices) along an int `dim`, or the maximum with another tensor.

        Over all, ties share the gradient evenly; along a dim, the first of equals has it.
        """
        if isinstance(dim, ArrayLike):
            return e.maximum(self, dim)
        if dim is None:
            return reduce.amax(self)
        dim, keepdim = _over(self, dim, keepdim, {})
        return Extreme(*reduce.max_along(self, dim=dim, keepdim=keepdim))

    def min(self, dim: Any = None, keepdim: bool = False) -> Any:
        """Return the smallest element, or (values, indices) along an int `dim`, or the minimum with another tensor."""
        if isinstance(dim, ArrayLike):
            return e.minimum(self, dim)
        if dim is None:
            return reduce.amin(self)
        dim, keepdim = _over(self, dim, keepdim, {})
        return Extreme(*reduce.min_along(self, dim=dim, keepdim=keepdim))

    def amax(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """Return the largest value over `dim`; ties share the gradient evenly."""
        dim, keepdim = _over(self, dim, keepdim, {})
        return reduce.amax(self, dim=dim, keepdim=keepdim)

    def amin(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """Return the smallest value over `dim`; ties share the gradient evenly."""
        dim, keepdim = _over(self, dim, keepdim, {})
        return reduce.amin(self, dim=dim, keepdim=keepdim)

    def argmax(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Return the index of the first largest element, in the flattened tensor or along `dim`."""
        dim, keepdim = _over(self, dim, keepdim, {})
        return reduce.argmax(self, dim=dim, keepdim=keepdim)

    def argmin(self, dim: int | None = None, keepdim: bool = False) -> Tensor:
        """Return the index of the first smallest element, in the flattened tensor or along `dim`."""
        dim, keepdim = _over(self, dim, keepdim, {})
        return reduce.argmin(self, dim=dim, keepdim=keepdim)

    def any(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """Return whether some element is not zero."""
        return reduce.sum(e.ne(self, 0), dim=dim, keepdim=keepdim) > 0

    def all(self, dim: Dim = None, keepdim: bool = False) -> Tensor:
        """Return whether no element is zero."""
        return reduce.sum(e.eq(self, 0), dim=dim, keepdim=keepdim) == 0

    def logsumexp(self, dim: Dim, keepdim: bool = False) -> Tensor:
        """Return log(sum(exp(self))) over `dim`, without overflow."""
        dim, keepdim = _over(self, dim, keepdim, {})
        return reduce.logsumexp(self, dim=dim, keepdim=keepdim)

    def softmax(self, dim: int) -> Tensor:
        """Return exp(self) / sum(exp(self)) along `dim`."""
        return reduce.softmax(self, dim=shape.checked_dim(dim, self.ndim))

    def log_softmax(self, dim: int) -> Tensor:
        """Return the logarithm of the softmax along `dim`, exact where that is tiny."""
        return reduce.log_softmax(self, dim=shape.checked_dim(dim, self.ndim))

    def cumsum(self, dim: int) -> Tensor:
        """Return running sums along `dim`."""
        return reduce.cumsum(self, dim=shape.checked_dim(dim, self.ndim))

    def allclose(self, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
        """Return whether |self - other| <= atol + rtol * |other| everywhere."""
        return bool(np.allclose(self._data, np.asarray(getattr(other, "_data", other)), rtol, atol, equal_nan))

    def equal(self, other: Any) -> bool:
        """Return whether both have the same shape and elements."""
        return bool(np.array_equal(self._data, other._data))

    # --- shape ---

    def reshape(self, *shape: Any) -> Tensor:
        """Return the elements in another shape, one size of which may be -1; a view where the memory allows it."""
        return _reshape(self, shape=_sizes(shape))

    def view(self, *shape: Any) -> Tensor:
        """Return a view in another shape (or, given a dtype, the elements in it).

        Raises ShapeError if the layout does not allow a view; `reshape` copies then.
        """
        if len(shape) == 1 and not isinstance(shape[0], int | tuple | list | np.integer):
            return self.to(shape[0])
        result = self.reshape(*shape)
        if self._data.size and not np.may_share_memory(result._data, self._data) and not self.is_contiguous():
            raise ShapeError(
                f"view size is not compatible with input tensor's size and stride: {tuple(self.shape)} with strides "
                f"{self.stride()} cannot be viewed as {tuple(result.shape)}. Use .reshape(...) instead."
            )
        return result

    def view_as(self, other: Tensor) -> Tensor:
        """Return a view in the shape of `other`."""
        return self.view(*other.shape)

    def permute(self, *dims: Any) -> Tensor:
        """Return a view with the dims in another order."""
        return shape.permute(self, dims=_sizes(dims))

    def transpose(self, dim0: int, dim1: int) -> Tensor:
        """Return a view with two dims exchanged."""
        return shape.transpose(self, dim0, dim1)

    def t(self) -> Tensor:
        """Return the transpose of a matrix; a vector stays as it is."""
        if self.ndim > 2:
            raise ShapeError(f"t() expects a tensor with <= 2 dimensions, but self is {self.ndim}D")
        return shape.transpose(self, 0, 1) if self.ndim == 2 else shape.permute(self, dims=tuple(range(self.ndim)))

    @property
    def T(self) -> Tensor:
        """The view with the dims in reverse order."""
        return shape.permute(self, dims=tuple(reversed(range(self.ndim))))

    @property
    def mT(self) -> Tensor:
        """The view with the last two dims exchanged."""
        return shape.transpose(self, -1, -2)

    def expand(self, *sizes: Any) -> Tensor:
        """Return a view in which dims of size 1 are repeated; -1 keeps a size."""
        wanted = _sizes(sizes)
        lead = len(wanted) - self.ndim
        kept = tuple(self.shape[k - lead] if n == -1 and k >= lead else n for k, n in enumerate(wanted))
        return shape.expand(self, shape=kept)

    def expand_as(self, other: Tensor) -> Tensor:
        """Return a view expanded to the shape of `other`."""
        return shape.expand(self, shape=tuple(other.shape))

    def squeeze(self, dim: Any = None) -> Tensor:
        """Return a view without the dims of size 1, or without `dim` if its size is 1."""
        return shape.squeeze(self, dim)

    def unsqueeze(self, dim: int) -> Tensor:
        """Return a view with a dim of size 1 inserted at `dim`."""
        return shape.unsqueeze(self, dim)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """Return the dims from `start_dim` to `end_dim` made one."""
        return shape.flatten(self, start_dim, end_dim)

    def split(self, split_size: Any, dim: int = 0) -> tuple[Tensor, ...]:
        """Return views of consecutive parts along `dim`: of one size (the last may be smaller), or of sizes listed."""
        return shape.split(self, split_size, dim)

    def chunk(self, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
        """Return at most `chunks` views of consecutive parts along `dim`, of equal size but for the last."""
        size = self._data.shape[shape.checked_dim(dim, self.ndim)]
        return shape.split(self, max(-(-size // chunks), 1), dim)

    def unbind(self, dim: int = 0) -> tuple[Tensor, ...]:
        """Return the views self[0], self[1], ... along `dim`, which they lack."""
        at = shape.checked_dim(dim, self.ndim)
        return tuple(self[(slice(None),) * at + (k,)] for k in range(self._data.shape[at]))

    def flip(self, *dims: Any) -> Tensor:
        """Return a copy with the order along `dims` reversed."""
        return shape.flip(self, dims=_sizes(dims))

    def tril(self, diagonal: int = 0) -> Tensor:
        """Return the lower triangle of the last two dims, zeros above."""
        return shape.tril(self, diagonal=diagonal)

    def triu(self, diagonal: int = 0) -> Tensor:
        """Return the upper triangle of the last two dims, zeros below."""
        return shape.triu(self, diagonal=diagonal)

    # --- gathering and scattering ---

    def gather(self, dim: int, index: Tensor) -> Tensor:
        """Return the elements at the places that `index` gives along `dim`."""
        return i.gather(self, index, dim=shape.checked_dim(dim, self.ndim))

    def scatter_add(self, dim: int, index: Tensor, src: Tensor) -> Tensor:
        """Return a copy with `src` added at the places that `index` gives along `dim`."""
        return i.scatter_add(self, index, src, dim=shape.checked_dim(dim, self.ndim))

    def index_select(self, dim: int, index: Tensor) -> Tensor:
        """Return the rows along `dim` that the 1-D `index` names."""
        return i.index_select(self, dim, index)

    # --- in place: each writes this tensor's memory and returns it ---

    def add_(self, other: Any, *, alpha: float = 1) -> Tensor:
        """Add alpha * other in place."""
        return self._become(self.add(other, alpha=alpha))

    def sub_(self, other: Any, *, alpha: float = 1) -> Tensor:
        """Subtract alpha * other in place."""
        return self._become(self.sub(other, alpha=alpha))

    def mul_(self, other: Any) -> Tensor:
        """Multiply by other in place."""
        return self._become(self * other)

    def div_(self, other: Any) -> Tensor:
        """Divide by other in place."""
        return self._become(self / other)

    def pow_(self, exponent: Any) -> Tensor:
        """Raise to `exponent` in place."""
        return self._become(self**exponent)

    def neg_(self) -> Tensor:
        """Negate in place."""
        return self._become(e.neg(self))

    def exp_(self) -> Tensor:
        """Take the exponential in place."""
        return self._become(e.exp(self))

    def sqrt_(self) -> Tensor:
        """Take the square root in place."""
        return self._become(e.sqrt(self))

    def tanh_(self) -> Tensor:
        """Take the hyperbolic tangent in place."""
        return self._become(e.tanh(self))

    def sigmoid_(self) -> Tensor:
        """Take the sigmoid in place."""
        return self._become(e.sigmoid(self))

    def relu_(self) -> Tensor:
        """Set negative elements to 0 in place."""
        return self._become(e.relu(self))

    def clamp_(self, min: Any = None, max: Any = None) -> Tensor:
        """Limit to [min, max] in place."""
        return self._become(self.clamp(min, max))

    def masked_fill_(self, mask: Any, value: Any) -> Tensor:
        """Write `value` wherever `mask` is True."""
        return self._become(e.masked_fill(self, mask, value))

    def scatter_add_(self, dim: int, index: Tensor, src: Tensor) -> Tensor:
        """Add `src` at the places that `index` gives along `dim`, in place."""
        return self._become(self.scatter_add(dim, index, src))

    def addcmul_(self, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
        """Add value * tensor1 * tensor2 in place."""
        return self._become(self + tensor1 * tensor2 * value)

    def addcdiv_(self, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
        """Add value * tensor1 / tensor2 in place."""
        return self._become(self + tensor1 / tensor2 * value)

    def lerp_(self, end: Any, weight: Any) -> Tensor:
        """Move by `weight` of the way to `end`, in place."""
        return self._become(e.lerp(self, end, weight))

    def fill_(self, value: Any) -> Tensor:
        """Write `value` everywhere."""
        self[...] = value
        return self  # type: ignore[return-value]

    def zero_(self) -> Tensor:
        """Write zeros everywhere."""
        return self.fill_(0)

    def copy_(self, src: Any) -> Tensor:
        """Write the elements of `src`, which broadcasts to this shape; gradients flow to it."""
        return self.fill_(src)

    def _become(self, result: Tensor) -> Tensor:
        raise AssertionError("Tensor says how it is written")

    def __setitem__(self, index: Any, value: Any) -> None:
        raise AssertionError("Tensor says how it is written")


def _comparable(other: Any) -> bool:
    return isinstance(other, ArrayLike | np.ndarray | np.generic | int | float)


def _of_ndim(x: Any, ndim: int, what: str) -> Any:
    if x.ndim != ndim:
        raise ShapeError(f"{what}: expected a {ndim}D tensor, got shape {tuple(x.shape)}")
    return x


def _sizes(arguments: tuple[Any, ...]) -> tuple[int, ...]:
    """Return sizes given as several arguments or as one sequence."""
    several = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], tuple | list) else arguments
    return tuple(int(n) for n in several)


def _over(x: Methods, dim: Any, keepdim: bool, numpy: dict[str, Any]) -> Any:
    """Return (dim, keepdim) with NumPy's axis and keepdims taken in, and dims counted from the front and checked."""
    if unknown := numpy.keys() - {"axis", "keepdims"}:
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

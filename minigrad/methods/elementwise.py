"""Methods that compute element by element, and products."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minigrad import dtypes
from minigrad.arraylike import ArrayLike
from minigrad.errors import ArgumentError, ShapeError
from minigrad.nodenames import titled
from minigrad.ops import elementwise as e
from minigrad.ops import linalg

if TYPE_CHECKING:
    from minigrad.tensor import Tensor


class Elementwise(ArrayLike):
    """Elementwise methods and products of Tensor."""

    def add(self, other: Any, *, alpha: Any = 1) -> Tensor:
        """Return self + alpha * other."""
        return self + (other if alpha == 1 else alpha * other)

    def sub(self, other: Any, *, alpha: Any = 1) -> Tensor:
        """Return self - alpha * other."""
        return self - (other if alpha == 1 else alpha * other)

    subtract = sub

    def mul(self, other: Any) -> Tensor:
        """Return self * other."""
        return self * other

    multiply = mul

    def div(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """Return self / other; integers divide to floats. `rounding_mode` "floor" or "trunc" rounds the quotient.

        Raises ArgumentError for another mode.
        """
        if rounding_mode is None:
            return self / other
        if rounding_mode not in ("floor", "trunc"):
            raise ArgumentError(
                f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found {rounding_mode!r}"
            )
        return (e.div_floor if rounding_mode == "floor" else e.div_trunc)(self, other)

    divide = true_divide = div

    def pow(self, exponent: Any) -> Tensor:
        """Return self ** exponent."""
        return self**exponent

    def neg(self) -> Tensor:
        """Return -self."""
        return self._unary(e.neg)

    def exp(self) -> Tensor:
        """Return e ** self."""
        return self._unary(e.exp)

    def expm1(self) -> Tensor:
        """Return exp(self) - 1, exact for small values."""
        return self._unary(e.expm1)

    def log(self) -> Tensor:
        """Return the natural logarithm: nan below 0, -inf at 0."""
        return self._unary(e.log)

    def log1p(self) -> Tensor:
        """Return log(1 + self), exact for small values."""
        return self._unary(e.log1p)

    def log2(self) -> Tensor:
        """Return the logarithm to base 2."""
        return self._unary(e.log2)

    def log10(self) -> Tensor:
        """Return the logarithm to base 10."""
        return self._unary(e.log10)

    def sqrt(self) -> Tensor:
        """Return the square root: nan below 0."""
        return self._unary(e.sqrt)

    def rsqrt(self) -> Tensor:
        """Return 1 / sqrt(self)."""
        return self._unary(e.rsqrt)

    def reciprocal(self) -> Tensor:
        """Return 1 / self."""
        return self._unary(e.reciprocal)

    def square(self) -> Tensor:
        """Return self * self."""
        return self._unary(e.square)

    def sin(self) -> Tensor:
        """Return the sine of self in radians."""
        return self._unary(e.sin)

    def cos(self) -> Tensor:
        """Return the cosine of self in radians."""
        return self._unary(e.cos)

    def tanh(self) -> Tensor:
        """Return the hyperbolic tangent."""
        return self._unary(e.tanh)

    def sigmoid(self) -> Tensor:
        """Return 1 / (1 + exp(-self))."""
        return self._unary(e.sigmoid)

    def erf(self) -> Tensor:
        """Return the error function."""
        return self._unary(e.erf)

    def relu(self) -> Tensor:
        """Return max(self, 0)."""
        return self._unary(e.relu)

    def abs(self) -> Tensor:
        """Return |self|, whose slope at 0 is 0."""
        return self._unary(e.abs)

    def sign(self) -> Tensor:
        """Return -1, 0 or 1; its gradient is 0 everywhere."""
        return self._unary(e.sign)

    def floor(self) -> Tensor:
        """Return the largest integer not above each element; its gradient is 0 everywhere."""
        return self._unary(e.floor)

    def ceil(self) -> Tensor:
        """Return the smallest integer not below each element; its gradient is 0 everywhere."""
        return self._unary(e.ceil)

    def round(self, *, decimals: int = 0) -> Tensor:
        """Return the nearest number of so many decimals, of two the even one; its gradient is 0 everywhere."""
        if decimals == 0:
            return self._unary(e.round)
        scale = 10.0 ** (decimals if decimals > 0 else -decimals)
        return e.round(e.mul(self, scale)) / scale if decimals > 0 else e.round(e.div(self, scale)) * scale

    def clamp(self, min: Any = None, max: Any = None) -> Tensor:
        """Return self limited to [min, max], numbers or tensors; None leaves a side open.

        Raises ArgumentError if both are None.
        """
        if min is None and max is None:
            raise ArgumentError("clamp: at least one of min and max must not be None")
        if isinstance(min, ArrayLike) or isinstance(max, ArrayLike):
            above: Any = self if min is None else e.maximum(self, min)
            return titled(above if max is None else e.minimum(above, max), "ClampBackward0")
        kind = dtypes.result_dtype([self._data, *(bound for bound in (min, max) if bound is not None)])
        return e.clamp(self if kind == self._data.dtype else self.to(kind), min=min, max=max)

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

    def addcmul(self, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
        """Return self + value * tensor1 * tensor2."""
        return e.addcmul(self, tensor1, tensor2, value=value)

    def addcdiv(self, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
        """Return self + value * tensor1 / tensor2."""
        return e.addcdiv(self, tensor1, tensor2, value=value)

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

    def matmul(self, other: Any) -> Tensor:
        """Return the matrix product self @ other; leading dims are batches and broadcast."""
        return linalg.matmul(self, other)

    def mm(self, mat2: Any) -> Tensor:
        """Return the product of two matrices. Raises ShapeError if one is not a matrix."""
        return linalg.matmul(_of_ndim(self, 2, "mm"), _of_ndim(mat2, 2, "mm"))

    def bmm(self, mat2: Any) -> Tensor:
        """Return the products of two batches of matrices."""
        return titled(linalg.matmul(_of_ndim(self, 3, "bmm"), _of_ndim(mat2, 3, "bmm")), "Bmm")

    def dot(self, tensor: Any) -> Tensor:
        """Return the inner product of two vectors."""
        return linalg.matmul(_of_ndim(self, 1, "dot"), _of_ndim(tensor, 1, "dot"))


def _of_ndim(x: Any, ndim: int, what: str) -> Any:
    if x.ndim != ndim:
        raise ShapeError(f"{what}: expected a {ndim}D tensor, got shape {tuple(x.shape)}")
    return x

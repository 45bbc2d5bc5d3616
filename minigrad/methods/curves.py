"""Further methods that compute element by element."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from minigrad.arraylike import ArrayLike
from minigrad.graph import Op
from minigrad.methods.results import result_of
from minigrad.ops import curves as c
from minigrad.ops import elementwise as e

if TYPE_CHECKING:
    from minigrad.tensor import Tensor


def _of_one(op: Op, says: str) -> Callable[[Any], Tensor]:
    """Return the method that applies an op of one operand."""

    def method(self: Any) -> Tensor:
        return self._unary(op)

    method.__name__, method.__doc__ = op.name, says
    return method


def _of_two(op: Op, says: str) -> Callable[[Any, Any], Tensor]:
    """Return the method that applies an op of two operands."""

    def method(self: Any, other: Any) -> Tensor:
        return op(self, other)

    method.__name__, method.__doc__ = op.name, says
    return method


class Curves(ArrayLike):
    """Further elementwise methods of Tensor, each an op."""

    tan = _of_one(c.tan, "Return the tangent of self in radians.")
    asin = arcsin = _of_one(c.asin, "Return the angle in radians whose sine is self: nan outside of [-1, 1].")
    acos = arccos = _of_one(c.acos, "Return the angle in radians whose cosine is self: nan outside of [-1, 1].")
    atan = arctan = _of_one(c.atan, "Return the angle in radians whose tangent is self.")
    sinh = _of_one(c.sinh, "Return the hyperbolic sine.")
    cosh = _of_one(c.cosh, "Return the hyperbolic cosine.")
    asinh = arcsinh = _of_one(c.asinh, "Return the number whose hyperbolic sine is self.")
    acosh = arccosh = _of_one(c.acosh, "Return the number whose hyperbolic cosine is self: nan below 1.")
    atanh = arctanh = _of_one(c.atanh, "Return the number whose hyperbolic tangent is self: nan outside of [-1, 1].")
    exp2 = _of_one(c.exp2, "Return 2 ** self.")
    erfc = _of_one(c.erfc, "Return 1 - erf(self), with all digits where that is small.")
    erfinv = _of_one(c.erfinv, "Return the number whose error function is self: nan outside of [-1, 1].")
    lgamma = _of_one(c.lgamma, "Return log|gamma(self)|.")
    trunc = fix = _of_one(c.trunc, "Return the integer part; its gradient is 0 everywhere.")
    sgn = _of_one(e.sign, "Return -1, 0 or 1; its gradient is 0 everywhere.")
    signbit = _of_one(c.signbit, "Return where the sign is minus; -0.0 has one.")
    isposinf = _of_one(c.isposinf, "Return where self is inf.")
    isneginf = _of_one(c.isneginf, "Return where self is -inf.")
    absolute = _of_one(e.abs, "Return |self|, whose slope at 0 is 0.")
    negative = _of_one(e.neg, "Return -self.")
    bitwise_not = _of_one(e.bitwise_not, "Return self with every bit turned; of bools, not self.")

    atan2 = arctan2 = _of_two(c.atan2, "Return the angle in radians of the points (other, self), in (-pi, pi].")
    hypot = _of_two(c.hypot, "Return the square root of self**2 + other**2, without overflow.")
    logaddexp = _of_two(c.logaddexp, "Return log(exp(self) + exp(other)), without overflow.")
    logaddexp2 = _of_two(c.logaddexp2, "Return log2(2**self + 2**other), without overflow.")
    fmod = _of_two(c.fmod, "Return the remainder of the division, with the sign of self.")
    fmax = _of_two(c.fmax, "Return the elementwise maximum; a nan gives way to a number.")
    fmin = _of_two(c.fmin, "Return the elementwise minimum; a nan gives way to a number.")
    copysign = _of_two(c.copysign, "Return |self| with the sign of other.")
    xlogy = _of_two(c.xlogy, "Return self * log(other), 0 where self is 0 unless other is nan.")
    nextafter = _of_two(c.nextafter, "Return the next number that the dtype holds, towards other.")
    gcd = _of_two(c.gcd, "Return the greatest common divisor.")
    lcm = _of_two(c.lcm, "Return the least common multiple.")
    bitwise_and = _of_two(e.bitwise_and, "Return the bits that both have.")
    bitwise_or = _of_two(e.bitwise_or, "Return the bits that one of them has.")
    bitwise_xor = _of_two(e.bitwise_xor, "Return the bits that only one of them has.")
    bitwise_left_shift = __lshift__ = _of_two(c.left_shift, "Return self with its bits moved up by other places.")
    bitwise_right_shift = __rshift__ = _of_two(c.right_shift, "Return self with its bits moved down by other places.")
    logical_xor = _of_two(e.logical_xor, "Return where only one of them is not zero.")
    floor_divide = _of_two(e.floor_divide, "Return the quotient rounded down.")
    remainder = _of_two(e.remainder, "Return the remainder of the division, with the sign of other.")
    greater = _of_two(e.gt, "Return where self > other.")
    greater_equal = _of_two(e.ge, "Return where self >= other.")
    less = _of_two(e.lt, "Return where self < other.")
    less_equal = _of_two(e.le, "Return where self <= other.")
    not_equal = _of_two(e.ne, "Return where self != other.")

    frac, deg2rad, rad2deg, sinc, nan_to_num = c.frac, c.deg2rad, c.rad2deg, c.sinc, c.nan_to_num
    mvlgamma, float_power, ldexp = c.mvlgamma, c.float_power, c.ldexp

    def heaviside(self, values: Any) -> Tensor:
        """Return 0 below zero, 1 above, and `values` at zero."""
        return c.heaviside(self, values)

    def frexp(self) -> Any:
        """Return (mantissa, exponent) with self = mantissa * 2**exponent and a mantissa of [0.5, 1)."""
        return result_of["frexp"](*c.frexp_of(self))

    def digamma(self) -> Tensor:
        """Return the derivative of lgamma."""
        return c.polygamma_of(self, n=0)

    def polygamma(self, n: int) -> Tensor:
        """Return the n-th derivative of digamma."""
        return c.polygamma_of(self, n=n)

    def logit(self, eps: float | None = None) -> Tensor:
        """Return log(x / (1 - x)), of x limited to [eps, 1 - eps] if `eps` is given."""
        return c.logit_of(self, eps=eps)

    def isclose(self, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
        """Return where |self - other| <= atol + rtol * |other|."""
        return c.isclose(self, other, rtol=rtol, atol=atol, equal_nan=equal_nan)

    def isreal(self) -> Tensor:
        """Return True everywhere: there are no complex numbers here."""
        return e.eq(self, self).fill_(True)

    def clamp_min(self, min: Any) -> Tensor:
        """Return self, and `min` where that is larger."""
        return self.clamp(min=min)  # type: ignore[attr-defined]

    def clamp_max(self, max: Any) -> Tensor:
        """Return self, and `max` where that is smaller."""
        return self.clamp(max=max)  # type: ignore[attr-defined]

    def positive(self) -> Curves:
        """Return self."""
        return self

    real = property(positive, doc="The tensor itself: there are no complex numbers here.")
    conj = resolve_conj = resolve_neg = positive

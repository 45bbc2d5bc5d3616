"""More elementwise ops: angles, hyperbolas, remainders, logarithms of sums, and tests of numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.dtypes import numpy_dtype
from minigrad.graph import composite, primitive
from minigrad.kernels import elementwise as kernel
from minigrad.kernels import erf as error
from minigrad.kernels import gamma
from minigrad.ops.elementwise import (
    eq,
    exp,
    ge,
    gt,
    isnan,
    le,
    logical_and,
    logical_or,
    lt,
    pow,
    rsqrt,
    sigmoid,
    sin,
    to,
    where,
)

# Angles and hyperbolas.
tan = primitive("tan", np.tan, casts="float", x=lambda g, y: g * (1 + y * y))
asin = primitive("asin", np.arcsin, casts="float", x=lambda g, x: g * rsqrt(1 - x * x))
acos = primitive("acos", np.arccos, casts="float", x=lambda g, x: -g * rsqrt(1 - x * x))
atan = primitive("atan", np.arctan, casts="float", x=lambda g, x: g / (1 + x * x))
sinh = primitive("sinh", np.sinh, casts="float", x=lambda g, x: g * cosh(x))
cosh = primitive("cosh", np.cosh, casts="float", x=lambda g, x: g * sinh(x))
asinh = primitive("asinh", np.arcsinh, casts="float", x=lambda g, x: g * rsqrt(x * x + 1))
acosh = primitive("acosh", np.arccosh, casts="float", x=lambda g, x: g * rsqrt(x * x - 1))
atanh = primitive("atanh", np.arctanh, casts="float", x=lambda g, x: g / (1 - x * x))
atan2 = primitive(
    "atan2", np.arctan2, casts="float",
    a=lambda g, a, b: g * _turn(b, a, b),
    b=lambda g, a, b: -g * _turn(a, a, b),
)  # fmt: skip
hypot = primitive("hypot", np.hypot, casts="promote", a=lambda g, a, y: g * (a / y), b=lambda g, b, y: g * (b / y))

# Exponentials, logarithms and the normal distribution's kin.
exp2 = primitive("exp2", np.exp2, casts="float", x=lambda g, y: g * y * math.log(2))
erfc = primitive("erfc", error.erfc, casts="float", x=lambda g, x: -g * exp(-x * x) * (2 / math.sqrt(math.pi)))
erfinv = primitive("erfinv", error.erfinv, casts="float", x=lambda g, y: g * exp(y * y) * (math.sqrt(math.pi) / 2))
logaddexp = primitive(
    "logaddexp", np.logaddexp, casts="promote",
    a=lambda g, a, b: g * sigmoid(a - b),
    b=lambda g, a, b: g * sigmoid(b - a),
)  # fmt: skip
logaddexp2 = primitive(
    "logaddexp2", np.logaddexp2, casts="promote",
    a=lambda g, a, b: g * sigmoid((a - b) * math.log(2)),
    b=lambda g, a, b: g * sigmoid((b - a) * math.log(2)),
)  # fmt: skip
logit_of = primitive("logit", kernel.logit, casts="float", x=lambda g, x, eps: _logit_rule(g, x, eps))
xlogy = primitive(
    "xlogy", kernel.xlogy, casts="float",
    a=lambda g, a, b: where(logical_and(eq(a, 0), le(b, 0)), 0.0, xlogy(g, b)),
    b=lambda g, a, b: g * a / b,
)  # fmt: skip
lgamma = primitive("lgamma", gamma.lgamma, casts="float", x=lambda g, x: g * polygamma_of(x, n=0))
polygamma_of = primitive("polygamma", gamma.polygamma, casts="float", x=lambda g, x, n: g * polygamma_of(x, n=n + 1))

# Pieces and whole numbers.
trunc = primitive("trunc", np.trunc, casts="promote", x=lambda g: where(False, g, 0.0))
fmod = primitive("fmod", np.fmod, casts="promote", a=lambda g: g, b=lambda g, a, b: -g * trunc(a / b))
fmax = primitive(
    "fmax", np.fmax, casts="promote",
    a=lambda g, a, b: where(logical_or(ge(a, b), isnan(b)), g, 0.0),
    b=lambda g, a, b: where(logical_or(ge(a, b), isnan(b)), 0.0, g),
)  # fmt: skip
fmin = primitive(
    "fmin", np.fmin, casts="promote",
    a=lambda g, a, b: where(logical_or(le(a, b), isnan(b)), g, 0.0),
    b=lambda g, a, b: where(logical_or(le(a, b), isnan(b)), 0.0, g),
)  # fmt: skip
copysign = primitive(
    "copysign", np.copysign, casts="float",
    a=lambda g, a, y: where(eq(a, 0), 0.0, g * (y / where(eq(a, 0), 1.0, a))),
    b=None,
)  # fmt: skip
heaviside = primitive(
    "heaviside",
    lambda a, b: np.heaviside(a, b).astype(np.result_type(a, b), copy=False),
    casts="promote",
    a=None,
    b=None,
)
nextafter = primitive("nextafter", np.nextafter, casts="promote", a=None, b=None)
frexp_of = primitive(
    "frexp", np.frexp, casts="floating", outputs=("mantissa", "exponent"),
    x=lambda g_mantissa, exponent: g_mantissa * exp2(to(-exponent, dtype=g_mantissa.dtype)),
)  # fmt: skip
gcd = primitive("gcd", np.gcd, casts="promote", a=None, b=None)
lcm = primitive("lcm", np.lcm, casts="promote", a=None, b=None)
left_shift = primitive("bitwise_left_shift", np.left_shift, casts="promote", a=None, b=None)
right_shift = primitive("bitwise_right_shift", np.right_shift, casts="promote", a=None, b=None)
isclose = primitive("isclose", kernel.isclose, casts="promote", a=None, b=None)
signbit = primitive("signbit", kernel.signbit, x=None)
isposinf = primitive("isposinf", lambda x: np.equal(x, np.inf), x=None)
isneginf = primitive("isneginf", lambda x: np.equal(x, -np.inf), x=None)


def _turn(side: Any, a: Any, b: Any) -> Any:
    """Return side / (a*a + b*b), and 0 at the origin, which has no direction."""
    square = a * a + b * b
    return where(eq(square, 0), 0.0, side / where(eq(square, 0), 1.0, square))


def _logit_rule(g: Any, x: Any, eps: float | None) -> Any:
    """Return the gradient of a logit; outside of its range it is nan, or 0 where that was limited."""
    low = 0.0 if eps is None else eps
    outside = logical_or(lt(x, low), gt(x, 1 - low))
    return where(
        outside, math.nan if eps is None else 0.0, g / where(outside, 0.5, x * (1 - x))
    )  # + 0.0: of -0.0 too it is inf


@composite
def frac(input: Any) -> Any:
    """Return the part after the point, with the sign of the number."""
    return input - trunc(input)


@composite
def deg2rad(input: Any) -> Any:
    """Return degrees as radians."""
    return input * (math.pi / 180)


@composite
def rad2deg(input: Any) -> Any:
    """Return radians as degrees."""
    return input * (180 / math.pi)


@composite
def sinc(input: Any) -> Any:
    """Return sin(pi x) / (pi x), which is 1 at 0."""
    x = where(eq(input, 0), 1.0, input * math.pi)
    return where(eq(input, 0), 1.0, sin(x) / x)


@composite
def nan_to_num(input: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """Return the values with nan, inf and -inf replaced: by `nan`, and by the dtype's largest and smallest number."""
    kind = numpy_dtype(input.dtype)
    if kind.kind != "f":
        return input
    high = float(np.finfo(kind).max) if posinf is None else posinf
    low = float(np.finfo(kind).min) if neginf is None else neginf
    finite = where(eq(input, math.inf), high, where(eq(input, -math.inf), low, input))
    return where(isnan(input), nan, finite)


@composite
def float_power(input: Any, exponent: Any) -> Any:
    """Return input ** exponent in double precision."""
    double = np.dtype(np.float64)
    base, power = (x if isinstance(x, int | float) else to(x, dtype=double) for x in (input, exponent))
    return pow(base, power)


@composite
def ldexp(input: Any, other: Any) -> Any:
    """Return input * 2 ** other."""
    return input * (2.0**other if isinstance(other, int | float) else exp2(other))


@composite
def mvlgamma(input: Any, p: int) -> Any:
    """Return the logarithm of the multivariate gamma function of dimension `p`."""
    total = p * (p - 1) / 4 * math.log(math.pi)
    for j in range(p):
        total = total + lgamma(input - j / 2)
    return total

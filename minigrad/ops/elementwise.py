"""Elementwise ops: arithmetic, powers, exponentials, activations, comparisons and selection."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.graph import composite, primitive
from minigrad.kernels import elementwise as kernel
from minigrad.kernels import erf as error
from minigrad.kernels.half import in_float32

# Arithmetic. Rules return the gradient in the output's shape; the engine sums it down where an operand was broadcast.
add = primitive("add", np.add, casts="promote", a=lambda g: g, b=lambda g: g)
sub = primitive("sub", np.subtract, casts="promote", a=lambda g: g, b=lambda g: -g)
mul = primitive("mul", np.multiply, casts="promote", a=lambda g, b: g * b, b=lambda g, a: g * a)
div = primitive("div", np.divide, casts="float", a=lambda g, b: g / b, b=lambda g, a, b: -g * (a / b) / b)
neg = primitive("neg", np.negative, casts="promote", x=lambda g: -g)
pow = primitive(
    "pow", kernel.power, casts="promote",
    a=lambda g, a, b: _power_rule(g, a, b),
    b=lambda g, a, b, y: g * y * _log_of_base(a, b),
)  # fmt: skip
floor_divide = primitive("floor_divide", np.floor_divide, casts="promote", a=None, b=None)
# The quotient rounded: flat but for jumps, so that, unlike floor_divide, it has a gradient, which is 0.
div_floor = primitive("div_floor", np.floor_divide, casts="promote", a=lambda g: _flat(g), b=lambda g: _flat(g))
div_trunc = primitive("div_trunc", kernel.div_trunc, casts="promote", a=lambda g: _flat(g), b=lambda g: _flat(g))
remainder = primitive(
    "remainder", np.remainder, casts="promote", a=lambda g: g, b=lambda g, a, b: -g * floor_divide(a, b)
)


def _power_rule(g: Any, a: Any, b: Any) -> Any:
    """Return the gradient of a in a**b, without the 0 * a**-1 that b = 0 would make."""
    if not isinstance(b, int | float):
        return where(eq(b, 0), 0.0, g * b * pow(a, b - 1))
    return g * 0.0 if b == 0 else 2.0 * g * a if b == 2 else g * (b * pow(a, b - 1))


def _log_of_base(a: Any, b: Any) -> Any:
    """Return log(a) for the rule of the exponent in a**b; 0 where a = 0 and b >= 0: there the power is flat in b."""
    if isinstance(a, int | float):  # the logarithm of a number would bring its own dtype; so make it an array like b
        a = where(eq(b, b), a * 1.0, b)
    return log(where(logical_and(eq(a, 0), ge(b, 0)), 1.0, a))


# Exponentials and their kin.
exp = primitive("exp", np.exp, casts="float", x=lambda g, y: g * y)
log = primitive("log", np.log, casts="float", x=lambda g, x: g / x)
log1p = primitive("log1p", np.log1p, casts="float", x=lambda g, x: g / (x + 1))
expm1 = primitive("expm1", np.expm1, casts="float", x=lambda g, y: g * (y + 1))
log2 = primitive("log2", np.log2, casts="float", x=lambda g, x: g / (x * math.log(2)))
log10 = primitive("log10", np.log10, casts="float", x=lambda g, x: g / (x * math.log(10)))
sqrt = primitive("sqrt", np.sqrt, casts="float", x=lambda g, y: g / (2 * y))
rsqrt = primitive("rsqrt", lambda x: 1 / np.sqrt(x), casts="float", x=lambda g, y: -0.5 * g * y**3)
reciprocal = primitive("reciprocal", np.reciprocal, casts="float", x=lambda g, y: -g * y * y)
square = primitive("square", kernel.square, casts="promote", x=lambda g, x: 2.0 * g * x)
sin = primitive("sin", np.sin, casts="float", x=lambda g, x: g * cos(x))
cos = primitive("cos", np.cos, casts="float", x=lambda g, x: -g * sin(x))
tanh = primitive("tanh", np.tanh, casts="float", x=lambda g, y: g * (1 - y * y))
sigmoid = primitive("sigmoid", kernel.sigmoid, casts="float", x=lambda g, y: g * (1 - y) * y)
erf = primitive("erf", error.erf, casts="float", x=lambda g, x: g * exp(-x * x) * (2 / math.sqrt(math.pi)))

# Pieces: where a slope jumps, its value at the jump is PyTorch's.
abs = primitive("abs", np.absolute, casts="promote", x=lambda g, x: g * sign(x))
sign = primitive("sign", kernel.sign, casts="promote", x=lambda g: _flat(g))
floor = primitive("floor", np.floor, casts="promote", x=lambda g: _flat(g))
ceil = primitive("ceil", np.ceil, casts="promote", x=lambda g: _flat(g))
round = primitive("round", kernel.round_, casts="promote", x=lambda g: _flat(g))
relu = primitive("relu", kernel.relu, casts="promote", x=lambda g, y: relu_grad(g, y))
relu_grad = primitive("relu_grad", kernel.relu_grad, u=lambda g, z: relu_grad(g, z), z=None)
leaky_relu = primitive(
    "leaky_relu",
    lambda x, *, negative_slope=0.01: np.where(x > 0, x, x * negative_slope),
    casts="float",
    x=lambda g, x, negative_slope: where(gt(x, 0), g, g * negative_slope),
)
elu = primitive(
    "elu",
    kernel.elu,
    casts="float",
    x=lambda g, x, alpha: where(gt(x, 0), g, g * alpha * exp(minimum(x, 0.0))),
)
softplus = primitive(
    "softplus",
    in_float32(kernel.softplus),
    casts="float",
    x=lambda g, x, beta, threshold: where(gt(x * beta, threshold), g, g * sigmoid(x * beta)),
)
clamp = primitive(
    "clamp",
    lambda x, *, min=None, max=None: np.clip(x, min, max),
    casts="promote",
    x=lambda g, x, min, max: where(_inside(x, min, max), g, 0.0),
)
maximum = primitive(
    "maximum", np.maximum, casts="promote", a=lambda g, a, b: _share(g, a, b, lt), b=lambda g, a, b: _share(g, b, a, lt)
)
minimum = primitive(
    "minimum", np.minimum, casts="promote", a=lambda g, a, b: _share(g, a, b, gt), b=lambda g, a, b: _share(g, b, a, gt)
)


def _flat(g: Any) -> Any:
    """Return the gradient of what is constant but for jumps: zeros, whatever arrives."""
    return where(False, g, 0.0)


def _inside(x: Any, low: float | None, high: float | None) -> Any:
    """Where clamp lets the gradient pass: at the bounds too."""
    if low is None or high is None:
        return le(x, high) if low is None else ge(x, low)
    return logical_and(ge(x, low), le(x, high))


def _share(g: Any, mine: Any, other: Any, loses: Any) -> Any:
    """Return the gradient of one of two that compete: nothing for the loser, and a tie shares it evenly."""
    return where(loses(mine, other), 0.0, where(eq(mine, other), g * 0.5, g))


# Comparisons: bool, and without derivative.
eq = primitive("eq", np.equal, casts="promote", a=None, b=None)
ne = primitive("ne", np.not_equal, casts="promote", a=None, b=None)
lt = primitive("lt", np.less, casts="promote", a=None, b=None)
le = primitive("le", np.less_equal, casts="promote", a=None, b=None)
gt = primitive("gt", np.greater, casts="promote", a=None, b=None)
ge = primitive("ge", np.greater_equal, casts="promote", a=None, b=None)
logical_and = primitive("logical_and", np.logical_and, a=None, b=None)
logical_or = primitive("logical_or", np.logical_or, a=None, b=None)
logical_xor = primitive("logical_xor", np.logical_xor, a=None, b=None)
logical_not = primitive("logical_not", np.logical_not, x=None)
bitwise_and = primitive("bitwise_and", np.bitwise_and, casts="promote", a=None, b=None)
bitwise_or = primitive("bitwise_or", np.bitwise_or, casts="promote", a=None, b=None)
bitwise_xor = primitive("bitwise_xor", np.bitwise_xor, casts="promote", a=None, b=None)
bitwise_not = primitive("bitwise_not", np.bitwise_not, x=None)
isnan = primitive("isnan", np.isnan, x=None)
isinf = primitive("isinf", np.isinf, x=None)
isfinite = primitive("isfinite", np.isfinite, x=None)

# Of three operands, each in one pass, so that they can be written over any of them.
addcmul = primitive(
    "addcmul", lambda x, a, b, *, value=1: x + value * (a * b), casts="promote",
    x=lambda g: g,
    a=lambda g, b, value: value * g * b,
    b=lambda g, a, value: value * g * a,
)  # fmt: skip
addcdiv = primitive(
    "addcdiv", lambda x, a, b, *, value=1: x + value * (a / b), casts="float",
    x=lambda g: g,
    a=lambda g, b, value: value * g / b,
    b=lambda g, a, b, value: -value * g * (a / b) / b,
)  # fmt: skip
lerp = primitive(
    "lerp", kernel.lerp, casts="promote",
    start=lambda g, weight: g * (1 - weight),
    end=lambda g, weight: g * weight,
    weight=lambda g, start, end: g * (end - start),
)  # fmt: skip

where = primitive(
    "where", kernel.where, casts="promote", cast_from=1,
    condition=None,
    a=lambda g, condition: where(condition, g, 0.0),
    b=lambda g, condition: where(condition, 0.0, g),
)  # fmt: skip
to = primitive("to", lambda x, *, dtype: x.astype(dtype), x=lambda g, x_dtype: to(g, dtype=x_dtype))
clone = primitive("clone", np.copy, x=lambda g: g)


@composite
def silu(x: Any) -> Any:
    """Return x * sigmoid(x), elementwise (Elfwing et al., 2017, arXiv:1702.03118)."""
    return x * sigmoid(x)


# The exact unit in one node, whose second output is its slope, which the rule uses.
erf_gelu = primitive(
    "erf_gelu", in_float32(error.gelu), outputs=("y", "slope"), casts="float",
    x=lambda g, x, slope, g_slope=None: _gelu_rule(g, x, slope, g_slope),
)  # fmt: skip


def _gelu_rule(g: Any, x: Any, slope: Any, g_slope: Any) -> Any:
    gradient = g * slope
    if g_slope is None:
        return gradient
    density = exp(x * (-0.5 * x)) * (1 / math.sqrt(2 * math.pi))
    return gradient + g_slope * density * (2.0 - x * x)


@composite
def gelu(x: Any, approximate: str = "none") -> Any:
    """Return x times the standard normal distribution function of x (Hendrycks & Gimpel, 2016, arXiv:1606.08415).

    `approximate="tanh"` uses the paper's approximation by tanh instead of the exact erf.
    """
    if approximate == "tanh":
        z = clamp(x, min=-10.0, max=10.0)  # where tanh has long been 1, and z**3 cannot overflow
        return 0.5 * x * (1 + tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)))
    return erf_gelu(x)[0]


@composite
def masked_fill(x: Any, mask: Any, value: Any) -> Any:
    """Return `x` with `value` wherever `mask` is True; the mask broadcasts to x."""
    return where(mask, value, x)

"""Samples of the elementwise ops."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from op_samples_base import Sample, away, binary, bools, exactly, ints, positive, unary

from minigrad.ops import elementwise as e


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


_erf = np.vectorize(math.erf, otypes=[float])


def samples() -> Iterator[Sample]:
    yield from arithmetic()
    yield from functions()
    yield from pieces()
    yield from comparisons()
    yield from selection()


def arithmetic() -> Iterator[Sample]:
    yield from binary("add", e.add, np.add, lambda t, a, b: a + b)
    yield from binary("sub", e.sub, np.subtract, lambda t, a, b: a - b)
    yield from binary("mul", e.mul, np.multiply, lambda t, a, b: a * b)
    yield from binary("div", e.div, np.divide, lambda t, a, b: a / b)
    yield from binary("maximum", e.maximum, np.maximum, lambda t, a, b: t.maximum(a, b), numbers=(1, 0.5))
    yield from binary("minimum", e.minimum, np.minimum, lambda t, a, b: t.minimum(a, b), numbers=(1, 0.5))
    yield from binary(
        "floor_divide", e.floor_divide, np.floor_divide, lambda t, a, b: a // b, numbers=(2, 0.75), smooth=False,
        special=(),
    )  # fmt: skip
    for mode in ("floor", "trunc"):
        yield from binary(
            f"div_{mode}", getattr(e, f"div_{mode}"), lambda a, b, mode=mode: getattr(np, mode)(np.divide(a, b)),
            lambda t, a, b, mode=mode: t.div(a, b, rounding_mode=mode), numbers=(2, 0.75), kink=True, special=(),
        )  # fmt: skip
        yield Sample(
            f"div_{mode}", "integers", getattr(e, f"div_{mode}"), (ints(9, 4, 3, low=-9), ints(5, 3, low=1)), None,
            lambda t, a, b, mode=mode: t.div(a, b, rounding_mode=mode), smooth=False,
        )  # fmt: skip
    yield from binary("remainder", e.remainder, np.remainder, lambda t, a, b: a % b, positive, (2, 0.75), special=())
    yield from binary("pow", e.pow, np.power, lambda t, a, b: a**b, positive, (2, 1.5, 3), special=())
    for n in (-3, -2, -1, -0.5, 0, 0.5, 1, 2, 2.5, 3, 4):
        draw = away if n == int(n) else positive
        yield Sample(
            "pow", f"exponent {n}", lambda x, n=n: e.pow(x, n), (draw(2, 3),), lambda x, n=n: np.power(x, float(n)),
            lambda t, x, n=n: x**n,
        )  # fmt: skip
    yield Sample("pow", "zero base", e.pow, (exactly([0.0, 0.0, 0.0]), exactly([1.0, 2.0, 3.0])), np.power,
                 lambda t, a, b: a**b, kink=True)  # fmt: skip
    for name in ("maximum", "minimum"):
        yield Sample(name, "ties", getattr(e, name), (exactly([1.0, 2.0, 2.0]), exactly([1.0, 2.0, 3.0])), None,
                     lambda t, a, b, name=name: getattr(t, name)(a, b), kink=True)  # fmt: skip
    for shape in ((2, 3), (), (0, 2)):
        yield Sample("relu_grad", f"{shape}", e.relu_grad, (away(*shape), away(*shape)),
                     lambda u, y: np.where(y <= 0, 0, u),
                     lambda t, u, y: t.where(y <= 0, 0.0, u), constant=(1,))  # fmt: skip
    yield Sample("lerp", "plain", e.lerp, (away(2, 3), away(3), positive(2, 1)), lambda a, b, w: a + w * (b - a),
                 lambda t, a, b, w: t.lerp(a, b, w), special=())  # fmt: skip
    triple = (away(2, 3), away(3), away(2, 1))
    for value in (1, -0.7):
        yield Sample("addcmul", f"{value}", lambda x, a, b, v=value: e.addcmul(x, a, b, value=v), triple,
                     lambda x, a, b, v=value: x + v * a * b,
                     lambda t, x, a, b, v=value: t.addcmul(x, a, b, value=v))  # fmt: skip
        yield Sample("addcdiv", f"{value}", lambda x, a, b, v=value: e.addcdiv(x, a, b, value=v), triple,
                     lambda x, a, b, v=value: x + v * a / b, lambda t, x, a, b, v=value: t.addcdiv(x, a, b, value=v),
                     special=("inf",))  # fmt: skip
    yield Sample("lerp", "number", lambda a, b: e.lerp(a, b, 0.3), (away(2, 3), away(2, 3)),
                 lambda a, b: a + 0.3 * (b - a), lambda t, a, b: t.lerp(a, b, 0.3), special=())  # fmt: skip


def functions() -> Iterator[Sample]:
    for name in ("exp", "expm1", "sin", "cos", "tanh", "square"):
        yield from unary(name, getattr(e, name), getattr(np, name), lambda t, x, name=name: getattr(t, name)(x))
    for name in ("log", "log1p", "log2", "log10", "sqrt"):
        call, truth = getattr(e, name), getattr(np, name)
        yield from unary(name, call, truth, lambda t, x, name=name: getattr(t, name)(x), positive)
    yield from unary("neg", e.neg, np.negative, lambda t, x: -x)
    yield from unary("reciprocal", e.reciprocal, lambda x: 1 / x, lambda t, x: t.reciprocal(x))
    yield from unary("rsqrt", e.rsqrt, lambda x: x**-0.5, lambda t, x: t.rsqrt(x), positive)
    yield from unary("sigmoid", e.sigmoid, _sigmoid, lambda t, x: t.sigmoid(x))
    yield from unary("erf", e.erf, _erf, lambda t, x: t.erf(x))
    yield from unary("silu", e.silu, lambda x: x * _sigmoid(x), lambda t, x: t.nn.functional.silu(x))
    yield from unary("gelu", e.gelu, lambda x: x * (1 + _erf(x / 2**0.5)) / 2, lambda t, x: t.nn.functional.gelu(x))
    for shape in ((3, 4), (), (0, 2), (2, 40_000)):  # the last in more than one piece
        yield Sample("erf_gelu", f"{shape}", e.erf_gelu, (away(*shape),),
                     lambda x: (x * (1 + _erf(x / 2**0.5)) / 2,
                                (1 + _erf(x / 2**0.5)) / 2 + x * np.exp(-x * x / 2) / (2 * np.pi) ** 0.5),
                     lambda t, x: (t.nn.functional.gelu(x), (1 + t.erf(x / 2**0.5)) / 2
                                   + x * t.exp(-x * x / 2) / (2 * np.pi) ** 0.5))  # fmt: skip
    yield Sample("gelu", "tanh", lambda x: e.gelu(x, "tanh"), (away(3, 4),),
                 lambda x: x / 2 * (1 + np.tanh((2 / np.pi) ** 0.5 * (x + 0.044715 * x**3))),
                 lambda t, x: t.nn.functional.gelu(x, approximate="tanh"), special=("nan",))  # fmt: skip


def pieces() -> Iterator[Sample]:
    functional = {
        "relu": ({}, lambda x: np.where(x > 0, x, 0)),
        "leaky_relu": ({"negative_slope": 0.2}, lambda x: np.where(x > 0, x, 0.2 * x)),
        "elu": ({"alpha": 0.7}, lambda x: np.where(x > 0, x, 0.7 * np.expm1(x))),
        "softplus": ({"beta": 1.3, "threshold": 20.0}, lambda x: np.log1p(np.exp(1.3 * x)) / 1.3),
    }
    for name, (attrs, truth) in functional.items():
        # The gradient of PyTorch's elu at nan is nan in its vectorised loop and 1 in the rest of the array.
        flags = {"special": ("inf",)} if name == "elu" else {}
        yield from unary(
            name, lambda x, n=name, a=attrs: getattr(e, n)(x, **a), truth,
            lambda t, x, name=name, a=attrs: getattr(t.nn.functional, name)(x, **a), **flags,
        )  # fmt: skip
    yield Sample("relu", "long", e.relu, (away(3, 9000),), lambda x: np.where(x > 0, x, 0), lambda t, x: t.relu(x))
    yield Sample("leaky_relu", "default", e.leaky_relu, (away(5),), lambda x: np.where(x > 0, x, 0.01 * x),
                 lambda t, x: t.nn.functional.leaky_relu(x))  # fmt: skip
    yield Sample("elu", "default", e.elu, (away(5),), lambda x: np.where(x > 0, x, np.expm1(x)),
                 lambda t, x: t.nn.functional.elu(x), special=("inf",))  # fmt: skip
    yield Sample("softplus", "past the threshold", lambda x: e.softplus(x, threshold=1.0), (away(9),),
                 lambda x: np.where(x > 1, x, np.log1p(np.exp(x))),
                 lambda t, x: t.nn.functional.softplus(x, threshold=1.0))  # fmt: skip
    for name in ("relu", "leaky_relu", "elu"):
        yield Sample(name, "at the kink", getattr(e, name), (exactly([0.0, -0.0]),), None,
                     lambda t, x, name=name: getattr(t.nn.functional, name)(x), kink=True, special=())  # fmt: skip
    yield Sample("abs", "at the kink", e.abs, (exactly([0.0, -0.0]),), np.abs, lambda t, x: t.abs(x), kink=True)
    yield from unary("abs", e.abs, np.abs, lambda t, x: t.abs(x))
    for name in ("sign", "floor", "ceil", "round"):
        yield from unary(name, getattr(e, name), getattr(np, name), lambda t, x, name=name: getattr(t, name)(x))
    for low, high in ((-1.0, 0.9), (None, 0.5), (-0.5, None), (1, 1), (1.0, -1.0)):
        yield Sample("clamp", f"{low} to {high}", lambda x, a=low, b=high: e.clamp(x, min=a, max=b), (away(3, 4),),
                     lambda x, a=low, b=high: np.clip(x, a, b),
                     lambda t, x, a=low, b=high: t.clamp(x, a, b))  # fmt: skip
    yield from unary("clamp", lambda x: e.clamp(x, min=-1.0, max=1.0), lambda x: np.clip(x, -1, 1),
                     lambda t, x: t.clamp(x, -1.0, 1.0))  # fmt: skip
    yield Sample("clamp", "at the bounds", lambda x: e.clamp(x, min=-1.0, max=1.0), (exactly([-1.0, 1.0, 0.5, 3.0]),),
                 None, lambda t, x: t.clamp(x, -1.0, 1.0), kink=True)  # fmt: skip


def comparisons() -> Iterator[Sample]:
    names = {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal"}
    for name, numpy in names.items():
        yield from binary(name, getattr(e, name), getattr(np, numpy), lambda t, a, b, name=name: getattr(t, name)(a, b),
                          lambda *s: ints(2, *s), numbers=(1,), smooth=False)  # fmt: skip
        yield Sample(name, "floats", getattr(e, name), (away(2, 3), away(3)), getattr(np, numpy),
                     lambda t, a, b, name=name: getattr(t, name)(a, b), smooth=False)  # fmt: skip
    for name in ("logical_and", "logical_or", "logical_xor"):
        for draw in (bools, lambda *s: ints(2, *s), away):
            for label in ((2, 3), (2, 3)), ((2, 1), (3,)), ((), (2,)), ((0,), (1,)):
                a, b = label
                kind = {bools: "bool", away: "float"}.get(draw, "int")
                yield Sample(name, f"{kind} {a} {b}", getattr(e, name), (draw(*a), draw(*b)), getattr(np, name),
                             lambda t, a, b, name=name: getattr(t, name)(a, b), smooth=False)  # fmt: skip
    for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
        yield from binary(name, getattr(e, name), getattr(np, name), lambda t, a, b, name=name: getattr(t, name)(a, b),
                          lambda *s: ints(16, *s), numbers=(5,), smooth=False)  # fmt: skip
        yield Sample(name, "bool", getattr(e, name), (bools(2, 3), bools(3)), getattr(np, name),
                     lambda t, a, b, name=name: getattr(t, name)(a, b), smooth=False)  # fmt: skip
    inverted = lambda t, x: t.bitwise_not(x)
    yield from unary("bitwise_not", e.bitwise_not, np.invert, inverted, lambda *s: ints(9, *s), smooth=False)
    yield Sample("bitwise_not", "bool", e.bitwise_not, (bools(4),), np.invert, inverted, smooth=False)
    yield from unary("logical_not", e.logical_not, np.logical_not, lambda t, x: t.logical_not(x), bools, smooth=False)
    for name in ("isnan", "isinf", "isfinite"):
        yield from unary(name, getattr(e, name), getattr(np, name), lambda t, x, name=name: getattr(t, name)(x),
                         smooth=False)  # fmt: skip


def selection() -> Iterator[Sample]:
    def where(t: Any, c: Any, a: Any, b: Any) -> Any:
        return t.where(c, a, b)

    for label, (c, a, b) in {
        "plain": ((2, 3), (2, 3), (2, 3)), "0-d": ((), (), ()), "0-d condition": ((), (2, 3), (2, 3)),
        "broadcast condition": ((3,), (2, 1), (2, 3)), "wide condition": ((4, 2, 1), (3,), (1,)),
        "empty": ((0, 3), (3,), (0, 1)), "size 1": ((1,), (1, 1), ()),
    }.items():  # fmt: skip
        yield Sample("where", label, e.where, (bools(*c), away(*a), away(*b)), np.where, where)
    for n in (0.0, -0.0, 0, 1.5, math.inf):
        yield Sample(
            "where",
            f"{n!r} right",
            lambda c, x, n=n: e.where(c, x, n),
            (bools(4, 3), away(2, 4, 3)),
            lambda c, x, n=n: np.where(c, x, n),
            lambda t, c, x, n=n: t.where(c, x, n),
            kink=math.isinf(n),
        )
        yield Sample(
            "where",
            f"{n!r} left",
            lambda c, x, n=n: e.where(c, n, x),
            (bools(4, 3), away(2, 4, 3)),
            lambda c, x, n=n: np.where(c, n, x),
            lambda t, c, x, n=n: t.where(c, n, x),
            kink=math.isinf(n),
        )
    yield Sample("where", "repeated", lambda c, x: e.where(c, x, x), (bools(3), away(3)),
                 lambda c, x: x, lambda t, c, x: t.where(c, x, x))  # fmt: skip
    yield Sample("where", "integer condition", e.where, (ints(2, 2, 3), away(2, 3), away(3)),
                 lambda c, a, b: np.where(c != 0, a, b), lambda t, c, a, b: t.where(c != 0, a, b))  # fmt: skip
    for n in (0.0, 2.5, -math.inf):
        yield Sample(
            "masked_fill",
            f"{n}",
            lambda x, m, n=n: e.masked_fill(x, m, n),
            (away(2, 3), bools(2, 3)),
            lambda x, m, n=n: np.where(m, n, x),
            lambda t, x, m, n=n: x.masked_fill(m, n),
            kink=math.isinf(n),
        )
    yield Sample("masked_fill", "broadcast", lambda x, m: e.masked_fill(x, m, 2), (away(2, 3), bools(3)),
                 lambda x, m: np.where(m, 2, x), lambda t, x, m: x.masked_fill(m, 2))  # fmt: skip
    yield Sample("masked_fill", "0-d value", e.masked_fill, (away(2, 3), bools(2, 1), away()),
                 lambda x, m, v: np.where(m, v, x), lambda t, x, m, v: x.masked_fill(m, v))  # fmt: skip
    yield from unary("clone", e.clone, np.copy, lambda t, x: x.clone())
    yield from unary("to", lambda x: e.to(x, dtype=np.dtype(np.float64)), lambda x: x, lambda t, x: x.to(t.float64),
                     keeps_dtype=False)  # fmt: skip
    yield Sample("to", "integer", lambda x: e.to(x, dtype=np.dtype(np.int32)), (away(3, 4),), np.trunc,
                 lambda t, x: x.to(t.int32), smooth=False, special=())  # fmt: skip

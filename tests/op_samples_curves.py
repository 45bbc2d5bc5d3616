"""Samples of the further elementwise ops: angles, hyperbolas, remainders, and tests of numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from op_samples_base import Sample, away, binary, exactly, inside, ints, positive, unary

from minigrad.ops import curves as c
from minigrad.ops import elementwise as e


def _above_one(*shape: int):
    return lambda rng: np.asarray(rng.uniform(1.3, 3.0, shape))


def samples() -> Iterator[Sample]:
    yield from of_one()
    yield from gammas()
    yield from of_two()
    yield from composed()
    yield from whole_numbers()


def of_one() -> Iterator[Sample]:
    table = {
        "tan": (np.tan, inside),
        "asin": (np.arcsin, inside),
        "acos": (np.arccos, inside),
        "atan": (np.arctan, away),
        "sinh": (np.sinh, away),
        "cosh": (np.cosh, away),
        "asinh": (np.arcsinh, away),
        "exp2": (np.exp2, away),
        "acosh": (np.arccosh, _above_one),
        "atanh": (np.arctanh, inside),
        "erfinv": (None, inside),
        "erfc": (np.vectorize(math.erfc, otypes=[float]), away),
    }
    for name, (truth, draw) in table.items():
        yield from unary(name, getattr(c, name), truth, lambda t, x, n=name: getattr(t, n)(x), draw)
    yield from unary("trunc", c.trunc, np.trunc, lambda t, x: t.trunc(x))
    for name in ("signbit", "isposinf", "isneginf"):
        yield from unary(name, getattr(c, name), getattr(np, name), lambda t, x, n=name: getattr(t, n)(x), smooth=False)
    yield Sample(
        "signbit",
        "whole numbers",
        c.signbit,
        (ints(5, 6, low=-4),),
        lambda x: x < 0,
        lambda t, x: t.signbit(x),
        smooth=False,
    )


def gammas() -> Iterator[Sample]:
    between = lambda *s: lambda rng: np.asarray(rng.uniform(0.3, 20, s))
    lgamma = np.vectorize(math.lgamma, otypes=[float])
    yield from unary("lgamma", c.lgamma, lgamma, lambda t, x: t.lgamma(x), between, special=("nan",))
    yield Sample(
        "lgamma",
        "below 0",
        c.lgamma,
        (exactly([-0.5, -1.3, -2.8, 0.3]),),
        lgamma,
        lambda t, x: t.lgamma(x),
        special=(),
    )
    for n in (0, 1, 2, 4):
        call, oracle = lambda x, n=n: c.polygamma_of(x, n=n), lambda t, x, n=n: t.polygamma(n, x)
        yield Sample("polygamma", f"{n}", call, (between(4, 3),), None, oracle, special=())
    below = (exactly([-0.5, -1.3, -2.8, 1e-2, 40.0]),)
    yield Sample(
        "polygamma", "0 below 0", lambda x: c.polygamma_of(x, n=0), below, None, lambda t, x: t.digamma(x), special=()
    )
    yield from (Sample("mvlgamma", f"{p}", lambda x, p=p: c.mvlgamma(x, p), (_above_one(3, 2),), None,
                       lambda t, x, p=p: t.mvlgamma(x, p), special=()) for p in (1, 2, 3))  # fmt: skip


def of_two() -> Iterator[Sample]:
    for name, truth in (("atan2", np.arctan2), ("hypot", np.hypot), ("copysign", np.copysign)):
        flags = {"constant": (1,)} if name == "copysign" else {}
        numbers = (1.5, -0.7) if name == "copysign" else (2, 1.5, -0.7)
        rows = binary(
            name,
            getattr(c, name),
            truth,
            lambda t, a, b, n=name: getattr(t, n)(a, b),
            away,
            numbers,
            special=(),
            **flags,
        )
        yield from (
            s
            for s in rows
            if name != "copysign"
            or (("left" not in s.label or "broadcast" in s.label or s.label == "0-d left") and s.label != "repeated")
        )
    yield Sample(
        "atan2",
        "origin",
        c.atan2,
        (exactly([0.0, 1.0]), exactly([0.0, 0.0])),
        np.arctan2,
        lambda t, a, b: t.atan2(a, b),
        kink=True,
    )
    for name in ("logaddexp", "logaddexp2"):
        yield from binary(
            name, getattr(c, name), getattr(np, name), lambda t, a, b, n=name: getattr(t, n)(a, b), special=("nan",)
        )
    for name in ("fmax", "fmin"):
        yield from (
            s
            for s in binary(
                name, getattr(c, name), getattr(np, name), lambda t, a, b, n=name: getattr(t, n)(a, b), numbers=(1, 0.5)
            )
            if s.label != "repeated"
        )
        yield Sample(
            name,
            "ties",
            getattr(c, name),
            (exactly([1.0, 2.0, 2.0]), exactly([1.0, 2.0, 3.0])),
            None,
            lambda t, a, b, n=name: getattr(t, n)(a, b),
            kink=True,
        )
    yield from binary("fmod", c.fmod, np.fmod, lambda t, a, b: t.fmod(a, b), positive, (2, 0.75), special=())
    yield Sample(
        "fmod", "either sign", c.fmod, (away(3, 4), away(3, 4)), np.fmod, lambda t, a, b: t.fmod(a, b), special=()
    )
    yield from binary(
        "heaviside",
        c.heaviside,
        np.heaviside,
        lambda t, a, b: t.heaviside(a, b),
        numbers=(0.5,),
        smooth=False,
        special=("inf",),
    )
    yield from binary(
        "isclose",
        lambda a, b: c.isclose(a, b, rtol=0.3, atol=0.1),
        lambda a, b: np.abs(a - b) <= 0.1 + 0.3 * np.abs(b),
        lambda t, a, b: t.isclose(a, b, rtol=0.3, atol=0.1),
        smooth=False,
    )
    yield Sample(
        "isclose",
        "nan",
        lambda a, b: c.isclose(a, b, equal_nan=True),
        (exactly([np.nan, 1.0, np.inf]),) * 2,
        None,
        lambda t, a, b: t.isclose(a, b, equal_nan=True),
        smooth=False,
    )
    yield from binary("xlogy", c.xlogy, lambda a, b: a * np.log(b), lambda t, a, b: t.xlogy(a, b), positive, (2, 1.5))
    yield Sample(
        "xlogy",
        "zeros",
        c.xlogy,
        (exactly([0.0, 0.0, 0.0, 2.0]), exactly([0.0, -1.0, np.inf, 0.0])),
        None,
        lambda t, a, b: t.xlogy(a, b),
        kink=True,
        special=(),
    )
    yield from binary("ldexp", c.ldexp, lambda a, b: a * 2.0**b, lambda t, a, b: t.ldexp(a, b), special=())
    yield from binary(
        "float_power",
        c.float_power,
        np.float_power,
        lambda t, a, b: t.float_power(a, b),
        positive,
        (2, 1.5),
        special=(),
        keeps_dtype=False,
    )


def composed() -> Iterator[Sample]:
    yield from unary("frac", c.frac, lambda x: x - np.trunc(x), lambda t, x: t.frac(x), special=())
    yield from unary("deg2rad", c.deg2rad, np.deg2rad, lambda t, x: t.deg2rad(x))
    yield from unary("rad2deg", c.rad2deg, np.rad2deg, lambda t, x: t.rad2deg(x))
    yield from unary("sinc", c.sinc, np.sinc, lambda t, x: t.sinc(x), special=())
    yield Sample(
        "sinc", "at 0", c.sinc, (exactly([0.0, -0.0]),), np.sinc, lambda t, x: t.sinc(x), kink=True, special=()
    )
    probability = lambda *s: lambda rng: np.asarray(rng.uniform(0.1, 0.9, s))
    yield from unary(
        "logit",
        c.logit_of,
        lambda x: np.log(x / (1 - x)),
        lambda t, x: t.logit(x),
        probability,
        # Of -0.0 the slope of PyTorch is inf in its vectorised loop, and -inf in the rest of the array.
        special=("nan",),
    )
    yield Sample(
        "logit",
        "limited",
        lambda x: c.logit_of(x, eps=0.3),
        (probability(3, 5),),
        None,
        lambda t, x: t.logit(x, 0.3),
        special=(),
    )
    yield from unary("nan_to_num", c.nan_to_num, np.nan_to_num, lambda t, x: t.nan_to_num(x))
    yield Sample(
        "nan_to_num",
        "given",
        lambda x: c.nan_to_num(x, 0.5, 2.0, -3.0),
        (exactly([np.nan, np.inf, -np.inf, 1.0]),),
        lambda x: np.nan_to_num(x, False, 0.5, 2.0, -3.0),
        lambda t, x: t.nan_to_num(x, 0.5, 2.0, -3.0),
        kink=True,
    )
    for label, shapes in (("plain", ((2, 3),) * 3), ("broadcast", ((2, 1), (3,), ())), ("empty", ((0, 2),) * 3)):
        draws = tuple(away(*s) for s in shapes)
        for value in (1, -0.5):
            yield Sample(
                "addcmul",
                f"{label} {value}",
                lambda a, b, d, v=value: e.addcmul(a, b, d, value=v),
                draws,
                lambda a, b, d, v=value: a + v * b * d,
                lambda t, a, b, d, v=value: t.addcmul(a, b, d, value=v),
                special=(),
            )
            yield Sample(
                "addcdiv",
                f"{label} {value}",
                lambda a, b, d, v=value: e.addcdiv(a, b, d, value=v),
                draws,
                lambda a, b, d, v=value: a + v * b / d,
                lambda t, a, b, d, v=value: t.addcdiv(a, b, d, value=v),
                special=(),
            )


def whole_numbers() -> Iterator[Sample]:
    numpy = {"gcd": np.gcd, "lcm": np.lcm, "bitwise_left_shift": np.left_shift, "bitwise_right_shift": np.right_shift}
    calls = {"gcd": c.gcd, "lcm": c.lcm, "bitwise_left_shift": c.left_shift, "bitwise_right_shift": c.right_shift}
    for name, truth in numpy.items():
        for label, (a, b) in {"plain": ((2, 3), (2, 3)), "broadcast": ((2, 1), (3,)), "0-d": ((), (2,))}.items():
            yield Sample(
                name,
                label,
                calls[name],
                (ints(20, *a, low=1), ints(6, *b)),
                truth,
                lambda t, x, y, n=name: getattr(t, n)(x, y),
                smooth=False,
            )

"""The error function, its complement and its inverse, and the Gaussian error linear unit made of it."""

from __future__ import annotations

import math

import numpy as np

from minigrad.dtypes import Array

# Rational approximations of erf and erfc after W. J. Cody, "Rational Chebyshev approximations for the error function",
# Mathematics of Computation 23 (1969): below 0.5, from 0.5 to 4, and above. Relative error under 2e-16.
_ERF_SMALL = (
    (
        1.85777706184603153e-1,
        3.16112374387056560e0,
        1.13864154151050156e2,
        3.77485237685302021e2,
        3.20937758913846947e3,
    ),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)
_ERFC_MIDDLE = (
    (
        2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
        2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
        1.23033935479799725e3,
    ),
    (
        1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
        3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3,
    ),
)  # fmt: skip
_ERFC_LARGE = (
    (
        1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
        1.60837851487422766e-2, 6.58749161529837803e-4,
    ),
    (
        1.0, 2.56852019228982242e0, 1.87295284992346047e0, 5.27905102951428412e-1, 6.05183413124413191e-2,
        2.33520497626869185e-3,
    ),
)  # fmt: skip


def _ratio(z: Array, table: tuple[tuple[float, ...], tuple[float, ...]]) -> Array:
    """Return the rational function whose numerator and denominator `table` holds, highest power first."""
    return np.asarray(np.polyval(table[0], z) / np.polyval(table[1], z))


def _beyond(a: Array) -> Array:
    """Return erfc(a) for a >= 0.5."""
    big = np.maximum(a, 0.5)
    tail = np.exp(-big * big)
    inverse = 1.0 / np.square(np.maximum(a, 4.0))
    middle = tail * _ratio(np.minimum(big, 4.0), _ERFC_MIDDLE)
    large = tail / np.maximum(a, 4.0) * (1 / math.sqrt(math.pi) - inverse * _ratio(inverse, _ERFC_LARGE))
    return np.where(a <= 4.0, middle, large)


def _near(t: Array) -> Array:
    """Return erf(t) for |t| <= 0.5."""
    return t * _ratio(np.minimum(t * t, 0.25), _ERF_SMALL)


def _narrowed(y: Array, x: Array) -> Array:
    return np.asarray(y).astype(x.dtype if x.dtype.kind == "f" else np.float32)


def erf(x: Array) -> Array:
    """Return the error function, 2/sqrt(pi) times the integral of exp(-t*t) from 0 to x, in double precision inside."""
    if x.dtype == np.float32:
        return _erf_of_float32(x)
    t = np.asarray(x, np.float64)
    a = np.minimum(np.abs(t), 6.0)  # erf(6) is 1 to the last bit
    rest = np.copysign(1.0 - _beyond(a), t)
    return _narrowed(np.where(a <= 0.5, _near(t), np.where(np.isnan(t), t, rest)), x)


# erf(x) = x * P(x*x) / Q(x*x) for |x| <= 4, beyond which single precision knows only 1. Fitted for the least relative
# error, 2.5e-8, by reweighted least squares; highest power first.
_P = (1.9869612182e-06, 0.000284545993972, 0.00388239046757, 0.0530987492652, 0.1935225701, 1.12837913956)
_Q = (3.74210223231e-05, 0.00118534426442, 0.0152053186266, 0.115340687059, 0.504837471491, 1.0)
_PIECE = 1 << 15  # elements taken at a time, so that all passes but the first find them in the cache


def _erf_of_float32(x: Array) -> Array:
    """Return erf to one unit in the last place: one rational function, in double precision, a piece at a time."""
    flat = np.ascontiguousarray(x).reshape(-1)
    y = np.empty_like(flat)
    rooms = np.empty((4, min(len(flat), _PIECE)))
    for start in range(0, len(flat), _PIECE):
        piece = flat[start : start + _PIECE]
        t, z, above, below = rooms[:, : len(piece)]
        np.clip(piece, -4.0, 4.0, out=t)
        np.multiply(t, t, out=z)
        _horner(_P, z, above)
        above *= t
        np.divide(above, _horner(_Q, z, below), out=y[start : start + _PIECE], casting="same_kind")
    return y.reshape(x.shape)


def _horner(powers: tuple[float, ...], z: Array, out: Array) -> Array:
    """Return in `out` the polynomial in `z` with these coefficients, highest power first."""
    np.multiply(z, powers[0], out=out)
    for c in powers[1:-1]:
        out += c
        out *= z
    out += powers[-1]
    return out


# The probability that a standard normal is below x is (1 + tanh(x * W(x*x))) / 2, with W taken at 25 beyond 25. Fitted
# like _P and _Q, for an error of the tanh below 1.2e-7; highest power first.
_W = (
    1.7561907483809591e-09, -1.3226399175891856e-07, 3.96475206798641e-06, -5.530623093363829e-05,
    -3.259489676565863e-05, 0.03633308410644531, 0.7978849411010742,
)  # fmt: skip


def gelu(x: Array) -> tuple[Array, Array]:
    """Return x * phi, where phi is the probability that a standard normal is below x, and its slope in x."""
    if x.dtype != np.float32:
        share = (1 + erf(x * math.sqrt(0.5))) * 0.5
        return x * share, share + x * np.exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi))
    flat = np.ascontiguousarray(x).reshape(-1)
    y, slope = np.empty_like(flat), np.empty_like(flat)
    rooms = np.empty((3, min(len(flat), _PIECE)), np.float32)
    rooms[2] = 25  # minimum takes a third of the time with an array
    for start in range(0, len(flat), _PIECE):
        here = slice(start, start + _PIECE)
        _gelu_of_piece(flat[here], y[here], slope[here], *rooms[:, : len(flat[here])])
    return y.reshape(x.shape), slope.reshape(x.shape)


def _gelu_of_piece(x: Array, y: Array, slope: Array, square: Array, share: Array, top: Array) -> None:
    """Fill `y` and `slope`; `square` and `share` are room to compute in, `top` is 25."""
    np.multiply(x, x, out=square)
    np.multiply(square, -0.5, out=slope)
    np.exp(slope, out=slope)
    slope *= x
    slope *= 1 / math.sqrt(2 * math.pi)
    _horner(_W, np.minimum(square, top, out=square), share)
    share *= x
    np.tanh(share, out=share)
    share *= 0.5
    share += 0.5
    np.multiply(x, share, out=y)
    slope += share


def erfc(x: Array) -> Array:
    """Return 1 - erf(x), with all digits where that is small; in double precision inside."""
    t = np.asarray(x, np.float64)
    beyond = _beyond(np.minimum(np.abs(t), 30.0))
    rest = np.where(t < 0, 2.0 - beyond, beyond)
    return _narrowed(np.where(np.abs(t) <= 0.5, 1.0 - _near(t), np.where(np.isnan(t), t, rest)), x)


def erfinv(x: Array) -> Array:
    """Return the number whose error function is x: S. Winitzki's estimate, made exact by Halley's method."""
    t = np.asarray(x, np.float64)
    p = np.log1p(-t * t)
    half = 2 / (math.pi * 0.147) + p / 2
    y = np.copysign(np.sqrt(np.sqrt(half * half - p / 0.147) - half), t)
    for _ in range(3):
        far = np.where(np.abs(y) <= 0.5, _near(y) - t, np.sign(y) * (1 - np.abs(t) - _beyond(np.abs(y))))
        step = far / (2 / math.sqrt(math.pi) * np.exp(-y * y))
        y = y - np.where(np.isfinite(step), step / (1 + y * step), 0)
    return _narrowed(np.where(np.abs(t) < 1, y, np.where(np.abs(t) == 1, np.copysign(np.inf, t), np.nan)), x)

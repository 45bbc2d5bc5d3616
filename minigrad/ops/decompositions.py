"""Inverses, determinants and decompositions of matrices and batches of them.

The rules are those of M. Giles, "An extended collection of matrix derivative results" (2008), and J. Townsend,
"Differentiating the singular value decomposition" (2016).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError
from minigrad.graph import array_of, composite, primitive
from minigrad.kernels import decompositions as kernel
from minigrad.ops.elementwise import abs, where
from minigrad.ops.linalg import matrix_product
from minigrad.ops.moving import diag_embed
from minigrad.ops.reduce import amax, amin, norm, sum
from minigrad.ops.shape import concatenate, narrow, reshape, transpose, tril, triu, unsqueeze


def _t(x: Any) -> Any:
    return transpose(x, -1, -2)


def _column(x: Any) -> Any:
    """Return a number per matrix so that it broadcasts against the matrices."""
    return reshape(x, shape=(*x.shape, 1, 1))


def _eye(n: int) -> Any:
    """Return which places of a matrix are on its diagonal."""
    return np.eye(n, dtype=bool)


def _from_differences(x: Any, values: Any, n: int) -> Any:
    """Return x[i, j] / (values[j] - values[i]), and 0 on the diagonal."""
    apart = unsqueeze(values, -2) - unsqueeze(values, -1)
    return where(_eye(n), 0.0, x / where(_eye(n), 1.0, apart))


def _cholesky_rule(g: Any, y: Any) -> Any:
    n = y.shape[y.ndim - 1]
    half = tril(_t(y) @ g, diagonal=0)
    half = where(_eye(n), half * 0.5, half)
    inner = solve_matrix(_t(y), _t(solve_matrix(_t(y), _t(half))))
    return (inner + _t(inner)) * 0.5


def _cofactors_rule(g: Any, x: Any, y: Any) -> Any:
    """Return the gradient of det(x) times the transposed inverse, where there is an inverse."""
    back = _t(inv(x))
    return _column(sum(g * y, dim=(y.ndim - 2, y.ndim - 1))) * back - y @ _t(g) @ back


def _qr_rule(g_q: Any, g_r: Any, q: Any, r: Any) -> Any:
    n, wide = r.shape[r.ndim - 2], r.shape[r.ndim - 1]
    if wide <= n:
        return _tall_qr_rule(g_q, g_r, q, r)
    (r, beside), (g_r, g_beside) = (
        (narrow(x, dim=x.ndim - 1, start=0, length=n), narrow(x, dim=x.ndim - 1, start=n, length=wide - n))
        for x in (r, g_r)
    )  # the columns beyond a square are Q @ beside
    square = _tall_qr_rule(g_q + q @ beside @ _t(g_beside), g_r, q, r)
    return concatenate(square, q @ g_beside, dim=q.ndim - 1)


def _tall_qr_rule(g_q: Any, g_r: Any, q: Any, r: Any) -> Any:
    m = r @ _t(g_r) - _t(g_q) @ q
    symmetric = tril(m, diagonal=0) + _t(tril(m, diagonal=-1))
    return _t(solve_matrix(r, _t(g_q + q @ symmetric)))


def _eigh_rule(g_values: Any, g_vectors: Any, values: Any, vectors: Any) -> Any:
    n = values.shape[values.ndim - 1]
    inner = _from_differences(_t(vectors) @ g_vectors, values, n)
    return vectors @ (inner + diag_embed(g_values)) @ _t(vectors)


def _svd_rule(g_u: Any, g_s: Any, g_vh: Any, u: Any, s: Any, vh: Any) -> Any:
    n = s.shape[s.ndim - 1]
    u, g_u, v, g_v = (narrow(x, dim=x.ndim - 1, start=0, length=n) for x in (u, g_u, _t(vh), _t(g_vh)))
    vh = _t(v)
    left, right = _t(u) @ g_u, vh @ g_v
    left, right = (_from_differences(x - _t(x), s * s, n) for x in (left, right))
    inner = left * unsqueeze(s, -2) + unsqueeze(s, -1) * right + diag_embed(g_s)
    result = u @ inner @ vh
    if u.shape[u.ndim - 2] > n:
        beside = g_u / unsqueeze(s, -2)
        result = result + (beside - u @ (_t(u) @ beside)) @ vh
    if vh.shape[vh.ndim - 1] > n:
        beside = g_v / unsqueeze(s, -2)
        result = result + u @ _t(beside - v @ (vh @ beside))
    return result


def _pinv_rule(g: Any, x: Any, y: Any) -> Any:
    k = _t(g) @ y
    a = k @ _t(y)
    return a - (x @ y) @ a - _t(y @ k) + (_t(y) @ y) @ (_t(g) - k @ x)


inv = primitive("inv", kernel.inv, casts="floating", x=lambda g, y: -(_t(y) @ g @ _t(y)))
solve_matrix = primitive(
    "solve_matrix", kernel.solve, casts="same",
    a=lambda g, a, y: -(solve_matrix(_t(a), g) @ _t(y)),
    b=lambda g, a: solve_matrix(_t(a), g),
)  # fmt: skip
det = primitive("det", kernel.det, casts="floating", x=lambda g, x: _column(g) * cofactors(x))
cofactors = primitive("cofactors", kernel.cofactors, casts="floating", x=lambda g, x, y: _cofactors_rule(g, x, y))
slogdet_of = primitive(
    "slogdet", kernel.slogdet, casts="floating", outputs=("sign", "logabsdet"),
    x=lambda g_logabsdet, x: _column(g_logabsdet) * _t(inv(x)),
)  # fmt: skip
cholesky_of = primitive("cholesky", kernel.cholesky, casts="floating", x=_cholesky_rule)
qr_of = primitive("qr", kernel.qr, casts="floating", outputs=("q", "r"), x=_qr_rule)
eigh_of = primitive("eigh", kernel.eigh, casts="floating", outputs=("values", "vectors"), x=_eigh_rule)
svd_of = primitive("svd", kernel.svd, casts="floating", outputs=("u", "s", "vh"), x=_svd_rule)
pinv = primitive("pinv", kernel.pinv, casts="floating", x=_pinv_rule)
matrix_rank = primitive("matrix_rank", kernel.matrix_rank, x=None)


@composite
def solve(A: Any, B: Any, *, left: bool = True) -> Any:
    """Return X of A @ X = B (or of X @ A = B if not `left`); B is a matrix, a vector, or a batch of those.

    Raises LinAlgError if A is singular.
    """
    is_vector = B.ndim == 1 or (A.ndim - 1 == B.ndim and tuple(B.shape) == tuple(A.shape[: A.ndim - 1]))
    if is_vector:
        y = solve_matrix(A, unsqueeze(B, -1))
        return reshape(y, shape=tuple(y.shape[: y.ndim - 1]))
    return solve_matrix(A, B) if left else _t(solve_matrix(_t(A), _t(B)))


@composite
def solve_triangular(A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:
    """Return X of A @ X = B (or of X @ A = B) for a triangle A, of which the other half is not looked at."""
    triangle = triu(A, diagonal=0) if upper else tril(A, diagonal=0)
    if unitriangular:
        triangle = where(_eye(A.shape[A.ndim - 1]), 1.0, triangle)
    return solve_matrix(triangle, B) if left else _t(solve_matrix(_t(triangle), _t(B)))


@composite
def logdet(input: Any) -> Any:
    """Return the logarithm of the determinant: nan where that is negative."""
    sign, size = slogdet_of(input)
    return where(sign < 0, math.nan, size)


@composite
def matrix_power(input: Any, n: int) -> Any:
    """Return the n-th power of a square matrix; of its inverse if n is negative."""
    if n < 0:
        return matrix_power(inv(input), -n)
    size = input.shape[input.ndim - 1]
    result = None
    while n:
        if n % 2:
            result = input if result is None else matrix_product(result, input)
        input, n = (matrix_product(input, input) if n > 1 else input), n // 2
    return where(_eye(size), 1.0, input * 0.0) if result is None else result * 1


@composite
def svdvals(A: Any) -> Any:
    """Return the singular values in descending order."""
    return svd_of(A, full_matrices=False)[1]


@composite
def matrix_norm(A: Any, ord: Any = "fro", dim: tuple[int, int] = (-2, -1), keepdim: bool = False) -> Any:
    """Return a norm of matrices: "fro", "nuc", or 1, 2, inf and their negatives.

    Raises ArgumentError for another `ord`.
    """
    a, b = (d % A.ndim for d in dim)
    if ord == "fro":
        return norm(A, 2.0, (a, b), keepdim)
    if ord in (1, -1, math.inf, -math.inf):
        inner, outer = (a, b) if ord in (1, -1) else (b, a)
        sums = sum(abs(A), dim=inner, keepdim=True)
        extreme = amax if ord > 0 else amin
        y = extreme(sums, dim=outer, keepdim=True)
    elif ord in ("nuc", 2, -2):
        from minigrad.ops.moving import movedim

        values = svdvals(movedim(A, (a, b), (-2, -1)))
        last = values.ndim - 1
        y = sum(values, dim=last) if ord == "nuc" else (amax if ord == 2 else amin)(values, dim=last)
    else:
        raise ArgumentError(f"linalg.matrix_norm: order {ord!r} is not one of fro, nuc, 1, -1, 2, -2, inf, -inf")
    kept = tuple(1 if i in (a, b) else n for i, n in enumerate(A.shape))
    return reshape(y, shape=kept if keepdim else tuple(n for i, n in enumerate(A.shape) if i not in (a, b)))


@composite
def cond(A: Any, p: Any = None) -> Any:
    """Return the condition number by the norm `p`: of the singular values by default."""
    if p in (None, 2, -2):
        values = svdvals(A)
        last = values.ndim - 1
        large, small = amax(values, dim=last), amin(values, dim=last)
        return small / large if p == -2 else large / small
    return matrix_norm(A, p) * matrix_norm(inv(A), p)


@composite
def cholesky_solve(input: Any, L: Any, upper: bool = False) -> Any:
    """Return X of A @ X = input, where L is the Cholesky triangle of A."""
    low = _t(L) if upper else L
    return solve_triangular(_t(low), solve_triangular(low, input, upper=False), upper=True)


@composite
def matrix_exp(A: Any) -> Any:
    """Return the exponential of square matrices, by scaling, a Taylor series and squaring."""
    array = np.abs(np.asarray(array_of(A), np.float64))
    size = float(np.max(np.sum(array, axis=-2), initial=0.0))
    halvings = max(math.ceil(math.log2(size / 2)), 0) if size > 0 else 0
    x = A * 0.5**halvings
    y = term = where(_eye(A.shape[A.ndim - 1]), 1.0, x * 0.0)
    for k in range(1, 26):
        term = matrix_product(term, x) / k
        y = y + term
    for _ in range(halvings):
        y = matrix_product(y, y)
    return y

"""LU factors, products of Householder reflections, and what is solved with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.dtypes import numpy_dtype
from minigrad.errors import ArgumentError, ShapeError
from minigrad.graph import array_of, composite, primitive
from minigrad.kernels import decompositions as kernel
from minigrad.kernels.decompositions import places_of as places_of
from minigrad.ops.decompositions import inv, solve_matrix, solve_triangular
from minigrad.ops.elementwise import where
from minigrad.ops.index import gather
from minigrad.ops.linalg import matmul
from minigrad.ops.shape import concatenate, expand, narrow, permute, reshape, transpose, tril, triu, unsqueeze


def _t(x: Any) -> Any:
    return transpose(x, -1, -2)


def _rows(x: Any, start: int, length: int) -> Any:
    return narrow(x, dim=x.ndim - 2, start=start, length=length)


def _columns(x: Any, start: int, length: int) -> Any:
    return narrow(x, dim=x.ndim - 1, start=start, length=length)


def _unit(high: int, wide: int) -> Any:
    """Return which places of a matrix are on its diagonal."""
    return np.eye(high, wide, dtype=bool)


def lower_of(lu: Any) -> Any:
    """Return the lower triangle, with ones on its diagonal, that LU factors kept in one matrix hold."""
    high, wide = lu.shape[lu.ndim - 2], lu.shape[lu.ndim - 1]
    k = min(high, wide)
    return where(_unit(high, k), 1.0, tril(_columns(lu, 0, k), diagonal=-1))


def upper_of(lu: Any) -> Any:
    """Return the upper triangle that LU factors kept in one matrix hold."""
    return triu(_rows(lu, 0, min(lu.shape[lu.ndim - 2], lu.shape[lu.ndim - 1])), diagonal=0)


def _lu_rule(g: Any, lu: Any, places: Any) -> Any:
    """Return the gradient of a matrix by its factors: of its leading square, and of what lies below or beside that.

    Below, L = A U^-1; beside, U = L^-1 A.
    """
    high, wide = lu.shape[lu.ndim - 2], lu.shape[lu.ndim - 1]
    k = min(high, wide)
    low, up = _rows(lower_of(lu), 0, k), _columns(upper_of(lu), 0, k)
    square = _columns(_rows(g, 0, k), 0, k)
    g_low, g_up = tril(square, diagonal=-1), triu(square, diagonal=0)
    rest = []
    if high > k:
        below = _rows(lu, k, high - k)
        rest = [_t(solve_matrix(up, _t(_rows(g, k, high - k))))]
        g_up = g_up - _t(below) @ rest[0]
    if wide > k:
        beside = _columns(lu, k, wide - k)
        rest = [solve_matrix(_t(low), _columns(g, k, wide - k))]
        g_low = g_low - rest[0] @ _t(beside)
    inner = tril(_t(low) @ g_low, diagonal=-1) + triu(g_up @ _t(up), diagonal=0)
    whole = _t(solve_matrix(up, _t(solve_matrix(_t(low), inner))))
    whole = concatenate(whole, *rest, dim=g.ndim - 2 if high > k else g.ndim - 1) if rest else whole
    return gather(whole, expand(unsqueeze(places, -1), shape=lu.shape), dim=g.ndim - 2)


lu_of = primitive(
    "lu", kernel.lu, casts="floating", outputs=("lu", "pivots", "places"),
    x=lambda g_lu, lu, places: _lu_rule(g_lu, lu, places),
)  # fmt: skip
lu_info = primitive("lu_info", kernel.lu_info, x=None)
geqrf_of = primitive("geqrf", kernel.geqrf, casts="floating", outputs=("a", "tau"), x=None)


@composite
def lu_solve(LU: Any, pivots: Any, B: Any, *, left: bool = True, adjoint: bool = False) -> Any:
    """Return X of A @ X = B (or of X @ A = B if not `left`) by the LU factors of A, or of its transpose if `adjoint`.

    Raises ShapeError if LU is not square.
    """
    if LU.shape[LU.ndim - 1] != LU.shape[LU.ndim - 2]:
        raise ShapeError(f"linalg.lu_solve: LU must be square matrices, got shape {tuple(LU.shape)}")
    if not left:
        return _t(lu_solve(LU, pivots, _t(B), adjoint=not adjoint))
    lead = np.broadcast_shapes(tuple(LU.shape[: LU.ndim - 2]), tuple(B.shape[: B.ndim - 2]))
    x = expand(B, shape=(*lead, *B.shape[B.ndim - 2 :]))
    places = places_of(np.asarray(array_of(pivots)), LU.shape[LU.ndim - 2])
    if adjoint:
        x = solve_triangular(_t(LU), solve_triangular(_t(LU), x, upper=False), upper=True, unitriangular=True)
        return _moved(x, places)
    x = _moved(x, np.argsort(places, -1))
    return solve_triangular(LU, solve_triangular(LU, x, upper=False, unitriangular=True), upper=True)


def _moved(x: Any, places: Any) -> Any:
    index = np.broadcast_to(places[..., None], tuple(x.shape))
    return gather(x, index, dim=x.ndim - 2)


def _reflected(vectors: Any, tau: Any, x: Any, order: Any) -> Any:
    """Return `x` multiplied from the left by the reflections I - tau v v^T, the last in `order` first."""
    high = vectors.shape[vectors.ndim - 2]
    below = tril(vectors, diagonal=-1)
    lines = where(_unit(high, vectors.shape[vectors.ndim - 1]), 1.0, below)
    for i in reversed(order):
        v, weight = _columns(lines, i, 1), unsqueeze(_columns(tau, i, 1), -1)
        x = x - matmul(weight * v, matmul(_t(v), x))
    return x


@composite
def householder_product(A: Any, tau: Any) -> Any:
    """Return the first columns of the product of the reflections I - tau v v^T, each v in a column below the diagonal.

    Raises ShapeError if there are more columns than rows, or more `tau` than columns.
    """
    high, wide = A.shape[A.ndim - 2], A.shape[A.ndim - 1]
    if wide > high or tau.shape[tau.ndim - 1] > wide:
        raise ShapeError(
            f"linalg.householder_product: input of shape {tuple(A.shape)} needs rows >= columns >= the "
            f"{tau.shape[tau.ndim - 1]} tau"
        )
    unit = np.broadcast_to(np.eye(high, wide, dtype=numpy_dtype(A.dtype)), tuple(A.shape))
    if not tau.shape[tau.ndim - 1]:
        return where(True, unit, A)
    return _reflected(A, tau, unit, range(tau.shape[tau.ndim - 1]))


@composite
def ormqr(input: Any, tau: Any, other: Any, left: bool = True, transpose: bool = False) -> Any:
    """Return Q @ other, or other @ Q if not `left`, with Q (or its transpose) the product of reflections."""
    if not left:
        return _t(ormqr(input, tau, _t(other), True, not transpose))
    order = range(tau.shape[tau.ndim - 1])
    return _reflected(input, tau, other, list(reversed(order)) if transpose else order)


@composite
def tensorinv(A: Any, ind: int = 2) -> Any:
    """Return the inverse of A as a map from its last dims to its first `ind` dims. Raises ArgumentError for ind < 1."""
    if ind <= 0:
        raise ArgumentError(f"linalg.tensorinv: Expected a strictly positive integer for 'ind', got {ind}")
    first, last = tuple(A.shape[:ind]), tuple(A.shape[ind:])
    size = int(np.prod(last))
    if int(np.prod(first)) != size:
        raise ShapeError(f"linalg.tensorinv: the products of {first} and {last} must be equal")
    return reshape(inv(reshape(A, shape=(size, size))), shape=(*last, *first))


@composite
def tensorsolve(A: Any, B: Any, dims: Any = None) -> Any:
    """Return X of tensordot(A, X, X.ndim) = B, with `dims` of A moved to its end first."""
    if dims is not None:
        moved = [d % A.ndim for d in dims]
        A = permute(A, dims=(*(d for d in range(A.ndim) if d not in moved), *moved))
    rest = tuple(A.shape[B.ndim :])
    size = int(np.prod(rest))
    flat = solve_matrix(reshape(A, shape=(-1, size)), reshape(B, shape=(-1, 1)))
    return reshape(flat, shape=rest)

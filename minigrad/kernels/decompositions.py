"""Decompositions, inverses and solutions of matrices and batches of them, by NumPy's LAPACK."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import LinAlgError, ShapeError


def _checked(name: str, x: Array, square: bool) -> Array:
    """Return `x` in a dtype LAPACK has; raises ShapeError if it is not a matrix (or square) or a batch of those."""
    if x.ndim < 2:
        raise ShapeError(f"linalg.{name}: The input tensor A must have at least 2 dimensions, got shape {x.shape}")
    if square and x.shape[-1] != x.shape[-2]:
        raise ShapeError(
            f"linalg.{name}: A must be batches of square matrices, but they are {x.shape[-2]} by {x.shape[-1]} matrices"
        )
    return x if x.dtype != np.float16 else x.astype(np.float32)


def _refusing(name: str, function: Callable[..., Any], *arrays: Array, **how: Any) -> Any:
    try:
        return function(*arrays, **how)
    except np.linalg.LinAlgError as error:
        raise LinAlgError(f"linalg.{name}: {error}: for this input there is no result") from None


def inv(x: Array) -> Array:
    """Return the inverse. Raises LinAlgError if the matrix is singular."""
    return np.asarray(_refusing("inv", np.linalg.inv, _checked("inv", x, True))).astype(x.dtype, copy=False)


def solve(a: Array, b: Array) -> Array:
    """Return the matrix y of a @ y = b. Raises LinAlgError if `a` is singular."""
    left, right = _checked("solve", a, True), _checked("solve", b, False)
    if left.shape[-1] != right.shape[-2]:
        raise ShapeError(f"linalg.solve: A of shape {a.shape} and B of shape {b.shape} do not fit")
    return np.asarray(_refusing("solve", np.linalg.solve, left, right)).astype(b.dtype, copy=False)


def det(x: Array) -> Array:
    """Return the determinant."""
    return np.asarray(np.linalg.det(_checked("det", x, True))).astype(x.dtype, copy=False)


def slogdet(x: Array) -> tuple[Array, Array]:
    """Return the sign of the determinant and the logarithm of its size."""
    sign, size = np.linalg.slogdet(_checked("slogdet", x, True))
    return np.asarray(sign).astype(x.dtype, copy=False), np.asarray(size).astype(x.dtype, copy=False)


def cholesky(x: Array) -> Array:
    """Return the lower triangle L of x = L @ L^T. Raises LinAlgError if the matrix is not positive definite."""
    found = _refusing("cholesky", np.linalg.cholesky, _checked("cholesky", x, True))
    return np.asarray(found).astype(x.dtype, copy=False)


def qr(x: Array, *, mode: str = "reduced") -> tuple[Array, Array]:
    """Return an orthogonal Q and an upper triangle R with x = Q @ R."""
    q, r = np.linalg.qr(_checked("qr", x, False), mode=mode)  # type: ignore[call-overload]
    return q.astype(x.dtype, copy=False), r.astype(x.dtype, copy=False)


def eigh(x: Array, *, lower: bool = True) -> tuple[Array, Array]:
    """Return the eigenvalues in ascending order, and the eigenvectors as columns, of a symmetric matrix."""
    values, vectors = _refusing("eigh", np.linalg.eigh, _checked("eigh", x, True), UPLO="L" if lower else "U")
    return values.astype(x.dtype, copy=False), vectors.astype(x.dtype, copy=False)


def svd(x: Array, *, full_matrices: bool = False) -> tuple[Array, Array, Array]:
    """Return U, the singular values in descending order, and V^T."""
    parts = _refusing("svd", np.linalg.svd, _checked("svd", x, False), full_matrices=full_matrices)
    u, s, vh = (np.asarray(part).astype(x.dtype, copy=False) for part in parts)
    return u, s, vh


def pinv(x: Array, *, rcond: float | None = None) -> Array:
    """Return the pseudo-inverse; singular values below rcond times the largest count as 0."""
    a = _checked("pinv", x, False)
    cut = max(a.shape[-2:]) * float(np.finfo(a.dtype).eps) if rcond is None else rcond
    return np.asarray(_refusing("pinv", np.linalg.pinv, a, rcond=cut)).astype(x.dtype, copy=False)


def matrix_rank(x: Array, *, tol: float | None = None) -> Array:
    """Return how many singular values are above `tol`."""
    return np.asarray(np.linalg.matrix_rank(_checked("matrix_rank", x, False), tol=tol), np.int64)


def cofactors(x: Array) -> Array:
    """Return det(x) times the transposed inverse, which singular matrices have too."""
    u, s, vh = np.linalg.svd(_checked("det", x, True))
    others = np.prod(np.where(np.eye(x.shape[-1], dtype=bool), 1, s[..., None, :]), -1)
    turned = np.linalg.det(u) * np.linalg.det(vh)
    return np.asarray((u * (others * turned[..., None])[..., None, :]) @ vh).astype(x.dtype, copy=False)


def lu(x: Array, *, pivot: bool = True) -> tuple[Array, Array, Array]:
    """Return L (below the diagonal, ones on it) and U in one matrix, the pivots, and where each row of x is in L @ U.

    A pivot names the row, counted from 1, that a row was exchanged with; without `pivot` none is.
    """
    y = np.array(_checked("lu", x, False), order="C")
    high, wide = y.shape[-2:]
    flat = y.reshape(math.prod(y.shape[:-2]), high, wide)
    pivots = np.zeros((len(flat), min(high, wide)), np.int32)
    each = np.arange(len(flat))
    for k in range(min(high, wide)):
        at = np.abs(flat[:, k:, k]).argmax(1) + k if pivot else np.full(len(flat), k)
        pivots[:, k] = at + 1
        flat[each, at], flat[:, k] = flat[:, k].copy(), flat[each, at]
        head = flat[:, k, k, None]
        flat[:, k + 1 :, k] /= np.where(head == 0, 1, head)
        flat[:, k + 1 :, k + 1 :] -= flat[:, k + 1 :, k, None] * flat[:, k, None, k + 1 :]
    pivots = pivots.reshape(*x.shape[:-2], pivots.shape[1])
    return y.astype(x.dtype, copy=False), pivots, places_of(pivots, high)


def lu_info(x: Array) -> Array:
    """Return the first column, counted from 1, whose pivot is 0, of each of the LU factors; 0 if none is."""
    zero = np.diagonal(x, axis1=-2, axis2=-1) == 0
    found = np.where(zero.any(-1), zero.argmax(-1) + 1, 0) if zero.shape[-1] else np.zeros(zero.shape[:-1])
    return np.asarray(found, np.int32)


def places_of(pivots: Array, rows: int) -> Array:
    """Return where each row of a matrix is after the exchanges that `pivots` names."""
    each = np.arange(math.prod(pivots.shape[:-1]))
    order = np.tile(np.arange(rows), (len(each), 1))
    for k, at in enumerate(pivots.reshape(len(each), pivots.shape[-1]).T - 1):
        order[each, at], order[:, k] = order[:, k].copy(), order[each, at]
    return np.argsort(order, -1).reshape(*pivots.shape[:-1], rows)


def geqrf(x: Array) -> tuple[Array, Array]:
    """Return R with the vectors of the reflections below its diagonal, and their weights."""
    h, tau = np.linalg.qr(_checked("geqrf", x, False), mode="raw")
    return np.ascontiguousarray(h.swapaxes(-1, -2)).astype(x.dtype, copy=False), tau.astype(x.dtype, copy=False)

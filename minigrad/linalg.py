"""Linear algebra by PyTorch's names: norms, inverses, determinants and decompositions of matrices."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError, LinAlgError
from minigrad.methods.results import numpy_names, result_of
from minigrad.ops import decompositions as _d
from minigrad.ops import factors as _f
from minigrad.ops import linalg as _products
from minigrad.ops import matrices as _m
from minigrad.ops import reduce as _r
from minigrad.ops.elementwise import where as _where
from minigrad.ops.shape import stack, unsqueeze
from minigrad.random import randn
from minigrad.tensor import Tensor, wrap

__all__ = [
    "LinAlgError",
    "cholesky",
    "cholesky_ex",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "householder_product",
    "inv",
    "inv_ex",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_ex",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vander",
    "vecdot",
    "vector_norm",
]

cond, matrix_exp, matrix_power, svdvals = _d.cond, _d.matrix_exp, _d.matrix_power, _d.svdvals
solve, solve_triangular = _d.solve, _d.solve_triangular
matmul = _products.matmul
householder_product, lu_solve = _f.householder_product, _f.lu_solve
tensorinv, tensorsolve = _f.tensorinv, _f.tensorsolve


@numpy_names
def vector_norm(x: Tensor, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Return the p-norm of the values over `dim`, of all of them by default."""
    x = x if dtype is None else x.to(dtype)
    over = tuple(dim) if isinstance(dim, list) else dim
    return _r.norm(x, ord, over, keepdim)


@numpy_names
def matrix_norm(
    A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Tensor:
    """Return a norm of matrices: "fro", "nuc", or 1, 2, inf and their negatives."""
    return _d.matrix_norm(A if dtype is None else A.to(dtype), ord, tuple(dim), keepdim)


@numpy_names
def norm(A: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Tensor:
    """Return a vector norm over one dim, a matrix norm over two, or the 2-norm of all values.

    >>> import minigrad as mg
    >>> norm(mg.tensor([3.0, 4.0]))
    tensor(5.)
    """
    x = A if dtype is None else A.to(dtype)
    dims = (dim,) if isinstance(dim, int) else dim
    if ord is None:
        return vector_norm(x, 2, dims, keepdim)
    if isinstance(ord, str) or (len(dims) == 2 if dims is not None else x.ndim == 2):
        return matrix_norm(x, ord, dims or (-2, -1), keepdim)
    return vector_norm(x, ord, dims, keepdim)


def det(A: Tensor) -> Tensor:
    """Return the determinant of square matrices."""
    return _d.det(A)


def slogdet(A: Tensor) -> Any:
    """Return (sign, logabsdet): the sign of the determinant and the logarithm of its size."""
    return result_of["linalg_slogdet"](*_d.slogdet_of(A))


def inv(A: Tensor) -> Tensor:
    """Return the inverse of square matrices. Raises LinAlgError if there is none.

    >>> import minigrad as mg
    >>> inv(mg.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    return _d.inv(A)


def pinv(A: Tensor, *, atol: float | None = None, rtol: float | None = None, hermitian: bool = False) -> Tensor:
    """Return the pseudo-inverse; singular values below `rtol` times the largest, or below `atol`, count as 0."""
    if atol is not None:
        largest = float(np.max(np.linalg.svd(A._data, compute_uv=False), initial=0.0))
        rtol = max(rtol or 0.0, atol / largest if largest else 0.0)
    if hermitian:  # of one triangle's values, and the gradient goes to all of A
        A = A + (_symmetric(A) - A).detach()
    return _d.pinv(A, rcond=rtol)


def cholesky(A: Tensor, *, upper: bool = False) -> Tensor:
    """Return the triangle L of A = L @ L^T. Raises LinAlgError if A is not positive definite."""
    return A.cholesky(upper)


def qr(A: Tensor, mode: str = "reduced") -> Any:
    """Return (Q, R): an orthogonal matrix and an upper triangle whose product is A; `mode="complete"` squares Q."""
    if mode == "r":
        return result_of["linalg_qr"](A.new_zeros(0), _d.qr_of(A, mode="reduced")[1])
    return result_of["linalg_qr"](*_d.qr_of(A, mode=mode))


def eigh(A: Tensor, UPLO: str = "L") -> Any:
    """Return (eigenvalues, eigenvectors) of a symmetric matrix, ascending; only one of its triangles is looked at."""
    return result_of["linalg_eigh"](*_d.eigh_of(A, lower=UPLO.upper() == "L"))


def eigvalsh(A: Tensor, UPLO: str = "L") -> Tensor:
    """Return the eigenvalues of a symmetric matrix in ascending order."""
    return _d.eigh_of(A, lower=UPLO.upper() == "L")[0]


def svd(A: Tensor, full_matrices: bool = True, *, driver: str | None = None) -> Any:
    """Return (U, S, Vh) with A = U @ diag(S) @ Vh; S is in descending order."""
    return result_of["linalg_svd"](*_d.svd_of(A, full_matrices=full_matrices))


def matrix_rank(
    A: Tensor,
    tol: float | None = None,
    *,
    atol: float | None = None,
    rtol: float | None = None,
    hermitian: bool = False,
) -> Tensor:
    """Return how many singular values are above `tol` (or `atol`), or above `rtol` times the largest."""
    x, least = _symmetric(A) if hermitian else A, tol if tol is not None else atol
    if least is None and rtol is None:
        return _d.matrix_rank(x)
    values = svdvals(x.detach())
    floors = [_over_last(limit) for limit in (least,) if limit is not None]
    if rtol is not None:
        floors.append(values[..., :1] * _over_last(rtol))
    above = [values > floor for floor in floors]
    return functools.reduce(Tensor.logical_and, above).sum(-1)


def _over_last(limit: Any) -> Any:
    """Return a limit, which may be one for each matrix, so that it broadcasts over the singular values."""
    return limit.unsqueeze(-1) if isinstance(limit, Tensor) else limit


def _symmetric(A: Tensor) -> Tensor:
    """Return the symmetric matrix whose lower triangle is that of A."""
    return A.tril() + A.tril(-1).mT


def lstsq(A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None) -> Any:
    """Return (solution, residuals, rank, singular_values) of the X for which |A @ X - B| is smallest."""
    is_vector = B.ndim == 1
    right = unsqueeze(B, -1) if is_vector else B
    x = _d.pinv(A, rcond=rcond) @ right
    nothing = A.new_zeros(0)
    rest: Any = (
        ((A @ x - right) ** 2).sum(-2)
        if A.shape[-2] > A.shape[-1] and driver in ("gels", "gelsd", "gelss")
        else nothing
    )
    rank = nothing.long() if driver == "gels" else _d.matrix_rank(A)
    values = svdvals(A) if driver in ("gelsd", "gelss") else nothing
    return result_of["linalg_lstsq"](x.squeeze(-1) if is_vector else x, rest, rank, values)


def lu(A: Tensor, *, pivot: bool = True) -> Any:
    """Return (P, L, U): a permutation matrix and two triangles whose product is A; L has ones on its diagonal."""
    lu, _, places = _f.lu_of(A, pivot=pivot)
    unit = wrap(np.eye(A.shape[-2], dtype=A._data.dtype)[places._data]) if pivot else A.new_zeros(0)
    return result_of["linalg_lu"](unit, _f.lower_of(lu), _f.upper_of(lu))


def lu_factor(A: Tensor, *, pivot: bool = True) -> Any:
    """Return (LU, pivots): L below the diagonal and U above it in one matrix, and with which row each was exchanged."""
    return result_of["linalg_lu_factor"](*_f.lu_of(A, pivot=pivot)[:2])


def lu_factor_ex(A: Tensor, *, pivot: bool = True, check_errors: bool = False) -> Any:
    """Return (LU, pivots, info), where info is the first column, counted from 1, whose pivot is 0; 0 if none is.

    Raises LinAlgError for such a column if `check_errors`.
    """
    lu, pivots, _ = _f.lu_of(A, pivot=pivot)
    return result_of["linalg_lu_factor_ex"](lu, pivots, _info("lu_factor", _f.lu_info(lu)._data, check_errors))


def _info(name: str, info: Any, check_errors: bool) -> Tensor:
    if check_errors and np.any(info):
        raise LinAlgError(f"linalg.{name}: failed at column {int(np.max(info))}: for this input there is no result")
    return wrap(np.asarray(info, np.int32))


def inv_ex(A: Tensor, *, check_errors: bool = False) -> Any:
    """Return (inverse, info): info is 0, or the column of a singular matrix at which it failed; its inverse is nan.

    Raises LinAlgError for a singular matrix if `check_errors`.
    """
    info = lu_factor_ex(A).info
    _info("inv", info._data, check_errors)
    return result_of["linalg_inv_ex"](_d.inv(_regular(A, info)) + _blank(A, info), info)


def solve_ex(A: Tensor, B: Tensor, *, left: bool = True, check_errors: bool = False) -> Any:
    """Return (result, info) of `solve`: info is 0, or the column of a singular matrix at which it failed.

    Raises LinAlgError for a singular matrix if `check_errors`.
    """
    info = lu_factor_ex(A).info
    _info("solve", info._data, check_errors)
    if info._data.any():
        return result_of["linalg_solve_ex"](solve(_regular(A, info), B, left=left) * np.nan, info)
    return result_of["linalg_solve_ex"](solve(A, B, left=left), info)


def cholesky_ex(A: Tensor, *, upper: bool = False, check_errors: bool = False) -> Any:
    """Return (L, info): info is 0, or the size of the first leading square that is not positive definite.

    Of such a matrix L is nan. Raises LinAlgError for it if `check_errors`.
    """
    leading = [np.linalg.eigvalsh(A._data[..., :k, :k])[..., 0] <= 0 for k in range(1, A.shape[-1] + 1)]
    bad = np.stack(leading, -1) if leading else np.zeros((*A.shape[:-2], 1), bool)
    info = _info("cholesky", np.where(bad.any(-1), bad.argmax(-1) + 1, 0), check_errors)
    return result_of["linalg_cholesky_ex"](_regular(A, info).cholesky(upper) + _blank(A, info), info)


def _regular(A: Tensor, info: Tensor) -> Tensor:
    """Return the matrices with the identity in the place of those at which `info` is not 0."""
    unit = np.eye(A.shape[-1], dtype=A._data.dtype)
    return _where(wrap(info._data[..., None, None] != 0), wrap(unit), A) if info._data.any() else A


def _blank(A: Tensor, info: Tensor) -> Any:
    """Return nan for the matrices at which `info` is not 0, and 0 for the others."""
    return np.where(info._data[..., None, None] != 0, np.nan, 0).astype(A._data.dtype)


def cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """Return the cross product of vectors of 3 along `dim`."""
    return _m.cross(input, other, dim)


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """Return the inner products of vectors along `dim`."""
    return (x * y).sum(dim)


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Return a view of the diagonals of matrices, as the last dim."""
    return A.diagonal(offset, dim1, dim2)


def multi_dot(tensors: Any) -> Tensor:
    """Return the product of several matrices, the first and the last of which may be vectors."""
    return functools.reduce(_products.matmul, tensors)


def vander(x: Tensor, N: int | None = None) -> Tensor:
    """Return the powers 0, 1, ... N - 1 of each element, in a new last dim."""
    x = x.reshape(1) if x.ndim == 0 else x
    count = x.shape[-1] if N is None else N
    return stack([x**k for k in range(count)], -1)


def lu_unpack(LU_data: Tensor, LU_pivots: Tensor, unpack_data: bool = True, unpack_pivots: bool = True) -> Any:
    """Return (P, L, U) of what `lu_factor` returned; empty ones of what is not asked for."""
    nothing = LU_data.new_zeros(0)
    places = _f.places_of(LU_pivots._data, LU_data.shape[-2])
    unit = wrap(np.eye(LU_data.shape[-2], dtype=LU_data._data.dtype)[places]) if unpack_pivots else nothing
    low, up = (_f.lower_of(LU_data), _f.upper_of(LU_data)) if unpack_data else (nothing, nothing)
    return result_of["lu_unpack"](unit, low, up)


def svd_lowrank(A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None) -> Any:
    """Return (U, S, V) of a matrix close to A (less M) and of rank `q`, found with random numbers.

    Source: N. Halko, P. G. Martinsson, J. A. Tropp, "Finding structure with randomness" (arXiv:0909.4061), algorithms
    4.4 and 5.1.
    """
    x = A if M is None else A - M
    wide = x.shape[-2] < x.shape[-1]
    x = x.mT if wide else x
    base = qr(x @ randn(x.shape[-1], 6 if q is None else q, dtype=x.dtype))[0]
    for _ in range(niter or 0):
        base = qr(x @ qr(x.mT @ base)[0])[0]
    u, s, vh = svd(base.mT @ x, full_matrices=False)
    pair = (base @ u, vh.mT)
    return (pair[1], s, pair[0]) if wide else (pair[0], s, pair[1])


def pca_lowrank(A: Tensor, q: int | None = None, center: bool = True, niter: int = 2) -> Any:
    """Return (U, S, V) of the `q` principal components (6 by default) of rows, less their mean if `center`.

    Raises ArgumentError for a `q` below 0 or above the size of A.
    """
    least = min(A.shape[-2:])
    rank = min(6, least) if q is None else q
    if not 0 <= rank <= least:
        raise ArgumentError(f"q(={rank}) must be non-negative integer and not greater than min(m, n)={least}")
    return svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, rank, niter)

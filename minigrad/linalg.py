"""Linear algebra by PyTorch's names: norms, inverses, determinants and decompositions of matrices."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from minigrad.errors import LinAlgError
from minigrad.methods.results import numpy_names, result_of
from minigrad.ops import decompositions as _d
from minigrad.ops import linalg as _products
from minigrad.ops import matrices as _m
from minigrad.ops import reduce as _r
from minigrad.ops.shape import stack, unsqueeze
from minigrad.tensor import Tensor

__all__ = [
    "LinAlgError",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "lstsq",
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
    "solve_triangular",
    "svd",
    "svdvals",
    "vander",
    "vecdot",
    "vector_norm",
]

cond, matrix_exp, matrix_power, svdvals = _d.cond, _d.matrix_exp, _d.matrix_power, _d.svdvals
solve, solve_triangular = _d.solve, _d.solve_triangular
matmul = _products.matmul


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

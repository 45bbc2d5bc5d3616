"""Methods that are products of matrices and vectors, and decompositions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minigrad.arraylike import ArrayLike
from minigrad.methods.results import result_of
from minigrad.ops import decompositions as d
from minigrad.ops import factors, linalg
from minigrad.ops import matrices as m
from minigrad.ops.shape import transpose

if TYPE_CHECKING:
    from minigrad.tensor import Tensor


class Matrices(ArrayLike):
    """Matrix methods of Tensor."""

    outer = ger = m.outer
    inner, kron, cross, dist = m.inner, m.kron, m.cross, m.dist
    addmm, addmv, addr, baddbmm, addbmm = m.addmm, m.addmv, m.addr, m.baddbmm, m.addbmm
    cov, corrcoef = m.cov, m.corrcoef
    logdet, matrix_power, matrix_exp, cholesky_solve = d.logdet, d.matrix_power, d.matrix_exp, d.cholesky_solve
    orgqr, ormqr = factors.householder_product, factors.ormqr

    def mv(self, vec: Any) -> Tensor:
        """Return the product of a matrix and a vector."""
        return linalg.matmul(self, vec)

    def vdot(self, other: Any) -> Tensor:
        """Return the inner product of two vectors."""
        return linalg.matmul(self, other)

    def det(self) -> Tensor:
        """Return the determinant of square matrices."""
        return d.det(self)

    def slogdet(self) -> Any:
        """Return (sign, logabsdet): the sign of the determinant and the logarithm of its size."""
        return result_of["slogdet"](*d.slogdet_of(self))

    def inverse(self) -> Tensor:
        """Return the inverse of square matrices. Raises LinAlgError if there is none."""
        return d.inv(self)

    def pinverse(self, rcond: float = 1e-15) -> Tensor:
        """Return the pseudo-inverse; singular values below `rcond` times the largest count as 0."""
        return d.pinv(self, rcond=rcond)

    def cholesky(self, upper: bool = False) -> Tensor:
        """Return the triangle L of self = L @ L^T. Raises LinAlgError if self is not positive definite."""
        low = d.cholesky_of(self)
        return transpose(low, -1, -2) if upper else low

    def cholesky_inverse(self, upper: bool = False) -> Tensor:
        """Return the inverse of the matrix whose Cholesky triangle this is."""
        low = transpose(self, -1, -2) if upper else self
        return d.inv(linalg.matmul(low, transpose(low, -1, -2)))

    def qr(self, some: bool = True) -> Any:
        """Return (Q, R): an orthogonal matrix and an upper triangle whose product this is."""
        return result_of["qr"](*d.qr_of(self, mode="reduced" if some else "complete"))

    def svd(self, some: bool = True, compute_uv: bool = True) -> Any:
        """Return (U, S, V) with self = U @ diag(S) @ V^T; S is in descending order."""
        u, s, vh = d.svd_of(self, full_matrices=not some)
        return result_of["svd"](u, s, transpose(vh, -1, -2))

    def lu(self, pivot: bool = True, get_infos: bool = False) -> Any:
        """Return (LU, pivots), and with `get_infos` which pivot is 0: L and U in one matrix, and exchanges of rows."""
        found = factors.lu_of(self, pivot=pivot)[:2]
        return (*found, factors.lu_info(found[0])) if get_infos else found

    def lu_solve(self, LU_data: Any, LU_pivots: Any) -> Tensor:
        """Return X of A @ X = self by the LU factors of A."""
        return factors.lu_solve(LU_data, LU_pivots, self)

    def geqrf(self) -> Any:
        """Return (a, tau): R with the vectors of Householder's reflections below its diagonal, and their weights."""
        return result_of["geqrf"](*factors.geqrf_of(self))

    def triangular_solve(self, A: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False) -> Any:
        """Return (X, A) with A @ X = self for a triangle A, or for its transpose."""
        triangle = A.mT if transpose else A
        x = d.solve_triangular(triangle, self, upper=upper != transpose, unitriangular=unitriangular)
        return result_of["triangular_solve"](x, A.clone())

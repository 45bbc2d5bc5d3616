"""Samples of products of tensors and of decompositions of matrices."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from op_samples_base import Draw, Sample, away, distinct, exactly

from minigrad.ops import decompositions as d
from minigrad.ops import matrices as m
from minigrad.ops.shape import transpose

_t = lambda x: transpose(x, -1, -2)


def samples() -> Iterator[Sample]:
    yield from sums_of_products()
    yield from products()
    yield from with_products()
    yield from differences()
    yield from inverses()
    yield from factors()
    yield from norms()


EINSUMS: dict[str, tuple[tuple[int, ...], ...]] = {
    "ij,jk->ik": ((2, 3), (3, 4)),
    "ij,jk": ((2, 3), (3, 4)),
    "bij,bjk->bik": ((2, 3, 2), (2, 2, 4)),
    "ij->ji": ((2, 3),),
    "ij->": ((2, 3),),
    "ij->i": ((2, 3),),
    "ii->i": ((3, 3),),
    "ii": ((3, 3),),
    "i,j->ij": ((2,), (3,)),
    "i,i->": ((3,), (3,)),
    "i,i->i": ((3,), (3,)),
    "...ij,...jk->...ik": ((2, 1, 3, 2), (4, 2, 3)),
    "b...d,d->b...": ((2, 3, 4), (4,)),
    "...->...": ((2, 3),),
    "bhqd,bhkd->bhqk": ((2, 2, 3, 2), (2, 2, 4, 2)),
    "ij,jk,kl->il": ((2, 3), (3, 2), (2, 4)),
    "ijk,ilm,njm,nlk->": ((2, 3, 2), (2, 2, 3), (2, 3, 3), (2, 2, 2)),
    "iij,j->i": ((2, 2, 3), (3,)),
    "ij,kj->ikj": ((2, 3), (1, 3)),
    "ba, ca -> bc": ((2, 3), (1, 3)),
    "ij,j->i": ((2, 1), (3,)),
    "Ab,bA->A": ((2, 3), (3, 2)),
    ",i->i": ((), (2,)),
    "ij,jk->ki": ((0, 3), (3, 2)),
    "i,i,i->i": ((3,), (3,), (3,)),
}


def sums_of_products() -> Iterator[Sample]:
    for equation, shapes in EINSUMS.items():
        truth = (
            None
            if "..." in equation or (1, 3) in shapes or (2, 1) in shapes
            else (lambda *xs, e=equation: np.einsum(e, *xs))
        )
        yield Sample(
            "einsum",
            equation,
            lambda *xs, e=equation: m.einsum(e, *xs),
            tuple(away(*n) for n in shapes),
            truth,
            lambda t, *xs, e=equation: t.einsum(e, *xs),
            special=(),
        )
    yield Sample(
        "einsum",
        "one operand twice",
        lambda x: m.einsum("ij,ij->i", x, x),
        (away(2, 3),),
        lambda x: np.sum(x * x, 1),
        lambda t, x: t.einsum("ij,ij->i", x, x),
        special=(),
    )


def products() -> Iterator[Sample]:
    for a, b, dims in (
        ((2, 3), (3, 2), 1),
        ((2, 3, 4), (3, 4, 2), 2),
        ((2,), (3,), 0),
        ((2, 3, 4), (4, 2), ((2, 0), (0, 1))),
    ):
        yield Sample(
            "tensordot",
            f"{a} {b} {dims}",
            lambda x, y, n=dims: m.tensordot(x, y, n),
            (away(*a), away(*b)),
            lambda x, y, n=dims: np.tensordot(x, y, n),
            lambda t, x, y, n=dims: t.tensordot(x, y, n),
            special=(),
        )
    for a, b in (((2,), (3,)), ((0,), (2,)), ((1,), (1,))):
        yield Sample("outer", f"{a} {b}", m.outer, (away(*a), away(*b)), np.outer, lambda t, x, y: t.outer(x, y))
    for a, b in (((3,), (3,)), ((2, 3), (4, 3)), ((), (2,))):
        yield Sample(
            "inner", f"{a} {b}", m.inner, (away(*a), away(*b)), np.inner, lambda t, x, y: t.inner(x, y), special=()
        )
    for a, b in (((2, 3), (2, 2)), ((2,), (2, 2)), ((2, 1, 2), (3,)), ((), (2,))):
        yield Sample("kron", f"{a} {b}", m.kron, (away(*a), away(*b)), np.kron, lambda t, x, y: t.kron(x, y))
    for a, b, dim in (((3,), (3,), -1), ((2, 3), (2, 3), 1), ((3, 2), (3, 2), 0), ((2, 1, 3), (1, 4, 3), -1)):
        yield Sample(
            "cross",
            f"{a} {b} {dim}",
            lambda x, y, k=dim: m.cross(x, y, k),
            (away(*a), away(*b)),
            lambda x, y, k=dim: np.cross(x, y, axis=k),
            lambda t, x, y, k=dim: t.linalg.cross(x, y, dim=k),
            special=(),
        )
    yield Sample("cross", "first dim of 3", m.cross, (away(3, 2), away(3, 2)), lambda x, y: np.cross(x, y, axis=0))
    for shapes in (((2, 3), (1, 1)), ((2,), (), (1, 2))):
        yield Sample(
            "block_diag",
            f"{shapes}",
            m.block_diag,
            tuple(away(*n) for n in shapes),
            None,
            lambda t, *xs: t.block_diag(*xs),
        )


def with_products() -> Iterator[Sample]:
    table = {
        "addmm": ((2, 4), (2, 3), (3, 4)),
        "addmv": ((2,), (2, 3), (3,)),
        "addr": ((2, 3), (2,), (3,)),
        "baddbmm": ((2, 2, 4), (2, 2, 3), (2, 3, 4)),
        "addbmm": ((2, 4), (3, 2, 3), (3, 3, 4)),
    }
    for name, shapes in table.items():
        for label, how in (("plain", {}), ("weighed", {"beta": 0.5, "alpha": -2.0})):
            yield Sample(
                name,
                label,
                lambda *xs, n=name, h=how: getattr(m, n)(*xs, **h),
                tuple(away(*n) for n in shapes),
                None,
                lambda t, *xs, n=name, h=how: getattr(t, n)(*xs, **h),
                special=(),
            )
    yield Sample(
        "addmm",
        "broadcast",
        m.addmm,
        (away(4), away(2, 3), away(3, 4)),
        lambda a, b, c: a + b @ c,
        lambda t, a, b, c: t.addmm(a, b, c),
        special=(),
    )


def differences() -> Iterator[Sample]:
    for p in (2.0, 1.0, 3.0, math.inf):
        yield Sample(
            "cdist",
            f"{p}",
            lambda x, y, p=p: m.cdist(x, y, p),
            (away(2, 3), away(4, 3)),
            None,
            lambda t, x, y, p=p: t.cdist(x, y, p, "donot_use_mm_for_euclid_dist"),
            special=(),
        )
        yield Sample(
            "dist",
            f"{p}",
            lambda x, y, p=p: m.dist(x, y, p),
            (away(2, 3), away(3)),
            None,
            lambda t, x, y, p=p: t.dist(x, y, p),
            special=(),
        )
    yield Sample(
        "cdist", "batch", m.cdist, (away(2, 3, 2), away(1, 2, 2)), None, lambda t, x, y: t.cdist(x, y), special=()
    )
    for n, dim in ((1, -1), (2, 0), (3, 1), (4, 1)):
        yield Sample(
            "diff",
            f"{n} {dim}",
            lambda x, n=n, k=dim: m.diff(x, n, k),
            (away(3, 4),),
            lambda x, n=n, k=dim: np.diff(x, n, k),
            lambda t, x, n=n, k=dim: t.diff(x, n, k),
        )
    yield Sample(
        "diff",
        "beside",
        lambda x, a, b: m.diff(x, 1, 1, a, b),
        (away(2, 3), away(2, 1), away(2, 2)),
        None,
        lambda t, x, a, b: t.diff(x, 1, 1, a, b),
    )
    yield Sample(
        "trapezoid",
        "steps",
        lambda y: m.trapezoid(y, dx=0.5),
        (away(2, 4),),
        lambda y: np.trapezoid(y, dx=0.5),
        lambda t, y: t.trapezoid(y, dx=0.5),
        special=("nan",),
    )
    yield Sample(
        "trapezoid",
        "places",
        lambda y, x: m.trapezoid(y, x, dim=0),
        (away(3, 2), away(3)),
        None,
        lambda t, y, x: t.trapezoid(y, x, dim=0),
        special=(),
    )
    yield Sample(
        "trapezoid",
        "all places",
        lambda y, x: m.trapezoid(y, x, dim=0),
        (away(3, 2), away(3, 2)),
        None,
        lambda t, y, x: t.trapezoid(y, x, dim=0),
        special=(),
    )
    for shape in ((3, 5), (4,)):
        yield Sample("cov", f"{shape}", m.cov, (away(*shape),), np.cov, lambda t, x: t.cov(x), special=())
    yield Sample("corrcoef", "plain", m.corrcoef, (away(3, 5),), np.corrcoef, lambda t, x: t.corrcoef(x), special=())
    yield Sample(
        "corrcoef", "one row", m.corrcoef, (away(5),), np.corrcoef, lambda t, x: t.corrcoef(x), special=(), kink=True
    )
    for size in ((1, 3), (3,), (2, 1)):
        yield Sample(
            "sum_to_size",
            f"{size}",
            lambda x, n=size: m.sum_to_size(x, *n),
            (away(2, 3),),
            None,
            lambda t, x, n=size: x.sum_to_size(*n),
        )


def regular(*shape: int) -> Draw:
    """Draw square matrices far from singular, none of whose numbers are alike."""
    return lambda rng: rng.uniform(-1, 1, shape) + 2.0 * np.eye(shape[-1]) * np.arange(1, shape[-1] + 1)


def _symmetric(x: Any) -> Any:
    return (x + _t(x)) * 0.5


def _definite(x: Any) -> Any:
    return x @ _t(x) + 0.5 * np.eye(x.shape[-1]).astype(getattr(x, "_data", x).dtype)


def _definite_in_torch(t: Any, x: Any) -> Any:
    return x @ x.mT + 0.5 * t.eye(x.shape[-1], dtype=x.dtype)


SQUARE = {"plain": (3, 3), "batch": (2, 3, 3), "size 1": (1, 1), "no matrices": (0, 2, 2)}


def inverses() -> Iterator[Sample]:
    for label, shape in SQUARE.items():
        draws = (regular(*shape),)
        yield Sample("inv", label, d.inv, draws, np.linalg.inv, lambda t, x: t.linalg.inv(x), special=())
        yield Sample("pinv", label, d.pinv, draws, np.linalg.pinv, lambda t, x: t.linalg.pinv(x), special=())
        yield Sample("det", label, d.det, draws, np.linalg.det, lambda t, x: t.linalg.det(x), special=())
        yield Sample(
            "slogdet",
            label,
            d.slogdet_of,
            draws,
            lambda x: tuple(np.linalg.slogdet(x)),
            lambda t, x: tuple(t.linalg.slogdet(x)),
            special=(),
        )
        yield Sample(
            "logdet",
            label,
            lambda x: d.logdet(_definite(x)),
            draws,
            None,
            lambda t, x: t.logdet(_definite_in_torch(t, x)),
            special=(),
        )
        yield Sample(
            "solve_matrix",
            label,
            d.solve_matrix,
            (regular(*shape), away(*shape[:-1], 2)),
            np.linalg.solve,
            lambda t, a, b: t.linalg.solve(a, b),
            special=(),
        )
        for n in (0, 1, 2, 5, -1, -2):
            yield Sample(
                "matrix_power",
                f"{label} {n}",
                lambda x, n=n: d.matrix_power(x, n),
                draws,
                lambda x, n=n: np.linalg.matrix_power(x, n),
                lambda t, x, n=n: t.linalg.matrix_power(x, n),
                special=(),
            )
        yield Sample(
            "matrix_exp",
            label,
            lambda x: d.matrix_exp(x * 0.3),
            draws,
            None,
            lambda t, x: t.linalg.matrix_exp(x * 0.3),
            special=(),
        )
        for upper in (False, True):
            for flags in ({}, {"left": False}, {"unitriangular": True}):
                yield Sample(
                    "solve_triangular",
                    f"{label} {upper} {flags}",
                    lambda a, b, u=upper, f=flags: d.solve_triangular(a, b, upper=u, **f),
                    (regular(*shape), away(*shape)),
                    None,
                    lambda t, a, b, u=upper, f=flags: t.linalg.solve_triangular(
                        a.triu() if u else a.tril(), b, upper=u, **f
                    ),
                    special=(),
                )
            yield Sample(
                "cholesky_solve",
                f"{label} {upper}",
                lambda b, x, u=upper: d.cholesky_solve(b, x, u),
                (away(*shape), regular(*shape)),
                None,
                lambda t, b, x, u=upper: t.linalg.solve((x.triu().mT @ x.triu()) if u else x.tril() @ x.tril().mT, b),
                special=(),
            )
        yield Sample(
            "matrix_rank",
            label,
            d.matrix_rank,
            draws,
            np.linalg.matrix_rank,
            lambda t, x: t.linalg.matrix_rank(x),
            smooth=False,
            special=(),
        )
    yield Sample(
        "solve_matrix",
        "broadcast",
        d.solve_matrix,
        (regular(2, 3, 3), away(3, 2)),
        np.linalg.solve,
        lambda t, a, b: t.linalg.solve(a, b),
        special=(),
    )
    for a, b, left in (
        ((3, 3), (3, 2), True),
        ((3, 3), (3,), True),
        ((2, 3, 3), (2, 3), True),
        ((3, 3), (2, 3), False),
    ):
        yield Sample(
            "solve",
            f"{a} {b} {left}",
            lambda x, y, k=left: d.solve(x, y, left=k),
            (regular(*a), away(*b)),
            None,
            lambda t, x, y, k=left: t.linalg.solve(x, y, left=k),
            special=(),
        )
    for shape in ((4, 2), (2, 4), (2, 3, 2)):
        yield Sample(
            "pinv", f"{shape}", d.pinv, (distinct(*shape),), np.linalg.pinv, lambda t, x: t.linalg.pinv(x), special=()
        )
    yield Sample(
        "det",
        "negative",
        d.det,
        (exactly([[1.0, 2.0], [3.0, 4.0]]),),
        np.linalg.det,
        lambda t, x: t.linalg.det(x),
        special=(),
    )


def factors() -> Iterator[Sample]:
    for label, shape in SQUARE.items():
        draws = (regular(*shape),)
        yield Sample(
            "cholesky",
            label,
            lambda x: d.cholesky_of(_definite(x)),
            draws,
            None,
            lambda t, x: t.linalg.cholesky(_definite_in_torch(t, x)),
            special=(),
        )
        # A decomposition is unique but for signs: a square has none.
        yield Sample(
            "eigh",
            label,
            _squared_vectors(lambda x: d.eigh_of(_symmetric(x))),
            draws,
            None,
            lambda t, x: _squared_vectors(t.linalg.eigh)((x + x.mT) / 2),
            special=(),
        )
        yield Sample(
            "eigh",
            f"{label}, upper",
            lambda x: d.eigh_of(_symmetric(x), lower=False)[0],
            draws,
            None,
            lambda t, x: t.linalg.eigh((x + x.mT) / 2, "U")[0],
            special=(),
        )
    for shape in ((3, 3), (4, 2), (2, 3, 2)):
        yield Sample(
            "qr",
            f"{shape}",
            d.qr_of,
            (distinct(*shape),),
            lambda x: tuple(np.linalg.qr(x)),
            lambda t, x: tuple(t.linalg.qr(x)),
            special=(),
        )
    for shape in ((3, 3), (4, 2), (2, 4), (2, 3, 2), (1, 1)):
        yield Sample(
            "svd",
            f"{shape}",
            _one_sign(lambda x: d.svd_of(x)),
            (distinct(*shape),),
            None,
            lambda t, x: _one_sign(lambda x: t.linalg.svd(x, full_matrices=False))(x),
            special=(),
        )
        yield Sample(
            "svdvals",
            f"{shape}",
            d.svdvals,
            (distinct(*shape),),
            lambda x: np.linalg.svd(x, compute_uv=False),
            lambda t, x: t.linalg.svdvals(x),
            special=(),
        )


def _squared_vectors(eigh: Callable[..., Any]) -> Callable[..., Any]:
    def call(x: Any) -> Any:
        values, vectors = eigh(x)
        return values, vectors * vectors

    return call


def _one_sign(svd: Callable[..., Any]) -> Callable[..., Any]:
    """Return the parts of a singular value decomposition without their signs, and what depends on how they pair."""

    def call(x: Any) -> Any:
        u, s, vh = svd(x)
        return u * u, s, vh * vh, u @ vh

    return call


def norms() -> Iterator[Sample]:
    for order in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
        for label, shape, dims, keep in (
            ("plain", (3, 4), (-2, -1), False),
            ("dims", (3, 2, 4), (2, 0), False),
            ("kept", (2, 3, 3), (0, 1), True),
        ):
            yield Sample(
                "matrix_norm",
                f"{order} {label}",
                lambda x, o=order, k=dims, q=keep: d.matrix_norm(x, o, k, q),
                (distinct(*shape),),
                lambda x, o=order, k=dims, q=keep: np.linalg.norm(x, o, k, q),
                lambda t, x, o=order, k=dims, q=keep: t.linalg.matrix_norm(x, o, k, q),
                special=(),
            )
    for p in (None, 2, -2, "fro", 1, math.inf):
        yield Sample(
            "cond",
            f"{p}",
            lambda x, p=p: d.cond(x, p),
            (regular(3, 3),),
            lambda x, p=p: np.linalg.cond(x, p),
            # PyTorch cannot differentiate its own by way of the inverse: it writes over what it saved.
            (lambda t, x, p=p: t.linalg.cond(x, p)) if p in (None, 2, -2) else None,
            special=(),
        )

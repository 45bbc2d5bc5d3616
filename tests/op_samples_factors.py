"""Samples of LU factors, of products of reflections, and of what is solved with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from op_samples_base import Draw, Sample, away, exactly
from op_samples_matrices import regular

from minigrad.ops import decompositions as d
from minigrad.ops import factors as f
from minigrad.ops.shape import reshape

SHAPES = {"square": (3, 3), "tall": (2, 4, 3), "wide": (3, 4), "size 1": (1, 1), "no matrices": (0, 2, 2)}


def samples() -> Iterator[Sample]:
    yield from factors()
    yield from solutions()
    yield from reflections()
    yield from gradients()


def factors() -> Iterator[Sample]:
    for label, shape in SHAPES.items():
        for pivot in (True, False):
            yield Sample(
                "lu",
                f"{label} {pivot}",
                lambda x, p=pivot: f.lu_of(x, pivot=p)[:2],
                (_steady(*shape),),
                None,
                (lambda t, x: tuple(t.linalg.lu_factor(x))) if pivot else None,
                special=(),
            )
        yield Sample(
            "geqrf", label, f.geqrf_of, (away(*shape),), None, lambda t, x: tuple(t.geqrf(x)), smooth=False, special=()
        )
    yield Sample(
        "lu_info",
        "some",
        f.lu_info,
        (exactly([[[1.0, 2.0], [0.0, 0.0]], [[1.0, 2.0], [3.0, 4.0]]]),),
        lambda x: np.array([2, 0], np.int32),
        None,
        smooth=False,
        special=(),
    )


def _steady(*shape: int) -> Draw:
    """Draw matrices whose leading squares are far from singular."""
    return lambda rng: rng.uniform(-1, 1, shape) + 3.0 * np.eye(*shape[-2:])


def _factored(a: Any) -> tuple[Any, Any]:
    lu, pivots, _ = f.lu_of(a)
    return lu, pivots


def solutions() -> Iterator[Sample]:
    for label, shape in (("plain", (3, 3)), ("batch", (2, 3, 3))):
        for left, adjoint in ((True, False), (True, True), (False, False)):
            yield Sample(
                "lu_solve",
                f"{label} {left} {adjoint}",
                lambda a, b, k=left, j=adjoint: f.lu_solve(*_factored(a), b, left=k, adjoint=j),
                (regular(*shape), away(3, 3)),
                None,
                lambda t, a, b, k=left, j=adjoint: t.linalg.lu_solve(*t.linalg.lu_factor(a), b, left=k, adjoint=j),
                special=(),
            )
    yield Sample(
        "tensorinv",
        "two dims",
        lambda x: f.tensorinv(reshape(x, shape=(2, 2, 4))),
        (regular(4, 4),),
        lambda x: np.linalg.tensorinv(x.reshape(2, 2, 4)),
        lambda t, x: t.linalg.tensorinv(x.reshape(2, 2, 4)),
        special=(),
    )
    for dims, shape in ((None, (2, 2, 4)), ((0,), (4, 2, 2))):
        yield Sample(
            "tensorsolve",
            f"{dims}",
            lambda a, b, n=dims, k=shape: f.tensorsolve(reshape(a, shape=k), b, n),
            (regular(4, 4), away(2, 2)),
            lambda a, b, n=dims, k=shape: np.linalg.tensorsolve(a.reshape(k), b, n),
            lambda t, a, b, n=dims, k=shape: t.linalg.tensorsolve(a.reshape(k), b, n),
            special=(),
        )


def reflections() -> Iterator[Sample]:
    for a, tau in (((4, 3), (3,)), ((2, 4, 4), (2, 2))):
        yield Sample(
            "householder_product",
            f"{a} {tau}",
            f.householder_product,
            (away(*a), away(*tau)),
            None,
            lambda t, x, w: t.linalg.householder_product(x, w),
            special=(),
        )
    for left, turned in ((True, False), (True, True), (False, True)):
        yield Sample(
            "ormqr",
            f"{left} {turned}",
            lambda x, w, y, k=left, n=turned: f.ormqr(x, w, y, k, n),
            (away(3, 3), away(3), away(3, 3)),
            None,
            lambda t, x, w, y, k=left, n=turned: t.ormqr(x, w, y, k, n),
            special=(),
        )


def gradients() -> Iterator[Sample]:
    for shape in ((2, 4), (2, 1, 3)):
        yield Sample(
            "qr",
            f"wide {shape}",
            lambda x: d.qr_of(x),
            (away(*shape),),
            None,
            None,  # PyTorch has it, and its table of samples compares them
            special=(),
        )
    for label, shape in (("plain", (3, 3)), ("batch", (2, 2, 2)), ("size 1", (1, 1)), ("no matrices", (0, 2, 2))):
        yield Sample(
            "cofactors",
            label,
            d.cofactors,
            (regular(*shape),),
            lambda x: np.linalg.det(x)[..., None, None] * np.linalg.inv(x).swapaxes(-1, -2),
            lambda t, x: t.linalg.det(x)[..., None, None] * t.linalg.inv(x).mT,
            special=(),
        )

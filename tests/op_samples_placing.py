"""Samples of views by strides, places in the flat tensor, rows reduced into rows, slopes and partial integrals."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from op_samples_base import Sample, away, distinct, exactly, unary

from minigrad.ops import curves as c
from minigrad.ops import matrices as m
from minigrad.ops import placing as p
from minigrad.ops import slopes


def samples() -> Iterator[Sample]:
    yield from strides()
    yield from places()
    yield from rows()
    yield from differences()
    yield from parts_of_numbers()


STRIDES = {
    "apart": ((2, 3), (2, 2), (2, 1), 1),
    "overlapping": ((6,), (4, 3), (1, 1), 0),
    "repeated": ((3,), (2, 3), (0, 1), 0),
    "one": ((2, 2), (), (), 3),
    "none": ((3,), (0, 2), (1, 1), 0),
}


def strides() -> Iterator[Sample]:
    for label, (shape, size, stride, offset) in STRIDES.items():
        how = {"size": size, "stride": stride, "offset": offset}
        yield Sample(
            "as_strided",
            label,
            lambda x, h=how: p.strided_of(x, **h),
            (away(*shape),),
            None,
            lambda t, x, h=(size, stride, offset): t.as_strided(x.contiguous(), *h),
        )
        yield Sample(
            "add_strided",
            label,
            lambda g, n=shape, s=stride, o=offset: p.add_strided(g, shape=n, stride=s, offset=o),
            (away(*size),),
            lambda g, n=shape, s=stride, o=offset: _added(g, n, s, o),
        )
    yield Sample(
        "as_strided_scatter",
        "apart",
        lambda x, y: p.as_strided_scatter(x, y, (2, 2), (2, 1), 1),
        (away(2, 3), away(2, 2)),
        _written,  # PyTorch's gradient goes to what was overwritten
    )


def _written(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.array([[x[0, 0], *y[0]], [*y[1], x[1, 2]]])


def _added(g: np.ndarray, shape: tuple[int, ...], stride: tuple[int, ...], offset: int) -> np.ndarray:
    flat = np.zeros(int(np.prod(shape)), g.dtype)
    for place in np.ndindex(g.shape):
        flat[offset + sum(i * s for i, s in zip(place, stride, strict=True))] += g[place]
    return flat.reshape(shape)


def places() -> Iterator[Sample]:
    for label, index, source in (
        ("once", [[0, 4], [2, -1]], (2, 2)),
        ("none", np.zeros(0, np.int64), (0,)),
    ):
        for accumulate in (False, True):
            yield Sample(
                "put",
                f"{label} {accumulate}",
                lambda x, i, s, a=accumulate: p.put(x, i, s, a),
                (away(2, 3), exactly(index), away(*source)),
                None,
                lambda t, x, i, s, a=accumulate: t.put(x, i, s, a),
            )
    yield Sample(
        "put",
        "twice",
        lambda x, i, s: p.put(x, i, s, accumulate=True),
        (away(2, 3), exactly([1, 1, -5]), away(3)),
        None,
        lambda t, x, i, s: t.put(x, i, s, accumulate=True),
        special=("nan",),
    )


def rows() -> Iterator[Sample]:
    for reduce in ("prod", "mean", "amax", "amin"):
        for shape, dim, source, include in (
            ((3, 2), 0, (4, 2), True),
            ((3, 2), 0, (4, 2), False),
            ((2, 3, 2), -2, (2, 4, 2), True),
        ):
            yield Sample(
                "index_reduce",
                f"{reduce} {shape} {include}",
                lambda x, s, i, d=dim, r=reduce, n=include: p.index_reduce(x, d, i, s, r, include_self=n),
                (distinct(*shape), distinct(*source), exactly([0, 2, 0, 0])),
                None,
                lambda t, x, s, i, d=dim, r=reduce, n=include: t.scatter_reduce(  # PyTorch warns of its index_reduce
                    x, d, i.reshape(-1, 1).expand_as(s), s, r, include_self=n
                ),
                special=(),
            )
    yield Sample(
        "index_reduce",
        "0-d",
        lambda x, s: p.index_reduce(x, 0, np.array([0]), s, "prod"),
        (away(), away()),
        np.multiply,
        lambda t, x, s: x * s,
        special=(),
    )
    for shape, power, dim, most in (((3, 4), 2, 0, 1.5), ((3, 4), 1, -1, 3.0), ((2, 3, 2), 3, 1, 2.0)):
        yield Sample(
            "renorm",
            f"{shape} {power}",
            lambda x, n=power, d=dim, k=most: p.renorm(x, n, d, k),
            (away(*shape),),
            None,
            lambda t, x, n=power, d=dim, k=most: t.renorm(x, n, d, k),
            special=(),
        )


def differences() -> Iterator[Sample]:
    for label, shape, how in (
        ("all dims", (3, 4), {}),
        ("steps", (3, 4), {"spacing": [0.5, 2.0]}),
        ("one dim", (3, 4), {"spacing": 2.0, "dim": 1, "edge_order": 2}),
        ("two places", (2,), {"dim": 0}),
    ):
        yield Sample(
            "gradient",
            label,
            lambda x, h=how: slopes.gradient(x, **h),
            (away(*shape),),
            None,
            lambda t, x, h=how: tuple(t.gradient(x, **h)),
            special=("nan",),
        )
    at = [0.0, 1.0, 1.5, 4.0]
    yield Sample(
        "gradient",
        "coordinates",
        lambda x: slopes.gradient(x, spacing=[np.array(at)], dim=1, edge_order=2),
        (away(2, 4),),
        lambda x: (np.gradient(x, at, axis=1, edge_order=2),),
        None,
        special=("nan",),
    )
    yield Sample(
        "cumulative_trapezoid",
        "steps",
        lambda y: m.cumulative_trapezoid(y, dx=0.5),
        (away(2, 4),),
        None,
        lambda t, y: t.cumulative_trapezoid(y, dx=0.5),
        special=("nan",),
    )
    yield Sample(
        "cumulative_trapezoid",
        "places",
        lambda y, x: m.cumulative_trapezoid(y, x, dim=0),
        (away(3, 2), away(3)),
        None,
        lambda t, y, x: t.cumulative_trapezoid(y, x, dim=0),
        special=(),
    )


def parts_of_numbers() -> Iterator[Sample]:
    yield from unary("frexp", c.frexp_of, lambda x: tuple(np.frexp(x)), lambda t, x: tuple(t.frexp(x)), special=())
    for a, b in (((3, 4), (3, 4)), ((2, 1), (3,)), ((), (0,))):
        yield Sample(
            "nextafter",
            f"{a} {b}",
            c.nextafter,
            (away(*a), away(*b)),
            np.nextafter,
            lambda t, x, y: t.nextafter(x, y),
            smooth=False,
            special=("nan",),
        )

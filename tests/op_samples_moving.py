"""Samples of the ops on diagonals, windows, rolls, repeats, and places along a dim."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from op_samples_base import Sample, away, bools, distinct, exactly, ints

from minigrad.ops import moving as m


def samples() -> Iterator[Sample]:
    yield from diagonals()
    yield from shapes()
    yield from repeats()
    yield from taking()
    yield from putting()


def diagonals() -> Iterator[Sample]:
    for shape, offset, a, b in (
        ((3, 4), 0, 0, 1),
        ((3, 4), 2, 0, 1),
        ((3, 4), -1, 0, 1),
        ((2, 3, 4), 1, 1, 2),
        ((2, 3, 4), 0, 2, 0),
        ((3, 3), 9, 0, 1),
        ((0, 2), 0, 0, 1),
    ):
        how = {"offset": offset, "dim1": a, "dim2": b}
        label = f"{shape} {offset} {a} {b}"
        yield Sample(
            "diagonal",
            label,
            lambda x, h=how: m.diagonal(x, **h),
            (away(*shape),),
            None if offset == 9 else lambda x, o=offset, a=a, b=b: np.diagonal(x, o, a, b),
            lambda t, x, h=how: t.diagonal(x, **h),
        )
        part = np.diagonal(np.zeros(shape), 0 if offset == 9 else offset, a, b).shape if offset != 9 else (0,)
        yield Sample(
            "on_diagonal",
            label,
            lambda g, h=how, n=shape: m.on_diagonal(g, shape=n, **h),
            (away(*part),),
            None,
            lambda t, g, h=how, n=shape: t.diagonal_scatter(t.zeros(n, dtype=g.dtype), g, **h),
        )
    for shape, offset, a, b in (
        ((3,), 0, -2, -1),
        ((2, 3), 1, -2, -1),
        ((2, 3), -2, 0, 2),
        ((2, 3), 1, 2, 0),
        ((0,), 0, 0, 1),
    ):
        yield Sample(
            "diag_embed",
            f"{shape} {offset} {a} {b}",
            lambda x, o=offset, a=a, b=b: m.diag_embed(x, o, a, b),
            (away(*shape),),
            None,
            lambda t, x, o=offset, a=a, b=b: t.diag_embed(x, o, a, b),
        )
    for shape, k in (((3,), 0), ((3,), -1), ((3, 4), 1), ((3, 3), 0), ((0,), 1)):
        yield Sample(
            "diag",
            f"{shape} {k}",
            lambda x, k=k: m.diag(x, k),
            (away(*shape),),
            lambda x, k=k: np.diag(x, k),
            lambda t, x, k=k: t.diag(x, k),
        )
    for shape in ((3, 3), (2, 4), (0, 3), (1, 1)):
        yield Sample("trace", f"{shape}", m.trace, (away(*shape),), np.trace, lambda t, x: t.trace(x))


def shapes() -> Iterator[Sample]:
    for shape, dim, size, step in (
        ((7,), 0, 3, 2),
        ((7,), 0, 3, 1),
        ((2, 6), -1, 2, 3),
        ((5, 2), 0, 5, 1),
        ((), 0, 1, 1),
    ):
        label = f"{shape} {dim} {size} {step}"
        yield Sample(
            "unfold",
            label,
            lambda x, a=(dim, size, step): m.unfold(x, *a),
            (away(*shape),),
            None,
            lambda t, x, a=(dim, size, step): x.unfold(*a),
        )
        part = np.lib.stride_tricks.sliding_window_view(np.zeros(shape), size, dim) if shape else np.zeros(size)
        at = dim % max(len(shape), 1)
        part = part[(slice(None),) * at + (slice(None, None, step),)] if shape else part
        yield Sample(
            "add_windows",
            label,
            lambda g, n=shape, d=at, s=step: m.add_windows(g, shape=n, dim=d, step=s),
            (away(*part.shape),),
            lambda g, n=shape, d=at, s=step: _overlapped(g, n, d, s),
        )
    for source, destination in ((0, 2), (-1, 0), ((0, 1), (2, 0)), ((2, 0), (0, 1))):
        yield Sample(
            "movedim",
            f"{source} {destination}",
            lambda x, s=source, d=destination: m.movedim(x, s, d),
            (away(2, 3, 4),),
            lambda x, s=source, d=destination: np.moveaxis(x, s, d),
            lambda t, x, s=source, d=destination: t.movedim(x, s, d),
        )
    for shape, dim, sizes in (((2, 6), 1, (2, 3)), ((6, 2), 0, (-1, 3)), ((6,), -1, (1, 6)), ((0, 4), 1, (2, 2))):
        yield Sample(
            "unflatten",
            f"{shape} {dim} {sizes}",
            lambda x, d=dim, n=sizes: m.unflatten(x, d, n),
            (away(*shape),),
            None,
            lambda t, x, d=dim, n=sizes: x.unflatten(d, n),
        )
    for k in range(-1, 5):
        for dims in ((0, 1), (2, 0)):
            yield Sample(
                "rot90",
                f"{k} {dims}",
                lambda x, k=k, d=dims: m.rot90(x, k, d),
                (away(2, 3, 2),),
                lambda x, k=k, d=dims: np.rot90(x, k, d),
                lambda t, x, k=k, d=dims: t.rot90(x, k, d),
            )
    for shape, shifts, dims in (
        ((2, 3), 1, None),
        ((2, 3), -4, 1),
        ((2, 3), (1, 2), (0, -1)),
        ((2, 3), 0, 0),
        ((0, 2), 1, 0),
        ((), 3, None),
        ((3,), (1, 1), (0, 0)),
    ):
        yield Sample(
            "roll",
            f"{shape} {shifts} {dims}",
            lambda x, s=shifts, d=dims: m.roll(x, s, d),
            (away(*shape),),
            lambda x, s=shifts, d=dims: np.roll(x, s, d),
            lambda t, x, s=shifts, d=dims: t.roll(x, s, d),
        )


def _overlapped(g: np.ndarray, shape: tuple[int, ...], dim: int, step: int) -> np.ndarray:
    """Return zeros of `shape` with each window added where it was taken, one by one."""
    y = np.zeros(shape)
    if not shape:
        return np.asarray(g.sum())
    for i in range(g.shape[dim]):
        for k in range(g.shape[-1]):
            y[(slice(None),) * dim + (i * step + k,)] += g[(slice(None),) * dim + (i, ..., k)]
    return y


def repeats() -> Iterator[Sample]:
    for shape, dims in (
        ((2, 3), (2, 1)),
        ((2, 3), (2, 1, 3)),
        ((2, 3), (2,)),
        ((), (3,)),
        ((0, 2), (2, 2)),
        ((2,), (0,)),
    ):
        yield Sample(
            "tile",
            f"{shape} {dims}",
            lambda x, d=dims: m.tile(x, d),
            (away(*shape),),
            lambda x, d=dims: np.tile(x, d),
            lambda t, x, d=dims: t.tile(x, d),
        )
    for shape, counts, dim in (
        ((2, 3), 2, None),
        ((2, 3), 3, -1),
        ((3,), [1, 0, 2], 0),
        ((2, 2), [2, 1], 1),
        ((0,), 2, 0),
    ):
        yield Sample(
            "repeat_interleave",
            f"{shape} {counts} {dim}",
            lambda x, n=counts, d=dim: m.repeat_interleave(x, n if isinstance(n, int) else np.array(n), d),
            (away(*shape),),
            lambda x, n=counts, d=dim: np.repeat(x, n, d),
            lambda t, x, n=counts, d=dim: t.repeat_interleave(x, n if isinstance(n, int) else t.tensor(n), d),
        )


def taking() -> Iterator[Sample]:
    for label, shape, index in (
        ("plain", (2, 3), ints(6, 2, 2)),
        ("repeated", (3,), exactly([1, 1, -1])),
        ("0-d", (2,), exactly(1)),
        ("empty", (2,), exactly(np.zeros(0, np.int64))),
    ):
        yield Sample(
            "take", label, m.take, (away(*shape), index), lambda x, k: np.take(x, k), lambda t, x, k: t.take(x, k)
        )
    for label, shape, index, dim in (
        ("dim", (3, 4), ints(3, 2, 4), 0),
        ("last", (3, 4), ints(4, 3, 2), -1),
        ("broadcast", (3, 1), ints(3, 2, 4), 0),
        ("flat", (3, 4), ints(12, 5), None),
    ):
        yield Sample(
            "take_along_dim",
            label,
            lambda x, k, d=dim: m.take_along_dim(x, k, d),
            (away(*shape), index),
            None,
            lambda t, x, k, d=dim: t.take_along_dim(x, k, d),
        )
    for label, shape, mask in (
        ("plain", (3, 4), bools(3, 4)),
        ("broadcast", (3, 4), bools(4)),
        ("wide", (4,), bools(2, 4)),
        ("0-d", (), exactly(True)),
        ("none", (3,), exactly([False] * 3)),
    ):
        yield Sample(
            "masked_select",
            label,
            m.masked_select,
            (away(*shape), mask),
            lambda x, k: np.broadcast_arrays(x, k)[0][np.broadcast_arrays(x, k)[1]],
            lambda t, x, k: t.masked_select(x, k),
        )


def putting() -> Iterator[Sample]:
    for shape, dim, index, part in (((4, 3), 0, [2, 0], (2, 3)), ((3, 4), -1, [1, 3], (3, 2)), ((3,), 0, [1], (1,))):
        label = f"{shape} {dim}"
        draws = (away(*shape), exactly(index), away(*part))
        yield Sample(
            "index_add",
            label,
            lambda x, k, v, d=dim: m.index_add(x, d, k, v),
            draws,
            None,
            lambda t, x, k, v, d=dim: t.index_add(x, d, k, v),
        )
        yield Sample(
            "index_copy",
            label,
            lambda x, k, v, d=dim: m.index_copy(x, d, k, v),
            draws,
            None,
            lambda t, x, k, v, d=dim: t.index_copy(x, d, k, v),
        )
        yield Sample(
            "index_fill",
            label,
            lambda x, k, d=dim: m.index_fill(x, d, k, 0.5),
            draws[:2],
            None,
            lambda t, x, k, d=dim: t.index_fill(x, d, k, 0.5),
        )
    yield Sample(
        "index_add",
        "repeated",
        lambda x, k, v: m.index_add(x, 1, k, v, alpha=-0.5),
        (away(2, 3), exactly([0, 0, 2]), away(2, 3)),
        None,
        lambda t, x, k, v: t.index_add(x, 1, k, v, alpha=-0.5),
    )
    yield Sample(
        "index_add",
        "0-d",
        lambda x, k, v: m.index_add(x, 0, k, v),
        (away(), exactly([0]), away()),
        None,
        lambda t, x, k, v: t.index_add(x, 0, k, v),
    )
    once = exactly([[2, 0, 1], [0, 1, 3]])
    for label, shape, index, dim in (
        ("dim 0", (4, 3), once, 0),
        ("dim -1", (2, 4), once, -1),
        ("1-d", (4,), exactly([3, 1]), 0),
        ("empty", (3, 4), exactly(np.zeros((3, 0), np.int64)), 1),
        ("0-d", (), exactly(0), 0),
    ):
        at = index(np.random.default_rng(0)).shape
        for kind, source in (("", at), (", larger source", tuple(n + 1 for n in at))):
            yield Sample(
                "scatter",
                label + kind,
                lambda x, k, v, d=dim: m.scatter(x, d, k, v),
                (away(*shape), index, away(*source)),
                lambda x, k, v, d=dim: _written(x, d, k, v),
                None if kind else lambda t, x, k, v, d=dim: t.scatter(x, d, k, v),
            )
        yield Sample(
            "scatter",
            f"{label}, number",
            lambda x, k, d=dim: m.scatter(x, d, k, 0.5),
            (away(*shape), index),
            None,
            lambda t, x, k, d=dim: t.scatter(x, d, k, 0.5),
        )
    yield Sample(
        "scatter",
        "add",
        lambda x, k, v: m.scatter(x, 1, k, v, reduce="add"),
        (away(2, 3), exactly([[0, 0], [1, 2]]), away(2, 2)),
        None,
        lambda t, x, k, v: t.scatter_reduce(x, 1, k, v, "sum"),
    )
    yield Sample(
        "scatter",
        "multiply by a number",
        lambda x, k: m.scatter(x, 1, k, 1.5, reduce="multiply"),
        (away(2, 3), exactly([[0, 0], [1, 2]])),
        lambda x, k: x * [[2.25, 1, 1], [1, 1.5, 1.5]],
    )
    for reduce in ("sum", "prod", "mean", "amax", "amin"):
        for include in (True, False):
            for label, index, shape, dim in (("plain", [[0, 0, 2], [1, 2, 2]], (2, 4), 1), ("1-d", [1, 1, 0], (3,), 0)):
                yield Sample(
                    "scatter_reduce",
                    f"{reduce} {include} {label}",
                    lambda x, k, v, r=reduce, i=include, d=dim: m.scatter_reduce(x, d, k, v, r, include_self=i),
                    (distinct(*shape), exactly(index), distinct(*np.shape(index))),
                    None,
                    lambda t, x, k, v, r=reduce, i=include, d=dim: t.scatter_reduce(x, d, k, v, r, include_self=i),
                    special=(),
                )
    for include in (True, False):
        yield Sample(
            "scatter_reduce",
            f"prod of zeros {include}",
            lambda x, k, v, i=include: m.scatter_reduce(x, 0, k, v, "prod", include_self=i),
            (exactly([2.0, 0.0, 3.0, 0.0]), exactly([0, 1, 2, 2, 3]), exactly([0.0, 2.0, 0.0, 0.0, 1.5])),
            None,
            lambda t, x, k, v, i=include: t.scatter_reduce(x, 0, k, v, "prod", include_self=i),
            special=(),
            kink=True,
        )
    for label, shape, mask, n in (
        ("plain", (2, 3), exactly([[True, False, True], [False, True, True]]), (5,)),
        ("exact", (3,), exactly([True, False, True]), (2, 1)),
        ("none", (2,), exactly([False, False]), (3,)),
    ):
        yield Sample(
            "masked_scatter",
            label,
            m.masked_scatter,
            (away(*shape), mask, away(*n)),
            None,
            lambda t, x, k, v: t.masked_scatter(x, k, v),
        )


def _written(x: np.ndarray, dim: int, index: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Return x with the source written along dim, element by element."""
    y = np.array(x)
    for place in np.ndindex(index.shape):
        target = list(place)
        if target:
            target[dim] = index[place]
        y[tuple(target)] = source[place]
    return y

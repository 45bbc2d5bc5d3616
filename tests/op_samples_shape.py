"""Samples of the ops that move elements, index, gather, scatter and pad."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from op_samples_base import Draw, Sample, away, bools, exactly, ints

from minigrad.kernels.index import ARRAY
from minigrad.ops import index as i
from minigrad.ops import pad as p
from minigrad.ops import shape as s

_ALL = slice(None)


def samples() -> Iterator[Sample]:
    yield from reshaping()
    yield from joining()
    yield from triangles()
    yield from getting()
    yield from putting()
    yield from gathering()
    yield from padding()


def reshaping() -> Iterator[Sample]:
    for old, new in (((2, 6), (3, 4)), ((2, 6), (-1,)), ((), (1, 1)), ((1,), ()), ((0, 3), (3, 0)), ((2, 3), (2, 3))):
        yield Sample("reshape", f"{old} to {new}", lambda x, n=new: s.reshape(x, shape=n), (away(*old),),
                     lambda x, n=new: x.reshape(n), lambda t, x, n=new: x.reshape(n))  # fmt: skip
    for shape, dims in (((2, 3, 4), (2, 0, 1)), ((2, 3, 4), (-1, 0, 1)), ((2, 3), (0, 1)), ((), ()), ((0, 2), (1, 0))):
        yield Sample("permute", f"{shape} by {dims}", lambda x, d=dims: s.permute(x, dims=d), (away(*shape),),
                     lambda x, d=dims: x.transpose(d), lambda t, x, d=dims: x.permute(d))  # fmt: skip
    for shape, a, b in (((2, 3, 4), 0, 2), ((2, 3, 4), -1, -2), ((3,), 0, -1), ((), 0, 0), ((0, 2), 0, 1)):
        yield Sample("transpose", f"{shape} {a} {b}", lambda x, a=a, b=b: s.transpose(x, a, b), (away(*shape),),
                     lambda x, a=a, b=b: np.swapaxes(x, a, b) if x.ndim else x,
                     lambda t, x, a=a, b=b: x.transpose(a, b))  # fmt: skip
    for old, new in (((3,), (2, 3)), ((2, 1), (2, 4)), ((), (2, 2)), ((1, 1), (5, 2, 3)), ((1,), (0,)), ((2,), (2,))):
        yield Sample("expand", f"{old} to {new}", lambda x, n=new: s.expand(x, shape=n), (away(*old),),
                     lambda x, n=new: np.broadcast_to(x, n), lambda t, x, n=new: x.expand(n))  # fmt: skip
        yield Sample("sum_to", f"{new} to {old}", lambda x, o=old: s.sum_to(x, shape=o), (away(*new),), None,
                     lambda t, x, o=old: x.sum_to_size(o) if o else x.sum())  # fmt: skip
    for dims in ((0,), (1, -1), (0, 1, 2), ()):
        yield Sample("flip", f"{dims}", lambda x, d=dims: s.flip(x, dims=d), (away(2, 3, 2) if dims != (1, -1) else
                     away(2, 3, 2, 2),), lambda x, d=dims: np.flip(x, d), lambda t, x, d=dims: x.flip(d))  # fmt: skip
    yield Sample("flip", "empty", lambda x: s.flip(x, dims=(0,)), (away(0, 2),), None, lambda t, x: x.flip(0))
    for shape, dim in (((2, 3), 1), ((2, 3), -1), ((2, 3), 0), ((), 0), ((), -1), ((0,), -2)):
        yield Sample("unsqueeze", f"{shape} {dim}", lambda x, d=dim: s.unsqueeze(x, d), (away(*shape),),
                     lambda x, d=dim: np.expand_dims(x, d), lambda t, x, d=dim: x.unsqueeze(d))  # fmt: skip
    for shape, dim in (((1, 3, 1), None), ((1, 3, 1), -1), ((1, 3, 1), 1), ((1, 3, 1), (0, 1)), ((), 0), ((1, 0), 0)):
        yield Sample("squeeze", f"{shape} {dim}", lambda x, d=dim: s.squeeze(x, d), (away(*shape),), None,
                     lambda t, x, d=dim: x.squeeze() if d is None else x.squeeze(d))  # fmt: skip
    for shape, a, b in (((2, 3, 4), 0, -1), ((2, 3, 4), 1, 2), ((2, 3, 4), 0, 1), ((), 0, -1), ((2, 0, 3), 1, 2)):
        yield Sample("flatten", f"{shape} {a} {b}", lambda x, a=a, b=b: s.flatten(x, a, b), (away(*shape),), None,
                     lambda t, x, a=a, b=b: x.flatten(a, b))  # fmt: skip


def joining() -> Iterator[Sample]:
    for label, shapes, dim in (
        ("plain", [(2, 3), (2, 3)], 0), ("dim -1", [(2, 3), (2, 1), (2, 2)], -1), ("one", [(2, 3)], 1),
        ("empty part", [(2, 0), (2, 3)], 1), ("legacy empty", [(0,), (2, 3)], 1), ("all empty", [(0, 2), (0, 2)], 0),
    ):  # fmt: skip
        yield Sample("cat", label, lambda *xs, d=dim: s.cat(xs, d), tuple(away(*n) for n in shapes), None,
                     lambda t, *xs, d=dim: t.cat(xs, d), constant=(0,) if label == "legacy empty" else ())  # fmt: skip
    yield Sample("cat", "repeated", lambda x, y: s.cat([x, y, x], 1), (away(2, 3), away(2, 1)),
                 lambda x, y: np.concatenate([x, y, x], 1), lambda t, x, y: t.cat([x, y, x], 1))  # fmt: skip
    for label, shapes, dim in (
        ("plain", [(2, 3), (2, 3)], 0), ("dim -1", [(2,), (2,), (2,)], -1), ("middle", [(2, 3), (2, 3)], 1),
        ("0-d", [(), ()], 0), ("empty", [(0, 2), (0, 2)], 1),
    ):  # fmt: skip
        yield Sample("stack", label, lambda *xs, d=dim: s.stack(xs, d), tuple(away(*n) for n in shapes),
                     lambda *xs, d=dim: np.stack(xs, d), lambda t, *xs, d=dim: t.stack(xs, d))  # fmt: skip
    for size, dim in ((2, 0), (3, -1), (4, 0), (9, 1), ([1, 0, 3], 0), ([2, 1], -1)):
        yield Sample("split", f"{size} {dim}", lambda x, n=size, d=dim: s.split(x, n, d), (away(4, 3),), None,
                     lambda t, x, n=size, d=dim: x.split(n, d))  # fmt: skip
    yield Sample("split", "empty", lambda x: s.split(x, 2), (away(0, 2),), None, lambda t, x: x.split(2))


def triangles() -> Iterator[Sample]:
    for name in ("tril", "triu"):
        for shape, diagonal in (((3, 4), 0), ((3, 4), 1), ((2, 4, 3), -1), ((3, 3), 9), ((0, 2), 0), ((1, 1), -1)):
            yield Sample(
                name,
                f"{shape} {diagonal}",
                lambda x, n=name, k=diagonal: getattr(s, n)(x, diagonal=k),
                (away(*shape),),
                lambda x, n=name, k=diagonal: getattr(np, n)(x, k),
                lambda t, x, n=name, k=diagonal: getattr(x, n)(k),
            )
    for shape, dim, start, length in (((4, 3), 0, 1, 2), ((4, 3), 1, 0, 3), ((5,), 0, 4, 1), ((4, 3), 1, 2, 0)):
        yield Sample("narrow", f"{shape} {dim} {start} {length}",
                     lambda x, d=dim, a=start, n=length: s.narrow(x, dim=d, start=a, length=n), (away(*shape),), None,
                     lambda t, x, d=dim, a=start, n=length: x.narrow(d, a, n))  # fmt: skip
    for shape, dim, start, size in (((2, 3), 0, 1, 4), ((2, 3), 1, 0, 3), ((2,), 0, 2, 4), ((0, 2), 0, 1, 3)):
        yield Sample("widen", f"{shape} {dim} {start} {size}",
                     lambda x, d=dim, a=start, n=size: s.widen(x, dim=d, start=a, size=n), (away(*shape),),
                     lambda x, d=dim, a=start, n=size: np.pad(
                         x, [(a, n - a - x.shape[d]) if k == d else (0, 0) for k in range(x.ndim)]))  # fmt: skip


# label: shape of x, the index with its places for arrays, and the index arrays.
INDICES: dict[str, tuple[tuple[int, ...], tuple[Any, ...], tuple[Draw, ...]]] = {
    "int": ((3, 4), (1,), ()),
    "negative int and slice": ((3, 4), (-1, slice(1, None)), ()),
    "element": ((3, 4), (1, 2), ()),
    "steps": ((5, 4), (slice(None, None, 2), slice(3, 0, -2)), ()),
    "None and Ellipsis": ((2, 3, 4), (None, ..., 1), ()),
    "0-d None": ((), (None,), ()),
    "nothing": ((2, 3), (), ()),
    "empty slice": ((3, 4), (slice(2, 2),), ()),
    "rows": ((3, 4), (ARRAY,), (exactly([2, 0, 2]),)),
    "negative rows": ((3, 4), (ARRAY,), (exactly([-1, 2, -3]),)),
    "rows of rows": ((3, 4, 2), (ARRAY,), (exactly([[2, 0], [2, 2]]),)),
    "one row": ((3, 4), (ARRAY,), (exactly([1]),)),
    "no rows": ((3, 4), (ARRAY,), (exactly(np.zeros(0, np.int64)),)),
    "rows of nothing": ((0, 4), (ARRAY,), (exactly(np.zeros(0, np.int64)),)),
    "elements": ((3,), (ARRAY,), (exactly([2, 0, 2, 2]),)),
    "0-d index": ((3, 2), (ARRAY,), (exactly(1),)),
    "columns": ((3, 4), (_ALL, ARRAY), (exactly([1, 1, 3]),)),
    "pairs": ((3, 4), (ARRAY, ARRAY), (exactly([0, 2, 0]), exactly([1, 1, 1]))),
    "pairs broadcast": ((3, 4), (ARRAY, ARRAY), (exactly([[0], [2]]), exactly([1, 1, 3]))),
    "apart": ((2, 3, 4), (ARRAY, _ALL, ARRAY), (exactly([0, 1, 1]), exactly([2, 3, 3]))),
    "together": ((2, 3, 4), (_ALL, ARRAY, ARRAY), (exactly([0, 1, 1]), exactly([2, 3, 3]))),
    "mask": ((3, 4), (ARRAY,), (exactly(np.arange(12).reshape(3, 4) % 3 == 0),)),
    "row mask": ((3, 4), (ARRAY,), (exactly([True, False, True]),)),
    "column mask": ((3, 4), (_ALL, ARRAY), (exactly([True, False, True, True]),)),
    "empty mask": ((3, 4), (ARRAY,), (exactly([False] * 3),)),
    "mask and rows": ((3, 4), (ARRAY, ARRAY), (exactly([True, False, True]), exactly([1, 1]))),
    "None and rows": ((3, 4), (None, ARRAY, slice(1, 3)), (exactly([1, 1]),)),
}  # fmt: skip


def _full(index: tuple[Any, ...], arrays: Any) -> tuple[Any, ...]:
    rest = iter(arrays)
    return tuple(next(rest) if part is ARRAY else part for part in index)


def _has_negative_step(index: tuple[Any, ...]) -> bool:
    return any(isinstance(part, slice) and (part.step or 1) < 0 for part in index)


def getting() -> Iterator[Sample]:
    for label, (shape, index, arrays) in INDICES.items():
        oracle = None if _has_negative_step(index) else lambda t, x, *a, k=index: x[_full(k, a)]
        yield Sample("getitem", label, lambda x, *a, k=index: i.getitem(x, *a, index=k), (away(*shape), *arrays),
                     lambda x, *a, k=index: x[_full(k, a)], oracle)  # fmt: skip
    select = lambda t, x, k, d: t.index_select(x, d, k)
    for shape, dim in (((3, 4), 0), ((3, 4), -1), ((2, 3, 2), 1)):
        yield Sample("index_select", f"{shape} {dim}", lambda x, k, d=dim: i.index_select(x, d, k),
                     (away(*shape), ints(2, 3)), lambda x, k, d=dim: np.take(x, k, d),
                     lambda t, x, k, d=dim: select(t, x, k, d))  # fmt: skip
    yield Sample("index_select", "0-d", lambda x, k: i.index_select(x, 0, k), (away(), exactly([0])),
                 lambda x, k: x, lambda t, x, k: select(t, x, k, 0))  # fmt: skip
    for label, draw in (("rows", ints(4, 2, 3)), ("repeated", exactly([1, 1, 1])), ("0-d", ints(4)),
                        ("empty", exactly(np.zeros((0, 2), np.int64)))):  # fmt: skip
        yield Sample("embedding", label, i.embedding, (away(4, 3), draw), lambda w, k: w[k],
                     lambda t, w, k: t.nn.functional.embedding(k, w))  # fmt: skip
    for label, draw, n in (("plain", ints(4, 2, 3), 5), ("as needed", exactly([0, 2, 1]), -1), ("0-d", exactly(1), 3)):
        yield Sample("one_hot", label, lambda k, n=n: i.one_hot(k, n), (draw,), None,
                     lambda t, k, n=n: t.nn.functional.one_hot(k, n), smooth=False)  # fmt: skip


def _added(g: np.ndarray, shape: tuple[int, ...], place: tuple[Any, ...]) -> np.ndarray:
    """Return zeros with g added at `place`, element by element."""
    y = np.zeros(shape)
    where = np.arange(y.size).reshape(shape)[place]
    for k, value in zip(where.ravel(), np.ravel(g), strict=True):
        y.flat[k] += value
    return y


def _written(x: np.ndarray, value: Any, place: Any) -> np.ndarray:
    y = x.copy()
    y[place] = value
    return y


def putting() -> Iterator[Sample]:
    rng = np.random.default_rng(0)
    for label, (shape, index, arrays) in INDICES.items():
        drawn = [draw(rng) for draw in arrays]
        part = np.zeros(shape)[_full(index, drawn)].shape
        yield Sample(
            "put_among_zeros", label, lambda g, *a, k=index, n=shape: i.put_among_zeros(g, *a, index=k, shape=n),
            (away(*part), *arrays), lambda g, *a, k=index, n=shape: _added(g, n, _full(k, a)),
        )  # fmt: skip
        if not arrays:
            steps = ((i.getitem, {"index": index}),)
            yield Sample("index_set", label, lambda x, v, k=steps: i.index_set(x, v, steps=k),
                         (away(*shape), away(*part)), lambda x, v, k=index: _written(x, v, k))  # fmt: skip
            continue
        flat = np.arange(int(np.prod(shape))).reshape(shape)[_full(index, drawn)].ravel()
        if len(set(flat)) < len(flat):
            continue  # which of several values written to one place stays is not defined, here as in PyTorch
        for kind, value in (("", part), (" from 0-d", ()), (" broadcast", part[1:])):
            oracle = lambda t, x, v, *a, k=index: _written_by_torch(x, v, _full(k, a))
            yield Sample("index_put", label + kind, lambda x, v, *a, k=index: i.index_put(x, v, *a, index=k),
                         (away(*shape), away(*value), *arrays),
                         lambda x, v, *a, k=index: _written(x, v, _full(k, a)), oracle)  # fmt: skip
    steps = ((s.permute, {"dims": (1, 0)}), (i.getitem, {"index": (slice(1, 3),)}), (s.reshape, {"shape": (2, 3, 1)}))
    yield Sample("index_set", "several steps", lambda x, v: i.index_set(x, v, steps=steps), (away(3, 4), away(2, 3, 1)),
                 lambda x, v: _written(x, v[:, :, 0].T, (_ALL, slice(1, 3))))  # fmt: skip
    yield Sample("index_set", "broadcast", lambda x, v: i.index_set(x, v, steps=((i.getitem, {"index": (0,)}),)),
                 (away(3, 4), away()), lambda x, v: _written(x, v, 0))  # fmt: skip


def _written_by_torch(x: Any, value: Any, place: Any) -> Any:
    y = x.clone()
    y[place] = value
    return y


def gathering() -> Iterator[Sample]:
    cases = {
        "dim 0": ((3, 4), 0, ints(3, 2, 4)),
        "dim -1": ((3, 4), -1, ints(4, 3, 5)),
        "smaller": ((3, 4), 1, ints(4, 2, 2)),
        "repeated": ((3, 2), 0, exactly([[1, 1], [1, 1]])),
        "3-d": ((2, 3, 2), 1, ints(3, 2, 4, 2)),
        "empty": ((3, 4), 1, exactly(np.zeros((3, 0), np.int64))),
        "0-d": ((), 0, exactly(0)),
        "1-d": ((4,), 0, ints(4, 6)),
        "0-d index": ((4,), 0, exactly(2)),
        "empty index of more dims": ((4,), 0, exactly(np.zeros((2, 0), np.int64))),
    }
    for label, (shape, dim, index) in cases.items():
        yield Sample("gather", label, lambda x, k, d=dim: i.gather(x, k, dim=d), (away(*shape), index), None,
                     lambda t, x, k, d=dim: t.gather(x, d, k))  # fmt: skip
        if label == "0-d index":
            continue
        at = index(np.random.default_rng(0)).shape
        yield Sample("scatter_along", label, lambda g, k, d=dim, n=shape: i.scatter_along(g, k, shape=n, dim=d),
                     (away(*at), index), None,
                     lambda t, g, k, d=dim, n=shape: t.zeros(n, dtype=g.dtype).scatter_add(d, k, g))  # fmt: skip
        for kind, source in (("", at), (", larger source", tuple(n + 1 for n in at))):
            # PyTorch has no gradient for a source larger than the index.
            yield Sample("scatter_add", label + kind, lambda x, k, v, d=dim: i.scatter_add(x, k, v, dim=d),
                         (away(*shape), index, away(*source)), lambda x, k, v, d=dim: _scattered(x, k, v, d),
                         None if kind else lambda t, x, k, v, d=dim: x.scatter_add(d, k, v))  # fmt: skip


def _scattered(x: np.ndarray, index: np.ndarray, source: np.ndarray, dim: int) -> np.ndarray:
    """Return x with the source added along dim, element by element."""
    y = np.array(x)
    for place in np.ndindex(index.shape):
        target = list(place)
        if target:
            target[dim] = index[place]
        y[tuple(target)] += source[place]
    return y


def padding() -> Iterator[Sample]:
    functional = lambda t, x, *a: t.nn.functional.pad(x, *a)
    for shape, amounts, mode, value in (
        ((2, 3), (1, 2), "constant", 0.0), ((2, 3), (1, 0, 0, 2), "constant", 1.5), ((3, 4), (-1, 2), "constant", 0.5),
        ((3, 4), (-1, -1, -2, 0), "constant", 0.0), ((2, 3), (0, 0), "constant", 0.0), ((2, 3), (), "constant", 0.0),
        ((0, 2), (0, 0, 1, 1), "constant", 2.0), ((2, 1, 4), (2, 1), "reflect", 0.0),
        ((1, 1, 3, 4), (2, 1, 1, 2), "reflect", 0.0),
        ((2, 1, 4), (5, 1), "replicate", 0.0), ((2, 1, 4), (2, 3), "circular", 0.0), ((3,), (1, 1), "constant", -1.0),
        ((1, 3, 4), (-1, 1), "replicate", 0.0), ((1, 1, 4, 4), (-1, 1, -2, 1), "circular", 0.0),
    ):  # fmt: skip
        yield Sample(
            "pad",
            f"{shape} {amounts} {mode} {value}",
            lambda x, *, a=amounts, m=mode, v=value: p.pad(x, a, m, v),
            (away(*shape),),
            None,
            lambda t, x, a=amounts, m=mode, v=value: functional(t, x, a, m, *([v] if m == "constant" else [])),
        )
    yield Sample("pad", "bool source", lambda x: p.pad(x, (1, 1)), (bools(3),), lambda x: np.pad(x, 1), smooth=False)

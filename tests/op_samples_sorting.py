"""Samples of the ops that order and count."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from op_samples_base import Sample, away, bools, distinct, exactly, ints, positive

from minigrad.ops import sorting as s

ALONG = {
    "dim 0": ((4, 3), 0),
    "dim -1": ((3, 5), -1),
    "middle": ((2, 3, 2), 1),
    "0-d": ((), 0),
    "empty beside": ((0, 3), 1),
    "size 1": ((2, 1), 1),
}


def samples() -> Iterator[Sample]:
    yield from orders()
    yield from picks()
    yield from running()
    yield from sums()
    yield from counts()


def orders() -> Iterator[Sample]:
    for label, (shape, dim) in ALONG.items():
        for down in (False, True):
            yield Sample(
                "sort",
                f"{label} {down}",
                lambda x, d=dim, r=down: s.sorted_along(x, dim=d, descending=r),
                (distinct(*shape),),
                None,
                lambda t, x, d=dim, r=down: tuple(t.sort(x, d, r)),
            )
            yield Sample(
                "argsort",
                f"{label} {down}",
                lambda x, d=dim, r=down: s.argsort(x, d, r),
                (distinct(*shape),),
                None,
                lambda t, x, d=dim, r=down: t.argsort(x, d, r),
                smooth=False,
            )
        for largest in (True, False):
            k = 1 if shape in ((), (2, 1)) else 2
            yield Sample(
                "topk",
                f"{label} {largest}",
                lambda x, d=dim, n=k, r=largest: s.top(x, k=n, dim=d, largest=r),
                (distinct(*shape),),
                None,
                lambda t, x, d=dim, n=k, r=largest: tuple(t.topk(x, n, d, r)),
                special=(),
            )
    for down in (False, True):
        yield Sample(
            "sort",
            f"equals {down}",
            lambda x, r=down: s.sorted_along(x, dim=0, descending=r),
            (exactly([2.0, 1.0, 2.0, 1.0, 2.0]),),
            None,
            lambda t, x, r=down: tuple(t.sort(x, dim=0, descending=r, stable=True)),
            kink=True,
            special=(),
        )
    yield Sample("msort", "plain", s.msort, (distinct(4, 2),), lambda x: np.sort(x, 0), lambda t, x: t.msort(x))


def picks() -> Iterator[Sample]:
    for label, (shape, dim) in ALONG.items():
        for keep in (False, True):
            how = {"dim": dim, "keepdim": keep}
            yield Sample(
                "median",
                f"{label} {keep}",
                lambda x, h=how: s.median_along(x, **h),
                (distinct(*shape),),
                None,
                lambda t, x, h=how: tuple(t.median(x, **h)),
                special=("inf",),
            )
            yield Sample(
                "kthvalue",
                f"{label} {keep}",
                lambda x, h=how: s.kth(x, k=1, **h),
                (distinct(*shape),),
                None,
                lambda t, x, h=how: tuple(t.kthvalue(x, 1, **h)),
                special=(),
            )
            yield Sample(
                "mode",
                f"{label} {keep}",
                lambda x, h=how: s.most_frequent(x, **h),
                (distinct(*shape),),
                None,
                lambda t, x, h=how: tuple(t.mode(x, **h)),
                special=(),
            )
    yield Sample(
        "kthvalue",
        "third",
        lambda x: s.kth(x, k=3, dim=1),
        (distinct(2, 5),),
        None,
        lambda t, x: tuple(t.kthvalue(x, 3, 1)),
        special=(),
    )
    yield Sample(
        "mode",
        "repeated",
        lambda x: s.most_frequent(x, dim=1),
        (exactly([[1.0, 2.0, 2.0, 1.0], [3.0, 3.0, 1.0, 2.0]]),),
        None,
        lambda t, x: tuple(t.mode(x, 1)),
        kink=True,
        special=(),
    )
    for skip in (False, True):
        name = "nanmedian" if skip else "median"
        yield Sample(
            "median",
            name,
            lambda x, k=skip: s.median_along(x, dim=1, skip_nan=k),
            (exactly([[3.0, np.nan, 1.0, 2.0], [4.0, 2.0, 3.0, 1.0]]),),
            None,
            lambda t, x, n=name: tuple(getattr(t, n)(x, 1)),
            kink=True,
            special=(),
        )
    for label, q in (("number", 0.3), ("several", [0.0, 0.25, 1.0])):
        for dim, keep in ((None, False), (None, True), (0, False), (-1, True)):
            yield Sample(
                "quantile",
                f"{label} {dim} {keep}",
                lambda x, q=q, d=dim, k=keep: s.quantile(x, q, d, k),
                (distinct(4, 3),),
                lambda x, q=q, d=dim, k=keep: np.quantile(x, q, d, keepdims=k),
                lambda t, x, q=q, d=dim, k=keep: t.quantile(
                    x, q if isinstance(q, float) else t.tensor(q, dtype=x.dtype), d, k
                ),
                special=(),
            )
    for kind in ("lower", "higher", "midpoint", "nearest"):
        yield Sample(
            "quantile",
            kind,
            lambda x, k=kind: s.quantile(x, 0.4, 0, interpolation=k),
            (distinct(4, 3),),
            None,
            lambda t, x, k=kind: t.quantile(x, 0.4, 0, interpolation=k),
            special=(),
        )
    yield Sample(
        "quantile", "0-d", lambda x: s.quantile(x, 0.4), (away(),), None, lambda t, x: t.quantile(x, 0.4), special=()
    )
    for name in ("quantile", "nanquantile"):
        call = lambda x, q, n=name: getattr(s, n)(x, q, 1)
        oracle = lambda t, x, q, n=name: getattr(t, n)(x, q, 1)
        yield Sample(name, "slope of q", call, (distinct(2, 5), exactly([0.3, 0.7])), None, oracle, special=())
    holes = exactly([[3.0, np.nan, 1.0, 2.0], [4.0, 2.0, 3.0, 1.0], [np.nan, 0.5, np.nan, np.nan]])
    for dim, keep in ((None, False), (0, False), (-1, True)):
        call = lambda x, d=dim, k=keep: s.nanquantile(x, 0.4, d, k)
        oracle = lambda t, x, d=dim, k=keep: t.nanquantile(x, 0.4, d, k)
        yield Sample("nanquantile", f"{dim} {keep}", call, (holes,), None, oracle, kink=True, special=())


def running() -> Iterator[Sample]:
    for label, (shape, dim) in ALONG.items():
        for name, call in (("cummax", s.running_max), ("cummin", s.running_min)):
            yield Sample(
                name,
                label,
                lambda x, d=dim, f=call: f(x, dim=d),
                (distinct(*shape),),
                None,
                # PyTorch's own gradient of an empty one is no array.
                None if 0 in shape else lambda t, x, d=dim, n=name: tuple(getattr(t, n)(x, d)),
            )
        yield Sample(
            "cumprod",
            label,
            lambda x, d=dim: s.cumprod(x, d),
            (away(*shape),),
            lambda x, d=dim: np.cumprod(x, d).reshape(x.shape),
            lambda t, x, d=dim: x.cumprod(d),
            special=(),
        )
        yield Sample(
            "logcumsumexp",
            label,
            lambda x, d=dim: s.log_running_sum(x, dim=d),
            (away(*shape),),
            lambda x, d=dim: np.log(np.cumsum(np.exp(x), d)).reshape(x.shape),
            lambda t, x, d=dim: x.logcumsumexp(d),
            special=(),
        )
    yield Sample(
        "logcumsumexp",
        "far apart",
        lambda x: s.log_running_sum(x, dim=0),
        (exactly([-900.0, 800.0, -30.0, 805.0, 1000.0]),),
        None,
        lambda t, x: x.logcumsumexp(0),
        special=(),
        kink=True,
    )
    yield Sample(
        "cummax",
        "ties",
        lambda x: s.running_max(x, dim=0),
        (exactly([1.0, 1.0, 0.0, 1.0, 2.0]),),
        None,
        lambda t, x: tuple(t.cummax(x, 0)),
        kink=True,
    )
    yield Sample(
        "cumprod",
        "zeros",
        lambda x: s.cumprod(x, 0),
        (exactly([2.0, 0.0, 3.0, 0.0, 1.5]),),
        lambda x: np.cumprod(x),
        lambda t, x: x.cumprod(0),
        special=(),
    )
    yield Sample(
        "cumprod",
        "whole numbers",
        lambda x: s.cumprod(x, 0),
        (ints(4, 5),),
        lambda x: np.cumprod(x),
        lambda t, x: x.cumprod(0),
        smooth=False,
    )


def sums() -> Iterator[Sample]:
    for label, (shape, dim, keep) in {
        "all": ((3, 4), None, False),
        "dim": ((3, 4), 0, False),
        "kept": ((3, 4), (-1, 0), True),
        "0-d": ((), None, False),
    }.items():
        how = {"dim": dim, "keepdim": keep}
        for name in ("nansum", "nanmean"):
            yield Sample(
                name,
                label,
                lambda x, h=how, n=name: getattr(s, n)(x, **h),
                (away(*shape),),
                None,
                lambda t, x, h=how, n=name: getattr(t, n)(x, **h),
                special=() if shape == () else ("nan", "inf"),
            )
        yield Sample(
            "count_nonzero",
            label,
            lambda x, d=dim: s.count_nonzero(x, d),
            (bools(*shape),),
            lambda x, d=dim: np.count_nonzero(x, d),
            lambda t, x, d=dim: t.count_nonzero(x, d),
            smooth=False,
        )
        if shape:
            yield Sample(
                "var_mean",
                label,
                lambda x, h=how: s.var_mean(x, **h),
                (away(*shape),),
                None,
                lambda t, x, h=how: tuple(t.var_mean(x, **h)),
                special=(),
            )
    for label, how in (("all", {}), ("dim", {"dim": 0}), ("kept", {"dim": -1, "keepdim": True})):
        yield Sample(
            "aminmax",
            label,
            lambda x, h=how: s.aminmax(x, **h),
            (distinct(3, 4),),
            None,
            lambda t, x, h=how: tuple(t.aminmax(x, **h)),
            special=(),
        )


def counts() -> Iterator[Sample]:
    for right in (False, True):
        edges = exactly([0.0, 0.5, 1.0])
        yield Sample(
            "searchsorted",
            f"{right}",
            lambda e, x, r=right: s.searchsorted_(e, x, right=r),
            (edges, exactly([[0.0, 0.7], [2.0, -1.0]])),
            None,
            lambda t, e, x, r=right: t.searchsorted(e, x, right=r),
            smooth=False,
            special=(),
        )
        yield Sample(
            "bucketize",
            f"{right}",
            lambda x, e, r=right: s.bucketize(x, e, right=r),
            (exactly([[0.0, 0.7], [2.0, -1.0]]), edges),
            None,
            lambda t, x, e, r=right: t.bucketize(x, e, right=r),
            smooth=False,
            special=(),
        )
    yield Sample(
        "searchsorted",
        "rows",
        lambda e, x: s.searchsorted_(e, x),
        (exactly([[0.0, 1.0], [2.0, 3.0]]), away(2, 3)),
        None,
        lambda t, e, x: t.searchsorted(e, x),
        smooth=False,
        special=(),
    )
    yield Sample(
        "bincount",
        "plain",
        lambda x: s.bincount_(x),
        (ints(5, 8),),
        np.bincount,
        lambda t, x: t.bincount(x),
        smooth=False,
    )
    yield Sample(
        "bincount",
        "weights",
        lambda x, w: s.bincount_(x, w, minlength=7),
        (ints(5, 8), positive(8)),
        None,
        lambda t, x, w: t.bincount(x, w, 7).to(w.dtype),
        smooth=False,
        special=(),
        keeps_dtype=False,
    )
    for name, call in (("unique", s.unique_), ("unique_consecutive", s.runs)):
        oracle = lambda t, x, d=None, n=name: tuple(getattr(t, n)(x, return_inverse=True, return_counts=True, dim=d))
        for dim in (None, 0, 1):
            yield Sample(
                name,
                f"{dim}",
                lambda x, f=call, d=dim: f(x, dim=d),
                (ints(2, 5, 2),),
                None,
                lambda t, x, o=oracle, d=dim: o(t, x, d),
                smooth=False,
            )
        yield Sample(
            name,
            "floats",
            lambda x, f=call: f(x),
            (exactly([2.0, 2.0, 1.0, 2.0]),),
            None,
            oracle,
            smooth=False,
            special=(),
        )
        yield Sample(
            name, "empty", lambda x, f=call: f(x), (exactly(np.zeros(0, np.int64)),), None, oracle, smooth=False
        )
    for label, shape in (("plain", (3, 4)), ("0-d", ()), ("1-d", (4,)), ("empty", (0, 2))):
        yield Sample("nonzero", label, s.nonzero, (bools(*shape),), None, lambda t, x: t.nonzero(x), smooth=False)
    yield Sample(
        "histc",
        "range",
        lambda x: s.histc(x, 4, -1, 1.5),
        (away(20),),
        None,
        lambda t, x: t.histc(x, 4, -1, 1.5),
        smooth=False,
        special=(),
    )
    yield Sample(
        "histc",
        "of the values",
        lambda x: s.histc(x, 5),
        (distinct(20),),
        None,
        lambda t, x: t.histc(x, 5),
        smooth=False,
        special=(),
    )
    yield Sample(
        "histogram",
        "plain",
        lambda x: s.histogram_(x, bins=4, low=-1.0, high=1.5),
        (away(20),),
        None,
        lambda t, x: tuple(t.histogram(x, 4, range=(-1.0, 1.5))),
        smooth=False,
        special=(),
        keeps_dtype=False,
    )

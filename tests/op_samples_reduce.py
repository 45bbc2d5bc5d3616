"""Samples of reductions, softmax, running sums and matrix products."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from op_samples_base import Draw, Sample, away, distinct, exactly

from minigrad.ops import linalg, reduce

# label: shape, dim, keepdim
OVER: dict[str, tuple[tuple[int, ...], Any, bool]] = {
    "all": ((3, 4), None, False),
    "all kept": ((3, 4), None, True),
    "0-d": ((), None, False),
    "dim 0": ((3, 4), 0, False),
    "dim -1": ((3, 4), -1, False),
    "dim -1 kept": ((3, 4), -1, True),
    "two dims": ((2, 3, 4), (0, 2), False),
    "two dims kept": ((2, 3, 4), (-1, 0), True),
    "size 1": ((2, 1), 1, False),
}
EMPTY: dict[str, tuple[tuple[int, ...], Any, bool]] = {
    "empty": ((0,), None, False),
    "empty dim": ((2, 0), 1, False),
    "empty beside": ((0, 3), -1, True),
}


def samples() -> Iterator[Sample]:
    yield from sums()
    yield from extremes()
    yield from spreads()
    yield from exponentials()
    yield from products()


def over(
    op: str, call: Callable[..., Any], truth: Any, oracle: Any, cases: dict[str, Any], draw: Callable[..., Draw] = away,
    **flags: Any,
) -> Iterator[Sample]:  # fmt: skip
    """Samples of a reduction: call(x, dim, keepdim), truth with NumPy's names, oracle(torch, x, dim, keepdim)."""
    for label, (shape, dim, keepdim) in cases.items():
        yield Sample(
            op, label, lambda x, d=dim, k=keepdim: call(x, d, k), (draw(*shape),),
            truth and (lambda x, d=dim, k=keepdim: truth(x, axis=d, keepdims=k)),
            oracle and (lambda t, x, d=dim, k=keepdim: oracle(t, x, d, k)), **flags,
        )  # fmt: skip


def _settings(function: Callable[..., Any], **attrs: Any) -> Callable[..., Any]:
    return lambda x, dim, keepdim: function(x, dim=dim, keepdim=keepdim, **attrs)


def _ints(cases: dict[str, Any]) -> dict[str, Any]:
    """Return the cases over a single dim."""
    return {label: case for label, case in cases.items() if isinstance(case[1], int)}


def sums() -> Iterator[Sample]:
    yield from over("sum", _settings(reduce.sum), np.sum, lambda t, x, d, k: t.sum(x, d, k), OVER | EMPTY)
    beside = {"empty beside": EMPTY["empty beside"]}
    yield from over("mean", _settings(reduce.mean), np.mean, lambda t, x, d, k: t.mean(x, d, k), OVER | beside)
    yield Sample(
        "mean", "of nothing", lambda x: reduce.mean(x, dim=1), (away(2, 0),), None, lambda t, x: x.mean(1), kink=True
    )
    yield Sample("sum", "integers", lambda x: reduce.sum(x, dim=0), (exactly(np.ones((3, 2), np.int32)),),
                 lambda x: np.sum(x, 0), lambda t, x: x.sum(0), smooth=False)  # fmt: skip
    for shape, dim in (((3, 4), 0), ((3, 4), -1), ((2, 3, 2), 1), ((), 0), ((0, 2), 0), ((1,), 0)):
        yield Sample("cumsum", f"{shape} {dim}", lambda x, d=dim: reduce.cumsum(x, dim=d), (away(*shape),),
                     lambda x, d=dim: np.cumsum(x, d).reshape(x.shape), lambda t, x, d=dim: x.cumsum(d))  # fmt: skip
    single = _ints(OVER | EMPTY) | {"all": OVER["all"], "0-d": OVER["0-d"], "five": ((5,), 0, False)}
    yield from over("prod", reduce.prod, np.prod, lambda t, x, d, k: x.prod() if d is None else x.prod(d, k), single,
                    special=())  # fmt: skip
    for label, x in (("one zero", [[2.0, 0.0, 3.0]]), ("two zeros", [[2.0, 0.0, 0.0]]), ("lone zero", [[0.0]])):
        yield Sample("prod", label, lambda x: reduce.prod(x, 1), (exactly(x),), lambda x: np.prod(x, 1),
                     lambda t, x: x.prod(1), special=())  # fmt: skip
    yield Sample("prod", "of nothing", reduce.prod, (away(0),), np.prod, lambda t, x: x.prod())


def extremes() -> Iterator[Sample]:
    beside = {"empty beside": EMPTY["empty beside"]}
    for name in ("amax", "amin"):
        truth = getattr(np, name)
        oracle = lambda t, x, d, k, name=name: getattr(t, name)(x, () if d is None else d, k)
        # Where there are nans the gradient goes to them, as in PyTorch's max(); its amax makes all of it nan.
        yield from over(name, _settings(getattr(reduce, name)), truth, oracle, OVER | beside, distinct, special=())
        yield Sample(name, "all, as max()", lambda x, n=name: getattr(reduce, n)(x), (distinct(3, 4),), truth,
                     lambda t, x, n=name[1:]: getattr(x, n)())  # fmt: skip
        for dim in (None, -1, (0, 1)):
            tied = (exactly([[1.0, 1.0, 1.0], [1.0, 2.0, 2.0]]),)
            yield Sample(name, f"ties over {dim}", lambda x, n=name, d=dim: getattr(reduce, n)(x, dim=d), tied, None,
                         lambda t, x, o=oracle, d=dim: o(t, x, d, False), kink=True, special=())  # fmt: skip
    for name in ("max", "min"):
        call = getattr(reduce, f"{name}_along")
        truth = lambda x, axis, keepdims, n=name: (
            getattr(np, n)(x, axis=axis, keepdims=keepdims),
            getattr(np, f"arg{n}")(x, axis=axis, keepdims=keepdims),
        )
        oracle = lambda t, x, d, k, n=name: tuple(getattr(t, n)(x, d, k))
        yield from over(name, _settings(call), truth, oracle, _ints(OVER | beside), distinct)
        yield Sample(
            name, "0-d", lambda x, f=call: f(x, dim=0), (away(),), None, lambda t, x, o=oracle: o(t, x, 0, False)
        )
        yield Sample(name, "ties", lambda x, f=call: f(x, dim=1), (exactly([[1.0, 1.0, 1.0], [1.0, 2.0, 2.0]]),), None,
                     lambda t, x, o=oracle: o(t, x, 1, False), kink=True)  # fmt: skip
        whole = {label: OVER[label] for label in ("all", "0-d")} | _ints(OVER | beside)
        index = lambda t, x, d, k, n=name: getattr(t, f"arg{n}")(x, d, k)
        yield from over(f"arg{name}", _settings(getattr(reduce, f"arg{name}")), getattr(np, f"arg{name}"), index, whole,
                        distinct, smooth=False)  # fmt: skip


def spreads() -> Iterator[Sample]:
    enough = {label: OVER[label] for label in OVER if label not in ("0-d", "size 1")}
    for correction in (0, 1, 2):
        for name in ("var", "std"):
            yield from (
                _relabelled(sample, f"correction {correction}")
                for sample in over(
                    name,
                    _settings(getattr(reduce, name), correction=correction),
                    lambda x, axis, keepdims, c=correction, n=name: getattr(np, n)(
                        x, axis=axis, keepdims=keepdims, ddof=c
                    ),
                    lambda t, x, d, k, c=correction, n=name: getattr(t, n)(x, d, correction=c, keepdim=k),
                    enough if correction == 1 else {"dim -1": OVER["dim -1"]},
                )
            )
    for p in (2.0, 1.0, 3.0, 0.5, math.inf, -math.inf, 0.0, 2, "fro", 1.7):
        cases = OVER if p in (2.0, 3.0) else {label: OVER[label] for label in ("all", "dim -1 kept", "0-d")}
        number = 2.0 if p == "fro" else float(p)
        yield from (
            _relabelled(sample, f"p {p!r}")
            for sample in over(
                "norm", lambda x, d, k, p=p: reduce.norm(x, p, d, k), None,
                lambda t, x, d, k, p=number: t.linalg.vector_norm(x, p, d, k), cases, distinct, smooth=p != 0.0,
            )
        )  # fmt: skip
    yield from (
        Sample("norm", f"empty {label}", lambda x, d=dim, k=kept: reduce.norm(x, 2.0, d, k), (away(*shape),), None,
               lambda t, x, d=dim, k=kept: t.linalg.vector_norm(x, 2.0, d, k))
        for label, (shape, dim, kept) in EMPTY.items()
    )  # fmt: skip

    for p in (2.0, 3.0, 1.0, math.inf):
        yield Sample(
            "norm",
            f"of zeros, p {p}",
            lambda x, p=p: reduce.norm(x, p, 1),
            (exactly(np.zeros((2, 3))),),
            None,
            lambda t, x, p=p: t.linalg.vector_norm(x, p, 1),
            kink=True,
        )
    yield Sample("std", "of equals", lambda x: reduce.std(x, dim=1), (exactly([[2.0, 2.0, 2.0]]),), None,
                 lambda t, x: x.std(1), kink=True)  # fmt: skip


def _relabelled(sample: Sample, more: str) -> Sample:
    return replace(sample, label=f"{sample.label}, {more}")


def exponentials() -> Iterator[Sample]:
    def logsumexp(x: np.ndarray, axis: Any, keepdims: bool) -> np.ndarray:
        return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))

    beside = {"empty beside": EMPTY["empty beside"]}
    yield Sample("logsumexp", "of nothing", lambda x: reduce.logsumexp(x, dim=1), (away(2, 0),), None,
                 lambda t, x: x.logsumexp(1), kink=True)  # fmt: skip
    every = lambda d, x: tuple(range(x.ndim)) if d is None else d
    yield from over("logsumexp", _settings(reduce.logsumexp), logsumexp,
                    lambda t, x, d, k: t.logsumexp(x, every(d, x), k), OVER | beside)  # fmt: skip
    for name, truth in {
        "softmax": lambda x, d: np.exp(x) / np.exp(x).sum(d, keepdims=True),
        "log_softmax": lambda x, d: x - np.log(np.exp(x).sum(d, keepdims=True)),
    }.items():
        for shape, dim in (((3, 4), 0), ((3, 4), -1), ((2, 3, 2), 1), ((2, 1), 1), ((2, 0), 1), ((0, 2), 1), ((), 0)):
            yield Sample(name, f"{shape} {dim}", lambda x, n=name, d=dim: getattr(reduce, n)(x, dim=d), (away(*shape),),
                         None if shape == () else lambda x, f=truth, d=dim: f(x, d),
                         lambda t, x, n=name, d=dim: getattr(t, n)(x, d))  # fmt: skip


def products() -> Iterator[Sample]:
    for a, b in (
        ((2, 3), (3, 4)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)),
        ((5, 2, 3), (5, 3, 4)), ((4, 1, 2, 3), (2, 3, 2)), ((2, 5, 2, 3), (3, 2)), ((3,), (2, 3, 4)), ((2, 2, 3), (3,)),
        ((1, 1), (1, 1)), ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((2, 3), (3, 0)), ((0, 2, 3), (3, 2)),
        ((5, 3, 0), (0, 2)), ((5, 3, 0), (0,)),
        ((1, 2, 3), (4, 3, 2)),
    ):  # fmt: skip
        yield Sample(
            "matmul",
            f"{a} {b}",
            linalg.matmul,
            (away(*a), away(*b)),
            np.matmul,
            lambda t, x, y: t.matmul(x, y),
            special=(),
        )
    yield Sample(
        "matmul",
        "repeated",
        lambda x: linalg.matmul(x, x),
        (away(3, 3),),
        lambda x: x @ x,
        lambda t, x: x @ x,
        special=(),
    )
    for shape in ((2, 3), (3,), (2, 2, 3), (0, 3), (2, 1, 2, 3)):
        yield Sample(
            "linear",
            f"{shape}",
            linalg.linear,
            (away(*shape), away(4, 3), away(4)),
            lambda x, w, b: x @ w.T + b,
            lambda t, x, w, b: t.nn.functional.linear(x, w, b),
            special=(),
        )
        yield Sample("linear", f"{shape}, no bias", linalg.linear, (away(*shape), away(4, 3)),
                     lambda x, w: x @ w.T, lambda t, x, w: t.nn.functional.linear(x, w), special=())  # fmt: skip
    yield Sample("linear", "no features", linalg.linear, (away(2, 0), away(4, 0), away(4)), lambda x, w, b: x @ w.T + b,
                 lambda t, x, w, b: t.nn.functional.linear(x, w, b), special=())  # fmt: skip

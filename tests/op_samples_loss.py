"""Samples of the losses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from op_samples_base import Draw, Sample, away, exactly, ints, positive, unary

from minigrad.ops import loss

REDUCTIONS = ("mean", "sum", "none")


def samples() -> Iterator[Sample]:
    yield from unary("log_sigmoid", loss.log_sigmoid, lambda x: -np.log1p(np.exp(-x)),
                     lambda t, x: t.nn.functional.logsigmoid(x))  # fmt: skip
    yield from regressions()
    yield from labels()
    yield from probabilities()


def regressions() -> Iterator[Sample]:
    for name, attrs in (
        ("mse_loss", {}), ("l1_loss", {}), ("smooth_l1_loss", {"beta": 0.7}), ("smooth_l1_loss", {"beta": 0.0}),
        ("huber_loss", {"delta": 1.3}),
    ):  # fmt: skip
        for reduction in REDUCTIONS:
            for shape in ((3, 4), (), (0, 2)):
                if shape == (0, 2) and reduction == "mean":
                    continue  # the mean of nothing is nan
                yield Sample(
                    name, f"{shape} {reduction} {attrs or ''}",
                    lambda x, y, n=name, r=reduction, a=attrs: getattr(loss, n)(x, y, reduction=r, **a),
                    (away(*shape), away(*shape)), None,
                    lambda t, x, y, n=name, r=reduction, a=attrs: getattr(t.nn.functional, n)(x, y, reduction=r, **a),
                    special=(),
                )  # fmt: skip
        yield Sample(
            name,
            f"of equals {attrs or ''}",
            lambda x, y, n=name, a=attrs: getattr(loss, n)(x, y, **a),
            (exactly([1.0, 2.0]), exactly([1.0, 2.0])),
            None,
            lambda t, x, y, n=name, a=attrs: getattr(t.nn.functional, n)(x, y, **a),
            kink=True,
            special=(),
        )


# label: shape of the scores, labels, further settings
LABELS: dict[str, tuple[tuple[int, ...], Draw, dict[str, Any]]] = {
    "plain": ((4, 3), ints(3, 4), {}),
    "image": ((2, 3, 2, 2), ints(3, 2, 2, 2), {}),
    "one sample": ((3,), ints(3), {}),
    "ignored": ((4, 3), exactly([0, -100, 2, 1]), {}),
    "ignore_index": ((4, 3), exactly([0, 1, 2, 1]), {"ignore_index": 1}),
    "one class": ((4, 1), ints(1, 4), {}),
}


def labels() -> Iterator[Sample]:
    for name in ("cross_entropy", "nll_loss"):
        for (label, (shape, draw, attrs)), reduction in ((c, r) for c in LABELS.items() for r in REDUCTIONS):
            settings = attrs | {"reduction": reduction}
            classes = shape[0 if len(shape) == 1 else 1]
            call, oracle = (
                getattr(loss, name),
                lambda t, x, y, w=None, n=name, a=settings: getattr(t.nn.functional, n)(x, y, w, **a),
            )
            yield Sample(
                name,
                f"{label}, {reduction}",
                lambda x, y, f=call, a=settings: f(x, y, **a),
                (away(*shape), draw),
                None,
                oracle,
                special=(),
            )
            yield Sample(name, f"{label}, {reduction}, weight", lambda x, y, w, f=call, a=settings: f(x, y, w, **a),
                         (away(*shape), draw, positive(classes)), None, oracle, constant=(2,), special=())  # fmt: skip
    for shape, at, dim in (((4, 3), (4,), 1), ((3,), (), 0), ((2, 3, 2), (2, 2), 1), ((0, 3), (0,), 1)):
        yield Sample(
            "label_cross_entropy",
            f"{shape}",
            lambda k, x, d=dim: loss.label_cross_entropy(k, x, dim=d),
            (ints(3, *at), away(*shape)),
            None,
            lambda t, k, x, d=dim: (x.logsumexp(d) - x.gather(d, k.unsqueeze(d)).squeeze(d), x.softmax(d)),
            special=(),
        )
        for reduction in ("mean", "sum") if 0 not in shape else ():  # the mean of nothing is nan, which has no gradient
            yield Sample(
                "label_cross_entropy",
                f"{shape}, {reduction}",
                lambda k, x, d=dim, r=reduction: loss.label_cross_entropy(k, x, dim=d, reduction=r),
                (ints(3, *at), away(*shape)),
                None,
                lambda t, k, x, d=dim, r=reduction: (
                    getattr(x.logsumexp(d) - x.gather(d, k.unsqueeze(d)).squeeze(d), r)(),
                    x.softmax(d),
                ),
                special=(),
            )
    smooth = {"label_smoothing": 0.2}
    for weighted in (False, True):
        extra = (positive(3),) if weighted else ()
        yield Sample(
            "cross_entropy",
            f"smoothing, weight {weighted}",
            lambda x, y, *w: loss.cross_entropy(x, y, *w, **smooth),
            (away(4, 3), exactly([0, -100, 2, 1]), *extra),
            None,
            lambda t, x, y, *w: t.nn.functional.cross_entropy(x, y, *w, **smooth),
            constant=(2,),
            special=(),
        )
        yield Sample(
            "cross_entropy",
            f"probabilities, weight {weighted}",
            lambda x, y, *w: loss.cross_entropy(x, y, *w, **smooth),
            (away(4, 3), positive(4, 3), *extra),
            None,
            lambda t, x, y, *w: t.nn.functional.cross_entropy(x, y, *w, **smooth),
            constant=(2,),
            special=(),
        )


def probabilities() -> Iterator[Sample]:
    chance = lambda *shape: lambda rng: np.asarray(rng.uniform(0.1, 0.9, shape))
    functional = lambda t, name: getattr(t.nn.functional, name)
    for shape in ((3, 2), (), (0,)):
        yield Sample(
            "bernoulli_nll",
            f"{shape}",
            loss.bernoulli_nll,
            (chance(*shape), chance(*shape)),
            lambda x, y: -y * np.log(x) - (1 - y) * np.log(1 - x),
            lambda t, x, y: t.nn.functional.binary_cross_entropy(x, y, reduction="none"),
            special=(),
        )
    for name, draw in (("binary_cross_entropy", chance), ("binary_cross_entropy_with_logits", away)):
        call = getattr(loss, name)
        for reduction in REDUCTIONS:
            yield Sample(
                name,
                reduction,
                lambda x, y, f=call, r=reduction: f(x, y, reduction=r),
                (draw(3, 2), chance(3, 2)),
                None,
                lambda t, x, y, n=name, r=reduction: functional(t, n)(x, y, reduction=r),
                special=(),
            )
            yield Sample(name, f"{reduction}, weight", lambda x, y, w, f=call, r=reduction: f(x, y, w, reduction=r),
                         (draw(3, 2), chance(3, 2), positive(2)), None,
                         lambda t, x, y, w, n=name, r=reduction: functional(t, n)(x, y, w, reduction=r), constant=(2,),
                         special=())  # fmt: skip
    yield Sample(
        "binary_cross_entropy",
        "saturated",
        loss.binary_cross_entropy,
        (exactly([0.0, 1.0, 0.0, 1.0]), exactly([0.0, 1.0, 1.0, 0.0])),
        None,
        lambda t, x, y: t.nn.functional.binary_cross_entropy(x, y),
        constant=(1,),
        kink=True,
        special=(),
    )
    yield Sample(
        "binary_cross_entropy_with_logits",
        "pos_weight",
        lambda x, y, p: loss.binary_cross_entropy_with_logits(x, y, None, p),
        (away(3, 2), chance(3, 2), positive(2)),
        None,
        lambda t, x, y, p: t.nn.functional.binary_cross_entropy_with_logits(x, y, pos_weight=p),
        constant=(2,),
        special=(),
    )

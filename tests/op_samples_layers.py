"""Samples of convolution, pooling and normalisation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from op_samples_base import Sample, away, distinct, exactly, positive

from minigrad.kernels.pool import Window
from minigrad.ops import conv, norm, pool

# label: shapes of image and weight; stride, padding, dilation, groups
CONVOLUTIONS: dict[str, tuple[tuple[int, ...], tuple[int, ...], tuple[Any, ...]]] = {
    "plain": ((2, 3, 5, 6), (4, 3, 3, 3), (1, 0, 1, 1)),
    "padding": ((2, 2, 4, 4), (3, 2, 3, 3), (1, 1, 1, 1)),
    "stride": ((2, 2, 6, 7), (3, 2, 3, 2), (2, 1, 1, 1)),
    "pairs": ((1, 2, 6, 7), (2, 2, 2, 3), ((2, 1), (0, 2), (1, 2), 1)),
    "dilation": ((1, 2, 7, 7), (2, 2, 3, 3), (1, 2, 2, 1)),
    "groups": ((2, 4, 4, 4), (6, 2, 3, 3), (1, 1, 1, 2)),
    "depthwise": ((2, 3, 5, 5), (3, 1, 3, 3), (2, 1, 1, 3)),
    "depthwise, twice": ((1, 2, 4, 4), (4, 1, 2, 2), (1, 0, 1, 2)),
    "1 by 1": ((2, 3, 4, 4), (5, 3, 1, 1), (1, 0, 1, 1)),
    "1 by 1, stride": ((2, 3, 5, 4), (2, 3, 1, 1), (2, 0, 1, 1)),
    "whole image": ((2, 2, 3, 3), (4, 2, 3, 3), (1, 0, 1, 1)),
    "no images": ((0, 2, 4, 4), (3, 2, 3, 3), (1, 1, 1, 1)),
    "one of each": ((1, 1, 1, 1), (1, 1, 1, 1), (1, 0, 1, 1)),
    "rows left over": ((1, 1, 6, 8), (1, 1, 3, 3), (3, 0, 1, 1)),
}


def samples() -> Iterator[Sample]:
    yield from convolutions()
    yield from poolings()
    yield from normalisations()


def _pair(value: Any) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def convolutions() -> Iterator[Sample]:
    for label, (x, w, settings) in CONVOLUTIONS.items():
        names = dict(zip(("stride", "padding", "dilation", "groups"), settings, strict=True))
        pairs = {k: v if k == "groups" else _pair(v) for k, v in names.items()}
        functional = lambda t, *a, s=names: t.nn.functional.conv2d(*a, **s)
        yield Sample(
            "conv2d",
            label,
            lambda x, w, b, s=names: conv.conv2d(x, w, b, **s),
            (away(*x), away(*w), away(w[0])),
            None,
            functional,
            special=(),
        )
        yield Sample("conv2d", f"{label}, no bias", lambda x, w, s=names: conv.conv2d(x, w, **s), (away(*x), away(*w)),
                     None, functional, special=())  # fmt: skip
        size = [
            (x[d] + 2 * pairs["padding"][d - 2] - pairs["dilation"][d - 2] * (w[d] - 1) - 1) // pairs["stride"][d - 2]
            + 1
            for d in (2, 3)
        ]
        u = away(x[0], w[0], *size)
        yield Sample(
            "conv2d_input_grad",
            label,
            lambda u, w, n=x[2:], s=pairs: conv.input_grad(u, w, sizes=n, **s),
            (u, away(*w)),
            None,
            (lambda t, u, w, n=x, s=names: t.nn.grad.conv2d_input(n, w, u, **s)) if x[0] else None,
            special=(),
        )
        yield Sample(
            "conv2d_weight_grad",
            label,
            lambda u, x, n=w[2:], s=pairs: conv.weight_grad(u, x, kernel=n, **s),
            (u, away(*x)),
            None,
            (lambda t, u, x, n=w, s=names: t.nn.grad.conv2d_weight(x, n, u, **s)) if x[0] else None,
            special=(),
        )
    yield Sample("conv2d", "one image", conv.conv2d, (away(2, 4, 4), away(3, 2, 2, 2), away(3)), None,
                 lambda t, x, w, b: t.nn.functional.conv2d(x, w, b), special=())  # fmt: skip
    for padding in ("same", "valid"):
        yield Sample(
            "conv2d",
            padding,
            lambda x, w, p=padding: conv.conv2d(x, w, padding=p),
            (away(1, 2, 4, 5), away(3, 2, 2, 3)),
            None,
            lambda t, x, w, p=padding: _same(t, x, w, p),
            special=(),
        )
    yield Sample("conv2d", "repeated", lambda x: conv.conv2d(x, x), (away(2, 2, 3, 3),), None,
                 lambda t, x: t.nn.functional.conv2d(x, x), special=())  # fmt: skip
    for shape in ((2, 3, 2, 2), (2, 3), (0, 2, 3, 3), (1, 1, 1, 1)):
        yield Sample(
            "channel_sum",
            f"{shape}",
            conv.channel_sum,
            (away(*shape),),
            lambda x: x.sum((0, *range(2, x.ndim))),
            lambda t, x: x.transpose(0, 1).flatten(1).sum(1),
        )


def _same(t: Any, x: Any, w: Any, padding: str) -> Any:
    if padding == "same" and w.shape[2] % 2 == 0:  # PyTorch warns that it pads an even kernel by a copy, as we do it
        x, padding = t.nn.functional.pad(x, (1, 1, 0, 1)), "valid"
    return t.nn.functional.conv2d(x, w, padding=padding)


# label: shape; kernel, stride, padding, dilation, ceil_mode
POOLS: dict[str, tuple[tuple[int, ...], tuple[Any, ...]]] = {
    "plain": ((2, 3, 4, 6), (2, None, 0, 1, False)),
    "overlapping": ((2, 2, 5, 5), (3, 1, 0, 1, False)),
    "padding": ((1, 2, 5, 4), (3, 2, 1, 1, False)),
    "pairs": ((1, 2, 6, 5), ((2, 3), (1, 2), (1, 0), 1, False)),
    "ceil": ((1, 2, 5, 6), (2, 2, 0, 1, True)),
    "no stride": ((1, 1, 4, 4), ((2, 2), (), 0, 1, False)),
    "ceil, padding": ((1, 1, 6, 6), (3, 2, 1, 1, True)),
    "dilation": ((1, 2, 6, 6), (2, 2, 0, 2, False)),
    "rows left over": ((1, 1, 5, 7), (2, 2, 0, 1, False)),
    "gaps": ((1, 1, 7, 7), (2, 3, 0, 1, False)),
    "whole image": ((2, 2, 3, 3), (3, None, 0, 1, False)),
    "one image": ((2, 4, 4), (2, None, 0, 1, False)),
    "no images": ((0, 2, 4, 4), (2, None, 0, 1, False)),
}


def poolings() -> Iterator[Sample]:
    for label, (shape, (size, stride, padding, dilation, ceil)) in POOLS.items():
        positions = (size, stride, padding, dilation, ceil)
        largest = lambda t, x, a=positions: t.nn.functional.max_pool2d(x, *a[:3], dilation=a[3], ceil_mode=a[4])
        yield Sample(
            "max_pool2d", label, lambda x, a=positions: pool.max_pool2d(x, *a), (distinct(*shape),), None, largest
        )
        mean_positions = (size, stride, padding, ceil)
        if dilation == 1:
            for more in ({}, {"count_include_pad": False}, {"divisor_override": 3}):
                yield Sample(
                    "avg_pool2d",
                    f"{label} {more or ''}",
                    lambda x, a=mean_positions, m=more: pool.avg_pool2d(x, *a, **m),
                    (away(*shape),),
                    None,
                    lambda t, x, a=mean_positions, m=more: t.nn.functional.avg_pool2d(x, *a, **m),
                    special=("nan",),
                )
        if len(shape) == 3:
            continue
        window = Window(_pair(size), _pair(stride or size), _pair(padding), _pair(dilation), ceil)
        counts = (*shape[:2], *window.counts((shape[2], shape[3])))
        yield Sample(
            "max_pool2d_scatter",
            label,
            lambda u, x, w=window: pool.max_pool_scatter(u, x, window=w),
            (away(*counts), distinct(*shape)),
            None,
            lambda t, u, x, f=largest: _pulled_back(t, f, x, u),
            constant=(1,),
            special=(),
        )
        yield Sample(
            "max_pool2d_gather",
            label,
            lambda u, x, w=window: pool.max_pool_gather(u, x, window=w),
            (away(*shape), distinct(*shape)),
            None,
            lambda t, u, x, a=positions: _picked(t, u, x, a),
            constant=(1,),
            special=(),
        )
        if dilation == 1:
            mean = lambda t, x, a=mean_positions: t.nn.functional.avg_pool2d(x, *a)
            yield Sample(
                "avg_pool2d_spread", label,
                lambda u, w=window, n=shape[2:]: pool.avg_pool_spread(
                    u, sizes=n, window=w, count_include_pad=True, divisor_override=None),
                (away(*counts),), None,
                lambda t, u, f=mean, n=shape: _pulled_back(t, f, t.zeros(n, dtype=u.dtype), u), special=(),
            )  # fmt: skip
    yield Sample("max_pool2d", "ties", lambda x: pool.max_pool2d(x, 2), (exactly(np.ones((1, 1, 4, 4))),), None,
                 lambda t, x: t.nn.functional.max_pool2d(x, 2), kink=True)  # fmt: skip
    yield Sample(
        "max_pool2d",
        "ties, overlapping",
        lambda x: pool.max_pool2d(x, 3, 1, 1),
        (exactly(np.ones((1, 1, 4, 4))),),
        None,
        lambda t, x: t.nn.functional.max_pool2d(x, 3, 1, 1),
        kink=True,
    )


def _pulled_back(t: Any, function: Any, x: Any, u: Any) -> Any:
    """Return the gradient of function(t, x), weighed by u."""
    x = x.detach().requires_grad_()
    return t.autograd.grad(function(t, x), x, u, create_graph=True)[0]


def _picked(t: Any, u: Any, x: Any, a: tuple[Any, ...]) -> Any:
    """Return u at the places of the largest values of x."""
    y, places = t.nn.functional.max_pool2d(x, *a[:3], dilation=a[3], ceil_mode=a[4], return_indices=True)
    return u.flatten(2).gather(2, places.flatten(2)).view(y.shape)


def _normalized(x: np.ndarray, axes: tuple[int, ...], eps: float = 1e-5) -> np.ndarray:
    return (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)


def normalisations() -> Iterator[Sample]:
    functional = lambda t: t.nn.functional
    for shape in ((5, 3), (4, 2, 3), (2, 3, 2, 2), (0, 3, 2, 2)):
        c = (shape[1],)
        if shape[0]:
            yield Sample(
                "batch_norm",
                f"{shape}, training",
                lambda x, w, b: norm.batch_norm(x, None, None, w, b, True),
                (away(*shape), positive(*c), away(*c)),
                None,
                lambda t, x, w, b: functional(t).batch_norm(x, None, None, w, b, True),
                special=(),
            )
            yield Sample(
                "batch_norm",
                f"{shape}, training, plain",
                lambda x: norm.batch_norm(x, None, None, None, None, True),
                (away(*shape),),
                None,
                lambda t, x: functional(t).batch_norm(x, None, None, None, None, True),
                special=(),
            )
        yield Sample(
            "batch_norm",
            f"{shape}, running",
            lambda x, m, v, w, b: norm.batch_norm(x, m, v, w, b),
            (away(*shape), away(*c), positive(*c), positive(*c), away(*c)),
            None,
            lambda t, x, m, v, w, b: (x - _along(m, x)) / (_along(v, x) + 1e-5).sqrt() * _along(w, x) + _along(b, x),
            special=(),
        )
        for label, count in (("", 2), (", plain", 0), (", weight", 1)):
            yield Sample(
                "normalize_by",
                f"{shape}{label}",
                lambda x, m, v, *p: norm.normalize_by(x, m, v, *p, *(None,) * (2 - len(p)), eps=1e-3),
                (away(*shape), away(*c), positive(*c), *(positive(*c), away(*c))[:count]),
                None,
                lambda t, x, m, v, *p: _by_statistics(x, m, v, *p),
                special=(),
            )
    for shape, last in (((3, 4), (4,)), ((2, 3, 4), (3, 4)), ((2, 3, 4), (4,)), ((5,), (5,)), ((0, 3), (3,))):
        yield Sample("layer_norm", f"{shape} {last}", lambda x, w, b, n=last: norm.layer_norm(x, n, w, b),
                     (away(*shape), positive(*last), away(*last)), None,
                     lambda t, x, w, b, n=last: functional(t).layer_norm(x, n, w, b), special=())  # fmt: skip
        yield Sample("layer_norm", f"{shape} {last}, plain", lambda x, n=last: norm.layer_norm(x, n, eps=1e-3),
                     (away(*shape),), lambda x, n=last: _normalized(x, tuple(range(-len(n), 0)), 1e-3) if x.size else x,
                     lambda t, x, n=last: functional(t).layer_norm(x, n, eps=1e-3), special=())  # fmt: skip
    for label, axes, along in (("channels", (0, 2), (1,)), ("last", (2,), (2,)), ("last two", (1, 2), (1, 2))):
        shape, lie = (3, 2, 4), tuple((3, 2, 4)[a] for a in along)
        kept = tuple(1 if a in axes else n for a, n in enumerate(shape))
        settings = {"axes": axes, "along": along, "eps": 1e-5}
        spread = tuple(n if a in along else 1 for a, n in enumerate(shape))
        yield Sample(
            "normalize", label, lambda x, w, b, s=settings: norm.normalize(x, w, b, **s),
            (away(*shape), positive(*lie), away(*lie)),
            lambda x, w, b, a=axes, n=spread: (
                _normalized(x, a) * w.reshape(n) + b.reshape(n), x.mean(a, keepdims=True), x.var(a, keepdims=True)),
        )  # fmt: skip
        yield Sample("normalize_grad", label, lambda u, x, w, m, v, s=settings: norm.normalize_grad(u, x, w, m, v, **s),
                     (away(*shape), away(*shape), positive(*lie), away(*kept), positive(*kept)))  # fmt: skip


def _by_statistics(x: Any, m: Any, v: Any, w: Any = None, b: Any = None) -> Any:
    y = (x - _along(m, x)) / (_along(v, x) + 1e-3).sqrt()
    y = y if w is None else y * _along(w, x)
    return y if b is None else y + _along(b, x)


def _along(values: Any, x: Any) -> Any:
    return values.view(-1, *(1,) * (x.ndim - 2))

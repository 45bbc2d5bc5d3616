"""Each kernel against the plain definition, written in NumPy without a trick, on shapes and memory that are awkward.

Values are compared in float64. Gradients are held to the exact derivative of the definition along a random direction,
found by a complex step: f(x + ih d) has h f'(x) d as its imaginary part, without cancellation (Squire and Trapp, 1998).
So the definitions take complex numbers. Blocks are made small, and work worth a thread little, in runs of their own.
"""

from __future__ import annotations

import functools
import math
import threading
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pytest
from kernel_definitions import (
    attention,
    avg_pool,
    batch_norm,
    by_channel,
    conv,
    cross_entropy,
    erf,
    group_norm,
    gru_cell,
    labels_for,
    larger,
    log_softmax,
    logistic,
    lstm_cell,
    max_pool,
    normalised,
    real,
    recurrent,
    rnn_cell,
    softmax,
    softplus,
)

import minigrad as mg
from minigrad import kernels, nn

F = nn.functional
STEP = 1e-30


class Case(NamedTuple):
    """What to run, its definition, and the shapes of its inputs; the first of them is the one in awkward memory."""

    label: str
    ours: Any
    plain: Any
    shapes: tuple[tuple[int, ...], ...]

    def __str__(self) -> str:
        return f"{self.label}-{'-'.join('x'.join(map(str, shape)) for shape in self.shapes)}"


CASES: list[Case] = []


def case(label, ours, plain, *shapes):
    """Enter a case for each of `shapes`, which are those of the first input or of all."""
    for each in shapes:
        CASES.append(Case(label, ours, plain, each if isinstance(each[0], tuple) else (each,)))


# --- the table ---

# Images, channels, filters, groups.
CHANNELS = (
    (0, 3, 4, 1), (1, 1, 1, 1), (1, 3, 5, 1), (5, 1, 9, 1), (5, 8, 3, 1), (3, 6, 4, 2), (3, 5, 10, 5),
)  # fmt: skip
SPREAD = {
    "1x1": ({}, (1, 1)),
    "3x3": ({"padding": (1, 1)}, (3, 3)),
    "3x2 strided": ({"stride": (2, 3), "padding": (0, 2)}, (3, 2)),
    "2x3 dilated": ({"dilation": (2, 1), "padding": (2, 1)}, (2, 3)),
    "as large as the image": ({}, (7, 6)),
    "1x1 strided": ({"stride": (2, 2)}, (1, 1)),
}
for name, (options, kernel) in SPREAD.items():
    for n, inputs, filters, groups in CHANNELS:
        case(
            f"conv2d {name} groups={groups}",
            functools.partial(F.conv2d, **options, groups=groups),
            functools.partial(conv, **options, groups=groups),
            ((n, inputs, 7, 6), (filters, inputs // groups, *kernel), (filters,)),
        )
case(
    "conv1d",
    lambda x, w, b: F.conv1d(x, w, b, stride=2, padding=1),
    lambda x, w, b: conv(x[:, :, None], w[:, :, None], b, (1, 2), (0, 1))[:, :, 0],
    ((0, 2, 9), (3, 2, 3), (3,)), ((1, 1, 9), (1, 1, 3), (1,)), ((5, 4, 1), (3, 4, 3), (3,)),
)  # fmt: skip
WINDOWS = (
    ((2, 2), (2, 2), (0, 0)), ((3, 2), (1, 2), (1, 0)), ((1, 1), (1, 1), (0, 0)), ((2, 2), (3, 3), (1, 1)),
)  # fmt: skip
IMAGES = ((0, 3, 7, 6), (1, 1, 7, 6), (3, 1, 6, 6), (1, 5, 6, 4), (7, 3, 7, 9), (2, 3, 2, 2))
for kernel, stride, padding in WINDOWS:
    images = [s for s in IMAGES if all(size + 2 * p >= k for size, p, k in zip(s[2:], padding, kernel, strict=True))]
    for ours, plain in ((F.max_pool2d, max_pool), (F.avg_pool2d, avg_pool)):
        case(
            f"{ours.__name__} {kernel} {stride} {padding}",
            functools.partial(ours, kernel_size=kernel, stride=stride, padding=padding),
            functools.partial(plain, kernel=kernel, stride=stride, padding=padding),
            *images,
        )
case(
    "batch_norm",
    lambda x, w, b: F.batch_norm(x, None, None, w, b, training=True),
    batch_norm,
    *((s, (s[1],), (s[1],)) for s in ((2, 1), (9, 5), (1, 3, 7), (5, 1, 3, 3), (3, 7, 5, 2), (2, 3, 1, 1))),
)
case(
    "batch_norm eval",
    lambda x, w, b: F.batch_norm(x, mg.full_like(w, 0.25), mg.full_like(w, 2.0), w, b),
    lambda x, w, b: (x - 0.25) / np.sqrt(2.0 + 1e-5) * by_channel(w, x.ndim) + by_channel(b, x.ndim),
    *((s, (s[1],), (s[1],)) for s in ((0, 3), (1, 1), (9, 5), (0, 3, 4, 4), (3, 7, 5, 2))),
)
case(
    "layer_norm",
    lambda x, w, b: F.layer_norm(x, w.shape, w, b),
    lambda x, w, b: normalised(x, tuple(range(x.ndim - w.ndim, x.ndim))) * w + b,
    *(
        (s, s[k:], s[k:])
        for s, k in (((0, 5), 1), ((1, 5), 1), ((7, 1), 1), ((3, 4, 5), 1), ((2, 3, 257), 2), ((5,), 0))
    ),
)
case(
    "group_norm",
    lambda x, w, b: F.group_norm(x, 3, w, b),
    functools.partial(group_norm, groups=3),
    *((s, (s[1],), (s[1],)) for s in ((1, 3), (1, 6, 5), (4, 9, 3, 2))),
)
ROWS = ((0, 3), (1, 1), (1, 7), (5, 1), (33, 10), (3, 300), (2, 5, 7), (3, 4, 5, 2))
for axis in (-1, 0, 1):
    shapes = [s for s in ROWS if s[axis]]
    for ours, plain in ((F.softmax, softmax), (F.log_softmax, log_softmax)):
        case(f"{ours.__name__} {axis}", functools.partial(ours, dim=axis), functools.partial(plain, axis=axis), *shapes)
    case(
        f"logsumexp {axis}",
        functools.partial(mg.logsumexp, dim=axis),
        lambda x, axis=axis: np.log(np.exp(x).sum(axis)),
        *shapes,
    )
for reduction, smoothing in product(("mean", "sum", "none"), (0.0, 0.25)):
    case(
        f"cross_entropy {reduction} {smoothing}",
        lambda x, r=reduction, s=smoothing: F.cross_entropy(
            x, mg.tensor(labels_for(x.shape)), reduction=r, label_smoothing=s
        ),
        functools.partial(cross_entropy, smoothing=smoothing, reduction=reduction),
        *(s for s in ROWS if s[0] or reduction != "mean"),
    )
case(
    "cross_entropy weighted, some ignored",
    lambda x: F.cross_entropy(
        x, mg.tensor(labels_for(x.shape)), mg.arange(1.0, x.shape[1] + 1).to(x.dtype), ignore_index=1
    ),
    lambda x: cross_entropy(x, np.arange(1.0, x.shape[1] + 1), ignore=1),
    (4, 2), (33, 10), (3, 4, 5, 2),
)  # fmt: skip

ACTIVATIONS = {
    "relu": lambda x: larger(x, 0 * x),
    "leaky_relu": lambda x: np.where(real(x) > 0, x, 0.01 * x),
    "relu6": lambda x: np.where(real(x) > 6, 6, larger(x, 0 * x)),
    "elu": lambda x: np.where(real(x) > 0, x, np.exp(x) - 1),
    "gelu": lambda x: x * (1 + erf(x / math.sqrt(2))) / 2,
    "silu": lambda x: x * logistic(x),
    "mish": lambda x: x * np.tanh(softplus(x)),
    "softplus": softplus,
    "logsigmoid": lambda x: -softplus(-x),
    "hardswish": lambda x: x * np.where(real(x) > 3, 6, larger(x + 3, 0 * x)) / 6,
    "hardsigmoid": lambda x: np.where(real(x) > 3, 6, larger(x + 3, 0 * x)) / 6,
    "softsign": lambda x: x / (1 + np.where(real(x) > 0, x, -x)),
    "sigmoid": logistic,
    "tanh": np.tanh,
}
for name, plain in ACTIVATIONS.items():
    case(name, getattr(F, name), plain, (0, 3), (1,), (3, 1, 5), (2, 3, 5, 4), (20_011,), (3, 8197))
case("linear", F.linear, lambda x, w, b: x @ w.T + b,
     *((s, (5, s[-1]), (5,)) for s in ((0, 3), (1, 1), (3,), (7, 4), (2, 3, 4), (300, 17))))  # fmt: skip
case("linear without bias", F.linear, lambda x, w: x @ w.T,
     *((s, (1, s[-1])) for s in ((0, 3), (1, 1), (7, 4), (2, 3, 4))))  # fmt: skip
case("matmul", mg.matmul, np.matmul, ((3, 4), (4, 5)), ((2, 3, 4), (4, 1)), ((0, 3, 4), (0, 4, 5)),
     ((2, 1, 3, 4), (5, 4, 2)), ((4,), (4, 3)))  # fmt: skip
for label, inputs in {"rows": (0, 1, 2, 2, 4, 0), "a single one": (3,), "none": ()}.items():
    for shape in ((5, 3), (5, 1), (5, 130)):
        at = np.array(inputs, np.int64)
        case(f"embedding {label}", lambda w, at=at: F.embedding(mg.from_numpy(at), w), lambda w, at=at: w[at], shape)
at = np.arange(24).reshape(4, 6)[::-2, ::2] % 5
case("embedding by strided indices", lambda w: F.embedding(mg.from_numpy(at), w), lambda w: w[at], (5, 3))
PLACES = ((0, 2, 3, 4), (1, 1, 1, 1), (2, 3, 5, 4), (3, 1, 7, 2), (5, 4))
case("attention", F.scaled_dot_product_attention, attention, *((s, s, s) for s in PLACES))
case("attention with other keys", F.scaled_dot_product_attention, attention, ((2, 3, 1, 4), (2, 3, 6, 4), (2, 3, 6, 5)))
case(
    "causal attention",
    functools.partial(F.scaled_dot_product_attention, is_causal=True),
    lambda q, k, v: attention(q, k, v, np.tri(q.shape[-2], k.shape[-2], dtype=bool)),
    *((s, s, s) for s in PLACES),
)
for kind, gates, cell in ((nn.RNN, 1, rnn_cell), (nn.LSTM, 4, lstm_cell), (nn.GRU, 3, gru_cell)):
    for inputs, hidden in ((1, 1), (4, 3)):
        net = kind(inputs, hidden)

        def ours(x, *params, net=net):
            named = dict(zip((name for name, _ in net.named_parameters()), params, strict=True))
            return mg.func.functional_call(net, named, (x,))[0]

        case(
            kind.__name__,
            ours,
            lambda x, *params, cell=cell, hidden=hidden: recurrent(cell, x, params, hidden),
            *(
                ((steps, n, inputs), (gates * hidden, inputs), (gates * hidden, hidden), *[(gates * hidden,)] * 2)
                for steps, n in ((1, 1), (5, 1), (1, 4), (6, 3))
            ),
        )
for name in ("sum", "mean"):
    for axis in (None, 0, -1, (0, -1)):
        case(
            f"{name} {axis}",
            lambda x, name=name, axis=axis: getattr(mg, name)(x, dim=axis),
            lambda x, name=name, axis=axis: getattr(x, name)(axis),
            *((1, 7), (3, 300), (300, 3), (3, 4, 5, 2)),
        )
case(
    "var",
    lambda x: mg.var(x, dim=0),
    lambda x: ((x - x.mean(0)) ** 2).sum(0) / (len(x) - 1),
    (2, 1),
    (9, 5),
    (3, 4, 300),
)

# --- memory ---


def spread(x):
    """Return x with gaps in memory: every other element of an array twice as large along each axis."""
    room = np.full([2 * size for size in x.shape], np.nan, x.dtype)
    room[tuple(slice(None, None, 2) for _ in x.shape)] = x
    return room[tuple(slice(None, None, 2) for _ in x.shape)]


def backwards(x):
    every = tuple(slice(None, None, -1) for _ in x.shape)
    return np.ascontiguousarray(x[every])[every]


def channels_last(x):
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1) if x.ndim > 2 else np.asfortranarray(x)


def repeated(x):
    """Return the first along the first axis, again and again without memory of their own."""
    return np.broadcast_to(x[:1], x.shape)


LAYOUTS = {
    "as usual": np.ascontiguousarray,
    "channels last": channels_last,
    "backwards": backwards,
    "with gaps": spread,
    "repeated": repeated,
    "backwards channels last": lambda x: channels_last(x[::-1])[::-1],
}
# The numbers by which kernels cut their work, and what they become for small arrays to be cut as large ones are.
SMALL = {"_BLOCK": 7, "BLOCK": 7, "_PIXELS": 2, "_RUN": 5, "_FEW": 2, "_MATRIX": 4, "_WORTH": 1, "_ALONE": 1}


@pytest.fixture
def cut_small(monkeypatch):
    found = set()
    for module in (getattr(kernels, name) for name in dir(kernels)):
        for name in SMALL.keys() & vars(module).keys() if hasattr(module, "__file__") else ():
            monkeypatch.setattr(module, name, SMALL[name])
            found.add(name)
    assert found
    before = mg.get_num_threads()
    yield
    mg.set_num_threads(before)


# --- comparisons ---


def drawn(case):
    """Return the inputs in float32, so that both precisions compute with the same numbers."""
    rng = np.random.default_rng([len(str(case)), len(case.shapes)])
    # Away from 0 and ties, where the derivative of some has a jump.
    draw = lambda shape: rng.permutation(np.linspace(-2.3, 2.2, math.prod(shape) + 1)[1:] + 1e-3).reshape(shape)
    return [draw(shape).astype(np.float32) for shape in case.shapes]


def run(case, arrays, layout="as usual", dtype=np.float64):
    """Return output and gradients of all inputs, the first input and the gradient of the output laid out so."""
    tensors = [mg.from_numpy(a.astype(dtype)) for a in arrays]
    tensors[0] = mg.from_numpy(LAYOUTS[layout](arrays[0].astype(dtype)))
    for t in tensors:
        t.requires_grad_()
    y = case.ours(*tensors)
    y.backward(mg.from_numpy(LAYOUTS[layout](incoming(y.shape).astype(dtype)) if y.ndim else incoming(())))
    return [np.asarray(t.detach().numpy()) for t in (y, *(t.grad for t in tensors))]


def incoming(shape):
    return np.asarray(np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32))


def check(case, arrays, layout):
    arrays = [LAYOUTS[layout](arrays[0]).astype(np.float64), *(a.astype(np.float64) for a in arrays[1:])]
    y, *gradients = run(case, arrays, layout)
    plain = real(case.plain(*(a.astype(complex) for a in arrays)))
    assert y.shape == plain.shape
    np.testing.assert_allclose(y, plain, rtol=1e-11, atol=1e-11)
    g = LAYOUTS[layout](incoming(y.shape)) if y.ndim else incoming(())
    for i, gradient in enumerate(gradients):
        d = np.random.default_rng(i).standard_normal(arrays[i].shape)
        moved = case.plain(*(a + 1j * STEP * d if i == j else a + 0j for j, a in enumerate(arrays)))
        slope = (np.imag(moved) / STEP * g).sum()
        scale = 1.0 + float(np.linalg.norm(gradient)) * float(np.linalg.norm(d))
        assert abs((gradient * d).sum() - slope) <= 1e-11 * scale, f"gradient of input {i}"
    for ours, exact in zip(run(case, arrays, layout, np.float32), (y, *gradients), strict=True):
        assert ours.dtype == np.float32
        assert np.abs(ours - exact).max(initial=0) <= 1e-5 * max(1.0, np.abs(exact).max(initial=0))


def cases_with(layout):
    return [c for c in CASES if layout != "repeated" or c.shapes[0][0] > 1]


def faults(layout):
    """Return which cases are not as they should be, and how, by their names."""
    found = {}
    for c in (c for c in CASES if layout != "repeated" or c.shapes[0][0] > 1):
        try:
            check(c, drawn(c), layout)
        except AssertionError as error:
            found[str(c)] = str(error)
    return found


@pytest.mark.parametrize("layout", LAYOUTS)
def test_kernels_are_their_definitions(layout):
    assert faults(layout) == {}


@pytest.mark.parametrize("layout", ["as usual", "channels last", "with gaps"])
def test_kernels_cut_into_many_blocks_are_their_definitions(layout, cut_small):
    assert faults(layout) == {}


def results(count, dtype):
    """Return the bytes and the values of all results with `count` threads, by case."""
    mg.set_num_threads(count)
    return {str(c): run(c, drawn(c), dtype=dtype) for c in CASES}


def assert_same_bits(a, b):
    assert a.keys() == b.keys()
    differing = [name for name in a if any(x.tobytes() != y.tobytes() for x, y in zip(a[name], b[name], strict=True))]
    assert differing == []


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_threads_change_results_by_rounding_only_and_runs_not_at_all(dtype, cut_small):
    alone, near = results(1, dtype), 1e-6 if dtype == np.float32 else 1e-13
    for count in (1, 2, 3):
        first = results(count, dtype)
        assert_same_bits(first, results(count, dtype))
        for name, arrays in alone.items():
            for a, b in zip(arrays, first[name], strict=True):
                assert np.abs(a - b).max(initial=0) <= near * max(1.0, np.abs(a).max(initial=0)), name


@pytest.mark.parametrize("count", [1, 3])
def test_threads_of_the_program_do_not_disturb_one_another(count, cut_small):
    expected, found = results(count, np.float32), []
    run_all = lambda order: found.append({str(c): run(c, drawn(c), dtype=np.float32) for c in CASES[::order]})
    callers = [threading.Thread(target=run_all, args=(order,)) for order in (1, -1)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    for each in found:
        assert_same_bits(expected, {name: each[name] for name in expected})
    assert len(found) == 2


# --- what is random, and what changes its inputs ---


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(0, 3), (2, 1), (5, 7), (3, 2, 5, 4), (20_011,)])
def test_dropout_keeps_or_drops_and_scales(shape, layout):
    # In equal memory, in whose order the mask is drawn, as it is in PyTorch.
    ones, x = (LAYOUTS[layout](a) for a in (np.ones(shape), np.random.default_rng(0).standard_normal(shape)))
    for p in (0.0, 0.3, 1.0):
        mg.manual_seed(3)
        mask = F.dropout(mg.from_numpy(ones), p).numpy()
        assert set(np.unique(mask)) <= {0.0, 1 / (1 - p) if p < 1 else 0.0}
        if len(mask) > 1000:
            assert abs((mask == 0).mean() - p) < 0.02
        mg.manual_seed(3)
        t = mg.from_numpy(x).requires_grad_()
        y = F.dropout(t, p)
        y.backward(mg.from_numpy(LAYOUTS[layout](incoming(shape).astype(np.float64))))
        np.testing.assert_allclose(y.detach().numpy(), x * mask, rtol=1e-15)
        np.testing.assert_allclose(
            t.grad.numpy(), LAYOUTS[layout](incoming(shape)).astype(np.float64) * mask, rtol=1e-15
        )


def sgd(p, g, state, lr=0.1, momentum=0.9, dampening=0.0, weight_decay=0.0, nesterov=False):
    g = g + weight_decay * p
    state["v"] = g if "v" not in state else momentum * state["v"] + (1 - dampening) * g
    return p - lr * (g + momentum * state["v"] if nesterov else state["v"])


def adam(p, g, state, lr=0.1, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, decoupled=False):
    t = state["t"] = state.get("t", 0) + 1
    p, g = (p - lr * weight_decay * p, g) if decoupled else (p, g + weight_decay * p)
    m = state["m"] = betas[0] * state.get("m", 0 * p) + (1 - betas[0]) * g
    v = state["v"] = betas[1] * state.get("v", 0 * p) + (1 - betas[1]) * g * g
    largest = state["x"] = np.maximum(state.get("x", 0 * p), v) if amsgrad else v
    return p - lr * (m / (1 - betas[0] ** t)) / (np.sqrt(largest / (1 - betas[1] ** t)) + eps)


OPTIMISERS = [
    (mg.optim.SGD, sgd, {"momentum": 0.9}),
    (mg.optim.SGD, sgd, {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    (mg.optim.SGD, sgd, {"momentum": 0.9, "nesterov": True}),
    (mg.optim.Adam, adam, {}),
    (mg.optim.Adam, adam, {"weight_decay": 0.1, "amsgrad": True, "betas": (0.5, 0.9), "eps": 1e-3}),
    (mg.optim.AdamW, functools.partial(adam, decoupled=True), {"weight_decay": 0.1}),
]


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name != "repeated"])
@pytest.mark.parametrize(("ours", "plain", "options"), OPTIMISERS)
def test_optimisers_are_their_definitions(ours, plain, options, layout, cut_small):
    rng = np.random.default_rng(0)
    shapes = [(0, 3), (1,), (5, 1), (3, 7, 2, 5), (31, 3)]
    values = [rng.standard_normal(shape) for shape in shapes]
    parameters = [mg.from_numpy(LAYOUTS[layout](v.copy())).requires_grad_() for v in values]
    stepper, states = ours(parameters, lr=0.1, **options), [{} for _ in shapes]
    for _ in range(3):
        gradients = [rng.standard_normal(shape) for shape in shapes]
        for p, g in zip(parameters, gradients, strict=True):
            p.grad = mg.from_numpy(LAYOUTS[layout](g))
        stepper.step()
        values = [plain(v, g, state, **options) for v, g, state in zip(values, gradients, states, strict=True)]
    for p, v in zip(parameters, values, strict=True):
        np.testing.assert_allclose(p.detach().numpy(), v, rtol=1e-12, atol=1e-13)

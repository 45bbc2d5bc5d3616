"""Convolution, pooling and normalisation against loops, central differences and PyTorch."""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.backward import differentiate
from minigrad.kernels import conv as conv_kernel
from minigrad.kernels import norm as norm_kernel
from minigrad.kernels import pool as pool_kernel
from minigrad.kernels import products
from minigrad.methods.place import edge_of
from minigrad.ops.conv import conv2d
from minigrad.ops.norm import batch_norm, layer_norm
from minigrad.ops.pool import avg_pool2d, max_pool2d

# --- helpers ---


def normal(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(dtype)


def channels_last(x):
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1)


LAYOUTS = {
    "contiguous": np.ascontiguousarray,
    "channels last": channels_last,
    "backwards": lambda x: np.ascontiguousarray(x[..., ::-1, ::-1])[..., ::-1, ::-1],
    "every other": lambda x: np.repeat(np.repeat(x, 2, 0), 2, -1)[::2, ..., ::2],
    "backwards channels last": lambda x: channels_last(x[:, :, ::-1])[:, :, ::-1],
}


def leaves(arrays):
    return [mg.from_numpy(a.copy()).requires_grad_() for a in arrays]


def gradients(output, inputs, create_graph=False):
    found = differentiate([output], [None], True, create_graph, inputs)
    return [found[edge_of(x) or x][0] if (edge_of(x) or x) in found else None for x in inputs]


def functional(f, order, arrays):
    """Return the inputs, and a scalar made of the derivatives of `order` of f."""
    inputs = leaves(arrays)
    y = f(*inputs)
    scalar = (y * normal(*y.shape, seed=7)).sum()
    for k in range(order):
        found = [g for g in gradients(scalar, inputs, create_graph=True) if g is not None]
        scalar = sum((g * normal(*g.shape, seed=8 + k)).sum() for g in found)
    return inputs, scalar


def check_derivatives(f, *arrays, orders=(1, 2), step=1e-5, rtol=1e-6):
    """Check the derivatives of f of each order against central differences of those one order below."""
    for order in orders:
        inputs, scalar = functional(f, order - 1, arrays)
        if not scalar.requires_grad:
            assert order > 1
            return
        found = gradients(scalar, inputs)
        for i, (array, gradient) in enumerate(zip(arrays, found, strict=True)):
            direction = normal(*array.shape, seed=20 + order)
            ends = [
                functional(f, order - 1, [*arrays[:i], array + t * direction, *arrays[i + 1 :]])[1].item()
                for t in (step, -step)
            ]
            slope = 0.0 if gradient is None else float((gradient * direction).sum())
            scale = max(1.0, abs(slope), abs(ends[0]))
            assert abs((ends[0] - ends[1]) / (2 * step) - slope) <= rtol * scale, f"order {order}, input {i}"


def assert_near(ours, theirs):
    """max|a - b| <= 1e-5 max|b|, the measure for sums and products in float32."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    if ours.size:
        assert np.abs(ours - theirs).max() <= 1e-5 * np.abs(theirs).max()


def compare(torch, ours, theirs, arrays):
    """Run both on float32 copies of `arrays`, forward and backward; compare the outputs and every gradient."""
    tensors = [mg.from_numpy(a.astype(np.float32)).requires_grad_() for a in arrays]
    oracles = [torch.tensor(np.array(a, np.float32, order="C"), requires_grad=True) for a in arrays]
    y, truth = ours(*tensors), theirs(*oracles)
    assert tuple(y.shape) == tuple(truth.shape)
    assert_near(y.detach().numpy(), truth.detach().numpy())
    g = normal(*y.shape, seed=3, dtype=np.float32)
    y.backward(mg.from_numpy(g))
    truth.backward(torch.tensor(g))
    for tensor, oracle in zip(tensors, oracles, strict=True):
        assert_near(tensor.grad.numpy(), oracle.grad.numpy())


def errors(torch, ours, theirs, arrays):
    """Return for the output and each gradient our and PyTorch's float32 error against PyTorch's float64 result."""
    results = []
    for kind in (np.float32, np.float64):
        oracles = [torch.tensor(a.astype(kind), requires_grad=True) for a in arrays]
        y = theirs(*oracles)
        y.backward(torch.tensor(normal(*y.shape, seed=3, dtype=np.float32).astype(kind)))
        results.append([y.detach().numpy(), *(o.grad.numpy() for o in oracles)])
    tensors = [mg.from_numpy(a.astype(np.float32)).requires_grad_() for a in arrays]
    y = ours(*tensors)
    y.backward(mg.from_numpy(normal(*y.shape, seed=3, dtype=np.float32)))
    mine = [y.detach().numpy(), *(t.grad.numpy() for t in tensors)]
    rms = lambda a, truth: float(np.sqrt(np.mean((a - truth) ** 2)))
    return [(rms(a, t), rms(b, t)) for a, b, t in zip(mine, *results, strict=True)]


@pytest.fixture(scope="module")
def torch():
    return pytest.importorskip("torch", reason="the oracle is not installed")


# --- convolution ---


def conv_by_loops(x, weight, bias, stride, padding, dilation, groups):
    """The definition: every output is a sum over its window, the padding being zeros."""
    n, _, h, w = x.shape
    out, per_group, kh, kw = weight.shape
    padded = np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2))
    oh = (h + 2 * padding[0] - dilation[0] * (kh - 1) - 1) // stride[0] + 1
    ow = (w + 2 * padding[1] - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    y = np.zeros((n, out, oh, ow))
    for o, r, q, i, j in product(*map(range, (out, oh, ow, kh, kw))):
        first = o // (out // groups) * per_group
        row, column = r * stride[0] + i * dilation[0], q * stride[1] + j * dilation[1]
        y[:, o, r, q] += padded[:, first : first + per_group, row, column] @ weight[o, :, i, j]
    return y if bias is None else y + bias[:, None, None]


pairs = lambda low, high: st.tuples(st.integers(low, high), st.integers(low, high))
CONVOLUTIONS = st.fixed_dictionaries(
    {
        "batch": st.integers(0, 3),
        "sizes": pairs(1, 8),
        "channels": st.sampled_from([1, 2, 5, 6]),
        "filters": st.sampled_from([1, 2, 7, 21]),
        "kernel": pairs(1, 4),
        "stride": pairs(1, 3),
        "padding": pairs(0, 4),
        "dilation": pairs(1, 3),
        "groups": st.integers(1, 3),
        "layout": st.sampled_from(sorted(LAYOUTS)),
        "has_bias": st.booleans(),
    }
)


def draw_conv(case):
    groups = case["groups"]
    reach = [d * (k - 1) + 1 for d, k in zip(case["dilation"], case["kernel"], strict=True)]
    assume(all(n + 2 * p >= r for n, p, r in zip(case["sizes"], case["padding"], reach, strict=True)))
    x = normal(case["batch"], groups * case["channels"], *case["sizes"])
    weight = normal(groups * case["filters"], case["channels"], *case["kernel"], seed=1)
    bias = normal(len(weight), seed=2) if case["has_bias"] else None
    settings = {name: case[name] for name in ("stride", "padding", "dilation", "groups")}
    return LAYOUTS[case["layout"]](x), weight, bias, settings


@settings(max_examples=150, deadline=None)
@given(CONVOLUTIONS)
def test_conv_is_its_definition(case):
    x, weight, bias, options = draw_conv(case)
    np.testing.assert_allclose(
        conv2d(x, weight, bias, **options), conv_by_loops(x, weight, bias, **options), atol=1e-12
    )


@settings(max_examples=60, deadline=None)
@given(CONVOLUTIONS)
def test_conv_derivatives(case):
    x, weight, bias, options = draw_conv(case)
    assume(x.size)
    if bias is None:
        check_derivatives(lambda x, w: conv2d(x, w, None, **options), x, weight)
    else:
        check_derivatives(lambda x, w, b: conv2d(x, w, b, **options), x, weight, bias)


def test_conv_third_order_of_a_nonlinear_use():
    check_derivatives(
        lambda x, w: conv2d(conv2d(x, w, stride=2, padding=1) ** 2, w[:2, :, :, :]),
        normal(2, 2, 7, 6), normal(2, 2, 3, 3, seed=1), orders=(1, 2, 3), rtol=1e-5,
    )  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"stride": (2, 1), "padding": 1}, {"dilation": 2, "padding": 2}], ids=str)
def test_conv_of_no_channels_is_the_bias(options):
    x, w, b = normal(2, 0, 6, 7), normal(3, 0, 3, 2), normal(3)
    y = conv2d(x, w, b, **options)
    np.testing.assert_array_equal(y, np.broadcast_to(b[:, None, None], y.shape))
    np.testing.assert_array_equal(conv2d(x, w, None, **options), np.zeros(y.shape))


@pytest.mark.parametrize("stride", [(2, 1), (1, 2), (1, 1)])
@pytest.mark.parametrize("filters", [7, 3, 14])
def test_conv_in_blocks_is_conv_at_once(monkeypatch, filters, stride):
    """Images larger than a block of columns are gone through in bands of rows."""
    x, w, b = normal(2, 6, 23, 20), normal(filters, 6, 3, 2, seed=1), normal(filters, seed=2)
    options = {"stride": stride, "padding": (1, 1), "dilation": (1, 1), "groups": 1}

    def results():
        y = conv_kernel.conv2d(x, w, b, **options)
        return (
            y,
            conv_kernel.conv2d_input_grad(normal(*y.shape), w, sizes=(23, 20), **options),
            conv_kernel.conv2d_weight_grad(normal(*y.shape), x, kernel=(3, 2), **options),
        )

    whole = results()
    monkeypatch.setattr(conv_kernel, "_BLOCK", 1)
    monkeypatch.setattr(conv_kernel, "_PIXELS", 50)
    for a, b in zip(results(), whole, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("spares", [True, False])
@pytest.mark.parametrize(
    "shape", [(1, 100, 7, 3), (3, 61, 5, 4), (1, 24, 5, 4), (2, 5, 30, 40), (1, 0, 3, 2), (1, 9, 0, 2)]
)
def test_product_in_pieces_is_the_product(monkeypatch, shape, spares, dtype):
    """Whether or not rows are left over, on any order in memory, and with one matrix for a stack of others."""
    monkeypatch.setattr(products, "_UNPACKED", 500)
    monkeypatch.setattr(products, "_spares_packing", lambda: spares)
    stack, rows, inner, columns = shape
    b = normal(stack, inner, columns, seed=1, dtype=dtype)
    turned = normal(stack, inner, rows, dtype=dtype).swapaxes(1, 2)
    for a in (
        normal(stack, rows, inner, dtype=dtype),
        turned,
        turned[:1],
        normal(1, 2 * rows, inner, dtype=dtype)[:, ::2],
    ):
        out = np.full((stack, rows, columns), np.nan, dtype)
        products.multiply(a, b, out=out)
        truth = np.einsum("sij,sjk->sik", np.repeat(a, stack // len(a), 0), b)
        np.testing.assert_allclose(out, truth, atol=1e-12 if dtype == np.float64 else 1e-5)


CONV_CASES = {  # (x, weight), settings
    "first layer": (((8, 1, 28, 28), (32, 1, 3, 3)), {}),
    "second layer": (((4, 32, 26, 26), (64, 32, 3, 3)), {}),
    "padded": (((8, 16, 14, 14), (32, 16, 3, 3)), {"padding": 1}),
    "pointwise": (((4, 16, 9, 9), (8, 16, 1, 1)), {}),
    "pointwise, strided": (((4, 16, 9, 9), (8, 16, 1, 1)), {"stride": 2}),
    "strided": (((4, 16, 17, 17), (32, 16, 3, 3)), {"stride": 2, "padding": 1}),
    "grouped": (((4, 12, 10, 10), (8, 3, 3, 3)), {"groups": 4, "padding": 1}),
    "depthwise": (((4, 12, 10, 10), (12, 1, 3, 3)), {"groups": 12, "padding": 1}),
    "dilated": (((4, 6, 12, 12), (5, 6, 3, 3)), {"dilation": (2, 3)}),
    "dilated and strided": (((3, 6, 17, 16), (5, 6, 3, 4)), {"dilation": (2, 3), "stride": (4, 2), "padding": 2}),
    "strided past pixels": (((3, 5, 12, 13), (4, 5, 2, 1)), {"stride": (3, 4)}),
    "strided, one channel": (((3, 1, 15, 14), (6, 1, 5, 5)), {"stride": 2, "padding": 2}),
    "strided, grouped": (((2, 6, 11, 12), (9, 2, 3, 3)), {"stride": (2, 3), "padding": 1, "groups": 3}),
    "few filters of many channels": (((3, 24, 13, 9), (5, 24, 4, 3)), {"padding": (3, 0), "dilation": (2, 1)}),
    "many filters of few channels": (((3, 6, 14, 14), (16, 6, 5, 5)), {}),
    "padded beyond the kernel": (((2, 3, 5, 4), (8, 3, 2, 2)), {"padding": 3}),
    "kernel as large as the image": (((3, 5, 6, 7), (4, 5, 6, 7)), {}),
    "batch of none": (((0, 3, 6, 6), (4, 3, 3, 3)), {}),
    "batch of one": (((1, 3, 6, 6), (4, 3, 3, 3)), {}),
    "same": (((2, 3, 6, 7), (4, 3, 4, 3)), {"padding": "same", "dilation": (1, 2)}),
    "valid": (((2, 3, 6, 7), (4, 3, 2, 3)), {"padding": "valid", "stride": 2}),
    "unbatched": (((3, 6, 7), (4, 3, 2, 3)), {}),
}


@pytest.mark.oracle
@pytest.mark.parametrize("name", CONV_CASES)
@pytest.mark.filterwarnings("ignore:Using padding=.same. with even kernel")
def test_conv_as_pytorch(torch, name):
    (x, weight), options = CONV_CASES[name]
    compare(
        torch,
        lambda x, w, b: conv2d(x, w, b, **options),
        lambda x, w, b: torch.nn.functional.conv2d(x, w, b, **options),
        [normal(*x), normal(*weight, seed=1), normal(weight[0], seed=2)],
    )


@pytest.mark.oracle
def test_conv_is_as_exact_as_pytorch(torch):
    arrays = [normal(16, 32, 26, 26) + 0.5, normal(64, 32, 3, 3, seed=1), normal(64, seed=2)]
    for ours, theirs in errors(torch, conv2d, torch.nn.functional.conv2d, arrays):
        assert ours <= 2 * theirs


def test_conv_keeps_no_output_and_needs_its_input():
    x, w = mg.from_numpy(normal(1, 2, 5, 5)).requires_grad_(), mg.from_numpy(normal(3, 2, 3, 3)).requires_grad_()
    y = conv2d(x, w)
    y.mul_(2)
    y.sum().backward()
    h = x * 1
    y = conv2d(h, w)
    h.add_(1)
    with pytest.raises(RuntimeError, match=r"conv2d.*modified by an inplace operation.*'x'"):
        y.sum().backward()


X, W = np.zeros((2, 4, 5, 5), np.float32), np.zeros((6, 4, 3, 3), np.float32)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: conv2d(X, W[:, :3]), "Given groups=1, weight of size [6, 3, 3, 3], expected input[2, 4, 5, 5] to have "
         "3 channels, but got 4 channels instead"),
        (lambda: conv2d(X, W[:, :1], groups=4), "Given groups=4, expected weight to be at least 4 and divisible by 4"),
        (lambda: conv2d(X, W, np.zeros(5, np.float32)), "expected bias to be 1-dimensional with 6 elements, but got "
         "bias of size [5]"),
        (lambda: conv2d(X[..., :2, :2], W), "conv2d: Calculated padded input size per channel: (2 x 2). Kernel size: "
         "(3 x 3). Kernel size can't be greater than actual input size"),
        (lambda: conv2d(X, W, dilation=3), "Kernel size: (7 x 7)"),
        (lambda: conv2d(X, W, stride=0), "conv2d: non-positive stride"),
        (lambda: conv2d(X, W, padding=-1), "conv2d: negative padding"),
        (lambda: conv2d(X, W, padding=(1, 1, 1)), "padding must either be a single int, or a tuple of two ints"),
        (lambda: conv2d(X, W, stride=2, padding="same"), "padding='same' is not supported for strided convolutions"),
        (lambda: conv2d(X, W, padding="full"), "Invalid padding string 'full', should be a number, a tuple, 'valid'"),
        (lambda: conv2d(X[0, 0], W), "Expected 3D (unbatched) or 4D (batched) input to conv2d"),
        (lambda: conv2d(mg.from_numpy(X), W.astype(np.float64)), "conv2d: expected operands of the same dtype"),
        (lambda: max_pool2d(X, 6), "max_pool2d: Given input size: (4x5x5). Calculated output size: (4x0x0). Output "
         "size is too small"),
        (lambda: max_pool2d(X, 2, padding=2), "max_pool2d: pad should be at most half of effective kernel size, but "
         "got pad=2, kernel_size=2 and dilation=1"),
        (lambda: avg_pool2d(X, 2, divisor_override=0), "avg_pool2d: divisor must be not zero"),
        (lambda: avg_pool2d(X[0, 0], 2), "avg_pool2d: Expected 3D"),
        (lambda: batch_norm(X[:1, :, :1, :1], None, None, training=True), "batch_norm: Expected more than 1 value per "
         "channel when training, got input size [1, 4, 1, 1]"),
        (lambda: batch_norm(X, None, None), "batch_norm: running_mean must be defined in evaluation mode"),
        (lambda: batch_norm(X, None, None, np.ones(3, np.float32), training=True), "weight should contain 4 elements "
         "not 3"),
        (lambda: batch_norm(X[0, 0, 0], None, None, training=True), "expected an input of at least 2 dims"),
        (lambda: layer_norm(X, (4,)), "layer_norm: Given normalized_shape=[4], expected input with shape [*, 4], but "
         "got input of size[2, 4, 5, 5]"),
        (lambda: layer_norm(X, (5,), np.ones(4, np.float32)), "Expected weight to be of same shape as "
         "normalized_shape, but got weight of shape [4]"),
    ],
)  # fmt: skip
def test_bad_input_is_refused(call, message):
    with pytest.raises(mg.errors.MinigradError, match=re.escape(message)):
        call()


@pytest.mark.parametrize("name", ["stride", "padding", "dilation"])
@pytest.mark.parametrize("value", [1.0, (1.0, 1), (1, np.float32(1)), "1", (1, 1, 1)])
def test_what_is_no_int_is_refused_after_an_equal_int_was_taken(name, value):
    weight = np.ones((3, 4, 2, 2), np.float32)
    for call in (lambda **setting: conv2d(X, weight, **setting), lambda **setting: max_pool2d(X, 2, **setting)):
        call(**{name: 1})
        call(**{name: (1, 1)})
        with pytest.raises(mg.errors.ArgumentError, match=r"int|padding string"):
            call(**{name: value})


def test_a_setting_may_be_a_tensor_that_changes_later():
    stride = mg.tensor(1)
    assert max_pool2d(X, 2, stride).shape == (2, 4, 4, 4)
    stride.fill_(2)
    assert max_pool2d(X, 2, stride).shape == (2, 4, 2, 2)


# --- pooling ---


def windows(x, kernel, stride, padding, dilation, counts):
    """Yield (output place, the window's places inside the image)."""
    for r, q in product(*map(range, counts)):
        places = [
            (r * stride[0] + i * dilation[0] - padding[0], q * stride[1] + j * dilation[1] - padding[1])
            for i, j in product(*map(range, kernel))
        ]
        yield (r, q), [(a, b) for a, b in places if 0 <= a < x.shape[2] and 0 <= b < x.shape[3]]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_pooling_is_its_definition(data):
    kernel, stride, sizes = data.draw(pairs(1, 4)), data.draw(pairs(1, 3)), data.draw(pairs(4, 9))
    padding = tuple(data.draw(st.integers(0, k // 2)) for k in kernel)
    x = LAYOUTS[data.draw(st.sampled_from(sorted(LAYOUTS)))](normal(data.draw(st.integers(0, 3)), 2, *sizes))
    assume(all(n + 2 * p >= k for n, p, k in zip(sizes, padding, kernel, strict=True)))
    largest, mean = max_pool2d(x, kernel, stride, padding), avg_pool2d(x, kernel, stride, padding)
    inside = avg_pool2d(x, kernel, stride, padding, count_include_pad=False)
    counts = tuple((n + 2 * p - k) // s + 1 for n, p, k, s in zip(sizes, padding, kernel, stride, strict=True))
    assert largest.shape == mean.shape == (len(x), 2, *counts)
    for (r, q), places in windows(x, kernel, stride, padding, (1, 1), counts):
        values = np.stack([x[:, :, a, b] for a, b in places])
        np.testing.assert_array_equal(largest[:, :, r, q], values.max(0))
        np.testing.assert_allclose(mean[:, :, r, q], values.sum(0) / (kernel[0] * kernel[1]), atol=1e-12)
        np.testing.assert_allclose(inside[:, :, r, q], values.mean(0), atol=1e-12)


POOLS = {
    "2": (2, {}),
    "3, stride 2, padded": (3, {"stride": 2, "padding": 1}),
    "overlapping, uneven": ((3, 2), {"stride": (1, 2), "padding": (1, 0)}),
    "overhanging": (3, {"stride": 2, "padding": 1, "ceil_mode": True}),
    "whole": ((6, 7), {}),
}


@pytest.mark.parametrize("layout", ["contiguous", "channels last"])
@pytest.mark.parametrize("name", POOLS)
def test_pooling_derivatives(name, layout):
    size, options = POOLS[name]
    x = LAYOUTS[layout](normal(2, 3, 6, 7))
    for pool in (max_pool2d, avg_pool2d):
        check_derivatives(lambda x, pool=pool: pool(x, size, **options), x)
        check_derivatives(lambda x, pool=pool: pool(x**3, size, **options) ** 2, x, orders=(1, 2, 3), rtol=1e-5)


def test_the_first_of_equals_and_the_last_of_nans_get_the_gradient():
    x = np.zeros((1, 3, 2, 2))
    x[0, 1] = [[np.nan, 5], [np.nan, 7]]
    x[0, 2] = -np.inf
    t = mg.from_numpy(x).requires_grad_()
    max_pool2d(t, 2).backward(mg.from_numpy(np.full((1, 3, 1, 1), np.inf)))
    expected = np.zeros((1, 3, 2, 2))
    expected[0, [0, 1, 2], [0, 1, 0], [0, 0, 0]] = np.inf
    np.testing.assert_array_equal(t.grad.numpy(), expected)


@pytest.mark.oracle
@pytest.mark.parametrize("seed", range(12))
def test_max_pool_with_ties_nans_and_infs_as_pytorch(torch, seed):
    rng = np.random.default_rng(seed)
    x = rng.integers(-2, 3, (2, 3, 9, 8)).astype(np.float32)
    x[rng.random(x.shape) < 0.15] = np.nan if seed % 2 else -np.inf
    kernel, stride = [int(k) for k in rng.integers(1, 5, 2)], [int(s) for s in rng.integers(1, 4, 2)]
    options = (kernel, stride, [k // 2 for k in kernel], 1 + seed % 3 // 2, seed % 3 == 0)
    ours, theirs = mg.from_numpy(LAYOUTS[sorted(LAYOUTS)[seed % 5]](x)).requires_grad_(), torch.tensor(x)
    theirs.requires_grad_()
    y, truth = max_pool2d(ours, *options), torch.nn.functional.max_pool2d(theirs, *options)
    np.testing.assert_array_equal(y.detach().numpy(), truth.detach().numpy())
    g = normal(*y.shape, dtype=np.float32)
    y.backward(mg.from_numpy(g))
    truth.backward(torch.tensor(g))
    np.testing.assert_allclose(ours.grad.numpy(), theirs.grad.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.oracle
@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("extra", [{}, {"count_include_pad": False}, {"divisor_override": 5}], ids=str)
def test_avg_pool_as_pytorch(torch, name, extra):
    size, options = POOLS[name]
    theirs = lambda x: torch.nn.functional.avg_pool2d(x, size, **options, **extra)
    for shape in ((2, 3, 6, 7), (3, 6, 7), (0, 3, 6, 7)):
        compare(torch, lambda x: avg_pool2d(x, size, **options, **extra), theirs, [normal(*shape)])


@pytest.mark.oracle
@pytest.mark.parametrize("shape", [(3, 6, 7), (0, 3, 6, 7), (300, 2, 6, 7)])
def test_max_pool_as_pytorch(torch, shape):
    compare(torch, lambda x: max_pool2d(x, 2), lambda x: torch.nn.functional.max_pool2d(x, 2), [normal(*shape)])


def test_max_pool_of_integers():
    x = np.arange(16).reshape(1, 1, 4, 4)
    np.testing.assert_array_equal(max_pool2d(x, 3, 1, 1)[0, 0, 0], [5, 6, 7, 7])


def test_what_pooling_returned_may_be_written_to():
    x = mg.from_numpy(normal(1, 1, 4, 4)).requires_grad_()
    y = max_pool2d(x, 2)
    y.mul_(3)
    y.sum().backward()
    assert sorted(set(x.grad.numpy().ravel())) == [0, 3]


# --- normalisation ---


def trained(x, w=None, b=None, eps=1e-2):
    return batch_norm(x, None, None, w, b, training=True, eps=eps)


@pytest.mark.parametrize("layout", ["contiguous", "channels last", "backwards"])
@pytest.mark.parametrize("shape", [(5, 3), (4, 3, 2), (3, 2, 4, 3), (2, 2, 2, 3, 2), (1, 3, 5)])
def test_batch_norm_derivatives_to_third_order(shape, layout):
    x, c = normal(*shape) * 2 + 1, shape[1]
    x = LAYOUTS[layout](x) if len(shape) > 2 else x
    check_derivatives(trained, x, normal(c, seed=1), normal(c, seed=2), orders=(1, 2, 3), rtol=1e-5)
    check_derivatives(lambda x, w: trained(x, w) ** 3, x, normal(c, seed=1), orders=(1, 2), rtol=1e-5)
    check_derivatives(trained, x, orders=(1, 2, 3), rtol=1e-5)
    check_derivatives(lambda x, b: trained(x, None, b), x, normal(c, seed=2))


@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 3, 4)])
def test_layer_norm_derivatives_to_third_order(shape):
    for k in range(1, len(shape) + 1):
        sizes, x = shape[-k:], normal(*shape) * 2 + 1
        norm = lambda x, w=None, b=None, sizes=sizes: layer_norm(x, sizes, w, b, eps=1e-2)
        check_derivatives(norm, x, normal(*sizes, seed=1), normal(*sizes, seed=2), orders=(1, 2, 3), rtol=1e-5)
        check_derivatives(norm, x, orders=(1, 2, 3), rtol=1e-5)


def test_eval_derivatives():
    mean, var = normal(3), normal(3, seed=1) ** 2 + 0.1
    check_derivatives(
        lambda x, w, b: batch_norm(x, mean, var, w, b) ** 2, normal(2, 3, 2, 2), normal(3, seed=2), normal(3, seed=3)
    )


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(7, 3, 5, 5), (64, 2, 9, 9), (2, 1100, 3, 3), (1, 4, 200, 200)])
def test_batch_norm_is_its_definition_in_every_layout(shape, layout):
    for mean in (2, 2000):
        x = LAYOUTS[layout](normal(*shape) * 3 + mean)
        truth = (x - x.mean((0, 2, 3), keepdims=True)) / np.sqrt(x.var((0, 2, 3), keepdims=True) + 1e-2)
        np.testing.assert_allclose(trained(x), truth, atol=1e-10)
    np.testing.assert_allclose(norm_kernel.channel_sum(x), x.sum((0, 2, 3)), atol=1e-8)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(0, 3, 5, 5), (1, 16, 7, 7), (5, 3, 5, 4), (2, 1, 9, 9), (1, 4, 200, 200)])
def test_eval_is_its_definition_in_every_layout(shape, layout):
    x = LAYOUTS[layout](normal(*shape) * 3 + 2)
    mean, var, w, b = normal(shape[1]), normal(shape[1], seed=1) ** 2 + 0.1, normal(shape[1], seed=2), normal(shape[1])
    at = lambda p: p[:, None, None]
    truth = (x - at(mean)) / np.sqrt(at(var) + 1e-2)
    np.testing.assert_allclose(batch_norm(x, mean, var, eps=1e-2), truth, atol=1e-12)
    np.testing.assert_allclose(batch_norm(x, mean, var, w, b, eps=1e-2), truth * at(w) + at(b), atol=1e-12)


@pytest.mark.oracle
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(64, 10), (8, 3, 11), (16, 8, 7, 7), (2, 3, 4, 5, 3)])
def test_batch_norm_as_pytorch(torch, shape, training):
    c = shape[1]
    start = normal(c, dtype=np.float32), normal(c, seed=1, dtype=np.float32) ** 2 + 0.5
    ours, theirs = [mg.from_numpy(s.copy()) for s in start], [torch.tensor(s) for s in start]
    for step in range(3):
        compare(
            torch,
            lambda x, w, b: batch_norm(x, *ours, w, b, training=training, momentum=0.3, eps=1e-3),
            lambda x, w, b: torch.nn.functional.batch_norm(x, *theirs, w, b, training=training, momentum=0.3, eps=1e-3),
            [normal(*shape, seed=step) * 2 + 3, normal(c, seed=4), normal(c, seed=5)],
        )
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(torch.tensor(a.numpy()), b)
        assert a.is_leaf
        assert not a.requires_grad
        assert (a._storage.version > 0) == training


def test_running_statistics_of_an_empty_batch_stay():
    mean, var = mg.zeros(3), mg.ones(3)
    y = batch_norm(mg.zeros(0, 3, 4, 4), mean, var, training=True)
    assert tuple(y.shape) == (0, 3, 4, 4)
    assert mean.tolist() == [0, 0, 0]
    assert var.tolist() == [1, 1, 1]


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("shape", "sizes"), [((6, 5), (5,)), ((4, 7, 64), (64,)), ((3, 4, 5), (4, 5)), ((5,), (5,)), ((0, 3), (3,))]
)
def test_layer_norm_as_pytorch(torch, shape, sizes):
    compare(
        torch,
        lambda x, w, b: layer_norm(x, sizes, w, b),
        lambda x, w, b: torch.nn.functional.layer_norm(x, sizes, w, b),
        [normal(*shape) * 2 + 1, normal(*sizes, seed=1), normal(*sizes, seed=2)],
    )  # fmt: skip


@pytest.mark.oracle
def test_norms_are_as_exact_as_pytorch(torch):
    functions = torch.nn.functional
    cases = [
        (trained, lambda x, w, b: functions.batch_norm(x, None, None, w, b, True, eps=1e-2), (64, 16, 28, 28), (16,)),
        (trained, lambda x, w, b: functions.batch_norm(x, None, None, w, b, True, eps=1e-2), (512, 64), (64,)),
        (lambda x, w, b: layer_norm(x, (256,), w, b), lambda x, w, b: functions.layer_norm(x, (256,), w, b),
         (64, 20, 256), (256,)),
    ]  # fmt: skip
    for ours, theirs, shape, sizes in cases:
        for mean in (0, 3, 5, 7, 50):  # sums are of uncentred products where it is near zero
            arrays = [normal(*shape) * 2 + mean, normal(*sizes, seed=1), normal(*sizes, seed=2)]
            for mine, torchs in errors(torch, ours, theirs, arrays):
                assert mine <= 2 * torchs


def test_inputs_are_not_written_to():
    x, w, b = normal(2, 4, 6, 6), normal(4, 4, 3, 3), normal(4)
    copies = [a.copy() for a in (x, w, b)]
    conv2d(x, w, b, padding=1)
    max_pool2d(x, 2)
    avg_pool2d(x, 2)
    batch_norm(x, None, None, b, b, training=True)
    pool_kernel.max_pool_scatter(x[:, :, :3, :3], x, window=pool_kernel.Window((2, 2), (2, 2), (0, 0)))
    for a, copy in zip((x, w, b), copies, strict=True):
        np.testing.assert_array_equal(a, copy)

"""Single precision on large inputs and at the extremes: no further from the truth than twice PyTorch's error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import test_ops_oracle
from op_samples import SAMPLES
from op_tests import for_every_op

import minigrad as mg
from minigrad.autograd import grad
from minigrad.ops import elementwise as e
from minigrad.ops import linalg, reduce

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = pytest.mark.oracle

# name: ours, PyTorch's, and the shapes of the inputs
LARGE: dict[str, tuple[Any, Any, list[tuple[int, ...]]]] = {
    "sum": (lambda x: reduce.sum(x), lambda x: x.sum(), [(60_000,)]),
    "sum over rows": (lambda x: reduce.sum(x, dim=0), lambda x: x.sum(0), [(20_000, 7)]),
    "sum over columns": (lambda x: reduce.sum(x, dim=-1), lambda x: x.sum(-1), [(7, 20_000)]),
    "sum over the middle": (lambda x: reduce.sum(x, dim=1), lambda x: x.sum(1), [(3, 9_000, 5)]),
    "sum over channels": (lambda x: reduce.sum(x, dim=(0, 2, 3)), lambda x: x.sum((0, 2, 3)), [(64, 5, 14, 14)]),
    "sum over a few rows": (lambda x: reduce.sum(x, dim=0), lambda x: x.sum(0), [(200, 300)]),
    "sum of a transpose": (
        lambda x: reduce.sum(e.mul(x, 1.0).T if hasattr(x, "T") else x, dim=1), lambda x: x.T.sum(1), [(20_000, 7)]),
    "mean": (lambda x: reduce.mean(x), lambda x: x.mean(), [(60_000,)]),
    "mean over rows": (lambda x: reduce.mean(x, dim=0), lambda x: x.mean(0), [(20_000, 7)]),
    "bias": (lambda x, b: e.add(x, b), lambda x, b: x + b, [(20_000, 7), (7,)]),
    "channel bias": (lambda x, b: e.mul(x, b), lambda x, b: x * b, [(64, 5, 14, 14), (1, 5, 1, 1)]),
    "number": (lambda x, b: e.mul(x, b), lambda x, b: x * b, [(30_000,), ()]),
    "prod": (lambda x: reduce.prod(e.add(e.mul(x, 0.01), 1.0), 1), lambda x: (x * 0.01 + 1).prod(1), [(5, 3_000)]),
    "cumsum": (lambda x: reduce.cumsum(x, dim=1), lambda x: x.cumsum(1), [(3, 20_000)]),
    "cumsum of rows": (lambda x: reduce.cumsum(x, dim=0), lambda x: x.cumsum(0), [(20_000, 3)]),
    "var": (lambda x: reduce.var(e.add(x, 100.0)), lambda x: (x + 100).var(), [(30_000,)]),
    "var over rows": (lambda x: reduce.var(x, dim=0), lambda x: x.var(0), [(20_000, 5)]),
    "std": (lambda x: reduce.std(e.add(x, 100.0), dim=1), lambda x: (x + 100).std(1), [(4, 20_000)]),
    "norm": (lambda x: reduce.norm(x), lambda x: torch.linalg.vector_norm(x), [(60_000,)]),
    "norm over rows": (lambda x: reduce.norm(x, 2.0, 0), lambda x: torch.linalg.vector_norm(x, 2, 0), [(20_000, 5)]),
    "3-norm": (lambda x: reduce.norm(x, 3.0), lambda x: torch.linalg.vector_norm(x, 3.0), [(30_000,)]),
    "logsumexp": (lambda x: reduce.logsumexp(x, dim=1), lambda x: x.logsumexp(1), [(4, 20_000)]),
    "logsumexp of rows": (lambda x: reduce.logsumexp(x, dim=0), lambda x: x.logsumexp(0), [(20_000, 4)]),
    "softmax": (lambda x: reduce.softmax(x, dim=-1), lambda x: x.softmax(-1), [(4, 20_000)]),
    "softmax of rows": (lambda x: reduce.softmax(x, dim=0), lambda x: x.softmax(0), [(20_000, 4)]),
    "log_softmax": (lambda x: reduce.log_softmax(x, dim=-1), lambda x: x.log_softmax(-1), [(4, 20_000)]),
    "log_softmax of rows": (lambda x: reduce.log_softmax(x, dim=0), lambda x: x.log_softmax(0), [(20_000, 4)]),
    "matmul": (lambda a, b: linalg.matmul(a, b), lambda a, b: a @ b, [(60, 4_000), (4_000, 50)]),
    "matmul, vectors": (lambda a, b: linalg.matmul(a, b), lambda a, b: a @ b, [(30_000,), (30_000,)]),
    "matmul, batch": (lambda a, b: linalg.matmul(a, b), lambda a, b: a @ b, [(30, 20, 500), (500, 8)]),
    "linear": (
        lambda x, w, b: linalg.linear(x, w, b), torch.nn.functional.linear, [(3_000, 64), (32, 64), (32,)]),
}  # fmt: skip


def error(a: list[np.ndarray], truth: list[np.ndarray]) -> float:
    """Return the root mean square of a - truth, over all draws, in units of max|truth|."""
    far, size = (
        np.concatenate([np.ravel(x - y) for x, y in zip(a, truth, strict=True)]),
        np.concatenate(list(map(np.ravel, truth))),
    )
    return float(np.sqrt(np.mean(np.square(far))) / np.max(np.abs(size)))


def ours(call: Any, arrays: list[np.ndarray], seed: np.ndarray) -> list[np.ndarray]:
    tensors = [mg.tensor(a, requires_grad=True) for a in arrays]
    y = call(*tensors)
    return [y._data, *(g._data for g in grad(y, tensors, mg.tensor(seed)))]


def theirs(call: Any, arrays: list[np.ndarray], seed: np.ndarray) -> list[np.ndarray]:
    tensors = [torch.from_numpy(a.copy()).requires_grad_() for a in arrays]
    y = call(*tensors)
    return [y.detach().numpy(), *(g.numpy() for g in torch.autograd.grad(y, tensors, torch.from_numpy(seed)))]


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("kind", ["normal", "uniform"])
def test_the_error_is_at_most_twice_pytorchs(name, kind):
    call, oracle, shapes = LARGE[name]
    found: list[list[tuple[np.ndarray, ...]]] = []
    single = () in (*shapes, oracle(*(torch.zeros(s) for s in shapes)).shape)
    for draw in range(8 if single else 1):  # the error of one number alone is luck
        rng = np.random.default_rng(draw)
        arrays = [
            np.asarray(getattr(rng, "standard_normal" if kind == "normal" else "random")(s), np.float32) for s in shapes
        ]
        seed = np.asarray(rng.random(oracle(*map(torch.from_numpy, arrays)).shape), np.float32)
        truth = theirs(oracle, [a.astype(np.float64) for a in arrays], seed.astype(np.float64))
        mine = ours(call, arrays, seed)
        assert {a.dtype for a in mine} == {np.dtype(np.float32)}
        found.append(list(zip(mine, theirs(oracle, arrays, seed), truth, strict=True)))
    for draws in zip(*found, strict=True):
        a, b, exact = (list(x) for x in zip(*draws, strict=True))
        assert error(a, exact) <= max(2 * error(b, exact), 2 * 2.0**-24)


@for_every_op(s for s in SAMPLES if s.oracle and not s.kink)
def test_the_error_of_every_op_is_at_most_twice_pytorchs(sample):
    """Of values and gradients, in the root mean square over several draws of the sample's inputs."""
    found: list[list[tuple[np.ndarray, ...]]] = []
    for draw in range(4):
        arrays = [
            np.asarray(a * np.float32(1 - draw / 11)) if a.dtype.kind == "f" else a for a in sample.arrays(np.float32)
        ]
        wide = [a.astype(np.float64) if a.dtype.kind == "f" else a for a in arrays]
        sides = [test_ops_oracle.ours(sample, arrays), *(test_ops_oracle.theirs(sample, a) for a in (arrays, wide))]
        found.append(list(zip(*([*values, *slopes] for values, slopes in sides), strict=True)))
    for draws in zip(*found, strict=True):
        a, b, exact = (list(x) for x in zip(*draws, strict=True))
        if a[0].dtype.kind == "f" and a[0].size and np.isfinite(exact).all() and np.any(exact):
            assert error(a, exact) <= max(2 * error(b, exact), 2 * 2.0**-24)


EXTREMES = [
    s * v for v in (0.0, 1e-40, 1e-8, 1e-3, 0.5, 1.0, 20.0, 88.0, 89.0, 709.0, 1e4, 1e38, np.inf) for s in (1, -1)
]
FLOOR = {np.float32: 1.2e-38, np.float64: 1e-80}  # below: subnormal, or beyond the oracle's own erf
CURVES: dict[str, tuple[Any, Any]] = {
    "sigmoid": (e.sigmoid, lambda x: x.sigmoid()),
    "softplus": (e.softplus, lambda x: torch.nn.functional.softplus(x)),
    "gelu": (e.gelu, lambda x: torch.nn.functional.gelu(x)),
    "gelu, tanh": (lambda x: e.gelu(x, "tanh"), lambda x: torch.nn.functional.gelu(x, approximate="tanh")),
    "tanh": (e.tanh, lambda x: x.tanh()),
    "elu": (e.elu, lambda x: torch.nn.functional.elu(x)),
    "silu": (e.silu, lambda x: torch.nn.functional.silu(x)),
    "erf": (e.erf, lambda x: x.erf()),
    "exp": (e.exp, lambda x: x.exp()),
    "expm1": (e.expm1, lambda x: x.expm1()),
    "relu": (e.relu, lambda x: x.relu()),
    "leaky_relu": (e.leaky_relu, lambda x: torch.nn.functional.leaky_relu(x)),
    "log_softmax": (lambda x: reduce.log_softmax(_beside_zero(x), dim=-1), lambda x: _beside_zero(x).log_softmax(-1)),
    "softmax": (lambda x: reduce.softmax(_beside_zero(x), dim=-1), lambda x: _beside_zero(x).softmax(-1)),
    "logsumexp": (lambda x: reduce.logsumexp(_beside_zero(x), dim=-1), lambda x: _beside_zero(x).logsumexp(-1)),
}
"""Curves of one variable; the last three take the pair (x, 0)."""


def _beside_zero(x: Any) -> Any:
    return (mg if isinstance(x, mg.Tensor) else torch).stack([x, x * 0.0], -1)


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("kind", [np.float32, np.float64], ids=["single", "double"])
def test_the_extremes_are_right_in_value_and_slope(name, kind):
    """Within 4 units in the last place, or nearer than twice PyTorch's own distance; never nan or inf by mistake."""
    call, oracle = CURVES[name]
    x = np.array(EXTREMES, kind)
    seed = np.ones(oracle(torch.from_numpy(x)).shape, kind)
    if seed.ndim > 1:
        seed[:, 1] = 0
    truth = theirs(oracle, [x.astype(np.float64)], seed.astype(np.float64))
    for a, b, exact in zip(ours(call, [x], seed), theirs(oracle, [x], seed), truth, strict=True):
        with np.errstate(all="ignore"):
            rounded = exact.astype(kind)
            far = np.abs(a - exact)
            allowed = np.maximum(4 * np.spacing(np.abs(rounded)), 2 * np.abs(b - exact)) + FLOOR[kind]
            wrong = ~((a == rounded) | np.isnan(exact) | (np.isfinite(a) & (far <= allowed)))
        assert not wrong.any(), [(EXTREMES[i], a[i], exact[i]) for i in np.unique(np.nonzero(wrong)[0])]

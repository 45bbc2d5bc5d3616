"""float16: sums, norms and losses are computed in float32 and rounded at the end, as PyTorch's are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = pytest.mark.oracle

RNG = np.random.default_rng(0)
ONES = np.ones(70000, np.float16)
WIDE = (RNG.normal(size=(40, 300)) * 60).astype(np.float16)  # the sum of their squares is more than float16 can hold
LABELS = RNG.integers(0, 300, 40)
IMAGES = (RNG.normal(size=(4, 8, 6, 6)) * 5000).astype(np.float16)
VOLUMES = RNG.normal(size=(2, 4, 5, 5)).astype(np.float16)

Case = tuple[str, Any, Callable[[Any, Any], Any]]
CASES: list[Case] = [
    ("mean of ones", ONES, lambda m, x: x.mean()),
    ("sum", WIDE, lambda m, x: x.sum()),
    ("sum 0", WIDE, lambda m, x: x.sum(0)),
    ("sum transposed", WIDE, lambda m, x: x.t().sum(1)),
    ("mean 0", WIDE, lambda m, x: x.mean(0)),
    ("mean 1", WIDE, lambda m, x: x.mean(1, keepdim=True)),
    ("var of ones", ONES, lambda m, x: x.var()),
    ("var", WIDE, lambda m, x: x.var()),
    ("var 0", WIDE, lambda m, x: x.var(0)),
    ("var 1", WIDE, lambda m, x: x.var(1, unbiased=False)),
    ("var_mean", WIDE, lambda m, x: m.var_mean(x, dim=1)[0]),
    ("std", WIDE, lambda m, x: x.std(0)),
    ("norm of ones", ONES, lambda m, x: x.norm()),
    ("norm", WIDE, lambda m, x: x.norm()),
    ("norm 1", WIDE, lambda m, x: x.norm(dim=1)),
    ("norm p=1", WIDE, lambda m, x: x.norm(p=1, dim=1)),
    ("norm p=3", WIDE, lambda m, x: x.norm(p=3, dim=1).detach()),
    ("vector_norm", WIDE, lambda m, x: m.linalg.vector_norm(x, dim=0)),
    ("normalize", WIDE, lambda m, x: m.nn.functional.normalize(x, dim=1).detach()),
    ("cosine_similarity", WIDE, lambda m, x: m.nn.functional.cosine_similarity(x, x * 0.5 + 1).detach()),
    ("pairwise_distance", WIDE, lambda m, x: m.nn.functional.pairwise_distance(x, x * 0.5)),
    ("dist", WIDE, lambda m, x: m.dist(x, x * 0.3)),
    ("softmax", WIDE / 20, lambda m, x: x.softmax(1)),
    ("softmax 0", WIDE / 20, lambda m, x: x.softmax(0)),
    ("log_softmax", WIDE / 20, lambda m, x: x.log_softmax(1)),
    ("logsumexp", WIDE / 20, lambda m, x: x.logsumexp(1)),
    ("softplus", np.array([12.0, 15.0, 30.0], np.float16), lambda m, x: m.nn.functional.softplus(x)),
    ("cross_entropy", WIDE / 20, lambda m, x: m.nn.functional.cross_entropy(x, m.from_numpy(LABELS))),
    ("cross_entropy sum", WIDE, lambda m, x: m.nn.functional.cross_entropy(x, m.from_numpy(LABELS), reduction="sum")),
    ("nll_loss", WIDE / 20, lambda m, x: m.nn.functional.nll_loss(x.log_softmax(1), m.from_numpy(LABELS))),
    ("l1_loss", WIDE, lambda m, x: m.nn.functional.l1_loss(x, m.ones_like(x))),
    ("mse_loss", WIDE / 20, lambda m, x: m.nn.functional.mse_loss(x, m.ones_like(x))),
    ("smooth_l1_loss", WIDE, lambda m, x: m.nn.functional.smooth_l1_loss(x, m.ones_like(x))),
    ("huber_loss", WIDE, lambda m, x: m.nn.functional.huber_loss(x, m.ones_like(x))),
    ("bce", WIDE, lambda m, x: m.nn.functional.binary_cross_entropy_with_logits(x, m.ones_like(x))),
    (
        "kl_div",
        WIDE / 20,
        lambda m, x: m.nn.functional.kl_div(x.log_softmax(1), m.ones_like(x) / 300, reduction="batchmean"),
    ),
    ("layer_norm", WIDE, lambda m, x: m.nn.functional.layer_norm(x, (300,))),
    ("rms_norm", WIDE, lambda m, x: m.nn.functional.rms_norm(x, (300,))),
    ("rms_norm small", WIDE / 5000, lambda m, x: m.nn.functional.rms_norm(x, (300,), m.ones(300).to(x.dtype), 1e-7)),
    ("batch_norm", WIDE, lambda m, x: m.nn.functional.batch_norm(x, None, None, training=True)),
    ("group_norm", IMAGES / 100, lambda m, x: m.nn.functional.group_norm(x, 2)),
    ("avg_pool2d", IMAGES, lambda m, x: m.nn.functional.avg_pool2d(x, 3)),
    ("adaptive_avg_pool2d", IMAGES, lambda m, x: m.nn.functional.adaptive_avg_pool2d(x, 1)),
    ("bilinear", VOLUMES, lambda m, x: m.nn.functional.interpolate(x, scale_factor=2, mode="bilinear")),
    ("nearest", VOLUMES, lambda m, x: m.nn.functional.interpolate(x, size=(3, 9))),
]


def computed(m: Any, array: Any, function: Callable[[Any, Any], Any]) -> list[Any]:
    """Return the result and, for an uneven gradient of it, the gradient of the input, as float64."""
    x = m.from_numpy(array).requires_grad_()
    y = function(m, x)
    assert str(y.dtype) == str(x.dtype)
    if not y.requires_grad:
        return [y.numpy().astype(np.float64)]
    y.backward(m.from_numpy((np.arange(y.numel()) % 7 / 7 + 0.25).reshape(tuple(y.shape)).astype(array.dtype)))
    return [t.detach().numpy().astype(np.float64) for t in (y, x.grad)]


@pytest.mark.parametrize(("name", "array", "function"), CASES, ids=[c[0] for c in CASES])
def test_as_near_to_the_truth_as_pytorch(name: str, array: Any, function: Callable[[Any, Any], Any]) -> None:
    """At most four times as far from what float64 gives as PyTorch is, whose rules round once where ours do thrice."""
    half = array.astype(np.float16)
    results = zip(
        computed(mg, half, function),
        computed(torch, half, function),
        computed(torch, half.astype(np.float64), function),
        strict=True,
    )
    for ours, theirs, truth in results:
        assert np.isfinite(theirs).all()
        step = np.abs(truth).max() * 2.0**-11
        assert np.abs(ours - truth).max() <= 4 * np.abs(theirs - truth).max() + step

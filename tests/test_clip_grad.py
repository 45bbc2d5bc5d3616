"""Clipping gradients, against PyTorch."""

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="the oracle is not installed")


def clipped(m, dtype, clip):
    """Return what `clip(utils, parameters)` returns and the gradients it leaves."""
    rng = np.random.default_rng(0)
    params = [m.tensor(np.zeros(s, dtype), requires_grad=True) for s in ((3, 4), (), (5,), (2,))]
    for p in params[:3]:
        p.grad = m.tensor(np.asarray(rng.standard_normal(tuple(p.shape)), dtype))
    total = clip(m.nn.utils, params)
    return [None if total is None else total.numpy()] + [None if p.grad is None else p.grad.numpy() for p in params]


CALLS = {
    **{
        f"norm {kind}, at most {most}": lambda u, ps, k=kind, m=most: u.clip_grad_norm_(ps, m, k)
        for kind in (2.0, 1, 0.5, 3.0, math.inf, "inf", -math.inf, 0.0)
        for most in (0.5, 100.0)
    },
    "one tensor": lambda u, ps: u.clip_grad_norm_(ps[0], 0.3),
    "a generator": lambda u, ps: u.clip_grad_norm_((p for p in ps), max_norm=0.3, norm_type=2, foreach=False),
    "no gradients": lambda u, ps: u.clip_grad_norm_(ps[3:], 1.0),
    "value": lambda u, ps: u.clip_grad_value_(ps, clip_value=0.2),
    "value of one": lambda u, ps: u.clip_grad_value_(ps[0], 1),
    "total": lambda u, ps: u.get_total_norm([p.grad for p in ps[:3]], 3),
    "total of one": lambda u, ps: u.get_total_norm(ps[0].grad),
    "total of none": lambda u, ps: u.get_total_norm([]),
    "by a given norm": lambda u, ps: u.clip_grads_with_norm_(ps, 1.0, u.get_total_norm(ps[0].grad)),
}


@pytest.mark.oracle
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CALLS)
def test_clipping_is_torchs(torch, name, dtype):
    for ours, theirs in zip(clipped(mg, dtype, CALLS[name]), clipped(torch, dtype, CALLS[name]), strict=True):
        if theirs is None:
            assert ours is None
        else:
            assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
            np.testing.assert_allclose(ours, theirs, rtol=1e-6 if dtype == np.float32 else 1e-14)


def test_a_generator_that_was_used_up_is_warned_of():
    with pytest.warns(UserWarning, match="empty generator, no gradient clipping"):
        nn.utils.clip_grad_norm_(iter(()), 1.0)


def test_a_norm_that_is_not_finite_is_an_error_if_asked_for():
    w = mg.zeros(2, requires_grad=True)
    w.grad = mg.tensor([math.inf, 1.0])
    assert nn.utils.get_total_norm(w.grad).item() == math.inf
    with pytest.raises(RuntimeError, match="non-finite, so it cannot be clipped"):
        nn.utils.get_total_norm([w.grad], error_if_nonfinite=True)

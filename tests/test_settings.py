"""Numbers given as 0-d tensors: taken where PyTorch takes them, refused where a gradient would be lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = pytest.mark.oracle


def x(m: Any) -> Any:
    return m.tensor([1.0, -2.0, 3.0])


def stepped(m: Any, name: str, **settings: Any) -> Any:
    p = m.nn.Parameter(m.tensor([1.0, 2.0]))
    optimizer = getattr(m.optim, name)([p], **settings)
    for _ in range(2):
        p.grad = m.ones(2)
        optimizer.step()
    return p.detach()


# Each of `v` makes a 0-d tensor of a number.
TAKEN: dict[str, Callable[[Any, Callable[[Any], Any]], Any]] = {
    "full": lambda m, v: m.full((2,), v(2.0)),
    "full of ints": lambda m, v: m.full((2,), v(2)),
    "full_like": lambda m, v: m.full_like(x(m), v(2.0)),
    "new_full": lambda m, v: x(m).new_full((2,), v(2.0)),
    "arange": lambda m, v: m.arange(v(1), v(7), v(2)),
    "linspace": lambda m, v: m.linspace(v(0.0), v(2.0), 3),
    "logspace": lambda m, v: m.logspace(0, v(2.0), 3),
    "add alpha": lambda m, v: m.add(x(m), x(m), alpha=v(2.0)),
    "add_ alpha": lambda m, v: x(m).add_(x(m), alpha=v(2.0)),
    "addcmul": lambda m, v: m.addcmul(x(m), x(m), x(m), value=v(2.0)),
    "addmm": lambda m, v: m.addmm(m.ones(2, 2), m.ones(2, 2), m.ones(2, 2), beta=v(2.0), alpha=v(0.5)),
    "leaky_relu": lambda m, v: m.nn.functional.leaky_relu(x(m), v(0.1)),
    "elu": lambda m, v: m.nn.functional.elu(x(m), v(0.1)),
    "softplus": lambda m, v: m.nn.functional.softplus(x(m), v(2.0)),
    "threshold": lambda m, v: m.nn.functional.threshold(x(m), v(1.5), v(2.0)),
    "norm": lambda m, v: x(m).norm(v(3.0)),
    "pad": lambda m, v: m.nn.functional.pad(x(m), (1, 1), value=v(7.0)),
    "layer_norm": lambda m, v: m.nn.functional.layer_norm(x(m), (3,), eps=v(0.1)),
    "label smoothing": lambda m, v: m.nn.functional.cross_entropy(x(m), m.tensor(1), label_smoothing=v(0.1)),
    "huber_loss": lambda m, v: m.nn.functional.huber_loss(x(m), x(m) * 2, delta=v(1.0)),
    "SGD": lambda m, v: stepped(m, "SGD", lr=v(0.1)),
    "SGD momentum": lambda m, v: stepped(m, "SGD", lr=0.1, momentum=v(0.9), weight_decay=v(0.1)),
    "Adam": lambda m, v: stepped(m, "Adam", lr=v(0.1)),
    "clip_grad_norm_": lambda m, v: m.nn.utils.clip_grad_norm_([m.nn.Parameter(x(m))], v(1.0)),
    "constant_": lambda m, v: m.nn.init.constant_(m.zeros(2), v(1.0)),
    "normal_": lambda m, v: m.zeros(16).normal_(v(3.0), v(0.0)),
    "uniform_": lambda m, v: m.zeros(2).uniform_(v(3.0), v(3.0)),
    "bernoulli_": lambda m, v: m.zeros(2).bernoulli_(v(1.0)),
    "nan_to_num": lambda m, v: m.nan_to_num(x(m) / 0 * 0, nan=v(5.0)),
    "allclose": lambda m, v: m.tensor(m.allclose(x(m), x(m) + 0.05, rtol=v(0.1))),
    "topk": lambda m, v: m.topk(x(m), v(2)).values,
    "sum": lambda m, v: m.sum(x(m), v(0)),
    "reshape": lambda m, v: x(m).reshape(v(3), 1),
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_setting_may_be_a_tensor(name: str) -> None:
    ours, theirs = (TAKEN[name](m, m.tensor) for m in (mg, torch))
    assert str(ours.dtype).split(".")[1] == str(theirs.dtype).split(".")[1]
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-6)


@pytest.mark.parametrize("name", ["full", "full_like", "new_full", "arange"])
def test_a_gradient_is_not_silently_lost(name: str) -> None:
    for m in (mg, torch):
        with pytest.raises(TypeError):
            TAKEN[name](m, lambda value, m=m: m.tensor(float(value), requires_grad=True))


def test_the_message_says_what_to_do() -> None:
    value = mg.tensor(2.0, requires_grad=True)
    with pytest.raises(TypeError, match=r"'fill_value' must be Number, not Tensor.*value.detach\(\)"):
        mg.full((2,), value)
    assert mg.full((2,), value.detach()).tolist() == [2.0, 2.0]


def test_bernoulli_of_probabilities_that_require_grad() -> None:
    for m in (mg, torch):
        assert m.zeros(2).bernoulli_(m.ones(2, requires_grad=True)).tolist() == [1.0, 1.0]

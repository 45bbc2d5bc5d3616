"""Small things that programs see: words of index errors, signs of zeros, names of nodes, views that may be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import minigrad as mg

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = pytest.mark.oracle


def zeros(m: Any) -> Any:
    return m.zeros(3, 4)


OUTSIDE: dict[str, Callable[[Any], Any]] = {
    "row": lambda m: zeros(m)[5],
    "negative": lambda m: zeros(m)[-4],
    "column": lambda m: zeros(m)[0, 7],
    "column of all": lambda m: zeros(m)[:, 7],
    "too many": lambda m: zeros(m)[0, 0, 0],
    "tensor": lambda m: zeros(m)[m.tensor([0, 5])],
    "list": lambda m: zeros(m)[[0, 5]],
    "0-d": lambda m: m.tensor(1.0)[0],
    "mask": lambda m: zeros(m)[m.zeros(2, dtype=m.bool)],
    "wide mask": lambda m: zeros(m)[m.zeros(3, 5, dtype=m.bool)],
    "dim": lambda m: zeros(m).sum(3),
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_index_errors_have_pytorchs_words(name: str) -> None:
    with pytest.raises(IndexError) as theirs:
        OUTSIDE[name](torch)
    with pytest.raises(IndexError) as ours:
        OUTSIDE[name](mg)
    assert str(theirs.value) in str(ours.value)


@pytest.mark.parametrize("name", ["elu", "selu", "celu", "relu", "leaky_relu", "gelu", "silu", "hardswish", "mish"])
def test_signs_of_zeros(name: str) -> None:
    ours, theirs = (str(getattr(m.nn.functional, name)(m.tensor([-0.0, 0.0, -1.0, 2.0]))) for m in (mg, torch))
    assert ours == theirs


@pytest.mark.parametrize("settings", [{}, {"reduction": "sum"}, {"label_smoothing": 0.1}])
def test_the_gradient_of_an_ignored_row_is_not_minus_zero(settings: dict[str, Any]) -> None:
    shown = []
    for m in (mg, torch):
        x = m.tensor([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]], requires_grad=True)
        m.nn.functional.cross_entropy(x, m.tensor([1, 0]), ignore_index=1, **settings).backward()
        shown.append(str(x.grad))
    assert shown[0] == shown[1]


def test_the_order_of_a_plateaus_state() -> None:
    states = []
    for m in (mg, torch):
        optimizer = m.optim.SGD([m.nn.Parameter(m.ones(1))], lr=0.1)
        states.append(m.optim.lr_scheduler.ReduceLROnPlateau(optimizer, "max", 0.5, 3).state_dict())
    assert str(states[0]) == str(states[1])


def test_names_of_what_cells_return() -> None:
    for cell in ("LSTMCell", "GRUCell", "RNNCell"):
        names = []
        for m in (mg, torch):
            found = getattr(m.nn, cell)(2, 3)(m.ones(1, 2))
            names.append((found[0] if isinstance(found, tuple) else found).grad_fn.name())
        assert names[0] == names[1]
    assert mg.nn.RNNCell(2, 3, nonlinearity="relu")(mg.ones(1, 2)).grad_fn.name() == "ReluBackward0"


EXPANDED: dict[str, Callable[[Any, Any], Any]] = {
    "the same": lambda m, x: x.expand(2, 3),
    "-1": lambda m, x: x.expand(-1, 3),
    "expand_as": lambda m, x: x.expand_as(x),
    "broadcast_to": lambda m, x: x.broadcast_to((2, 3)),
    "broadcast_tensors": lambda m, x: m.broadcast_tensors(x, m.zeros(3))[0],
    "a dim of 1 more": lambda m, x: x.expand(1, 2, 3)[0],
}


@pytest.mark.parametrize("name", EXPANDED)
def test_what_is_not_repeated_may_be_written(name: str) -> None:
    for m in (mg, torch):
        x = m.zeros(2, 3)
        y = EXPANDED[name](m, x)
        y[0, 1] = 5.0
        assert x.tolist() == y.tolist() == [[0.0, 5.0, 0.0], [0.0, 0.0, 0.0]]
        leaf = m.ones(2, 3, requires_grad=True)
        base = leaf * 2
        view = EXPANDED[name](m, base)
        view.mul_(3)
        base.sum().backward()
        assert leaf.grad.tolist() == [[6.0] * 3] * 2


def test_what_is_repeated_may_not() -> None:
    for m in (mg, torch):
        with pytest.raises(RuntimeError, match="more than one element of the written-to tensor"):
            m.zeros(2, 1).expand(2, 3).add_(1)

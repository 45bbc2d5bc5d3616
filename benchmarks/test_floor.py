"""The products of the floor are those that PyTorch's own counter finds in the same step."""

from __future__ import annotations

import pytest

from benchmarks.floor import multiplications, products
from benchmarks.workloads import WORKLOADS, side

# Its counter does not know the LSTM, whose products are counted by hand below.
NAMES = [n for n, w in WORKLOADS.items() if w.kind in ("training", "inference") and n != "char-rnn"]


@pytest.mark.parametrize("name", NAMES)
def test_products_are_those_pytorch_counts(name: str) -> None:
    pytest.importorskip("torch", reason="the oracle is not installed")
    from torch.utils.flop_counter import FlopCounterMode

    step = WORKLOADS[name].build(side("torch"))
    with FlopCounterMode(display=False) as counter:
        step()
    found = products(WORKLOADS[name].build(side("minigrad")))
    assert 2 * multiplications(found) == counter.get_total_flops()
    assert all(len({q * m * k * n for q, m, k, n in layouts}) == 1 for layouts in found)


def test_products_of_an_lstm() -> None:
    batch, steps, inputs, hidden, letters = 32, 64, 64, 128, 65
    each = batch * steps
    lstm = 3 * each * 4 * hidden * (inputs + hidden)  # forward, and the gradients of input and weight
    head = 3 * each * hidden * letters
    assert multiplications(products(WORKLOADS["char-rnn"].build(side("minigrad")))) == lstm + head

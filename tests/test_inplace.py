"""In-place operations: what is recorded, what must not raise, what must."""

import numpy as np
import pytest

import minigrad as mg


def test_assigning_rows_in_a_loop_lets_gradients_flow():
    r = mg.tensor([1.0, 2.0], requires_grad=True)
    out = mg.zeros(3, 2)
    for t in range(3):
        out[t] = r * t
    (out * out).sum().backward()
    np.testing.assert_allclose(r.grad.numpy(), 2 * np.array([1.0, 2.0]) * (0 + 1 + 4))


def test_a_write_through_a_view_changes_the_gradient_of_its_base():
    x = mg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = x * 1
    v = y[0]
    v *= 3
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [[3, 3], [1, 1]])


def test_a_changed_saved_value_raises_and_names_the_op():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = x.exp()
    y.add_(1)
    with pytest.raises(RuntimeError, match=r"exp.*modified by an inplace operation.*'y'"):
        y.sum().backward()

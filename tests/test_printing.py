"""Tensors as text, against PyTorch's."""

import numpy as np
import pytest

import minigrad as mg

CASES = [
    np.array(3.0), np.array(0.1234567), np.array(7), np.array(True), np.array(np.nan), np.array(np.inf),
    np.array([8.0, 12.0]), np.array([[8.0, 12.0], [-8.0, 120.0]]), np.array([1.0, 1.5]), np.array([1e-5, 1.0]),
    np.array([1.0, 2e9]), np.array([0.5, 2000.5]), np.array([np.nan, 1.5, np.inf, -np.inf]), np.array([np.nan, 1.0]),
    np.array([np.nan, np.inf]), np.array([0.0, 0.0]), np.array([0.0, 0.25]), np.array([1, -20, 300]),
    np.array([True, False]), np.zeros((0,)), np.zeros((2, 0)), np.arange(30.0), np.arange(2000.0),
    np.arange(24.0).reshape(2, 3, 4) / 7, np.arange(4000.0).reshape(40, 100) / 3, np.arange(1200).reshape(2, 600),
    np.linspace(-1, 1, 17), np.array([1e-10, 1e10]), np.array([100000.0, 1.0]), np.array([123456789.0]),
]  # fmt: skip


@pytest.mark.oracle
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("number", range(len(CASES)))
def test_tensors_print_as_in_pytorch(number, dtype):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    array = CASES[number]
    array = array.astype(dtype) if array.dtype.kind == "f" else array
    assert repr(mg.tensor(array)).replace("minigrad.", "torch.") == repr(torch.tensor(array))


def test_what_is_said_beside_the_values():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    assert repr(x) == "tensor([1., 2.], requires_grad=True)"
    assert repr(x * 2) == "tensor([2., 4.], grad_fn=<MulBackward0>)"
    assert repr(mg.tensor([1], dtype=mg.int32)) == "tensor([1], dtype=minigrad.int32)"
    assert repr(mg.zeros(2, 0)) == "tensor([], size=(2, 0))"
    assert f"{(x * x).sum():.2f}" == "5.00"

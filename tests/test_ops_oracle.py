"""Every op against PyTorch: values and gradients in single precision, and what becomes of inf, nan and zero."""

from __future__ import annotations

import numpy as np
import pytest
from op_samples import SAMPLES
from op_samples_base import Sample
from op_tests import for_every_op
from test_ops import direction, leaves, several

from minigrad.autograd import grad
from minigrad.tensor import wrap

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = pytest.mark.oracle


def ours(sample: Sample, arrays: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the outputs and the gradients."""
    tensors = leaves(sample, arrays)
    outputs = several(sample.call(*tensors))
    carrying = [y for y in outputs if y.requires_grad]
    seeds = [wrap(direction(y, i)) for i, y in enumerate(carrying)]
    inputs = [t for t in tensors if t.requires_grad]
    return [y._data for y in outputs], [g._data for g in grad(carrying, inputs, seeds)] if carrying else []


def theirs(sample: Sample, arrays: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the outputs and the gradients that PyTorch computes."""
    places = sample.differentiable()
    tensors = [torch.from_numpy(a.copy()).requires_grad_(i in places) for i, a in enumerate(arrays)]
    outputs = several(sample.oracle(torch, *tensors))
    carrying = [y for y in outputs if y.requires_grad]
    seeds = [torch.from_numpy(direction(wrap(y.detach().numpy()), i)) for i, y in enumerate(carrying)]
    inputs = [t for t in tensors if t.requires_grad]
    found = torch.autograd.grad(carrying, inputs, seeds) if carrying else ()
    return [y.detach().numpy() for y in outputs], [g.numpy() for g in found]


def close_in_size(a: np.ndarray, b: np.ndarray) -> bool:
    """Return whether max|a - b| <= 1e-5 max|b|, or is below what single precision resolves at 1."""
    return a.shape == b.shape and (
        not b.size or bool(np.max(np.abs(a - b)) <= max(1e-5 * np.max(np.abs(b)), 4 * np.finfo(b.dtype).eps))
    )


@for_every_op(s for s in SAMPLES if s.oracle)
def test_values_and_gradients_are_those_of_pytorch(sample):
    arrays = sample.arrays(np.float32)
    (values, slopes), (expected, expected_slopes) = ours(sample, arrays), theirs(sample, arrays)
    for a, b in zip(values, expected, strict=True):
        torch.testing.assert_close(torch.from_numpy(np.array(a)), torch.from_numpy(np.array(b)), equal_nan=True)
    for a, b in zip(slopes, expected_slopes, strict=True):
        assert a.dtype == b.dtype
        assert close_in_size(np.nan_to_num(a), np.nan_to_num(b))
        np.testing.assert_array_equal(np.isnan(a), np.isnan(b))


MIXTURES = {"nan": [np.nan, 0.0], "inf": [np.inf, -np.inf, 0.0, -0.0]}


def sprinkled(arrays: list[np.ndarray], values: list[float]) -> list[np.ndarray]:
    """Return the arrays with about every other float replaced by one of `values`."""
    rng = np.random.default_rng(len(values))
    return [
        np.where(rng.random(a.shape) < 0.5, rng.choice(values, a.shape), a) if a.dtype.kind == "f" else a
        for a in arrays
    ]


@for_every_op(s for s in SAMPLES if s.oracle and s.special)
def test_inf_nan_and_zero_go_the_way_they_go_in_pytorch(sample):
    for mixture in sample.special:
        arrays = sprinkled(sample.arrays(), MIXTURES[mixture])
        (values, slopes), (expected, expected_slopes) = ours(sample, arrays), theirs(sample, arrays)
        for a, b in zip(values + slopes, expected + expected_slopes, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12, err_msg=mixture)

"""arange and linspace against PyTorch's, bit for bit."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import minigrad as mg
from minigrad.kernels.ranges import multiply_add

numbers = st.floats(-1e4, 1e4).filter(lambda x: x == 0 or abs(x) > 1e-3)


@pytest.mark.oracle
@given(numbers, st.integers(0, 400), st.one_of(st.sampled_from([0.1, 0.5, -0.01, 1 / 3, 1.0]), numbers), st.booleans())
@settings(max_examples=300, deadline=None)
def test_arange_is_rounded_as_pytorchs(start, count, step, double):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    step = step or 1.0
    for dtype in ("float32", "float64")[double:]:
        ours = mg.arange(start, start + count * step, step, dtype=getattr(mg, dtype))
        theirs = torch.arange(start, start + count * step, step, dtype=getattr(torch, dtype))
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.oracle
@given(numbers, numbers, st.integers(0, 300), st.sampled_from(["float32", "float64", "float16", "int64", "int32"]))
@settings(max_examples=300, deadline=None)
def test_linspace_is_rounded_as_pytorchs(start, end, steps, dtype):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    if dtype.startswith("int"):
        start, end = int(start), int(end)
    ours = mg.linspace(start, end, steps, dtype=getattr(mg, dtype) if dtype[0] == "f" else np.dtype(dtype))
    theirs = torch.linspace(start, end, steps, dtype=getattr(torch, dtype))
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.oracle
@pytest.mark.parametrize(
    "bounds", [(5,), (2, 9), (2, 20, 3), (9, 2, -2), (0.0, 1.0, 0.1), (1.0,), (5, 0.0, -1), (0, 1, 1e-3)]
)
def test_arange_in_its_natural_dtype(bounds):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    ours, theirs = mg.arange(*bounds).numpy(), torch.arange(*bounds).numpy()
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs)


@given(st.lists(st.fractions(-100, 100, max_denominator=10**6).map(float), min_size=3, max_size=3))
def test_product_and_sum_are_rounded_once(values):
    from fractions import Fraction

    x, factor, term = values
    exact = float(Fraction(x) * Fraction(factor) + Fraction(term))
    assert multiply_add(np.array([x]), factor, term)[0] == exact

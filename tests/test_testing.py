"""`testing.assert_close` and the windows of signal processing, against PyTorch's."""

import math

import numpy as np
import pytest

import minigrad as mg

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = pytest.mark.oracle

PAIRS = {
    "the same": lambda t: (t.tensor([1.0, 2.0]), t.tensor([1.0, 2.0])),
    "close": lambda t: (t.tensor([1.0, 2.0]), t.tensor([1.0, 2.000001])),
    "apart": lambda t: (t.tensor([1.0, 2.0, 4.0]), t.tensor([1.0, 2.5, 5.0])),
    "matrices": lambda t: (t.zeros(2, 2), t.eye(2)),
    "ints": lambda t: (t.tensor([1, 2]), t.tensor([1, 3])),
    "double": lambda t: (t.ones(1, dtype=t.float64), t.ones(1, dtype=t.float64) + 2e-7),
    "0-d": lambda t: (t.tensor(1.0), t.tensor(2.0)),
    "numbers": lambda t: (1.0, 1.25),
    "whole numbers": lambda t: (1, 2),
    "close numbers": lambda t: (1.0, 1.0 + 1e-9),
    "nan": lambda t: (t.tensor([math.nan]), t.tensor([math.nan])),
    "dtype": lambda t: (t.ones(1), t.ones(1, dtype=t.float64)),
    "list": lambda t: ([t.ones(1), t.ones(1)], [t.ones(1), t.zeros(1)]),
    "nested": lambda t: ({"a": [t.ones(1)]}, {"a": [t.zeros(1)]}),
    "lengths": lambda t: ([1.0], [1.0, 2.0]),
    "arrays": lambda t: (np.ones(2), np.zeros(2)),
}


def said(t, pair, **how):
    """Return what the assertion says, or None."""
    try:
        return t.testing.assert_close(*PAIRS[pair](t), **how)
    except AssertionError as error:
        return str(error).replace("minigrad.", "torch.")


@pytest.mark.parametrize(
    "how", [{}, {"rtol": 0.0, "atol": 0.3}, {"rtol": 0.0, "atol": 0.0}, {"equal_nan": True}], ids=str
)
@pytest.mark.parametrize("pair", PAIRS)
def test_what_differs_is_told_as_pytorch_tells_it(pair, how):
    assert said(mg, pair, **how) == said(torch, pair, **how)


def test_shapes_messages_and_tolerances_given_by_halves():
    with pytest.raises(AssertionError, match="attribute 'shape' do not match"):
        mg.testing.assert_close(mg.ones(1), mg.ones(2))
    with pytest.raises(AssertionError, match=r"^mine$"):
        mg.testing.assert_close(1.0, 2.0, msg="mine")
    with pytest.raises(AssertionError, match=r"^mine: Scalars"):
        mg.testing.assert_close(1.0, 2.0, msg=lambda text: f"mine: {text}")
    with pytest.raises(ValueError, match="both be specified"):
        mg.testing.assert_close(1.0, 2.0, rtol=0.1)
    with pytest.raises(AssertionError, match="keys of the mappings do not match"):
        mg.testing.assert_close({"a": 1.0}, {"b": 1.0})


@pytest.mark.parametrize("length", [0, 1, 2, 7, 8])
@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("name", ["bartlett", "blackman", "hamming", "hann", "kaiser"])
def test_windows(name, periodic, length):
    single = 1e-6 if name == "kaiser" else 2e-7  # PyTorch works out the Bessel functions in float32, we do not
    for kind in ("float32", "float64"):
        ours, theirs = (
            getattr(t, f"{name}_window")(length, periodic, dtype=getattr(t, kind)).numpy() for t in (mg, torch)
        )
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, atol=single if kind == "float32" else 1e-14)


def test_windows_of_other_settings():
    ours, theirs = (t.kaiser_window(5, False, 3.0).numpy() for t in (mg, torch))
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    ours, theirs = (t.hamming_window(5, False, 0.6, 0.4).numpy() for t in (mg, torch))
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    with pytest.raises(ValueError, match="non-negative window_length"):
        mg.hann_window(-1)
    with pytest.raises(ValueError, match="floating point dtypes"):
        mg.hann_window(3, dtype=mg.int64)

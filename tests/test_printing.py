"""Tensors as text, against PyTorch's."""

import contextlib
import math
import re

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given, settings

import minigrad as mg
from minigrad import printing
from minigrad.errors import DTypeError

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = pytest.mark.oracle

DTYPES = ["float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]
CASES = [
    np.array(3.0), np.array(0.1234567), np.array(7), np.array(True), np.array(np.nan), np.array(np.inf),
    np.array([8.0, 12.0]), np.array([[8.0, 12.0], [-8.0, 120.0]]), np.array([1.0, 1.5]), np.array([1e-5, 1.0]),
    np.array([1.0, 2e9]), np.array([0.5, 2000.5]), np.array([np.nan, 1.5, np.inf, -np.inf]), np.array([np.nan, 1.0]),
    np.array([np.nan, np.inf]), np.array([0.0, 0.0]), np.array([0.0, 0.25]), np.array([1, -20, 300]),
    np.array([0.0, np.inf]), np.array([0.0, -0.0]), np.array(-0.0), np.array([-0.0, 1.5]), np.array([-0.0, 1e9]),
    np.array([True, False]), np.zeros((0,)), np.zeros((2, 0)), np.zeros((0, 3)), np.zeros((0,), np.int64),
    np.zeros((2, 0), bool), np.arange(30.0), np.arange(2000.0), np.arange(1001), np.arange(1000),
    np.arange(24.0).reshape(2, 3, 4) / 7, np.arange(4000.0).reshape(40, 100) / 3, np.arange(1200).reshape(2, 600),
    np.arange(1200).reshape(600, 2), np.arange(2400).reshape(2, 3, 400), np.arange(4096).reshape(8, 8, 8, 8),
    np.arange(1200.0).reshape(600, 1, 2) * 1e-3, np.arange(1200) % 2 == 0, np.arange(16.0).reshape(2, 2, 2, 2),
    np.linspace(-1, 1, 17), np.array([1e-10, 1e10]), np.array([100000.0, 1.0]), np.array([123456789.0]),
    np.array([1e-4]), np.array([9.9e-5]), np.array([1.0, 1000.0]), np.array([1.0, 1001.0]), np.array([1e8]),
    np.array([0.9999999]), np.array([99.99999]), np.array([1e8 + 8]), np.array([-1e-300, 1e300]), np.array(1e-45),
    np.array([2.0**63, 1.0]), np.array([[1.0, np.nan]] * 3), np.array([1e-3, 0.5, -12.25]), np.array([65504.0, 1.5]),
    np.array([-(2**63), 2**63 - 1]), np.ones((5, 1)), np.ones((1, 1, 1)), np.ones((3, 0, 2)), np.full(2000, 1e-7),
]  # fmt: skip
OPTIONS = [
    {}, {"precision": 2}, {"precision": 10}, {"precision": 0}, {"sci_mode": True}, {"sci_mode": False},
    {"linewidth": 120}, {"linewidth": 20}, {"threshold": 5}, {"threshold": 5, "edgeitems": 1},
    {"threshold": 0, "edgeitems": 0}, {"profile": "short"}, {"profile": "full"}, {"profile": "default"},
    {"profile": "short", "precision": 7}, {"precision": 3, "sci_mode": True, "threshold": 10},
]  # fmt: skip


@contextlib.contextmanager
def speaking(**options):
    """Print as PyTorch, both with the same options."""
    printing.speak_as("torch")
    try:
        with printing.printoptions(**options), torch._tensor_str.printoptions(**options):
            yield
    finally:
        printing.speak_as("minigrad")


def in_dtype(array, name):
    with np.errstate(all="ignore"):
        return array.astype(name) if array.dtype.kind == "f" and np.dtype(name).kind == "f" else array


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_awkward_values_print_as_in_pytorch(options):
    with speaking(**options):
        for array in CASES:
            for name in ("float32", "float64", "float16"):
                a = in_dtype(array, name)
                assert repr(mg.from_numpy(a)) == repr(torch.from_numpy(a)), (a.shape, a.dtype)
        assert printing.get_printoptions() == torch._tensor_str.get_printoptions()
    assert printing.get_printoptions() == torch._tensor_str.get_printoptions()


@st.composite
def arrays(draw):
    shape = tuple(draw(st.lists(st.integers(0, 9), max_size=4)))
    kind = np.dtype(draw(st.sampled_from(DTYPES)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    low = draw(st.integers(-12, 9))
    a = rng.standard_normal(shape) * 10.0 ** rng.uniform(low, low + draw(st.integers(0, 14)), shape)
    a = np.round(a) if draw(st.booleans()) else a
    odd = draw(st.lists(st.sampled_from([0.0, -0.0, np.nan, np.inf, -np.inf, 1.0]), max_size=3))
    for value in odd:
        a = np.where(rng.random(shape) < 0.2, value, a)
    with np.errstate(all="ignore"):
        return np.asarray(a).astype(kind)


@given(
    arrays(),
    st.fixed_dictionaries(
        {
            "precision": st.sampled_from([None, 0, 1, 3, 8]),
            "threshold": st.sampled_from([None, 0, 20, math.inf]),
            "edgeitems": st.sampled_from([None, 0, 1, 2]),
            "linewidth": st.sampled_from([None, 1, 30, 200]),
            "sci_mode": st.sampled_from([None, None, True, False]),
            "profile": st.sampled_from([None, "default", "short", "full"]),
        }
    ),
    st.booleans(),
)
@example(np.zeros(3, np.float16), {"sci_mode": True}, True)
@settings(max_examples=400, deadline=None)
def test_tensors_of_any_shape_dtype_and_size_print_as_in_pytorch(array, options, grad):
    ours, theirs = mg.from_numpy(array), torch.from_numpy(array.copy())
    if grad and array.dtype.kind == "f":
        ours, theirs = ours.requires_grad_(), theirs.requires_grad_()
    with speaking(**options):
        assert repr(ours) == repr(theirs)
        assert str(ours) == str(theirs)


def both(text):
    """Evaluate a text with `m` our library and PyTorch."""
    return tuple(eval(text, {"m": m, "nn": m.nn, "F": m.nn.functional}) for m in (mg, torch))


@pytest.mark.parametrize(
    "text",
    [
        "m.ones(2, requires_grad=True)", "m.ones(2, requires_grad=True) * 2", "m.ones(2, 0, requires_grad=True) * 2",
        "m.arange(24.).reshape(2, 12).requires_grad_() + 1", "(m.ones(1000, requires_grad=True) * 2)",
        "m.ones(14, requires_grad=True)", "m.ones(15, requires_grad=True)", "m.ones(16, requires_grad=True)",
        "m.ones(17, requires_grad=True)", "m.arange(13.).requires_grad_() + 1", "m.zeros(3, 4, dtype=m.float64) + 1",
        "m.ones(10, dtype=m.float64, requires_grad=True)", "m.ones(11, dtype=m.float64, requires_grad=True) * 1",
        "nn.Parameter(m.zeros(2, 3))", "nn.Parameter(m.zeros(2), requires_grad=False)", "m.zeros(2, 3).t()[1:]",
        "nn.Flatten()", "m.zeros(2, 3).shape", "m.zeros(()).shape", "m.zeros(2, 3).size()",
        "m.float32", "m.bool", "m.int64", "m.half", "[m.zeros(2), m.ones(1)]", "{'a': m.zeros(2)}", "(m.zeros(2),)",
        "m.zeros(2, 3).max(1)[1]", "m.tensor([1, 2], dtype=m.int32)", "m.tensor(1.5, dtype=m.float64)",
    ],
)  # fmt: skip
def test_what_is_said_beside_the_values(text):
    with speaking():
        ours, theirs = both(text)
        assert repr(ours) == repr(theirs)
        assert str(ours) == str(theirs)
        assert f"{ours}" == f"{theirs}"


@pytest.mark.parametrize("spec", ["", ".4f", ".2e", "8.3f", "g", ">10", "05.1f"])
@pytest.mark.parametrize(
    "text", ["m.tensor(0.1)", "m.tensor(7)", "m.tensor(True)", "m.ones(2, requires_grad=True).sum()"]
)
def test_a_tensor_without_dims_formats_as_its_number(text, spec):
    ours, theirs = both(text)
    assert format(ours, spec) == format(theirs, spec)


@pytest.mark.parametrize("text", ["m.zeros(2)", "nn.Parameter(m.tensor(1.0))"])
def test_other_tensors_take_no_format(text):
    ours, theirs = both(text)
    for t in (ours, theirs):
        with pytest.raises(TypeError, match="unsupported format string passed to"):
            format(t, ".2f")


def test_under_its_own_name_the_library_says_its_own_name():
    assert repr(mg.tensor([1], dtype=mg.int32)) == "tensor([1], dtype=minigrad.int32)"
    assert repr(mg.zeros(2, 3).shape) == "minigrad.Size([2, 3])"
    assert repr(mg.float32) == "minigrad.float32"
    assert repr(mg.strided) == "minigrad.strided"


SEVERAL = "x.max(0); x.sort(); x.topk(1); x.aminmax(); x.slogdet(); x.svd(); " + "; ".join(
    f"linalg.{name}(x)" for name in ("slogdet", "qr", "eigh", "svd")
)


@pytest.mark.parametrize("text", SEVERAL.split("; "))
def test_several_results_print_under_the_names_they_have_in_pytorch(text):
    def names(m):
        said = repr(eval(text, {"x": m.eye(2), "linalg": m.linalg}))
        return re.findall(r"[\w.]+(?=\(\n)|^\w+(?==)", said, re.MULTILINE)

    with speaking():
        assert names(mg) == names(torch)
    assert len(names(torch)) == 3 + text.endswith("svd()") + text.endswith("svd(x)")


def test_memory_layouts_say_the_librarys_name():
    with speaking():
        assert repr(mg.zeros(2).layout) == repr(torch.zeros(2).layout)


def test_a_derived_class_says_its_name():
    class Image(mg.Tensor):
        pass

    class Picture(torch.Tensor):
        pass

    ours, theirs = Image([1.0, 2.0]), torch.ones(2).as_subclass(Picture)
    assert repr(ours) == "Image([1., 2.])"
    assert repr(theirs).startswith("Picture([")


def test_the_default_dtype_is_not_mentioned():
    assert "dtype" not in repr(mg.zeros(2))
    with pytest.raises(DTypeError):
        mg.zeros(2, dtype="nonsense")

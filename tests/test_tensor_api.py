"""Methods and functions as programs call them: each expression means the same here and in PyTorch.

The expressions are evaluated with `t` the framework, x a float matrix, y another, s a symmetric positive one, v and w
vectors, n integers, k an index, b bools, z a number and o a tensor of no elements.
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from tensor_expressions import CONSTANT, EXPRESSIONS, IN_PLACE_CALLS

import minigrad as mg
from minigrad.errors import ArgumentError, DTypeError, GraphError, LinAlgError, OutOfRangeError, ShapeError

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = pytest.mark.oracle

_rng = np.random.default_rng(0)
_square = _rng.uniform(-1, 1, (3, 3))
DATA: dict[str, Any] = {
    "x": _rng.permutation(12).reshape(3, 4) * 0.37 - 2.0,
    "y": _rng.uniform(0.5, 1.5, (3, 4)),
    "s": _square @ _square.T + np.eye(3),
    "v": _rng.uniform(0.1, 0.9, 4),
    "w": _rng.uniform(-1, 1, 3),
    "c": _rng.uniform(-1, 1, (2, 3, 4)),
    "n": np.array([[3, 1, 2, 1], [0, 2, 2, 5]]),
    "k": np.array([2, 0]),
    "b": np.array([[True, False, True, False], [False, False, True, True], [True, True, True, True]]),
    "z": np.array(1.25),
    "o": np.zeros((0, 3)),
    "q": np.array([1.0, np.nan, -np.inf, np.inf, 2.0]),
}


def evaluated(framework: Any, expression: str, kind: str = "float32") -> Any:
    """Return the value of an expression, with fresh tensors."""
    names = {
        name: framework.from_numpy(np.array(a if a.dtype.kind != "f" else a.astype(kind))) for name, a in DATA.items()
    }
    return eval(expression, {"t": framework, "np": np, **names})


def same(ours: Any, theirs: Any, where: str) -> None:
    """Assert that two results have the same type, names, dtype, shape and values."""
    if isinstance(theirs, torch.Tensor):
        assert isinstance(ours, mg.Tensor), where
        assert str(ours.dtype).rpartition(".")[2] == str(theirs.dtype).rpartition(".")[2], where
        assert tuple(ours.shape) == tuple(theirs.shape), where
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=2e-5, atol=1e-5, err_msg=where)
    elif isinstance(theirs, (tuple, list)) and not isinstance(theirs, torch.Size):
        assert len(ours) == len(theirs), where
        for name in ("values", "indices", "min", "max", "Q", "R", "U", "S", "V", "Vh", "sign", "logabsdet", "hist"):
            if hasattr(theirs, name):
                same(getattr(ours, name), getattr(theirs, name), f"{where}.{name}")
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            same(a, b, f"{where}[{i}]")
    elif isinstance(theirs, (torch.dtype, torch.device, torch.layout)):
        assert str(ours).rpartition(".")[2] == str(theirs).rpartition(".")[2], where
    elif isinstance(theirs, float):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, err_msg=where)
    else:
        assert type(ours).__name__ == type(theirs).__name__, where
        assert ours == theirs, where


@pytest.mark.filterwarnings("ignore")  # PyTorch warns of its older functions
@pytest.mark.parametrize("expression", dict.fromkeys(EXPRESSIONS))
def test_an_expression_means_what_it_means_in_pytorch(expression):
    theirs = evaluated(torch, expression)
    same(evaluated(mg, expression), theirs, expression)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("call", "smooth"), [(c, True) for c in IN_PLACE_CALLS] + [(c, False) for c in CONSTANT])
def test_a_method_in_place_is_pytorchs_in_value_and_gradient(call, smooth):
    found = []
    rng = np.random.default_rng(0)
    arrays = [rng.uniform(0.3, 0.95, (3, 3)) for _ in range(3)]
    for t in (mg, torch):
        x, y = (t.tensor(a, requires_grad=smooth) for a in arrays[:2])
        names = {
            "y": y, "m": t.tensor([[True, False, True]] * 3), "k": t.tensor([2, 0]), "k2": t.tensor([[0], [2], [1]]),
            "h": x * 1,
        }  # fmt: skip
        h = names["h"]
        assert eval(f"h.{call}", names) is h
        grads = [np.zeros((3, 3))] * 2
        if h.requires_grad:
            weights = t.tensor(arrays[2])
            (h * weights).sum().backward()
            grads = [np.zeros((3, 3)) if p.grad is None else p.grad.numpy() for p in (x, y)]
        found.append([h.detach().numpy(), *grads])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-12)
        assert ours.shape == theirs.shape


REFUSED: dict[str, type[Exception]] = {
    "x.topk(9)": OutOfRangeError,
    "x.sort(2)": OutOfRangeError,
    "x.repeat(2)": ShapeError,
    "x.narrow(1, 3, 4)": ShapeError,
    "x.quantile(1.5)": ArgumentError,
    "t.einsum('ij,jk->ik', x)": ArgumentError,
    "t.einsum('ijk->i', x)": ArgumentError,
    "t.einsum('ij,jk->ik', x, y)": ShapeError,
    "t.tensordot(x, y, 1)": ShapeError,
    "t.linalg.inv(t.zeros(2, 2))": LinAlgError,
    "t.linalg.solve(t.zeros(2, 2), t.ones(2, 1))": LinAlgError,
    "t.linalg.cholesky(-s)": LinAlgError,
    "t.linalg.inv(x)": ShapeError,
    "t.linalg.inv(v)": ShapeError,
    "x.unflatten(1, (3, 3))": ShapeError,
    "x.roll((1, 2), 0)": ShapeError,
    "t.trace(v)": ShapeError,
    "t.diag(c)": ShapeError,
    "x.bincount()": DTypeError,
    "t.finfo(t.int32)": DTypeError,
    "t.iinfo(t.float32)": DTypeError,
    "t.set_default_dtype(t.int64)": DTypeError,
    "t.device('toaster')": ArgumentError,
    "x.to('cuda')": ArgumentError,
    "x.cuda()": ArgumentError,
    "t.zeros(2, device='cuda')": ArgumentError,
    "t.arange(0, 5, -1)": ArgumentError,
    "x.requires_grad_().resize_(2)": GraphError,
    "x.requires_grad_().unsqueeze_(0)": GraphError,
    "x.div(y, rounding_mode='up')": ArgumentError,
    "x.scatter_reduce(1, t.tensor([[0]]), y, 'median')": ArgumentError,
    "x.masked_scatter(b, y[0])": ShapeError,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("expression", REFUSED)
def test_what_pytorch_refuses_is_refused(expression):
    with pytest.raises((RuntimeError, ValueError, IndexError, TypeError, AssertionError)):
        evaluated(torch, expression)
    with pytest.raises(REFUSED[expression]):
        evaluated(mg, expression)


def test_results_of_several_parts_print_as_pytorchs():
    for expression in (
        "t.tensor([3., 1.]).sort()",
        "t.tensor([[1, 2], [4, 3]]).max(1)",
        "t.aminmax(t.tensor([2., 5.]))",
    ):
        ours, theirs = (repr(evaluated(f, expression)) for f in (mg, torch))
        assert ours.replace("minigrad.", "torch.") == theirs


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_the_default_dtype_may_be_set(kind):
    for t in (mg, torch):
        before = t.get_default_dtype()
        try:
            t.set_default_dtype(getattr(t, kind))
            made = [
                t.tensor([1.5]),
                t.zeros(2),
                t.arange(2.0),
                t.tensor([1, 2]) / 2,
                t.exp(t.tensor([1])),
                t.Tensor([1]),
                t.linspace(0, 1, 2),
            ]
        finally:
            t.set_default_dtype(before)
        assert {str(m.dtype).rpartition(".")[2] for m in made} == {kind}
    with pytest.raises(TypeError):
        mg.set_default_dtype(mg.int64)


def test_the_default_dtype_may_be_set_by_an_older_name():
    for name in (mg.DoubleTensor, "torch.DoubleTensor"):
        try:
            mg.set_default_tensor_type(name)
            assert mg.zeros(1).dtype is mg.float64
        finally:
            mg.set_default_dtype(mg.float32)
    with pytest.raises(DTypeError):
        mg.set_default_tensor_type("torch.cuda.FloatTensor")


def test_promotion_and_casts_over_all_pairs_of_dtypes():
    names = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
    for a in names:
        for b in names:
            pairs = [(getattr(t, a), getattr(t, b)) for t in (mg, torch)]
            assert mg.can_cast(*pairs[0]) == torch.can_cast(*pairs[1])
            ours, theirs = mg.promote_types(*pairs[0]), torch.promote_types(*pairs[1])
            assert str(ours).rpartition(".")[2] == str(theirs).rpartition(".")[2]


def test_views_share_memory_and_writes_reach_the_base():
    views = (
        "x.diagonal()",
        "x.unfold(1, 2, 1)",
        "x.narrow(1, 1, 2)",
        "x.select(0, 1)",
        "x.movedim(0, 1)",
        "x.swapaxes(0, 1)",
        "x.unflatten(1, (2, 2))",
        "x.ravel()",
        "x.tensor_split(2)[1]",
        "x.mT",
    )
    for view in views:
        found = []
        for t in (mg, torch):
            x = t.tensor(np.arange(12.0).reshape(3, 4))
            eval(view, {"x": x})[..., 0] = -1.0
            found.append(x.numpy())
        np.testing.assert_array_equal(*found, err_msg=view)


def test_gradients_pass_through_a_write_into_a_diagonal():
    found = []
    for t in (mg, torch):
        x = t.tensor(np.arange(9.0).reshape(3, 3), requires_grad=True)
        h = x * 2
        h.diagonal().mul_(x[0])
        (h * h).sum().backward()
        found.append(x.grad.numpy())
    np.testing.assert_allclose(*found)


def test_what_was_reshaped_in_place_is_a_view_of_what_it_was():
    found = []
    for t in (mg, torch):
        x = t.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
        h = x * 2
        h.t_().unsqueeze_(0)
        h[0, 1] *= 3
        (h * h).sum().backward()
        found.append([x.grad.numpy(), np.array(h.stride()), np.array(h.shape)])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_resizing_keeps_what_fits():
    found = []
    for t in (mg, torch):
        x = t.tensor([1.0, 2.0, 3.0, 4.0])
        x.resize_(2, 1)
        found.append(x.tolist())
        assert x.resize_(3, 3).shape == (3, 3)
    assert found[0] == found[1]


def test_devices_are_values():
    assert pickle.loads(pickle.dumps(mg.device("cuda:1"))) == mg.device("cuda", 1)
    assert len({mg.device("cpu"), mg.device("cpu"), mg.device("cpu", 0)}) == 2
    with mg.device("cpu"):
        assert mg.zeros(1).device == mg.device("cpu")


def test_each_element_through_a_function_of_python():
    found = [
        t.tensor([1.0, 2.0]).apply_(lambda v: v * 3).map_(t.tensor([1.0]), lambda a, b: a - b).tolist()
        for t in (mg, torch)
    ]
    assert found[0] == found[1]

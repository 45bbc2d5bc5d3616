"""Promotion: in which dtype operands meet, over all pairs of dtypes and kinds of operand, against PyTorch."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import dtypes
from minigrad.errors import DTypeError
from minigrad.ops import elementwise as e
from minigrad.ops import linalg, reduce

NAMES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64")
PAIRS = list(itertools.product(NAMES, NAMES))
NUMBERS = (True, 3, 2.5)
RANKS = {"0-d": (), "n-d": (2,)}


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="the oracle is not installed")


def array(name: str, shape: tuple[int, ...], value: int = 2) -> np.ndarray:
    return np.full(shape, value, name)


def theirs(torch: Any, x: Any) -> Any:
    """Return an operand for PyTorch, which does not know NumPy's scalars and is given Python's."""
    return torch.from_numpy(x.copy()) if isinstance(x, np.ndarray) else x.item() if isinstance(x, np.generic) else x


def ours(x: Any) -> Any:
    return mg.tensor(x) if isinstance(x, np.ndarray) else x


def name(dtype: Any) -> str:
    return str(dtype).rpartition(".")[2]


def operands(a: str, b: str) -> list[tuple[Any, Any]]:
    """Return a tensor of dtype a beside one of dtype b, of every pair of ranks, and beside NumPy scalars of b."""
    arrays = [(array(a, m), array(b, n, 1)) for m, n in itertools.product(RANKS.values(), repeat=2)]
    scalars = [(array(a, m), np.dtype(b).type(1)) for m in RANKS.values()]
    return arrays + scalars + [(y, x) for x, y in scalars]


def with_numbers(a: str) -> list[tuple[Any, Any]]:
    pairs = [(array(a, shape), number) for shape in RANKS.values() for number in NUMBERS]
    return pairs + [(y, x) for x, y in pairs]


@pytest.mark.oracle
@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_result_dtype_is_pytorchs(torch, a, b):
    for x, y in operands(a, b) + with_numbers(a):
        assert dtypes.result_dtype([x, y]).name == name(torch.result_type(theirs(torch, x), theirs(torch, y)))


OPS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "add": (lambda x, y: x + y, lambda t, x, y: x + y),
    "mul": (lambda x, y: x * y, lambda t, x, y: x * y),
    "sub": (lambda x, y: x - y, lambda t, x, y: x - y),
    "div": (lambda x, y: x / y, lambda t, x, y: x / y),
    "pow": (lambda x, y: x**y, lambda t, x, y: x**y),
    "floor_divide": (lambda x, y: x // y, lambda t, x, y: x // y),
    "remainder": (lambda x, y: x % y, lambda t, x, y: x % y),
    "eq": (e.eq, lambda t, x, y: x == y),
    "lt": (e.lt, lambda t, x, y: x < y),
    "ge": (e.ge, lambda t, x, y: x >= y),
    "logical_and": (e.logical_and, lambda t, x, y: t.logical_and(t.as_tensor(x), t.as_tensor(y))),
    "where": (
        lambda x, y: e.where(np.array([True, False]), x, y),
        lambda t, x, y: t.where(t.tensor([True, False]), x, y),
    ),
    "maximum": (e.maximum, lambda t, x, y: t.maximum(x, y)),
}


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("op", OPS)
@pytest.mark.parametrize("a", NAMES)
def test_ops_have_pytorchs_dtype_shape_and_values(torch, op, a):
    call, oracle = OPS[op]
    pairs = with_numbers(a) + [pair for b in NAMES for pair in operands(a, b)]
    for x, y in pairs:
        try:
            expected = oracle(torch, theirs(torch, x), theirs(torch, y))
        except (RuntimeError, TypeError):
            continue  # what PyTorch refuses (bool - bool, or a number as a whole operand of maximum) is free
        result = call(ours(x), ours(y))
        case = (op, x, y)
        assert (name(result.dtype), tuple(result.shape)) == (name(expected.dtype), tuple(expected.shape)), case
        np.testing.assert_array_equal(result.numpy(), expected.numpy(), err_msg=str(case))


UNARY = (
    "exp",
    "log",
    "log1p",
    "expm1",
    "sqrt",
    "rsqrt",
    "sin",
    "cos",
    "tanh",
    "sigmoid",
    "erf",
    "neg",
    "abs",
    "sign",
    "square",
    "relu",
    "reciprocal",
    "floor",
    "ceil",
    "round",
    "logical_not",
    "isnan",
)


@pytest.mark.oracle
@pytest.mark.parametrize("op", UNARY)
@pytest.mark.parametrize("a", NAMES)
def test_ops_of_one_operand_have_pytorchs_dtype(torch, op, a):
    try:
        expected = getattr(torch, op)(torch.from_numpy(array(a, (2,), 1)))
    except (RuntimeError, TypeError):
        return
    result = getattr(e, op)(mg.tensor(array(a, (2,), 1)))
    assert name(result.dtype) == name(expected.dtype)
    rough = 1e-3 if a == "float16" else 1e-6
    np.testing.assert_allclose(result.numpy(), expected.numpy(), rtol=rough)


REDUCTIONS = ("sum", "prod", "amax", "argmax", "cumsum", "logsumexp", "mean")


@pytest.mark.oracle
@pytest.mark.parametrize("op", REDUCTIONS)
@pytest.mark.parametrize("a", NAMES)
def test_reductions_have_pytorchs_dtype(torch, op, a):
    try:
        expected = getattr(torch, op)(torch.from_numpy(array(a, (2, 2), 1)), 0)
    except RuntimeError:
        return
    result = getattr(mg.tensor(array(a, (2, 2), 1)), op)(0)
    assert name(result.dtype) == name(expected.dtype)
    np.testing.assert_allclose(result.numpy(), expected.numpy(), rtol=1e-3 if a == "float16" else 1e-6)


@pytest.mark.oracle
@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_cat_promotes_and_products_do_not(torch, a, b):
    x, y = array(a, (2, 2)), array(b, (2, 2))
    joined = mg.cat([mg.tensor(x), mg.tensor(y)])
    assert name(joined.dtype) == name(torch.cat([torch.from_numpy(x), torch.from_numpy(y)]).dtype)
    if a != b:
        with pytest.raises(DTypeError, match="matmul"):
            linalg.matmul(mg.tensor(x), mg.tensor(y))


@pytest.mark.parametrize("op", [e.add, e.mul, e.div, e.pow, e.maximum, e.remainder], ids=lambda op: op.name)
@pytest.mark.parametrize(
    "other", [2, 2.5, np.float64(2.5), np.float32(2.5), np.int64(2), np.array(2.5), True], ids=repr
)
@pytest.mark.parametrize("left", [False, True], ids=["right", "left"])
def test_single_precision_survives_whatever_stands_beside_it(op, other, left):
    x = mg.tensor(np.array([1.5, 2.5], np.float32), requires_grad=True)
    y = op(other, x) if left else op(x, other)
    assert y.dtype == mg.float32
    y.sum().backward()
    assert x.grad.dtype == mg.float32


def test_operands_of_two_dtypes_each_get_a_gradient_in_their_own():
    a, b = mg.ones(3, dtype=mg.float32).requires_grad_(), mg.ones(3, dtype=mg.float64).requires_grad_()
    (a * b).sum().backward()
    assert (a.grad.dtype, b.grad.dtype) == (mg.float32, mg.float64)


@pytest.mark.parametrize("call", [reduce.mean, reduce.std, reduce.var, lambda x: reduce.softmax(x, dim=0)])
def test_integers_where_only_floats_make_sense_are_refused(call):
    with pytest.raises(DTypeError, match="floating point"):
        call(mg.tensor([1, 2, 3]))


@pytest.mark.parametrize("spec", ["complex64", "object", "U3", object()])
def test_a_dtype_that_is_not_supported_is_refused(spec):
    with pytest.raises(DTypeError):
        dtypes.of(spec)


def test_result_dtype_of_many_operands_goes_by_rank_and_category():
    f32, f64 = np.dtype(np.float32), np.dtype(np.float64)
    assert dtypes.result_dtype([np.ones(2, np.int8), np.array(1.0), 2]) == f64
    assert dtypes.result_dtype([np.ones(2, np.float32), np.array(1.0), 2.0]) == f32
    assert dtypes.result_dtype([True, 2, 2.0]) == f32

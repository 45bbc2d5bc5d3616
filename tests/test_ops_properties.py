"""Ops on shapes, graphs and indices drawn at random, against NumPy, a naive reference and PyTorch."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minigrad as mg
from minigrad import graph
from minigrad.autograd import grad
from minigrad.ops import elementwise as e

quick = settings(deadline=None, max_examples=150)
BINARY = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "maximum": np.maximum}


def drawn(shape: tuple[int, ...], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.asarray(rng.uniform(0.5, 2, shape) * rng.choice([-1, 1], shape))


@quick
@given(
    hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, min_side=0, max_side=3),
    st.sampled_from(sorted(BINARY)),
    st.integers(0, 9),
)
def test_operands_of_any_two_shapes_that_broadcast(shapes, name, seed):
    a, b = (drawn(s, seed + i) for i, s in enumerate(shapes.input_shapes))
    x, y = mg.tensor(a, requires_grad=True), mg.tensor(b, requires_grad=True)
    z = getattr(e, name)(x, y)
    np.testing.assert_array_equal(z._data, BINARY[name](a, b), strict=True)
    seed_gradient = drawn(z.shape, seed + 2)
    gx, gy = grad(z, (x, y), mg.tensor(seed_gradient))
    assert (gx.shape, gy.shape) == (x.shape, y.shape)
    # Scaling one operand as a whole moves the result as its gradient says.
    for g, at, moved in ((gx, a, lambda t: BINARY[name](a * t, b)), (gy, b, lambda t: BINARY[name](a, b * t))):
        slope = np.sum((moved(1 + 1e-6) - moved(1 - 1e-6)) * seed_gradient) / 2e-6
        np.testing.assert_allclose(np.sum(g._data * at), slope, rtol=1e-6, atol=1e-7)


class Dual:
    """A number with its derivatives by every leaf, carried forward: the naive reference."""

    def __init__(self, value: float, slopes: np.ndarray) -> None:
        self.value, self.slopes = value, slopes

    def __add__(self, other: Dual) -> Dual:
        return Dual(self.value + other.value, self.slopes + other.slopes)

    def __sub__(self, other: Dual) -> Dual:
        return Dual(self.value - other.value, self.slopes - other.slopes)

    def __mul__(self, other: Dual) -> Dual:
        return Dual(self.value * other.value, self.slopes * other.value + other.slopes * self.value)


@quick
@given(
    st.lists(st.integers(-3, 3), min_size=1, max_size=4),
    st.lists(st.tuples(st.sampled_from("+-*"), st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=12),
)
def test_any_graph_of_additions_and_products_against_forward_differentiation(leaves, steps):
    tensors: list[Any] = [mg.tensor(float(v), dtype=mg.float64, requires_grad=True) for v in leaves]
    duals: list[Any] = [Dual(float(v), np.eye(len(leaves))[i]) for i, v in enumerate(leaves)]
    inputs = list(tensors)
    for sign, i, j in steps:
        i, j = i % len(tensors), j % len(tensors)
        assume(abs(duals[i].value) < 1e6 and abs(duals[j].value) < 1e6)
        for values in (tensors, duals):
            a, b = values[i], values[j]
            values.append(a + b if sign == "+" else a - b if sign == "-" else a * b)
    assert tensors[-1].item() == duals[-1].value
    found = grad(tensors[-1], inputs, materialize_grads=True)
    np.testing.assert_array_equal([g.item() for g in found], duals[-1].slopes)  # whole numbers: exact


def test_sixty_doublings_are_exact():
    x = y = mg.tensor(1.0, dtype=mg.float64, requires_grad=True)
    for _ in range(60):
        y = y + y
    assert grad(y, x)[0].item() == 2.0**60


def integers(size: int) -> st.SearchStrategy[int]:
    return st.integers(-size, size - 1)


@st.composite
def indices(draw: Any, shape: tuple[int, ...], unique: bool = False) -> tuple[Any, ...]:
    """Draw an index of ints, slices, None, Ellipsis, integer arrays and boolean masks, in any mixture."""
    parts: list[Any] = []
    common = draw(st.sampled_from([(2,), (3,), (1,), (2, 2), (2, 1)]))
    left = list(shape)
    if left and draw(st.booleans()):
        left = left[: draw(st.integers(0, len(left)))]
    place = 0
    masked = False
    while place < len(left):
        size = left[place]
        kind = draw(st.sampled_from(["int", "slice", "full", "array", "mask", "none", "skip"]))
        if kind == "none":
            parts.append(None)
            if len(parts) > 6:
                break
            continue
        if kind == "int" and size:
            parts.append(draw(integers(size)))
        elif kind == "slice":
            start, stop = (
                draw(st.none() | st.integers(-size - 1, size + 1)),
                draw(st.none() | st.integers(-size - 1, size + 1)),
            )
            parts.append(slice(start, stop, draw(st.none() | st.integers(1, 3))))
        elif kind == "array" and size:
            parts.append(
                draw(hnp.arrays(np.int64, draw(st.sampled_from([common, common[-1:]])), elements=integers(size)))
            )
        elif kind == "mask" and not masked and common[-1] <= size and len(common) == 1:
            mask = np.zeros(size, bool)
            mask[draw(st.permutations(range(size)))[: common[0]]] = True
            parts.append(mask)
            masked = True
        else:
            parts.append(slice(None))
        place += 1
    if place == len(left) < len(shape) and draw(st.booleans()):
        parts.append(Ellipsis)
    return tuple(parts)


shapes = st.sampled_from([(3,), (3, 4), (2, 3, 4), (2, 3, 2, 3), (1, 3), (4, 1, 2)])
indexed = shapes.flatmap(lambda shape: st.tuples(st.just(shape), indices(shape)))


def to_torch(torch: Any, index: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(torch.from_numpy(i) if isinstance(i, np.ndarray) else i for i in index)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="the oracle is not installed")


@pytest.mark.oracle
@settings(deadline=None, max_examples=400)
@given(indexed)
def test_reading_by_any_index_is_pytorchs(torch, case):
    shape, index = case
    data = drawn(shape, 0)
    x, t = mg.tensor(data, requires_grad=True), torch.tensor(data, requires_grad=True)
    y, expected = x[index], t[to_torch(torch, index)]
    np.testing.assert_array_equal(y._data, expected.detach().numpy(), strict=True)
    seed = drawn(y.shape, 1)
    y.backward(mg.tensor(seed))
    expected.backward(torch.from_numpy(seed))
    np.testing.assert_allclose(x.grad.numpy(), t.grad.numpy(), rtol=1e-14)


@pytest.mark.oracle
@settings(deadline=None, max_examples=400)
@given(indexed, st.sampled_from(["full", "row", "number"]))
def test_writing_at_any_index_is_pytorchs(torch, case, kind):
    shape, index = case
    place = to_torch(torch, index)
    flat = torch.arange(int(np.prod(shape))).reshape(shape)[place].reshape(-1).tolist()
    assume(flat and len(set(flat)) == len(flat))  # which of several values written to one place stays is not defined
    data, room = drawn(shape, 0), tuple(torch.zeros(shape)[place].shape)
    value = drawn({"full": room, "row": room[-1:], "number": ()}[kind], 1)
    x, v = mg.tensor(data, requires_grad=True), mg.tensor(value, requires_grad=True)
    t, w = torch.tensor(data, requires_grad=True), torch.tensor(value, requires_grad=True)
    y, expected = x * 1, t * 1
    y[index] = v
    expected[place] = w
    np.testing.assert_array_equal(y.detach().numpy(), expected.detach().numpy(), strict=True)
    seed = drawn(shape, 2)
    y.backward(mg.tensor(seed))
    expected.backward(torch.from_numpy(seed))
    np.testing.assert_array_equal(x.grad.numpy(), t.grad.numpy())
    np.testing.assert_allclose(v.grad.numpy(), w.grad.numpy(), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("a", [2, 1.5, True, np.float32(2.5), np.float64(2.5), np.int64(3)], ids=repr)
@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv"])
@pytest.mark.parametrize("needs", list(itertools.product([True, False], repeat=2)), ids=str)
def test_the_operators_fast_path_is_the_general_one(a, name, needs):
    """Operators and `apply` give the same bits, save the same, and keep the same edges."""
    from minigrad.tensor import apply

    op = getattr(e, name.removeprefix("true"))
    x = mg.tensor(np.array([[0.5, -2.0]], np.float32)).requires_grad_(needs[0])
    for other in (mg.tensor(np.array([[3.0], [0.25]], np.float32)).requires_grad_(needs[1]), a):
        fast, slow = getattr(x, f"__{name}__")(other), apply(op, (x, other), {})
        assert (fast.dtype, fast._data.tobytes()) == (slow.dtype, slow._data.tobytes())
        assert fast.requires_grad == slow.requires_grad
        if fast.requires_grad:
            f, s = fast.grad_fn, slow.grad_fn
            assert (f.op, f.plan, f.attrs, f.outputs, f.scope) == (s.op, s.plan, s.attrs, s.outputs, s.scope)
            assert [type(edge) for edge in f.edges] == [type(edge) for edge in s.edges]
            assert len(f.saved) == len(s.saved)
            for (_, p, _, v), (_, q, _, w) in zip(graph.held(f), graph.held(s), strict=True):
                assert v == w
                np.testing.assert_array_equal(p, q)

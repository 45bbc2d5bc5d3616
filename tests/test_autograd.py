"""The engine and what is built on it: sweeps, hooks, modes, ops of one's own, gradient checks, operators."""

import asyncio
import copy
import threading
import time

import numpy as np
import pytest

import minigrad as mg
from minigrad import graph
from minigrad.autograd import (
    Function,
    backward,
    enable_grad,
    grad,
    gradcheck,
    gradgradcheck,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)
from minigrad.autograd.function import once_differentiable
from minigrad.errors import ArgumentError, DTypeError, GraphError, ShapeError


def leaf(*values):
    return mg.tensor(np.array(values, np.float64), requires_grad=True)


def scalar(value):
    return mg.tensor(value, dtype=mg.float64, requires_grad=True)


# --- sweeps ---


def test_gradients_accumulate_over_paths_and_over_calls():
    x = scalar(3.0)
    b = x + x
    y = b * b + x
    y.backward(retain_graph=True)
    assert x.grad.item() == 8 * 3 + 1
    y.backward()
    assert x.grad.item() == 2 * (8 * 3 + 1)


def test_sixty_doublings_are_exact_and_quick():
    x = scalar(1.0)
    y = x
    for _ in range(60):
        y = y + y
    start = time.perf_counter()
    y.backward()
    assert x.grad.item() == 2.0**60
    assert time.perf_counter() - start < 1.0  # 2**60 paths would not end


def test_a_second_backward_over_released_arrays_raises_with_the_fix():
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(GraphError, match=r"mul: Trying to backward through the graph a second time.*retain_graph=True"):
        y.backward()


def test_a_graph_that_saved_nothing_may_run_again():
    x = leaf(1.0, 2.0)
    y = (x + 1).sum()
    y.backward()
    y.backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_backward_takes_weights_and_inputs():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    y = x * w
    y.backward(mg.tensor([1.0, 10.0], dtype=mg.float64), inputs=[x])
    assert x.grad.tolist() == [3.0, 40.0]
    assert w.grad is None


def test_backward_refuses_what_it_cannot_do():
    x = leaf(1.0, 2.0)
    with pytest.raises(GraphError, match=r"only for scalar outputs, this one has shape \(2,\)"):
        (x * 2).backward()
    with pytest.raises(GraphError, match="does not require grad and does not have a grad_fn"):
        mg.ones(1).sum().backward()
    with pytest.raises(ShapeError, match=r"gradient has shape \(3,\), the output \(2,\)"):
        (x * 2).backward(mg.ones(3))
    with pytest.raises(DTypeError, match=r"only Tensors of floating point dtype can require gradients.*int64"):
        mg.tensor([1, 2], requires_grad=True)


def test_grad_returns_what_backward_would_store_and_touches_nothing():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    h = x * w
    y = (h * h).sum()
    gx, gh = grad(y, [x, h])
    np.testing.assert_allclose(gx.numpy(), 2 * np.array([1, 2]) * np.array([9, 16]))
    np.testing.assert_allclose(gh.numpy(), [6.0, 16.0])
    assert x.grad is None
    assert w.grad is None


def test_unused_inputs_raise_or_are_none_or_zeros():
    x, unused = leaf(1.0), leaf(2.0)
    y = (x * 2).sum()
    with pytest.raises(GraphError, match=r"input 0.*not have been used in the graph"):
        grad(y, unused, retain_graph=True)
    assert grad(y, [unused], allow_unused=True) == (None,)
    assert grad(y, [unused], materialize_grads=True)[0].tolist() == [0.0]
    with pytest.raises(GraphError, match="does not require grad: input 0"):
        grad(y, mg.ones(1))


def test_derivatives_of_tanh_to_the_fourth_order():
    x = scalar(0.3)
    t = np.tanh(0.3)
    closed = [1 - t**2, -2 * t * (1 - t**2), -2 * (1 - t**2) * (1 - 3 * t**2), 8 * t * (1 - t**2) * (2 - 3 * t**2)]
    y = x.tanh()
    for want in closed:
        (y,) = grad(y, x, create_graph=True)
        np.testing.assert_allclose(y.item(), want, rtol=1e-12)


def test_backward_of_several_outputs():
    x = leaf(1.0, 2.0)
    a, b = (x * 2).sum(), x * 3
    backward([a, b], [None, mg.ones(2, dtype=mg.float64)])
    assert x.grad.tolist() == [5.0, 5.0]


def test_outputs_that_got_no_gradient_count_as_zero():
    x = mg.tensor([[1.0, 5.0, 2.0]], dtype=mg.float64, requires_grad=True)
    values, indices = x.max(1)
    assert indices.tolist() == [1]
    assert not indices.requires_grad
    values.sum().backward()
    assert x.grad.tolist() == [[0.0, 1.0, 0.0]]


def test_grad_is_owned_by_its_leaf():
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    seed = mg.ones(2, dtype=mg.float64)
    (a + b).backward(seed)
    a.grad.add_(1)
    assert b.grad.tolist() == [1.0, 1.0]
    assert seed.tolist() == [1.0, 1.0]


def test_grad_can_be_set_only_to_what_fits():
    x = leaf(1.0, 2.0)
    x.grad = mg.ones(2, dtype=mg.float64)
    x.grad = None
    with pytest.raises(ShapeError, match=r"assigned grad is float32 of shape \(3,\)"):
        x.grad = mg.ones(3)


# --- hooks ---


def test_hooks_see_and_replace_complete_gradients():
    x = leaf(1.0, 2.0)
    h = x * 3
    seen = []
    handle = h.register_hook(lambda g: seen.append(g.tolist()))
    h.register_hook(lambda g: g * 10)
    h.retain_grad()
    x.register_hook(lambda g: g + 1)
    (h * h + h).sum().backward()
    assert seen == [[7.0, 13.0]]
    assert h.grad.tolist() == [70.0, 130.0]  # what retain_grad stores is what the hooks made of it
    assert x.grad.tolist() == [211.0, 391.0]
    handle.remove()
    handle.remove()


def test_what_is_registered_for_afterwards_finds_the_gradient_in_its_place():
    x, seen = leaf(1.0, 2.0), []
    handle = x.register_post_accumulate_grad_hook(
        lambda t: seen.append((t is x, t.grad.tolist(), mg.is_grad_enabled()))
    )
    (x * x).sum().backward()
    grad((x * x).sum(), x)  # stores nothing
    (x * x).sum().backward()
    assert seen == [(True, [2.0, 4.0], False), (True, [4.0, 8.0], False)]
    handle.remove()
    (x * x).sum().backward()
    assert len(seen) == 2
    for tensor, text in ((x * 2, "cannot be registered on non-leaf tensors"), (mg.ones(2), "doesn't require gradient")):
        with pytest.raises(GraphError, match=text):
            tensor.register_post_accumulate_grad_hook(print)


def test_an_optimiser_may_step_as_soon_as_a_gradient_is_there():
    x = leaf(1.0, 2.0)
    optimizer = mg.optim.SGD([x], lr=0.25)

    def step(_):
        optimizer.step()
        optimizer.zero_grad()

    x.register_post_accumulate_grad_hook(step)
    (x * x).sum().backward()
    assert x.tolist() == [0.5, 1.0]
    assert x.grad is None


def test_retain_grad_does_not_keep_the_tensor():
    x = leaf(1.0)
    h = x * 2
    h.retain_grad()
    y = h * 3
    del h
    y.backward()
    assert x.grad.tolist() == [6.0]
    with pytest.raises(GraphError, match="can't retain_grad"):
        mg.ones(1).retain_grad()


# --- modes ---


def test_modes_nest_decorate_and_are_restored():
    assert is_grad_enabled()
    mode = no_grad()
    with mode, mode:
        assert not is_grad_enabled()
        with enable_grad():
            assert is_grad_enabled()
        assert not is_grad_enabled()
    with pytest.raises(ZeroDivisionError), no_grad():
        raise ZeroDivisionError
    assert is_grad_enabled()

    @no_grad()
    def called(x):
        return x * 2

    @no_grad
    def bare(x):
        return x * 2

    assert not called(leaf(1.0)).requires_grad
    assert not bare(leaf(1.0)).requires_grad
    with set_grad_enabled(False):
        assert not is_grad_enabled()
    assert is_grad_enabled()


def test_a_generator_that_ends_elsewhere_restores_the_mode():
    def steps():
        with no_grad():
            yield 1
            yield 2

    walk = steps()
    next(walk)
    walk.close()
    assert is_grad_enabled()


def test_threads_start_with_gradients_on_and_do_not_disturb_each_other():
    wrong = []

    def toggle(mode):
        wrong.extend(1 for _ in range(2000) if not _holds(mode))

    def _holds(mode):
        with set_grad_enabled(mode):
            return is_grad_enabled() == mode

    with no_grad():
        threads = [threading.Thread(target=toggle, args=(i % 2 == 0,)) for i in range(8)]
        fresh: list[bool] = []
        threads.append(threading.Thread(target=lambda: fresh.append(is_grad_enabled())))
        [t.start() for t in threads]
        [t.join() for t in threads]
        assert not is_grad_enabled()
    assert fresh == [True]
    assert not wrong


def test_asyncio_tasks_have_modes_of_their_own():
    async def task(mode):
        with set_grad_enabled(mode):
            await asyncio.sleep(0)
            return is_grad_enabled() == mode

    async def both():
        return await asyncio.gather(*(task(i % 2 == 0) for i in range(20)))

    assert all(asyncio.run(both()))


# --- ops of one's own ---


class Scale(Function):
    """k * x**3 with two outputs and a number among its arguments."""

    @staticmethod
    def forward(ctx, x, k):
        y = k * x**3
        ctx.save_for_backward(x, y)
        ctx.k = k
        return y, x.detach() * 0

    @staticmethod
    def backward(ctx, g, g_zero):
        x, y = ctx.saved_tensors
        assert ctx.needs_input_grad == (True, False)
        return g * 3 * y / x + 0 * g_zero, None


def test_a_function_passes_gradient_checks_of_both_orders():
    x = leaf(0.5, -1.2, 2.0)
    assert gradcheck(lambda t: Scale.apply(t, 1.5)[0], x)
    assert gradgradcheck(lambda t: Scale.apply(t, 1.5)[0], x)


def test_what_backward_needs_may_be_kept_apart_from_forward():
    class Powers(Function):
        @staticmethod
        def forward(x, n):
            return x**n, x ** (n - 1)

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, ctx.n = inputs
            ctx.save_for_backward(x, output[1])

        @staticmethod
        def backward(ctx, g, g_less):
            x, less = ctx.saved_tensors
            return g * ctx.n * less + g_less * (ctx.n - 1) * x ** (ctx.n - 2), None

    x = leaf(0.5, -1.2, 2.0)
    assert gradcheck(lambda t: Powers.apply(t, 3), x)
    assert gradgradcheck(lambda t: Powers.apply(t, 3), x)
    assert [y.tolist() for y in Powers.apply(mg.tensor([2.0]), 3)] == [[8.0], [4.0]]


def test_a_backward_marked_once_differentiable_refuses_a_second_derivative():
    class Root(Function):
        @staticmethod
        def forward(ctx, x, unused):
            y = x.sqrt()
            ctx.save_for_backward(y)
            return y

        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            return g / (2 * ctx.saved_tensors[0]), None

    x = leaf(4.0)
    y = Root.apply(x, None)
    (first,) = grad((y * y).sum(), x, create_graph=True)
    assert first.tolist() == [1.0]
    with pytest.raises(GraphError, match="differentiate twice a function that was marked with @once_differentiable"):
        first.sum().backward()
    y = Root.apply(x, None)
    y.sum().backward()
    assert x.grad.tolist() == [0.25]


def test_a_function_is_checked_and_released_as_any_op():
    x = leaf(1.0, 2.0)
    h = x * 1
    y, _ = Scale.apply(h, 2.0)
    assert type(y.grad_fn.op).__name__ == "Op"
    assert "ScaleBackward" in repr(y)
    h.add_(1)
    with pytest.raises(GraphError, match="Scale: one of the variables"):
        y.sum().backward()
    y, _ = Scale.apply(x, 2.0)
    y.sum().backward()
    with pytest.raises(GraphError, match="Scale: Trying to backward through the graph a second time"):
        y.sum().backward()


def test_a_function_that_returns_its_input_or_writes_it():
    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return 2 * g

    class Double(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            return x.mul_(2)

        @staticmethod
        def backward(ctx, g):
            return 2 * g

    x = leaf(1.0, 2.0)
    y = Same.apply(x)
    assert y is not x
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    h = x * 1
    assert Double.apply(h) is h
    h.sum().backward()
    assert x.grad.tolist() == [4.0, 4.0]


def test_a_function_with_the_wrong_number_of_gradients_is_named():
    class Wrong(Function):
        @staticmethod
        def forward(ctx, x, y):
            return x + y

        @staticmethod
        def backward(ctx, g):
            return g

    with pytest.raises(GraphError, match=r"Wrong returned an incorrect number of gradients \(expected 2, got 1\)"):
        Wrong.apply(leaf(1.0), leaf(2.0)).backward()


# --- gradient checks ---


def test_gradcheck_finds_a_sign_error_and_says_where():
    class Bad(Function):
        @staticmethod
        def forward(ctx, x):
            return -x

        @staticmethod
        def backward(ctx, g):
            return g

    x = leaf(1.0, 2.0)
    with pytest.raises(GraphError, match="Jacobian mismatch for output 0 with respect to input 0, by up to 2"):
        gradcheck(Bad.apply, x)
    assert not gradcheck(Bad.apply, x, raise_exception=False)
    with pytest.raises(ArgumentError, match="float64"):
        gradcheck(Bad.apply, mg.ones(1, requires_grad=True))
    with pytest.raises(ArgumentError, match="at least one input"):
        gradcheck(Bad.apply, mg.ones(1))


def test_gradgradcheck_finds_a_wrong_second_derivative():
    class Bad(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 3 * x.detach() ** 2

    x = leaf(1.0, 2.0)
    assert gradcheck(Bad.apply, x)
    with pytest.raises(GraphError, match="Jacobian mismatch"):
        gradgradcheck(Bad.apply, x)


# --- operators with numbers and arrays on either side ---


@pytest.mark.parametrize(
    "other", [2, 2.5, np.float64(2.5), np.float32(2.5), np.int64(2), np.array([2.0, 4.0], np.float32)]
)
@pytest.mark.parametrize("op", ["+", "-", "*", "/", "**", "@"])
def test_operators_with_numbers_and_arrays_on_either_side(op, other):
    if op == "@" and np.ndim(other) == 0:
        pytest.skip("a product of matrices needs arrays")
    a = np.array([1.5, 3.0], np.float32)
    x = mg.tensor(a, requires_grad=True)
    for got, want in (
        (eval(f"x {op} other"), eval(f"a {op} np.asarray(other, np.float32)")),
        (eval(f"other {op} x"), eval(f"np.asarray(other, np.float32) {op} a")),
    ):
        assert isinstance(got, mg.Tensor)
        assert got.dtype == mg.float32
        np.testing.assert_allclose(got.detach().numpy(), want, rtol=1e-6)
        got.sum().backward()
        assert x.grad.dtype == mg.float32


def test_numpy_functions_of_tensors():
    x = mg.tensor([1.0, 4.0], requires_grad=True)
    y = np.sqrt(x) + np.multiply(np.ones(2, np.float32), x)
    assert isinstance(y, mg.Tensor)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), [1.5, 1.25])
    array = np.zeros(2, np.float32)
    array += x.detach()
    assert array.tolist() == [1.0, 4.0]
    with pytest.raises(GraphError, match="Can't call numpy"):
        np.asarray(x)


def test_the_fast_path_records_what_the_general_path_records():
    from minigrad.tensor import apply

    rng = np.random.default_rng(0)
    a = mg.tensor(rng.standard_normal((2, 3)).astype(np.float32), requires_grad=True)
    b = mg.tensor(rng.standard_normal(3).astype(np.float32), requires_grad=True)
    c = mg.tensor(rng.standard_normal(3).astype(np.float32))
    for name in ("add", "sub", "mul", "div"):
        op = graph.primitives[name]
        fast = {
            "add": lambda x, y: x + y,
            "sub": lambda x, y: x - y,
            "mul": lambda x, y: x * y,
            "div": lambda x, y: x / y,
        }
        for x, y in ((a, b), (a, c), (c, a), (a, 2.0), (a, 3), (c, c), (a * 1, b)):
            one, two = fast[name](x, y), apply(op, (x, y), {})
            np.testing.assert_array_equal(one._data, two._data)
            assert one.dtype == two.dtype
            assert (one.grad_fn is None) == (two.grad_fn is None)
            if one.grad_fn is None:
                continue
            for field in ("op", "plan", "attrs", "outputs", "scope"):
                assert getattr(one.grad_fn, field) == getattr(two.grad_fn, field)
            for e, f in zip(one.grad_fn.edges, two.grad_fn.edges, strict=True):
                same = e is f or e == f
                assert same or (isinstance(e, graph.Constant) and (e.shape, e.dtype) == (f.shape, f.dtype))
            for (_, s, _, v), (_, t, _, w) in zip(graph.held(one.grad_fn), graph.held(two.grad_fn), strict=True):
                np.testing.assert_array_equal(s, t)
                assert v == w


# --- observing ---


def test_the_observer_stands_around_every_forward_and_rule():
    class Watch(graph.Observer):
        def __init__(self):
            self.log = []

        def forward(self, op, inputs, attrs, call):
            self.log.append(f"forward {op.name}")
            return call()

        def rule(self, node, rule, call):
            self.log.append(f"rule {node.op.name} {[node.op.input_name(t) for t in rule.targets]}")
            return call()

    watch = Watch()
    x = leaf(1.0, 2.0)
    previous = graph.observe(watch)
    try:
        (x * x).sum().backward()
    finally:
        graph.observe(previous)
    (x * x).sum()
    assert watch.log == ["forward mul", "forward sum", "rule sum ['x']", "rule mul ['a']", "rule mul ['b']"]


# --- leaves and copies ---


def test_leaves_detach_and_copies():
    x = leaf(1.0, 2.0)
    y = x * 2
    assert x.is_leaf
    assert not y.is_leaf
    assert not y.detach().requires_grad
    with pytest.raises(GraphError, match="only change requires_grad flags of leaf"):
        y.requires_grad_(False)
    twin = copy.deepcopy(x)
    twin.data.zero_()
    assert x.tolist() == [1.0, 2.0]
    assert twin.requires_grad
    with pytest.raises(GraphError, match="only leaf tensors can be deep-copied"):
        copy.deepcopy(y)
    y.detach_()
    assert y.is_leaf


def test_errors_of_shape_name_the_op_both_shapes_and_the_axis():
    with pytest.raises(ShapeError, match=r"mul: The size of tensor a \(4\).*b \(5\) at axis -1.*\(3, 4\) and \(5,\)"):
        mg.ones(3, 4) * mg.ones(5)
    with pytest.raises(ShapeError, match=r"matmul: mat1 and mat2 shapes cannot be multiplied \(3x4 and 5x2\)"):
        mg.ones(3, 4) @ mg.ones(5, 2)
    with pytest.raises(IndexError, match=r"Dimension out of range \(expected to be in range of \[-2, 1\], but got 2\)"):
        mg.ones(3, 4).sum(2)
    with pytest.raises(ShapeError, match=r"reshape: shape \(5,\) is invalid for input of size 12"):
        mg.ones(3, 4).reshape(5)
    text = r"cat: Sizes of tensors must match except in dimension 0. Expected size 2 but got size 3 for tensor number 1"
    with pytest.raises(ShapeError, match=text + r" in the list, in dimension 1: shapes \(2, 2\) and \(3, 3\)"):
        mg.cat([mg.ones(2, 2), mg.ones(3, 3)])
    with pytest.raises(ShapeError, match="cat: Tensors must have same number of dimensions: got 2 and 3, of tensor 1"):
        mg.cat([mg.ones(2, 2), mg.ones(2, 2, 2)])
    with pytest.raises(IndexError, match="out of bounds"):
        mg.ones(3)[3]
    with pytest.raises(IndexError, match="too many indices for tensor of dimension 1"):
        mg.ones(3)[0, 0]


def test_a_gradient_of_the_wrong_shape_is_named():
    class Wide(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return mg.ones(2, dtype=mg.float64)

    with pytest.raises(GraphError, match=r"Wide: the gradient returned for input 0, of shape \(3,\), has shape \(2,\)"):
        Wide.apply(leaf(1.0, 2.0, 3.0)).sum().backward()


def test_what_is_no_array_of_numbers_is_refused():
    with pytest.raises(ShapeError, match="not all of one length"):
        mg.tensor([[1, 2], [3]])
    with pytest.raises(DTypeError, match="not numbers"):
        mg.tensor(["a"])
    with pytest.raises(DTypeError, match="matmul: expected operands of the same dtype, got a int64, b float32"):
        mg.tensor([[1]]) @ mg.ones(1, 1)


def test_a_function_that_returns_a_view_of_its_input():
    class Reverse(Function):
        @staticmethod
        def forward(ctx, x):
            return x.view_as(x)

        @staticmethod
        def backward(ctx, g):
            return -g

    w = leaf(1.0, 2.0)
    h = w * 2
    (Reverse.apply(h).sum() + h.sum() * 10).backward()
    assert w.grad.tolist() == [18.0, 18.0]
    w.grad = None
    (Reverse.apply(w) * w).sum().backward()
    assert w.grad.tolist() == [0.0, 0.0]
    assert w.is_leaf
    with pytest.raises(GraphError, match=r"read-only"):
        Reverse.apply(h).mul_(2)


def test_gradients_of_a_function_are_cast():
    class Wide(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g.double()

    x = mg.ones(2, requires_grad=True)
    Wide.apply(x).sum().backward()
    assert x.grad.dtype == mg.float32


def test_a_hook_must_keep_shape_and_dtype():
    for make in (lambda x: x, lambda x: x * 1):
        x = mg.ones(2, requires_grad=True)
        y = make(x)
        y.register_hook(lambda g: g.double())
        with pytest.raises(GraphError, match=r"a hook on .* has changed the gradient from float32 of shape \(2,\)"):
            (y * 2).sum().backward()


def test_removing_a_hook_twice_removes_it_once():
    x, seen = leaf(1.0), []
    first, _ = x.register_hook(seen.append), x.register_hook(seen.append)
    first.remove()
    first.remove()
    (x * 1).sum().backward()
    assert len(seen) == 1


def test_retain_grad_follows_the_tensor_through_writes():
    x = leaf(1.0, 1.0)
    h = x * 2
    h.retain_grad()
    h.mul_(3)
    h.sum().backward()
    assert h.grad.tolist() == [1.0, 1.0]
    h = x * 2
    v = h[0]
    v.retain_grad()
    h.mul_(2)
    (v * 3).backward()
    assert v.grad.item() == 3.0


def test_recorded_gradients_are_owned_too():
    x, b, seed = leaf(1.0, 2.0), leaf(3.0, 4.0), mg.ones(2, dtype=mg.float64)
    with pytest.warns(UserWarning, match="create_graph"):
        (x + b).backward(seed, create_graph=True)
    assert x.grad is not b.grad
    with no_grad():
        x.grad.zero_()
    assert b.grad.tolist() == seed.tolist() == [1.0, 1.0]


def test_what_did_not_run_is_not_released():
    a, b = leaf(1.0), leaf(2.0)
    total = (a * a).sum() + (b * b).sum()
    assert grad(total, a)[0].tolist() == [2.0]
    assert grad(total, b)[0].tolist() == [4.0]


def test_decorating_changes_nothing_until_the_function_runs():
    @set_grad_enabled(False)
    def off():
        return is_grad_enabled()

    assert is_grad_enabled()
    assert not off()

    @no_grad()
    def steps():
        sent = yield is_grad_enabled()
        yield is_grad_enabled(), sent

    walk = steps()
    assert next(walk) is False
    assert is_grad_enabled()
    assert walk.send("x") == (False, "x")
    assert is_grad_enabled()


def test_a_context_copied_into_threads_computes_in_each():
    import contextvars
    from concurrent.futures import ThreadPoolExecutor

    x = mg.ones(400, 400)
    (x + x).sum()  # this context has its quiet place now, and the copies share it
    model = mg.nn.Linear(50, 50)
    optimizer = mg.optim.Adam(model.parameters())

    def work(_):
        for _ in range(20):
            (x + x).exp()
            model.weight.grad = mg.ones(50, 50)
            optimizer.step()
        return True

    with ThreadPoolExecutor(3) as pool:
        assert all(pool.map(lambda i: contextvars.copy_context().run(work, i), range(3)))
        contexts = [contextvars.copy_context() for _ in range(3)]
        assert all(f.result() for f in [pool.submit(c.run, work, i) for i, c in enumerate(contexts)])


def test_a_copied_leaf_keeps_its_gradient():
    x = leaf(1.0)
    (x * 2).sum().backward()
    assert copy.deepcopy(x).grad.tolist() == [2.0]


def test_a_device_other_than_the_cpu_is_refused():
    for make in (lambda d: mg.zeros(2, device=d), lambda d: mg.tensor([1.0], device=d), lambda d: mg.ones(1).to(d)):
        make("cpu")
        with pytest.raises(ArgumentError, match="device 'cuda:0' is not available: minigrad computes on the CPU"):
            make("cuda:0")
    with pytest.raises(ArgumentError, match="'mps'"):
        mg.nn.Linear(1, 1, device="mps")


def test_outputs_that_are_not_differentiable_and_gradients_that_did_not_come():
    class Split(Function):
        @staticmethod
        def forward(ctx, x, materialize):
            ctx.set_materialize_grads(materialize)
            sign = x.sign()
            ctx.mark_non_differentiable(sign)
            return x * 2, x * 3, sign

        @staticmethod
        def backward(ctx, g2, g3, g_sign):
            came.append([g is not None for g in (g2, g3)])
            return (0 if g2 is None else 2 * g2) + (0 if g3 is None else 3 * g3), None

    for materialize in (True, False):
        came: list[list[bool]] = []
        x = leaf(1.0, -2.0)
        double, _, sign = Split.apply(x, materialize)
        assert not sign.requires_grad
        double.sum().backward()
        assert x.grad.tolist() == [2.0, 2.0]
        assert came == [[True, materialize]]

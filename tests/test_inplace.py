"""In-place operations and views: what is recorded, what must not raise, what must."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import graph
from minigrad.autograd import grad, no_grad
from minigrad.errors import DTypeError, GraphError, ShapeError


def leaf(*values):
    return mg.tensor(np.array(values, np.float64), requires_grad=True)


def of(x, **kwargs):
    return x.grad.numpy().tolist()


# --- the four that must be recorded ---


def test_assigning_rows_in_a_loop_lets_gradients_flow():
    r = leaf(1.0, 2.0)
    out = mg.zeros(3, 2, dtype=mg.float64)
    for t in range(3):
        out[t] = r * t
    (out * out).sum().backward()
    np.testing.assert_allclose(r.grad.numpy(), 2 * np.array([1.0, 2.0]) * (0 + 1 + 4))


def test_augmented_assignment_adds_to_the_graph():
    x, r = leaf(1.0, 2.0), leaf(3.0, 4.0)
    h = x * 2
    h += r
    h *= h
    h.sum().backward()
    total = 2 * np.array([1.0, 2.0]) + [3.0, 4.0]
    np.testing.assert_allclose(r.grad.numpy(), 2 * total)
    np.testing.assert_allclose(x.grad.numpy(), 4 * total)


def test_writing_zeros_at_a_mask_stops_the_gradient_there():
    w = leaf(1.0, -2.0, 3.0)
    x = w * 5
    x[x < 0] = 0
    assert x.tolist() == [5.0, 0.0, 15.0]
    x.sum().backward()
    assert of(w) == [5.0, 0.0, 5.0]


def test_a_write_through_a_view_changes_the_gradient_of_its_base():
    x = mg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = x * 1
    v = y[0]
    v *= 3
    assert y.tolist() == [[3.0, 6.0], [3.0, 4.0]]
    y.sum().backward()
    assert of(x) == [[3.0, 3.0], [1.0, 1.0]]


# --- the three that must not raise ---


def test_relu_in_place_after_a_product_of_weights():
    x, w = mg.tensor([[1.0, -1.0]]), mg.tensor([[2.0], [3.0]], requires_grad=True)
    y = (x @ w.T.T) * 1
    y.relu_()
    y.sum().backward()
    assert of(w) == [[0.0], [0.0]]


def test_a_bias_may_change_after_it_was_added():
    x, b = leaf(1.0, 2.0), mg.tensor([1.0, 1.0], dtype=mg.float64)
    y = x + b
    b.add_(1)
    y.sum().backward()
    assert of(x) == [1.0, 1.0]


def test_a_summed_tensor_may_change_afterwards():
    x = leaf(1.0, 2.0)
    h = x * 3
    s = h.sum()
    h.add_(1)
    s.backward()
    assert of(x) == [3.0, 3.0]


# --- what must raise ---


@pytest.mark.parametrize(
    ("compute", "name"),
    [(lambda h: h.exp(), "y"), (lambda h: h.sigmoid(), "y"), (lambda h: h.relu(), "y")],
)
def test_a_changed_output_that_the_rule_asked_for_raises(compute, name):
    x = leaf(1.0, 2.0)
    y = compute(x * 1)
    y.add_(1)
    with pytest.raises(
        RuntimeError, match=rf"modified by an inplace operation: '{name}'.*at version 1.*expected version 0"
    ):
        y.sum().backward()


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h.add_(1),
        lambda h: h.__setitem__(0, 5.0),
        lambda h: h[0].mul_(2),
        lambda h: h.detach().add_(1),
        lambda h: h.data.mul_(2),
        lambda h: h.view(2, 1).zero_(),
        lambda h: h.fill_(3),
        lambda h: h.copy_(mg.zeros(2)),
        lambda h: h.clamp_(min=0),
        lambda h: h.masked_fill_(h > 0, 1.0),
        lambda h: h.__iadd__(1),
        lambda h: h.__setitem__(mg.tensor([0]), 1.0),
    ],
)
def test_every_way_of_writing_is_seen(change):
    x = leaf(1.0, 2.0)
    h = x * 1
    s = (h * h).sum()
    change(h)
    with pytest.raises(GraphError, match="mul: one of the variables needed for gradient computation has been modified"):
        s.backward()


def test_an_optimiser_step_between_forward_and_backward_is_seen():
    w = leaf(1.0, 2.0)
    s = (w * w).sum()
    with no_grad():
        w -= 0.1
    with pytest.raises(GraphError, match="modified by an inplace operation"):
        s.backward()


def test_writing_a_leaf_that_requires_grad_is_refused():
    w = leaf(1.0, 2.0)
    for write in (lambda: w.add_(1), lambda: w.__setitem__(0, 1.0), lambda: w.__imul__(2)):
        with pytest.raises(
            GraphError, match="a leaf Variable that requires grad is being used in an in-place operation"
        ):
            write()
    with pytest.raises(GraphError, match="a view of a leaf Variable"):
        w[0].add_(1)
    assert w.tolist() == [1.0, 2.0]


def test_writing_overlapping_memory_is_refused():
    e = mg.ones(1, 3).expand(4, 3)
    with pytest.raises(GraphError, match=r"single memory location.*clone"):
        e.add_(1)


def test_shape_and_dtype_of_an_in_place_result_must_fit():
    with pytest.raises(ShapeError, match="output with shape"):
        mg.ones(3).add_(mg.ones(2, 3))
    with pytest.raises(DTypeError, match="result type float32 can't be cast to the desired output type int64"):
        mg.tensor([1, 2]).add_(0.5)


# --- more of what must be right ---


def test_an_in_place_product_keeps_the_old_value_its_rule_needs():
    x, r = leaf(1.0, 2.0), leaf(5.0, 7.0)
    h = x * 2
    h *= r
    h.sum().backward()
    assert of(x) == [10.0, 14.0]
    assert of(r) == [2.0, 4.0]


def test_views_of_views_and_late_reads():
    x = mg.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    y = x * 1
    early = y.T[1]  # column 1, taken before the write
    y[0] *= 10
    late = y.view(6)[1:2]
    (early * mg.tensor([1.0, 2.0], dtype=mg.float64)).sum().backward(retain_graph=True)
    assert of(x) == [[0, 10, 0], [0, 2, 0]]
    x.grad = None
    late.sum().backward()
    assert of(x) == [[0, 10, 0], [0, 0, 0]]


def test_a_write_through_one_view_is_seen_by_another():
    x = leaf(1.0, 2.0, 3.0, 4.0)
    y = x * 1
    a, b = y[:2], y.view(2, 2)
    a.mul_(3)
    b[:, 0].add_(x[0])
    b.sum().backward()
    assert of(x) == [3 + 2, 3, 1, 1]


def test_second_derivative_through_a_write():
    x = leaf(2.0, 3.0)
    y = x * x
    y[0] = x[1] * x[1] * x[0]
    (g,) = grad(y.sum(), x, create_graph=True)  # y = (x1^2 x0, x1^2)
    np.testing.assert_allclose(g.detach().numpy(), [9.0, 2 * 3 * 2 + 2 * 3])
    (h,) = grad(g[1], x)  # d/dx of 2 x1 x0 + 2 x1
    np.testing.assert_allclose(h.numpy(), [6.0, 2 * 2 + 2])


def test_writing_outside_the_graph_shares_memory():
    w = leaf(1.0, 2.0)
    with no_grad():
        w -= 0.5
    w.data += 1
    assert w.tolist() == [1.5, 2.5]
    assert w.is_leaf
    assert w.requires_grad
    a = np.zeros(3, np.float32)
    t = mg.from_numpy(a)
    t.add_(1)
    a[0] = 7
    assert t.tolist() == [7.0, 1.0, 1.0]
    t.numpy()[1] = 9
    assert a.tolist() == [7.0, 9.0, 1.0]


def test_assigned_values_are_cast_and_broadcast():
    x = mg.zeros(2, 3, dtype=mg.int64)
    x[0] = 2.7
    x[:, 1:] = mg.tensor([[[5, 6]]])
    assert x.tolist() == [[2, 5, 6], [0, 5, 6]]
    with pytest.raises(ShapeError, match=r"value of shape \(2,\) cannot be broadcast to the indexed shape \(3,\)"):
        x[0] = mg.tensor([1, 2])


def test_zero_and_copy_cut_and_pass_the_gradient():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    h = x * 2
    h.zero_()
    h.add_(x)
    k = x * 1
    k.copy_(y * 3)
    (h + k).sum().backward()
    assert of(x) == [1.0, 1.0]
    assert of(y) == [3.0, 3.0]


def test_the_layout_of_a_result_is_settled_before_it_is_viewed():
    x = mg.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    h = mg.Tensor.add(x, 0)
    h._data = np.asfortranarray(h._data)  # as a kernel may leave it
    assert h.is_contiguous()
    assert h.stride() == (3, 1)
    flat = h.view(-1)
    flat[1] = 100.0
    assert h.tolist() == [[0, 100, 2], [3, 4, 5]]
    h.sum().backward()
    assert of(x) == [[1, 0, 1], [1, 1, 1]]


def test_a_view_that_the_layout_does_not_allow_is_refused():
    x = mg.ones(2, 3).T
    with pytest.raises(ShapeError, match=r"view size is not compatible.*Use \.reshape"):
        x.view(-1)
    assert x.reshape(-1).shape == (6,)
    assert x.stride() == (1, 3)


def test_a_write_into_an_empty_view_is_recorded():
    x, value = leaf(1.0, 2.0), mg.zeros(0, dtype=mg.float64, requires_grad=True)
    h = x * 1
    h[2:] = value
    h.sum().backward()
    assert value.grad.shape == (0,)


def test_clamp_takes_tensors_as_bounds():
    x = leaf(-1.0, 0.5, 3.0)
    y = x.clamp(min=mg.zeros(3, dtype=mg.float64), max=mg.tensor(1.0))
    assert y.tolist() == [0.0, 0.5, 1.0]
    y.sum().backward()
    assert of(x) == [0.0, 1.0, 0.0]


# --- edges: aliases, views of what was detached or reassigned, operands with extra dims ---


def test_values_with_extra_leading_dims_of_size_one():
    w = leaf(2.0, 3.0)
    out = mg.zeros(3, dtype=mg.float64)
    for i in range(3):
        out[i] = (w * i).sum().view(1)
    out[1:] = (w[:1] * 5).view(1, 1)
    out.sum().backward()
    assert of(w) == [10.0, 0.0]


def test_a_view_is_a_view_whatever_looked_at_the_memory_before():
    for look in (lambda h: h.detach(), lambda h: h[0], lambda h: h.T, lambda h: h.detach().numpy()):
        x = mg.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
        h = x + 0
        h._data = np.asfortranarray(h._data)  # as a kernel may leave it
        seen = look(h)
        h.view(-1).mul_(0.0)
        assert h.tolist() == [[0.0] * 3] * 2
        assert not np.asarray(getattr(seen, "_data", seen)).any()
        h.sum().backward()
        assert of(x) == [[0.0] * 3] * 2


def test_a_view_taken_before_its_base_is_detached_stays_in_the_graph():
    x = leaf(1.0, 2.0)
    h = x * 1
    out = h[:1]
    h.detach_()
    out.sum().backward()
    assert of(x) == [1.0, 0.0]
    with pytest.raises(GraphError, match="Can't detach views in-place"):
        (x * 1)[:1].detach_()


def test_a_view_that_is_a_leaf_itself_is_refused():
    v = mg.zeros(4)[:2].requires_grad_()
    with pytest.raises(GraphError, match="leaf Variable"):
        v.mul_(2)


def test_every_augmented_operator_writes_in_place():
    t = mg.tensor([5, 6])
    same = t
    t //= 2
    t %= 2
    t |= 4
    t &= 6
    t ^= 1
    assert same is t
    assert t.tolist() == [(n // 2 % 2 | 4) & 6 ^ 1 for n in (5, 6)]
    x = leaf(5.0, 7.0)
    h = x * 1
    h //= 2  # has no derivative: a constant from now on
    (h + x).sum().backward()
    assert of(x) == [1.0, 1.0]


def test_data_shares_the_counter_of_what_it_was_given():
    p, q = leaf(1.0, 2.0), mg.tensor([3.0, 4.0], dtype=mg.float64)
    p.data = q
    y = (p * p).sum()
    q.add_(1)
    with pytest.raises(GraphError, match="modified by an inplace operation"):
        y.backward()
    with pytest.raises(DTypeError, match="must be floats"):
        p.data = mg.tensor([1, 2])


def test_a_quotient_may_be_changed_after_it_was_computed():
    a, b = leaf(1.0, 2.0), leaf(4.0, 5.0)
    y = a / b
    y += 1
    y.sum().backward()
    np.testing.assert_allclose(b.grad.numpy(), [-1 / 16, -2 / 25])


def test_clamping_in_place_between_tensors():
    x, low, high = leaf(-1.0, 0.5, 3.0), leaf(0.0, 0.0, 0.0), leaf(1.0, 1.0, 1.0)
    h = x * 1
    h.clamp_(min=low, max=high)
    h.sum().backward()
    assert (of(x), of(low), of(high)) == ([0, 1, 0], [1, 0, 0], [0, 0, 1])


def test_numbers_among_the_settings_bring_no_dtype():
    assert mg.tensor([1, 2, 3]).clamp(min=1.5).dtype == mg.float32
    assert mg.ones(2).clamp(max=np.float64(1.5)).dtype == mg.float32
    assert mg.nn.functional.leaky_relu(mg.ones(2), np.float64(0.1)).dtype == mg.float32
    assert mg.nn.functional.pad(mg.tensor([1]), (1, 1), value=2.5).tolist() == [2, 1, 2]
    assert mg.ones(1).view(mg.int32).tolist() == [1065353216]


# --- every in-place method against PyTorch: values, identity and gradients ---

IN_PLACE = {
    "add_": lambda t, h, r: h.add_(r, alpha=2),
    "sub_": lambda t, h, r: h.sub_(r, alpha=2),
    "mul_": lambda t, h, r: h.mul_(r),
    "div_": lambda t, h, r: h.div_(r),
    "pow_": lambda t, h, r: h.pow_(3),
    "neg_": lambda t, h, r: h.neg_(),
    "exp_": lambda t, h, r: h.exp_(),
    "sqrt_": lambda t, h, r: h.sqrt_(),
    "tanh_": lambda t, h, r: h.tanh_(),
    "sigmoid_": lambda t, h, r: h.sigmoid_(),
    "relu_": lambda t, h, r: h.relu_(),
    "clamp_": lambda t, h, r: h.clamp_(0.6, 1.4),
    "masked_fill_": lambda t, h, r: h.masked_fill_(t.tensor([[True, False, False]]), 7.0),
    "scatter_add_": lambda t, h, r: h.scatter_add_(1, t.tensor([[0, 0, 2], [1, 1, 1]]), r),
    "addcmul_": lambda t, h, r: h.addcmul_(r, r, value=0.5),
    "addcdiv_": lambda t, h, r: h.addcdiv_(r, r * r, value=0.5),
    "lerp_": lambda t, h, r: h.lerp_(r, 0.25),
    "fill_": lambda t, h, r: h.fill_(2.0),
    "zero_": lambda t, h, r: h.zero_(),
    "copy_": lambda t, h, r: h.copy_(r),
    "a view": lambda t, h, r: h.mT[1:].mul_(r.mT[1:]),
    "a view, expanded": lambda t, h, r: h.add_(r[:1].expand_as(h)).type_as(h),
}


@pytest.mark.oracle
@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_methods_are_those_of_pytorch(name):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    draw = np.random.default_rng(0)
    arrays = [draw.uniform(0.5, 1.5, (2, 3)) for _ in range(3)]
    found = []
    for t in (mg, torch):
        x, r = (t.tensor(a, requires_grad=True) for a in arrays[:2])
        h = x * 1
        done = IN_PLACE[name](t, h, r)
        assert name.startswith("a view") or done is h
        (h * t.tensor(arrays[2])).sum().backward()
        none = np.zeros((2, 3))
        found.append([h.detach().numpy(), *(none if p.grad is None else p.grad.numpy() for p in (x, r))])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_a_write_of_three_operands_may_be_over_each_of_them():
    """PyTorch refuses these when it comes to the gradient; here each is one op, which keeps what it overwrites."""
    cases = {
        lambda h: h.addcmul_(h, h, value=2): lambda v: 1 + 4 * v,
        lambda h: h.addcdiv_(h * 0 + 1, h): lambda v: 1 - 1 / v**2,
        lambda h: h.lerp_(h * 0 + 3, h): lambda v: 1 - v + 3 - v,
    }
    for write, slope in cases.items():
        x = leaf(0.5, 2.0)
        write(x * 1).sum().backward()
        np.testing.assert_allclose(x.grad.numpy(), slope(x.detach().numpy()), rtol=1e-14)


# --- the debug mode ---


def _shared(write):
    """Return the loss of a product with an array that `write` changes before `backward`, and the leaf."""
    array = np.array([1.0, 2.0, 3.0], np.float32)
    x, w = mg.ones(3, requires_grad=True), mg.from_numpy(array)
    loss = (x * w).sum()
    write(array, w)
    return loss, x


BEHIND = {
    "the array itself": lambda array, w: array.__setitem__(0, 5.0),
    "a view of it": lambda array, w: array[1:].__setitem__(0, 5.0),
    "what numpy() gives": lambda array, w: w.numpy().__imul__(2),
    "memory order": lambda array, w: np.copyto(array[::-1], array.copy()),
}


@pytest.mark.parametrize("name", BEHIND)
def test_the_debug_mode_notices_a_write_that_shares_memory(name):
    with mg.debug():
        loss, _ = _shared(BEHIND[name])
        with pytest.raises(
            GraphError, match=r"mul: the saved 'b', float32 of shape \(3,\), was changed through an array"
        ):
            loss.backward()
    loss, x = _shared(BEHIND[name])  # outside, as in PyTorch, it is not seen
    loss.backward()
    assert x.grad is not None


def test_the_debug_mode_accepts_what_is_right():
    step = mg.optim.SGD([w := mg.ones(3, requires_grad=True)], 0.1)
    with mg.debug():
        for _ in range(2):
            h = w * 2
            h.add_(1)
            h[0] = 0.0
            h.mul_(h).sum().backward(retain_graph=True)
            step.step()
        loss, _ = _shared(lambda array, w: None)
        loss.backward()
        y = w.exp()
        (g,) = mg.autograd.grad(y.sum(), w, create_graph=True)
        g.sum().backward()
    assert graph.observer is None


def test_the_debug_mode_stands_around_another_observer():
    seen = []

    class Watch(graph.Observer):
        def forward(self, op, inputs, attrs, call):
            seen.append(op.name)
            return call()

        def rule(self, node, rule, call):
            seen.append(f"{node.op.name} back")
            return call()

    previous = graph.observe(Watch())
    try:
        with mg.debug():
            mg.ones(2, requires_grad=True).exp().sum().backward()
    finally:
        watch = graph.observe(previous)
    assert isinstance(watch, Watch)
    assert seen == ["exp", "sum", "sum back", "exp back"]

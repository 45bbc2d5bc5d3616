"""What a recording of a step says: values, gradients, rules, lines, orders; as data, and as JSON."""

import gc
import inspect
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad import graph as core
from minigrad import nn, viz
from minigrad.errors import ArgumentError, ShapeError
from minigrad.viz.numbers import numbers


def small_step(**options):
    """Return the recording of one training step, the model and the data."""
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    x, y = mg.randn(5, 3), mg.tensor([0, 1, 0, 1, 1])
    with viz.record(model, **options) as step:
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
    return step, model, loss


def test_there_is_a_step_for_each_op_and_each_rule_and_their_parts_add_up():
    step, model, loss = small_step(values="full", max_numel=100)
    g = step.graph()
    ops = [n for n in g.nodes if n.op]
    assert [s.node for s in g.steps if s.kind == "forward"] == [n.id for n in ops]
    edges = [(e.tail, e.head, e.operand) for e in g.edges if e.requires_grad]
    sent = [(p.tail, p.head, p.operand) for s in g.steps for p in s.parts]
    assert sorted(sent) == sorted(edges)
    for name, parameter in model.named_parameters():
        parts = [p for s in g.steps for p in s.parts if p.tail == g[name].id]
        np.testing.assert_allclose(sum(np.array(p.numbers.data) for p in parts), parameter.grad.numpy().ravel(), 1e-6)
        assert parts[-1].total.data == g[name].grad_stats.data == tuple(parameter.grad.numpy().ravel().tolist())
    assert g.nodes[ops[-1].id].stats.data == (loss.item(),)


def test_a_fan_out_is_a_sum_and_a_broadcast_is_summed():
    w, b = mg.tensor([1.0, 2.0], requires_grad=True), mg.tensor(3.0, requires_grad=True)
    with viz.record(names={"w": w, "b": b}) as step:
        (w * w + b).sum().backward()
    g = step.graph()
    to_w = [p for s in g.steps for p in s.parts if p.tail == g["w"].id]
    assert [p.total.data for p in to_w] == [(1.0, 2.0), (2.0, 4.0)]
    (to_b,) = [p for s in g.steps for p in s.parts if p.tail == g["b"].id]
    assert (to_b.summed, to_b.numbers.data) == (True, (2.0,))
    assert not any(p.summed for p in to_w)


def test_each_op_knows_its_line_and_what_it_saves():
    w = mg.ones(3, requires_grad=True)
    with viz.record() as step:
        y = w.exp()
        z = (y * 2).sum()  # saves nothing: the factor is a number
    line = inspect.currentframe().f_lineno - 2
    exp, mul, total = [n for n in step.graph().nodes if n.op]
    assert [n.where.line for n in (exp, mul, total)] == [line, line + 1, line + 1]
    assert exp.where.file == __file__
    assert exp.where.code == "y = w.exp()"
    assert [(s.name, s.node, s.nbytes) for s in exp.saved] == [("y", exp.id, 12)]
    assert (mul.saved_bytes, total.saved_bytes) == (0, 0)
    assert exp.forward_us > 0
    assert exp.backward_us is None
    assert z.item() == pytest.approx(6 * np.e)


def test_ops_without_gradient_are_there_too():
    x, w = mg.tensor([1.0, 2.0]), mg.tensor([3.0, 4.0], requires_grad=True)
    with viz.record() as step:
        half = x / 2
        loss = (half * w).sum()
    nodes = step.graph().nodes
    assert [n.op for n in nodes if n.op] == ["div", "mul", "sum"]
    div, mul = (next(n for n in nodes if n.op == op) for op in ("div", "mul"))
    assert (div.requires_grad, div.stats.data) == (False, (0.5, 1.0))
    assert (div.id, mul.id) in [(e.tail, e.head) for e in step.graph().edges]
    assert loss.item() == 5.5


def test_orders_of_derivatives_are_told_apart():
    t = mg.tensor(0.5, requires_grad=True)
    with viz.record() as step:
        first = t.tanh()
        for _ in range(3):
            (first,) = mg.autograd.grad(first, t, create_graph=True)
    g = step.graph()
    assert {n.order for n in g.nodes if n.op} == {0, 1, 2, 3}
    nodes = {n.id: n for n in g.nodes}
    created = [e for e in g.edges if e.kind == "created"]
    assert {n.id for n in g.nodes if n.order} == {e.head for e in created}
    assert all(nodes[e.head].order == nodes[e.tail].order + 1 for e in created)
    y = np.tanh(0.5)
    assert first.item() == pytest.approx((1 - y * y) * (6 * y * y - 2), rel=1e-5)
    assert {n.order for n in step.graph(order=1).nodes if n.op} == {0, 1}
    assert {n.order for n in viz.graph(first).nodes} == {0, 1, 2, 3}


def test_an_exception_leaves_what_was_computed_and_what_failed():
    step = viz.record()

    def program():
        with step:
            h = mg.ones(2, 3, requires_grad=True) * 2
            h @ mg.ones(2, 2)

    with pytest.raises(ShapeError, match="2x3 and 2x2") as raised:
        program()
    assert step.partial
    *_, mul, _, failed = step.graph().nodes
    assert (mul.op, mul.kind) == ("mul", "op")
    assert (failed.op, failed.kind, failed.attrs) == ("matmul", "failed", "operands (2, 3), (2, 2)")
    assert failed.error == f"ShapeError: {raised.value}"
    assert core.observer is None


def test_a_recording_keeps_nothing_alive_and_changes_nothing():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    with viz.record() as step:
        y = x.exp()
        loss = (y * y).sum()
        loss.backward()
    plain = mg.tensor([1.0, 2.0], requires_grad=True)
    (plain.exp() * plain.exp()).sum().backward()
    assert x.grad.tolist() == plain.grad.tolist()
    kept = [weakref.ref(y), weakref.ref(y._data), weakref.ref(x), weakref.ref(y.grad_fn)]
    del x, y, loss
    gc.collect()
    assert step.graph().nodes
    assert [ref() for ref in kept] == [None] * 4


@pytest.mark.parametrize("values", [None, "stats", "full"])
def test_json_gives_back_the_same_graph(values):
    step, *_ = small_step(values=values)
    for g in (step.graph(), viz.graph(mg.ones(2, requires_grad=True).log().sum() * float("inf"))):
        text = g.to_json()
        again = viz.Graph.from_json(text)
        assert again.to_json() == text
        assert repr(again) == repr(g)
        assert again.edges == g.edges
        assert [n._replace(stats=None, grad_stats=None) for n in again.nodes] == [
            n._replace(stats=None, grad_stats=None) for n in g.nodes
        ]


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"schema":"other/1"}', '{"schema":"minigrad.graph/1","nodes":[{}],"edges":[]}']
)
def test_other_texts_are_refused(text):
    with pytest.raises(ArgumentError, match="from_json"):
        viz.Graph.from_json(text)


@pytest.mark.parametrize(
    "array",
    [np.arange(40.0).reshape(5, 8) - 7, np.array([0.0, np.nan, np.inf, -3.0]), np.zeros((0, 2)), np.arange(5)],
    ids=["plain", "odd", "empty", "integers"],
)
def test_numbers_are_what_numpy_says(array):
    known, finite = numbers(array), array[np.isfinite(array)]
    assert (known.zeros, known.nans, known.infs) == ((array == 0).sum(), np.isnan(array).sum(), np.isinf(array).sum())
    assert known.shape == array.shape
    if finite.size:
        wanted = [finite.min(), finite.max(), finite.mean(), finite.std(), np.sqrt(np.mean(finite * finite))]
        assert [known.min, known.max, known.mean, known.std, known.rms] == pytest.approx(wanted)
    else:
        assert [known.min, known.max, known.mean, known.std, known.rms] == [None] * 5
    assert known.is_finite == (finite.size == array.size)
    assert (known.data is None) == (array.size > 16)


@pytest.mark.parametrize(
    "array",
    [
        np.array([1e300, -1e300, 3.0, np.inf]),
        np.array([3e38, -3e38, np.inf, -np.inf], np.float32),
        np.array([65504, 65504, np.nan], np.float16),
        np.array(3.0),
        np.arange(6).reshape(2, 3),
        np.array([True, False]),
    ],
    ids=lambda a: str(a.dtype),
)
def test_statistics_of_extreme_numbers_are_those_of_exact_arithmetic(array):
    from fractions import Fraction

    finite = [Fraction(float(x)) for x in array.ravel() if np.isfinite(x)]
    mean = sum(finite) / len(finite)
    known = numbers(array)
    assert (known.min, known.max) == (float(min(finite)), float(max(finite)))
    assert known.mean == pytest.approx(float(mean), abs=float(max(finite)) * 1e-15)
    largest = max(map(abs, finite))
    variance = sum(((x - mean) / largest) ** 2 for x in finite) / len(finite)
    assert known.std == pytest.approx(float(variance) ** 0.5 * float(largest))
    assert (known.nans, known.infs) == (np.isnan(array).sum(), np.isinf(array).sum())


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Tanh())

    def forward(self, x):
        return self.enc(self.enc(x))


class Unrolled(nn.Module):
    def __init__(self):
        super().__init__()
        self.cells = nn.ModuleList([nn.LSTMCell(3, 3)])

    def forward(self, x):
        state = None
        for _ in range(3):
            state = self.cells[0](x, state)
        return state[0]


def drawn_both_ways(model):
    """Return the graphs of one run of a model: the one that was recorded, and the one read from the loss."""
    with viz.record(model) as step:
        loss = model(mg.ones(1, 3)).sum()
    return step.graph(), viz.graph(loss, model=model)


def test_calls_with_nothing_between_them_stand_apart():
    for g in drawn_both_ways(Twice()):
        assert [n.module for n in g.nodes if n.op] == ["enc.0", "enc.1", "enc@2.0", "enc@2.1", None]
        assert [m.path for m in g.modules] == ["", "enc", "enc.0", "enc.1", "enc@2", "enc@2.0", "enc@2.1"]
        weight = g["enc.0.weight"]
        assert weight.module == "enc.0"
        assert [e.head for e in g.edges if e.tail == weight.id] == [n.id for n in g.nodes if n.op == "linear"]
        assert sum(n.kind == "param" for n in g.nodes) == 1


def test_a_cell_called_three_times_has_three_calls():
    for g in drawn_both_ways(Unrolled()):
        assert {n.module for n in g.nodes if n.op} == {"cells.0", "cells.0@2", "cells.0@3", None}
        assert [n.module for n in g.nodes if n.op == "lstm"] == ["cells.0", "cells.0@2", "cells.0@3"]


@pytest.mark.parametrize("is_recorded", [False, True])
def test_a_model_called_on_its_own_output_has_two_calls(is_recorded):
    model, x = nn.Sequential(nn.Linear(2, 2)), mg.ones(1, 2)
    with viz.record() if is_recorded else mg.enable_grad() as step:
        y = model(model(x))
    g = step.graph() if is_recorded else viz.graph(y)
    assert [n.module for n in g.nodes if n.op] == ["0", "0@2"]


def test_calls_are_told_apart_without_gradients_too():
    model = Twice()
    with mg.no_grad(), viz.record(model) as step:
        model(mg.ones(1, 3))
    assert [n.module for n in step.graph().nodes if n.op] == ["enc.0", "enc.1", "enc@2.0", "enc@2.1"]


@pytest.mark.parametrize("recorded", [True, False])
def test_what_a_module_keeps_for_itself_is_no_output(recorded):
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    with mg.set_grad_enabled(recorded), viz.record(model) as step:
        y = model(mg.randn(2, 1, 4, 4))
    outputs = [n for n in step.graph().nodes if n.kind == "output"]
    assert [(n.module, n.shape, n.requires_grad) for n in outputs] == [("1", tuple(y.shape), recorded)]


def test_results_of_grad_are_outputs_with_names():
    t = mg.tensor(0.5, requires_grad=True)
    with viz.record(names={"t": t}) as step:
        (first,) = mg.autograd.grad(t.tanh(), t, create_graph=True)
    (end,) = [n for n in step.graph().nodes if n.order and n.kind == "output"]
    assert end.name == "grad of t"
    assert end.stats.data == (first.item(),)


def test_names_that_are_given_late_are_seen():
    w = mg.ones(2, requires_grad=True)

    def program():
        h = w.exp()
        h.name = "h"
        return h.sum()

    with viz.record() as step:
        loss = program()
        loss.backward()
    loss.name, w.name = "loss", "w"
    assert {n.op: n.name for n in step.graph().nodes if n.op} == {"exp": "h", "sum": "loss"}
    assert step.graph()["loss"].kind == "output"
    assert step.graph()["w"].kind == "param"


def test_a_leaf_from_outside_the_model_is_an_input():
    model, x = nn.Sequential(nn.Linear(2, 2)), mg.ones(1, 2, requires_grad=True)
    x.name = "x"
    with viz.record(model) as step:
        loss = model(x).sum()
    for g in (step.graph(), viz.graph(loss), viz.graph(loss, model=model)):
        assert (g["x"].kind, g["x"].requires_grad, g["x"].module) == ("input", True, None)
        assert ">input, requires grad<" in g.source
        assert [n.name for n in g.nodes if n.kind == "param"] == [name for name, _ in model.named_parameters()]
    assert viz.graph((x * x).sum())["x"].kind == "param"


def test_a_failed_op_has_no_shape():
    with pytest.raises(ShapeError), viz.record() as step:
        mg.ones(2, 3, requires_grad=True) @ mg.ones(2, 3)
    g = step.graph()
    assert g.nodes[-1].kind == "failed"
    for text in (g.source, str(g), g.summary()):
        assert "scalar" not in text


def test_what_is_saved_is_called_as_the_picture_calls_it():
    a, b = mg.ones(2, requires_grad=True), mg.ones(2, requires_grad=True)
    (mul, _) = [n for n in viz.graph((a * b).sum()).nodes if n.op]
    assert [s.name for s in mul.saved] == ["left", "right"]


def test_a_hook_changes_the_gradient_and_not_what_was_sent():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    with viz.record(names={"x": x}) as step:
        y = x * 3
        y.register_hook(lambda g: g * 10)
        z = y.exp()
        z.sum().backward()
    g = step.graph()
    mul, exp = (next(n for n in g.nodes if n.op == op) for op in ("mul", "exp"))
    (sent,) = [p for s in g.steps for p in s.parts if p.tail == mul.id]
    assert sent.numbers.data == sent.total.data == tuple(z.tolist())
    assert mul.grad_stats.data == pytest.approx([10 * v for v in z.tolist()])
    assert exp.grad_stats.data == (1.0, 1.0)
    assert g["x"].grad_stats.data == tuple(x.grad.tolist()) == pytest.approx([30 * v for v in z.tolist()])
    (back,) = [s for s in g.steps if s.kind == "backward" and s.node == mul.id]
    assert back.gradient == mul.grad_stats

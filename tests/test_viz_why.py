"""Why a gradient is None or zero: each reason, with the line of this file that is the reason."""

import gc
import inspect
import weakref

import pytest

import minigrad as mg
from minigrad import viz
from minigrad.errors import ArgumentError
from minigrad.viz.paint import BLUE, ORANGE


def detached(w, v):
    h = (w * 3).detach()  # here
    k = h * v
    return k.sum(), w


def detached_leaf(w, v):
    return (w.detach() * v).sum(), w  # here


def data(w, v):
    h = (w * 3).data  # here
    return (v * h).sum(), w


def without_recording(w, v):
    with mg.no_grad():
        h = w * 3  # here
    return (h * v).sum(), w


def unused(w, v):
    return (v * v).sum(), w  # here


def used_elsewhere(w, v):
    w.exp()  # here
    return (v * v).sum(), w


def integers(w, v):
    i = mg.tensor([1, 2])
    return (i * v).sum(), i  # here


def made_integer(w, v):
    h = w.long()  # here
    return (h * v).sum(), w


def position_of_the_largest(w, v):
    h = w.argmax()  # here
    return (h * v).sum(), w


def dead(w, v):
    h = (w * -1).relu()  # here
    return (h * v).sum(), w


def flat(w, v):
    h = w.sign()  # here
    return (h * v).sum(), w


def no_leaf(w, v):
    h = w * 2
    return (h * v).sum(), h  # here


def cut_itself(w, v):
    h = (w * 2).detach_()  # here
    k = h + 1
    return (k * v).sum(), h


def cut_before(w, v):
    with mg.inference_mode():
        h = w * 2  # here
        k = h.reshape(2, 1).exp()
    return (k.reshape(2) * v).sum(), k


def never_asked(w, v):
    x = mg.ones(2)
    return (x * v).sum(), x  # here


def twice(w, v):
    a = w.detach()  # here
    with mg.no_grad():
        b = w.exp()  # here
    return (a * v + b * v).sum(), w


REASONS = {
    detached: "grad is None: detach() cuts it off from the loss",
    detached_leaf: "grad is None: detach() cuts it off from the loss",
    data: "grad is None: detach() cuts it off from the loss",
    without_recording: "grad is None: mul was computed under no_grad()",
    unused: "grad is None: nothing uses it: the loss was computed without it",
    used_elsewhere: "grad is None: it is used, but what comes of that does not lead to the loss",
    integers: "grad is None: it holds int64, and only floating-point numbers have gradients",
    made_integer: "grad is None: to gives int64, through which no gradient flows",
    position_of_the_largest: "grad is None: argmax gives int64, through which no gradient flows",
    dead: "grad is zero: relu is dead: all 2 of its outputs are 0, so that no gradient passes",
    flat: "grad is zero: sign sends on only zeros",
    no_leaf: "grad is None: it is no leaf, and backward() keeps the gradients of leaves only",
    cut_itself: "grad is None: it is cut off itself: detach() cuts it off from the loss",
    cut_before: "grad is None: it is cut off itself: mul was computed under no_grad() or inference_mode()",
    never_asked: "grad is None: it does not require grad: make it with requires_grad=True",
    twice: "grad is None: exp was computed under no_grad()",  # in the order of use
}


def recorded(program):
    w, v = (mg.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    with viz.record() as step:
        loss, tensor = program(w, v)
        loss.backward()
    return step, loss, tensor


@pytest.mark.parametrize("program", REASONS, ids=lambda p: p.__name__)
def test_the_reason_and_its_line(program):
    step, _, tensor = recorded(program)
    said = viz.why(tensor, step).splitlines()
    assert said[0].startswith(REASONS[program])
    source, start = inspect.getsourcelines(program)
    marked = [start + i for i, line in enumerate(source) if "# here" in line]
    told = [line for line in said if line.startswith("  ")]
    assert sorted(line.split(", in ")[0].strip() for line in told) == [f"{__file__}:{number}" for number in marked]
    assert all(f"in {program.__name__}: " in line for line in told)


def test_both_cuts_are_told():
    step, _, w = recorded(twice)
    assert "and detach() cuts it off from the loss" in viz.why(w, step).splitlines()


def test_the_cuts_are_painted():
    step, _, w = recorded(twice)
    marks = {n.op or n.kind: n.mark for n in viz.why(w, step).graph.nodes if n.mark}
    assert marks == {
        "param": (BLUE, "grad is None"),
        "exp": (ORANGE, "✂ exp was computed under no_grad() or inference_mode()"),
        "detach": (ORANGE, "✂ detach() cuts it off from the loss"),
    }
    assert viz.why(w).graph is None


def test_a_gradient_that_is_there_is_told():
    step, loss, w = recorded(lambda w, v: ((w * v).sum(), w))
    for known in (step, loss, None):
        assert viz.why(w, known) == "grad is there, and not zero: its root mean square is 1.581"  # sqrt((1 + 4) / 2)


def test_before_backward():
    w = mg.ones(2, requires_grad=True)
    with viz.record() as step:
        loss = (w * 2).sum()
    for known in (step, loss):
        assert "backward() was not called yet" in viz.why(w, known)


def test_a_gradient_that_was_cleared():
    step, loss, w = recorded(lambda w, v: ((w * v).sum(), w))
    w.grad = None
    for known in (step, loss):
        assert "it was cleared since" in viz.why(w, known)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (detached_leaf, "mul uses its numbers outside of the graph"),
        (detached, "the loss was computed without it, or detach() or no_grad() cuts it off"),
        (never_asked, "mul uses its numbers"),
        (no_leaf, "it is no leaf"),
        (integers, "it holds int64"),
        (dead, "grad is zero: an op on the way to the loss sends on only zeros"),
    ],
    ids=lambda p: getattr(p, "__name__", ""),
)
def test_without_a_recording_what_can_be_known_is_told(program, said):
    _, loss, tensor = recorded(program)
    assert said in viz.why(tensor, loss)


def test_without_a_loss():
    assert "does not require grad" in viz.why(mg.ones(2))
    assert "no leaf" in viz.why(mg.ones(2, requires_grad=True) * 2)
    assert "give why() the loss" in viz.why(mg.ones(2, requires_grad=True))
    assert "the loss does not require grad" in viz.why(mg.ones(2, requires_grad=True), mg.ones(()))
    with pytest.raises(ArgumentError, match="why: expected a tensor"):
        viz.why("w")
    with pytest.raises(ArgumentError, match="why: expected a tensor"):
        viz.why(mg.ones(2), 3.0)


def test_a_graph_from_a_file_tells_it_by_name():
    w, v = (mg.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    with viz.record(names={"w": w, "v": v}) as step:
        detached(w, v)[0].backward()
    again = viz.Graph.from_json(step.graph().to_json())
    assert viz.why("w", again) == viz.why(w, step) == viz.why("w", step)
    assert viz.why("v", again).startswith("grad is there, and not zero")


def test_detach_is_a_box_only_where_something_uses_it():
    w = mg.ones(2, requires_grad=True)
    with viz.record() as step:
        loss = (w * w).sum()
        loss.detach()
        float(loss.data)
    assert [n.op for n in step.graph().nodes if n.op] == ["mul", "sum"]
    assert [n.kind for n in step.graph().nodes if n.op == "sum"] == ["output"]


def test_detach_in_one_module_begins_no_second_call_of_it():
    class Cutting(mg.nn.Module):
        def forward(self, x):
            return (x * 2).detach()

    model = mg.nn.Sequential(Cutting(), mg.nn.Linear(2, 2))
    x = mg.ones(1, 2, requires_grad=True)
    with viz.record(model) as step:
        model(x).sum().backward()
    assert "@" not in "".join(module.path for module in step.graph().modules)
    assert viz.why(x, step).startswith("grad is None: detach() cuts it off")


def test_a_function_that_computes_again_in_its_backward_has_one_box():
    class Again(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.exp()

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            with mg.enable_grad():
                inner = x.detach().requires_grad_()
                inner.exp().backward(g)
            return inner.grad * 1

    x = mg.tensor([1.0], requires_grad=True)
    with viz.record() as step:
        Again.apply(x).sum().backward()
    assert [n.op for n in step.graph().nodes if n.op] == ["Again", "sum"]
    assert x.grad.item() == pytest.approx(2.718282, rel=1e-6)


def test_a_recording_keeps_no_tensor_for_it():
    w = mg.ones(2, requires_grad=True)
    with viz.record() as step:
        h = w * 2
        k = h.detach()
        (k + 1).sum()
    arrays = [weakref.ref(t) for t in (w, h, k)]
    del w, h, k
    gc.collect()
    assert [ref() for ref in arrays] == [None] * 3
    assert len(step.graph().nodes) > 3

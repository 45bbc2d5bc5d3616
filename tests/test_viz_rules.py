"""Checking gradient rules on a recorded graph: none of ours is called wrong, and one with a sign error is, it alone."""

import numpy as np
import pytest
from op_samples import SAMPLES
from op_tests import for_every_op

import minigrad as mg
from minigrad import graph as core
from minigrad import nn, viz
from minigrad.errors import ArgumentError
from minigrad.tensor import Tensor
from minigrad.viz.paint import BLUE, GREY, ORANGE

SMOOTH = [sample for sample in SAMPLES if sample.differentiable() and not sample.kink]


def step_of(sample, dtype=np.float32):
    arrays = sample.arrays(dtype)
    wanted = sample.differentiable()
    tensors = [mg.tensor(a, requires_grad=i in wanted) for i, a in enumerate(arrays)]
    with viz.record(values="full", source=False, time=False) as step:
        sample.call(*tensors)
    return step


def verdicts(g):
    return {n.op: n.mark.tag.split(":")[0].removeprefix("rule ") for n in g.nodes if n.mark}


@for_every_op(SMOOTH)
def test_no_rule_of_the_table_is_called_wrong(sample):
    g = step_of(sample).gradcheck()
    assert not [n.mark.tag for n in g.nodes if n.mark and n.mark.fill == ORANGE]
    unchecked = {n.id for n in g.nodes if n.mark and n.mark.fill == GREY and "more than" not in n.mark.tag}
    empty = {e.head for e in g.edges if not next(n for n in g.nodes if n.id == e.tail).numel}
    assert unchecked <= empty


def negated(rule):
    """Return a rule that asks for the same and returns the opposite."""
    names = ", ".join(rule.__code__.co_varnames[: rule.__code__.co_argcount])
    return eval(f"lambda {names}: -1 * rule({names})", {"rule": rule})


class wrong_sign:
    """Within this context the rule of an op for one of its inputs has a sign error."""

    def __init__(self, op, name):
        self.op, self.name, self.rule = op, name, op.rules[name]

    def __enter__(self):
        self.op.rules[self.name] = negated(self.rule)
        self.op.plans.clear()

    def __exit__(self, *exception):
        self.op.rules[self.name] = self.rule
        self.op.plans.clear()


def breakable():
    """Yield an op, an input that its rule sends something to, and a sample that shows it."""
    for op in core.primitives.values():
        for name, rule in op.rules.items():
            if rule is not None and op.joint is None and not rule.__defaults__:
                yield op, name


@pytest.mark.parametrize(("op", "name"), list(breakable()), ids=lambda x: getattr(x, "name", x))
def test_a_sign_error_is_found_at_its_op_and_nowhere_else(op, name):
    samples = [s for s in SMOOTH if s.op == op.name]
    for sample in samples:
        with wrong_sign(op, name):
            found = verdicts(step_of(sample).gradcheck())
        wrong = {o for o, verdict in found.items() if verdict == "wrong"}
        if wrong:
            assert wrong == {op.name}
            return
    flat = {"floor_divide", "div_floor", "div_trunc", "heaviside", "sign", "round", "trunc", "ceil", "floor"}
    unseen = op.name in flat or not samples or not any(has_gradient(s, op, name) for s in samples)
    assert unseen, f"no sample shows that {op.name} by {name} is wrong"


def has_gradient(sample, op, name):
    """Return whether a sample sends anything but zeros to the input `name` of `op`."""
    tensors = [mg.tensor(a, requires_grad=i in sample.differentiable()) for i, a in enumerate(sample.arrays())]
    with viz.record() as step:
        returned = sample.call(*tensors)
        for y in returned if isinstance(returned, tuple) else (returned,):
            if isinstance(y, Tensor) and y.requires_grad:
                y.backward(mg.rand_like(y), retain_graph=True)
    g = step.graph()
    ops = {n.id for n in g.nodes if n.op == op.name}
    parts = [p for s in g.steps for p in s.parts if p.head in ops and op.input_name(p.operand) == name]
    return any(p.numbers.zeros < p.numbers.size for p in parts)


def small_net():
    mg.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 5), nn.GELU(),
        nn.LayerNorm(5), nn.Linear(5, 3), nn.Tanh(),
    )  # fmt: skip
    with viz.record(model, values="full") as step:
        loss = nn.functional.cross_entropy(model(mg.randn(4, 1, 8, 8)), mg.tensor([0, 1, 2, 0]))
        (loss * loss.exp()).backward()
    return step


def test_in_a_net_all_rules_are_right_and_the_broken_one_is_wrong():
    g = small_net().gradcheck()
    ops = [n for n in g.nodes if n.op and n.requires_grad]
    assert {n.mark.fill for n in ops} == {BLUE}
    assert g.notes[-1] == f"gradcheck of each op: {len(ops)} right"
    with wrong_sign(core.primitives["mul"], "b"):
        broken = small_net().gradcheck()
    (mul,) = [n for n in broken.nodes if n.mark and n.mark.tag.startswith("rule wrong")]
    assert (mul.op, mul.mark.fill) == ("mul", ORANGE)
    assert mul.mark.tag == "rule wrong: by b, relative error 2.0e+00"
    assert broken.notes[-1] == f"gradcheck of each op: {len(ops) - 1} right, 1 wrong"


def test_a_loss_that_was_not_recorded_is_run_again():
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    w.name = "w"
    loss = (w * w.exp()).sum()
    g = viz.gradcheck(loss)
    assert verdicts(g) == {"exp": "right", "mul": "right", "sum": "right"}
    assert g["w"].requires_grad
    assert w.grad is None
    with wrong_sign(core.primitives["exp"], "x"):
        assert verdicts(viz.gradcheck((w * w.exp()).sum())) == {"exp": "wrong", "mul": "right", "sum": "right"}


class Cube(mg.autograd.Function):
    factor = 3.0

    @staticmethod
    def forward(ctx, x, power):
        ctx.save_for_backward(x)
        return x**power

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return Cube.factor * x**2 * g, None


def test_a_function_of_ones_own_is_checked_too(monkeypatch):
    def step():
        x = mg.tensor([1.0, -2.0], requires_grad=True)
        with viz.record(values="full") as recorded:
            Cube.apply(x * 2, 3).sum().backward()
        return recorded

    assert verdicts(step().gradcheck()) == {"mul": "right", "Cube": "right", "sum": "right"}
    monkeypatch.setattr(Cube, "factor", 2.0)
    g = step().gradcheck()
    assert verdicts(g) == {"mul": "right", "Cube": "wrong", "sum": "right"}
    assert [n.op for n in g.nodes if n.op] == ["mul", "Cube", "sum"]
    assert step().gradcheck(rtol=0.5).notes == ("gradcheck of each op: 3 right",)


def test_at_a_bend_any_slope_between_is_right():
    x = mg.tensor([0.0, 0.0, 1.0], requires_grad=True)
    with viz.record(values="full") as step:
        x.relu().sum() + x.abs().sum() + x.max()
    assert set(verdicts(step.gradcheck()).values()) == {"right"}


def test_what_is_too_large_is_said_not_to_be_checked():
    x = mg.ones(200, 100, requires_grad=True)
    with viz.record(values="full") as step:
        x.exp()
    (exp,) = [n for n in step.gradcheck().nodes if n.op]
    assert exp.mark == (GREY, "rule not checked: more than 10,000 elements")


def test_gradcheck_says_what_it_needs_and_repeats_itself():
    x = mg.ones(3, requires_grad=True)
    with viz.record() as step:
        loss = (x * 2).sum()
    with pytest.raises(ArgumentError, match="values="):
        viz.gradcheck(step)
    with pytest.raises(ArgumentError, match="cannot be run again"):
        viz.gradcheck((mg.ones(5, 5, requires_grad=True) * 2).sum())
    with pytest.raises(ArgumentError, match="expected a recording or a loss"):
        viz.gradcheck(3.0)
    assert viz.gradcheck(loss) == viz.gradcheck(loss)
    assert core.observer is None

"""Answers on a graph: heat, health, where a nan comes from; held to closed forms, NumPy and lines of this file."""

import inspect
import math
import re
from dataclasses import replace

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, viz
from minigrad.errors import ArgumentError
from minigrad.viz.paint import BLUE, GREY, ORANGE, WHITE
from minigrad.viz.rows import Mark


def line_of(text):
    """Return the number of the first line of the calling test that contains `text`."""
    lines, start = inspect.getsourcelines(inspect.currentframe().f_back.f_code)
    return next(start + i for i, line in enumerate(lines) if text in line)


def luminance(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return sum(
        w * (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4)
        for w, c in zip((0.2126, 0.7152, 0.0722), parts, strict=True)
    )


# --- heat ---


def mlp_step(values="stats"):
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.Sigmoid(), nn.Linear(16, 4))
    x, y = mg.randn(32, 8), mg.randint(0, 4, (32,))
    with viz.record(model, values=values, max_numel=600) as step:
        nn.functional.cross_entropy(model(x), y).backward()
    return step.graph(), model


@pytest.mark.parametrize("fill", [BLUE, WHITE, ORANGE, GREY])
@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_every_text_in_a_painted_box_can_be_read(fill, theme):
    g, _ = mlp_step()
    source = replace(g, nodes=tuple(n._replace(mark=Mark(fill, "tag")) for n in g.nodes)).theme(theme).source
    boxes = [line for line in source.splitlines() if f'fillcolor="{fill}"' in line and " [id=" in line]
    assert len(boxes) == len(g.nodes)
    for ink in {ink for line in boxes for ink in re.findall(r'FONT COLOR="(#\w+)"', line)}:
        dark, light = sorted((luminance(fill), luminance(ink)))
        assert (light + 0.05) / (dark + 0.05) >= 7


def test_heat_of_gradients_orders_colours_as_numpy_orders_the_gradients():
    g, model = mlp_step()
    hot = g.heat()
    rms = {name: float(np.sqrt(np.mean(p.grad.numpy() ** 2))) for name, p in model.named_parameters()}
    for name, value in rms.items():
        assert float(hot[name].mark.tag.removeprefix("grad rms ")) == pytest.approx(value, rel=1e-3)
    # On the way from blue over white to orange, red never falls and blue never rises.
    ordered = [hot[name].mark.fill for name in sorted(rms, key=rms.get)]
    reds = [int(c[1:3], 16) for c in ordered]
    blues = [int(c[5:7], 16) for c in ordered]
    assert reds == sorted(reds)
    assert blues == sorted(blues, reverse=True)
    assert hot.notes[-1].startswith("heat: grad rms, log scale: blue ")
    assert all(n.mark is None for n in g.nodes)
    assert viz.Graph.from_json(hot.to_json()) == hot


def test_the_ends_and_the_middle_of_a_scale_are_its_three_colours():
    g, _ = mlp_step()
    ids = [n.id for n in g.nodes][:5]
    hot = g.heat(dict(zip(ids, (1e-6, 1e-4, 1e-2, 1e-9, 1e3), strict=True)), vmin=1e-6, vmax=1e-2)
    assert [hot[i].mark.fill for i in ids] == [BLUE, WHITE, ORANGE, BLUE, ORANGE]
    assert hot[ids[1]].mark.tag == "value 0.0001"
    assert hot.notes[-1] == "heat: value, log scale: blue 1e-06 … white 0.0001 … orange 0.01"
    signed = g.heat(dict(zip(ids, (-4.0, 0.0, 2.0, 4.0, 1.0), strict=True)), scale="linear")
    assert [signed[i].mark.fill for i in ids[:2]] == [BLUE, WHITE]
    assert signed[ids[3]].mark.fill == ORANGE
    assert all(n.mark is None for n in hot.nodes if n.id not in ids)


@pytest.mark.parametrize("by", ["value", "time", "backward_time", "bytes", "saved", "flops"])
def test_each_quantity_marks_the_boxes_that_have_it(by):
    g, _ = mlp_step()
    hot = g.heat(by)
    read = {
        "value": lambda n: n.stats,
        "time": lambda n: n.forward_us,
        "backward_time": lambda n: n.backward_us,
        "bytes": lambda n: n.nbytes,
        "saved": lambda n: n.op or None,
        "flops": lambda n: n.op or None,
    }[by]
    assert [n.id for n in hot.nodes if n.mark] == [n.id for n in g.nodes if read(n) is not None]


def test_work_and_bytes_are_counted_from_shapes():
    g, _ = mlp_step()
    first = next(n for n in g.nodes if n.op == "linear")
    assert g.heat("flops")[first.id].mark.tag == f"work {(2 * 32 * 16 * 8 + 32 * 16) / 1e3:.3g} kFLOP"
    assert g.heat("bytes")[first.id].mark.tag == f"size {32 * 16 * 4 / 1e3:.3g} kB"
    assert g.heat(lambda n: float(n.numel) if n.op else None)[first.id].mark.tag.endswith(" 512")


def test_a_gradient_that_is_zero_or_nan_has_a_word_too():
    x = mg.tensor([0.0, 4.0], requires_grad=True)
    y = mg.tensor([-1.0, -2.0], requires_grad=True)
    with viz.record(names={"x": x, "y": y}) as step:
        ((x * 0).sqrt() + y.relu()).sum().backward()
    hot = step.graph().heat()
    assert hot["x"].mark.tag == "grad rms nan"
    assert hot["y"].mark == (GREY, "grad rms 0")


def test_heat_refuses_what_it_cannot_draw():
    g, _ = mlp_step(values=None)
    for arguments in ({"by": "speed"}, {"scale": "cubic"}, {"by": {0: -1.0}}, {"by": {0: 1.0}, "vmin": 0.0}):
        with pytest.raises(ArgumentError, match="heat: "):
            g.heat(**arguments)
    with pytest.raises(ArgumentError, match="the scale is empty"):
        g.heat({0: 1.0}, vmin=2.0, vmax=1.0)
    assert g.heat().notes[-1] == "heat: grad rms is not known of any box"


# --- health ---


def deep(activation, scale, depth=20):
    mg.manual_seed(0)
    model = nn.Sequential()
    for _ in range(depth):
        model.append(nn.Linear(16, 16))
        model.append(activation())
        with mg.no_grad():
            model[-2].weight.mul_(scale)
    model.append(nn.Linear(16, 1))
    return model


def checked(model, **limits):
    with viz.record(model) as step:
        (model(mg.randn(32, 16)) ** 2).mean().backward()
    return step.graph().health(**limits)


def gradients(model):
    return {name: float(np.sqrt(np.mean(p.grad.numpy() ** 2))) for name, p in model.named_parameters()}


def test_a_deep_net_of_sigmoids_vanishes_and_says_where_and_why():
    model = deep(nn.Sigmoid, 1)
    health = checked(model)
    assert (health.verdict, health.ok) == ("vanishing", False)
    small = {name.rpartition(".")[0] for name, rms in gradients(model).items() if rms < 1e-7}
    assert set(health.findings[0].modules) == small
    assert 10 < len(small) < 20
    (factor,) = re.findall(r"first cause: sigmoid .* sends back ×(0\.\d+) of what comes, 20 times", str(health))
    assert 0.15 < float(factor) <= 0.25  # the slope of a sigmoid is at most a quarter
    assert health.findings[0].where.code == "(model(mg.randn(32, 16)) ** 2).mean().backward()"
    assert {n.mark.tag for n in health.graph.nodes if n.mark} == {"vanishing"}


@pytest.mark.parametrize("scale", [10, 1000])
def test_large_weights_explode_even_if_they_overflow(scale):
    model = deep(nn.ReLU, scale)
    health = checked(model)
    assert health.verdict == "exploding"
    with np.errstate(over="ignore", invalid="ignore"):
        large = {name.rpartition(".")[0] for name, rms in gradients(model).items() if not rms <= 1e4}
    if scale == 10:
        assert set(health.findings[0].modules) == large
        assert "first cause: linear" in str(health)


def test_a_healthy_net_is_well_and_so_is_one_that_has_converged():
    model = deep(nn.ReLU, 2.0, depth=3)
    assert checked(model).ok
    w = mg.tensor([1e-9, 2e-9], requires_grad=True)
    with viz.record() as step:
        (w * w).sum().backward()
    assert str(step.graph().health()) == "ok"


def test_dead_and_saturated_units_are_found_in_their_modules():
    model = deep(nn.ReLU, 1, depth=2)
    with mg.no_grad():
        model[2].bias.fill_(-100)
    health = checked(model)
    assert health.verdict == "dead"
    assert [finding.modules for finding in health.findings] == [("3",)]
    flat = checked(deep(nn.Tanh, 100, depth=1))
    assert (flat.verdict, flat.findings[0].modules) == ("saturated", ("1",))
    sigmoid = checked(deep(nn.Sigmoid, 1000, depth=1))
    assert sigmoid.verdict == "saturated"


def test_units_that_are_dead_for_all_samples_are_counted():
    x = mg.randn(16, 4)
    bias = mg.tensor([-100.0, -100.0, -100.0, 5.0], requires_grad=True)
    with viz.record(values="full", max_numel=64) as step:
        (x + bias).relu().sum().backward()
    (finding,) = step.graph().health().findings
    assert "3 of 4 units for every sample" in finding.text


def test_without_gradients_nothing_is_said_to_be_well():
    with viz.record() as step:
        mg.ones(2, requires_grad=True).sum()
    health = step.graph().health()
    assert (health.verdict, health.ok) == ("unknown", False)
    assert "record" in str(health)


# --- nan ---


def test_nan_of_a_root_of_a_root_is_the_first_roots():
    x = mg.tensor([1.0, 3.0], requires_grad=True)
    with viz.record(names={"x": x}) as step:
        y = (x - 2).sqrt()
        y.sqrt().sum().backward()
    report = step.graph().nan()
    assert (report.origin.op, report.born) == ("sqrt", "forward")
    assert (report.where.file, report.where.line) == (__file__, line_of("y = (x - 2)"))
    assert [n.op for n in report.path] == ["sqrt", "sqrt", "sum"]
    assert report.operands == ("from sub: [-1, 1]",)
    assert [n.mark.tag for n in report.graph.nodes if n.id == report.origin.id] == ["nan is born here (forward)"]
    assert "y = (x - 2).sqrt()" in str(report)


def test_nan_of_a_logarithm_is_born_forward():
    x = mg.tensor([1.0], requires_grad=True)
    with viz.record() as step:
        (-x).log().sum().backward()
    report = step.graph().nan()
    assert (report.origin.op, report.born, report.where.line) == ("log", "forward", line_of("(-x).log()"))


def test_nan_of_a_root_at_zero_is_born_backward():
    x, other = mg.tensor([2.0], requires_grad=True), mg.tensor([3.0], requires_grad=True)
    with viz.record(names={"x": x, "other": other}) as step:
        zero = x * 0
        root = zero.sqrt()
        (root + other * 2).sum().backward()
    g = step.graph()
    report = g.nan()
    assert math.isnan(x.grad.item())
    assert (report.origin.op, report.born, report.where.line) == ("sqrt", "backward", line_of("zero.sqrt()"))
    assert [n.name or n.op for n in report.path] == ["sqrt", "mul", "x"]
    assert set(report.reached) == {g["x"].id, next(n.id for n in g.nodes if n.op == "mul")}
    assert "gradients spoilt: x" in str(report)


def test_nan_in_a_second_derivative_is_that_of_the_op_differentiated():
    x = mg.tensor(0.0, requires_grad=True)
    with viz.record(names={"x": x}) as step:
        y = x**1.5
        (g,) = mg.autograd.grad(y, x, create_graph=True)
        (h,) = mg.autograd.grad(g, x, create_graph=True)
        (h * 0).backward()
    report = step.graph().nan()
    assert (report.origin.op, report.born, report.where.line) == ("pow", "backward", line_of("y = x**1.5"))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_that_was_given_is_the_leafs(value):
    x = mg.tensor([value, 1.0], requires_grad=True)
    with viz.record(names={"x": x}) as step:
        (x - x).sum().backward()
    assert step.graph().nan().origin.name == "x"


def test_infinities_that_an_op_swallows_are_no_fault():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    with viz.record() as step:
        mg.softmax(x.masked_fill(mg.tensor([True, False]), float("-inf")), 0).square().sum().backward()
    report = step.graph().nan()
    assert not report
    assert (report.origin, report.where, str(report)) == (None, None, "all is finite")


def test_nan_is_found_in_a_tiny_graph_that_was_not_recorded():
    x = mg.tensor([0.0], requires_grad=True)
    loss = (x * 0).sqrt().sum()
    report = viz.graph(loss).nan()
    assert (report.origin.op, report.born, report.where) == ("sqrt", "backward", None)
    assert "nothing is known" in str(viz.graph(loss, values=None).nan())


@pytest.mark.parametrize("turn", [False, True])
def test_nan_that_may_come_from_either_op_blames_neither_unless_it_was_recorded(turn):
    def program():
        x = mg.tensor([2.0], requires_grad=True)
        zero = x * 0
        parts = [zero.sqrt, lambda: zero.exp()]
        a, b = (part() for part in (reversed(parts) if turn else parts))
        return (a + b).sum()

    report = viz.graph(program()).nan()
    assert (report.origin.op, report.born) == ("mul", "backward")
    assert "in the gradient that comes to mul" in str(report)
    assert f"sent by one of: {'exp, sqrt' if turn else 'sqrt, exp'}; record the step" in str(report)
    with viz.record() as step:
        program().backward()
    report = step.graph().nan()
    assert (report.origin.op, report.born) == ("sqrt", "backward")
    assert "one of" not in str(report)

"""What a first use of the drawing meets: numbers that can be read, files of the right kind, and messages that help."""

from __future__ import annotations

import itertools
import json
import re
import xml.etree.ElementTree as ElementTree

import pytest
from test_viz import HAS_ENGINE, SVG

import minigrad as mg
from minigrad import nn, viz
from minigrad.errors import ArgumentError
from minigrad.viz.__main__ import main


def squares():
    w = mg.tensor([[0.123 * (4 * i + j) for j in range(4)] for i in range(4)], requires_grad=True)
    return viz.graph((w * w).sum(), names={"w": w})


@pytest.mark.skipif(not HAS_ENGINE, reason="no engine draws")
def test_lines_of_numbers_do_not_touch():
    root = ElementTree.fromstring(squares().pipe("svg"))
    texts = [text for text in root.iter(f"{SVG}text") if re.fullmatch(r"\[.*\]", (text.text or "").strip())]
    assert len(texts) == 4 * 4  # value and grad of w and of mul, but their tags
    columns = {}
    for text in texts:
        columns.setdefault(text.get("x"), []).append((float(text.get("y")), float(text.get("font-size"))))
    for lines in columns.values():
        lines.sort()
        for (above, size), (below, _) in itertools.pairwise(lines):
            assert below - above >= 1.15 * size


@pytest.mark.parametrize("suffix", ["json", "html", "svg", "png", "pdf"])
def test_save_does_not_write_dot_under_the_name_of_another_format(tmp_path, suffix):
    path = tmp_path / f"step.{suffix}"
    with pytest.raises(ArgumentError, match=rf"save writes DOT text, not {suffix}; (to_json|to_html|render)\(path\)"):
        squares().save(path)
    assert not path.exists()


def test_to_json_writes_the_file_that_the_command_shows(tmp_path, capsys):
    graph = squares()
    path = tmp_path / "new" / "step.json"
    text = graph.to_json(path)
    assert path.read_text(encoding="utf-8") == text == graph.to_json()
    assert json.loads(text)["schema"] == "minigrad.graph/1"
    assert main(["show", str(path)]) == 0
    assert "mul" in capsys.readouterr().out


def test_why_tells_of_exchanged_arguments():
    w = mg.tensor(2.0, requires_grad=True)
    assert "the order is why(tensor, loss)" in viz.why(w * 3, w)


def test_a_health_finding_reads_as_a_sentence_where_modules_have_numbers_for_names():
    model = nn.Sequential(*(layer for _ in range(8) for layer in (nn.Linear(20, 20), nn.Sigmoid())))
    with viz.record(model) as step:
        model(mg.ones(16, 20)).square().mean().backward()
    assert str(step.graph().health()).startswith("vanishing in 0")


def test_make_dot_takes_named_parameters_as_they_come():
    layer = nn.Linear(2, 1)
    loss = nn.functional.linear(mg.ones(1, 2), layer.weight, layer.bias).sum()
    assert viz.make_dot(loss, params=layer.named_parameters()) == viz.make_dot(loss, dict(layer.named_parameters()))
    assert viz.make_dot(loss, params=layer.named_parameters())["weight"].shape == (1, 2)


@pytest.mark.parametrize("draw", [viz.draw_graph, lambda *args, **more: viz.plot_model(*args, to_file=None, **more)])
def test_the_table_of_a_drawn_model_counts_the_parameters_that_are_not_drawn(draw):
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 10))
    text = draw(model, input_size=(2, 1, 8, 8)).summary()
    assert f"Parameters: {sum(p.numel() for p in model.parameters()):,} " in text
    outputs = 2 * 4 * 6 * 6
    work = outputs * (2 * 9 + 1) + outputs + 2 * 10 * (2 * 4 * 6 * 6 + 1)  # conv2d, relu, linear; each with its bias
    assert f"FLOPs of forward: {work:,} " in text


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: viz.formula(mg.sigmoid), ArgumentError, r'op_name is text, such as "sigmoid"'),
        (lambda: viz.plots.curves([1.0, 2.0]), ArgumentError, "history must be a dict of names and numbers, got list"),
        (lambda: viz.plots.confusion_matrix(mg.tensor([0, 1]), mg.ones(2, 3)), ValueError, r"scores\.argmax\(1\)"),
        (lambda: viz.timeline(nn.Linear(1, 1)).plot(), ArgumentError, r"no step was kept yet; call step\(\)"),
        (lambda: viz.timeline(nn.Linear(1, 1))["weight", "speed"], KeyError, "no values yet"),
    ],
)
def test_messages_say_what_to_give(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_the_nan_report_names_an_infinity_and_only_gradients_that_are_spoilt():
    w = mg.tensor([0.0, 1.0], requires_grad=True)
    with viz.record(names={"w": w}) as step:
        w.log().sum().backward()
    report = step.graph().nan()
    assert "\n  result: [-inf, 0]\n" in str(report)
    assert {n.mark.tag for n in report.graph.nodes if n.id == report.origin.id} == {"inf is born here (forward)"}

    x, v = mg.tensor([1.0, float("nan")]), mg.tensor([1.0, 1.0], requires_grad=True)
    with viz.record(names={"x": x, "v": v}) as step:
        (x * v).sum().backward()
    text = str(step.graph().nan())
    assert "\n  value: [1, nan]\n" in text
    assert text.endswith("gradients spoilt: v")  # x has none

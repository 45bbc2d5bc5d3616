"""The page that plays a computation: what it says, in data, without JavaScript, and without Graphviz."""

import re

import numpy as np
import pytest
from page_reading import NASTY, Page, fan_out, nasty, no_engine

import minigrad as mg
from minigrad import graph as core
from minigrad import nn, viz
from minigrad.errors import ArgumentError, GraphError, ShapeError
from minigrad.viz import inline, render


class Counting(core.Observer):
    """Counts ops and calls of rules, as a truth beside the recording."""

    ops = rules = 0

    def forward(self, op, inputs, attrs, call):
        self.ops += 1
        return super().forward(op, inputs, attrs, call)

    def rule(self, node, rule, call):
        self.rules += 1
        return super().rule(node, rule, call)


class Residual(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.linear = nn.Linear(width, width)

    def forward(self, x):
        return x + self.linear(x).tanh()


def deep(width):
    """Return a recording of a long chain of layers: more than 300 nodes and 500 steps."""
    mg.manual_seed(0)
    model = nn.Sequential(*(Residual(width) for _ in range(60)))
    with viz.record(model) as step:
        model(mg.randn(4, width)).square().mean().backward()
    return step


def numbers_in(text):
    return [float(n) for n in re.findall(r"-?\d[\d.]*(?:e[-+]?\d+)?", text)]


# --- the data ---


def test_each_op_and_rule_is_a_step_and_the_numbers_are_those_of_grad():
    counting = Counting()
    core.observe(counting)
    try:
        step, leaves = fan_out()
    finally:
        core.observe(None)
    data = Page(viz.player(step).html).data
    forward = [s for s in data["steps"] if "p" not in s]
    backward = [s for s in data["steps"] if "p" in s]
    assert (len(forward), len(backward)) == (counting.ops, counting.rules)
    shown = {node["id"]: node for node in data["nodes"]}
    for name, leaf in leaves.items():
        (node,) = [n for n in data["nodes"] if n["title"] == name]
        wanted = leaf.grad.numpy().ravel()
        np.testing.assert_allclose(numbers_in(node["g"]), wanted, rtol=1e-6)
        parts = [p for s in backward for p in s["p"] if p["t"] == node["id"]]
        np.testing.assert_allclose(sum(np.array(numbers_in(p["v"])) for p in parts), wanted, rtol=1e-6)
    (h,) = [n["id"] for n in data["nodes"] if n.get("op") == "tanh"]
    parts = [p for s in backward for p in s["p"] if p["t"] == h]
    assert [(p["i"], p["of"]) for p in parts] == [(1, 3), (2, 3), (3, 3)]
    sums = np.cumsum([numbers_in(p["v"]) for p in parts], axis=0)
    np.testing.assert_allclose([numbers_in(p["c"]) for p in parts], sums, rtol=1e-6)
    np.testing.assert_allclose(numbers_in(shown[h]["g"]), sums[-1], rtol=1e-6)
    (to_b,) = [p for s in backward for p in s["p"] if shown[p["t"]]["title"] == "b"]
    assert to_b["s"] == "(2,)"


@pytest.mark.parametrize("width", [2, 4, 32])
def test_a_page_is_small_and_asks_for_nothing(width):
    step = deep(width)
    found = step.graph()
    assert len(found.nodes) >= 300
    assert len(found.steps) >= 500
    text = viz.player(step).html
    assert len(text.encode()) < 300_000
    assert_asks_for_nothing(text)
    assert_asks_for_nothing(viz.player(fan_out()[0], quiz=True).html)


def assert_asks_for_nothing(text):
    for tag, attrs, _ in Page(text).elements:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base", "image", "use")
        assert not {"src", "href", "xlink:href", "srcset", "action", "style:url"} & set(attrs)
        assert all("http" not in (value or "") for name, value in attrs.items() if name != "xmlns")
        assert not [name for name in attrs if name.startswith("on")]
    assert set(re.findall(r"https?://[^\s\"'<>)]*", text)) <= {"http://www.w3.org/2000/svg"}
    assert set(re.findall(r"url\(([^)]*)\)", text)) == {"#mf", "#mb"}
    assert "default-src 'none'" in text


@pytest.mark.parametrize("has_engine", [True, False])
def test_no_name_breaks_the_page(monkeypatch, has_engine):
    if not has_engine:
        monkeypatch.setattr(render, "engines", no_engine)
    found = Page(nasty().html)
    titles = [node["title"] for node in found.data["nodes"] if node["kind"] == "param"]
    assert titles == NASTY
    assert found.data["title"] == " ".join(NASTY)
    (title,) = [text for tag, _, text in found.elements if tag == "title" and "map" in text and "神" in text]
    assert title == " ".join(NASTY)
    assert sum(tag == "script" for tag, _, _ in found.elements) == 2
    assert "<" not in found.by_id("data")[2]
    assert not {"img", "map", "lambda", "b>"} & {tag for tag, _, _ in found.elements}


def test_formulas_and_the_names_of_operands_are_told(monkeypatch):
    known = {"matmul": ("dleft = g @ right.T", "dright = left.T @ g"), "exp": ("dx = g * y",)}
    monkeypatch.setattr(viz, "formula", lambda op: known[op], raising=False)
    data = Page(viz.player(fan_out()[0]).html).data
    assert data["formulas"] == {op: list(lines) for op, lines in known.items()}
    assert data["inputs"]["matmul"] == data["inputs"]["add"] == ["left", "right"]


def test_what_failed_is_the_last_step():
    step = viz.record()
    x = mg.ones(2, 3, requires_grad=True)
    with pytest.raises(ShapeError), step:
        x.exp() @ mg.ones(2, 2)
    data = Page(viz.player(step).html).data
    (failed,) = [node for node in data["nodes"] if node["kind"] == "failed"]
    assert [s["n"] for s in data["steps"]] == [data["nodes"][1]["id"], failed["id"]]
    assert failed["error"].startswith("ShapeError: matmul: mat1 and mat2 shapes cannot be multiplied (2x3 and 2x2)")


def test_half_a_character_is_no_error(tmp_path):
    with viz.record() as step:
        (mg.ones(2, requires_grad=True) * 2).sum().backward()
    viz.player(step, tmp_path / "o.html", title="half \ud83d of it")
    assert Page((tmp_path / "o.html").read_text(encoding="utf-8")).data["title"] == "half ? of it"


# --- without JavaScript, without Graphviz ---


def test_the_final_state_is_there_without_javascript():
    step, leaves = fan_out()
    found = Page(step.graph().to_html())
    texts = [text for tag, _, text in found.elements if tag == "tspan"]
    for leaf in leaves.values():
        for row in np.atleast_2d(leaf.grad.numpy()):
            assert "[" + ", ".join(f"{v:.4g}" for v in row) + "]" in texts
    assert found.data["steps"] == []
    svg = next(attrs for tag, attrs, _ in found.elements if tag == "svg")
    assert {"width", "height", "viewbox"} <= set(svg)
    ids = [attrs["id"] for _, attrs, _ in found.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    graph = step.graph()
    assert {f"n{node.id}" for node in graph.nodes} <= set(ids)
    assert {f"e{edge.tail}-{edge.head}-{edge.operand}" for edge in graph.edges} <= set(ids)


def test_without_graphviz_there_are_tables_and_the_reason(monkeypatch):
    monkeypatch.setattr(render, "engines", no_engine)
    step, _ = fan_out()
    found = Page(viz.player(step).html)
    graph = step.graph()
    everything = "\n".join(text for _, _, text in found.elements)
    assert "There is no picture: drawing a graph needs Graphviz: install it" in everything
    assert not found.with_class("picture")
    rows = [attrs["id"] for tag, attrs, _ in found.elements if tag == "tr" and "id" in attrs]
    assert rows == [f"n{node.id}" for node in graph.nodes]
    sentences = [text for tag, _, text in found.elements if tag == "li"]
    assert len(sentences) == len(graph.steps)
    assert "\n".join(graph["w"].grad.splitlines()) in everything
    for step in graph.steps:
        for part in step.parts:
            assert f"n{part.tail} gets {part.numbers.text}" in everything


@pytest.mark.parametrize("nodes", [3, 900])
def test_a_long_graph_is_folded_but_all_steps_are_there(nodes):
    x = mg.ones(2, requires_grad=True)
    with viz.record() as step:
        y = x
        for _ in range(nodes):
            y = y * 0.999
        y.sum().backward()
    found = Page(viz.player(step).html)
    boxes = {int(e[1]["id"][1:]) for e in found.with_class("node")}
    assert len(boxes) <= 400
    fold = {int(k): v for k, v in found.data["fold"].items()}
    assert len(found.data["steps"]) == 2 * (nodes + 1)
    assert {fold.get(s["n"], s["n"]) for s in found.data["steps"]} <= boxes


def test_a_rounded_box_and_a_rectangle_become_rectangles():
    svg = inline.inline(viz.graph((mg.ones(2, requires_grad=True) * 2).sum()).pipe("svg"))
    assert svg.count("<rect") == 3
    assert "<polygon" not in svg
    assert re.search(r'class="g">grad<tspan x="\d+">\[2, 2\]</tspan></text>', svg)


# --- explain ---


def test_explain_does_what_backward_does():
    def leaves_and_loss():
        w, b = mg.tensor([[0.5, -0.25], [1.5, 2.0]], requires_grad=True), mg.tensor([0.1, -0.3], requires_grad=True)
        return (w, b), ((mg.ones(3, 2) @ w + b).tanh() ** 2).sum()

    explained, loss = leaves_and_loss()
    plain, other = leaves_and_loss()
    other.backward()
    player = loss.explain(names={"w": explained[0]})
    for a, b in zip(explained, plain, strict=True):
        assert a.grad.tolist() == b.grad.tolist()
    with pytest.raises(GraphError, match="second time"):
        loss.backward()
    g = player.graph
    assert g["w"].grad_stats.data == tuple(plain[0].grad.numpy().ravel().tolist())
    ops = [node for node in g.nodes if node.op]
    assert [s.node for s in g.steps if s.kind == "forward"] == [node.id for node in ops]
    assert ops[-1].name == "loss"
    assert ops[-1].stats.data == (loss.item(),)
    assert all(node.stats is not None for node in ops)
    assert {p.tail for s in g.steps for p in s.parts} == {e.tail for e in g.edges if e.requires_grad}
    assert core.observer is None


def test_explain_knows_of_a_larger_graph_what_it_keeps():
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 40), nn.Tanh(), nn.Linear(40, 2))
    h = model[:2](mg.randn(9, 3))
    loss = nn.functional.mse_loss(model[2](h), mg.zeros(9, 2))
    g = loss.explain(model=model, retain_graph=True).graph
    (tanh,) = [node for node in g.nodes if node.op == "tanh"]
    assert tanh.stats.mean == pytest.approx(h.detach().numpy().mean(dtype=float), rel=1e-6)
    for name, parameter in model.named_parameters():
        assert g[name].stats.std == pytest.approx(parameter.detach().numpy().std(dtype=float), rel=1e-5)
        assert g[name].grad_stats.max == pytest.approx(parameter.grad.numpy().max())
    again = loss.explain(model=model)
    assert any("held a gradient already" in note for note in again.graph.notes)


def test_explain_shows_no_value_that_was_changed_since():
    x, w = mg.tensor([1.0, 2.0]), mg.tensor([3.0, 4.0], requires_grad=True)
    loss = (w + x).sum()
    with mg.no_grad():
        w.add_(1.0)
    g = loss.explain(names={"w": w}).graph
    assert [node.stats for node in g.nodes if node.op] == [None, None]
    assert g["w"].stats is None
    assert any("changed" in note for note in g.notes)
    assert g["w"].grad_stats.data == (1.0, 1.0)


def test_explain_inside_a_recording_has_its_lines():
    w = mg.tensor(2.0, requires_grad=True)
    with viz.record():
        y = w * w * w
        player = y.explain(names={"w": w})
    g = player.graph
    assert g["loss"].where.code == "y = w * w * w"
    assert g["w"].grad_stats.data == (12.0,)
    assert Page(player.html).data["nodes"][g["loss"].id]["code"] == "y = w * w * w"


def test_a_player_is_saved_and_shown_in_a_frame(tmp_path):
    step, _ = fan_out()
    player = viz.player(step, tmp_path / "deep" / "page.html", speed=4, title="a title")
    assert (tmp_path / "deep" / "page.html").read_text(encoding="utf-8") == player.html
    assert player.save(tmp_path / "other.html") == str(tmp_path / "other.html")
    (tag, attrs, _), *rest = Page(player._repr_html_()).elements
    assert (tag, attrs["srcdoc"], rest) == ("iframe", player.html, [])
    data = Page(player.html).data
    assert (data["speed"], data["title"], data["quiz"]) == (4, "a title", False)
    assert viz.player(step.graph(), speed=4, title="a title").html == player.html


def test_other_arguments_are_refused():
    step, _ = fan_out()
    with pytest.raises(ArgumentError, match=r"expected a recording or a Graph, got list"):
        viz.player([])
    for speed in (0, -1.0, "2", True, float("nan")):
        with pytest.raises(ArgumentError, match="speed must be a positive number"):
            viz.player(step, speed=speed)

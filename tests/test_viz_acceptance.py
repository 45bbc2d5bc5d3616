"""What is asked of drawing as a whole, and belongs to no part of it: imports, lifetimes, limits, and what one reads."""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
import traceback
import weakref
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from page_reading import Page, fan_out, no_engine
from test_viz import HAS_ENGINE, HAS_PDF, SVG, drawn
from test_viz_shape import deep

import minigrad as mg
from minigrad import nn, viz
from minigrad.errors import GraphError, ShapeError
from minigrad.viz import render

ROOT = Path(mg.__file__).parent.parent


# --- imports and lifetimes ---


@pytest.mark.parametrize("program", ["import minigrad", "import minigrad.nn, minigrad.optim, minigrad.utils.data"])
def test_who_draws_nothing_loads_nothing_for_it(program):
    train = "; x = minigrad.ones(2, requires_grad=True); (x * x).sum().backward(); print(x.grad)"
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", program + train],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    loaded = {line.rpartition("|")[2].strip() for line in run.stderr.splitlines()}
    assert {"numpy", "minigrad.engine"} <= loaded
    unwanted = ("minigrad.viz", "graphviz", "pygraphviz", "IPython", "matplotlib")
    assert not [name for name in loaded for other in unwanted if name == other or name.startswith(f"{other}.")]


def recorded():
    """Return a step recorded with everything, and what it was computed from and with."""
    mg.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), mg.randn(5, 3)
    with viz.record(model, values="full", names={"x": x}) as step:
        hidden = model[1](model[0](x))
        loss = (model[2](hidden) ** 2).mean()
        loss.backward()
    return step, model, x, hidden, loss


ANSWERS = {
    "the graph": lambda g, s: g,
    "before": lambda g, s: viz.Graph.from_json(g.to_json()),
    "heat": lambda g, s: g.heat("grad"),
    "folded": lambda g, s: g.collapse(1),
    "health": lambda g, s: g.health(),
    "nan": lambda g, s: g.nan(),
    "gradcheck": lambda g, s: s.gradcheck(),
    "diff": lambda g, s: g.diff(g.collapse(0)),
    "memory": lambda g, s: g.memory(),
    "player": lambda g, s: viz.player(s),
    "why": lambda g, s: viz.why("x", s),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_no_answer_keeps_an_array_alive(name):
    step, model, x, hidden, loss = recorded()
    made = ANSWERS[name](step.graph(), step)
    picture = viz.graph(loss, model=model)
    arrays = [hidden._data, loss._data, x._data, model[0].weight._data, model[0].weight.grad._data]
    kept = [weakref.ref(one) for one in (hidden, loss, x, model, *arrays, loss.grad_fn)]
    del step, model, x, hidden, loss, arrays
    gc.collect()
    assert [ref() for ref in kept] == [None] * len(kept)
    assert made is not None
    assert picture.nodes


# --- before, after and without backward ---


def test_a_graph_may_be_drawn_before_backward_after_it_and_when_it_is_freed():
    model, x = nn.Linear(3, 2), mg.randn(40, 3)  # too large for its gradients to be computed for the picture
    with viz.record(model) as step:
        loss = (model(x) ** 2).mean()
    before = viz.graph(loss, model=model)
    for g in (before, step.graph()):
        assert {n.grad_stats for n in g.nodes} == {n.grad for n in g.nodes} == {None}
        for shown in (g.source, str(g), g.to_html()):
            assert "gradients are not computed" in shown
    loss.backward(retain_graph=True)
    after = viz.graph(loss, model=model)
    loss.backward()
    with pytest.raises(GraphError, match="freed"):
        loss.backward()
    freed = viz.graph(loss, model=model)
    for g in (after, freed):
        assert "not computed" not in g.source + str(g)
        assert [n.op for n in g.nodes] == [n.op for n in before.nodes]
    once = np.array(after["weight"].grad_stats.data)
    np.testing.assert_allclose(freed["weight"].grad_stats.data, 2 * once, rtol=1e-6)
    np.testing.assert_allclose(freed["weight"].grad_stats.data, model.weight.grad.numpy().ravel(), rtol=1e-6)


# --- shared modules and weights ---


class Twice(nn.Module):
    """Calls one module twice, and ties the weight of another to it."""

    def __init__(self):
        super().__init__()
        self.enc, self.out = nn.Sequential(nn.Linear(3, 3), nn.Tanh()), nn.Linear(3, 3, bias=False)
        self.out.weight = self.enc[0].weight

    def forward(self, x):
        return self.out(self.enc(self.enc(x).relu()))


@pytest.mark.parametrize("is_recorded", [False, True])
def test_two_calls_are_two_clusters_and_a_tied_weight_is_one_box(is_recorded):
    model, x = Twice(), mg.randn(4, 3)
    with viz.record(model) as step:
        loss = model(x).sum()
        loss.backward()
    g = step.graph() if is_recorded else viz.graph(loss, model=model)
    titles = re.findall(r"subgraph cluster_\d+ \{\n\s*graph \[label=<(.*?)>, labelloc", g.source)
    named = [re.sub("<[^>]*>|&#160;", "", title) for title in titles]
    assert [name for name in named if name.startswith("enc")] == ["enc: Sequential", "enc (call 2): Sequential"]
    assert {"enc", "enc@2", "enc.0", "enc@2.0"} <= {m.path for m in g.modules}
    (weight,) = [n for n in g.nodes if n.kind == "param" and n.shape == (3, 3)]
    users = [e.head for e in g.edges if e.tail == weight.id and e.kind == "data"]
    assert [g[i].module for i in users] == ["enc.0", "enc@2.0", "out"]
    assert len(set(users)) == 3
    assert len([n for n in g.nodes if n.kind == "param"]) == len(list(model.parameters())) == 2


# --- limits ---


def test_any_form_of_a_hundred_thousand_ops_takes_seconds():
    y = mg.ones(1, requires_grad=True)
    for _ in range(100_000):
        y = y * 1.0
    begun = sum(os.times()[:4])
    g = viz.graph(y)
    folded = g.collapse()
    assert len(folded.nodes) <= 400
    assert sum(n.holds for n in folded.nodes) == len(g.nodes) == 100_001
    if HAS_ENGINE:
        assert g.pipe().startswith(b"<?xml")
    assert "mul" in folded.source + g.to_text() + folded.to_html()
    assert len(json.loads(folded.to_json())["nodes"]) == len(folded.nodes)
    assert sum(os.times()[:4]) - begun < 5


MEASURED = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from test_viz_shape import deep
from minigrad.viz import render
assert 2_900 < len((g := deep(370)).nodes) < 3_100
svg = render.pipe(g.source, "svg")
own = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])  # getrusage tells that of who started it too
print(max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024)
"""


@pytest.mark.skipif(not HAS_PDF or sys.platform != "linux", reason="no Graphviz, or memory is told otherwise here")
def test_three_thousand_nodes_take_less_than_500_megabytes():
    here = str(Path(__file__).parent)
    run = subprocess.run([sys.executable, "-c", MEASURED, here], capture_output=True, text=True, check=True, cwd=ROOT)
    assert 20 < float(run.stdout) < 500


@pytest.mark.parametrize("form", ["to_json", "to_text", "summary"])
def test_forms_of_three_thousand_nodes_take_less_than_a_second(form):
    g = deep(370)
    begun = time.process_time()
    made = getattr(g, form)()
    assert time.process_time() - begun < 1
    assert len(made) > 100


# --- what failed ---


class Wrong(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(3, 4), nn.Linear(5, 2)

    def forward(self, x):
        return self.two(self.one(x).relu())


def test_a_model_that_raises_leaves_all_before_and_its_exception_as_it_was():
    model, x, raised = Wrong(), mg.ones(2, 3), []
    step = viz.record(model, names={"x": x})
    for context in (step, None):
        try:
            if context is None:
                model(x)
            else:
                with context:
                    model(x)
        except ShapeError as error:
            raised.append(error)
    watched, plain = raised
    assert type(watched) is type(plain)
    assert (str(watched), watched.args) == (str(plain), plain.args)
    for name in ("__cause__", "__context__", "__suppress_context__"):
        assert repr(getattr(watched, name)) == repr(getattr(plain, name))
    assert getattr(watched, "__notes__", None) == getattr(plain, "__notes__", None)
    places = [[f.name for f in traceback.extract_tb(e.__traceback__) if f.filename == __file__] for e in raised]
    assert [names[1:] for names in places] == [["forward"], ["forward"]]
    assert step.partial
    g = step.graph()
    assert [n.op for n in g.nodes if n.op] == ["linear", "relu", "linear"]
    failed = g.nodes[-1]
    assert (failed.kind, failed.module) == ("failed", "two")
    assert "(2, 4)" in failed.attrs
    assert "(2, 5)" in failed.attrs
    for text in (g.source, str(g), g.to_html(), g.to_json()):
        assert "ShapeError" in text
    assert viz.Graph.from_json(g.to_json()).nodes[-1].kind == "failed"


# --- colours ---


def painted():
    """Yield every answer that colours boxes, by its name."""
    step, *_ = recorded()
    g = step.graph()
    for by in ("grad", "value", "time", "backward_time", "bytes", "saved", "flops"):
        yield f"heat {by}", g.heat(by)
    yield "gradcheck", step.gradcheck()
    yield "diff", g.diff(recorded_deeper()).graph
    yield "why", viz.why("x", step).graph
    mg.manual_seed(0)
    model = nn.Sequential(*[part for _ in range(20) for part in (nn.Linear(8, 8), nn.Sigmoid())])
    with viz.record(model) as vanishing:
        model(mg.randn(8, 8)).sum().backward()
    yield "health", vanishing.graph().health().graph
    with viz.record() as spoilt:
        mg.tensor([-1.0], requires_grad=True).sqrt().sum().backward()
    yield "nan", spoilt.graph().nan().graph


def recorded_deeper():
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4), nn.Linear(4, 2))
    with viz.record(model) as step:
        (model(mg.randn(5, 3)) ** 2).mean().backward()
    return step.graph()


def test_no_answer_is_told_by_colour_alone():
    for name, g in painted():
        marked = [n for n in g.nodes if n.mark]
        assert marked, name
        words = re.sub("<[^>]*>", "", g.source)
        for node in marked:
            assert re.search(r"\w", node.mark.tag), (name, node)
            first = re.sub("[<>&\"']", "", node.mark.tag.split("\n")[0])[:12]
            assert first in re.sub("&#?\\w+;|[<>\"']", "", words), (name, node.mark.tag)
        ways = {}
        for node in marked:
            ways.setdefault(node.mark.fill, set()).add(node.mark.tag)
        if not name.startswith("heat"):
            tags = [tag for found in ways.values() for tag in found]
            assert len(tags) == len(set(tags)), f"{name}: one word for two colours"


# --- what one reads ---


@drawn
def test_the_page_without_an_engine_has_the_drawing_the_tables_the_steps_and_the_reason(monkeypatch):
    step, _ = fan_out()
    picture = Page(viz.player(step).html)
    assert picture.with_class("picture")
    assert not picture.with_class("drawing")
    monkeypatch.setattr(render, "engines", no_engine)
    found = Page(viz.player(step).html)
    (drawing,) = found.with_class("drawing")
    assert drawing[2].strip() == step.graph().to_text(width=100, color=False).strip()
    assert sum(tag == "table" for tag, _, _ in found.elements) >= 1
    assert sum(tag == "li" for tag, _, _ in found.elements) == len(step.graph().steps)
    assert "There is no picture" in "".join(text for _, _, text in found.elements)


def test_the_player_has_the_formula_of_every_op_that_it_plays():
    step, *_ = recorded()
    data = Page(viz.player(step).html).data
    ops = {n["op"] for n in data["nodes"] if "op" in n}
    assert {op: tuple(lines) for op, lines in data["formulas"].items()} == {op: viz.formula(op) for op in ops}
    assert all(viz.formula(op) for op in ops)


@pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no chromium")
def test_the_panel_shows_the_formula_of_what_goes_along_each_edge(tmp_path):
    from test_viz_browser import opened

    step, _ = fan_out()
    player = viz.player(step, tmp_path / "o.html")
    at = next(k for k, s in enumerate(player.graph.steps) if s.kind == "backward" and player.graph[s.node].op == "tanh")
    found = opened(tmp_path / "o.html", f"#step={at}")
    (told,) = {text for _, _, text in found.with_class("part-rule")}
    assert told in viz.formula("tanh")


BOXES = ("x (1, 2)", "target (1, 1)", "weight (3, 2)", "bias (1, 3)", "weight (1, 3)", "bias (1, 1)")


def matrix(text):
    """Return the rows of numbers in a text as an array."""
    rows = re.findall(r"\[([^\]]*)\]", text) or [text]
    return np.array([[float(v) for v in row.split(",")] for row in rows])


def test_the_committed_picture_of_the_mlp_alone_gives_every_gradient():
    root = ElementTree.parse(ROOT / "docs" / "gallery" / "mlp.svg").getroot()
    found = {}
    for group in root.iter(f"{SVG}g"):
        if re.fullmatch(r"n\d+", group.get("id") or ""):
            texts = ["".join(text.itertext()).strip() for text in group.iter(f"{SVG}text")]
            numbers = re.split(r"\b(value|grad)\b", " ".join(texts[1:]))[1:]
            facts = dict(zip(numbers[::2], map(matrix, numbers[1::2]), strict=True))
            found.setdefault(f"{texts[0]} {facts['value'].shape}", facts)
    x, target, w1, b1, w2, b2 = (found[name]["value"] for name in BOXES)
    h = np.tanh(x @ w1.T + b1)
    dy = 2 * (h @ w2.T + b2 - target)
    dz = dy @ w2 * (1 - h**2)
    for name, wanted in zip(BOXES[2:], (dz.T @ x, dz, dy.T @ h, dy), strict=True):
        np.testing.assert_allclose(found[name]["grad"], wanted, rtol=2e-3)


def test_the_files_of_the_page_are_where_a_wheel_takes_them_from():
    spec = importlib.util.find_spec("minigrad.viz")
    found = {p.name for p in Path(spec.origin).parent.iterdir() if p.suffix in (".css", ".html", ".js")}
    assert found == {"page.css", "page.html", "page.js", "timeline.html"}
    assert 'packages = ["minigrad"]' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")

"""What of a graph is shown: folding against reachability, unfolding, hiding, patterns, fields, themes, orders."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest
from test_viz import HAS_ENGINE, reaches
from test_viz_text import Block

import minigrad as mg
from minigrad import nn, viz
from minigrad.autograd import grad
from minigrad.errors import ArgumentError, ShapeError
from minigrad.graph import Scope, scope
from minigrad.viz.palette import PALETTES, contrast, readable
from minigrad.viz.rows import CREATED, DATA, Mark


class Deep(nn.Module):
    """A stem, blocks alike, and a head; with a skip around all of it."""

    def __init__(self, blocks=3):
        super().__init__()
        self.stem = nn.Linear(4, 4)
        self.body = nn.Sequential(*[Block(4) for _ in range(blocks)])
        self.head = nn.Sequential(nn.ReLU(), nn.Linear(4, 2))

    def forward(self, x):
        h = self.stem(x)
        return self.head(self.body(h) + h)


def deep(blocks=3):
    mg.manual_seed(0)
    model, x = Deep(blocks), mg.randn(3, 4)
    with viz.record(model, names={"x": x}) as step:
        nn.functional.cross_entropy(model(x), mg.tensor([0, 1, 0])).backward()
    return step.graph()


def boxes(g):
    return [n.name or n.op for n in g.nodes if n.op]


def together(g, whole):
    """Return for each node of `whole` the box of `g` that it stands in, told from the sizes that boxes state."""
    stands = g.origin.stands() if g.origin is not None else {n.id: n.id for n in whole.nodes}
    for box in g.nodes:
        assert sum(at == box.id for at in stands.values()) == box.holds
    return stands


# --- folding ---


def test_deeper_shows_more_and_keeps_what_leads_to_what():
    g = deep()
    counts = []
    before = {(a, b) for a, b in reaches([e for e in g.edges if e.kind == DATA])}
    for depth in range(5):
        folded = g.collapse(depth)
        counts.append(len(folded.nodes))
        assert sum(n.holds for n in folded.nodes) == len(g.nodes)
        stands = together(folded, g)
        after = reaches([e for e in folded.edges if e.kind == DATA])
        assert all((stands[a], stands[b]) in after for a, b in before if stands[a] != stands[b])
    assert counts == sorted(counts)
    assert counts[0] < counts[1] < counts[2]
    assert counts[-1] == len(g.nodes)


def tangle(seed):
    """Return a graph of random ops in random modules, which are entered and left as it comes."""
    rng, outer = np.random.default_rng(seed), scope.get()
    at = [mg.randn(2, 2, requires_grad=True) for _ in range(3)]
    for _ in range(40):
        if rng.random() < 0.3:
            path = ".".join(rng.choice(["a", "b"], size=rng.integers(0, 4)))
            scope.set(Scope(path, "Part") if path else None)
        a, b = (at[i] for i in rng.integers(max(0, len(at) - 5), len(at), size=2))
        at.append([lambda: a @ b, lambda: a.tanh(), lambda: a.T, lambda: a + mg.ones(2, 2) * 2][rng.integers(4)]())  # noqa: B023
    scope.set(outer)
    return viz.graph(at[-2:], values=None)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_the_graph_what_leads_to_what_is_kept(seed):
    g = tangle(seed)
    before, counts = reaches(g.edges), []
    less = g.hide(("view", "const", "tanh"))
    ids = {n.id for n in less.nodes}
    assert {(a, b) for a, b in before if {a, b} <= ids} == reaches(less.edges)
    for depth in range(5):
        folded = g.collapse(depth)
        counts.append(len(folded.nodes))
        stands, after = together(folded, g), reaches(folded.edges)
        assert all((stands[a], stands[b]) in after for a, b in before if stands[a] != stands[b])
        assert folded.expand() == g
        for module in g.modules[:3]:
            opened = folded.expand(module.path)
            assert len(opened.nodes) >= len(folded.nodes)
            assert sum(n.holds for n in opened.nodes) == len(g.nodes)
        assert len(folded.hide("tanh").collapse(max_nodes=5).nodes) <= 5
        assert str(folded).count("\n") + 1 >= sum(bool(n.op) for n in folded.nodes)
    assert counts == sorted(counts)


def test_paths_close_and_keep_leaves_open():
    g = deep()
    closed = g.collapse(paths=["body.1", "head"])
    assert boxes(closed)[-2:] == ["head", "label_cross_entropy"]
    assert [n.holds for n in closed.nodes if n.name == "body.1"] == [8]
    open_body = g.collapse(1, keep=["body"])
    assert boxes(open_body) == ["stem", "body.0 … 2", "add", "head", "label_cross_entropy"]
    assert g.collapse(paths="body").nodes == g.collapse(paths=["body"]).nodes
    with pytest.raises(ArgumentError, match="no module 'tail'"):
        g.collapse(paths=["tail"])


def test_blocks_alike_are_one_box_that_says_how_many():
    g = deep(5)
    folded = g.collapse(2)
    (many,) = [n for n in folded.nodes if n.times > 1]
    assert (many.op, many.name, many.times, many.params) == ("Block", "body.0 … 4", 5, 5 * 40)
    assert "<B>Block</B> <B>×5</B>" in folded.source
    assert "×5" in str(folded)
    assert all(n.times == 1 for n in g.collapse(2, repeats=False).nodes)
    apart = folded.expand("body.3")
    assert [n.name for n in apart.nodes if n.op == "Block"] == ["body.0", "body.1", "body.2", "body.4"]
    assert {"body.3.a", "body.3.b"} <= set(boxes(apart))


def test_what_differs_is_not_taken_for_the_same():
    model = nn.Sequential(Block(4), Block(4), nn.Linear(4, 6), Block(6))
    folded = viz.graph(model(mg.randn(2, 4)).sum(), model=model).collapse(1)
    assert [(n.name, n.times) for n in folded.nodes if n.kind == "module"] == [("0 … 1", 2), ("2", 1), ("3", 1)]


def test_a_sequence_that_is_repeated_is_one_box_too():
    layers = [layer for _ in range(6) for layer in (nn.Linear(4, 4), nn.ReLU())]
    model = nn.Sequential(nn.Linear(3, 4), *layers, nn.Linear(4, 1))
    g = viz.graph(model(mg.randn(2, 3)).sum(), model=model)
    folded = g.collapse(1)
    found = [(n.name, n.op, n.times) for n in folded.nodes if n.kind == "module"]
    assert found == [("0", "Linear", 1), ("1 … 12", "Linear, ReLU", 6), ("13", "Linear", 1)]
    assert sum(n.params for n in folded.nodes) == sum(p.numel() for p in model.parameters())
    assert folded.expand("4").collapse(0) == g.collapse(0)
    assert len(folded.expand("4").nodes) > len(folded.nodes)
    assert folded.expand() == g


def test_unfolding_gives_back_what_was_folded():
    g = deep()
    folded = g.collapse(0)
    assert folded.expand() == g
    assert folded.collapse(0) == folded
    opened = folded.expand("body")
    assert boxes(opened) == ["stem", "body.0", "body.1", "body.2", "add", "head", "label_cross_entropy"]
    assert opened.expand("body.1").expand("body.1.a", "body.1.b", "body.0", "body.2", "stem", "head") != folded
    assert viz.Graph.from_json(folded.to_json()) == folded
    with pytest.raises(ArgumentError, match="no module 'nothing'"):
        folded.expand("nothing")


def test_marks_survive_folding_and_unfolding():
    g = deep()
    ids = [n.id for n in g.nodes if n.op][:2]
    marked = replace(g, nodes=tuple(n._replace(mark=Mark("#000000", "odd")) if n.id in ids else n for n in g.nodes))
    folded = marked.collapse(1)
    assert [n.mark for n in folded.nodes if n.name == "stem"] == [Mark("#000000", "odd")]
    assert folded.expand().nodes == marked.nodes
    later = replace(folded, nodes=tuple(n._replace(mark=Mark("#ffffff", "new")) for n in folded.nodes))
    assert {n.mark.tag for n in later.expand("body").nodes if n.name in ("stem", "head")} == {"new"}
    again = folded.expand()
    again = replace(again, nodes=tuple(n._replace(mark=Mark("#ffffff", "late")) for n in again.nodes))
    assert {n.mark.tag for n in again.collapse(1).nodes} == {"late"}


def test_focus_shows_a_module_and_what_is_around_it():
    g = deep()
    alone = g.focus("body.1", context=0)
    assert all((n.module or "").startswith("body.1") for n in alone.nodes)
    near = g.focus("body.1", context=1)
    assert len(alone.nodes) < len(near.nodes) < len(g.nodes)
    neighbours = {g[e.tail].id for e in g.edges if e.head in {n.id for n in alone.nodes}}
    assert neighbours <= {n.id for n in near.nodes}
    assert f"not shown: {len(g.nodes) - len(near.nodes)} of {len(g.nodes)} nodes" in near.notes
    assert near.expand() == g
    assert {n.name for n in g.focus("stem.weight").nodes} >= {"stem.weight"}
    with pytest.raises(ArgumentError, match="no module or node 'tail'"):
        g.focus("tail")


def test_hiding_leads_edges_past_what_is_hidden():
    x = mg.ones(2, 3, requires_grad=True)
    y = (x.reshape(3, 2).T.exp() * mg.ones(2, 3) + 1).sum()
    g = viz.graph(y, names={"x": x})
    less = g.hide()
    assert boxes(less) == ["exp", "mul", "add", "sum"]
    assert not any(n.kind == "const" for n in less.nodes)
    names = {n.id: n.name or n.op for n in less.nodes}
    assert ("x", "exp") in {(names[e.tail], names[e.head]) for e in less.edges}
    assert all(e.requires_grad for e in less.edges)
    assert "not shown: 3 of 8 nodes" in less.notes
    assert boxes(g.hide("exp")) == ["reshape", "permute", "mul", "add", "sum"]
    assert less.expand() == g
    with pytest.raises(ArgumentError, match="'views'"):
        g.hide(["views"])


def test_patterns_fold_runs_of_ops_and_of_modules():
    net = nn.Sequential(
        nn.Conv2D(1, 2, 3), nn.BatchNorm(2), nn.ReLU(), nn.Conv2D(2, 2, 3), nn.BatchNorm(2), nn.ReLU(), nn.Flatten()
    )
    g = viz.graph(net(mg.randn(2, 1, 8, 8)).sum(), model=net)
    for pattern in ("conv > batchnorm > relu", "Conv2d > BatchNorm > ReLU", "conv* > batch* > relu"):
        folded = g.fold(pattern, "block")
        assert [n.op for n in folded.nodes if n.op] == ["block", "block", "reshape", "sum"]
        assert sum(n.holds for n in folded.nodes) == len(g.nodes)
        assert sum(n.params for n in folded.nodes) == sum(p.numel() for p in net.parameters())
        assert folded.expand("block") == g
    with pytest.raises(ArgumentError, match="nothing in the graph"):
        g.fold("relu > conv > relu", "x")
    with pytest.raises(ArgumentError, match="a pattern is"):
        g.fold("relu >", "x")


def test_a_branch_is_not_a_run():
    x = mg.ones(3, requires_grad=True)
    h = x.exp()
    branched = viz.graph((h.tanh() * h).sum())
    with pytest.raises(ArgumentError, match="without a branch"):
        branched.fold("exp > tanh", "both")
    assert [n.op for n in viz.graph(h.tanh().sum()).fold("exp > tanh", "both").nodes if n.op] == ["both", "sum"]


# --- how it looks ---


def test_boxes_show_the_fields_that_are_asked_for():
    g = deep()
    only = g.label("op")
    text = re.findall(r"\bn\d+ \[.*label=.*", only.source)
    assert not any(">value " in line or "(3, 4)" in line or "weight" in line.split("label=")[1] for line in text)
    rich = (
        g.collapse(1)
        .label("name", "op", "shape", "params", "flops", "bytes", "saved", "time", "source", "stats")
        .source
    )
    assert "20 parameters" in rich  # of the stem
    assert "takes 48 B" in rich  # three rows of four floats
    assert "FLOPs" in rich
    assert "test_viz_text.py:" in rich or "test_viz_shape.py:" in rich
    assert "forward " in rich
    assert "value range" in rich
    with pytest.raises(ArgumentError, match="fields are 'name'"):
        g.label("colour")
    assert g.label().source == g.source


def test_every_text_of_every_theme_stands_out():
    for name, p in PALETTES.items():
        for behind in (*p.fill.values(), *p.cluster, p.background):
            for text in (p.ink, p.muted, p.forward, p.backward):
                assert contrast(text, behind) >= 4.5, (name, text, behind)
    for level in range(0, 256, 5):  # a marked box may have any colour
        for fill in (f"#{level:02x}{level:02x}{level:02x}", f"#{level:02x}{255 - level:02x}00"):
            assert contrast(readable(fill), fill) >= 4.5


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)  # the lightest grey that passes on white


def test_themes_and_settings_are_in_the_picture():
    g = deep()
    dark = g.theme("dark", rankdir="LR", nodesep=1.5, label='a "b"')
    assert 'bgcolor="#14181d"' in dark.source
    assert "rankdir=LR" in dark.source
    assert 'nodesep="1.5"' in dark.source
    assert 'label="a \\"b\\""' in dark.source
    assert dark.theme().source == g.theme(rankdir="LR", nodesep=1.5, label='a "b"').source
    assert viz.Graph.from_json(dark.to_json()) == dark
    for call in (lambda: g.theme("neon"), lambda: g.theme(rankdir="UP")):
        with pytest.raises(ArgumentError, match="theme"):
            call()


def test_a_mark_is_a_colour_and_a_word():
    g = deep()
    nodes = tuple(n._replace(mark=Mark("#7f2704", "grad 1e-9")) if n.op else n for n in g.nodes)
    lines = [line for line in replace(g, nodes=nodes).source.splitlines() if "#7f2704" in line]
    assert len(lines) == sum(bool(n.op) for n in g.nodes)
    for line in lines:
        assert 'fillcolor="#7f2704"' in line
        assert "grad 1e-9" in line
        assert set(re.findall(r'COLOR="(#\w+)"', line)) == {"#ffffff"}


def test_a_failed_op_says_why():
    with pytest.raises(ShapeError), viz.record() as step:
        mg.ones(2, 3, requires_grad=True).exp() @ mg.ones(2, 3)
    source = step.graph().source
    assert 'class="failed"' in source
    assert "ShapeError: " in source
    assert "operands (2, 3), (2, 3)" in source


def test_the_third_derivative_has_three_clusters():
    x = mg.tensor(0.5, dtype=mg.float64, requires_grad=True)
    with viz.record(names={"x": x}) as step:
        y = first = x.tanh()
        for _ in range(3):
            (first,) = grad(first, x, create_graph=True)
    g = step.graph()
    t = math.tanh(0.5)
    assert first.item() == pytest.approx(-2 * (1 - t * t) * (1 - 3 * t * t))
    assert y.item() == pytest.approx(t)
    assert {n.order for n in g.nodes if n.op} == {0, 1, 2, 3}
    assert re.findall(r"subgraph cluster_order(\d)", g.source) == ["1", "2", "3"]
    created = [e for e in g.edges if e.kind == CREATED]
    assert all(g[e.head].order == g[e.tail].order + 1 for e in created)
    assert "style=dotted" in g.source
    assert step.graph(order=1).source.count("cluster_order") == 1
    if HAS_ENGINE:
        ElementTree.fromstring(g.pipe())

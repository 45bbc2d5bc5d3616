"""Pictures of large graphs, the files that are written, and what a notebook gets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_viz import HAS_ENGINE, HAS_PDF, SVG, drawn
from test_viz_shape import deep
from test_viz_text import lenet

import minigrad as mg
from minigrad import nn, viz
from minigrad.errors import ArgumentError, MissingDependencyError
from minigrad.viz import render
from minigrad.viz.rows import Mark


def spans(svg):
    """Return the corners of every box of a picture."""
    found = {}
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        if re.fullmatch(r"n\d+", group.get("id") or ""):
            shape = group.find(f".//{SVG}polygon")
            path = shape.get("points") if shape is not None else group.find(f".//{SVG}path").get("d")
            numbers = [float(v) for v in re.findall(r"-?[\d.]+", path)]
            found[group.get("id")] = min(numbers[::2]), max(numbers[::2]), min(numbers[1::2]), max(numbers[1::2])
    return found


@pytest.mark.skipif(not HAS_PDF, reason="no Graphviz of the system or of the pygraphviz wheel")
def test_three_thousand_nodes_are_drawn_quickly_and_apart():
    g = deep(370)
    assert 2_900 < len(g.nodes) < 3_100
    begun = os.times()
    svg = render.pipe(g.source, "svg")
    ended = os.times()
    assert sum(ended[:4]) - sum(begun[:4]) < 10  # seconds of computing, of this process and of Graphviz
    found = spans(svg)
    assert set(found) == {f"n{n.id}" for n in g.nodes}
    x0, x1, y0, y1 = np.array(list(found.values())).T
    apart = (x0[:, None] >= x1) | (x1[:, None] <= x0) | (y0[:, None] >= y1) | (y1[:, None] <= y0)
    assert (apart | np.eye(len(x0), dtype=bool)).all()
    begun = time.process_time()
    g.to_json(), str(g), g.summary()
    assert time.process_time() - begun < 3


def test_text_source_and_json_are_the_same_in_every_process():
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from test_viz_text import lenet; g = lenet(values=None)[0]; "
        "f = g.collapse(1).label('op', 'flops', 'shape'); print(f.source, f.to_json(), f, g.summary(), g.hide()); "
        "print(f.pipe() if sys.argv[2:] else '')"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", program, str(Path(__file__).parent), *["draw"] * HAS_ENGINE],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in "01"
    }
    assert len(texts) == 1
    assert len(next(iter(texts))) > 5_000


@drawn
def test_render_writes_one_file_where_it_is_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    g = lenet(values=None)[0].collapse(1)
    assert g.render(outfile="x.svg", view=True) == "x.svg"
    assert capsys.readouterr().out == "x.svg\n"
    assert os.listdir() == ["x.svg"]
    assert g.render(outfile="x.svg", engine=render.engines()[0]) == "x.svg"
    assert os.listdir() == ["x.svg"]
    assert g.render(directory="deep") == str(Path("deep", "graph.svg"))
    assert g.render("a", "deep", cleanup=False, format="png") == str(Path("deep", "a.png"))
    assert sorted(os.listdir("deep")) == ["a.gv", "a.png", "graph.svg"]
    assert Path(g.save("b.gv", "deep")).read_text(encoding="utf-8") == g.source == g.pipe("dot", encoding="utf-8")
    assert Path(g.view()).suffix == ".svg"
    for wrong in ({"outfile": "x.svg", "filename": "y"}, {"outfile": "x.svg", "format": "png"}, {"engine": "neato"}):
        with pytest.raises(ArgumentError):
            g.render(**wrong)


def test_view_never_raises(monkeypatch, capsys):
    def missing():
        raise MissingDependencyError("drawing a graph needs Graphviz")

    monkeypatch.setattr(render, "engines", missing)
    path = lenet(values=None)[0].view()
    said = capsys.readouterr().out
    assert "conv1: Conv2d" in said
    assert "needs Graphviz" in said
    assert Path(path).read_text(encoding="utf-8").startswith("digraph")
    bundle = lenet(values=None)[0]._repr_mimebundle_()
    assert set(bundle) == {"text/plain"}
    assert "fc3: Linear" in bundle["text/plain"]


@drawn
def test_a_notebook_gets_a_sized_picture_and_the_drawing_as_text():
    g = lenet()[0]
    bundle = g._repr_mimebundle_()
    assert set(bundle) == {"image/svg+xml", "text/plain"}
    root = ElementTree.fromstring(bundle["image/svg+xml"])
    assert all(root.get(name) for name in ("width", "height", "viewBox"))
    assert bundle["text/plain"] == g.to_text(width=80, color=False)
    assert set(g._repr_mimebundle_(include={"text/plain"})) == {"text/plain"}
    assert set(g._repr_mimebundle_(exclude={"text/plain"})) == {"image/svg+xml"}


@drawn
@pytest.mark.parametrize("name", ["a,a->a", "<lambda> <map>", "{x|y}", 'a\\b "c"', "two\nlines", "</script>", "😀 图"])
def test_any_name_can_be_folded_and_painted(name):
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(mg.ones(2))

        def forward(self, x):
            return (x * self.weight).exp()

    model = nn.Module()
    model.add_module("part", Odd())
    type(model.part).__name__ = name
    g = viz.graph(model.part(mg.ones(2)).sum(), model=model)
    marked = replace(g, nodes=tuple(n._replace(mark=Mark("#123456", name), error=name) for n in g.nodes))
    for picture in (marked, marked.collapse(1), marked.fold("mul > exp", name), marked.theme("dark")):
        boxes = [
            g for g in ElementTree.fromstring(picture.pipe()).iter(f"{SVG}g") if re.match(r"n\d", g.get("id") or "")
        ]
        assert len(boxes) == len(picture.nodes)
        assert all(box.find(f".//{SVG}text") is not None for box in boxes)

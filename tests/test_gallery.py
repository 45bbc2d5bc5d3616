"""The gallery: each picture is there, is drawn by the function of its name, and shows what the page says."""

import importlib.util
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

import minigrad as mg

DOCS = Path(__file__).parent.parent / "docs"
_spec = importlib.util.spec_from_file_location("make_gallery", DOCS / "make_gallery.py")
gallery = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(gallery)
NAMES = [draw.__name__ for draw in gallery.DRAWN]


def drawn(name):
    mg.manual_seed(0)
    return getattr(gallery, name)()


def test_the_page_shows_each_picture_and_each_is_small():
    page = (DOCS / "gallery.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\(gallery/(\w+)\.svg\)", page) == [*NAMES, "memory"]
    for path in sorted((DOCS / "gallery").iterdir()):
        assert path.stem in [*NAMES, "memory"]
        assert path.stat().st_size < 150_000
        assert ElementTree.parse(path).getroot().get("viewBox")


@pytest.mark.parametrize("name", NAMES)
def test_a_committed_picture_has_a_box_for_each_node_of_its_graph(name):
    root = ElementTree.parse(DOCS / "gallery" / f"{name}.svg").getroot()
    boxes = {g.get("id") for g in root.iter("{http://www.w3.org/2000/svg}g")}
    nodes = drawn(name).nodes
    assert len(nodes) > 4
    assert {f"n{node.id}" for node in nodes} <= boxes


def floats(text):
    return [float(v) for v in re.findall(r"-?\d[\d.e-]*", text)]


def test_what_the_page_says_of_the_numbers_is_so():
    batchnorm, mlp, second, nan = (drawn(name) for name in ("batchnorm", "mlp", "second", "nan"))
    assert sum(floats(batchnorm["x"].grad)) == pytest.approx(0, abs=1e-3)
    below, (first, *_) = [-3.83, 0.07896, -1.915], [n for n in mlp.nodes if n.op == "linear"]
    assert floats(first.grad) == below
    expected = [v for g in below for v in (g, 2 * g)]
    assert floats(mlp["0.weight"].grad) == pytest.approx(expected, rel=1e-3)
    assert second["x"].grad == "12"
    assert max(n.order for n in second.nodes) == 1
    assert ["nan" in nan[name].grad for name in ("w", "b")] == [True, True]


def test_the_lstm_is_called_three_times_with_one_set_of_weights():
    g = drawn("lstm")
    calls = {n.module for n in g.nodes if n.op == "lstm"}
    assert calls == {"cell", "cell@2", "cell@3"}
    weights = [n for n in g.nodes if (n.name or "").startswith("cell.")]
    assert {n.name for n in weights} == {"cell.weight_ih", "cell.weight_hh"}
    assert [sum(e.tail == n.id for e in g.edges) for n in weights] == [3, 3]


def test_the_gradient_vanishes_layer_by_layer():
    g = drawn("vanishing")
    sizes = [g[f"{i}.weight"].grad_stats.rms for i in range(0, 10, 2)]
    assert all(earlier < later / 2 for earlier, later in pairwise(sizes))

"""The gallery: each picture is there, is drawn by the lines below it, and shows what the page says."""

import importlib.util
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import minigrad as mg

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "gallery.md").read_text(encoding="utf-8")
_spec = importlib.util.spec_from_file_location("make_gallery", DOCS / "make_gallery.py")
gallery = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(gallery)
NAMES = [draw.__name__ for draw in gallery.DRAWN]
SECTIONS = {re.search(r"\]\(gallery/(\w+)\.", part)[1]: part for part in PAGE.split("\n## ")[1:]}


def drawn(name):
    mg.manual_seed(0)
    return getattr(gallery, name)()


def code_of(text):
    return "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))


def run(name):
    """Run the lines that the page shows for a picture, and return what they made."""
    space = {"__name__": "page"}
    exec(code_of(PAGE.split("\n## ")[0]), space)
    mg.manual_seed(0)
    exec(code_of(SECTIONS[name]), space)
    return space


def test_the_page_shows_each_picture_and_each_is_small():
    files = {f"{name}.svg" for name in NAMES} | set(gallery.OTHERS)
    assert sorted(re.findall(r"\]\(gallery/([\w.]+)\)", PAGE)) == sorted(files)
    assert {path.name for path in (DOCS / "gallery").iterdir()} == files
    for file in files:
        path = DOCS / "gallery" / file
        assert path.stat().st_size < 150_000
        if path.suffix == ".svg":
            assert ElementTree.parse(path).getroot().get("viewBox")
        else:
            assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", NAMES)
def test_the_lines_of_the_page_draw_the_picture(name):
    assert run(name)["graph"].source == drawn(name).source


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


def test_each_box_that_the_nan_reached_says_where_it_has_one():
    told = {n.name or n.op: n.mark.tag for n in drawn("nan").nodes if n.mark}
    back = dict.fromkeys(("w", "b", "mul", "sub"), "grad not finite")
    forward = {"add": "value and grad not finite", "pow": "value not finite", "mean": "value not finite"}
    assert told == back | forward | {"sqrt": "nan is born here (forward)"}


def test_the_gradients_of_the_neurons_are_those_of_the_chain_rule():
    z = 0.5 * 2 - 0.3 + 0.1
    a = 1 / (1 + np.exp(-z))
    at_z = 2 * (a - 1) * a * (1 - a)
    assert f"{at_z:.4g}" == "-0.1326"
    assert floats(drawn("neuron")["w1"].grad) == pytest.approx([2 * at_z], rel=1e-3)
    y = 1 / (1 + np.exp(-1.1))
    step = gallery.neuron_step().graph()
    (sigmoid,) = [n for n in step.nodes if n.op == "sigmoid"]
    assert sigmoid.grad == f"{2 * (y - 1):.4g}" == "-0.4995"
    assert floats(step["b"].grad) == pytest.approx([2 * (y - 1) * y * (1 - y)], rel=1e-3)
    at = int(re.search(r"#step=(\d+)", (DOCS / "make_gallery.py").read_text())[1])
    assert (step.steps[at].kind, step.steps[at].node) == ("backward", sigmoid.id)


def test_the_code_of_the_player_writes_its_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run("player")
    assert "sigmoid" in (tmp_path / "step.html").read_text(encoding="utf-8")


def test_lenet_is_folded_to_nine_boxes_with_all_its_parameters():
    g = drawn("lenet")
    assert len(g.nodes) == 9
    assert sum(n.holds for n in g.nodes) == 25
    params = [n.params for n in g.nodes if n.params]
    assert (sum(params), max(params)) == (61_706, 48_120)
    assert tuple(params) == (156, 2416, 48_120, 10_164, 850)
    assert g["images"].kind == "input"


def test_the_lstm_is_called_three_times_with_one_set_of_weights():
    g = drawn("lstm")
    assert sum(n.op == "lstm" for n in g.nodes) == 3
    weights = [n for n in g.nodes if (n.name or "").startswith("weight")]
    assert {n.name for n in weights} == {"weight_ih", "weight_hh"}
    assert [sum(e.tail == n.id for e in g.edges) for n in weights] == [3, 3]


def test_queries_and_keys_get_less_than_a_fifth_of_the_gradient_of_values():
    g = drawn("attention")
    query, key, value = (g[f"{name}.weight"].grad_stats.rms for name in ("query", "key", "value"))
    assert max(query, key) < value / 5


def test_the_gradient_vanishes_layer_by_layer():
    g = drawn("vanishing")
    sizes = [g[f"{i}.weight"].grad_stats.rms for i in range(0, 10, 2)]
    assert all(earlier < later / 2 for earlier, later in pairwise(sizes))
    assert sizes[-1] / sizes[0] == pytest.approx(10_000, rel=0.1)
    assert all(n.mark is not None for n in g.nodes if n.grad_stats)


def test_the_wrong_rule_is_the_only_one_that_is_called_wrong():
    told = {n.op: n.mark.tag for n in drawn("check").nodes if n.mark}
    assert [op for op, tag in told.items() if tag.startswith("rule wrong")] == ["Cube"]
    assert floats(told["Cube"].rpartition(" ")[2]) == pytest.approx([1 / 3], abs=0.01)
    assert len(told) == 4


def test_the_two_networks_differ_by_a_bias_and_a_layer():
    tags = {(n.op or n.name): n.mark.tag for n in drawn("diff").nodes if n.mark}
    assert tags == {"0.bias": "removed", "linear": "changed", "log_softmax": "added"}


def test_most_of_the_memory_is_kept_for_the_relu_until_its_rule_has_run():
    space = run("memory")
    g = space["step"].graph()
    film, ops = g.memory(), [(step.kind, g[step.node].op) for step in g.steps]
    assert ops[1] == ("forward", "relu")
    relu = 4 * 4 * 6 * 24 * 24
    assert film.bytes[1] == relu > max(film.bytes) / 2
    gone = next(i for i in range(film.peak, len(film.bytes)) if film.bytes[i] < relu)
    assert ops[gone] == ("backward", "relu")
    assert np.array_equal(space["ax"].lines[0].get_ydata(), film.bytes)

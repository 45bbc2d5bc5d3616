"""Drawing: the rows against graphs known by hand, the numbers against closed forms, the DOT text against Graphviz."""

from __future__ import annotations

import gc
import math
import os
import re
import subprocess
import sys
import threading
import weakref
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import graph as core
from minigrad import viz
from minigrad.autograd import Function, no_grad
from minigrad.errors import ArgumentError, MinigradError, MissingDependencyError
from minigrad.graph import Scope, scope
from minigrad.viz import box, dot, render

try:
    render.engines()[0]
    HAS_ENGINE = True
except MissingDependencyError:
    HAS_ENGINE = False
drawn = pytest.mark.skipif(not HAS_ENGINE, reason="no Graphviz: neither dot on PATH nor the pygraphviz wheel")
try:
    import pygraphviz  # noqa: F401 - to see whether its libraries find what they expect of the system

    HAS_WHEEL = True
except ImportError:
    HAS_WHEEL = False
HAS_PDF = HAS_WHEEL or (HAS_ENGINE and render.engines()[0] == "dot")
SVG = "{http://www.w3.org/2000/svg}"


def leaf(name, value, requires_grad=True):
    x = mg.tensor(value, requires_grad=requires_grad)
    x.name = name
    return x


def neuron():
    """Return loss = (sigmoid(w1 x1 + w2 x2 + b) - t)², what it was computed from, and its closed-form numbers."""
    at = {"w1": 0.5, "x1": 2.0, "w2": 0.3, "x2": -1.0, "b": 0.1, "t": 1.0}
    leaves = {name: leaf(name, value, name in ("w1", "w2", "b")) for name, value in at.items()}
    w1, x1, w2, x2, b, t = leaves.values()
    z = w1 * x1 + w2 * x2 + b
    a = z.sigmoid()
    loss = (a - t) ** 2
    za = at["w1"] * at["x1"] + at["w2"] * at["x2"] + at["b"]
    aa = 1 / (1 + math.exp(-za))
    dz = 2 * (aa - at["t"]) * aa * (1 - aa)
    values = at | {"z": za, "a": aa, "loss": (aa - at["t"]) ** 2}
    grads = {"w1": dz * 2, "w2": -dz, "b": dz, "z": dz, "a": 2 * (aa - at["t"]), "loss": 1.0}
    return {"z": z, "a": a, "loss": loss}, leaves, values, grads


def draw_neuron(**options):
    computed, leaves, *_ = neuron()
    return viz.graph(computed["loss"], names=computed, **options), leaves, computed


@pytest.fixture
def running():
    """A function that enters a module's place, as a model does when it is called."""
    outer = scope.get()
    yield lambda path, kind: scope.set(Scope(path, kind))
    scope.set(outer)


# --- rows ---


def test_rows_of_a_known_graph():
    w, x = leaf("w", [1.0, 2.0]), leaf("x", [3.0, 4.0], False)
    g = viz.graph({"loss": (w * x - 1.0).sum()})
    rows = [(n.id, n.kind, n.op, n.name, n.shape, n.attrs, n.value, n.grad) for n in g.nodes]
    assert rows == [
        (0, "param", "", "w", (2,), "", "[1, 2]", "[3, 4]"),
        (1, "input", "", "x", (2,), "", "[3, 4]", None),
        (2, "op", "mul", None, (2,), "", "[3, 8]", "[1, 1]"),
        (3, "op", "sub", None, (2,), "(…) − 1", "[2, 7]", "[1, 1]"),
        (4, "output", "sum", "loss", (), "", "9", "1"),
    ]
    assert [(e.tail, e.head, e.label, e.requires_grad, e.operand, e.output, e.kind) for e in g.edges] == [
        (0, 2, "", True, 0, 0, "data"),
        (1, 2, "", False, 1, 0, "data"),
        (2, 3, "", True, 0, 0, "data"),
        (3, 4, "", True, 0, 0, "data"),
    ]
    assert g["loss"].id == 4
    assert g[0].name == "w"
    assert repr(g) == "<Graph: 3 ops, 1 parameter>"
    with pytest.raises(KeyError, match="'loss'"):
        g["missing"]


def test_a_leaf_used_twice_is_one_node_with_two_edges():
    a = leaf("a", 3.0)
    g = viz.graph(a * a)
    assert [(n.name, n.op, n.grad) for n in g.nodes] == [("a", "", "6"), (None, "mul", "1")]
    assert [(e.tail, e.head) for e in g.edges] == [(0, 1), (0, 1)]


def test_operands_of_a_difference_are_told_apart():
    a, b = leaf("p", 1.0), leaf("q", 5.0)
    g = viz.graph(b - a)
    assert [(g[e.tail].name, e.label) for e in g.edges] == [("q", "left"), ("p", "right")]
    assert [n.grad for n in g.nodes] == ["1", "-1", "1"]


def test_later_outputs_of_a_node_are_named_on_the_edge():
    two = core.Op(
        "two",
        lambda x: (x * 2, x * 3),
        {"x": lambda g_low, g_high: g_low * 2 + g_high * 3},
        outputs=("low", "high"),
    )
    low, high = two(leaf("x", 5.0))
    g = viz.graph({"loss": high - low, "high": high})
    assert [e.label for e in g.edges] == ["", "high → left", "right"]
    assert viz.graph(high - low)["x"].grad == "1"
    assert [(n.op, n.name, n.value) for n in g.nodes[1:]] == [("two", "high", "10"), ("sub", "loss", "5")]


def test_settings_are_said_unless_they_are_the_defaults():
    x = leaf("x", np.ones((2, 3), np.float32))
    nodes = viz.graph({"a": x.sum(1), "b": x.sum(), "c": x.reshape(3, 2)[1:, 0], "d": 1 - x}).nodes
    attrs = {n.name: n.attrs for n in nodes if n.kind == "output"}
    assert attrs["a"] in ("dim=1", "dim=(1,)")
    assert attrs["b"] == ""
    assert attrs["d"] == "1 − (…)"
    assert attrs["c"] == "index=(1:, 0)"


class Model:
    """What viz asks of a model, and nothing else."""

    def __init__(self, *parameters):
        self.parameters = parameters

    def named_parameters(self):
        return iter(self.parameters)

    def named_modules(self):
        return iter([("", self), ("body", {}.keys())])


def test_modules_hold_their_ops_parameters_and_buffers(running):
    w, v, x = leaf("body.fc.weight", 2.0), leaf("tied", 1.5), leaf("x", 3.0, False)
    mean = leaf("body.fc.mean", 0.5, False)
    running("body.fc", "Dense")
    h = x * w - mean + v
    running("head", "Gain")
    y = h * v
    scope.set(None)
    g = viz.graph({"loss": y**2 + (w * w)})
    assert g.modules == (("body", ""), ("body.fc", "Dense"), ("head", "Gain"))
    where = {n.name or n.op: n.module for n in g.nodes}
    assert where["body.fc.weight"] == where["body.fc.mean"] == "body.fc"  # by name, though a penalty uses it outside
    assert where["x"] is None
    assert where["tied"] is None
    assert where["loss"] is None
    full = viz.graph(y, model=Model(("tied", v)))
    assert full.modules[:2] == (("", "Model"), ("body", "dict_keys"))
    assert full["tied"].module == ""  # the innermost module around both that use it


def test_a_model_names_itself():
    from minigrad import nn

    net = nn.Sequential(nn.Dense(2, 3), nn.Tanh(), nn.Dense(3, 1))
    x = leaf("x", [[1.0, -2.0]], False)
    g = viz.graph(net(x).sum())
    assert g.modules == (("0", "Linear"), ("1", "Tanh"), ("2", "Linear"))
    assert [n.name for n in g.nodes if n.kind == "param"] == [name for name, _ in net.named_parameters()]
    assert {n.name: n.module for n in g.nodes if not n.op} == {
        "x": None, "0.weight": "0", "0.bias": "0", "2.weight": "2", "2.bias": "2"
    }  # fmt: skip
    assert viz.graph(net(x).sum(), model=net).modules[0] == ("", "Sequential")
    net(x).sum().backward()
    for name, parameter in net.named_parameters():
        shown = [float(v) for v in re.findall(r"[^\[\],\s]+", g[name].grad)]
        np.testing.assert_allclose(shown, parameter.grad.numpy().ravel(), rtol=1e-3, atol=1e-6)


def test_calls_of_a_shared_module_stand_apart(running):
    w, h = leaf("enc.fc.weight", 2.0), leaf("x", 3.0, False)
    for _ in range(2):
        running("enc.fc", "Dense")
        h = h * w
        running("enc", "Encoder")
        h = h.tanh()
        running("", "Net")
        h = h + 1.0
    scope.set(None)
    g = viz.graph(h)
    assert [n.module for n in g.nodes if n.op] == ["enc.fc", "enc", "", "enc@2.fc", "enc@2", ""]
    assert g["enc.fc.weight"].module == "enc.fc"
    assert sum(e.tail == g["enc.fc.weight"].id for e in g.edges) == 2
    assert dict(g.modules) == {"": "Net", "enc": "Encoder", "enc.fc": "Dense", "enc@2": "Encoder", "enc@2.fc": "Dense"}


@pytest.mark.parametrize("turn", [False, True])
def test_names_go_both_ways_and_win(turn):
    a, b = leaf("old", 1.0), mg.tensor(2.0, requires_grad=True)
    names = {"new": a, "b": b}
    g = viz.graph(a * b, names={t: n for n, t in names.items()} if turn else names, model=Model(("b.c", b)))
    assert [n.name for n in g.nodes[:2]] == ["new", "b"]
    assert viz.graph(a * b, model=Model(("b.c", b)))["b.c"].value == "2"


def test_nested_containers_of_outputs():
    a = leaf("a", 1.0)
    g = viz.graph({"loss": a * 2, "aux": [a * 3, {"deep": a * 4}], "leaf": (a,)})
    assert [n.name for n in g.nodes] == ["a", "loss", "aux[0]", "aux[1].deep"]
    assert g["a"].grad == "10"  # 2 + 3 + 4, and 1 of a itself
    assert any("sum of the outputs" in note for note in g.notes)
    assert len(viz.graph([a * 2, (a * 3,)]).nodes) == 3
    assert len(viz.graph(mg.tensor([1.0, 2.0])).nodes) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: viz.graph(3.0), "outputs must be a Tensor .* got float"),
        (lambda a: viz.graph({"x": [a, None]}), r"outputs at x\[1\] must be a Tensor .* got NoneType"),
        (lambda a: viz.graph([]), "outputs holds no tensor"),
        (lambda a: viz.graph(a, model=3), "model must be a Module"),
        (lambda a: viz.graph(a, names={1: "a"}), "names must map tensors to names"),
        (lambda a: viz.graph(a, values="all"), "values must be one of 'auto', None, got 'all'"),
        (lambda a: viz.graph(a, direction="up"), "direction must be"),
        (lambda a: viz.graph(a, rankdir="XY"), "rankdir must be"),
        (lambda a: viz.graph(a).collapse(max_nodes=1), "at least 2"),
        (lambda a: viz.graph(a).pipe("gif"), "unknown picture format 'gif'; the formats are svg"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ArgumentError, match=message) as caught:
        call(leaf("a", 1.0))
    assert isinstance(caught.value, TypeError)


# --- values and gradients ---


def test_the_neuron_shows_every_number():
    computed, leaves, values, grads = neuron()
    g = viz.graph(computed["loss"], names=computed)
    assert all(n.value is not None and (n.grad is not None) == n.requires_grad for n in g.nodes)
    for name, value in values.items():
        assert float(g[name].value) == pytest.approx(value, rel=1e-3)
    for name, grad in grads.items():
        assert float(g[name].grad) == pytest.approx(grad, rel=1e-3)
    assert all(x.grad is None for x in leaves.values())  # the picture's gradients are its own
    computed["loss"].backward()
    for name in ("w1", "w2", "b"):
        assert g[name].grad == f"{leaves[name].grad.item():.4g}"
    assert viz.graph(computed["loss"], names=computed) == g  # after backward and release the same


def test_values_of_matrices_broadcasts_and_views():
    rng = np.random.default_rng(0)
    x, w, b = (rng.normal(size=s) for s in ((4, 2), (2, 3), (3,)))
    tx, tw, tb = mg.tensor(x), leaf("w", w), leaf("b", b)
    loss = (tx @ tw + tb).tanh()[1:].sum()
    g = viz.graph(loss)
    d = np.zeros((4, 3))
    d[1:] = 1 - np.tanh(x @ w + b)[1:] ** 2
    shown = lambda text: np.array([float(v) for v in re.findall(r"[^\[\],\s]+", text)])
    np.testing.assert_allclose(shown(g["w"].grad), (x.T @ d).ravel(), rtol=2e-3)
    np.testing.assert_allclose(shown(g["b"].grad), d.sum(0), rtol=2e-3)
    assert g["w"].value.count("\n") == 1  # two rows


def test_in_place_writes_show_what_was_computed():
    x = leaf("x", [1.0, 2.0])
    h = x * 3
    h[0] = 10.0
    h.mul_(x)
    g = viz.graph({"loss": h.sum()})
    assert g["loss"].value == "22"  # 10 * 1 + 6 * 2
    assert g["x"].grad == "[10, 12]"  # d(10 x0)/dx0, d(3 x1 x1)/dx1


@pytest.mark.parametrize("change", ["leaf", "output", "shape"])
def test_values_changed_since_are_not_shown(change):
    x = leaf("x", [1.0, 2.0])
    y = x * 3
    with no_grad():
        if change == "leaf":
            x.add_(1)
        elif change == "output":
            y.data.add_(1)
        else:
            x.data = mg.tensor([1.0, 2.0, 3.0])
    g = viz.graph(y)
    assert all(n.value is None for n in g.nodes if n.op)
    assert "changed after" in g.notes[0]
    assert "changed after" in g.source


def test_large_graphs_show_the_size_of_stored_gradients():
    w = leaf("w", np.ones((5, 4), np.float32))
    loss = (w * 3).sum()
    before = viz.graph(loss)
    assert before["w"].grad is None
    assert "call backward() first" in before.notes[0]
    assert [n.value for n in before.nodes if n.kind == "output"] == ["60"]
    loss.backward()
    after = viz.graph(loss)
    assert after["w"].grad == "rms 3"
    assert after.notes == ()
    assert viz.graph(loss, values=None)["w"].grad is None


def test_a_custom_function_is_drawn_without_values():
    class Double(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    g = viz.graph(Double.apply(leaf("x", 1.0)))
    assert [n.value for n in g.nodes if n.op] == ["2"]  # the outcome is at hand, other values are not
    assert g["x"].grad is None
    assert "custom Function" in g.notes[0]


def test_drawing_leaves_everything_as_it_was():
    calls = []

    class Watching(core.Observer):
        def forward(self, op, inputs, attrs, call):
            calls.append(op)
            return call()

        def rule(self, node, rule, call):
            calls.append(rule)
            return call()

    x = leaf("x", [1.0, 2.0])
    y = (x * x).sum()
    y.register_hook(lambda g: calls.append(g))
    versions = x._storage.version, y._storage.version
    previous = core.observe(Watching())
    try:
        g = viz.graph(y)
        assert core.observer is not None
        assert calls == []
    finally:
        core.observe(previous)
    assert (x._storage.version, y._storage.version) == versions
    assert x.grad is None
    assert "hooks" in g.notes[0]
    with no_grad():
        assert viz.graph(y) == g
        assert core.recording.get() is False
    y.backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_a_graph_keeps_nothing_alive():
    x = leaf("x", [1.0, 2.0])
    y = x.exp()
    g = viz.graph((y * y).sum())
    kept = [weakref.ref(y), weakref.ref(y._data), weakref.ref(x), weakref.ref(y.grad_fn)]
    del x, y
    gc.collect()
    assert g.nodes
    assert [ref() for ref in kept] == [None] * 4


# --- DOT ---

GOLDEN = {
    "b - a": (
        lambda a, b: b - a,
        ["n0 -> n2 left both", "n1 -> n2 right both"],
        ["b parameter value 5 grad 1", "a parameter value 1 grad -1", "sub output value 4 grad 1"],
    ),
    "a * a": (
        lambda a, b: a * a,
        ["n0 -> n1  both", "n0 -> n1  both"],
        ["a parameter value 1 grad 2", "mul output value 1 grad 1"],
    ),
    "c * a": (
        lambda a, b: mg.tensor(7.0) * a,
        ["n0 -> n2  forward", "n1 -> n2  both"],
        ["constant value 7", "a parameter value 1 grad 7", "mul output value 7 grad 1"],
    ),
}


@pytest.mark.parametrize("case", GOLDEN)
def test_the_dot_text_says_what_was_computed(case):
    compute, edges, boxes = GOLDEN[case]
    lines = viz.graph(compute(leaf("a", 1.0), leaf("b", 5.0))).source.splitlines()
    said = []
    for line in lines:
        if match := re.match(r"  (n\d+ -> n\d+) \[(.*)\]", line):
            label = re.search(r"label=<(.*)>", match[2])
            said.append(
                f"{match[1]} {label[1].strip() if label else ''} {'both' if 'dir=both' in match[2] else 'forward'}"
            )
    assert said == edges
    texts = [line.split("label=<<", 1)[1] for line in lines if re.match(r"  n\d+ \[", line)]
    assert [" ".join(re.sub("<[^>]*>", " ", f"<{text[:-2]}").split()) for text in texts] == boxes


def test_the_dot_text_is_the_same_in_every_process():
    program = "import sys; sys.path.insert(0, sys.argv[1]); from test_viz import draw_neuron as d; print(d()[0].source)"
    texts = {
        subprocess.run(
            [sys.executable, "-c", program, str(Path(__file__).parent)],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in "01"
    }
    assert len(texts) == 1
    assert next(iter(texts)).decode().rstrip() == draw_neuron()[0].source.rstrip()
    assert not re.search("0x[0-9a-f]{6}", draw_neuron()[0].source)


def luminance(color):
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(c * w for c, w in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def test_every_text_stands_out_from_what_is_behind_it():
    for text in (dot.INK, dot.MUTED, dot.FORWARD, dot.BACKWARD):
        for behind in (*dot.FILL.values(), *dot.CLUSTER, "#ffffff"):
            light, dark = sorted((luminance(text), luminance(behind)), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, behind)


def test_directions():
    texts = {d: draw_neuron(direction=d)[0].source for d in ("forward", "backward", "both")}
    assert ">grad" not in texts["forward"]
    assert dot.BACKWARD not in texts["forward"]
    assert ">value " not in texts["backward"]
    assert ">x1<" not in texts["backward"]
    assert "dir=back" in texts["backward"]
    assert ">grad " in texts["both"]
    assert ">value " in texts["both"]
    assert "rankdir=LR" in draw_neuron(rankdir="LR")[0].source


# --- large graphs ---


def chain(count):
    y = x = leaf("x", [1.0])
    for _ in range(count):
        y = y * 1.0
    return x, y


def test_a_long_chain_needs_no_recursion():
    _, y = chain(100_000)
    done = []
    threading.stack_size(512 * 1024)  # a recursion of this depth would not fit
    try:
        worker = threading.Thread(target=lambda: done.append(viz.graph(y)))
        worker.start()
        worker.join()
    finally:
        threading.stack_size(0)
    (g,) = done
    assert len(g.nodes) == 100_001
    assert g.source.count(" -> ") == 100_000
    folded = g.collapse()
    assert len(folded.nodes) <= 400
    assert sum(n.holds for n in folded.nodes) == 100_001
    assert any("mul ×99,995" in n.attrs for n in folded.nodes)  # all but the output and two at each end
    assert "100,001 nodes" in folded.source


def reaches(edges):
    """Return, by brute force, which nodes can be reached from which."""
    found = {(e.tail, e.head) for e in edges}
    while more := {(a, d) for a, b in found for c, d in found if b == c} - found:
        found |= more
    return found


@pytest.mark.parametrize("most", [2, 3, 5, 8, 13, 40])
def test_folding_keeps_what_leads_to_what(running, most):
    rng = np.random.default_rng(most)
    tensors = [leaf(f"w{i}", 1.0) for i in range(4)]
    for i in range(24):
        if i % 3 == 0:
            running(f"block{i // 12}.layer{i // 3}", "Layer")
        a, b = rng.integers(len(tensors), size=2)
        tensors.append(tensors[a] * tensors[b] if i % 2 else tensors[-1].tanh())
    scope.set(None)
    g = viz.graph(tensors[-1] + tensors[-2] + tensors[-3])
    folded = g.collapse(max_nodes=most)
    assert len(folded.nodes) <= most or folded is g
    assert sum(n.holds for n in folded.nodes) == len(g.nodes)
    assert {i for e in folded.edges for i in (e.tail, e.head)} <= {n.id for n in folded.nodes}
    same = {n.id for n in folded.nodes if n.holds == 1}
    before, after = reaches(g.edges), reaches(folded.edges)
    assert all((a, b) in after for a, b in before if a in same and b in same)
    if HAS_ENGINE:
        assert folded.pipe().startswith(b"<?xml")


def test_modules_are_folded_before_anything_else(running):
    x = leaf("x", 1.0, False)
    for i in range(3):
        running(f"layer{i}", "Scale")
        x = (x * leaf(f"layer{i}.weight", 2.0)).tanh()
    scope.set(None)
    folded = viz.graph({"loss": x.sum()}).collapse(max_nodes=5)
    assert [(n.kind, n.name, n.op, n.holds) for n in folded.nodes[1:-1]] == [
        ("module", f"layer{i}", "Scale", 3) for i in range(3)
    ]
    assert [(e.tail, e.head) for e in folded.edges] == list(
        zip([n.id for n in folded.nodes], [n.id for n in folded.nodes[1:]], strict=False)
    )


# --- pictures ---

NASTY = [
    "a,a->a", "<lambda> <map>", "{x|y}", "back\\slash \\N \\G \\l", 'quote " here', "two\nlines", "</script>", "😀 é ∂",
    "&amp; & &#92;", "", " ", "\x00\x07\x1b", "\ud800", "<b>", "-->", "x" * 500, "<TABLE>", "%s", "'", "]>",
]  # fmt: skip


@drawn
@pytest.mark.parametrize("name", NASTY)
def test_any_name_can_be_drawn(running, name):
    w = leaf(name, 1.0)
    running(f"m.{name}", name)
    y = w * 2 + leaf(f"m.{name}.w", 3.0)
    scope.set(None)
    g = viz.graph({name: y}, names={w: name})
    root = ElementTree.fromstring(g.pipe("svg"))
    texts = [" ".join("".join(t.itertext()).split()) for t in root.iter(f"{SVG}text")]
    wanted = " ".join(box._FORBIDDEN.sub("\ufffd", dot.short(name)).split("\n")[0].split())
    assert any(wanted in text for text in texts), texts
    assert {g.get("id") for g in root.iter(f"{SVG}g") if g.get("class") == "node param"} == {"n0", "n2"}


@drawn
def test_a_picture_is_one_new_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    g = draw_neuron()[0]
    magic = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF", "dot": b"digraph", "gv": b"digraph"}
    magic = {kind: start for kind, start in magic.items() if kind != "pdf" or HAS_PDF}
    for count, (kind, start) in enumerate(magic.items(), 1):
        path = g.render(f"neuron.{kind}", view=count == 1)
        assert path == f"neuron.{kind}"
        assert len(os.listdir()) == count
        assert Path(path).read_bytes().startswith(start)
    assert "neuron.svg" in capsys.readouterr().out
    assert g.render(tmp_path / "deep" / "other", format="PNG").endswith("other.png")
    assert g.render("plain") == "plain.svg"
    assert os.listdir("deep") == ["other.png"]
    with pytest.raises(ArgumentError, match="'jpeg2000'"):
        g.render("neuron.jpeg2000")
    root = ElementTree.parse("neuron.svg").getroot()
    assert root.get("width")
    assert root.get("height")
    assert root.get("viewBox")


@drawn
def test_boxes_do_not_overlap():
    root = ElementTree.fromstring(draw_neuron()[0].pipe())
    spans = []
    for drawn_box in (g for g in root.iter(f"{SVG}g") if (g.get("id") or "").startswith("n")):
        shape = drawn_box.find(f".//{SVG}polygon")
        path = shape.get("points") if shape is not None else drawn_box.find(f".//{SVG}path").get("d")
        numbers = [float(v) for v in re.findall(r"-?[\d.]+", path)]
        spans.append((min(numbers[::2]), max(numbers[::2]), min(numbers[1::2]), max(numbers[1::2])))
    assert len(spans) == 13
    for i, (x0, x1, y0, y1) in enumerate(spans):
        assert not any(x0 < u1 and u0 < x1 and y0 < v1 and v0 < y1 for u0, u1, v0, v1 in spans[:i])


@drawn
def test_a_notebook_gets_picture_and_text():
    bundle = draw_neuron()[0]._repr_mimebundle_()
    assert set(bundle) == {"image/svg+xml", "text/plain"}
    assert "<svg" in bundle["image/svg+xml"]
    assert bundle["text/plain"] == draw_neuron()[0].to_text(width=80, color=False)


def test_without_graphviz_one_sentence_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(render, "_pure_program", lambda: None)
    g = draw_neuron()[0]
    with pytest.raises(MissingDependencyError, match=r"pip install 'pygraphviz>=2'.*apt install graphviz"):
        g.render(tmp_path / "x.svg")
    assert list(tmp_path.iterdir()) == []
    assert g.source.startswith("digraph")
    bundle = g._repr_mimebundle_()
    assert set(bundle) == {"text/plain"}
    assert "pygraphviz" in bundle["text/plain"]
    assert Path(g.render(tmp_path / "x.dot")).read_text(encoding="utf-8") == g.source


def test_the_wheel_needs_no_program(monkeypatch):
    if not HAS_WHEEL:
        pytest.skip("the Graphviz libraries are not installed, or cannot be loaded")
    monkeypatch.setenv("PATH", "")
    assert render.engines()[0] == "pygraphviz"
    assert draw_neuron()[0].pipe("svg").startswith(b"<?xml")


@pytest.mark.parametrize("picture", ["svg", "png"])
def test_where_the_wheel_cannot_be_loaded_another_engine_draws(monkeypatch, tmp_path, picture):
    (tmp_path / "pygraphviz.py").write_text("raise ImportError('libgobject-2.0.so.0: cannot open shared object file')")
    monkeypatch.setenv("PATH", "")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(render.importlib.metadata, "version", lambda name: "2.0")
    if render._pure_program():
        assert render.engines() == ["pygraphviz", "graphviz-pure"]
        assert draw_neuron()[0].pipe(picture).startswith({"svg": b"<?xml", "png": b"\x89PNG"}[picture])
        with pytest.raises(MissingDependencyError, match=r"graphviz-pure.*a pdf needs Graphviz itself"):
            draw_neuron()[0].pipe("pdf")
    monkeypatch.setattr(render, "_pure_program", lambda: None)
    with pytest.raises(MissingDependencyError, match=r"cannot be loaded here.*graphviz-pure.*libgobject"):
        draw_neuron()[0].pipe(picture)


@pytest.mark.skipif(os.name != "posix", reason="a stand-in for dot is a script")
def test_a_program_on_path_comes_first(monkeypatch, tmp_path):
    program = tmp_path / "dot"
    program.write_text(f'#!{sys.executable}\nimport sys\nsys.stdin.read()\nprint("drawn", *sys.argv[1:])\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert render.engines()[0] == "dot"
    assert draw_neuron()[0].pipe("svg").decode().split() == ["drawn", "-Kdot", "-Tsvg"]
    program.write_text(f'#!{sys.executable}\nimport sys\nsys.exit("no such layout")\n')
    with pytest.raises(MinigradError, match="could not draw the graph: dot: no such layout"):
        draw_neuron()[0].pipe("svg", engine="dot")
    program.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(60)\n")
    with pytest.raises(MinigradError, match=r"more than 0.5 seconds; .*collapse"):
        render.pipe("digraph {}", "svg", time_limit=0.5)


def test_where_one_engine_fails_the_next_one_draws(monkeypatch):
    said = {"dot": (1, b"", b"no plugins"), "pygraphviz": (-11, b"", b""), "graphviz-pure": (0, b"drawn", b"")}
    monkeypatch.setattr(render, "engines", lambda: list(said))
    monkeypatch.setattr(render, "_draw", lambda name, *_: said[name])
    assert render.pipe("digraph {}", "svg") == b"drawn"
    with pytest.raises(MinigradError, match="dot: no plugins; pygraphviz: it said nothing; graphviz-pure: draws svg"):
        render.pipe("digraph {}", "pdf")
    with pytest.raises(MinigradError, match=r"dot: no plugins$"):
        render.pipe("digraph {}", "svg", engine="dot")


@pytest.mark.skipif(not HAS_PDF, reason="no Graphviz that draws PDF and asks the system for fonts")
def test_letters_are_letters_without_fonts(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib, which brings fonts, is not installed")
    empty = tmp_path / "fonts.conf"
    empty.write_text('<?xml version="1.0"?><fontconfig></fontconfig>')
    monkeypatch.setenv("FONTCONFIG_FILE", str(empty))
    bare = [sys.executable, str(Path(render.__file__).with_name("layout.py")), render.engines()[0], "pdf"]
    _, without, _ = render._run(bare, draw_neuron()[0].source.encode(), dict(os.environ), 60)
    assert without.startswith(b"%PDF")
    assert b"DejaVu" not in without  # boxes
    sources = [viz.graph(leaf(name, 1.0) * 2).source for name in ("iiii", "WWWW")]
    pictures = [render.pipe(source, "png") for source in sources]
    assert pictures[0] != pictures[1]
    fonts = set(re.findall(rb"/(?:BaseFont|FontName) /\w+\+(\w+)", render.pipe(sources[0], "pdf")))
    assert fonts
    assert all(font.startswith(b"DejaVu") for font in fonts)


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    def refuse(*args):
        raise OSError("no")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="no"):
        draw_neuron()[0].render(tmp_path / "x.dot")
    assert list(tmp_path.iterdir()) == []


def test_a_batch_used_twice_is_drawn_once_and_can_be_named():
    batch, w = mg.ones(40), mg.ones(40, requires_grad=True)
    graph = viz.graph((w * batch + batch).sum(), names={batch: "batch"})
    assert [node.name for node in graph.nodes if node.kind == "input"] == ["batch"]

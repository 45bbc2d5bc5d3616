"""Drawing under other libraries' names: what is drawn, what each argument does, and that nothing else changes."""

import inspect
import itertools
import random

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, viz
from minigrad.errors import ArgumentError
from minigrad.viz import render

folds = pytest.mark.skipif(
    "depth" not in inspect.signature(viz.Graph.collapse).parameters, reason="graphs cannot be folded by depth yet"
)


class Net(nn.Module):
    """Has a nested model, a module that is called twice, dropout, and an op outside of all modules."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.BatchNorm1d(4))
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        return self.fc(self.fc(self.drop(self.body(x))).tanh()).sum(1)


def titles(graph):
    """Return what each box is called, with the class of a module."""
    return [f"{node.name}: {node.op}" if node.kind == "module" else node.op or node.name for node in graph.nodes]


def arrows(graph):
    """Return which box feeds which."""
    name = dict(zip((node.id for node in graph.nodes), titles(graph), strict=True))
    return {(name[edge.tail], name[edge.head]) for edge in graph.edges}


def state(model):
    """Return all that a run could change."""
    return (
        {name: value.numpy().tobytes() for name, value in model.state_dict().items()},
        {name: module.training for name, module in model.named_modules()},
        {name: id(value) for name, value in [*model.named_parameters(), *model.named_buffers()]},
        {name: value.grad for name, value in model.named_parameters()},
        mg.get_rng_state().numpy().tobytes(),
        random.getstate(),
        np.random.get_state()[1].tobytes(),
        mg.is_grad_enabled(),
    )


class Careless(nn.Module):
    """Counts its calls, draws from every generator there is, and writes into what it is given."""

    def __init__(self):
        super().__init__()
        self.calls, self.norm = 0, nn.BatchNorm1d(3)

    def forward(self, x):
        self.calls += 1
        random.random()
        np.random.rand()
        y = self.norm(x) + mg.rand(3)
        x.zero_()
        return y


# --- torchviz ---


def test_make_dot_draws_what_gradients_pass_through():
    w, x = mg.ones(2, 3, requires_grad=True), mg.ones(3, 2)
    got = viz.make_dot((w.exp() @ x).sum(), params={"weight": w})
    assert (got["weight"].shape, got["weight"].kind, got.direction) == ((2, 3), "param", "backward")
    assert [node.op for node in got.nodes if node.requires_grad and node.op] == ["exp", "matmul", "sum"]
    assert "weight" in got.source
    assert got.visual_graph is got
    assert list(inspect.signature(viz.make_dot).parameters) == [
        *("var", "params", "show_attrs", "show_saved", "max_attr_chars")
    ]


def test_make_dot_shows_attributes_and_what_is_saved_when_asked():
    w = mg.ones(2, 3, requires_grad=True)
    loss = w.exp().sum(dim=(0, 1))
    by_op = lambda **options: {n.op: n for n in viz.make_dot(loss, params={"w": w}, **options).nodes}
    assert by_op()["sum"].attrs == by_op()["exp"].attrs == ""
    assert by_op(show_attrs=True)["sum"].attrs == "dim=(0, 1)"
    assert by_op(show_attrs=True, max_attr_chars=5)["sum"].attrs == "dim=…"
    saved = by_op(show_saved=True)["exp"]
    assert saved.attrs == "saved=y (exp) 24 B"
    assert saved.saved_bytes == w.nbytes
    assert not by_op()["exp"].saved


def test_make_dot_says_what_it_does_not_take():
    with pytest.raises(TypeError, match="must be a Tensor"):
        viz.make_dot(nn.Linear(2, 2))


# --- no harm ---


@pytest.mark.parametrize("mode", [None, "eval", "train"])
@folds
def test_drawing_a_model_leaves_it_and_everything_random_as_they_were(mode):
    model = Net().train()
    model.body.eval()
    model.fc.weight.grad = mg.ones(4, 4)
    before = state(model)
    viz.draw_graph(model, input_size=(5, 3), mode=mode)
    viz.plot_model(model, None, input_size=(5, 3))
    assert state(model) == before


@folds
def test_a_careless_model_does_no_harm_either():
    model, x = Careless(), mg.ones(4, 3)
    before = state(model)
    viz.draw_graph(model, x, mode="train")
    assert (state(model), model.calls, x.tolist()) == (before, 0, mg.ones(4, 3).tolist())


@folds
def test_who_watches_the_program_does_not_see_the_drawing():
    model, x = Net(), mg.ones(2, 3)
    with viz.record(model) as step:
        x.exp()
        drawn = viz.draw_graph(model, x)
        x.tanh()
    assert [node.op for node in step.graph().nodes if node.op] == ["exp", "tanh"]
    assert titles(drawn) == titles(viz.draw_graph(model, x))


class Draws(nn.Module):
    """Draws another model while it runs itself."""

    def __init__(self, other):
        super().__init__()
        self.inner = nn.Linear(3, 3)
        self.drawn, self.other = [], [other]

    def forward(self, x):
        self.drawn.append(viz.draw_graph(self.other[0], input_size=(5, 3), expand_nested=True))
        return self.inner(x)


@folds
def test_a_model_may_be_drawn_while_another_runs():
    other = Net()
    model = Draws(other)
    with viz.record(model) as step:
        model(mg.ones(1, 3))
    assert model.drawn[0].source == viz.draw_graph(other, input_size=(5, 3), expand_nested=True).source
    assert [node.module for node in step.graph().nodes if node.op] == ["inner"]


@folds
def test_the_mode_is_that_of_the_run():
    model = nn.Sequential(nn.Dropout(0.5), nn.Linear(3, 2))
    assert titles(viz.draw_graph(model, input_size=(5, 3))) == ["input", "1: Linear"]
    assert titles(viz.draw_graph(model, input_size=(5, 3), mode="train")) == ["input", "0: Dropout", "1: Linear"]


def test_after_an_error_in_the_model_all_is_as_before():
    model = Net()
    before = state(model)
    with mg.no_grad(), pytest.raises(Exception, match="7"):
        viz.draw_graph(model, input_size=(5, 7))
    assert state(model) == before


# --- torchview ---


@folds
def test_draw_graph_draws_modules_as_boxes():
    leaves = ["x", "body.0: Linear", "body.1: ReLU", "body.2: BatchNorm1d", "fc: Linear", "tanh", "fc@2: Linear", "sum"]
    got = viz.draw_graph(Net(), input_size=(5, 3))
    assert titles(got) == leaves
    assert arrows(got) == set(itertools.pairwise(leaves))
    assert not got.modules
    assert {node.module for node in got.nodes} == {None}
    assert [node.shape for node in got.nodes] == [(5, 3), *[(5, 4)] * 6, (5,)]


@folds
def test_depth_is_how_far_modules_are_opened():
    draw = lambda depth: titles(viz.draw_graph(Net(), input_size=(5, 3), depth=depth))
    assert draw(0) == ["x", ": Net"]
    assert draw(1) == ["x", "body: Sequential", "fc: Linear", "tanh", "fc@2: Linear", "sum"]
    assert draw(2) == draw(3) == draw(float("inf"))
    with pytest.raises(ArgumentError, match="depth"):
        draw(-1)


@folds
def test_what_torchview_hides_is_shown_when_asked():
    model = Net()
    ops = viz.draw_graph(model, input_size=(5, 3), hide_module_functions=False, expand_nested=True)
    assert [n.op for n in ops.nodes if n.op] == ["linear", "relu", "normalize_by", "linear", "tanh", "linear", "sum"]
    assert {m.path: m.kind for m in ops.modules}["body.2"] == "BatchNorm1d"
    tensors = viz.draw_graph(model, input_size=(5, 3), hide_module_functions=False, hide_inner_tensors=False)
    shown = {node.name for node in tensors.nodes if not node.op}
    assert shown >= {name for name, _ in model.named_parameters()} | {"x"}


@folds
def test_rolling_draws_all_calls_of_a_module_as_one_box():
    got = viz.draw_graph(Net(), input_size=(5, 3), roll=True)
    assert [title for title in titles(got) if "fc" in title] == ["fc: Linear"]
    assert got["fc"].attrs == "called 2 times"
    assert ("fc: Linear", "sum") in arrows(got)
    assert ("fc: Linear", "fc: Linear") not in arrows(got)


class Pair(nn.Module):
    """Takes two inputs and a setting."""

    def forward(self, image, index, scale=1.0):
        return image[index] * scale


@folds
@pytest.mark.parametrize(
    "given",
    [
        {"input_data": [mg.ones(4, 2), mg.tensor([0, 1])]},
        {"input_data": {"image": mg.ones(4, 2), "index": mg.tensor([0, 1])}, "scale": 2.0},
        {"input_size": [(4, 2), (2,)], "dtypes": [mg.float32, mg.int64]},
    ],
)
def test_input_is_given_as_torchview_takes_it(given):
    got = viz.draw_graph(Pair(), **given, hide_module_functions=False)
    assert {node.name: node.shape for node in got.nodes if not node.op} == {"image": (4, 2), "index": (2,)}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "either input_data or input_size"),
        ({"input_data": mg.ones(1), "input_size": (1,)}, "either input_data or input_size"),
        ({"input_data": 3}, "input_data must be"),
        ({"input_size": ()}, "shape"),
        ({"input_size": 3}, "shape"),
        ({"input_size": [(1, 2), 3]}, "shape"),
        ({"input_size": (2, -1)}, "shape"),
        ({"input_size": (2, 3), "dtypes": [mg.float32, mg.float32]}, "1 shapes need as many dtypes"),
        ({"input_size": (2, 3), "mode": "test"}, "mode"),
    ],
)
def test_arguments_that_do_not_fit_are_named(given, said):
    with pytest.raises(ArgumentError, match=said):
        viz.draw_graph(nn.Linear(3, 2), **given)
    with pytest.raises(ArgumentError, match="must be a Module"):
        viz.draw_graph(len, **given)


def test_a_model_that_cannot_be_copied_is_said_to_be_so():
    model = nn.Linear(3, 2)
    model.lines = (line for line in ())
    with pytest.raises(ArgumentError, match=r"cannot be copied .*viz.record"):
        viz.draw_graph(model, input_size=(1, 3))


@folds
def test_draw_graph_writes_one_file_only_when_asked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = nn.Linear(3, 2)
    viz.draw_graph(model, input_size=(1, 3), graph_dir="LR")
    assert not list(tmp_path.iterdir())
    viz.draw_graph(model, input_size=(1, 3), graph_dir="LR", save_graph=True, filename="out.gv", directory="sub")
    (written,) = (tmp_path / "sub").iterdir()
    assert written.name == "out.gv"
    assert "rankdir=LR" in written.read_text()
    with pytest.raises(ArgumentError, match="graph_dir"):
        viz.draw_graph(model, input_size=(1, 3), graph_dir="up")


# --- Keras ---


@folds
def test_plot_model_draws_layers_and_opens_nested_models_when_asked():
    got = viz.plot_model(Net(), None, input_size=(5, 3))
    assert titles(got) == ["x", "body: Sequential", "fc: Linear", "tanh", "fc@2: Linear", "sum"]
    nested = viz.plot_model(Net(), None, input_size=(5, 3), expand_nested=True, rankdir="LR")
    assert {"body.0: Linear", "body.1: ReLU", "fc: Linear"} < set(titles(nested))
    assert nested.rankdir == "LR"
    assert {m.path for m in nested.modules} >= {"", "body"}
    with pytest.raises(ArgumentError, match="rankdir"):
        viz.plot_model(Net(), None, input_size=(5, 3), rankdir="up")


@folds
def test_plot_model_says_what_is_trained():
    model = Net()
    model.body[0].weight.requires_grad_(False)
    model.fc.requires_grad_(False)
    got = viz.plot_model(model, None, input_size=(5, 3), show_trainable=True)
    assert [(n.name, n.attrs) for n in got.nodes if n.kind == "module"] == [
        *(("body", "partly trainable"), ("fc", "not trainable"), ("fc@2", "not trainable"))
    ]


@folds
@pytest.mark.skipif(not hasattr(viz.Graph, "label"), reason="boxes cannot be told what to show yet")
def test_boxes_show_what_was_asked_for():
    def shown(**options):
        return viz.plot_model(Net().double(), None, input_data=mg.ones(5, 3, dtype=mg.float64), **options).source

    assert "(5, 4)" not in shown()
    assert "float64" not in shown()
    assert "(5, 4)" in shown(show_shapes=True)
    assert "float64" in shown(show_dtype=True)
    assert "Linear" in shown(show_layer_names=False)
    assert "(5, 4)" not in viz.draw_graph(Net(), input_size=(5, 3), show_shapes=False).source
    assert "(5, 4)" in viz.draw_graph(Net(), input_size=(5, 3)).source


@folds
@pytest.mark.parametrize("name", ["model.svg", "model.png", "model.dot", "model"])
def test_plot_model_writes_the_file_it_is_told_to(tmp_path, name):
    try:
        render.pipe("digraph { a }", "svg")
    except mg.errors.MinigradError as error:
        pytest.skip(str(error))
    begins = {"svg": b"<?xml", "png": b"\x89PNG", "dot": b"digraph"}
    viz.plot_model(nn.Linear(3, 2), str(tmp_path / name), input_size=(1, 3), dpi=50)
    (written,) = tmp_path.iterdir()
    assert written.name == (name if "." in name else f"{name}.svg")
    assert written.read_bytes().startswith(begins[written.suffix[1:]])

"""The memory film: the bytes it says are kept, against weak references to every array of a real step."""

import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad import graph, nn, viz
from minigrad.errors import ArgumentError


def whole(tensor):
    """Return the array that owns a tensor's memory."""
    array = tensor._data
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


class Alive(graph.Observer):
    """Holds a weak reference to the memory of every op's output, and counts the living before each gradient rule."""

    def __init__(self):
        self.inner, self.memory, self.counts = None, {}, []

    def __enter__(self):
        graph.observe(self)
        return self

    def __exit__(self, *_):
        graph.observe(None)

    def forward(self, op, inputs, attrs, call):
        self.memory = {k: v for k, v in self.memory.items() if v[0]() is not None}
        held = {id(whole(x)) for x in inputs if isinstance(x, mg.Tensor)} - self.memory.keys()
        outputs = super().forward(op, inputs, attrs, call)
        for y in outputs if isinstance(outputs, tuple) else (outputs,):
            array = whole(y)
            if id(array) not in held:  # else it is a view of what the program holds
                self.memory.setdefault(id(array), (weakref.ref(array), array.nbytes))
        return outputs

    def rule(self, node, rule, call):
        self.counts.append(self.now())
        return super().rule(node, rule, call)

    def now(self):
        return sum(nbytes for ref, nbytes in self.memory.values() if ref() is not None)


class Block(nn.Module):
    """Views, a fan-out, a branch, and ops that save inputs, outputs, both or neither."""

    def __init__(self):
        super().__init__()
        self.query, self.value, self.out = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 2)

    def forward(self, x):
        q, v = (f(x).reshape(4, 5, 2, 3).transpose(1, 2) for f in (self.query, self.value))
        mixed = (q @ q.transpose(-1, -2)).softmax(-1) @ v
        y = mixed.transpose(1, 2).reshape(4, 5, 6) + x
        return self.out(y.relu() * y.sigmoid())[:, 0].exp()


def mlp(x):
    return nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))(x)


def conv(x):
    body = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    return body(x.reshape(4, 1, 5, 6))


def lstm(x):
    return nn.LSTM(6, 4, batch_first=True)(x)[0]


PROGRAMS = {"mlp": mlp, "attention": lambda x: Block()(x), "conv": conv, "lstm": lstm}


def step(program, observer):
    """Run a step under an observer; return the bytes alive at the end of forward, and those of the loss."""
    mg.manual_seed(0)
    x = mg.randn(4, 5, 6)
    with observer:
        loss = (program(x) ** 2).mean()
        end = observer.now() if isinstance(observer, Alive) else 0
        loss.backward()
    return end, loss._data.nbytes


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_the_bytes_are_those_of_the_arrays_that_live(program):
    truth, recording = Alive(), viz.record()
    end, loss = step(program, truth)
    step(program, recording)
    film = recording.graph().memory()
    turn = next(i for i, s in enumerate(film.rows.steps) if s.kind == "backward")
    assert film.bytes[turn - 1] == end - loss
    assert [film.bytes[i - 1] for i in range(turn, len(film.bytes))] == [count - loss for count in truth.counts]
    assert film.bytes[-1] == truth.now() == 0
    assert film.bytes[film.peak] == max(film.bytes)


def test_each_moment_adds_up_and_names_what_keeps_what():
    with viz.record() as recording:
        w = mg.ones(4, requires_grad=True)
        w.name = "w"
        y = w.exp()
        (y * y).sum().backward()
    g = recording.graph()
    film = g.memory()
    exp, mul = (next(n.id for n in g.nodes if n.op == op) for op in ("exp", "mul"))
    assert film.kept == (viz.memory.Kept(exp, 16, (exp, mul), 0, len(g.steps) - 1),)
    assert [sum(k.nbytes for k in film.at(i)) for i in range(len(film.bytes))] == list(film.bytes)
    assert film.at(-1) == ()
    text = str(film)
    assert "← peak" in text.splitlines()[0]
    assert "16 B exp (4,), for the backward of exp, mul" in text
    with pytest.raises(IndexError):
        film.at(99)


def test_a_recorded_backward_frees_nothing_and_the_next_one_does():
    with viz.record() as recording:
        x = mg.tensor(0.5, requires_grad=True)
        (first,) = mg.autograd.grad(x.tanh().exp(), x, create_graph=True)
        first.backward()
    film = recording.graph().memory()
    backward = [i for i, s in enumerate(film.rows.steps) if s.kind == "backward"]
    once = backward[1]  # the rules of exp and tanh have run, recorded
    assert film.bytes[once] >= film.bytes[backward[0] - 1] > 0
    assert film.bytes[-1] == 0


def test_what_no_backward_reaches_is_kept_to_the_end():
    with viz.record() as recording:
        x = mg.ones(3, requires_grad=True)
        aside = x.exp()
        x.sigmoid().sum().backward()
    film = recording.graph().memory()
    assert [(k.nbytes, k.until) for k in film.at(-1)] == [(12, None)]
    assert aside.shape == (3,)


def test_a_graph_that_was_not_recorded_has_no_film():
    with pytest.raises(ArgumentError, match=r"viz\.record"):
        viz.graph(mg.ones(2, requires_grad=True).exp()).memory()


def test_a_folded_graph_has_no_film():
    step(mlp, recording := viz.record())
    with pytest.raises(ArgumentError, match=r"memory: .* not folded"):
        recording.graph().collapse(max_nodes=4).memory()


def test_a_long_film_is_shown_in_few_lines_and_drawn_with_its_peak():
    with viz.record() as recording:
        y = x = mg.ones(1000, requires_grad=True)
        for _ in range(200):
            y = y.sin()
        y.sum().backward()
    film = recording.graph().memory()
    assert film.bytes[film.peak] == 199 * 4000  # the outputs that a next sin saved; the first saved x itself
    lines = film.to_text().splitlines()
    assert len(lines) < 90
    assert sum("← peak" in line for line in lines) == 1
    assert x.grad is not None
    pytest.importorskip("matplotlib", reason="matplotlib is not installed").use("Agg")
    ax = film.plot()
    assert tuple(ax.lines[0].get_ydata()) == film.bytes
    (note,) = ax.texts
    assert (note.get_text(), note.xy) == ("peak 777 KiB", (film.peak, 796_000))
    pytest.importorskip("matplotlib.pyplot").close("all")

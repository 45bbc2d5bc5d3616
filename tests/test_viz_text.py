"""The drawing in a terminal, read back lane by lane, and the table, against counts made by hand."""

from __future__ import annotations

import io
import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, viz
from minigrad.errors import ArgumentError, ShapeError
from minigrad.viz import flops
from minigrad.viz.rows import Node
from minigrad.viz.textual import cells

GOLDEN = Path(__file__).parent / "goldens" / "lenet.txt"


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2D(1, 6, 5, padding=2), nn.Conv2D(6, 16, 5)
        self.pool = nn.MaxPool(2)
        self.fc1, self.fc2, self.fc3 = nn.Dense(400, 120), nn.Dense(120, 84), nn.Dense(84, 10)

    def forward(self, x):
        x = self.pool(self.conv1(x).relu())
        x = self.pool(self.conv2(x).relu()).flatten(1)
        return self.fc3(self.fc2(self.fc1(x).relu()).relu())


class Block(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.a, self.b = nn.Linear(size, size), nn.Linear(size, size)

    def forward(self, x):
        return x + self.b(self.a(x).relu())


def lenet(**options):
    """Return the graph of a step of LeNet with 8 images, and the model."""
    mg.manual_seed(0)
    model, images = LeNet(), mg.randn(8, 1, 28, 28)
    with viz.record(model, time=False, source=False, names={"images": images}, **options) as step:
        nn.functional.cross_entropy(model(images), mg.arange(8)).backward()
    return step.graph(), model


# --- the drawing ---


def test_lenet_is_drawn_as_in_the_golden_file():
    text = lenet(values=None)[0].to_text(width=80)
    assert text == GOLDEN.read_text(encoding="utf-8").rstrip("\n")
    assert all(cells(line) <= 80 for line in text.splitlines())


def read_back(text):
    """Return from the lanes alone which line uses which: an independent reader of drawings without modules."""
    lines = [re.match(r"(?:[●○│─├┤╰╯┴┼] ?|  )*", line)[0].ljust(80) for line in text.splitlines()]
    lanes, used = {}, []
    for number, line in enumerate(lines):
        (column,) = (i for i in range(40) if line[2 * i] in "●○")
        sources = [column] if column in lanes else []
        for way in (-1, 1):
            i = column
            while line[2 * i + way] == "─":
                i += way
                sources += [i] if line[2 * i] in "├┤╰╯┴┼" else []
        used += [(lanes[i], number) for i in sources]
        ended = [i for i in sources if line[2 * i] in "╰╯┴" or i == column]
        lanes = {i: lane for i, lane in lanes.items() if i not in ended} | {column: number}
    return used


@pytest.mark.parametrize("seed", range(12))
def test_lanes_say_which_op_uses_which(seed):
    rng = np.random.default_rng(seed)
    at = [mg.randn(2, 2, requires_grad=True) * 1.0]
    for _ in range(14):
        a, b = rng.integers(max(0, len(at) - 4), len(at), size=2)
        at.append(at[a] @ at[b] if rng.random() < 0.6 else at[a].tanh())
    g = viz.graph(at[-1], values=None)
    ops = [n.id for n in g.nodes if n.op]
    edges = {(ops.index(e.tail), ops.index(e.head)) for e in g.edges if e.tail in ops}
    text = g.to_text(width=80)
    assert len(text.splitlines()) == len(ops)
    assert set(read_back(text)) == edges, text


def test_a_residual_block_reads_as_one():
    x = mg.ones(2, requires_grad=True) * 1.0
    lines = viz.graph(x + x.tanh().relu(), values=None).to_text().splitlines()
    assert [line[:5].rstrip() for line in lines] == ["●", "├─●", "│ ●", "●─╯"]
    plain = viz.graph(x + x.tanh().relu(), values=None).to_text(unicode=False)
    assert [line[:5].rstrip() for line in plain.splitlines()] == ["*", "+-*", "| *", "*-'"]
    assert plain.isascii()


def test_where_the_terminal_knows_only_ascii_so_is_the_drawing(monkeypatch):
    model = nn.Sequential(*[Block(4) for _ in range(3)])
    g = viz.graph((1 - model(mg.randn(3, 4))).sum(), model=model).collapse(1)
    assert not str(g).isascii()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    text = str(g)
    assert text.isascii()
    assert "0 . 2: Block x3" in text
    assert "1 - (.)" in text
    print(g)


def test_the_bar_is_as_long_as_the_gradient_is_large():
    x = mg.ones(20, requires_grad=True)
    with viz.record() as step:
        y = x * 10
        (y * 1000).sum().backward()
    lines = step.graph().to_text().splitlines()
    bars = [line.count("█") + line.count("▉") for line in lines]
    assert [float(line.split()[-1]) for line in lines] == [1000.0, 1.0, 1.0]
    assert bars[0] == max(bars) == 6
    assert bars[0] > bars[1] == bars[2] >= 1


def test_data_that_comes_in_between_ends_no_module():
    net = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5), nn.Linear(3, 3))
    with viz.record(net, values=None) as step:
        net(mg.randn(2, 3)).sum().backward()
    text = str(step.graph())
    assert "mask" in text
    assert text.count("Sequential") == 1


def test_a_direction_shows_only_its_own_numbers():
    g = lenet()[0]
    ways = {way: replace(g, direction=way).to_text() for way in ("both", "forward", "backward")}
    assert "█" in ways["both"]
    assert "█" not in ways["forward"]
    assert "rms " in ways["forward"]
    assert "rms " not in ways["backward"]


def test_nan_failures_and_marks_are_said_in_words():
    x = mg.tensor([-1.0, 4.0], requires_grad=True)
    with viz.record(names={"x": x}) as step:
        x.sqrt().sum().backward()
    text = str(step.graph())
    assert "[NaN, grad NaN]" not in text.splitlines()[1]
    assert "[NaN]" in text.splitlines()[0]
    with pytest.raises(ShapeError), viz.record() as step:
        x.exp() @ mg.ones(3, 3)
    failed = str(step.graph())
    assert "✗" in failed
    assert "ShapeError" in failed
    g = viz.graph(x.exp())
    marked = viz.Graph(tuple(n._replace(mark=viz.rows.Mark("#ffffff", "wrong")) for n in g.nodes), g.edges)
    assert "[wrong]" in str(marked)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_colour_only_on_a_terminal_and_never_against_the_wish(monkeypatch):
    g = lenet()[0]
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    plain = g.to_text()
    assert "\x1b" not in plain
    assert "\x1b[" in g.to_text(color=True)
    monkeypatch.setattr("sys.stdout", Terminal())
    on_terminal = g.to_text()
    assert "\x1b[" in on_terminal
    assert 80 < max(cells(re.sub(r"\x1b\[[\d;]*m", "", line)) for line in on_terminal.splitlines()) <= 100
    assert re.sub(r"\x1b\[[\d;]*m", "", g.to_text(width=80)) == plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in g.to_text()
    with pytest.raises(ArgumentError, match="color must be"):
        g.to_text(color="yes")


@pytest.mark.parametrize(
    "name", ["a,a->a", "two\nlines", "图像的名字" * 20, "😀" * 30, "\x1b[31mred", "x" * 300, "\r\t"]
)
@pytest.mark.parametrize("width", [40, 80])
def test_any_name_stays_on_its_line_and_in_its_width(name, width):
    w = mg.ones(2, requires_grad=True)
    text = viz.graph({name: w * 2}, names={w: name}).to_text(width=width)
    assert len(text.splitlines()) == 1
    assert cells(text) <= width
    assert "\x1b" not in text


def test_a_hundred_thousand_ops_are_folded_first():
    y = x = mg.ones(1, requires_grad=True)
    for _ in range(100_000):
        y = y * 1.0
    g = viz.graph(y)
    begun = time.process_time()
    text = g.to_text(width=80)
    table = g.summary()
    assert time.process_time() - begun < 5
    assert "mul ×99,995" in text
    assert "100,001 nodes" in text
    assert "100,000 ops outside of modules" in table
    assert x.grad is None


def test_many_open_lanes_leave_room_for_words():
    x = mg.ones(2, requires_grad=True)
    parts = [(x * float(i)).exp() for i in range(60)]
    lines = viz.graph(mg.stack(parts).sum(), values=None).to_text(width=80).splitlines()
    assert all(cells(line) <= 80 for line in lines)
    assert sum(" exp" in line for line in lines) == 60


# --- the table ---


def figures(table, row):
    """Return the columns of a line of the table from its right end."""
    (line,) = [line for line in table.splitlines() if line.strip().startswith(row)]
    return re.split(r"\s{2,}", line.strip())[1:]


def test_lenets_parameters_and_work_add_up():
    g, model = lenet(values=None)
    table = g.summary()
    assert all(cells(line) <= 80 for line in table.splitlines())
    count = sum(p.numel() for p in model.parameters())
    assert sum(n.numel for n in g.nodes if n.kind == "param") == count == 61_706
    assert {n.name for n in g.nodes if n.kind == "param"} == {name for name, _ in model.named_parameters()}
    assert f"Parameters: {count:,}" in table
    by_row = [int(m[1].replace(",", "")) for m in re.finditer(r"\(.*\) +([\d,]+) +\S+ \w*B ", table)]
    assert sum(by_row) == count
    conv1, fc1 = figures(table, "conv1: Conv2d"), figures(table, "fc1: Linear")
    assert conv1[:2] == ["(8, 6, 28, 28)", "156"]
    assert conv1[3] == "1.92 M"  # 8 * 6 * 28 * 28 results of 25 multiply-adds and a bias: 1,919,232
    assert fc1[1] == "48,120"  # 400 * 120 + 120
    assert fc1[3] == "769 k"  # 8 * 120 * (2 * 400 + 1)
    assert figures(table, "pool (call 2)")[1] == "–"


def test_tied_and_shared_parameters_count_once():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.outer = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
            self.outer.weight = self.inner.weight
            self.block = nn.Linear(4, 4)

        def forward(self, x):
            x = self.block(self.inner(x)).relu()
            return self.outer(self.block(x))

    model = Tied()
    g = viz.graph(model(mg.randn(2, 4)).sum(), model=model)
    assert sum(n.numel for n in g.nodes if n.kind == "param") == 16 + 20
    (weight,) = [n for n in g.nodes if n.name == "inner.weight"]
    assert sum(e.tail == weight.id for e in g.edges) == 2
    table = g.summary()
    assert "Parameters: 36" in table
    assert "Tied: inner.weight is used in inner and outer, and counted once" in table
    assert figures(table, "block (call 2): Linear")[1] == "shared"
    assert "used by 2 ops" in g.source


def test_what_a_module_returns_is_what_is_used_of_it():
    net = nn.Sequential(nn.Conv2D(1, 4, 3), nn.BatchNorm(4), nn.ReLU())  # the running statistics are computed last
    with viz.record(net, values=None) as step:
        net(mg.randn(2, 1, 6, 6)).sum().backward()
    g = step.graph()
    assert figures(g.summary(), "1: BatchNorm")[0] == "(2, 4, 4, 4)"
    assert figures(g.summary(), "Sequential")[0] == "(2, 4, 4, 4)"
    assert {n.shape for n in g.collapse(1).nodes if n.kind == "module" or n.op == "relu"} == {(2, 4, 4, 4)}


def test_depth_moves_figures_up_and_loses_none():
    model = nn.Sequential(Block(4), Block(4), nn.Linear(4, 2))
    g = viz.graph(model(mg.randn(3, 4)).sum(), model=model)
    totals = {re.search(r"Parameters: (\S+)", g.summary(depth=d))[1] for d in (0, 1, 2, None)}
    assert totals == {"90"}
    assert figures(g.summary(depth=0), "Sequential")[1] == "90"
    assert figures(g.summary(depth=1), "0: Block")[1] == "40"
    assert g.collapse(1).summary() == g.summary()
    with pytest.raises(ArgumentError, match="width"):
        g.summary(width=10)


WORK = [
    ("matmul", (2, 5, 7), {0: (2, 5, 3), 1: (3, 7)}, "", 2 * 2 * 5 * 7 * 3),
    ("linear", (8, 10), {0: (8, 84), 1: (10, 84)}, "", 2 * 8 * 10 * 84),
    ("linear", (8, 10), {0: (8, 84), 1: (10, 84), 2: (10,)}, "", 2 * 8 * 10 * 84 + 80),
    ("conv2d", (1, 4, 6, 6), {0: (1, 2, 8, 8), 1: (4, 2, 3, 3)}, "", 2 * 144 * 18),
    ("tanh", (3, 4), {0: (3, 4)}, "", 12),
    ("sum", (), {0: (3, 4)}, "", 12),
    ("reshape", (12,), {0: (3, 4)}, "", 0),
    ("max_pool2d", (1, 1, 2, 2), {0: (1, 1, 4, 4)}, "kernel=(2, 2), stride=(2, 2)", 16),
]


@pytest.mark.parametrize(("op", "shape", "operands", "attrs", "count"), WORK)
def test_flops_are_counted_by_the_convention(op, shape, operands, attrs, count):
    assert flops.of(Node(0, "op", op, None, None, shape, "float32", attrs, True), operands) == count


def test_flops_of_a_folded_graph_are_those_of_what_it_stands_for():
    g, _ = lenet(values=None)
    whole = sum(flops.by_node(g).values())
    assert whole > 0
    for depth in (0, 1):
        assert sum(flops.by_node(g.collapse(depth)).values()) == whole

"""The profiler: counts and nesting, times that add up, bytes, modules, steps, threads, trace files, other observers."""

import gzip
import itertools
import json
import re
import subprocess
import sys
import threading
import time
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad import graph, nn
from minigrad.errors import GraphError
from minigrad.profiler import ProfilerAction, ProfilerActivity, profile, record_function, schedule
from minigrad.profiler.recorder import _allocated
from minigrad.profiler.tables import bytes_text, time_text

F = nn.functional


def measured(program, **options):
    with profile(**options) as p:
        program()
    return p


def rows(p):
    return {row.key: row for row in p.key_averages()}


def counts(p):
    return {row.key: row.count for row in p.key_averages()}


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 4)

    def forward(self, x):
        return self.linear(x).relu() + x


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.ModuleList([Block(), Block()])
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        for block in self.layer:
            x = block(x)
        return self.head(x).tanh()


def train(steps=1):
    net, x = Net(), mg.ones(3, 4)
    step = mg.optim.SGD(net.parameters(), 0.1)
    for _ in range(steps):
        step.zero_grad()
        net(x).sum().backward()
        step.step()
    return net


# --- counts and nesting ---


def test_every_op_and_every_rule_is_counted():
    assert counts(measured(lambda: train(5))) == {
        "linear": 15, "relu": 10, "add": 10, "tanh": 5, "sum": 5,
        "sum.backward: x": 5, "tanh.backward: x": 5, "linear.backward: x": 10, "linear.backward: weight": 15,
        "linear.backward: bias": 15, "add.backward: a": 10, "add.backward: b": 5, "relu.backward: x": 10,
        "Optimizer.step#SGD.step": 5,
    }  # fmt: skip


def test_ranges_nest_and_ops_lie_in_them():
    @record_function("three")
    def three(depth):
        return mg.ones(2).exp() if depth == 0 else three(depth - 1)

    with profile() as p, record_function("one"):
        mg.ones(2).sin()
        with record_function("two"):
            three(1)
        mg.ones(2).cos()
    tree = [(e.name, e.cpu_parent and e.cpu_parent.name) for e in p.events()]
    assert tree == [
        ("one", None), ("sin", "one"), ("two", "one"), ("three", "two"), ("three", "three"), ("exp", "three"),
        ("cos", "one"),
    ]  # fmt: skip
    assert [e.is_user_annotation for e in p.events()] == [True, False, True, True, True, False, False]


def test_ranges_that_do_not_nest_are_measured_too():
    first, second = record_function("first"), record_function("second")
    with profile() as p:
        first.__enter__()
        second.__enter__()
        A.exp()
        first.__exit__(None, None, None)
        A.sin()
        second.__exit__(None, None, None)
        A.cos()
    assert [(e.name, e.cpu_parent and e.cpu_parent.name) for e in p.events()] == [
        ("first", None), ("second", "first"), ("exp", "second"), ("sin", "second"), ("cos", None),
    ]  # fmt: skip
    for e in p.events():
        assert e.self_cpu_time_total >= 0


def test_what_ends_after_the_profile_is_left_out():
    late = record_function("late")
    with profile() as p:
        late.__enter__()
        A.exp()
    late.__exit__(None, None, None)
    assert counts(p) == {"exp": 1}
    ready = []

    def handle(q):
        A.sin()  # is not measured: what was recorded is complete
        ready.append(counts(q))

    with profile(on_trace_ready=handle, schedule=schedule(wait=0, warmup=1, active=1)) as p:
        for _ in range(2):
            A.exp()
            p.step()
    assert ready == [{"ProfilerStep#1": 1, "exp": 1}]
    assert counts(p) == ready[0]


def test_one_range_may_lie_in_itself():
    part = record_function("part")
    with profile() as p, part, part:
        A.exp()
    outer, inner, op = p.events()
    assert (outer.cpu_parent, inner.cpu_parent, op.cpu_parent) == (None, outer, inner)
    assert outer.end > inner.end


def test_ops_of_a_recorded_backward_lie_in_their_rule():
    x = mg.ones(3, requires_grad=True)
    with profile() as p:
        (g,) = mg.autograd.grad((x * x).exp().sum(), x, create_graph=True)
        mg.autograd.grad(g.sum(), x)
    inside = [e for e in p.events() if e.cpu_parent is not None]
    assert {e.cpu_parent.name for e in inside if e.kind == "forward"} >= {"exp.backward: x", "mul.backward: a"}
    assert all(e.is_backward for e in inside)
    # Every array is counted once, where it was made: the rule itself, which runs on tensors, made none.
    rules = [e for e in p.events() if e.name == "exp.backward: x"]
    assert [(e.cpu_memory_usage, e.self_cpu_memory_usage) for e in rules] == [(12, 0), (12, 12)]


def test_a_function_of_the_users_has_a_row_for_its_backward():
    class Cube(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 3 * x**2 * g

    x = mg.ones(3, requires_grad=True)
    p = measured(lambda: Cube.apply(x).sum().backward())
    assert counts(p)["Cube.backward"] == 1
    inside = [e.name for e in p.events() if e.cpu_parent and e.cpu_parent.name == "Cube.backward"]
    assert inside == ["pow", "mul", "mul"]


def test_measuring_changes_no_number():
    def run():
        mg.manual_seed(0)
        return [p.detach().numpy() for p in train(3).parameters()]

    plain = run()
    with profile(record_shapes=True, with_stack=True):
        watched = run()
    for a, b in zip(plain, watched, strict=True):
        np.testing.assert_array_equal(a, b)


# --- times ---


def test_times_add_up():
    start = time.perf_counter_ns()
    with profile() as p, record_function("all"):
        train(3)
    wall = (time.perf_counter_ns() - start) / 1e3
    events = p.events()
    for e in events:
        inner = sum(c.end - c.begun for c in events if c.cpu_parent is e)
        assert round(e.self_cpu_time_total * 1000) == e.end - e.begun - inner >= 0
        assert e.cpu_parent is None or e.cpu_parent.begun <= e.begun <= e.end <= e.cpu_parent.end
    total = p.total_average()
    assert total.self_cpu_time_total == pytest.approx(sum(e.cpu_time_total for e in events if e.cpu_parent is None))
    assert total.count == len(events)
    assert total.self_cpu_time_total == pytest.approx(events.self_cpu_time_total)
    assert 0 < events.self_cpu_time_total <= wall
    for row in p.key_averages():
        same = [e for e in events if e.name == row.key]
        assert row.cpu_time_total == pytest.approx(sum(e.time_range.elapsed_us() for e in same))
        assert row.cpu_time == pytest.approx(row.cpu_time_total / row.count)


def test_time_is_that_of_the_op():
    class Slow(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            time.sleep(0.02)
            return g

    p = measured(lambda: Slow.apply(mg.ones(2, requires_grad=True)).sum().backward())
    assert rows(p)["Slow.backward"].self_cpu_time_total >= 20_000
    assert max(p.key_averages(), key=lambda row: row.self_cpu_time_total).key == "Slow.backward"


# --- bytes ---

A, B = (mg.ones(*s, requires_grad=True) for s in ((4, 5), (5,)))
BYTES = {
    "mul": (lambda: A * B, 80),
    "a number": (lambda: A * 2.0, 80),
    "float64": (lambda: A.detach().double().exp(), {"to": 160, "exp": 160}),
    "a view": (lambda: A.permute(1, 0), 0),
    "a reshaped view": (lambda: A.reshape(20), 0),
    "a copy": (lambda: A.clone(), 80),
    "expanded": (lambda: B.expand(4, 5), 0),
    "reduced": (lambda: A.sum(), 4),
    "several": (lambda: A.detach().max(dim=1), 4 * 4 + 4 * 8),
    "product": (lambda: A @ mg.ones(5, 3), 48),
    "mul's rules": (
        lambda: (A * B).backward(mg.ones(4, 5)), {"mul": 80, "mul.backward: a": 80, "mul.backward: b": 80},
    ),
    "passed on": (lambda: (A + 1).backward(mg.ones(4, 5)), {"add": 80, "add.backward: a": 0}),
    "of a view": (lambda: A.reshape(20).backward(mg.ones(20)), {"reshape": 0, "reshape.backward: x": 0}),
    "spread": (lambda: A.sum().backward(), {"sum": 4, "sum.backward: x": 0}),
    "weights": (
        lambda: (A @ mg.ones(5, 3)).backward(mg.ones(4, 3)), {"matmul": 48, "matmul.backward: a": 80},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BYTES)
def test_bytes_are_those_of_the_outputs_that_were_allocated(name):
    program, expected = BYTES[name]
    p = measured(program)
    if isinstance(expected, dict):
        assert {row.key: row.self_cpu_memory_usage for row in p.key_averages()} == expected
    assert p.total_average().cpu_memory_usage == (sum(expected.values()) if isinstance(expected, dict) else expected)


def test_outputs_in_one_memory_count_once():
    x, y = np.ones((4, 5), np.float32), np.ones(3)
    assert _allocated((x, x, x[1:], x.T, y, None), ()) == 80 + 24
    assert _allocated((x[1:], y), (x,)) == 24


def test_a_range_has_the_bytes_of_what_is_inside():
    with profile() as p, record_function("outer"), record_function("inner"):
        A * B
        A.exp()
    for name in ("outer", "inner"):
        assert (rows(p)[name].cpu_memory_usage, rows(p)[name].self_cpu_memory_usage) == (160, 0)


# --- modules ---


def test_modules_have_the_time_of_their_ops():
    p = measured(lambda: train(2))
    modules = {m.path: m for m in p.module_averages()}
    assert list(modules) == [
        "", "layer", "layer.0", "layer.0.linear", "layer.1", "layer.1.linear", "head", None,
    ]  # fmt: skip
    assert [m.count for m in modules.values()] == [2, 0, 2, 2, 2, 2, 2, 0]
    assert [m.kind for m in modules.values()] == ["Net", "", "Block", "Linear", "Block", "Linear", "Linear", ""]
    assert {m.model for m in modules.values()} == {None}
    events = [e for e in p.events() if not e.is_user_annotation]
    for path, m in modules.items():
        own = [e for e in events if (e.scope and e.scope.path) == path]
        below = [m2 for p2, m2 in modules.items() if p2 is not None and path is not None and parent_of(p2) == path]
        for kind in ("forward", "backward"):
            alone = sum(e.self_cpu_time_total for e in own if e.kind == kind)
            assert getattr(m, f"self_{kind}_time_total") == pytest.approx(alone)
            inside = alone + sum(getattr(m2, f"{kind}_time_total") for m2 in below)
            assert getattr(m, f"{kind}_time_total") == pytest.approx(inside)
    assert sum(m.cpu_memory_usage for m in modules.values() if not m.path) == p.total_average().cpu_memory_usage
    assert modules["head"].backward_time_total > 0


def parent_of(path):
    return path.rpartition(".")[0] if path else None


def test_a_rule_belongs_to_the_module_of_its_op_also_in_a_recorded_backward():
    net = Net()
    loss = net(mg.ones(3, 4)).sum()
    with profile() as p:
        loss.backward()
    assert {m.path: m.count for m in p.module_averages()}["head"] == 0
    assert [m.path for m in p.module_averages()] == [
        "", "head", "layer", "layer.1", "layer.1.linear", "layer.0", "layer.0.linear", None,
    ]  # fmt: skip
    loss = net(mg.ones(3, 4)).sum()
    with profile() as p:
        mg.autograd.grad(loss, list(net.parameters()), create_graph=True)
    modules = {m.path: m for m in p.module_averages()}
    inside = [e for e in p.events() if e.cpu_parent is not None]
    assert len(inside) > 5
    assert all(e.scope == e.cpu_parent.scope for e in inside)
    assert all(m.forward_time_total == 0 for path, m in modules.items() if path is not None)


def test_two_models_of_one_class_are_told_apart():
    first, second = Net(), Net()

    def program():
        y = first(mg.ones(3, 4))
        for _ in range(3):
            y = y + second(mg.ones(3, 4))
        y.sum().backward()

    modules = measured(program).module_averages()
    assert [m.key for m in modules] == [
        "(model 1)", "1: layer", "1: layer.0", "1: layer.0.linear", "1: layer.1", "1: layer.1.linear", "1: head",
        "(model 2)", "2: layer", "2: layer.0", "2: layer.0.linear", "2: layer.1", "2: layer.1.linear", "2: head",
        "(outside of modules)",
    ]  # fmt: skip
    assert [m.count for m in modules] == [1, 0, 1, 1, 1, 1, 1, 3, 0, 3, 3, 3, 3, 3, 0]
    assert [m.cpu_memory_usage > 0 for m in modules] == [True] * 15
    for one, three in zip(modules[:7], modules[7:14], strict=True):
        # Outputs are three times as many bytes; of the gradients of weights, too, each call makes its own.
        assert three.cpu_memory_usage == 3 * one.cpu_memory_usage


def test_a_model_keeps_its_number_when_something_is_registered_or_it_is_called_in_another():
    net, other = Net(), Net()
    around = nn.Sequential(nn.Linear(4, 4), net)

    def program():
        net(mg.ones(3, 4))
        net.more = nn.Tanh()
        net(mg.ones(3, 4))
        around(mg.ones(3, 4))
        other(mg.ones(3, 4))

    found = {m.key: (m.kind, m.count) for m in measured(program).module_averages()}
    assert found["(model 1)"] == ("Net", 2)
    assert found["(model 2)"] == ("Sequential", 1)
    assert found["2: 1"] == ("Net", 1)
    assert found["(model 3)"] == ("Net", 1)


def test_calls_are_counted_also_of_modules_without_ops_that_fail_or_that_call_themselves():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.plain, self.fails = nn.Identity(), nn.Linear(3, 3)

        def forward(self, x, depth=2):
            self.plain(x)
            if depth:
                return self(x, depth - 1)
            return self.fails(x)

    net = Twice()
    with profile() as p:
        begun = time.perf_counter_ns()
        with pytest.raises(RuntimeError):
            net(mg.ones(2, 4))
        took = (time.perf_counter_ns() - begun) / 1e3
    found = {m.path: m for m in p.module_averages()}
    assert {path: m.count for path, m in found.items()} == {"": 3, "plain": 3, "fails": 1}
    assert 0 < found["plain"].call_time_total < found[""].call_time_total < took


def test_a_module_called_again_inside_a_rule_is_counted_and_its_time_is_backward():
    net = nn.Linear(4, 4)

    class Again(mg.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return net(x)

        @staticmethod
        def backward(ctx, g):
            return net(g)

    x = mg.ones(2, 4, requires_grad=True)
    p = measured(lambda: Again.apply(x).sum().backward())
    (row,) = (m for m in p.module_averages() if m.path == "")
    assert row.count == 2
    ((inside, outside),) = [[e for e in p.events() if e.name == "linear"]]
    if not inside.is_backward:
        inside, outside = outside, inside
    assert row.forward_time_total == pytest.approx(outside.self_cpu_time_total)


def test_hooks_belong_to_the_call_of_their_module():
    net = nn.Sequential(nn.Linear(4, 4))
    net[0].register_forward_hook(lambda m, args, y: y.exp())
    p = measured(lambda: net(mg.ones(2, 4)))
    (call,) = (c for c in p._trace.calls if c.scope.path == "0")
    assert [e.name for e in p.events() if call.begun <= e.begun <= e.end <= call.end] == ["linear", "exp"]


# --- grouping and tables ---


def test_rows_by_shape():
    def program():
        for shape in ((2, 3), (2, 3), (4,)):
            mg.ones(*shape).exp()

    found = measured(program, record_shapes=True).key_averages(group_by_input_shape=True)
    assert [(r.key, r.input_shapes, r.count) for r in found] == [("exp", [[2, 3]], 2), ("exp", [[4]], 1)]
    without = measured(program).key_averages(group_by_input_shape=True)
    assert [(r.key, r.count) for r in without] == [("exp", 3)]


def test_rows_by_place_in_the_program():
    def first():
        return mg.ones(2).exp()

    def second():
        return mg.ones(2).exp()

    with profile(with_stack=True) as p:
        first(), second(), first()
    found = p.key_averages(group_by_stack_n=1)
    assert [(r.stack[0].rpartition(": ")[2], r.count) for r in found] == [("first", 2), ("second", 1)]
    assert all(__file__ in r.stack[0] for r in found)
    assert "test_profiler.py" in found.table()


def column(table, title):
    """Return what is below a heading; the line of dashes shows where the columns are."""
    lines = table.splitlines()
    lines = lines[1 if lines[0].startswith("By op") else 0 :]
    places = [m.span() for m in re.finditer("-+", lines[1])]
    begin, end = next((b, e) for b, e in places if lines[0][b:e].strip() == title)
    return [line[begin:end].strip() for line in lines[2 : 2 + lines[2:].index(lines[1])]]


@pytest.mark.parametrize("by", ["cpu_time_total", "self_cpu_time_total", "cpu_memory_usage", "count", "cpu_time"])
def test_a_table_is_sorted_limited_and_at_most_100_columns_wide(by):
    p = measured(lambda: train(2))
    averages = p.key_averages()
    order = [r.key for r in sorted(averages, key=lambda r: -getattr(r, by))]
    assert column(averages.table(sort_by=by), "Name") == order
    limited = averages.table(sort_by=by, row_limit=3)
    assert column(limited, "Name") == order[:3]
    assert "(11 more rows" in limited
    assert max(map(len, p.table().splitlines())) <= 100


def test_long_names_are_cut_to_keep_the_table_narrow():
    with profile() as p, record_function("x" * 300):
        mg.ones(2).exp()
    assert max(map(len, p.table().splitlines())) <= 100
    assert "…" in p.table()
    assert "x" * 20 + "…" in p.key_averages().table(max_name_column_width=21)


def test_a_table_says_what_was_measured():
    with profile() as p:
        for _ in range(7):
            A * B
    (row,) = p.key_averages()
    table = p.key_averages().table(time_unit="us")
    assert column(table, "Name")[0] == "mul"
    assert column(table, "# of Calls")[0] == "7"
    assert column(table, "Self %")[0] == "100.0%"
    assert column(table, "CPU Mem")[0] == "560 B"
    assert column(table, "CPU total")[0] == f"{row.cpu_time_total:.3f}us"
    assert column(table, "CPU mean")[0] == f"{row.cpu_time_total / 7:.3f}us"


@pytest.mark.parametrize(
    ("us", "unit", "text"),
    [(0.5, "us", "0.500us"), (1500, "ms", "1.500ms"), (2e6, "s", "2.000s"), (2e6, None, "2.000s")],
)
def test_times_as_text(us, unit, text):
    assert time_text(us, unit) == text


@pytest.mark.parametrize(("n", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.00 KB"), (5 << 30, "5.00 GB")])
def test_bytes_as_text(n, text):
    assert bytes_text(n) == text


def test_what_makes_no_sense_is_refused_in_words():
    p = measured(lambda: mg.ones(2).exp())
    with pytest.raises(ValueError, match="sort_by must be one of self_cpu_time_total"):
        p.key_averages().table(sort_by="speed")
    with pytest.raises(ValueError, match="sort_by must be one of cpu_time_total"):
        p.module_averages().table(sort_by="speed")
    with pytest.raises(ValueError, match="time_unit must be"):
        p.key_averages().table(time_unit="h")
    with pytest.raises(ValueError, match="No valid profiler activities"):
        profile(activities=[])
    with pytest.raises(ValueError, match="has not measured anything"):
        profile().export_chrome_trace("x")
    p.start()
    with pytest.raises(ValueError, match="running already"):
        p.start()
    p.stop()
    p.stop()
    assert graph.observer is None
    assert p.key_averages().table(sort_by="cuda_time_total").startswith("Nothing was measured")


# --- other observers, and errors ---


def test_an_error_inside_gives_the_observer_back_and_closes_the_op():
    with pytest.raises(RuntimeError), profile() as p, record_function("part"):
        mg.ones(2, 3) @ mg.ones(2, 3)
    assert graph.observer is None
    assert counts(p) == {"part": 1, "matmul": 1}
    assert rows(p)["matmul"].cpu_memory_usage == 0
    with profile() as p:
        with pytest.raises(RuntimeError):
            mg.ones(2, 3) @ mg.ones(2, 3)
        mg.ones(2).exp()
    assert [e.cpu_parent for e in p.events()] == [None, None]


def test_profiles_nest():
    with profile() as outer:
        mg.ones(2).exp()
        with profile() as inner, record_function("both"):
            mg.ones(2).sin()
        mg.ones(2).cos()
    assert [e.name for e in inner.events()] == ["both", "sin"]
    assert [e.name for e in outer.events()] == ["exp", "both", "sin", "cos"]
    assert graph.observer is None


def test_profiles_may_end_in_any_order():
    a, b = profile(), profile()
    a.start()
    b.start()
    A * B
    a.stop()
    (A * B).sum().backward()
    b.stop()
    mg.ones(2).exp()
    assert counts(a) == {"mul": 1}
    assert counts(b)["mul"] == 2
    assert graph.observer is None


@pytest.mark.parametrize("outside", [True, False])
def test_the_debug_mode_and_a_profile_work_together(outside):
    array = np.ones(3, np.float32)
    x, w = mg.ones(3, requires_grad=True), mg.from_numpy(array)
    first, second = (mg.debug(), profile()) if outside else (profile(), mg.debug())
    p = second if outside else first
    with first, second:
        loss = (x * w).sum()
        array[0] = 5.0
        with pytest.raises(GraphError, match="was changed through an array"):
            loss.backward()
    assert counts(p)["mul"] == 1
    assert rows(p)["mul"].cpu_memory_usage == 12
    assert graph.observer is None


def test_a_profile_may_end_before_the_debug_mode_that_came_later():
    p = profile()
    p.start()
    with mg.debug():
        A.exp()
        p.stop()
        A.sin()
    A.cos()  # the first op afterwards finds that the observer has gone
    assert graph.observer is None
    assert counts(p) == {"exp": 1}


def test_without_a_profile_nothing_is_written_down():
    with record_function("before"), profile() as p:
        A * B
    assert counts(p) == {"mul": 1}
    A.exp()
    assert counts(p) == {"mul": 1}
    code = "import sys, minigrad.optim, minigrad.utils.data; sys.exit(any('profiler' in name for name in sys.modules))"
    subprocess.run([sys.executable, "-c", code], check=True)


# --- threads ---


def test_threads_have_their_own_stacks():
    ready = threading.Barrier(2, timeout=10)

    def work(name):
        with record_function(name):
            ready.wait()
            for _ in range(50):
                (A * B).exp()
            ready.wait()

    with profile() as p:
        threads = [threading.Thread(target=work, args=(n,), name=n) for n in ("one", "two")]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
    events = p.events()
    assert counts(p) == {"one": 1, "two": 1, "mul": 100, "exp": 100}
    ranges = {e.name: e for e in events if e.is_user_annotation}
    assert ranges["one"].thread != ranges["two"].thread
    for e in events:
        if not e.is_user_annotation:
            assert e.cpu_parent is ranges[e.cpu_parent.name]
            assert e.thread == e.cpu_parent.thread
    for r in ranges.values():
        assert r.self_cpu_time_total >= 0


# --- steps ---

SETTINGS = list(itertools.product((0, 1, 2), (0, 1, 3), (1, 2, 3), (0, 1, 2), (0, 2), (0, 1)))
NAMES = ("wait", "warmup", "active", "repeat", "skip_first", "skip_first_wait")


@pytest.mark.oracle
def test_schedules_are_those_of_pytorch():
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for setting in SETTINGS:
            arguments = dict(zip(NAMES, setting, strict=True))
            ours, theirs = schedule(**arguments), torch.profiler.schedule(**arguments)
            assert [ours(i).name for i in range(25)] == [theirs(i).name for i in range(25)], arguments


@pytest.mark.oracle
@pytest.mark.parametrize("setting", [(1, 1, 2, 1, 0, 0), (0, 1, 1, 2, 1, 0), (2, 1, 3, 0, 0, 0), (1, 1, 4, 0, 0, 1)])
def test_traces_are_ready_at_the_steps_they_are_in_pytorch(setting):
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    arguments = dict(zip(NAMES, setting, strict=True))

    class Noted(torch.profiler.profile):  # PyTorch's going from step to step; what measures is not started
        steps = None

        def prepare_trace(self):
            self.steps = None

        def start_trace(self):
            self.steps = []

        def stop_trace(self):
            self.finished, self.steps = self.steps, None

    ready, theirs = [], []
    with Noted(
        schedule=torch.profiler.schedule(**arguments),
        on_trace_ready=lambda p: theirs.append((p.step_num, p.finished)),
    ) as p:
        for i in range(8):
            if p.steps is not None:
                p.steps.append(i)
            p.step()

    def handle(p):
        steps = [int(e.key.removeprefix("ProfilerStep#")) for e in p.key_averages() if e.is_user_annotation]
        assert counts(p)["exp"] == len([s for s in steps if s < 8])
        ready.append((p.step_num, steps))

    with profile(schedule=schedule(**arguments), on_trace_ready=handle) as ours:
        for _ in range(8):
            A.exp()
            ours.step()
            A.detach()
    # The step that the end of the block cuts off has no ops here.
    assert [(n, [s for s in steps if s < 8]) for n, steps in ready] == theirs
    assert ours.step_num == p.step_num


def test_a_schedule_that_cannot_be_is_refused():
    for arguments in ({"wait": -1, "warmup": 1, "active": 1}, {"wait": 0, "warmup": 1, "active": 0}):
        with pytest.raises(ValueError, match="Invalid profiler schedule arguments"):
            schedule(**arguments)
    with pytest.warns(UserWarning, match="warmup"):
        chosen = schedule(wait=0, warmup=0, active=1)
    with pytest.raises(ValueError, match="non-negative"):
        chosen(-1)


def test_a_recording_that_is_cut_short_says_so():
    steps = [ProfilerAction.RECORD, ProfilerAction.NONE, ProfilerAction.NONE]
    ready = []
    with profile(schedule=steps.__getitem__, on_trace_ready=ready.append) as p:
        A * B
        with pytest.warns(UserWarning, match="RECORD followed by NONE"):
            p.step()
        A.exp()
        p.step()
    assert counts(p) == {"mul": 1, "ProfilerStep#0": 1}
    assert not ready


def test_the_handler_is_called_once_at_the_end_of_a_profile_without_a_schedule():
    ready = []
    with profile(on_trace_ready=lambda p: ready.append(counts(p))) as p:
        A * B
        p.step()
        A * B
    assert ready == [{"mul": 2}]


def test_loading_and_optimisers_are_ranges():
    data = mg.utils.data.TensorDataset(mg.arange(6.0))
    w = mg.ones(1, requires_grad=True)
    step = mg.optim.Adam([w])
    with profile() as p:
        batches = []
        for (x,) in mg.utils.data.DataLoader(data, batch_size=4):
            batches.append(x.tolist())
            (w * x).sum().backward()
            step.step()
    assert batches == [[0, 1, 2, 3], [4, 5]]
    assert counts(p)["Optimizer.step#Adam.step"] == 2
    assert counts(p)["DataLoader.__next__"] == 3  # the last finds the end


# --- trace files ---


def exported(p, path):
    p.export_chrome_trace(path)
    with (gzip.open if str(path).endswith(".gz") else open)(path) as file:
        return json.load(file)


@pytest.mark.parametrize("name", ["trace.json", "below/trace.json.gz"])
def test_a_trace_file_says_what_ran_when(name, tmp_path):
    with profile(record_shapes=True) as p, record_function("all", "with a note"):
        train(2)
    p.add_metadata("run", "seven")
    content = exported(p, tmp_path / name)
    assert content["run"] == "seven"
    rows, names = content["traceEvents"], [r for r in content["traceEvents"] if r["ph"] == "M"]
    assert [r["args"].get("name") for r in names] == ["minigrad", "MainThread", None, "MainThread backward", None]
    assert [r["args"].get("sort_index") for r in names] == [None, None, 0, None, 1]
    main, backward = names[1]["tid"], names[3]["tid"]
    timed = [r for r in rows if r["ph"] == "X"]
    assert len(timed) + len(names) + len([r for r in rows if r["ph"] in "sf"]) == len(rows)
    for r in timed:
        assert set(r) == {"ph", "cat", "name", "ts", "dur", "pid", "tid", "args"}
        assert r["cat"] in ("forward", "backward", "module", "user")
        assert r["tid"] == (backward if r["cat"] == "backward" or r["name"].endswith(" backward") else main)
        assert r["ts"] >= 0
        assert r["dur"] >= 0
        assert isinstance(r["pid"], int)
        assert isinstance(r["tid"], int)
    ops = [r for r in timed if r["cat"] != "module"]
    for r, e in zip(ops, p.events(), strict=True):
        assert (r["name"], r["cat"], r["ts"]) == (e.name, e.kind, e.time_range.start)
        assert r["dur"] == e.cpu_time_total
    assert ops[0]["args"] == {"bytes": p.total_average().cpu_memory_usage, "note": "with a note"}
    assert_nested(timed)


def test_arrows_go_from_an_op_to_its_first_rule(tmp_path):
    with profile() as p:
        loss = (A * B).sum()
        loss.backward()
    rows = exported(p, tmp_path / "t.json")["traceEvents"]
    timed, arrows = [r for r in rows if r["ph"] == "X"], {}
    for r in rows:
        if r["ph"] in "sf":
            (at,) = (x["name"] for x in timed if (x["ts"], x["tid"]) == (r["ts"], r["tid"]) and x["cat"] != "module")
            assert r.get("bp") == ("e" if r["ph"] == "f" else None)
            arrows.setdefault(r["id"], []).append((r["ph"], at))
    assert sorted(arrows.values()) == [
        [("s", "mul"), ("f", "mul.backward: a")], [("s", "sum"), ("f", "sum.backward: x")],
    ]  # fmt: skip


def test_ranges_that_do_not_nest_are_drawn_apart(tmp_path):
    first, second = record_function("first"), record_function("second")
    with profile() as p:
        first.__enter__()
        second.__enter__()
        A.exp()
        first.__exit__(None, None, None)
        A.sin()
        second.__exit__(None, None, None)
    rows = exported(p, tmp_path / "t.json")["traceEvents"]
    assert_nested([r for r in rows if r["ph"] == "X"])
    begin, end = (r for r in rows if r["ph"] in "be")
    assert (begin["ph"], end["ph"], begin["name"], begin["id"]) == ("b", "e", "second", end["id"])
    assert begin["ts"] < end["ts"]


def assert_nested(timed):
    """Check what a viewer needs to draw bars below one another: of two on a track, one lies in the other or after."""
    for track in {r["tid"] for r in timed}:
        assert_nested_on_one([r for r in timed if r["tid"] == track])


def assert_nested_on_one(timed):
    is_open = []
    for r in timed:
        begin, end = r["ts"], r["ts"] + r["dur"]
        while is_open and is_open[-1][1] <= begin:
            is_open.pop()
        if is_open:
            assert end <= is_open[-1][1], (r["name"], is_open[-1])
        is_open.append((r["name"], end))


def test_modules_are_bars_around_their_ops(tmp_path):
    p = measured(lambda: train(2))
    timed = [r for r in exported(p, tmp_path / "t.json")["traceEvents"] if r["ph"] == "X"]
    bars = [r["name"] for r in timed if r["cat"] == "module"]
    forward = ["Net", "layer.0 (Block)", "layer.0.linear (Linear)", "layer.1 (Block)", "layer.1.linear (Linear)",
               "head (Linear)"]  # fmt: skip
    assert bars[: len(forward)] == forward
    assert bars[len(forward) : len(forward) + 2] == ["Net backward", "head (Linear) backward"]
    assert bars.count("Net") == bars.count("Net backward") == 2
    inside = next(r for r in timed if r["name"] == "layer.1.linear (Linear)")
    op = next(r for r in timed if r["name"] == "linear" and r["args"]["module"] == "layer.1.linear")
    assert inside["ts"] <= op["ts"] < op["ts"] + op["dur"] <= inside["ts"] + inside["dur"]


def test_of_two_modules_at_one_time_the_outer_one_comes_first(tmp_path):
    p = measured(lambda: nn.Sequential(nn.Tanh())(A))
    assert [r["name"] for r in exported(p, tmp_path / "t.json")["traceEvents"] if r["ph"] == "X"] == [
        "Sequential", "0 (Tanh)", "tanh",
    ]  # fmt: skip


def test_a_range_inside_a_module_and_one_around_it_nest(tmp_path):
    class Inner(nn.Module):
        def forward(self, x):
            with record_function("inside"):
                x = x.exp()
            return x.sin()

    net = nn.Sequential(Inner(), nn.Tanh())
    with profile() as p:
        for _ in range(2):
            with record_function("around"):
                net(A)
    timed = [r for r in exported(p, tmp_path / "t.json")["traceEvents"] if r["ph"] == "X"]
    assert_nested(timed)
    assert [r["name"] for r in timed][:7] == [
        "around", "Sequential", "0 (Inner)", "inside", "exp", "sin", "1 (Tanh)",
    ]  # fmt: skip


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "trace.json"
    p = measured(lambda: A * B)
    p.export_chrome_trace(str(target))
    before = target.read_bytes()
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        p.export_chrome_trace(target)
    assert target.read_bytes() == before
    assert [f.name for f in tmp_path.iterdir()] == ["trace.json"]


@pytest.mark.parametrize("use_gzip", [False, True])
def test_the_tensorboard_handler_writes_a_file_for_each_trace(use_gzip, tmp_path):
    handler = mg.profiler.tensorboard_trace_handler(str(tmp_path / "logs"), "worker", use_gzip=use_gzip)
    chosen = schedule(wait=0, warmup=1, active=1, repeat=2)
    with profile(schedule=chosen, on_trace_ready=handler) as p:
        for _ in range(5):
            A * B
            p.step()
    files = list((tmp_path / "logs").iterdir())
    ending = r"\.gz" if use_gzip else ""
    assert len(files) == 2
    assert all(re.fullmatch(rf"worker\.\d+\.pt\.trace\.json{ending}", f.name) for f in files)


def test_stacks_are_written_for_flame_graphs(tmp_path):
    def slow():
        for _ in range(50):
            mg.ones(300, 300).exp()

    p = measured(slow, with_stack=True)
    p.export_stacks(str(tmp_path / "stacks.txt"), "self_cpu_time_total")
    (line,) = (tmp_path / "stacks.txt").read_text().splitlines()
    places, _, time_ = line.rpartition(" ")
    calls = places.split(";")
    assert calls[-1] == "exp"
    assert calls[-2].endswith(":_slow")
    assert calls[-3].endswith(":_measured")
    assert int(time_) == int(rows(p)["exp"].self_cpu_time_total)
    with pytest.raises(ValueError, match="with_stack=True"):
        measured(slow).export_stacks(tmp_path / "none.txt")
    with pytest.raises(ValueError, match="metric must be one of"):
        p.export_stacks(tmp_path / "none.txt", "speed")


def test_metadata_in_json_and_what_is_not_measured(tmp_path):
    p = measured(lambda: A * B)
    p.add_metadata_json("run", '{"seed": 7}')
    assert exported(p, tmp_path / "t.json")["run"] == {"seed": 7}
    with pytest.raises(ValueError, match="Expecting"):
        p.add_metadata_json("run", "{")
    with pytest.raises(NotImplementedError, match="freed"):
        p.export_memory_timeline("m.html")
    with pytest.warns(UserWarning, match="with_flops"):
        profile(with_flops=True)


# --- the older form, and the CUDA that is not there ---


def test_the_older_form():
    old = mg.autograd.profiler
    with old.profile(use_cuda=False, record_shapes=True) as prof, old.record_function("part"):
        (A * B).sum().backward()
    assert [e.name for e in prof.function_events] == [
        "part", "mul", "sum", "sum.backward: x", "mul.backward: a", "mul.backward: b",
    ]  # fmt: skip
    assert prof.self_cpu_time_total == pytest.approx(prof.total_average().cpu_time_total)
    assert "mul.backward: b" in str(prof)
    assert "[[4, 5], [5]]" in prof.key_averages(group_by_input_shape=True).table(sort_by="cpu_time_total")
    assert column(prof.table(sort_by="cpu_time_total", row_limit=1), "Name") == ["part"]
    with pytest.raises(ValueError, match="has run already"), prof:
        pass
    with mg.autograd.profiler.profile(enabled=False) as off:
        A * B
    assert not off.events()
    assert graph.observer is None


def test_cuda_is_said_to_be_absent():
    with pytest.warns(UserWarning, match="CUDA is not available"):
        profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA])
    with pytest.warns(UserWarning, match="CUDA is not available"):
        mg.autograd.profiler.profile(use_cuda=True)

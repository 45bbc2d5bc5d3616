"""What is kept alive, what is freed, and how deep a graph may be."""

import gc
import subprocess
import sys
import tracemalloc
import weakref
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def step(w, b, x, t):
    loss = (((x @ w).relu() + b - t) ** 2).mean()
    loss.backward()
    for p in (w, b):
        p.data -= 0.01 * p.grad
        p.grad = None
    return loss


def test_ten_thousand_steps_do_not_grow_memory_without_the_collector():
    """In a process of its own: a table that other tests have filled may be made anew at any step, larger than this."""
    program = "import sys; sys.path.insert(0, sys.argv[1]); import test_memory; print(*test_memory.growth())"
    command = [sys.executable, "-c", program, str(Path(__file__).parent)]
    grown, found = map(int, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert grown < 100_000
    assert found == 0


def growth():
    """Return by how many bytes 10,000 steps grow memory, and how many objects the collector finds then."""
    gc.collect()
    gc.disable()
    rng = np.random.default_rng(0)
    w = mg.tensor(rng.standard_normal((4, 3)).astype(np.float32), requires_grad=True)
    b = mg.zeros(3, requires_grad=True)
    x, t = mg.tensor(rng.standard_normal((8, 4)).astype(np.float32)), mg.zeros(8, 3)
    tracemalloc.start()
    for _ in range(2500):  # until the interpreter's own lists of spare tuples, which hold 2,000 of a size, are full
        step(w, b, x, t)
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(10_000):
        step(w, b, x, t)
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    return grown, gc.collect()


def test_a_kept_loss_keeps_no_activation_and_no_batch(no_collector):
    class Watched(np.ndarray):
        pass

    w = mg.ones(3, requires_grad=True)
    batch = mg.from_numpy(np.ones((20, 3), np.float32).view(Watched))
    hidden = (batch * w).exp()
    refs = [weakref.ref(batch), weakref.ref(batch._data), weakref.ref(hidden)]
    memory = weakref.ref(hidden._storage)
    loss = (hidden * batch).sum()
    loss.backward()
    del batch, hidden
    assert [r() for r in refs] == [None, None, None]
    assert memory() is None
    assert loss.grad_fn.op.name == "sum"


def test_a_tensor_and_its_graph_die_with_the_last_reference(no_collector):
    x = mg.ones(3, requires_grad=True)
    y = (x * 2).exp()
    y[0] = x[1]
    node = weakref.ref(y.grad_fn)
    z = y[1:]
    y.retain_grad()
    y.register_hook(lambda g: None)
    del y, z
    assert node() is None


CHAIN = """
import sys, time
import minigrad as mg
assert sys.getrecursionlimit() == 1000
x = mg.ones(1, requires_grad=True)
y = x
for _ in range(1_000_000):
    y = y + 1.0
y.backward()
assert x.grad.item() == 1.0
del y
"""


def test_a_chain_of_a_million_ops_is_built_differentiated_and_freed():
    subprocess.run([sys.executable, "-c", CHAIN], check=True, timeout=120)


def test_importing_loads_numpy_and_no_other_third_party_module():
    code = (
        "import sys, numpy; before = set(sys.modules); import minigrad;"
        "new = {m.split('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names);"
        "print(sorted(new))"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "['minigrad']"


def test_create_graph_with_backward_warns_of_the_cycle():
    x = mg.ones(1, requires_grad=True)
    with pytest.warns(UserWarning, match=r"create_graph=True.*reference cycle.*grad\(\)"):
        (x * x).sum().backward(create_graph=True)
    x.grad = None

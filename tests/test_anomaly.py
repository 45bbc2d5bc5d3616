"""Anomaly detection: the same errors and warnings as in PyTorch, with the lines of this file; and other observers."""

import gc
import inspect
import re
import traceback
import warnings
import weakref

import pytest

import minigrad as mg
from minigrad import graph as core
from minigrad import viz
from minigrad.errors import GraphError

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = pytest.mark.oracle


@pytest.fixture(autouse=True)
def off_again():
    yield
    mg.autograd.set_detect_anomaly(False)
    torch.autograd.set_detect_anomaly(False)
    assert core.observer is None


def seen(program, t):
    """Return the error that `program` raises with the library `t`, what it warns of, and the lines these name here."""
    raised = None
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            program(t)
        except RuntimeError as error:
            raised = re.sub(r"[^.]*one of the variables.*|.*second time.*", "refused", str(error))
    texts = [re.sub(r" \(Triggered internally.*", "", str(w.message)) for w in caught]
    heads = [text.split("\n  File")[0].strip() for text in texts]
    lines = [re.findall(rf'File "{re.escape(__file__)}", line (\d+)', text) for text in texts]
    return raised, heads, [found[-1:] for found in lines]


def born_backward(t):
    with t.autograd.detect_anomaly():
        x = t.tensor([0.0], requires_grad=True)
        (x * 0).sqrt().sum().backward()


def born_forward(t):
    with t.autograd.detect_anomaly():
        x = t.tensor([1.0], requires_grad=True)
        y = -x
        z = y.log()
        z.sqrt().sum().backward()


def beside_a_number(t):
    with t.autograd.detect_anomaly():
        x = t.tensor([0.0], requires_grad=True)
        (3 * x**0.5).mul(0).backward()


def second_operand(t):
    with t.autograd.detect_anomaly():
        x, y = t.tensor([0.0], requires_grad=True), t.tensor([0.0], requires_grad=True)
        (x / y).backward()


def only_the_backward(t):
    x = t.tensor([0.0], requires_grad=True)
    y = (x * 0).sqrt().sum()
    with t.autograd.detect_anomaly():
        y.backward()


def of_a_derivative(t):
    with t.autograd.detect_anomaly():
        x = t.tensor([0.0], requires_grad=True)
        y = (x**1.5).sum()
        (g,) = t.autograd.grad(y, x, create_graph=True)
        (h,) = t.autograd.grad(g.sum(), x, create_graph=True)
        t.autograd.grad((h * 0).sum(), x)


def changed_in_place(t):
    with t.autograd.detect_anomaly():
        x = t.tensor([1.0], requires_grad=True)
        y = x.exp()
        y.add_(1)
        y.sum().backward()


def twice(t):
    with t.autograd.detect_anomaly():
        x = t.tensor([1.0], requires_grad=True)
        y = x.exp().sum()
        y.backward()
        y.backward()


def not_for_nan(t):
    with t.autograd.detect_anomaly(check_nan=False):
        x = t.tensor([0.0], requires_grad=True)
        (x * 0).sqrt().sum().backward()


def healthy(t):
    with t.autograd.detect_anomaly():
        x = t.tensor([1.0, 2.0], requires_grad=True)
        (x * x / 2).sum().backward()


def infinite_is_not_nan(t):
    with t.autograd.detect_anomaly():
        x = t.tensor([0.0], requires_grad=True)
        x.sqrt().sum().backward()


def everywhere(t):
    t.autograd.set_detect_anomaly(True)
    x = t.tensor([0.0], requires_grad=True)
    (x * 0).sqrt().sum().backward()


def function_of(t):
    class Broken(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * float("nan")

    with t.autograd.detect_anomaly():
        x = t.tensor([1.0], requires_grad=True)
        Broken.apply(x).sum().backward()


PROGRAMS = [
    born_backward, born_forward, beside_a_number, second_operand, only_the_backward, of_a_derivative, changed_in_place,
    twice, not_for_nan, healthy, infinite_is_not_nan, everywhere, function_of,
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__)
def test_errors_warnings_and_lines_are_pytorchs(program):
    ours, theirs = seen(program, mg), seen(program, torch)
    assert ours == theirs
    start = inspect.getsourcelines(program)[1]
    for (line,) in filter(None, ours[2]):
        assert start <= int(line) <= start + len(inspect.getsourcelines(program)[0])


def leaf(t, *values):
    return t.tensor(values, requires_grad=True)


NAN, INF = float("nan"), float("inf")
EXPRESSIONS = {
    "norm": lambda t, F: (leaf(t, 0.0, 0.0).norm() * 0).sqrt(),
    "loss": lambda t, F: F.mse_loss((leaf(t, 0.0) * 0).sqrt(), t.tensor([1.0])),
    "by a number": lambda t, F: (leaf(t, 0.0) / 0).sum(),
    "both operands": lambda t, F: (leaf(t, 0.0) / leaf(t, 0.0)).sum(),
    "power": lambda t, F: leaf(t, -1.0).pow(0.5).sum(),
    "nan given": lambda t, F: (leaf(t, 0.0).pow(leaf(t, 0.0)) * leaf(t, NAN)).sum(),
    "softmax": lambda t, F: F.softmax(leaf(t, -INF, -INF), 0).sum(),
    "layer_norm": lambda t, F: F.layer_norm(leaf(t, INF, 0.0, 1.0), (3,)).sum(),
    "batch_norm": lambda t, F: F.batch_norm(leaf(t, NAN, 1.0).reshape(2, 1), None, None, training=True).sum(),
    "linear": lambda t, F: F.linear(leaf(t, 1.0, 2.0).reshape(1, 2), leaf(t, NAN, 1.0).reshape(1, 2)).sum(),
    "conv2d": lambda t, F: F.conv2d(leaf(t, NAN).reshape(1, 1, 1, 1), leaf(t, 1.0).reshape(1, 1, 1, 1)).sum(),
    "std": lambda t, F: leaf(t, 0.0, 0.0).std(),
    "var": lambda t, F: leaf(t, 1.0, 1.0).var().sqrt(),
    "where": lambda t, F: t.where(t.tensor([True]), leaf(t, 1.0), (leaf(t, 0.0) * 0).sqrt() * INF).sum(),
    "acos": lambda t, F: (leaf(t, 1.0).acos() * 0).sum(),
    "sqrt of abs": lambda t, F: (leaf(t, 0.0).abs().sqrt() * 0).sum(),
    "relu": lambda t, F: F.relu(leaf(t, NAN)).sum(),
    "sigmoid": lambda t, F: F.sigmoid(leaf(t, NAN)).sum(),
    "gelu": lambda t, F: F.gelu(leaf(t, NAN)).sum(),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_the_node_to_blame_is_pytorchs(name):
    def program(t):
        with t.autograd.detect_anomaly():
            EXPRESSIONS[name](t, t.nn.functional).backward()

    ours, theirs = seen(program, mg), seen(program, torch)
    assert ours[:2] == theirs[:2]


def test_the_error_is_both_ours_and_a_runtime_error():
    with pytest.warns(UserWarning, match="Error detected in SqrtBackward0"), pytest.raises(GraphError) as raised:
        only_ours()
    assert isinstance(raised.value, RuntimeError)
    assert any(frame.name == "only_ours" for frame in traceback.extract_tb(raised.value.__traceback__))


def only_ours():
    mg.autograd.set_detect_anomaly(True)
    x = mg.tensor([1.0], requires_grad=True)
    (x - 3).sqrt().backward()


def test_the_mode_keeps_no_graph_alive():
    mg.autograd.set_detect_anomaly(True)
    x = mg.ones(3, requires_grad=True)
    (g,) = mg.autograd.grad((x**3).sum(), x, create_graph=True)
    node = weakref.ref(g.grad_fn)
    del g
    gc.collect()
    assert node() is None


@pytest.mark.parametrize("first", ["recording", "anomaly"])
@pytest.mark.parametrize("nested", [True, False])
def test_other_observers_go_on_whichever_ends_first(first, nested):
    """Both watch from the beginning; then one of them ends, and the other must still be there, and go."""
    step = viz.record()
    starts = {"recording": step.__enter__, "anomaly": lambda: mg.autograd.set_detect_anomaly(True)}
    ends = {"recording": lambda: step.__exit__(None, None, None), "anomaly": lambda: off_now()}
    second = "anomaly" if first == "recording" else "recording"
    starts[first]()
    starts[second]()
    x = mg.ones(2, requires_grad=True)
    x.exp()
    out, remaining = (second, first) if nested else (first, second)
    ends[out]()
    x.sin()
    if remaining == "anomaly":
        with pytest.warns(UserWarning, match="Error detected"), pytest.raises(GraphError, match="nan"):
            (x - 3).sqrt().sum().backward()
    ends[remaining]()
    expected = ["exp"] if remaining == "anomaly" else ["exp", "sin"]
    assert [n.op for n in step.graph().nodes if n.op] == expected
    assert core.observer is None


def off_now():
    mg.autograd.set_detect_anomaly(False)

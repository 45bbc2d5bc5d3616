"""The losses: against PyTorch for every option, against closed forms, at the extremes, and what they refuse."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.autograd import gradcheck, gradgradcheck
from minigrad.errors import ArgumentError, DTypeError, OutOfRangeError, ShapeError
from minigrad.nn import functional as F

RNG = np.random.default_rng(0)
REDUCTIONS = ("mean", "sum", "none")


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="the oracle is not installed")


def compare(torch: Any, ours: Any, theirs: Any, x: Any, *rest: Any, **options: Any) -> None:
    """Compare value and gradient; arrays among the arguments become tensors of either library."""
    results = []
    for make, function in ((mg.tensor, ours), (torch.tensor, theirs)):
        first = make(x, requires_grad=True)
        others = [make(a) if isinstance(a, np.ndarray) else a for a in rest]
        named = {k: make(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
        y = function(first, *others, **named)
        gradient = RNG.standard_normal(tuple(y.shape)).astype(x.dtype) if not results else results[0][2]
        y.backward(make(gradient))
        results.append((y.detach().numpy(), first.grad.numpy(), gradient))
    (a, ga, _), (b, gb, _) = results
    assert a.dtype == b.dtype
    assert a.shape == b.shape
    torch.testing.assert_close(torch.tensor(a), torch.tensor(b), equal_nan=True)
    torch.testing.assert_close(torch.tensor(ga), torch.tensor(gb), equal_nan=True)


def floats(*shape: int, low: float | None = None) -> Any:
    values = RNG.standard_normal(shape) if low is None else RNG.uniform(low, 1 - low, shape)
    return values.astype(np.float32)


CLASS_SHAPES = [((5,), ()), ((7, 5), (7,)), ((2, 5, 3), (2, 3)), ((2, 5, 3, 4), (2, 3, 4))]
WEIGHT = np.array([0.2, 1.5, 0.0, 3.0, 1.0], np.float32)


@pytest.mark.oracle
@pytest.mark.parametrize("shape", CLASS_SHAPES, ids=str)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignore", [-100, 1, -1])
def test_class_losses_agree_with_pytorch(torch: Any, shape: Any, reduction: str, weighted: bool, ignore: int) -> None:
    labels = np.asarray(RNG.choice([0, 1, 3, 4], shape[1]))
    if ignore < 0 and labels.ndim:
        labels.reshape(-1)[1] = ignore
    options = {"weight": WEIGHT if weighted else None, "ignore_index": ignore, "reduction": reduction}
    theirs = torch.nn.functional
    compare(torch, F.cross_entropy, theirs.cross_entropy, floats(*shape[0]), labels, **options)
    compare(torch, F.nll_loss, theirs.nll_loss, floats(*shape[0]), labels, **options)
    smooth = options | {"label_smoothing": 0.3}
    compare(torch, F.cross_entropy, theirs.cross_entropy, floats(*shape[0]), labels, **smooth)


@pytest.mark.oracle
@pytest.mark.parametrize("shape", [s for s, _ in CLASS_SHAPES], ids=str)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("options", [{}, {"weight": WEIGHT}, {"weight": WEIGHT, "label_smoothing": 0.1}])
def test_cross_entropy_of_probabilities(torch: Any, shape: Any, reduction: str, options: Any) -> None:
    target = np.exp(floats(*shape))
    theirs = torch.nn.functional.cross_entropy
    compare(torch, F.cross_entropy, theirs, floats(*shape), target, reduction=reduction, **options)


REGRESSION = [
    ("mse_loss", {}),
    ("l1_loss", {}),
    ("smooth_l1_loss", {}),
    ("smooth_l1_loss", {"beta": 0.3}),
    ("smooth_l1_loss", {"beta": 0.0}),
    ("huber_loss", {}),
    ("huber_loss", {"delta": 0.5}),
    ("binary_cross_entropy_with_logits", {}),
    ("binary_cross_entropy_with_logits", {"weight": floats(4, low=0.1)}),
    ("binary_cross_entropy_with_logits", {"pos_weight": floats(4, low=0.1), "weight": floats(3, 1, low=0.1)}),
    ("binary_cross_entropy", {}),
    ("binary_cross_entropy", {"weight": floats(4, low=0.1)}),
]


@pytest.mark.oracle
@pytest.mark.parametrize(("name", "options"), REGRESSION, ids=str)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_elementwise_losses_agree_with_pytorch(torch: Any, name: str, options: Any, reduction: str) -> None:
    binary = name.startswith("binary")
    x = floats(3, 4, low=0.01) if name == "binary_cross_entropy" else floats(3, 4)
    target = floats(3, 4, low=0.0) if binary else floats(3, 4)
    theirs = getattr(torch.nn.functional, name)
    compare(torch, getattr(F, name), theirs, x, target, reduction=reduction, **options)


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy"])
def test_where_both_sides_meet(torch: Any, name: str) -> None:
    x = np.array([0.0, 1.0, 0.0, 1.0, 0.5, 0.25], np.float32)
    target = np.array([0.0, 1.0, 1.0, 0.0, 0.5, 0.5], np.float32)
    compare(torch, getattr(F, name), getattr(torch.nn.functional, name), x, target, reduction="none")


@pytest.mark.oracle
def test_modules_pass_their_settings_on(torch: Any) -> None:
    labels, weight, x, t = np.array([0, 4, -1]), WEIGHT, floats(3, 5), floats(3, 5, low=0.1)
    for name, target, options in [
        ("CrossEntropyLoss", labels, {"weight": weight, "ignore_index": -1, "label_smoothing": 0.2}),
        ("NLLLoss", labels, {"weight": weight, "ignore_index": -1, "reduction": "sum"}),
        ("MSELoss", t, {"reduction": "sum"}),
        ("L1Loss", t, {"reduction": "none"}),
        ("SmoothL1Loss", t, {"beta": 0.7}),
        ("HuberLoss", t, {"delta": 0.7, "reduction": "sum"}),
        ("BCEWithLogitsLoss", t, {"weight": t, "pos_weight": weight}),
    ]:
        made = [
            getattr(lib.nn, name)(**{k: lib.tensor(v) if isinstance(v, np.ndarray) else v for k, v in options.items()})
            for lib in (mg, torch)
        ]
        compare(torch, *made, x, target)
        assert repr(made[0]) == repr(made[1])
        assert list(made[0].state_dict()) == list(made[1].state_dict())
    compare(torch, nn.BCELoss(weight=mg.tensor(t)), torch.nn.BCELoss(weight=torch.tensor(t)), t, t)


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore:size_average and reduce")
@pytest.mark.parametrize("old", list(itertools.product([None, False, True], repeat=2)), ids=str)
def test_the_old_arguments(torch: Any, old: Any) -> None:
    compare(torch, F.mse_loss, torch.nn.functional.mse_loss, floats(3), floats(3), *old)
    average, reduce = old
    ours, theirs = (lib.nn.NLLLoss(None, average, -100, reduce) for lib in (mg, torch))
    compare(torch, ours, theirs, floats(3, 5), np.array([0, 1, 4]))


@pytest.mark.oracle
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
def test_nothing_but_ignored_labels(torch: Any, weight: Any) -> None:
    labels = np.array([-100, -100])
    compare(torch, F.cross_entropy, torch.nn.functional.cross_entropy, floats(2, 5), labels, weight=weight)
    assert math.isnan(F.cross_entropy(mg.zeros(2, 5), mg.tensor(labels)).item())


def test_closed_forms() -> None:
    uniform = F.cross_entropy(mg.zeros(4, 10), mg.tensor([0, 3, 9, 9]))
    assert uniform.item() == pytest.approx(math.log(10), rel=1e-6)
    assert F.mse_loss(mg.tensor([1.0, 5.0]), mg.tensor([0.0, 2.0])).item() == 5.0
    assert F.l1_loss(mg.tensor([1.0, 5.0]), mg.tensor([0.0, 2.0])).item() == 2.0
    assert F.huber_loss(mg.tensor([0.5, 5.0]), mg.zeros(2), "none", delta=2.0).tolist() == [0.125, 8.0]
    assert F.smooth_l1_loss(mg.tensor([0.5, 5.0]), mg.zeros(2), reduction="none", beta=2.0).tolist() == [0.0625, 4.0]
    half = F.binary_cross_entropy(mg.tensor([0.5]), mg.tensor([1.0]))
    assert half.item() == pytest.approx(math.log(2), rel=1e-6)


def test_scores_of_any_size() -> None:
    x = mg.tensor([[1000.0, -1000.0, 0.0]], requires_grad=True)
    loss = F.cross_entropy(x, mg.tensor([1]))
    loss.backward()
    assert loss.item() == 2000.0
    assert x.grad.tolist() == [[1.0, -1.0, 0.0]]
    for score, target, value, slope in [(-1000.0, 1.0, 1000.0, -1.0), (1000.0, 1.0, 0.0, 0.0), (1000.0, 0.0, 1e3, 1.0)]:
        x = mg.tensor([score], requires_grad=True)
        loss = F.binary_cross_entropy_with_logits(x, mg.tensor([target]))
        loss.backward()
        assert (loss.item(), x.grad.item()) == (value, slope)


def test_saturated_probabilities_cost_100() -> None:
    x = mg.tensor([0.0, 1.0], requires_grad=True)
    loss = F.binary_cross_entropy(x, mg.tensor([1.0, 0.0]), reduction="none")
    assert loss.tolist() == [100.0, 100.0]
    loss.sum().backward()
    assert x.grad.tolist() == pytest.approx([-1e12, 1e12])


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: F.cross_entropy(x, mg.tensor([0, 4, 2]), mg.tensor(WEIGHT.astype(np.float64)), ignore_index=2),
        lambda x: F.cross_entropy(x, mg.tensor([0, 4, 2]), label_smoothing=0.1),
        lambda x: F.smooth_l1_loss(x, mg.zeros(3, 5, dtype=mg.tensor(0.0).double().dtype), beta=0.5),
        lambda x: F.binary_cross_entropy_with_logits(x, (x * 0 + 0.3).detach(), pos_weight=mg.tensor(2.0)),
        lambda x: F.binary_cross_entropy(x.sigmoid(), (x * 0 + 0.3).detach()),
        lambda x: F.logsigmoid(x).sum(),
    ],
)
def test_first_and_second_derivatives(loss: Any) -> None:
    x = mg.tensor(RNG.standard_normal((3, 5)), requires_grad=True)
    assert gradcheck(loss, (x,))
    assert gradgradcheck(loss, (x,))


def test_gradient_of_the_target() -> None:
    x, t = (mg.tensor(RNG.uniform(0.1, 0.9, 4), requires_grad=True) for _ in range(2))
    for name in ("mse_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"):
        assert gradcheck(getattr(F, name), (x, t)), name


def test_class_weights_have_a_gradient_where_pytorch_gives_one() -> None:
    x, w = (mg.tensor(a, requires_grad=True) for a in (RNG.standard_normal((2, 3)), np.array([1.0, 2.0, 3.0])))
    shares = mg.tensor(np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]]))
    assert gradcheck(lambda x, w: F.cross_entropy(x, shares, weight=w), (x, w))
    labels = mg.tensor([0, 2])
    for call in (F.cross_entropy, F.nll_loss, F.multi_margin_loss):
        with pytest.raises(RuntimeError, match=r"not differentiable with respect to argument 'weight'"):
            call(x, labels, weight=w)


def test_labels_changed_before_backward_are_noticed() -> None:
    x, labels = mg.zeros(2, 3, requires_grad=True), mg.tensor([0, 1])
    loss = F.cross_entropy(x, labels)
    labels.add_(1)
    with pytest.raises(RuntimeError, match=r"label_cross_entropy.*modified by an inplace operation"):
        loss.backward()


X = mg.zeros(5, 10)
REFUSED = [
    (lambda: F.mse_loss(mg.zeros(3, 1), mg.zeros(3)), ShapeError, r"mse_loss: .*\(3,\).*\(3, 1\).*view_as"),
    (lambda: F.l1_loss(mg.zeros(3), mg.zeros(4)), ShapeError, r"l1_loss: .*\(4,\).*\(3,\).*must be equal"),
    (lambda: F.binary_cross_entropy(mg.zeros(3, 1), mg.zeros(3)), ShapeError, r"\(3,\) that is different"),
    (lambda: nn.BCEWithLogitsLoss()(mg.zeros(2, 1), mg.zeros(2)), ShapeError, r"in BCEWithLogitsLoss: .*view_as"),
    (lambda: F.smooth_l1_loss(mg.zeros(2, 1), mg.zeros(2)), ShapeError, r"smooth_l1_loss"),
    (lambda: F.huber_loss(mg.zeros(2, 1), mg.zeros(2)), ShapeError, r"huber_loss"),
    (
        lambda: F.cross_entropy(X, mg.tensor([0, 1, 2, 10, 3])),
        OutOfRangeError,
        r"cross_entropy: Target 10 is out of bounds: labels\[3\] must be one of the classes 0\.\.9",
    ),
    (lambda: F.cross_entropy(X, mg.tensor([0, 1, 2, 3, -2])), IndexError, r"Target -2 .* labels\[4\]"),
    (lambda: F.cross_entropy(mg.zeros(2, 4, 3), mg.full((2, 3), 4)), OutOfRangeError, r"labels\[0, 0\]"),
    (lambda: F.cross_entropy(X, mg.zeros(5)), DTypeError, r"expected a target of int64 class indices .* float32"),
    (lambda: F.nll_loss(X, mg.zeros(5)), DTypeError, r"nll_loss: expected a target of int64 class indices"),
    (lambda: F.cross_entropy(X, mg.tensor([0, 1])), ShapeError, r"\(5, 10\) needs a target of shape \(5,\).*\(2,\)"),
    (lambda: F.cross_entropy(X, mg.zeros(5, 10).long()), ShapeError, r"one-hot rows write target\.argmax\(1\)"),
    (lambda: F.cross_entropy(mg.zeros(()), mg.tensor(0)), ShapeError, r"dim of classes"),
    (lambda: F.cross_entropy(X, mg.tensor([0] * 5), mg.ones(3)), ShapeError, r"all 10 classes .* \(3,\)"),
    (lambda: F.cross_entropy(X, mg.tensor([0] * 5), label_smoothing=2.0), ArgumentError, r"label_smoothing"),
    (lambda: nn.CrossEntropyLoss(label_smoothing=-1.0), ArgumentError, r"label_smoothing"),
    (lambda: F.mse_loss(X, X, reduction="avg"), ArgumentError, r"avg is not a valid value for reduction"),
    (lambda: F.binary_cross_entropy(mg.tensor([0.5, 1.5]), mg.zeros(2)), RuntimeError, r"input\[1\] is 1\.5"),
    (lambda: F.binary_cross_entropy(mg.tensor([math.nan]), mg.zeros(1)), RuntimeError, r"between 0 and 1"),
    (lambda: F.smooth_l1_loss(X, X, beta=-1.0), ArgumentError, r"negative values for beta"),
    (lambda: F.huber_loss(X, X, delta=0.0), ArgumentError, r"non-positive values for delta"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_what_is_refused(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()

"""Every layer against PyTorch: first weights for a seed, repr, state dict, values and gradients, in one table."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = pytest.mark.oracle


class Case(NamedTuple):
    """A layer, its arguments, and the shapes of what it is called with; an array stands for itself."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    inputs: tuple[Any, ...]

    def __str__(self) -> str:
        shapes = [x if isinstance(x, tuple) else x.shape for x in self.inputs]
        return f"{self.name}{self.args} {self.kwargs or ''} {shapes}"


def case(name: str, args: Any, *inputs: Any, **kwargs: Any) -> Case:
    return Case(name, args if isinstance(args, tuple) else (args,), kwargs, inputs)


CONVOLUTIONS = [
    case("Conv1d", (4, 6, 3), (2, 4, 9)),
    case("Conv1d", (4, 6, 3), (4, 9), padding=1, stride=2, bias=False),
    case("Conv1d", (4, 6, 4), (2, 4, 9), padding=2, dilation=2, groups=2, padding_mode="circular"),
    case("Conv1d", (4, 6, 3), (2, 4, 9), padding="same", padding_mode="reflect"),
    case("Conv1d", (2, 3, 3), (1, 2, 5), padding="same", dilation=2),
    case("Conv2d", (4, 6, 3), (2, 4, 5, 6), padding=(1, 2), padding_mode="reflect"),
    case("Conv2d", (4, 6, (3, 2)), (4, 5, 6), padding=1, padding_mode="replicate"),
    case("Conv2d", (4, 6, 3), (2, 4, 5, 6), padding="same", padding_mode="circular"),
    case("Conv2d", (4, 6, 3), (2, 4, 5, 6), padding="valid"),
    case("Conv3d", (4, 6, 2), (2, 4, 3, 4, 5)),
    case("Conv3d", (4, 6, (2, 3, 1)), (4, 3, 4, 5), stride=(2, 1, 1), padding=(1, 1, 0), groups=2),
    case("Conv3d", (2, 3, 3), (1, 2, 4, 5, 3), padding=1, padding_mode="replicate", dilation=(1, 2, 1)),
    case("Conv3d", (2, 3, 3), (1, 2, 4, 5, 3), padding="same"),
    case("ConvTranspose1d", (4, 6, 3), (2, 4, 5), stride=2, padding=1, output_padding=1),
    case("ConvTranspose1d", (4, 6, 3), (4, 5), groups=2, dilation=3),
    case("ConvTranspose2d", (4, 6, 3), (2, 4, 5, 3)),
    case("ConvTranspose2d", (4, 6, 4, 2, 1), (2, 4, 5, 3), bias=False),
    case("ConvTranspose2d", (4, 6, (3, 2)), (4, 5, 3), stride=(2, 3), padding=(1, 0), output_padding=1, groups=2),
    case("ConvTranspose2d", (4, 6, 3), (2, 4, 5, 3), dilation=2, padding=3),
    case("ConvTranspose3d", (4, 6, 2), (2, 4, 3, 2, 2), stride=2, padding=1, output_padding=1),
    case("ConvTranspose3d", (4, 6, (1, 2, 3)), (4, 3, 2, 2), groups=2, dilation=(2, 1, 1)),
]

IMAGES, VOLUMES, SEQUENCES = (2, 4, 6, 5), (2, 3, 4, 5, 6), (2, 4, 7)
ACTIVATIONS = [
    *(
        case(name, (), (3, 40))
        for name in (
            "ReLU6",
            "Hardtanh",
            "Hardswish",
            "Hardsigmoid",
            "SELU",
            "CELU",
            "PReLU",
            "RReLU",
            "Mish",
            "Softsign",
            "Softshrink",
            "Hardshrink",
            "Tanhshrink",
            "GLU",
            "LogSigmoid",
            "ReLU",
            "SiLU",
            "ELU",
            "LeakyReLU",
            "GELU",
        )
    ),
    case("Hardtanh", (-0.5, 0.3), (30,)),
    case("CELU", 2.0, (30,)),
    case("PReLU", 4, IMAGES),
    case("PReLU", (4, 0.1), (3, 4)),
    case("PReLU", (), ()),
    case("RReLU", (0.1, 0.3), IMAGES),
    case("Softmin", 1, (3, 4)),
    case("Softmax2d", (), IMAGES),
    case("Softmax2d", (), (4, 3, 2)),
    case("Softshrink", 0.2, (30,)),
    case("Hardshrink", 0.2, (30,)),
    case("Threshold", (0.1, 20.0), (30,)),
    case("GLU", 1, IMAGES),
    case("AdaptiveLogSoftmaxWithLoss", (8, 20, [5, 10, 15], 2.0), (6, 8), np.array([0, 4, 5, 9, 19, 14])),
    case("AdaptiveLogSoftmaxWithLoss", (8, 9, [3], 2.0, True), (8,), np.array(3)),
]
POOLS = [
    case("MaxPool1d", 3, SEQUENCES),
    case("MaxPool1d", (3, 2, 1), (4, 7), ceil_mode=True, return_indices=True),
    case("MaxPool2d", (2, 2), IMAGES, return_indices=True),
    case("MaxPool2d", (3, 1, 1, 2), IMAGES, return_indices=True, ceil_mode=True),
    case("MaxPool2d", ((3, 2), (2, 1)), (4, 6, 5), return_indices=True),
    case("MaxPool3d", 2, VOLUMES, return_indices=True),
    case("MaxPool3d", (3, 2, 1), (3, 4, 5, 6), ceil_mode=True, return_indices=True),
    case("MaxPool3d", ((1, 2, 3),), VOLUMES, stride=(2, 1, 2), dilation=(1, 2, 1)),
    case("AvgPool1d", 3, SEQUENCES),
    case("AvgPool1d", (3, 2, 1), (4, 8), ceil_mode=True, count_include_pad=False),
    case("AvgPool3d", 2, VOLUMES),
    case("AvgPool3d", (3, 2, 1), (3, 4, 5, 6), ceil_mode=True, count_include_pad=False),
    case("AvgPool3d", ((1, 2, 3), 2), VOLUMES, divisor_override=5),
    case("LPPool1d", (2, 3), SEQUENCES),
    case("LPPool2d", (2, (2, 3), 2), IMAGES, ceil_mode=True),
    case("LPPool3d", (2, 2), VOLUMES),
    case("AdaptiveAvgPool1d", 3, SEQUENCES),
    case("AdaptiveAvgPool2d", 1, IMAGES),
    case("AdaptiveAvgPool2d", ((3, 5),), IMAGES),
    case("AdaptiveAvgPool2d", ((4, None),), (4, 6, 5)),
    case("AdaptiveAvgPool2d", 7, IMAGES),
    case("AdaptiveAvgPool3d", ((2, 3, 4),), VOLUMES),
    case("AdaptiveMaxPool1d", 3, SEQUENCES),
    case("AdaptiveMaxPool1d", (2, True), (4, 7)),
    case("AdaptiveMaxPool2d", ((4, 3), True), IMAGES),
    case("AdaptiveMaxPool2d", ((None, 3),), (4, 6, 5)),
    case("AdaptiveMaxPool3d", ((3, 2, 4), True), VOLUMES),
    case("MaxUnpool2d", 2, (1, 1, 2, 2), np.array([[[[1, 2], [9, 15]]]])),
    case("MaxUnpool2d", (3, 2), (1, 1, 2, 2), np.array([[[[1, 2], [9, 24]]]])),
    case("MaxUnpool1d", 2, (2, 3), np.array([[0, 3, 5], [1, 2, 4]])),
    case("MaxUnpool3d", 2, (1, 1, 1, 1, 2), np.array([[[[[1, 14]]]]])),
]
SIZES = [
    *(
        case("Upsample", (), SEQUENCES, scale_factor=s, mode=m)
        for s in (2, 1.5, 0.6)
        for m in ("nearest", "nearest-exact", "linear", "area")
    ),
    *(
        case("Upsample", (), IMAGES, scale_factor=s, mode=m)
        for s in (2, 1.7, (0.5, 3))
        for m in ("nearest", "bilinear", "bicubic")
    ),
    *(
        case("Upsample", (), IMAGES, size=s, mode=m)
        for s in (7, (6, 8), (3, 1))
        for m in ("nearest", "nearest-exact", "bilinear", "bicubic", "area")
    ),
    *(
        case("Upsample", (), IMAGES, size=s, mode=m, align_corners=True)
        for s in (7, (1, 8))
        for m in ("bilinear", "bicubic")
    ),
    case("Upsample", (), IMAGES, scale_factor=1.3, mode="bilinear", recompute_scale_factor=True),
    case("Upsample", (), VOLUMES, scale_factor=2),
    case("Upsample", (), VOLUMES, size=(5, 3, 8), mode="trilinear"),
    case("UpsamplingNearest2d", (), IMAGES, scale_factor=2),
    case("UpsamplingBilinear2d", (), IMAGES, scale_factor=3),
    case("UpsamplingBilinear2d", (), IMAGES, size=(4, 9)),
    case("PixelShuffle", 2, (2, 8, 3, 2)),
    case("PixelShuffle", 3, (9, 3, 2)),
    case("PixelUnshuffle", 2, (2, 3, 4, 6)),
    case("PixelUnshuffle", 2, (5, 2, 3, 4, 6)),
    case("ChannelShuffle", 2, IMAGES),
    case("Unfold", 2, IMAGES),
    case("Unfold", ((3, 2), 2, 1, (1, 2)), (4, 6, 5)),
    case("Fold", ((4, 5), 2), (2, 12, 12)),
    case("Fold", ((6, 5), (3, 2), 2, (1, 0), (1, 2)), (12, 8)),
]
PADS = [
    *(case(f"{kind}Pad{d}d", p, x) for kind in ("Zero", "Reflection", "Replication", "Circular")
      for d, p, x in ((1, 2, SEQUENCES), (1, ((1, 0),), (4, 7)), (2, 2, IMAGES), (2, ((1, 0, 2, 1),), (4, 6, 5)),
                      (3, 1, VOLUMES))),
    *(case(f"ConstantPad{d}d", (p, 3.5), x) for d, p, x in ((1, 2, SEQUENCES), (2, (1, 0, 2, -1), IMAGES),
                                                          (3, 1, VOLUMES))),
    case("ZeroPad2d", ((-1, 2, 0, -2),), IMAGES),
]  # fmt: skip

RNG = np.random.default_rng(11)
SIGNS = np.where(RNG.random((4, 5)) < 0.5, 1.0, -1.0).astype(np.float32)
SHARES = RNG.dirichlet(np.ones(5), 4).astype(np.float32)
ROWS, POSITIVE = (4, 5), RNG.uniform(0.2, 3.0, (4, 5)).astype(np.float32)
WEIGHTS = np.array([0.5, 1.0, 2.0, 0.3, 1.5], np.float32)
LABELS = np.array([[1, 3, -1, 0, 2], [0, -1, 2, 2, 2], [-1, 1, 1, 1, 1], [4, 3, 2, 1, 0]])
CLASSES = np.array([1, 0, 4, 2])
LOSSES = [
    *(case(name, (), *inputs, reduction=how) for how in ("mean", "sum", "none") for name, inputs in (
        ("PoissonNLLLoss", (ROWS, POSITIVE)),
        ("GaussianNLLLoss", (ROWS, ROWS, POSITIVE)),
        ("HingeEmbeddingLoss", (ROWS, SIGNS)),
        ("CosineEmbeddingLoss", (ROWS, (4, 5), SIGNS[:, 0])),
        ("MarginRankingLoss", (ROWS, (4, 5), SIGNS)),
        ("SoftMarginLoss", (ROWS, SIGNS)),
        ("MultiMarginLoss", (ROWS, CLASSES)),
        ("MultiLabelMarginLoss", (ROWS, LABELS)),
        ("MultiLabelSoftMarginLoss", (ROWS, SHARES)),
        ("TripletMarginLoss", (ROWS, (4, 5), (4, 5))),
        ("TripletMarginWithDistanceLoss", (ROWS, (4, 5), (4, 5))),
        ("CrossEntropyLoss", (ROWS, SHARES)),
    )),
    *(case("KLDivLoss", (), ROWS, SHARES, reduction=how) for how in ("batchmean", "sum", "none")),
    case("KLDivLoss", (), ROWS, ROWS, reduction="batchmean", log_target=True),
    case("PoissonNLLLoss", (False, True), POSITIVE, POSITIVE),
    case("GaussianNLLLoss", (), ROWS, ROWS, POSITIVE[:, 0], full=True, eps=1.0),
    case("GaussianNLLLoss", (), ROWS, ROWS, POSITIVE[:, :1]),
    case("CosineEmbeddingLoss", 0.3, ROWS, (4, 5), -np.ones(4, np.float32)),
    case("CosineEmbeddingLoss", (), (5,), (5,), np.ones((), np.float32)),
    case("MultiMarginLoss", (2, 0.7), ROWS, CLASSES),
    case("MultiMarginLoss", (), (5,), np.array(3)),
    case("MultiLabelMarginLoss", (), (5,), LABELS[0]),
    case("TripletMarginLoss", (0.5, 1.0), ROWS, (4, 5), (4, 5), swap=True),
    case("TripletMarginLoss", (), (5,), (5,), (5,)),
    case("CrossEntropyLoss", (), ROWS, CLASSES, label_smoothing=0.2),
    case("CrossEntropyLoss", (), ROWS, SHARES, label_smoothing=0.2),
    case("PairwiseDistance", (), ROWS, (4, 5)),
    case("PairwiseDistance", (1.0, 1e-3, True), ROWS, (5,)),
    case("CosineSimilarity", (), ROWS, (4, 5)),
    case("CosineSimilarity", 0, ROWS, (4, 1)),
]  # fmt: skip

NORMS = [
    case("GroupNorm", (2, 4), IMAGES),
    case("GroupNorm", (4, 4, 1e-3), SEQUENCES, affine=False),
    case("GroupNorm", (1, 4), (3, 4), bias=False),
    case("InstanceNorm1d", 4, SEQUENCES),
    case("InstanceNorm1d", 4, (4, 7), affine=True),
    case("InstanceNorm2d", 4, IMAGES, affine=True, track_running_stats=True),
    case("InstanceNorm2d", 4, (4, 6, 5), track_running_stats=True, momentum=None),
    case("InstanceNorm3d", (3, 1e-3, 0.3), VOLUMES, affine=True, track_running_stats=True),
    case("LocalResponseNorm", 2, SEQUENCES),
    case("LocalResponseNorm", (3, 0.5, 0.6, 2.0), IMAGES),
    case("LocalResponseNorm", 5, VOLUMES),
    case("RMSNorm", 5, (3, 5)),
    case("RMSNorm", ((6, 5), 1e-3), IMAGES),
    case("RMSNorm", ([7],), SEQUENCES, elementwise_affine=False),
    case("BatchNorm1d", 4, SEQUENCES, momentum=None),
    case("BatchNorm2d", 4, IMAGES, track_running_stats=False),
    case("BatchNorm3d", 3, VOLUMES, affine=False),
]
DROPOUTS = [
    *(
        case(name, 0.3, shape, inplace=False)
        for name, shape in (
            ("Dropout", IMAGES),
            ("Dropout1d", SEQUENCES),
            ("Dropout1d", (4, 7)),
            ("Dropout2d", IMAGES),
            ("Dropout3d", VOLUMES),
            ("Dropout3d", (3, 4, 5, 6)),
            ("AlphaDropout", IMAGES),
            ("FeatureAlphaDropout", IMAGES),
        )
    ),
    case("AlphaDropout", 1.0, IMAGES),
    case("AlphaDropout", 0.0, IMAGES),
]
LAZY = [
    case("LazyLinear", 5, (3, 4)),
    case("LazyLinear", (5, False), (2, 3, 4)),
    case("LazyConv1d", (6, 3), SEQUENCES, padding=1),
    case("LazyConv2d", (6, (3, 2)), IMAGES, groups=2, stride=2, padding_mode="reflect"),
    case("LazyConv2d", (6, 2), (4, 6, 5), bias=False),
    case("LazyConv3d", (2, 2), VOLUMES),
    case("LazyConvTranspose1d", (6, 3), SEQUENCES, stride=2, output_padding=1),
    case("LazyConvTranspose2d", (6, 3, 2, 1), IMAGES, dilation=2),
    case("LazyConvTranspose3d", (2, 2), VOLUMES),
    case("LazyBatchNorm1d", (), SEQUENCES),
    case("LazyBatchNorm2d", (1e-3, 0.3), IMAGES),
    case("LazyBatchNorm3d", (), VOLUMES, affine=False),
    case("LazyInstanceNorm1d", (), SEQUENCES),
    case("LazyInstanceNorm2d", (), IMAGES),
    case("LazyInstanceNorm3d", (), VOLUMES, track_running_stats=False),
]

INDICES, TABLE = np.array([[1, 2, 2, 0], [3, 1, 9, 2]]), RNG.normal(size=(10, 3)).astype(np.float32)
FLAT, STARTS = np.array([1, 2, 2, 0, 3, 1, 9, 2]), np.array([0, 3, 3, 6])
TABLES = [
    case("Bilinear", (3, 4, 5), (2, 3), (2, 4)),
    case("Bilinear", (3, 4, 5, False), (2, 6, 3), (2, 6, 4)),
    case("Embedding", (10, 3), INDICES, padding_idx=-8),
    case("Embedding", (10, 3), INDICES, max_norm=1.0),
    case("Embedding", (10, 3, 1, 0.5, 1.0), INDICES, scale_grad_by_freq=True),
    *(case("EmbeddingBag", (10, 3), INDICES, mode=mode) for mode in ("mean", "sum", "max")),
    *(case("EmbeddingBag", (10, 3), FLAT, STARTS, mode=mode, padding_idx=2) for mode in ("mean", "sum", "max")),
    case("EmbeddingBag", (10, 3), FLAT, np.array([0, 3, 8]), include_last_offset=True, max_norm=1.0),
]  # fmt: skip

EARLIER = [
    case("Linear", (4, 3), (2, 4)),
    case("Linear", (4, 3, False), (4,)),
    case("Identity", (1, 2), (2, 4)),
    case("Flatten", (), IMAGES),
    case("Flatten", (0, 2), IMAGES),
    case("Unflatten", (1, (2, 2)), IMAGES),
    case("Unflatten", (-1, (-1, 5)), IMAGES),
    case("LayerNorm", 5, (3, 5)),
    case("LayerNorm", ([6, 5],), IMAGES, bias=False),
    case("Softplus", (), ROWS),
    case("Softplus", (2, 1), ROWS),
    case("Softmax", 1, ROWS),
    case("LogSoftmax", -1, ROWS),
    case("Sigmoid", (), ROWS),
    case("Tanh", (), ROWS),
    case("GELU", "tanh", ROWS),
    case("LeakyReLU", 0.3, ROWS),
    case("ELU", 0.5, ROWS),
    *(case(name, (), ROWS, SHARES, reduction=how) for name in
      ("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss", "BCEWithLogitsLoss") for how in ("mean", "sum", "none")),
    case("BCELoss", (), SHARES, SHARES),
    case("NLLLoss", (), ROWS, CLASSES),
    case("SmoothL1Loss", (), ROWS, SHARES, beta=0.3),
    case("HuberLoss", (), ROWS, SHARES, delta=0.3),
]  # fmt: skip
CASES = [*EARLIER, *TABLES, *NORMS, *DROPOUTS, *LAZY, *LOSSES, *CONVOLUTIONS, *ACTIVATIONS, *POOLS, *SIZES, *PADS]
each_case = pytest.mark.parametrize("case", CASES, ids=str)


def arrays(case: Case) -> list[np.ndarray]:
    """Return the inputs of the case, the same at every call: normal numbers, or the arrays it names."""
    rng = np.random.default_rng(3)
    return [rng.normal(size=x).astype(np.float32) if isinstance(x, tuple) else x for x in case.inputs]


def run(framework: Any, case: Case) -> tuple[Any, list[Any], list[np.ndarray]]:
    """Return the layer, built and called after the same seed, its output, and the gradients of inputs and weights."""
    framework.manual_seed(7)
    layer = getattr(framework.nn, case.name)(*case.args, **case.kwargs)
    inputs = [framework.tensor(a) for a in arrays(case)]
    for i, x in enumerate(inputs):  # a loss's target does not always take a gradient in PyTorch
        x.requires_grad_(x.detach().numpy().dtype.kind == "f" and (i == 0 or case.name != "SoftMarginLoss"))
    outputs = layer(*inputs)
    outputs = list(outputs) if isinstance(outputs, tuple) else [outputs]
    y = outputs[0]
    if y.requires_grad:
        y.backward(framework.tensor(np.random.default_rng(5).normal(size=tuple(y.shape)).astype(np.float32)))
    gradients = [None if t.grad is None else t.grad.numpy().copy() for t in (*inputs, *layer.parameters())]
    return layer, [y.detach().numpy() for y in outputs], gradients


@each_case
def test_repr_and_state_are_those_of_pytorch(case):
    mg.manual_seed(7)
    torch.manual_seed(7)
    ours = getattr(nn, case.name)(*case.args, **case.kwargs)
    theirs = getattr(torch.nn, case.name)(*case.args, **case.kwargs)
    assert repr(ours) == repr(theirs)
    if case in LAZY:
        ours(*map(mg.tensor, arrays(case)))
        theirs(*map(torch.tensor, arrays(case)))
        assert repr(ours) == repr(theirs)
    state, expected = ours.state_dict(), theirs.state_dict()
    assert list(state) == list(expected)
    for key, value in state.items():
        np.testing.assert_allclose(value.numpy(), expected[key].numpy(), rtol=0, atol=3e-7, err_msg=key)


@each_case
def test_values_and_gradients_are_those_of_pytorch(case):
    (ours, values, slopes), (theirs, expected, expected_slopes) = run(mg, case), run(torch, case)
    for a, b in zip(ours.buffers(), theirs.buffers(), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-5, atol=1e-6)
    for a, b in zip(values + slopes, expected + expected_slopes, strict=True):
        if a is None or b is None:
            assert a is b
            continue
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5 * max(1.0, float(np.abs(b).max(initial=0))))


def test_an_output_size_chooses_the_output_padding():
    for size in ([9, 10], (10, 9), (10, 10)):
        ours, theirs = nn.ConvTranspose2d(1, 1, 3, stride=2, padding=1), torch.nn.ConvTranspose2d(1, 1, 3, 2, 1)
        x = np.ones((1, 1, 5, 5), np.float32)
        assert ours(mg.tensor(x), output_size=size).shape == theirs(torch.tensor(x), output_size=size).shape
    with pytest.raises(ValueError, match="requested an output size"):
        ours(mg.tensor(x), output_size=(12, 12))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_ctc_loss_is_that_of_pytorch(reduction):
    scores = np.random.default_rng(0).normal(size=(7, 3, 4)).astype(np.float32)
    targets, lengths = np.array([[1, 2, 2], [3, 0, 0], [1, 1, 1]]), ([7, 5, 4], [3, 1, 3])
    joined = np.array([1, 2, 2, 3, 1, 1, 1])
    for labels in (targets, joined):
        for zero in (False, True):
            found = []
            for f in (mg, torch):
                x = f.tensor(scores).requires_grad_()
                loss = f.nn.CTCLoss(reduction=reduction, zero_infinity=zero)
                y = loss(x.log_softmax(-1), f.tensor(labels), *map(f.tensor, lengths))
                y.sum().backward()
                found.append((y.detach().numpy(), x.grad.numpy()))  # the third fits no alignment
            np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-5)
            np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-4, atol=1e-6)


def lazy_net(framework):
    nn = framework.nn
    return nn.Sequential(nn.LazyConv2d(3, 2), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(2))


def test_lazy_layers_train_like_those_of_pytorch_even_with_an_optimiser_made_before():
    x = np.random.default_rng(0).normal(size=(4, 2, 3, 3)).astype(np.float32)
    results = []
    for framework in (mg, torch):
        framework.manual_seed(1)
        net = lazy_net(framework)
        optimizer = framework.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
        net(framework.tensor(x))
        for _ in range(3):
            optimizer.zero_grad()
            (net(framework.tensor(x)) ** 2).mean().backward()
            optimizer.step()
        results.append(net)
    assert repr(results[0]) == repr(results[1])
    for (key, value), expected in zip(results[0].state_dict().items(), results[1].state_dict().values(), strict=True):
        np.testing.assert_allclose(value.numpy(), expected.numpy(), rtol=1e-5, atol=1e-6, err_msg=key)


def test_a_state_dict_gives_lazy_layers_their_shapes():
    x = mg.randn(4, 2, 3, 3)
    source, target = lazy_net(mg), lazy_net(mg)
    assert repr(target[0].weight) == "<UninitializedParameter>"
    with pytest.raises(RuntimeError, match="Can't access the shape of an uninitialized parameter"):
        _ = target[0].weight.shape
    expected = source(x)
    target.load_state_dict(source.state_dict())
    source.eval(), target.eval()
    np.testing.assert_array_equal(source(x).detach().numpy(), target(x).detach().numpy())
    assert repr(source) == repr(target)
    assert expected.shape == (4, 2)
    untouched = lazy_net(mg)
    untouched.load_state_dict(lazy_net(mg).state_dict())  # nothing is known yet on either side
    assert untouched(x).shape == (4, 2)


def test_a_deep_copy_of_a_lazy_layer_learns_its_own_shape():
    import copy

    layer = nn.LazyLinear(2)
    twin = copy.deepcopy(layer)
    assert twin(mg.zeros(1, 3)).shape == (1, 2)
    assert layer(mg.zeros(1, 5)).shape == (1, 2)


FILLS = [
    ("trunc_normal_", {}, (8, 9)),
    ("trunc_normal_", {"std": 0.02}, (3, 3)),
    ("trunc_normal_", {"mean": 0.5, "std": 2.0, "a": -0.3, "b": 0.7}, (8, 9)),
    ("trunc_normal_", {"std": 2.0, "a": 3.0, "b": 3.5}, (50,)),
    ("sparse_", {"sparsity": 0.4}, (8, 9)),
    ("sparse_", {"sparsity": 0.1, "std": 1.0}, (5, 3)),
    ("dirac_", {}, (4, 3, 5)),
    ("dirac_", {"groups": 2}, (6, 2, 3, 4)),
    ("dirac_", {}, (2, 4, 3, 2, 3)),
    ("orthogonal_", {}, (8, 5)),
    ("orthogonal_", {"gain": 2.0}, (3, 2, 4)),
    ("eye_", {}, (3, 5)),
    *((f"{kind}_{how}_", {}, (6, 4, 3)) for kind in ("xavier", "kaiming") for how in ("uniform", "normal")),
    ("kaiming_normal_", {"mode": "fan_out", "nonlinearity": "relu"}, (6, 4, 3)),
]


@pytest.mark.parametrize(("name", "settings", "shape"), FILLS, ids=str)
def test_fillings_are_those_of_pytorch(name, settings, shape):
    results = []
    for framework in (mg, torch):
        framework.manual_seed(3)
        x = framework.zeros(*shape)
        assert getattr(framework.nn.init, name)(x, **settings) is x
        results.append((x.numpy(), framework.rand(1).numpy()))
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(results[0][1], results[1][1])  # both drew as many numbers


def test_the_old_names_of_fillings_warn():
    for name in ("uniform", "normal", "eye", "xavier_uniform", "kaiming_normal", "orthogonal"):
        with pytest.warns(FutureWarning, match=f"`nn.init.{name}` is now deprecated in favor of `nn.init.{name}_`"):
            getattr(nn.init, name)(mg.zeros(2, 2))
    with pytest.warns(FutureWarning, match="constant"):
        assert nn.init.constant(mg.zeros(2), 3).tolist() == [3, 3]


def test_an_embedding_shortens_its_rows_in_place():
    results = []
    for framework in (mg, torch):
        framework.manual_seed(3)
        layer = framework.nn.Embedding(10, 3, max_norm=1.0)
        layer(framework.tensor(INDICES))
        bag = framework.nn.EmbeddingBag.from_pretrained(framework.tensor(TABLE), mode="sum")
        y = bag(framework.tensor(FLAT), framework.tensor(STARTS), framework.tensor(np.linspace(0, 1, 8, dtype="f")))
        results.append((layer.weight.detach().numpy(), y.numpy(), bag.weight.requires_grad))
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_a_filling_far_from_the_mean_warns():
    with pytest.warns(UserWarning, match="mean is more than 2 std"):
        assert bool((nn.init.trunc_normal_(mg.ones(20), a=3.0, b=4.0) >= 3).all())


def test_a_dict_of_parameters_is_that_of_pytorch():
    found = []
    for framework in (mg, torch):
        held = framework.nn.ParameterDict({"b": framework.zeros(2), "a": framework.nn.Parameter(framework.ones(3, 1))})
        held["c"] = framework.zeros(1)
        held |= {"d": framework.ones(1)}
        del held["c"]
        found.append(
            [
                list(held),
                list(held.state_dict()),
                len(held),
                "c" in held,
                held.get("c"),
                held.pop("d").tolist(),
                [tuple(p.shape) for p in held.values()],
                list(reversed(held)),
                held.setdefault("b").tolist(),
            ]
        )
    assert found[0] == found[1]


@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm"])
@pytest.mark.parametrize(("layer", "args", "shape", "settings"), [
    ("Linear", (4, 3), (2, 4), {}),
    ("Linear", (4, 3), (2, 4), {"dim": 1}),
    ("Conv2d", (2, 3, 2), (2, 2, 4, 4), {}),
    ("ConvTranspose2d", (2, 3, 2), (2, 2, 4, 4), {}),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
def test_normed_weights_are_those_of_pytorch(name, layer, args, shape, settings):
    found = []
    for f in (mg, torch):
        f.manual_seed(2)
        module = getattr(f.nn, layer)(*args)
        assert getattr(f.nn.utils, name)(module, **settings) is module
        x = f.tensor(np.random.default_rng(0).normal(size=shape).astype(np.float32)).requires_grad_()
        for _ in range(2):
            y = module(x)
        (y**2).sum().backward()
        state = {k: v.numpy() for k, v in module.state_dict().items()}
        gradients = [x.grad.numpy(), *(p.grad.numpy() for p in module.parameters())]
        module.eval()
        getattr(f.nn.utils, f"remove_{name}")(module)
        found.append((state, [y.detach().numpy(), module(x).detach().numpy(), *gradients], list(module.state_dict())))
    assert list(found[0][0]) == list(found[1][0])
    assert found[0][2] == found[1][2]
    for a, b in zip([*found[0][0].values(), *found[0][1]], [*found[1][0].values(), *found[1][1]], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm"])
@pytest.mark.parametrize(("layer", "args", "shape"), [
    ("Linear", (4, 3), (2, 4)), ("Conv2d", (2, 3, 2), (2, 2, 4, 4)), ("ConvTranspose2d", (2, 3, 2), (2, 2, 4, 4)),
])  # fmt: skip
def test_parametrized_weights_are_those_of_pytorch(name, layer, args, shape):
    found = []
    for f in (mg, torch):
        f.manual_seed(2)
        module = getattr(f.nn, layer)(*args)
        assert getattr(f.nn.utils.parametrizations, name)(module) is module
        x = f.tensor(np.random.default_rng(0).normal(size=shape).astype(np.float32)).requires_grad_()
        for _ in range(2):
            y = module(x)
        (y**2).sum().backward()
        values = [x.grad.numpy(), *(p.grad.numpy() for p in module.parameters())]
        texts = [repr(module), list(module.state_dict()), f.nn.utils.parametrize.is_parametrized(module, "weight")]
        values += [v.numpy().copy() for v in module.state_dict().values()]
        module.eval()
        f.nn.utils.parametrize.remove_parametrizations(module, "weight")
        texts += [repr(module), list(module.state_dict()), f.nn.utils.parametrize.is_parametrized(module)]
        found.append((texts, [y.detach().numpy(), module(x).detach().numpy(), *values]))
    assert found[0][0] == found[1][0]
    for a, b in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_parametrizations_of_ones_own():
    found = []
    for f in (mg, torch):

        class Double(f.nn.Module):
            def forward(self, x):
                return x * 2

            def right_inverse(self, x):
                return x / 2

        f.manual_seed(1)
        module = f.nn.Linear(2, 2)
        for _ in range(2):
            f.nn.utils.parametrize.register_parametrization(module, "weight", Double())
        before = module.weight.detach().numpy().copy()
        module.weight = f.ones(2, 2)
        original = module.parametrizations.weight.original.detach().numpy().copy()
        f.nn.utils.parametrize.remove_parametrizations(module, "weight", leave_parametrized=False)
        found.append([before, original, module.weight.detach().numpy()])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    with pytest.raises(ValueError, match="does not have a parameter"):
        mg.nn.utils.parametrize.register_parametrization(nn.Linear(2, 2), "wait", nn.Identity())
    with pytest.raises(ValueError, match="may not change the shape"):
        mg.nn.utils.parametrize.register_parametrization(nn.Linear(2, 2), "weight", nn.Flatten(0))


def test_hooks_on_the_backward_pass_are_called_as_by_pytorch():
    found = []
    for f in (mg, torch):
        f.manual_seed(2)
        net, seen = f.nn.Sequential(f.nn.Linear(3, 4), f.nn.Tanh(), f.nn.Linear(4, 2)), []

        def look(module, grad_input, grad_output, seen=seen):
            seen.append(
                (
                    type(module).__name__,
                    [None if g is None else g.numpy().copy() for g in grad_input],
                    [g.numpy().copy() for g in grad_output],
                )
            )
            return (grad_input[0] * 2,) if type(module).__name__ == "Tanh" else None

        handles = [module.register_full_backward_hook(look) for module in (net[1], net[2])]
        net[2].register_full_backward_pre_hook(lambda module, grads: (grads[0] * 3,))
        x = f.tensor(np.ones((2, 3), np.float32)).requires_grad_()
        (net(x) ** 2).sum().backward()
        handles[0].remove(), handles[1].remove()
        net(x).sum().backward()
        found.append((seen, [x.grad.numpy(), *(p.grad.numpy() for p in net.parameters())]))
    assert [s[0] for s in found[0][0]] == [s[0] for s in found[1][0]] == ["Linear", "Tanh"]
    for ours, theirs in zip(found[0][0], found[1][0], strict=True):
        for a, b in zip(ours[1] + ours[2], theirs[1] + theirs[2], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    for a, b in zip(found[0][1], found[1][1], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_the_seldom_used_methods_of_a_module():
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    assert net.get_buffer("1.running_mean") is net[1].running_mean
    with pytest.raises(AttributeError, match="is not a buffer"):
        net.get_buffer("0.weight")
    net.set_submodule("1", nn.ReLU())
    assert isinstance(net[1], nn.ReLU)
    with pytest.raises(AttributeError, match="has no attribute `9`"):
        net.set_submodule("9", nn.ReLU(), strict=True)
    assert net.type(mg.float64)[0].weight.dtype == mg.float64
    assert net.share_memory() is net
    assert net.to_empty(device="cpu") is net
    with pytest.raises(ValueError, match="cuda"):
        net.cuda()
    x = mg.ones(1, 2, dtype=mg.float64)
    parallel = nn.DataParallel(net)
    assert parallel(x).tolist() == net(x).tolist() == nn.parallel.data_parallel(net, x).tolist()


def test_the_old_name_of_clipping_warns():
    p = nn.Parameter(mg.ones(2))
    p.sum().backward()
    with pytest.warns(FutureWarning, match="clip_grad_norm_"):
        nn.utils.clip_grad_norm(p, 1.0)
    assert p.grad.norm().item() == pytest.approx(1.0)
    assert nn.utils.get_total_norm([mg.tensor([3.0]), mg.tensor([4.0])]).item() == pytest.approx(5.0)
    nn.utils.clip_grads_with_norm_(p, 0.5, p.grad.norm())
    assert p.grad.norm().item() == pytest.approx(0.5)


INPLACE = [
    ("ReLU6", ()), ("Hardtanh", (-0.3, 0.4)), ("Hardswish", ()), ("Hardsigmoid", ()), ("SELU", ()), ("CELU", (0.7,)),
    ("RReLU", ()), ("Mish", ()), ("Threshold", (0.1, 3.0)), ("ReLU", ()), ("LeakyReLU", (0.2,)), ("ELU", (0.5,)),
    ("SiLU", ()), ("Dropout", (0.4,)),
]  # fmt: skip


@pytest.mark.parametrize(("name", "args"), INPLACE, ids=str)
def test_in_place_layers_write_into_their_input(name, args):
    found = []
    for f in (mg, torch):
        f.manual_seed(2)
        layer = getattr(f.nn, name)(*args, inplace=True)
        x = f.tensor(np.random.default_rng(0).normal(size=(3, 20)).astype(np.float32)).requires_grad_()
        h = x * 1.0
        y = layer(h)
        assert y is h
        (y**2).sum().backward()
        found.append((repr(layer), y.detach().numpy(), x.grad.numpy()))
    assert found[0][0] == found[1][0]
    np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found[0][2], found[1][2], rtol=1e-5, atol=1e-6)


def test_in_place_functions_write_into_their_input():
    calls = {"leaky_relu_": (0.2,), "elu_": (0.5,), "hardtanh_": (-0.3, 0.3), "selu_": (), "celu_": (0.7,), "relu_": (),
             "rrelu_": (0.1, 0.3), "threshold_": (0.1, 3.0)}  # fmt: skip
    for name, args in calls.items():
        x = np.random.default_rng(0).normal(size=(3, 20)).astype(np.float32)
        ours, theirs = mg.tensor(x), torch.tensor(x)
        assert getattr(nn.functional, name)(ours, *args) is ours
        getattr(torch.nn.functional, name)(theirs, *args)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5, atol=1e-6, err_msg=name)


def test_gumbel_softmax_draws_as_pytorch_does():
    for hard in (False, True):
        found = []
        for f in (mg, torch):
            f.manual_seed(4)
            x = f.tensor(np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)).requires_grad_()
            y = f.nn.functional.gumbel_softmax(x, tau=0.7, hard=hard, dim=1)
            (y * f.tensor(np.arange(7, dtype=np.float32))).sum().backward()
            found.append((y.detach().numpy(), x.grad.numpy()))
        np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-3, atol=1e-5)


def test_layers_take_their_input_by_name():
    x = mg.ones(2, 3)
    net = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    assert net(input=x).tolist() == net(x).tolist()
    assert nn.MSELoss()(input=x, target=x).item() == 0
    assert nn.MarginRankingLoss()(input1=x, input2=x, target=x).item() == 0


def test_a_list_of_parameters_may_lose_and_gain_some():
    held = nn.ParameterList([mg.zeros(1), mg.ones(2), mg.ones(3)])
    held += [mg.zeros(4)]
    assert held.pop(1).tolist() == [1, 1]
    assert [tuple(p.shape) for p in held] == [(1,), (3,), (4,)]
    assert list(held.state_dict()) == ["0", "1", "2"]

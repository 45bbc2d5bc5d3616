"""Every layer that PyTorch and minigrad both have goes from one to the other and back, settings and weights."""

from __future__ import annotations

import re
from typing import Any

import pytest

import minigrad as mg
from minigrad.errors import ArgumentError, DTypeError

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = pytest.mark.oracle

# Settings that differ from the defaults where a layer has any.
LAYERS = """
nn.Linear(3, 4, bias=False); nn.Bilinear(2, 3, 4, bias=False); nn.Identity(1, a=2); nn.Flatten(0, 2)
nn.Unflatten(1, (2, 3)); nn.Conv1d(2, 4, 3, 2, 1, 2, 2, False); nn.Conv2d(4, 8, (3, 5), stride=2, padding=(1, 2))
nn.Conv2d(4, 8, 3, padding="same", dilation=2, padding_mode="reflect"); nn.Conv3d(1, 2, 3, groups=1, bias=False)
nn.ConvTranspose1d(1, 2, 3, stride=2, output_padding=1); nn.ConvTranspose2d(4, 2, 3, 2, 1, 1, 2, False, 3)
nn.ConvTranspose3d(1, 2, 3, padding=1); nn.MaxPool1d(2, 1, return_indices=True); nn.MaxPool2d((2, 3), 1, (0, 1), 2)
nn.MaxPool3d(2, ceil_mode=True); nn.FractionalMaxPool2d(2, output_ratio=0.5); nn.FractionalMaxPool3d(2, (2, 2, 3))
nn.AdaptiveLogSoftmaxWithLoss(8, 12, [4, 8], 2.0, True); nn.AdaptiveLogSoftmaxWithLoss(8, 12, [4, 8])
nn.MaxUnpool1d(2, 1); nn.MaxUnpool2d(2, 1, 1); nn.MaxUnpool3d(3)
nn.AvgPool1d(2, 1, 1, True, False); nn.AvgPool2d(2, 1, 1, True, False, 3); nn.AvgPool3d(2, 1, 1, True, False, 3)
nn.LPPool1d(1.5, 2, 1, True); nn.LPPool2d(1.5, 2, 1, True); nn.LPPool3d(1.5, 2, 1, True)
nn.AdaptiveAvgPool1d(3); nn.AdaptiveAvgPool2d((1, None)); nn.AdaptiveAvgPool3d(2); nn.AdaptiveMaxPool1d(3, True)
nn.AdaptiveMaxPool2d((2, 3)); nn.AdaptiveMaxPool3d(2, True); nn.BatchNorm1d(3, affine=False); nn.BatchNorm1d(3)
nn.BatchNorm2d(3, eps=1e-3, momentum=None, track_running_stats=False); nn.BatchNorm3d(2, 1e-3, 0.2)
nn.LayerNorm((2, 3), 1e-6, False); nn.LayerNorm(3, bias=False); nn.GroupNorm(2, 4, 1e-3, False); nn.RMSNorm(4, 1e-3)
nn.RMSNorm(4, elementwise_affine=False); nn.InstanceNorm1d(3); nn.InstanceNorm2d(3, 1e-3, 0.2, True, True)
nn.InstanceNorm3d(3, affine=True); nn.LocalResponseNorm(2, 1e-3, 0.5, 2.0); nn.Dropout(0.25, True); nn.Dropout1d(0.1)
nn.Dropout2d(0.1); nn.Dropout3d(0.1); nn.AlphaDropout(0.1); nn.FeatureAlphaDropout(0.1)
nn.Embedding(5, 3, 0, 1.0, 1.0, True); nn.EmbeddingBag(5, 3, 1.0, 1.0, mode="sum", padding_idx=1)
nn.EmbeddingBag(5, 3, include_last_offset=True); nn.ReLU(True); nn.ReLU6(); nn.LeakyReLU(0.2, True); nn.PReLU(3, 0.5)
nn.ELU(0.5); nn.SELU(); nn.CELU(0.5); nn.GELU("tanh"); nn.SiLU(); nn.Mish(); nn.Sigmoid(); nn.Tanh(); nn.Softmax(1)
nn.LogSoftmax(1); nn.Softmin(1); nn.Softplus(2.0, 10); nn.Softsign(); nn.Softshrink(0.1); nn.Hardshrink(0.1)
nn.Tanhshrink(); nn.Threshold(0.1, 20.0); nn.GLU(1); nn.Hardtanh(-2, 2); nn.Hardsigmoid(); nn.Hardswish()
nn.LogSigmoid(); nn.RReLU(0.2, 0.4); nn.Softmax2d(); nn.PixelShuffle(2); nn.PixelUnshuffle(2); nn.ChannelShuffle(2)
nn.Upsample(scale_factor=2); nn.Upsample(size=(3, 4), mode="bilinear", align_corners=True)
nn.UpsamplingNearest2d(scale_factor=2); nn.UpsamplingBilinear2d(size=3); nn.Fold((4, 5), (2, 2), 1, 1, 2)
nn.Unfold(3, 2, 1, 2); nn.CosineSimilarity(0, 1e-3); nn.PairwiseDistance(3.0, 1e-3, True); nn.MSELoss(reduction="sum")
nn.L1Loss(reduction="none"); nn.CrossEntropyLoss(weight=m.tensor([1.0, 2.0]), ignore_index=1, label_smoothing=0.1)
nn.NLLLoss(weight=m.tensor([1.0, 2.0]), ignore_index=1, reduction="sum"); nn.BCELoss(m.tensor([1.0, 2.0]))
nn.BCEWithLogitsLoss(pos_weight=m.tensor([1.0, 2.0])); nn.SmoothL1Loss(beta=0.5); nn.HuberLoss(delta=0.5)
nn.KLDivLoss(log_target=True); nn.HingeEmbeddingLoss(0.5); nn.MarginRankingLoss(0.5)
nn.TripletMarginLoss(0.5, 1.0, 1e-3, True); nn.TripletMarginWithDistanceLoss(margin=0.5, swap=True)
nn.TripletMarginWithDistanceLoss(distance_function=nn.PairwiseDistance(3.0)); nn.CTCLoss(1, "sum", True)
nn.PoissonNLLLoss(False, True, eps=1e-3); nn.CosineEmbeddingLoss(0.5); nn.GaussianNLLLoss(full=True, eps=1e-3)
nn.SoftMarginLoss(reduction="sum"); nn.MultiMarginLoss(2, 0.5, m.tensor([1.0, 2.0])); nn.MultiLabelMarginLoss()
nn.MultiLabelSoftMarginLoss(m.tensor([1.0, 2.0])); nn.RNN(3, 4, 2, "relu", False, True, 0.1, True)
nn.LSTM(3, 4, 2, batch_first=True, dropout=0.1, bidirectional=True, proj_size=2); nn.GRU(3, 4, bias=False)
nn.LSTMCell(3, 4, False); nn.GRUCell(3, 4); nn.RNNCell(3, 4, False, "relu"); nn.CircularPad1d(1); nn.CircularPad2d(1)
nn.CircularPad3d(1); nn.ConstantPad1d(2, 3.5); nn.ConstantPad2d((1, 2, 3, 4), 1.0); nn.ConstantPad3d(1, 2.0)
nn.ReflectionPad1d(1); nn.ReflectionPad2d((1, 2, 3, 4)); nn.ReflectionPad3d(1); nn.ReplicationPad1d(1)
nn.ReplicationPad2d(1); nn.ReplicationPad3d(1); nn.ZeroPad1d(1); nn.ZeroPad2d(1); nn.ZeroPad3d(1)
nn.MultiheadAttention(8, 2, 0.1, False, True, True, 3, 5, True); nn.MultiheadAttention(8, 2)
nn.TransformerEncoderLayer(8, 2, 16, 0.2, "gelu", 1e-3, True, True, False)
nn.TransformerEncoderLayer(8, 2, activation=m.nn.functional.gelu)
nn.TransformerDecoderLayer(8, 2, 16, 0.2, "gelu", 1e-3, True, True, False); nn.TransformerDecoderLayer(8, 2)
nn.TransformerDecoderLayer(8, 2, activation=nn.SiLU())
nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2, nn.LayerNorm(8), False)
nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16, batch_first=True), 2, nn.LayerNorm(8))
nn.Transformer(8, 2, 1, 2, 16, 0.2, "gelu", None, None, 1e-3, True, True); nn.Sequential(); nn.ModuleList()
nn.Transformer(8, 2, 2, 1, 16, custom_encoder=nn.Identity())
nn.ModuleDict({"a": nn.Linear(1, 2), "b": nn.ModuleList([nn.PReLU()])}); nn.Sequential(nn.Sequential(nn.GRU(1, 2)))
nn.ParameterList([nn.Parameter(m.ones(2, 3)), nn.Parameter(m.zeros(()))])
nn.ParameterDict({"w": nn.Parameter(m.ones(2)), "v": nn.Parameter(m.zeros(1))})
nn.LazyLinear(3, bias=False); nn.LazyConv2d(3, 2, 2); nn.LazyBatchNorm1d(1e-3)
"""  # fmt: skip
CALLS = [c.strip() for c in LAYERS.replace("\n", ";").split(";") if c.strip()]
NOT_LAYERS = {"Module", "RNNBase", "RNNCellBase", "DataParallel"}


def made(m: Any, call: str) -> Any:
    m.manual_seed(1)
    return eval(call, {"nn": m.nn, "m": m})


def plain(module: Any) -> list[dict[str, Any]]:
    """Return the settings that are plain values, of a module and all below it."""
    kinds = (bool, int, float, str, tuple)
    return [
        {k: v for k, v in vars(part).items() if isinstance(v, kinds) and not k.startswith("_")}
        for part in module.modules()
    ]


def weights(module: Any) -> dict[str, list[Any]]:
    return {} if "Lazy" in type(module).__name__ else {k: v.tolist() for k, v in module.state_dict().items()}


def check_same(result: Any, expected: Any) -> None:
    assert type(result) is type(expected)
    assert repr(result) == repr(expected)
    assert plain(result) == plain(expected)
    assert weights(result) == weights(expected)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("call", CALLS)
def test_a_layer_comes_from_torch_and_goes_to_torch(call: str) -> None:
    theirs, ours = made(torch, call), made(mg, call)
    came = mg.from_torch(theirs.eval())
    assert plain(came) == plain(ours.eval())
    assert weights(came) == weights(theirs)
    check_same(came.to_torch(), theirs)
    went = ours.to_torch()
    assert plain(went) == plain(theirs)
    assert weights(went) == weights(ours)
    check_same(mg.from_torch(went), ours)


def test_no_layer_is_left_out() -> None:
    both = {
        name
        for name, kind in vars(torch.nn).items()
        if isinstance(kind, type) and issubclass(kind, torch.nn.Module) and hasattr(mg.nn, name)
    }
    tried = set(re.findall(r"nn\.(\w+)\(", LAYERS))
    assert {n for n in both - tried - NOT_LAYERS if not n.startswith("Lazy")} == set()


@pytest.mark.parametrize("m", [mg, torch])
def test_a_class_of_ones_own_is_refused_with_what_to_do(m: Any) -> None:
    class Net(m.nn.Module):
        pass

    convert = mg.to_torch if m is mg else mg.from_torch
    with pytest.raises(ArgumentError, match=r"Net is not a layer that both have; .* load_state_dict"):
        convert(m.nn.Sequential(Net()))


@pytest.mark.parametrize("m", [mg, torch])
def test_a_function_of_ones_own_is_refused(m: Any) -> None:
    layer = m.nn.TransformerEncoderLayer(4, 2, activation=lambda x: x)
    with pytest.raises(ArgumentError, match="is not a function that both have"):
        (mg.to_torch if m is mg else mg.from_torch)(layer)


@pytest.mark.parametrize("name", ["float64", "float16"])
def test_the_dtype_stays(name: str) -> None:
    theirs = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3)).to(getattr(torch, name))
    ours = mg.from_torch(theirs)
    assert [str(p.dtype) for p in ours.state_dict().values()] == [
        str(p.dtype).replace("torch", "minigrad") for p in theirs.state_dict().values()
    ]
    back = ours.to_torch()
    assert [p.dtype for p in back.state_dict().values()] == [p.dtype for p in theirs.state_dict().values()]
    assert weights(back) == weights(theirs)


def test_a_dtype_that_there_is_not_is_told_with_what_to_do() -> None:
    for theirs in (torch.ones(2, dtype=torch.bfloat16), torch.nn.Linear(2, 2).bfloat16()):
        with pytest.raises(DTypeError, match=r"no bfloat16 here; give tensor.float\(\)"):
            mg.from_torch(theirs)
        assert mg.from_torch(theirs.float()) is not None
    with pytest.raises(DTypeError, match=r"torch.view_as_real"):
        mg.from_torch(torch.ones(2, dtype=torch.complex64))
    with pytest.raises(ArgumentError, match=r"to_dense"):
        mg.from_torch(torch.ones(2).to_sparse())

"""What modules print, against PyTorch's."""

import pytest

import minigrad as mg

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = pytest.mark.oracle

LAYERS = """
nn.Linear(3, 4); nn.Linear(3, 4, bias=False); nn.Bilinear(2, 3, 4); nn.Identity(); nn.Flatten(); nn.Flatten(0, 2)
nn.Unflatten(1, (2, 3)); nn.Conv1d(1, 2, 3); nn.Conv2d(1, 2, 3); nn.Conv2d(4, 8, (3, 5), stride=2, padding=(1, 2))
nn.Conv2d(4, 8, 3, padding="same", dilation=2); nn.Conv2d(4, 8, 3, groups=2, bias=False); nn.Conv3d(1, 2, 3)
nn.ConvTranspose1d(1, 2, 3); nn.ConvTranspose2d(4, 2, 3, stride=2, padding=1, output_padding=1)
nn.ConvTranspose3d(1, 2, 3); nn.MaxPool1d(2); nn.MaxPool2d(2)
nn.MaxPool2d((2, 3), stride=1, padding=(0, 1), dilation=2); nn.MaxPool2d(2, ceil_mode=True); nn.MaxPool3d(2)
nn.AvgPool1d(2); nn.AvgPool2d(2); nn.AvgPool2d(3, stride=2, padding=1); nn.AdaptiveAvgPool1d(3)
nn.AdaptiveAvgPool2d(1); nn.AdaptiveAvgPool2d((1, None)); nn.AdaptiveMaxPool2d((2, 3)); nn.BatchNorm1d(3)
nn.BatchNorm2d(3, eps=1e-3, momentum=None, affine=False, track_running_stats=False); nn.BatchNorm3d(2)
nn.LayerNorm(4); nn.LayerNorm((2, 3), eps=1e-6, elementwise_affine=False); nn.GroupNorm(2, 4); nn.RMSNorm(4)
nn.InstanceNorm1d(3); nn.InstanceNorm2d(3, affine=True); nn.LocalResponseNorm(2); nn.Dropout()
nn.Dropout(0.25, inplace=True); nn.Dropout1d(); nn.Dropout2d(0.1); nn.Dropout3d(); nn.AlphaDropout()
nn.Embedding(5, 3); nn.Embedding(5, 3, padding_idx=0); nn.EmbeddingBag(5, 3); nn.ReLU(); nn.ReLU(inplace=True)
nn.ReLU6(); nn.LeakyReLU(); nn.LeakyReLU(0.2, True); nn.PReLU(); nn.PReLU(3); nn.ELU(); nn.ELU(0.5); nn.SELU()
nn.CELU(); nn.GELU(); nn.GELU(approximate="tanh"); nn.SiLU(); nn.Mish(); nn.Sigmoid(); nn.Tanh(); nn.Softmax(dim=1)
nn.Softmax(-1); nn.LogSoftmax(dim=1); nn.Softmin(1); nn.Softplus(); nn.Softsign(); nn.Softplus(2.0, 10)
nn.Softshrink(); nn.Hardshrink(); nn.Tanhshrink(); nn.Threshold(0.1, 20.0); nn.Hardtanh(); nn.GLU()
nn.Hardtanh(-2, 2); nn.Hardsigmoid(); nn.Hardswish(); nn.LogSigmoid(); nn.RReLU(); nn.Softmax2d(); nn.PixelShuffle(2)
nn.PixelUnshuffle(2); nn.Upsample(scale_factor=2); nn.Upsample(size=(3, 4), mode="bilinear"); nn.ZeroPad2d(1)
nn.ConstantPad1d(2, 3.5); nn.ReflectionPad2d((1, 2, 3, 4)); nn.ReplicationPad2d(1); nn.CosineSimilarity()
nn.ChannelShuffle(2); nn.PairwiseDistance(); nn.Fold((4, 5), (2, 2)); nn.Unfold(3); nn.MSELoss(); nn.L1Loss()
nn.CrossEntropyLoss(); nn.NLLLoss(); nn.CrossEntropyLoss(label_smoothing=0.1); nn.BCELoss(); nn.BCEWithLogitsLoss()
nn.SmoothL1Loss(); nn.HuberLoss(); nn.KLDivLoss(); nn.HingeEmbeddingLoss(); nn.MarginRankingLoss()
nn.TripletMarginLoss(); nn.CTCLoss(); nn.PoissonNLLLoss(); nn.CosineEmbeddingLoss(); nn.GaussianNLLLoss()
nn.SoftMarginLoss(); nn.MultiMarginLoss(); nn.RNN(3, 4); nn.LSTM(3, 4)
nn.LSTM(3, 4, num_layers=2, batch_first=True, dropout=0.1, bidirectional=True); nn.GRU(3, 4, bias=False)
nn.LSTMCell(3, 4); nn.RNN(3, 4, nonlinearity="relu"); nn.GRUCell(3, 4); nn.RNNCell(3, 4)
nn.RNNCell(3, 4, nonlinearity="relu", bias=False); nn.MultiheadAttention(8, 2); nn.TransformerEncoderLayer(8, 2)
nn.TransformerDecoderLayer(8, 2, 16, batch_first=True); nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2), 2)
nn.Module(); nn.Sequential(); nn.Sequential(nn.Linear(1, 2))
nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Sequential(nn.Linear(2, 2), nn.Sequential())); nn.ModuleList()
nn.AdaptiveLogSoftmaxWithLoss(8, 20, [5, 10]); nn.FractionalMaxPool2d(2, 3); nn.FractionalMaxPool3d(2, 3)
nn.ModuleDict(); nn.ModuleList([nn.Linear(2, 2) for _ in range(4)])
nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU(), nn.ReLU()])
nn.ModuleList([nn.Sequential(nn.Linear(2, 2), nn.ReLU()) for _ in range(3)])
nn.ModuleDict({"a": nn.Linear(1, 2), "b": nn.ReLU()})
nn.Sequential(OrderedDict([("one", nn.Linear(1, 2)), ("two", nn.Sequential(nn.ReLU()))])); nn.ParameterList()
nn.ParameterList([nn.Parameter(m.zeros(2, 3)), nn.Parameter(m.zeros(()))])
nn.ParameterDict({"w": nn.Parameter(m.zeros(2))}); nn.ParameterDict()
nn.Sequential(nn.ParameterList([m.zeros(1, 2)]), nn.ReLU())
"""  # fmt: skip
CALLS = [c.strip() for c in LAYERS.replace("\n", ";").split(";") if c.strip()]


def made(m, call):
    from collections import OrderedDict

    return eval(call, {"nn": m.nn, "m": m, "OrderedDict": OrderedDict})


@pytest.fixture(autouse=True)
def speaking_as_torch():
    from minigrad import printing

    printing.speak_as("torch")
    yield
    printing.speak_as("minigrad")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("call", CALLS)
def test_a_module_prints_as_in_pytorch(call):
    name = call.removeprefix("nn.").partition("(")[0]
    if not hasattr(mg.nn, name):
        pytest.skip(f"there is no nn.{name} yet")
    assert repr(made(mg, call)) == repr(made(torch, call))


def test_a_program_of_its_own_classes_prints_as_in_pytorch():
    def model(nn):
        class Block(nn.Module):
            def __init__(self, width):
                super().__init__()
                self.width = width
                self.lin = nn.Linear(width, width)
                self.act = nn.ReLU()
                self.scale = nn.Parameter(nn.Linear(1, 1).weight.detach())
                self.nothing = None

            def extra_repr(self):
                return f"width={self.width}"

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.blocks = nn.ModuleList([Block(2) for _ in range(2)])
                self.heads = nn.ModuleDict({"x": nn.Linear(2, 1)})
                self.one, self.same = Block(3), self.blocks[0]

            def extra_repr(self):
                return "two\nlines"

        return Net()

    assert repr(model(mg.nn)) == repr(model(torch.nn))


CHANGES = """
s * 2; 2 * s; s + s; s.__imul__(3); s.append(nn.GELU()); s.insert(0, nn.ELU()); s.extend([nn.ELU()]); s.pop(0); s[1:]
s.add_module("x", nn.ELU()) or s + nn.Sequential(nn.GELU()); s.add_module("x", nn.ELU()) or s * 1; s.__delitem__(0)
"""


@pytest.mark.parametrize("text", [t.strip() for t in CHANGES.replace("\n", ";").split(";") if t.strip()])
def test_a_sequence_of_modules_is_changed_as_pytorchs(text):
    def found(m):
        s = m.nn.Sequential(m.nn.Linear(2, 3), m.nn.ReLU())
        return repr(eval(text, {"nn": m.nn, "s": s})), repr(s)

    assert found(mg) == found(torch)

"""Draw the pictures of docs/gallery.md into docs/gallery/, each by the function that the page shows.

python docs/make_gallery.py [NAME ...]

The screenshot of the player needs chromium, and is left as it is without; all others need what `.[draw]` installs.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import minigrad as mg
from minigrad import nn, viz
from minigrad.nn import functional as F

FOLDER = Path(__file__).with_name("gallery")


def named(name: str, values: Any, requires_grad: bool = False) -> mg.Tensor:
    """Return a tensor with a name for the picture."""
    x = mg.tensor(values, requires_grad=requires_grad)
    x.name = name
    return x


def neuron() -> viz.Graph:
    """Squared error of one neuron with two inputs."""
    x1, x2, target = named("x1", 2.0), named("x2", -1.0), named("target", 1.0)
    w1, w2, b = (named(*known, requires_grad=True) for known in (("w1", 0.5), ("w2", 0.3), ("b", 0.1)))
    z = w1 * x1 + w2 * x2 + b
    a = z.sigmoid()
    graph = viz.graph({"loss": (a - target) ** 2}, names={"z": z, "a": a})
    return graph


def mlp() -> viz.Graph:
    """A network of two layers with every number of its training step."""
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    with mg.no_grad():
        model[0].weight.copy_(mg.tensor([[0.5, -0.5], [0.25, 1.0], [-1.0, 0.5]]))
        model[0].bias.copy_(mg.tensor([0.0, 0.5, -0.5]))
        model[2].weight.copy_(mg.tensor([[1.0, -1.0, 0.5]]))
        model[2].bias.copy_(mg.tensor([0.25]))
    loss = F.mse_loss(model(named("x", [[1.0, 2.0]])), named("target", [[1.0]]))
    graph = viz.graph({"loss": loss}, model=model)
    return graph


def lenet() -> viz.Graph:
    """LeNet-5 on a batch of four images, folded to what it is made of."""
    features = [nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Sigmoid()]
    dense = [nn.AvgPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid()]
    model = nn.Sequential(*features, *dense, nn.Linear(84, 10))
    images = named("images", mg.randn(4, 1, 28, 28).numpy())
    loss = F.cross_entropy(model(images), named("labels", [3, 1, 4, 1]))
    graph = viz.graph({"loss": loss}, model=model, values=None)
    graph = graph.fold("conv2d > sigmoid > avg_pool2d", "conv, sigmoid, pool").fold(
        "linear > sigmoid", "dense, sigmoid"
    )
    graph = graph.collapse(paths=["11"]).label("name", "op", "shape", "params")
    return graph


class OpenBatchNorm(nn.Module):
    """Batch normalisation written out, so that each way of the gradient is an arrow."""

    def __init__(self) -> None:
        super().__init__()
        self.gamma, self.beta = nn.Parameter(mg.tensor(2.0)), nn.Parameter(mg.tensor(0.5))

    def forward(self, x: mg.Tensor) -> mg.Tensor:
        """Normalise over the batch, then scale and shift."""
        centred = x - x.mean()
        variance = (centred * centred).mean()
        return centred / (variance + 1e-5).sqrt() * self.gamma + self.beta


def batchnorm() -> viz.Graph:
    """BatchNorm of four samples with one feature, opened."""
    model = OpenBatchNorm()
    x = named("x", [1.0, 2.0, 4.0, 5.0], requires_grad=True)
    graph = viz.graph({"first": model(x)[0]}, model=model)
    return graph


class Residual(nn.Module):
    """Two convolutions with batch norm, and a way past them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(32, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32)
        self.conv2, self.bn2 = nn.Conv2d(32, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32)

    def forward(self, x: mg.Tensor) -> mg.Tensor:
        """Return relu(x + f(x))."""
        y = self.bn1(self.conv1(x)).relu()
        return (self.bn2(self.conv2(y)) + x).relu()


def residual() -> viz.Graph:
    """A residual block: the gradient has a way past the convolutions."""
    model = Residual()
    x = named("x", mg.randn(2, 32, 6, 6).numpy(), requires_grad=True)
    loss = model(x).square().mean()
    loss.backward()
    graph = viz.graph({"loss": loss}, model=model)
    return graph


class Attention(nn.Module):
    """One head of self-attention, written out."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(width, width, bias=False) for _ in range(3))

    def forward(self, x: mg.Tensor) -> mg.Tensor:
        """Return softmax(q kᵀ / √d) v."""
        q, k, v = self.query(x), self.key(x), self.value(x)
        scores = q @ k.transpose(-1, -2) / x.shape[-1] ** 0.5
        return scores.softmax(-1) @ v


def attention() -> viz.Graph:
    """Self-attention over six words of width 8."""
    model = Attention(8)
    words = named("words", mg.randn(6, 8).numpy())
    loss = model(words).square().mean()
    loss.backward()
    graph = viz.graph({"loss": loss}, model=model)
    return graph


def lstm() -> viz.Graph:
    """An LSTM over three words: one set of weights, used three times."""
    cell = nn.LSTMCell(20, 20, bias=False)
    words = [named(f"word {i}", mg.randn(1, 20).numpy()) for i in (1, 2, 3)]
    h, c = named("h0", np.zeros((1, 20), "float32")), named("c0", np.zeros((1, 20), "float32"))
    for word in words:
        h, c = cell(word, (h, c))
    loss = h.square().mean()
    loss.backward()
    graph = viz.graph({"loss": loss}, model=cell).label("name", "op", "shape", "grad")
    return graph


def second() -> viz.Graph:
    """x³ at 2, its derivative, and the derivative of that, with all that was computed."""
    x = named("x", 2.0, requires_grad=True)
    with viz.record() as step:
        (first,) = mg.autograd.grad(x**3, x, create_graph=True)
        first.backward()
    graph = step.graph()
    return graph


def vanishing() -> viz.Graph:
    """Five layers with sigmoids: the gradient becomes smaller by each, coloured by its size."""
    model = nn.Sequential(*(layer for _ in range(5) for layer in (nn.Linear(20, 20), nn.Sigmoid())))
    x = named("x", mg.randn(32, 20).numpy())
    with viz.record(model) as step:
        model(x).square().mean().backward()
    graph = step.graph().heat("grad", vmax=0.1).label("name", "op", "shape")
    return graph


def nan() -> viz.Graph:
    """A square root of a negative number, and everything it spoils."""
    w, x = named("w", [1.0, 2.0], requires_grad=True), named("x", [3.0, 1.0])
    b = named("b", [0.5, 0.5], requires_grad=True)
    with viz.record() as step:
        spread = (w * x - 2.5).sqrt()
        ((spread + b) ** 2).mean().backward()
    graph = step.graph().nan().graph
    return graph


class Cube(mg.autograd.Function):
    """x³, whose gradient is said to be 2x²: a slip of the pen."""

    @staticmethod
    def forward(ctx: Any, x: mg.Tensor) -> mg.Tensor:
        """Return x³."""
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, grad: mg.Tensor) -> mg.Tensor:
        """Return what should have been 3x² times the gradient."""
        (x,) = ctx.saved_tensors
        return grad * 2 * x**2


def check() -> viz.Graph:
    """The gradient rules of a graph, checked one by one; one of them is wrong."""
    w = named("w", [0.5, -1.5], requires_grad=True)
    with viz.record(values="full") as step:
        Cube.apply(w.tanh()).exp().sum().backward()
    graph = step.gradcheck().label("name", "op", "shape")
    return graph


def diff() -> viz.Graph:
    """What a second version of a network has that the first has not, and the other way round."""
    x = named("x", mg.randn(8, 16).numpy())
    before = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 4))
    after = nn.Sequential(nn.Linear(16, 32, bias=False), nn.ReLU(), nn.Linear(32, 4), nn.LogSoftmax(1))
    old, new = (viz.graph({"out": model(x)}, model=model, values=None) for model in (before, after))
    graph = old.diff(new).graph
    return graph


DRAWN: tuple[Callable[[], viz.Graph], ...] = (
    neuron, mlp, lenet, batchnorm, residual, attention, lstm, second, vanishing, nan, check, diff,
)  # fmt: skip


def memory(path: Path) -> None:
    """Draw the bytes that a small convolutional network keeps for its backward, step by step."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "minigrad"  # the same bytes each time
    model = nn.Sequential(nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(864, 10))
    with viz.record(model) as step:
        F.cross_entropy(model(mg.randn(4, 1, 28, 28)), mg.tensor([3, 1, 4, 1])).backward()
    ax = step.graph().memory().plot()
    ax.set_title("bytes kept for backward, by a convolution, a pool and a dense layer", fontsize=10)
    ax.figure.savefig(path, metadata={"Date": None})


def player(path: Path) -> None:
    """Take a picture of the page that plays the step of the neuron, in the middle of its backward."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        print(f"{path} is left as it is: there is no chromium")
        return
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "step.html"
        viz.player(neuron_step(), page, title="A neuron")
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=3000"]
        shot = [f"--screenshot={path}", f"--user-data-dir={folder}/profile", "--window-size=1180,860"]
        subprocess.run([browser, *flags, *shot, f"file://{page}#step=7"], check=True, capture_output=True)


def neuron_step() -> viz.Recording:
    """Return the recorded step of a neuron, forward and backward."""
    x, target = named("x", 2.0), named("target", 1.0)
    w, b = named("w", 0.5, requires_grad=True), named("b", 0.1, requires_grad=True)
    with viz.record() as step:
        loss = ((w * x + b).sigmoid() - target) ** 2
        loss.backward()
    return step


OTHERS = {"memory.svg": memory, "player.png": player}


def main(names: list[str]) -> None:
    """Draw the pictures of these names; all, if there are none."""
    FOLDER.mkdir(exist_ok=True)
    for draw in DRAWN:
        if not names or draw.__name__ in names:
            mg.manual_seed(0)
            print(draw().render(FOLDER / f"{draw.__name__}.svg"))
    for file, write in OTHERS.items():
        if not names or write.__name__ in names:
            mg.manual_seed(0)
            write(FOLDER / file)
            print(FOLDER / file)


if __name__ == "__main__":
    main(sys.argv[1:])

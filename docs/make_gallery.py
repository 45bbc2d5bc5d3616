"""Draw the pictures of docs/gallery.md into docs/gallery/, each by the function that the page shows.

python docs/make_gallery.py [NAME ...]
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
    return viz.graph({"loss": (a - target) ** 2}, names={"z": z, "a": a})


def mlp() -> viz.Graph:
    """A network of two layers with every number of its training step."""
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    with mg.no_grad():
        model[0].weight.copy_(mg.tensor([[0.5, -0.5], [0.25, 1.0], [-1.0, 0.5]]))
        model[0].bias.copy_(mg.tensor([0.0, 0.5, -0.5]))
        model[2].weight.copy_(mg.tensor([[1.0, -1.0, 0.5]]))
        model[2].bias.copy_(mg.tensor([0.25]))
    loss = F.mse_loss(model(named("x", [[1.0, 2.0]])), named("target", [[1.0]]))
    return viz.graph({"loss": loss}, model=model)


def lenet() -> viz.Graph:
    """LeNet-5 on a batch of four images, layer by layer."""
    features = [nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Sigmoid()]
    dense = [nn.AvgPool2d(2), nn.Flatten(), nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid()]
    model = nn.Sequential(*features, *dense, nn.Linear(84, 10))
    images = mg.randn(4, 1, 28, 28)
    images.name = "images"
    loss = F.cross_entropy(model(images), named("labels", [3, 1, 4, 1]))
    return viz.graph({"loss": loss}, model=model, values=None)


class OpenBatchNorm(nn.Module):
    """Batch normalisation written out: the gradient comes back to x in three ways."""

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
    return viz.graph({"first": model(x)[0]}, model=model)


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
    x = mg.randn(2, 32, 6, 6, requires_grad=True)
    x.name = "x"
    out = model(x).mean()
    out.backward()
    return viz.graph({"mean": out}, model=model)


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
    x = mg.randn(6, 8)
    x.name = "words"
    out = model(x).square().mean()
    out.backward()
    return viz.graph({"loss": out}, model=model)


class Unrolled(nn.Module):
    """An LSTM cell, called once for each word, after a layer that embeds it."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.cell = nn.Linear(30, 20, bias=False), nn.LSTMCell(20, 20, bias=False)

    def forward(self, x: mg.Tensor) -> mg.Tensor:
        """Return the state after the last word."""
        h, c = named("h0", mg.zeros(1, 20).numpy()), named("c0", mg.zeros(1, 20).numpy())
        for word in x:
            h, c = self.cell(self.embed(word), (h, c))
        return h


def lstm() -> viz.Graph:
    """An LSTM over three words: one set of weights, used three times."""
    model = Unrolled()
    words = [named(f"word {i}", mg.randn(1, 30).numpy()) for i in (1, 2, 3)]
    out = model(words).sum()
    out.backward()
    return viz.graph({"loss": out}, model=model, rankdir="LR")


def second() -> viz.Graph:
    """x³ at 2, its derivative, and the derivative of that, with all that was computed."""
    x = named("x", 2.0, requires_grad=True)
    with viz.record() as step:
        (first,) = mg.autograd.grad(x**3, x, create_graph=True)
        first.backward()
    return step.graph()


def vanishing() -> viz.Graph:
    """Five layers with sigmoids: the gradient becomes smaller by each, coloured by its size."""
    model = nn.Sequential(*(layer for _ in range(5) for layer in (nn.Linear(20, 20), nn.Sigmoid())))
    x = mg.randn(32, 20)
    x.name = "x"
    with viz.record(model, source=False) as step:
        model(x).square().mean().backward()
    graph = step.graph()
    return graph.heat("grad") if hasattr(graph, "heat") else graph


def nan() -> viz.Graph:
    """A square root of a negative number, and everything it spoils."""
    w, x = named("w", [1.0, 2.0], requires_grad=True), named("x", [3.0, 1.0])
    b = named("b", [0.5, 0.5], requires_grad=True)
    with viz.record() as step:
        spread = (w * x - 2.5).sqrt()
        ((spread + b) ** 2).mean().backward()
    graph = step.graph()
    return graph.nan().graph if hasattr(graph, "nan") else graph


DRAWN: tuple[Callable[[], viz.Graph], ...] = (
    neuron, mlp, lenet, batchnorm, residual, attention, lstm, second, vanishing, nan,
)  # fmt: skip


def memory(path: Path) -> None:
    """Draw the bytes that LeNet keeps for its backward, step by step."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "minigrad"  # the same bytes each time
    model = nn.Sequential(nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(864, 10))
    with viz.record(model) as step:
        F.cross_entropy(model(mg.randn(4, 1, 28, 28)), mg.tensor([3, 1, 4, 1])).backward()
    ax = step.graph().memory().plot()
    ax.figure.savefig(path, metadata={"Date": None})


def main(names: list[str]) -> None:
    """Draw the pictures of these names; all, if there are none."""
    FOLDER.mkdir(exist_ok=True)
    for draw in DRAWN:
        if not names or draw.__name__ in names:
            mg.manual_seed(0)
            print(draw().render(FOLDER / f"{draw.__name__}.svg"))
    if not names or "memory" in names:
        mg.manual_seed(0)
        memory(FOLDER / "memory.svg")


if __name__ == "__main__":
    main(sys.argv[1:])

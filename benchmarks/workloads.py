"""What is timed: one function for each workload, written once and built from the layers of either library.

A workload takes a `Side`, which is a library with its layers, functions and optimisers, and returns the function to
time. Weights are equal on all sides because the seeds are: `python -m benchmarks` compares the results before it times.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

Step = Callable[[], Any]


class Side(NamedTuple):
    """A library that can run the workloads."""

    name: str
    library: Any
    nn: Any
    functional: Any
    optim: Any
    data: Any


def side(name: str) -> Side:
    """Return the side called `name`, "minigrad" or "torch". Raises ImportError where it is not installed."""
    parts = ("", ".nn", ".nn.functional", ".optim", ".utils.data")
    return Side(name, *(importlib.import_module(name + part) for part in parts))


class Workload(NamedTuple):
    """What to build and time: how many rounds of one call each, and what kind of figure it counts to."""

    build: Callable[[Side], Step]
    rounds: int
    kind: str  # "training", "inference", "chain" or "part"


# --- models ---


def mlp(s: Side) -> Any:
    """784-128-10."""
    return s.nn.Sequential(s.nn.Linear(784, 128), s.nn.ReLU(), s.nn.Linear(128, 10))


def lenet(s: Side) -> Any:
    """Two convolutions with pooling, three dense layers (LeCun et al., 1998, with ReLU)."""
    nn = s.nn
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def card_cnn(s: Side) -> Any:
    """Two blocks of convolution, batch norm, ReLU and pooling; dropout; two dense layers."""
    nn = s.nn
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.25), nn.Linear(1568, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip


def mnist_example(s: Side) -> Any:
    """The net of PyTorch's MNIST example."""
    nn = s.nn
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10),
    )  # fmt: skip


def resnet(s: Side) -> Any:
    """Three basic blocks (He et al., 2016) for 32 x 32 images."""
    nn = s.nn

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, inputs: int, outputs: int, stride: int) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
            self.norm1 = nn.BatchNorm2d(outputs)
            self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
            self.norm2 = nn.BatchNorm2d(outputs)
            same = stride == 1 and inputs == outputs
            self.shortcut = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

        def forward(self, x: Any) -> Any:
            y = self.norm1(self.conv1(x)).relu()
            return (self.norm2(self.conv2(y)) + self.shortcut(x)).relu()

    class Net(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU())
            self.blocks = nn.Sequential(Block(16, 16, 1), Block(16, 32, 2), Block(32, 64, 2))
            self.head = nn.Linear(64, 10)

        def forward(self, x: Any) -> Any:
            return self.head(self.blocks(self.stem(x)).mean((2, 3)))

    return Net()


def char_rnn(s: Side) -> Any:
    """Embedding, LSTM, dense layer over 65 characters."""
    nn = s.nn

    class Net(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(65, 64)
            self.lstm = nn.LSTM(64, 128, batch_first=True)
            self.head = nn.Linear(128, 65)

        def forward(self, x: Any) -> Any:
            return self.head(self.lstm(self.embedding(x))[0])

    return Net()


def char_gpt(s: Side) -> Any:
    """Two pre-norm transformer blocks over 65 characters, attention written out."""
    nn, width, heads, length = s.nn, 64, 4, 64

    class Block(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
            self.register_buffer("future", s.library.ones(length, length, dtype=s.library.bool).triu(1))

        def attention(self, x: Any) -> Any:
            n, t, c = x.shape
            q, k, v = (part.view(n, t, heads, c // heads).transpose(1, 2) for part in self.qkv(x).split(width, dim=2))
            scores = (q @ k.transpose(-2, -1)) / math.sqrt(c // heads)
            weights = scores.masked_fill(self.future, float("-inf")).softmax(-1)
            return self.out((weights @ v).transpose(1, 2).reshape(n, t, c))

        def forward(self, x: Any) -> Any:
            x = x + self.attention(self.norm1(x))
            return x + self.mlp(self.norm2(x))

    class Net(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.places = nn.Embedding(65, width), nn.Embedding(length, width)
            self.blocks = nn.Sequential(Block(), Block())
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 65)
            self.register_buffer("order", s.library.arange(length))

        def forward(self, x: Any) -> Any:
            return self.head(self.norm(self.blocks(self.tokens(x) + self.places(self.order))))

    return Net()


# --- what is done with them ---


def sgd(s: Side, parameters: Any) -> Any:
    """Return the SGD that all workloads use."""
    return s.optim.SGD(parameters, lr=0.01, momentum=0.9)


def adam(s: Side, parameters: Any) -> Any:
    """Return the Adam that all workloads use."""
    return s.optim.Adam(parameters, lr=1e-3)


def training(
    model: Callable[[Side], Any], shape: tuple[int, ...], optimiser: Callable[[Side, Any], Any] = sgd, classes: int = 10
) -> Callable[[Side], Step]:
    """Return what builds one training step on images of `shape`, or, with two dims and 65 classes, on characters."""

    def build(s: Side) -> Step:
        s.library.manual_seed(0)
        rng, net = np.random.default_rng(0), model(s)
        texts = classes == 65
        inputs = rng.integers(0, classes, shape) if texts else rng.standard_normal(shape).astype(np.float32)
        x = s.library.tensor(inputs)
        target = s.library.tensor(rng.integers(0, classes, shape if texts else shape[0]))
        criterion, stepper = s.nn.CrossEntropyLoss(), optimiser(s, net.parameters())

        def step() -> Any:
            stepper.zero_grad()
            y = net(x)
            loss = criterion(y.view(-1, classes), target.view(-1)) if texts else criterion(y, target)
            loss.backward()
            stepper.step()
            return loss

        return step

    return build


def inference(model: Callable[[Side], Any], shape: tuple[int, ...]) -> Callable[[Side], Step]:
    """Return what builds one forward pass in eval mode, without recording."""

    def build(s: Side) -> Step:
        s.library.manual_seed(0)
        net = model(s).eval()
        x = s.library.tensor(np.random.default_rng(0).standard_normal(shape).astype(np.float32))

        def step() -> Any:
            with s.library.no_grad():
                return net(x).sum()

        return step

    return build


def chain(s: Side) -> Step:
    """v = v * y + x, 500 times on 4 x 4, and back."""
    rng = np.random.default_rng(0)
    x, y = (s.library.tensor(rng.random((4, 4), np.float32) / 2, requires_grad=True) for _ in range(2))

    def step() -> Any:
        x.grad = y.grad = None
        v = x
        for _ in range(500):
            v = v * y + x
        total = v.sum()
        total.backward()
        return total

    return step


def optimiser_alone(kind: Callable[[Side, Any], Any]) -> Callable[[Side], Step]:
    """Return what builds the step of an optimiser on 1,000,000 parameters in 20 tensors."""

    def build(s: Side) -> Step:
        rng = np.random.default_rng(0)
        shape = (20, 200, 250)
        values, gradients = (rng.standard_normal(shape).astype(np.float32) for _ in range(2))
        parameters = [s.library.tensor(v, requires_grad=True) for v in values]
        for p, g in zip(parameters, gradients, strict=True):
            p.grad = s.library.tensor(g)
        stepper = kind(s, parameters)

        def step() -> Any:
            stepper.step()
            return parameters[0].detach().sum()

        return step

    return build


def loader(s: Side) -> Step:
    """One epoch of shuffled batches of 64 from 60,000 x 784."""
    rows = np.random.default_rng(0).standard_normal((60_000, 784)).astype(np.float32)
    data = s.data.TensorDataset(s.library.tensor(rows), s.library.tensor(np.arange(60_000)))
    batches = s.data.DataLoader(data, batch_size=64, shuffle=True)

    def step() -> Any:
        s.library.manual_seed(0)
        for x, _ in batches:
            last = x
        return last.sum()

    return step


def dropout(s: Side) -> Step:
    """F.dropout(x, 0.5) of 64 x 9216, not recorded."""
    x = s.library.tensor(np.random.default_rng(0).standard_normal((64, 9216)).astype(np.float32))
    s.library.manual_seed(0)

    def step() -> Any:
        return s.functional.dropout(x, 0.5, training=True)

    return step


IMAGE = (1, 28, 28)
WORKLOADS: dict[str, Workload] = {
    "mlp-1": Workload(training(mlp, (1, 784)), 400, "training"),
    "mlp-64": Workload(training(mlp, (64, 784)), 400, "training"),
    "mlp-512": Workload(training(mlp, (512, 784)), 100, "training"),
    "mlp-adam-64": Workload(training(mlp, (64, 784), adam), 400, "training"),
    "lenet-64": Workload(training(lenet, (64, *IMAGE)), 60, "training"),
    "card-cnn-64": Workload(training(card_cnn, (64, *IMAGE), adam), 40, "training"),
    "mnist-example-64": Workload(training(mnist_example, (64, *IMAGE)), 20, "training"),
    "resnet-32": Workload(training(resnet, (32, 3, 32, 32)), 20, "training"),
    "char-rnn": Workload(training(char_rnn, (32, 64), adam, 65), 20, "training"),
    "char-gpt-16": Workload(training(char_gpt, (16, 64), adam, 65), 30, "training"),
    "infer-card-cnn-1": Workload(inference(card_cnn, (1, *IMAGE)), 400, "inference"),
    "infer-card-cnn-256": Workload(inference(card_cnn, (256, *IMAGE)), 20, "inference"),
    "infer-mlp-1": Workload(inference(mlp, (1, 784)), 400, "inference"),
    "chain-1000": Workload(chain, 30, "chain"),
    "optim-1M-adam": Workload(optimiser_alone(adam), 60, "part"),
    "optim-1M-sgd": Workload(optimiser_alone(sgd), 60, "part"),
    "loader": Workload(loader, 6, "part"),
    "dropout-64x9216": Workload(dropout, 60, "part"),
}


def chosen(names: list[str], kinds: list[str]) -> Iterator[tuple[str, Workload]]:
    """Yield the workloads whose name or kind was asked for; all of them where nothing was."""
    for name, workload in WORKLOADS.items():
        if not (names or kinds) or name in names or workload.kind in kinds:
            yield name, workload

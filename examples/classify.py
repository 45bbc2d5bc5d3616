"""What `digits.py` and `mnist.py` share: the network, its training, and the pictures of the result."""

from __future__ import annotations

import time
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from tqdm import tqdm

import minigrad as mg
from minigrad import nn, optim, viz
from minigrad.nn import functional as F
from minigrad.utils.data import DataLoader, TensorDataset
from minigrad.viz import plots


class Net(nn.Module):
    """Two convolutions with batch normalisation, pools, dropout, and one dense layer, for `side` x `side` images.

    Images of 28 x 28 are pooled after each convolution, those of 8 x 8 only after the second.
    """

    def __init__(self, side: int, width: int = 32) -> None:
        super().__init__()
        self.conv1 = nn.Conv2D(1, width, 3, padding=1)
        self.norm1 = nn.BatchNorm(width)
        self.pool1 = nn.MaxPool(2) if side > 8 else nn.Identity()
        self.conv2 = nn.Conv2D(width, 2 * width, 3, padding=1)
        self.norm2 = nn.BatchNorm(2 * width)
        self.pool2 = nn.MaxPool(2)
        self.dropout = nn.Dropout(0.5)
        self.dense = nn.Dense(2 * width * (side // (4 if side > 8 else 2)) ** 2, 10)

    def forward(self, x: mg.Tensor) -> mg.Tensor:
        x = self.pool1(self.norm1(self.conv1(x)).relu())
        x = self.pool2(self.norm2(self.conv2(x)).relu())
        return self.dense(self.dropout(x).flatten(1))


@mg.no_grad()
def predict(model: nn.Module, images: mg.Tensor) -> np.ndarray:
    """Return the class of each image, worked out in batches in eval mode."""
    model.eval()
    parts = [model(images[i : i + 500]).argmax(1).numpy() for i in range(0, len(images), 500)]
    model.train()
    return np.concatenate(parts)


def train(
    model: nn.Module,
    training: tuple[mg.Tensor, mg.Tensor],
    test: tuple[mg.Tensor, mg.Tensor],
    *,
    epochs: int,
    batch_size: int,
    lr: float,
) -> list[tuple[float, float, float]]:
    """Train with Adam and a learning rate that falls as a cosine from step to step.

    Returns (loss, training accuracy, test accuracy) of each epoch. The number of epochs is fixed beforehand, and the
    weights after the last one are the result.
    """
    loader = DataLoader(TensorDataset(*training), batch_size=batch_size, shuffle=True)
    optimizer = optim.Adam(model.parameters(), lr=lr)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * len(loader))
    history = []
    print("epoch     loss   train %   test %   seconds")
    for epoch in range(1, epochs + 1):
        start, total, right = time.perf_counter(), 0.0, 0
        for images, labels in tqdm(loader, desc=f"epoch {epoch}", leave=False, disable=None):
            optimizer.zero_grad()
            logits = model(images)
            loss = F.cross_entropy(logits, labels)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(labels)
            right += (logits.argmax(1) == labels).sum().item()
        count = len(training[1])
        accuracy = 100 * float((predict(model, test[0]) == test[1].numpy()).mean())
        history.append((total / count, 100 * right / count, accuracy))
        seconds = time.perf_counter() - start
        print(f"{epoch:5d}  {history[-1][0]:7.4f}  {history[-1][1]:8.2f} {accuracy:8.2f}  {seconds:8.1f}")
    return history


def draw_training_graph(model: nn.Module, images: mg.Tensor, labels: mg.Tensor, out: Path) -> None:
    """Write the graph of one training step, forward and backward, as graph.svg and graph.png."""
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    graph = viz.graph(loss, model=model)
    graph.render(out / "graph.svg")
    graph.render(out / "graph.png")


def draw_curves(history: list[tuple[float, float, float]], out: Path) -> None:
    """Write loss and accuracy by epoch as curves.png."""
    losses, training, test = zip(*history, strict=True)
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    plots.curves({"cross-entropy": losses}, title="training loss", ax=left).set_ylim(0, None)
    plots.curves({"training": training, "test": test}, title="accuracy", ylabel="per cent", ax=right)
    figure.savefig(out / "curves.png", dpi=120)


def draw_mistakes(images: mg.Tensor, truth: np.ndarray, guess: np.ndarray, out: Path) -> None:
    """Write the misclassified digits, at most 40 of them, as mistakes.png."""
    wrong = np.flatnonzero(truth != guess)
    title = f"{len(wrong)} of {len(truth)} test digits misclassified" + (", the first 40" if len(wrong) > 40 else "")
    titles = [f"true {truth[i]}, predicted {guess[i]}" for i in wrong[:40]]
    axes = plots.images(images.numpy()[wrong[:40]], titles=titles, title=title)
    (axes[0].figure if len(axes) else plt.figure()).savefig(out / "mistakes.png", dpi=120)


def run(
    training: tuple[mg.Tensor, mg.Tensor],
    test: tuple[mg.Tensor, mg.Tensor],
    out: Path,
    *,
    seed: int,
    epochs: int,
    batch_size: int,
    lr: float,
) -> float:
    """Train on one data set, write weights and pictures into `out`, and return the test accuracy in per cent."""
    start = time.perf_counter()
    out.mkdir(parents=True, exist_ok=True)
    mg.manual_seed(seed)
    model = Net(side=training[0].shape[-1])
    print(model)
    history = train(model, training, test, epochs=epochs, batch_size=batch_size, lr=lr)
    seconds = time.perf_counter() - start
    mg.save(model.state_dict(), out / "weights.safetensors")
    truth, guess = test[1].numpy(), predict(model, test[0])
    draw_curves(history, out)
    confusion = plots.confusion_matrix(truth, guess, title="confusion of digits")
    confusion.figure.savefig(out / "confusion.png", dpi=120)
    draw_mistakes(test[0], truth, guess, out)
    draw_training_graph(model, training[0][:16], training[1][:16], out)
    accuracy = 100 * float((truth == guess).mean())
    print(f"test accuracy {accuracy:.2f} % (seed {seed}, {epochs} epochs, {seconds:.0f} s)")
    print(f"pictures and weights are in {out}/")
    return accuracy

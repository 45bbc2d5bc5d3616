"""One epoch of the example net on MNIST's files: wall time and accuracy on both sides, some batches each in turn."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from benchmarks.child import PAUSE
from benchmarks.compare import sides
from benchmarks.workloads import Side, mnist_example, sgd
from minigrad.datasets import MNIST

SLICE = 50  # batches


def images(folder: str, train: bool) -> tuple[Any, Any]:
    """Return images (n, 1, 28, 28) and labels as arrays."""
    x, y = MNIST(folder, train=train).tensors()
    return x.numpy().reshape(-1, 1, 28, 28), y.numpy()


def trained(s: Side, folder: str) -> Iterator[float]:
    """Train for an epoch; yield seconds after each slice of batches, and at last the accuracy on the test images."""
    s.library.manual_seed(0)
    x, y = (s.library.tensor(a) for a in images(folder, True))
    net = mnist_example(s)
    optimiser, criterion = sgd(s, net.parameters()), s.nn.CrossEntropyLoss()
    batches = iter(s.data.DataLoader(s.data.TensorDataset(x, y), batch_size=64, shuffle=True))
    done = False
    while not done:
        start = time.perf_counter()
        for _ in range(SLICE):
            batch = next(batches, None)
            if batch is None:
                done = True
                break
            optimiser.zero_grad()
            criterion(net(batch[0]), batch[1]).backward()
            optimiser.step()
        yield time.perf_counter() - start
    x, y = (s.library.tensor(a) for a in images(folder, False))
    net.eval()
    with s.library.no_grad():
        right = sum(int((net(x[i : i + 500]).argmax(1) == y[i : i + 500]).sum()) for i in range(0, len(x), 500))
    yield right / len(x)


def answer(threads: int, folder: str) -> dict[str, dict[str, float]]:
    """Return seconds of training and accuracy of each side."""
    running, seen = {}, {}
    for s in sides():
        s.library.set_num_threads(threads)
        running[s.name], seen[s.name] = trained(s, folder), []
    turn = list(running)
    while turn:
        for name in list(turn):
            time.sleep(PAUSE if threads > 1 else 0)
            value = next(running[name], None)
            if value is None:
                turn.remove(name)
            else:
                seen[name].append(value)
        turn.reverse()
    return {name: {"seconds": sum(values[:-1]), "accuracy": values[-1]} for name, values in seen.items()}

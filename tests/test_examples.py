"""The examples run as a user runs them, and reach what they promise."""

import gzip
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, viz
from minigrad.datasets import Digits

EXAMPLES = Path(__file__).parent.parent / "examples"
FILES = ["confusion.png", "curves.png", "graph.png", "graph.svg", "mistakes.png", "weights.safetensors"]


def run(script: str, *arguments: str) -> str:
    command = [sys.executable, str(EXAMPLES / script), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=600).stdout


def accuracy(printed: str) -> float:
    found = re.search(r"test accuracy ([\d.]+) %", printed)
    assert found
    return float(found[1])


def test_digits_reach_98_percent_and_leave_their_pictures(tmp_path):
    pytest.importorskip("sklearn")
    assert accuracy(run("digits.py", "--seed", "0", "--out", str(tmp_path))) >= 98.0
    assert sorted(p.name for p in tmp_path.iterdir()) == FILES


def write_idx(path: Path, array: np.ndarray) -> None:
    header = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    with gzip.open(path, "wb") as file:
        file.write(header + array.astype(np.uint8).tobytes())


def test_mnist_reads_idx_files_and_learns(tmp_path):
    pytest.importorskip("sklearn")
    for name, train in (("train", True), ("t10k", False)):
        images, labels = Digits(train=train).tensors()
        large = np.kron(images.numpy()[:, 0] * 255, np.ones((3, 3)))
        write_idx(tmp_path / f"{name}-images-idx3-ubyte.gz", np.pad(large, ((0, 0), (2, 2), (2, 2)))[:600])
        write_idx(tmp_path / f"{name}-labels-idx1-ubyte.gz", labels.numpy()[:600])
    out = tmp_path / "out"
    assert accuracy(run("mnist.py", "--data", str(tmp_path), "--epochs", "2", "--out", str(out))) > 80.0
    assert sorted(p.name for p in out.iterdir()) == FILES


def test_seeing_backprop_tells_the_network_that_vanishes_from_the_one_that_is_well(tmp_path):
    pytest.importorskip("sklearn")
    printed = run("see_backprop.py", "--seed", "1", "--out", str(tmp_path))
    names = ("sigmoid", "relu")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        f"{n}.{e}" for n in names for e in ("html", "json", "svg")
    )
    sigmoid, relu = printed.split("--- relu ---")
    assert "\nvanishing in " in sigmoid
    assert "\nok\n" in relu
    # The same step, without a recording.
    images, labels = (part[:64] for part in Digits(train=True).tensors())
    mg.manual_seed(1)
    layers = [part for _ in range(8) for part in (nn.Linear(64, 64), nn.Sigmoid())]
    model = nn.Sequential(nn.Flatten(), *layers, nn.Linear(64, 10))
    nn.functional.cross_entropy(model(images), labels).backward()
    sizes = {name: float(np.sqrt(np.mean(p.grad.numpy() ** 2))) for name, p in model.named_parameters()}
    said = re.search(r"down to rms ([\d.e-]+), the largest is ([\d.]+)", sigmoid)
    assert float(said[1]) == pytest.approx(min(sizes.values()), rel=1e-3)
    assert float(said[2]) == pytest.approx(max(sizes.values()), rel=1e-3)
    graph = viz.Graph.from_json((tmp_path / "sigmoid.json").read_text(encoding="utf-8"))
    for name, size in sizes.items():
        assert graph[name].grad_stats.rms == pytest.approx(size, rel=1e-3)

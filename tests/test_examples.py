"""The examples run as a user runs them, and reach what they promise."""

import gzip
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

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

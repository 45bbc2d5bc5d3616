"""The classics print the same under PyTorch and under minigrad in its place, numbers to 1e-4."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_examples import write_idx

import minigrad as mg

pytest.importorskip("sklearn")
pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(importlib.util.find_spec("minigrad.compat") is None, reason="python -m minigrad run is missing"),
]
CLASSICS = Path(__file__).parent.parent / "examples" / "classics"
NUMBER = re.compile(r"[-+]?\d+\.\d+(?:e[-+]\d+)?")

# script: short settings
RUNS: dict[str, list[str]] = {
    "mlp_regression.py": ["--epochs", "8"],
    "lenet_mnist.py": ["--epochs", "1", "--steps", "12"],
    "cnn_batchnorm.py": ["--epochs", "2"],
    "vae.py": ["--epochs", "3", "--draw"],
    "char_rnn.py": ["--epochs", "2", "--max-steps", "10", "--sample", "40"],
    "gpt.py": ["--max-iters", "15", "--eval-interval", "5", "--n-embd", "32", "--sample", "40"],
    "dcgan.py": ["--epochs", "1", "--max-steps", "16"],
    "word_embeddings.py": ["--epochs", "2"],
}
NEEDS = {"dcgan.py": (mg.nn, "ConvTranspose2d"), "word_embeddings.py": (mg, "topk")}

# Runs scripts one after the other under PyTorch, which takes longer to import than a script to run.
UNDER_TORCH = """
import contextlib, io, json, runpy, sys
printed = {}
for name, path, arguments in json.load(sys.stdin):
    sys.argv = [path, *arguments]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        runpy.run_path(path, run_name="__main__")
    printed[name] = out.getvalue()
json.dump(printed, sys.stdout)
"""


def python(*arguments: str, given: str = "") -> str:
    """Return what a fresh Python prints, which computes on one thread."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, *arguments], input=given, capture_output=True, text=True, timeout=300, env=os.environ | threads
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def small_mnist(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a directory with a few made-up images in the files that MNIST comes in."""
    where = tmp_path_factory.mktemp("mnist")
    rng = np.random.default_rng(0)
    for prefix, count in (("train", 130), ("t10k", 70)):
        write_idx(where / f"{prefix}-images-idx3-ubyte.gz", rng.integers(0, 256, (count, 28, 28)))
        write_idx(where / f"{prefix}-labels-idx1-ubyte.gz", rng.integers(0, 10, count))
    return str(where)


@pytest.fixture(scope="module")
def expected(small_mnist: str) -> dict[str, str]:
    """Return what each script prints under PyTorch."""
    runs = [(name, str(CLASSICS / name), arguments) for name, arguments in RUNS.items()]
    runs.append(("files", str(CLASSICS / "lenet_mnist.py"), ["--data", small_mnist, "--epochs", "2"]))
    return json.loads(python("-c", UNDER_TORCH, given=json.dumps(runs)))


def same_text(ours: str, theirs: str) -> None:
    """Check that two texts agree but for the last digits of their numbers."""
    assert NUMBER.sub("#", ours) == NUMBER.sub("#", theirs)
    for a, b in zip(NUMBER.findall(ours), NUMBER.findall(theirs), strict=True):
        last_digit = 10.0 ** -len(b.partition("e")[0].partition(".")[2])  # rounding may turn it over
        assert abs(float(a) - float(b)) <= max(1e-4 * abs(float(b)), 1.01 * last_digit), f"{a} for {b}"


@pytest.mark.parametrize("script", RUNS)
def test_a_classic_prints_what_it_prints_under_pytorch(script, expected):
    if script in NEEDS and not hasattr(*NEEDS[script]):
        pytest.skip(f"{NEEDS[script][1]} is missing")
    printed = python("-m", "minigrad", "run", str(CLASSICS / script), *RUNS[script])
    assert len(NUMBER.findall(printed)) >= 3
    same_text(printed, expected[script])


def test_lenet_reads_the_files_of_mnist(expected, small_mnist):
    arguments = ["--data", small_mnist, "--epochs", "2"]
    same_text(
        python("-m", "minigrad", "run", str(CLASSICS / "lenet_mnist.py"), *arguments),
        expected["files"],
    )


def test_every_classic_is_run():
    assert sorted(RUNS) == sorted(path.name for path in CLASSICS.glob("*.py"))


def test_texts_that_differ_are_found():
    same_text("loss 0.12346 of -1.5", "loss 0.12345 of -1.5")
    for other in ("loss 0.12348 of -1.5", "loss 0.12345 of 1.5", "lose 0.12345 of -1.5"):
        with pytest.raises(AssertionError):
            same_text("loss 0.12345 of -1.5", other)

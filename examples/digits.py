"""Train a small convolutional network on the 1,797 handwritten digits of scikit-learn.

    python examples/digits.py [--seed 0] [--out out/digits]

Writes the drawn training graph, curves, a confusion matrix, the mistakes and the weights. Nothing is downloaded.
"""

import argparse
from pathlib import Path

from classify import run

from minigrad.datasets import Digits


def main(arguments: list[str] | None = None) -> float:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="seed of weights, shuffling and dropout")
    parser.add_argument("--out", type=Path, default=Path("out/digits"), help="folder for pictures and weights")
    options = parser.parse_args(arguments)
    training, test = Digits(train=True).tensors(), Digits(train=False).tensors()
    return run(training, test, options.out, seed=options.seed, epochs=15, batch_size=32, lr=2e-3)


if __name__ == "__main__":
    main()

"""Train the same network on MNIST, or on Fashion-MNIST, from the standard IDX files (gzipped or not).

python examples/mnist.py --data DIR [--fashion] [--seed 0] [--epochs 3] [--out out/mnist]
"""

import argparse
from pathlib import Path

from classify import run

from minigrad.datasets import MNIST, FashionMNIST


def main(arguments: list[str] | None = None) -> float:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the four IDX files")
    parser.add_argument("--fashion", action="store_true", help="the files are Fashion-MNIST's")
    parser.add_argument("--seed", type=int, default=0, help="seed of weights, shuffling and dropout")
    parser.add_argument("--epochs", type=int, default=3, help="passes over the 60,000 images")
    parser.add_argument("--out", type=Path, default=Path("out/mnist"), help="folder for pictures and weights")
    options = parser.parse_args(arguments)
    files = FashionMNIST if options.fashion else MNIST
    training, test = files(options.data, train=True).tensors(), files(options.data, train=False).tensors()
    return run(training, test, options.out, seed=options.seed, epochs=options.epochs, batch_size=32, lr=2e-3)


if __name__ == "__main__":
    main()

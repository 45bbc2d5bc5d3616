"""Data sets of real images, read from where they already are: nothing is downloaded."""

from minigrad.datasets.idx import read_idx
from minigrad.datasets.images import MNIST, Digits, FashionMNIST

__all__ = ["MNIST", "Digits", "FashionMNIST", "read_idx"]

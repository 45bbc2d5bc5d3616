"""Data sets of real images, read from where they already are: nothing is downloaded."""

from minigrad.datasets.cifar import CIFAR10, CIFAR100
from minigrad.datasets.idx import read_idx
from minigrad.datasets.images import KMNIST, MNIST, Digits, FashionMNIST
from minigrad.datasets.made import FakeData, ImageFolder

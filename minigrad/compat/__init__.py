"""Running programs written for PyTorch: minigrad under the name `torch`, and its data sets under `torchvision`."""

from minigrad.compat.finder import as_torch
from minigrad.compat.runner import run

__all__ = ["as_torch", "run"]

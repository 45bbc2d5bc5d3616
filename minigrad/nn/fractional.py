"""Max-pooling layers whose windows lie at random."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError
from minigrad.nn import functional as F
from minigrad.nn.module import Module
from minigrad.tensor import Tensor


class _FractionalMaxPool(Module):
    """What the layers share: the size of the output, or its ratio to that of the input."""

    dims: int

    def __init__(
        self,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size, self.return_indices = self._each(kernel_size), return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else self._each(output_size)
        self.output_ratio = None if output_ratio is None else self._each(output_ratio)
        if output_size is None and output_ratio is None:
            raise ArgumentError(f"{type(self).__name__} requires specifying either an output size, or a pooling ratio")
        if output_size is not None and output_ratio is not None:
            raise ArgumentError("only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < r < 1 for r in self.output_ratio):
            raise ArgumentError(f"output_ratio must be between 0 and 1 (got {output_ratio})")

    def _each(self, value: Any) -> tuple[Any, ...]:
        return tuple(value) if isinstance(value, tuple | list) else (value,) * self.dims


class FractionalMaxPool2d(_FractionalMaxPool):
    """The largest values of windows of images (N, C, H, W) that lie at random (Graham, 2014, arXiv:1412.6071).

    There are `output_size` windows, or `output_ratio` times the size of the input. Raises ArgumentError unless one of
    the two is given.
    """

    dims = 2

    def forward(self, input: Tensor) -> Any:
        """Return the largest values, and their places if they were asked for."""
        return F.fractional_max_pool2d(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples
        )


class FractionalMaxPool3d(_FractionalMaxPool):
    """The largest values of windows of volumes (N, C, D, H, W) that lie at random, else as FractionalMaxPool2d."""

    dims = 3

    def forward(self, input: Tensor) -> Any:
        """Return the largest values, and their places if they were asked for."""
        return F.fractional_max_pool3d(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices, self._random_samples
        )

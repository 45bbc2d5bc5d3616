"""Adaptive pooling layers: the size of the output is given, the windows follow."""

from __future__ import annotations

from typing import Any

from minigrad.nn import functional as F
from minigrad.nn.module import Module
from minigrad.tensor import Tensor


class _AdaptiveAvgPool(Module):
    """What the adaptive layers share: the `output_size`, an int or one for each dim; None keeps that of the input."""

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The means of `output_size` windows of sequences, (N, C, L) or (C, L)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return the means."""
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The means of `output_size` windows, an int or (rows, columns), of images (N, C, H, W) or (C, H, W).

    Window i of n spans the rows from floor(i H / n) to ceil((i + 1) H / n), columns likewise; None keeps a size.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.AdaptiveAvgPool2d((1, None))(mg.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]))
    tensor([[[[2., 3.]]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return the means."""
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """The means of `output_size` windows of volumes, (N, C, D, H, W) or (C, D, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return the means."""
        return F.adaptive_avg_pool3d(input, self.output_size)


class _AdaptiveMaxPool(_AdaptiveAvgPool):
    """What the adaptive max-pooling layers share: with `return_indices` the places of the values come too."""

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = return_indices


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest values of `output_size` windows of sequences, (N, C, L) or (C, L)."""

    def forward(self, input: Tensor) -> Any:
        """Return the largest values, and their places if they were asked for."""
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest values of `output_size` windows, laid out as those of AdaptiveAvgPool2d."""

    def forward(self, input: Tensor) -> Any:
        """Return the largest values, and their places if they were asked for."""
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The largest values of `output_size` windows of volumes, (N, C, D, H, W) or (C, D, H, W)."""

    def forward(self, input: Tensor) -> Any:
        """Return the largest values, and their places if they were asked for."""
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)

"""Pooling layers: the largest value, or the mean, of each window."""

from __future__ import annotations

from minigrad.errors import ArgumentError
from minigrad.nn import functional as F
from minigrad.nn.conv import IntOrPair
from minigrad.nn.module import Module
from minigrad.tensor import Tensor


class MaxPool2d(Module):
    """The largest value of each window of `kernel_size`, moved by `stride` (None: the kernel's size); `MaxPool`.

    Shapes: x (N, C, H, W) or (C, H, W); H becomes floor((H + 2 padding - dilation (kH - 1) - 1) / stride) + 1, rounded
    up with `ceil_mode`. Padding counts as -inf.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.MaxPool(2)(mg.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]))
    tensor([[[[4.]]]])
    """

    def __init__(
        self,
        kernel_size: IntOrPair,
        stride: IntOrPair | None = None,
        padding: IntOrPair = 0,
        dilation: IntOrPair = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        if return_indices:
            raise ArgumentError("MaxPool2d: return_indices=True is not supported; only the values are returned")
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation, self.ceil_mode = padding, dilation, ceil_mode

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the largest value of each window."""
        return F.max_pool2d(x, self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)


class AvgPool2d(Module):
    """The mean of each window of `kernel_size`, moved by `stride` (None: the kernel's size); `AvgPool`.

    Shapes as for MaxPool2d. Zeros of the padding count as values if `count_include_pad`; `divisor_override` divides
    the sum in place of the number of values.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.AvgPool(2)(mg.tensor([[[[1.0, 2.0], [3.0, 6.0]]]]))
    tensor([[[[3.]]]])
    """

    def __init__(
        self,
        kernel_size: IntOrPair,
        stride: IntOrPair | None = None,
        padding: IntOrPair = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.ceil_mode = padding, ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"

    def forward(self, x: Tensor) -> Tensor:
        """Return the mean of each window."""
        return F.avg_pool2d(
            x,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

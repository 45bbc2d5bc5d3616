"""The convolution layer."""

from __future__ import annotations

from typing import Any

from minigrad import creation
from minigrad.errors import ArgumentError
from minigrad.nn import functional as F
from minigrad.nn.linear import reset_weight_and_bias
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.ops.conv import check_named_padding, pair
from minigrad.tensor import Tensor

IntOrPair = int | tuple[int, int]


class Conv2d(Module):
    """y[n, o] = bias[o] + sum over channels i of x[n, i] cross-correlated with weight[o, i]; short name `Conv2D`.

    Shapes: x (N, in_channels, H, W) or (in_channels, H, W), weight (out_channels, in_channels / groups, kH, kW);
    H becomes floor((H + 2 padding - dilation (kH - 1) - 1) / stride) + 1, and W likewise. `padding` is a number of
    zeros on each side, a pair of them, "valid" (none) or "same" (H stays; stride 1 only). Weight and bias start
    uniform in +-1/sqrt(fan_in). Raises ArgumentError for settings that contradict each other.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.Conv2D(1, 8, kernel_size=3, padding=1)(mg.zeros(4, 1, 28, 28)).shape
    minigrad.Size([4, 8, 28, 28])
    """

    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrPair,
        stride: IntOrPair = 1,
        padding: str | IntOrPair = 0,
        dilation: IntOrPair = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = pair(kernel_size, "kernel_size", "conv2d", 1)
        self.stride = pair(stride, "stride", "conv2d", 1)
        self.dilation = pair(dilation, "dilation", "conv2d", 1)
        self.padding = padding if isinstance(padding, str) else pair(padding, "padding", "conv2d", 0)
        self.padding_mode = padding_mode
        self._check()
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = Parameter(creation.empty(shape, device=device, dtype=dtype))
        self.bias = Parameter(creation.empty(out_channels, device=device, dtype=dtype)) if bias else None
        self.reset_parameters()

    def _check(self) -> None:
        if self.groups <= 0:
            raise ArgumentError(f"groups must be a positive integer, got {self.groups}")
        for name in ("in_channels", "out_channels"):
            if getattr(self, name) % self.groups:
                raise ArgumentError(f"{name} must be divisible by groups, got {getattr(self, name)} and {self.groups}")
        if self.padding_mode != "zeros":
            raise ArgumentError(
                f"padding_mode {self.padding_mode!r} is not supported, only 'zeros'; pad before this layer, with "
                "functional.pad(x, (left, right, top, bottom), mode)"
            )
        if isinstance(self.padding, str):
            check_named_padding(self.padding, self.stride)

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        reset_weight_and_bias(self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        if self.padding != (0, 0):
            parts.append(f"padding={self.padding}")
        if self.dilation != (1, 1):
            parts.append(f"dilation={self.dilation}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        return ", ".join(parts)

    def forward(self, x: Tensor) -> Tensor:
        """Return the cross-correlation of x with the weight, plus the bias."""
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)

"""The convolution layers, of sequences, images and volumes, and the transposed ones."""

from __future__ import annotations

from typing import Any

from minigrad import creation
from minigrad.errors import ArgumentError
from minigrad.nn import functional as F
from minigrad.nn.linear import reset_weight_and_bias
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.ops.conv import check_named_padding, several
from minigrad.tensor import Tensor

IntOrPair = int | tuple[int, int]
_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """What the convolution layers share; a subclass says how many `dims` it goes over."""

    dims = 0
    transposed = False
    weight: Parameter
    bias: Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
        output_padding: Any = 0,
    ) -> None:
        super().__init__()
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = self._each(kernel_size, "kernel_size", 1)
        self.stride = self._each(stride, "stride", 1)
        self.padding = padding if isinstance(padding, str) else self._each(padding, "padding", 0)
        self.dilation = self._each(dilation, "dilation", 1)
        self.output_padding = self._each(output_padding, "output_padding", 0)
        self.padding_mode = padding_mode
        self._check()
        outer, inner = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        self.weight = Parameter(creation.empty(outer, inner // groups, *self.kernel_size, device=device, dtype=dtype))
        self.bias = Parameter(creation.empty(out_channels, device=device, dtype=dtype)) if bias else None
        self.reset_parameters()

    def _each(self, value: Any, name: str, least: int) -> tuple[int, ...]:
        return several(value, self.dims, name, f"conv{self.dims}d", least)

    def _check(self) -> None:
        if self.groups <= 0:
            raise ArgumentError(f"groups must be a positive integer, got {self.groups}")
        for name in ("in_channels", "out_channels"):
            if getattr(self, name) % self.groups:
                raise ArgumentError(f"{name} must be divisible by groups, got {getattr(self, name)} and {self.groups}")
        if self.padding_mode not in _MODES:
            raise ArgumentError(
                f"padding_mode must be one of {set(_MODES)}, but got padding_mode={self.padding_mode!r}"
            )
        if self.transposed and self.padding_mode != "zeros":
            raise ArgumentError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        if isinstance(self.padding, str):
            check_named_padding(self.padding, self.stride, f"conv{self.dims}d")

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        if self.weight.numel() or self.bias is not None:
            reset_weight_and_bias(self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"]
        for name, usual in (("padding", 0), ("dilation", 1), ("output_padding", 0)):
            if getattr(self, name) != (usual,) * self.dims:
                parts.append(f"{name}={getattr(self, name)}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)

    def _margins(self) -> tuple[int, ...]:
        """Return what is added before and after each dim, the last dim first, as `functional.pad` takes it."""
        if not isinstance(self.padding, str):
            return tuple(p for p in reversed(self.padding) for _ in range(2))
        reach = [d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True)]
        if self.padding == "valid":
            return (0, 0) * self.dims
        return tuple(n for r in reversed(reach) for n in (r // 2, r - r // 2))

    def forward(self, input: Tensor) -> Tensor:
        """Return the cross-correlation of x with the weight, plus the bias."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._margins(), mode=self.padding_mode), 0
        convolution: Any = (F.conv1d, F.conv2d, F.conv3d)[self.dims - 1]
        result: Tensor = convolution(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)
        return result


class Conv1d(_ConvNd):
    """Conv2d for sequences: x (N, in_channels, L) or (in_channels, L), weight (out_channels, in_channels / groups, k).

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.Conv1d(1, 8, kernel_size=3, padding=1)(mg.zeros(4, 1, 28)).shape
    minigrad.Size([4, 8, 28])
    """

    dims = 1


class Conv2d(_ConvNd):
    """y[n, o] = bias[o] + sum over channels i of x[n, i] cross-correlated with weight[o, i]; short name `Conv2D`.

    Shapes: x (N, in_channels, H, W) or (in_channels, H, W), weight (out_channels, in_channels / groups, kH, kW);
    H becomes floor((H + 2 padding - dilation (kH - 1) - 1) / stride) + 1, and W likewise. `padding` is a number of
    zeros on each side, a pair of them, "valid" (none) or "same" (H stays; stride 1 only); `padding_mode` fills it with
    "zeros", or by "reflect", "replicate" or "circular". Weight and bias start uniform in +-1/sqrt(fan_in). Raises
    ArgumentError for settings that contradict each other.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.Conv2D(1, 8, kernel_size=3, padding=1)(mg.zeros(4, 1, 28, 28)).shape
    minigrad.Size([4, 8, 28, 28])
    """

    dims = 2


class Conv3d(_ConvNd):
    """Conv2d for volumes: x (N, in_channels, D, H, W) or (in_channels, D, H, W)."""

    dims = 3


class _ConvTransposeNd(_ConvNd):
    """What the transposed convolution layers share: the order of the arguments, and the sizes of the output."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
            output_padding,
        )

    def _missing(self, x: Tensor, output_size: Any) -> tuple[int, ...]:
        """Return the output padding that leads to `output_size`; raise ArgumentError if none does."""
        wanted = tuple(output_size)[-self.dims :]
        settings: Any = zip(
            x.shape[-self.dims :], self.stride, self.padding, self.dilation, self.kernel_size, strict=True
        )
        least = tuple((n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in settings)
        most = tuple(n + s - 1 for n, s in zip(least, self.stride, strict=True))
        if len(wanted) != self.dims or any(not a <= n <= b for a, n, b in zip(least, wanted, most, strict=True)):
            raise ArgumentError(
                f"requested an output size of {list(output_size)}, but valid sizes range from {list(least)} to "
                f"{list(most)} (for an input of {list(x.shape[-self.dims :])})"
            )
        return tuple(n - a for n, a in zip(wanted, least, strict=True))

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        """Return the transposed convolution of x, of the sizes `output_size` if these are given."""
        extra = self.output_padding if output_size is None else self._missing(input, output_size)
        convolution: Any = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[self.dims - 1]
        result: Tensor = convolution(
            input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation
        )
        return result


class ConvTranspose1d(_ConvTransposeNd):
    """ConvTranspose2d for sequences: x (N, in_channels, L) or (in_channels, L)."""

    dims = 1


class ConvTranspose2d(_ConvTransposeNd):
    """The gradient of a Conv2d by its input, as a layer of its own: it makes images larger.

    Shapes: x (N, in_channels, H, W) or (in_channels, H, W), weight (in_channels, out_channels / groups, kH, kW); H
    becomes (H - 1) stride - 2 padding + dilation (kH - 1) + output_padding + 1. Weight and bias start uniform in
    +-1/sqrt(fan_in), counted as PyTorch counts it, from weight[0].

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.ConvTranspose2d(8, 1, kernel_size=4, stride=2, padding=1)(mg.zeros(2, 8, 7, 7)).shape
    minigrad.Size([2, 1, 14, 14])
    """

    dims = 2


class ConvTranspose3d(_ConvTransposeNd):
    """ConvTranspose2d for volumes: x (N, in_channels, D, H, W) or (in_channels, D, H, W)."""

    dims = 3

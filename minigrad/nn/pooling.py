"""Pooling layers: the largest value, or the mean, of each window."""

from __future__ import annotations

from typing import Any

from minigrad.nn import functional as F
from minigrad.nn.conv import IntOrPair
from minigrad.nn.module import Module
from minigrad.tensor import Tensor


class _MaxPool(Module):
    """What the max-pooling layers share."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size, self.stride = kernel_size, kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )

    def _settings(self) -> tuple[Any, ...]:
        return self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode, self.return_indices


class MaxPool1d(_MaxPool):
    """MaxPool2d for sequences: x (N, C, L) or (C, L)."""

    def forward(self, input: Tensor) -> Any:
        """Return the largest value of each window, and its place if that was asked for."""
        return F.max_pool1d(input, *self._settings())


class MaxPool2d(_MaxPool):
    """The largest value of each window of `kernel_size`, moved by `stride` (None: the kernel's size); `MaxPool`.

    Shapes: x (N, C, H, W) or (C, H, W); H becomes floor((H + 2 padding - dilation (kH - 1) - 1) / stride) + 1, rounded
    up with `ceil_mode`. Padding counts as -inf. With `return_indices` the places come too, as MaxUnpool2d takes them.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.MaxPool(2)(mg.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]))
    tensor([[[[4.]]]])
    """

    def forward(self, input: Tensor) -> Any:
        """Return the largest value of each window, and its place if that was asked for."""
        return F.max_pool2d(input, *self._settings())


class MaxPool3d(_MaxPool):
    """MaxPool2d for volumes: x (N, C, D, H, W) or (C, D, H, W)."""

    def forward(self, input: Tensor) -> Any:
        """Return the largest value of each window, and its place if that was asked for."""
        return F.max_pool3d(input, *self._settings())


class _MaxUnpool(Module):
    """What the layers share that put values back where max pooling found them; a subclass says for how many `dims`."""

    dims = 0

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()

        def each(value: Any) -> Any:
            return tuple(value) if isinstance(value, tuple | list) else (value,) * self.dims

        self.kernel_size = each(kernel_size)
        self.stride = self.kernel_size if stride is None else each(stride)
        self.padding = each(padding)

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        """Return zeros with the values of x at their places."""
        put: Any = (F.max_unpool1d, F.max_unpool2d, F.max_unpool3d)[self.dims - 1]
        result: Tensor = put(input, indices, self.kernel_size, self.stride, self.padding, output_size)
        return result


class MaxUnpool1d(_MaxUnpool):
    """MaxUnpool2d for sequences."""

    dims = 1


class MaxUnpool2d(_MaxUnpool):
    """Zeros, with the values that MaxPool2d found put back at the places it found them at.

    Called with both, and with an `output_size` where several sizes lead to the same number of windows.
    """

    dims = 2


class MaxUnpool3d(_MaxUnpool):
    """MaxUnpool2d for volumes."""

    dims = 3


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

    def _pooled(self, pool: Any, x: Tensor, **more: Any) -> Tensor:
        y: Tensor = pool(x, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad, **more)
        return y

    def forward(self, input: Tensor) -> Tensor:
        """Return the mean of each window."""
        return self._pooled(F.avg_pool2d, input, divisor_override=self.divisor_override)


class AvgPool1d(AvgPool2d):
    """AvgPool2d for sequences: x (N, C, L) or (C, L)."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        def single(value: Any) -> Any:
            return tuple(value) if isinstance(value, tuple | list) else (value,)

        kernel = single(kernel_size)
        steps = kernel if stride is None else single(stride)
        super().__init__(kernel, steps, single(padding), ceil_mode, count_include_pad)

    def forward(self, input: Tensor) -> Tensor:
        """Return the mean of each window."""
        return self._pooled(F.avg_pool1d, input)


class AvgPool3d(AvgPool2d):
    """AvgPool2d for volumes: x (N, C, D, H, W) or (C, D, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return the mean of each window."""
        return self._pooled(F.avg_pool3d, input, divisor_override=self.divisor_override)


class _LPPool(Module):
    """What the power-average pooling layers share."""

    def __init__(self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type, self.kernel_size, self.stride, self.ceil_mode = norm_type, kernel_size, stride, ceil_mode

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPool):
    """The `norm_type`-norm of each window of sequences (N, C, L)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return the norm of each window."""
        return F.lp_pool1d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool2d(_LPPool):
    """The `norm_type`-norm of each window of images (N, C, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return the norm of each window."""
        return F.lp_pool2d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool3d(_LPPool):
    """The `norm_type`-norm of each window of volumes (N, C, D, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return the norm of each window."""
        return F.lp_pool3d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)

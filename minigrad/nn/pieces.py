"""Activation layers with two straight pieces or more: hard, shrinking, leaky and scaled ones."""

from __future__ import annotations

from typing import Any

from minigrad import creation
from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn import functional as F
from minigrad.nn.activation import _Inplace
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor


def _also_inplace(text: str, inplace: bool) -> str:
    return text + (", inplace=True" if inplace else "")


class Hardtanh(Module):
    """y = x, but at least `min_val` and at most `max_val`."""

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__()
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        self.inplace = inplace
        if self.min_val >= self.max_val:
            raise ArgumentError(f"max_val must be larger than min_val, got {self.min_val} and {self.max_val}")

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return _also_inplace(f"min_val={self.min_val}, max_val={self.max_val}", self.inplace)

    def forward(self, input: Tensor) -> Tensor:
        """Return x within the bounds."""
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)


class ReLU6(Hardtanh):
    """y = min(max(x, 0), 6)."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return "inplace=True" if self.inplace else ""


class Hardsigmoid(Module):
    """y = 0 where x <= -3, 1 where x >= 3, and x / 6 + 1 / 2 between."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Return the piecewise straight sigmoid of x."""
        return F.hardsigmoid(input, self.inplace)


class Hardswish(Hardsigmoid):
    """y = x * hardsigmoid(x) (Howard et al., 2019, arXiv:1905.02244)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return x * hardsigmoid(x)."""
        return F.hardswish(input, self.inplace)


class _Shrink(Module):
    """An activation that makes small values 0; `lambd` says which."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return str(self.lambd)


class Hardshrink(_Shrink):
    """y = x, but 0 where |x| <= `lambd`."""

    def forward(self, input: Tensor) -> Tensor:
        """Return x without its small values."""
        return F.hardshrink(input, self.lambd)


class Softshrink(_Shrink):
    """y = x moved by `lambd` towards 0, and 0 where |x| <= `lambd`."""

    def forward(self, input: Tensor) -> Tensor:
        """Return x moved towards 0."""
        return F.softshrink(input, self.lambd)


class Tanhshrink(Module):
    """y = x - tanh(x)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return x - tanh(x)."""
        return F.tanhshrink(input)


class Softsign(Module):
    """y = x / (1 + |x|)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return x / (1 + |x|)."""
        return F.softsign(input)


class Threshold(Module):
    """y = x where x > threshold, else `value`."""

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold, self.value, self.inplace = threshold, value, inplace

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return _also_inplace(f"threshold={self.threshold}, value={self.value}", self.inplace)

    def forward(self, input: Tensor) -> Tensor:
        """Return x where it is above the threshold."""
        return F.threshold(input, self.threshold, self.value, self.inplace)


class SELU(_Inplace):
    """y = scale * elu(x, alpha), with the two numbers of Klambauer et al. (2017, arXiv:1706.02515)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return the scaled exponential linear unit of x."""
        return F.selu(input, self.inplace)


class CELU(Module):
    """y = x where x > 0, else alpha * (exp(x / alpha) - 1) (Barron, 2017, arXiv:1704.07483)."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha, self.inplace = alpha, inplace

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return _also_inplace(f"alpha={self.alpha}", self.inplace)

    def forward(self, input: Tensor) -> Tensor:
        """Return the continuously differentiable exponential linear unit of x."""
        return F.celu(input, self.alpha, self.inplace)


class PReLU(Module):
    """y = x where x > 0, else weight * x, with one weight or one for each channel (He et al., 2015, arXiv:1502.01852).

    Shapes: x (N, C, ...), weight (num_parameters,), which is 1 or C; it starts as `init`.
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(creation.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weights to `init`."""
        self.weight.data.fill_(self.init)

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"num_parameters={self.num_parameters}"

    def forward(self, input: Tensor) -> Tensor:
        """Return x where it is above 0, else weight * x."""
        return F.prelu(input, self.weight)


class RReLU(Module):
    """y = x where x > 0, else slope * x, the slope drawn from [lower, upper) in training (Xu et al., arXiv:1505.00853).

    In evaluation the slope is the mean of the two.
    """

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower, self.upper, self.inplace = lower, upper, inplace

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return _also_inplace(f"lower={self.lower}, upper={self.upper}", self.inplace)

    def forward(self, input: Tensor) -> Tensor:
        """Return x where it is above 0, else x times a slope."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class Mish(_Inplace):
    """y = x * tanh(softplus(x)) (Misra, 2019, arXiv:1908.08681)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return x * tanh(softplus(x))."""
        return F.mish(input, self.inplace)


class GLU(Module):
    """y = a * sigmoid(b) for the halves a and b of x along `dim` (Dauphin et al., 2016, arXiv:1612.08083)."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"dim={self.dim}"

    def forward(self, input: Tensor) -> Tensor:
        """Return one half of x, gated by the other."""
        return F.glu(input, self.dim)


class Softmin(Module):
    """y = softmax(-x) along `dim`."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"dim={self.dim}"

    def forward(self, input: Tensor) -> Tensor:
        """Return softmax(-x)."""
        return F.softmin(input, self.dim)


class Softmax2d(Module):
    """y = softmax(x) over the channels of images, (N, C, H, W) or (C, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return the softmax over the channels."""
        if input.ndim not in (3, 4):
            raise ShapeError(f"Softmax2d: expected input to be 3D or 4D, got shape {tuple(input.shape)}")
        return F.softmax(input, -3)

"""Activation layers: functions of each element, gated linear units, and softmax along a dim."""

from __future__ import annotations

from typing import Any

from minigrad import creation
from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn import functional as F
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor


class _Inplace(Module):
    """An activation that can write into its input; `_shown` names the settings that its repr shows besides."""

    _shown: tuple[str, ...] = ()

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        settings = [f"{name}={getattr(self, name)}" for name in self._shown]
        return ", ".join([*settings, "inplace=True"] if self.inplace else settings)


class _AlongDim(Module):
    """An activation along `dim`."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim: Any = dim

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"dim={self.dim}"


class ReLU(_Inplace):
    """y = max(x, 0), of any shape; `inplace` writes into x.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.ReLU()(mg.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return max(x, 0)."""
        return F.relu(input, self.inplace)


class Hardtanh(_Inplace):
    """y = x, but at least `min_val` and at most `max_val`."""

    _shown: tuple[str, ...] = ("min_val", "max_val")

    def __init__(
        self,
        min_val: float = -1.0,
        max_val: float = 1.0,
        inplace: bool = False,
        min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:
        super().__init__(inplace)
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        if self.min_val >= self.max_val:
            raise ArgumentError(f"max_val must be larger than min_val, got {self.min_val} and {self.max_val}")

    def forward(self, input: Tensor) -> Tensor:
        """Return x within the bounds."""
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)


class ReLU6(Hardtanh):
    """y = min(max(x, 0), 6)."""

    _shown = ()

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(0.0, 6.0, inplace)


class LeakyReLU(_Inplace):
    """y = x where x > 0, else negative_slope * x."""

    _shown = ("negative_slope",)

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, input: Tensor) -> Tensor:
        """Return x where x > 0, else negative_slope * x."""
        return F.leaky_relu(input, self.negative_slope, self.inplace)


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


class RReLU(_Inplace):
    """y = x where x > 0, else slope * x, the slope drawn from [lower, upper) in training (Xu et al., arXiv:1505.00853).

    In evaluation the slope is the mean of the two.
    """

    _shown = ("lower", "upper")

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.lower, self.upper = lower, upper

    def forward(self, input: Tensor) -> Tensor:
        """Return x where it is above 0, else x times a slope."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class ELU(_Inplace):
    """y = x where x > 0, else alpha * (exp(x) - 1) (Clevert et al., 2015, arXiv:1511.07289)."""

    _shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        """Return x where x > 0, else alpha * (exp(x) - 1)."""
        return F.elu(input, self.alpha, self.inplace)


class SELU(_Inplace):
    """y = scale * elu(x, alpha), with the two numbers of Klambauer et al. (2017, arXiv:1706.02515)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return the scaled exponential linear unit of x."""
        return F.selu(input, self.inplace)


class CELU(_Inplace):
    """y = x where x > 0, else alpha * (exp(x / alpha) - 1) (Barron, 2017, arXiv:1704.07483)."""

    _shown = ("alpha",)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, input: Tensor) -> Tensor:
        """Return the continuously differentiable exponential linear unit of x."""
        return F.celu(input, self.alpha, self.inplace)


class GELU(Module):
    """y = x * P(Z <= x) for a standard normal Z (Hendrycks & Gimpel, 2016, arXiv:1606.08415).

    `approximate="tanh"` uses the paper's approximation instead of the exact erf.
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"approximate={self.approximate!r}"

    def forward(self, input: Tensor) -> Tensor:
        """Return x * P(Z <= x)."""
        return F.gelu(input, self.approximate)


class SiLU(_Inplace):
    """y = x * sigmoid(x), also called swish."""

    def forward(self, input: Tensor) -> Tensor:
        """Return x * sigmoid(x)."""
        return F.silu(input, self.inplace)


class Mish(_Inplace):
    """y = x * tanh(softplus(x)) (Misra, 2019, arXiv:1908.08681)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return x * tanh(softplus(x))."""
        return F.mish(input, self.inplace)


class Softplus(Module):
    """y = log(1 + exp(beta * x)) / beta, and x itself where beta * x > threshold."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"beta={self.beta}, threshold={self.threshold}"

    def forward(self, input: Tensor) -> Tensor:
        """Return log(1 + exp(beta * x)) / beta."""
        return F.softplus(input, self.beta, self.threshold)


class Sigmoid(Module):
    """y = 1 / (1 + exp(-x))."""

    def forward(self, input: Tensor) -> Tensor:
        """Return 1 / (1 + exp(-x))."""
        return F.sigmoid(input)


class LogSigmoid(Module):
    """y = log(1 / (1 + exp(-x))), exact for x of any size."""

    def forward(self, input: Tensor) -> Tensor:
        """Return log(sigmoid(x))."""
        return F.logsigmoid(input)


class Tanh(Module):
    """y = tanh(x)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return tanh(x)."""
        return F.tanh(input)


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


class Threshold(_Inplace):
    """y = x where x > threshold, else `value`."""

    _shown = ("threshold", "value")

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.threshold, self.value = threshold, value

    def forward(self, input: Tensor) -> Tensor:
        """Return x where it is above the threshold."""
        return F.threshold(input, self.threshold, self.value, self.inplace)


class GLU(_AlongDim):
    """y = a * sigmoid(b) for the halves a and b of x along `dim` (Dauphin et al., 2016, arXiv:1612.08083)."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__(dim)

    def forward(self, input: Tensor) -> Tensor:
        """Return one half of x, gated by the other."""
        return F.glu(input, self.dim)


class Softmax(_AlongDim):
    """y = exp(x) / sum(exp(x)) along `dim`."""

    def forward(self, input: Tensor) -> Tensor:
        """Return exp(x) / sum(exp(x)) along the dim."""
        return F.softmax(input, self.dim)


class Softmin(_AlongDim):
    """y = softmax(-x) along `dim`."""

    def forward(self, input: Tensor) -> Tensor:
        """Return softmax(-x)."""
        return F.softmin(input, self.dim)


class LogSoftmax(_AlongDim):
    """y = x - log(sum(exp(x))) along `dim`."""

    def forward(self, input: Tensor) -> Tensor:
        """Return x - log(sum(exp(x))) along the dim."""
        return F.log_softmax(input, self.dim)


class Softmax2d(Module):
    """y = softmax(x) over the channels of images, (N, C, H, W) or (C, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return the softmax over the channels."""
        if input.ndim not in (3, 4):
            raise ShapeError(f"Softmax2d: expected input to be 3D or 4D, got shape {tuple(input.shape)}")
        return F.softmax(input, -3)

"""Activation layers: functions of each element, and softmax along a dim."""

from __future__ import annotations

from minigrad.nn import functional as F
from minigrad.nn.module import Module
from minigrad.tensor import Tensor


class _Inplace(Module):
    """An activation that can write into its input."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return "inplace=True" if self.inplace else ""


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


class LeakyReLU(Module):
    """y = x where x > 0, else negative_slope * x."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope, self.inplace = negative_slope, inplace

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"negative_slope={self.negative_slope}" + (", inplace=True" if self.inplace else "")

    def forward(self, input: Tensor) -> Tensor:
        """Return x where x > 0, else negative_slope * x."""
        return F.leaky_relu(input, self.negative_slope, self.inplace)


class ELU(Module):
    """y = x where x > 0, else alpha * (exp(x) - 1) (Clevert et al., 2015, arXiv:1511.07289)."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha, self.inplace = alpha, inplace

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"alpha={self.alpha}" + (", inplace=True" if self.inplace else "")

    def forward(self, input: Tensor) -> Tensor:
        """Return x where x > 0, else alpha * (exp(x) - 1)."""
        return F.elu(input, self.alpha, self.inplace)


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


class Softmax(Module):
    """y = exp(x) / sum(exp(x)) along `dim`."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"dim={self.dim}"

    def forward(self, input: Tensor) -> Tensor:
        """Return exp(x) / sum(exp(x)) along the dim."""
        return F.softmax(input, self.dim)


class LogSoftmax(Module):
    """y = x - log(sum(exp(x))) along `dim`."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"dim={self.dim}"

    def forward(self, input: Tensor) -> Tensor:
        """Return x - log(sum(exp(x))) along the dim."""
        return F.log_softmax(input, self.dim)

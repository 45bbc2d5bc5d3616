"""The dense layer, and the layer that does nothing."""

from __future__ import annotations

import math
from typing import Any

from minigrad import creation
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor


class Linear(Module):
    """y = x W^T + b, the dense layer; its short name is `Dense`.

    Shapes: x (..., in_features), weight (out_features, in_features), bias (out_features,), y (..., out_features).
    Weight and bias start uniform in +-1/sqrt(in_features). Raises ShapeError if the last dim of x is not in_features.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.Dense(3, 2)(mg.zeros(5, 3)).shape
    minigrad.Size([5, 2])
    """

    bias: Parameter | None

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(creation.empty(out_features, in_features, device=device, dtype=dtype))
        self.bias = Parameter(creation.empty(out_features, device=device, dtype=dtype)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias anew."""
        reset_weight_and_bias(self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"

    def forward(self, input: Tensor) -> Tensor:
        """Return input W^T + b."""
        return F.linear(input, self.weight, self.bias)


class Identity(Module):
    """y = x; any arguments of the constructor are ignored."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        """Return the input."""
        return input


def reset_weight_and_bias(weight: Tensor, bias: Tensor | None) -> None:
    """Draw both uniformly from +-1/sqrt(fan_in), the weight first (PyTorch's default for dense and conv layers)."""
    init.kaiming_uniform_(weight, a=math.sqrt(5))
    fan_in, _ = init.fans(weight)
    if bias is not None and fan_in:
        init.uniform_(bias, -1 / math.sqrt(fan_in), 1 / math.sqrt(fan_in))

"""The dense layer, and the bilinear one."""

from __future__ import annotations

from minigrad.errors import ShapeError
from minigrad.ops import linalg as _linalg
from minigrad.tensor import Tensor


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return input @ weight^T + bias, for input (..., in), weight (out, in) and bias (out,)."""
    return _linalg.linear(input, weight, bias)


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return x1^T weight[o] x2 + bias[o] for each o: inputs (..., I) and (..., J), weight (O, I, J), bias (O,).

    Raises ShapeError if these do not fit together.
    """
    out, first, second = weight.shape
    if input1.shape[:-1] != input2.shape[:-1] or (input1.shape[-1], input2.shape[-1]) != (first, second):
        raise ShapeError(
            f"bilinear: inputs of shapes {tuple(input1.shape)} and {tuple(input2.shape)} do not fit the weight "
            f"{tuple(weight.shape)}, which wants (..., {first}) and (..., {second})"
        )
    by_first = input1.reshape(-1, first) @ weight.permute(1, 0, 2).reshape(first, out * second)
    y = (by_first.reshape(-1, out, second) * input2.reshape(-1, 1, second)).sum(-1)
    return (y if bias is None else y + bias).reshape(*input1.shape[:-1], out)

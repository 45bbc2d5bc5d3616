"""Batch norms merged into the layer before them, for models that are not trained any more."""

from __future__ import annotations

import copy
from typing import Any

from minigrad.creation import zeros_like
from minigrad.errors import ArgumentError
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Return the weight and bias of a convolution that does what it and a batch norm after it did.

    `bn_rm` and `bn_rv` are the running mean and variance; with `transpose` the weight's second dim counts the outputs.
    """
    factor = (bn_rv + bn_eps).rsqrt() * (1.0 if bn_w is None else bn_w)
    shift = (0.0 if conv_b is None else conv_b) - bn_rm
    across = (1, -1) if transpose else (-1, 1)
    weight = conv_w * factor.reshape(*across, *(1,) * (conv_w.ndim - 2))
    bias = shift * factor + (zeros_like(bn_rm) if bn_b is None else bn_b)
    trained = True if conv_b is None else conv_b.requires_grad
    return Parameter(weight.detach(), conv_w.requires_grad), Parameter(bias.detach(), trained)


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor,
    bn_b: Tensor,
) -> tuple[Parameter, Parameter]:
    """Return the weight and bias of a linear layer that does what it and a batch norm after it did."""
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """Return a convolution that does what it and the batch norm `bn` did; raises ArgumentError in training."""
    return _fused("Fusion only for eval!", conv, bn, transpose)


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """Return a copy of a linear layer that does what it and the batch norm `bn` did. Raises ArgumentError in training.

    It also raises ArgumentError unless `bn` has one feature or as many as the layer's output.
    """
    if linear.out_features != bn.num_features and bn.num_features != 1:
        raise ArgumentError("To fuse, linear.out_features == bn.num_features or bn.num_features == 1")
    return _fused("Fusion only for eval!", linear, bn, False)


def _fused(refusal: str, layer: Any, bn: Any, transpose: bool) -> Any:
    if layer.training or bn.training:
        raise ArgumentError(refusal)
    if bn.running_mean is None or bn.running_var is None:
        raise ArgumentError("a batch norm can be fused only if it keeps running statistics")
    fused = copy.deepcopy(layer)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        fused.weight, fused.bias, bn.running_mean, bn.running_var, bn.eps, bn.weight, bn.bias, transpose
    )
    return fused

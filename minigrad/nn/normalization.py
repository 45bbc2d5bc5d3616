"""Normalisation layers: over the batch, and over the features of each sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import creation
from minigrad.errors import ShapeError
from minigrad.nn import functional as F
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor


class Affine(Module):
    """A layer that ends with y * weight + bias; either may be None."""

    weight: Parameter | None
    bias: Parameter | None

    def _make_parameters(self, shape: Any, weight: bool, bias: bool, device: Any, dtype: Any) -> None:
        self.weight = Parameter(creation.ones(shape, device=device, dtype=dtype)) if weight else None
        self.bias = Parameter(creation.zeros(shape, device=device, dtype=dtype)) if weight and bias else None

    def reset_parameters(self) -> None:
        """Set the weight to 1 and the bias to 0."""
        if self.weight is not None:
            self.weight.data.fill_(1)
        if self.bias is not None:
            self.bias.data.zero_()


class BatchNorm(Affine):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, with mean and variance of each channel (Ioffe & Szegedy, 2015).

    Shapes: x (N, C) or (N, C, ...), all else (C,), where C is num_features. In training the statistics are the batch's,
    and the running ones move towards them by `momentum` (None: a plain average over all batches); in evaluation the
    running ones are used. Raises ShapeError if a channel has a single value in training. (arXiv:1502.03167)

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.BatchNorm(1)(mg.tensor([[0.0], [2.0]])).tolist()
    [[-0.9999949932098389], [0.9999949932098389]]
    """

    ranks: tuple[int, ...] = ()
    """How many dims the input may have; any from 2 on if empty."""

    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self._make_parameters(num_features, affine, bias, device, dtype)
        track = track_running_stats
        self.register_buffer("running_mean", creation.zeros(num_features, dtype=dtype) if track else None)
        self.register_buffer("running_var", creation.ones(num_features, dtype=dtype) if track else None)
        self.register_buffer("num_batches_tracked", creation.zeros((), dtype=np.int64) if track else None)

    def reset_running_stats(self) -> None:
        """Forget the running statistics."""
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            self.running_mean.zero_()
            self.running_var.fill_(1)
            self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Forget the running statistics, and set the weight to 1 and the bias to 0."""
        self.reset_running_stats()
        super().reset_parameters()

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}"
        )

    def forward(self, input: Tensor) -> Tensor:
        """Return x normalised; in training this moves the running statistics."""
        self._check_rank(input)
        mean = self.running_mean
        use_batch = self.training or mean is None
        return F.batch_norm(input, mean, self.running_var, self.weight, self.bias, use_batch, self._step(), self.eps)

    def _step(self) -> float:
        """Count a batch of training; return how far the running statistics move towards it."""
        if not self.training or self.num_batches_tracked is None:
            return self.momentum or 0.0
        self.num_batches_tracked.add_(1)
        return 1 / self.num_batches_tracked.item() if self.momentum is None else self.momentum

    def _check_rank(self, x: Tensor) -> None:
        shape = x._data.shape
        if len(shape) < 2 or (self.ranks and len(shape) not in self.ranks):
            wanted = " or ".join(f"{r}D" for r in self.ranks) or "at least 2D"
            raise ShapeError(f"expected {wanted} input (got {len(shape)}D input of shape {shape})")
        if shape[1] != self.num_features:
            raise ShapeError(
                f"batch_norm: the input has {shape[1]} channels (axis 1 of shape {shape}), this layer was "
                f"made for {self.num_features}"
            )


class BatchNorm1d(BatchNorm):
    """BatchNorm for (N, C) or (N, C, L)."""

    ranks = (2, 3)


class BatchNorm2d(BatchNorm):
    """BatchNorm for images, (N, C, H, W)."""

    ranks = (4,)


class BatchNorm3d(BatchNorm):
    """BatchNorm for volumes, (N, C, D, H, W)."""

    ranks = (5,)


class LayerNorm(Affine):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, over the last dims of each sample (Ba et al., 2016).

    Shapes: x (..., *normalized_shape), weight and bias of `normalized_shape`. (arXiv:1607.06450)
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...] | list[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        one = isinstance(normalized_shape, int)
        self.normalized_shape: tuple[int, ...] = (normalized_shape,) if one else tuple(normalized_shape)  # type: ignore
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self._make_parameters(self.normalized_shape, elementwise_affine, bias, device, dtype)

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
            f"bias={self.bias is not None}"
        )

    def forward(self, input: Tensor) -> Tensor:
        """Return x normalised over its last dims."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

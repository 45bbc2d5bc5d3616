"""Normalisation layers within each sample: by groups of channels, by channel, by mean square."""

from __future__ import annotations

from typing import Any

from minigrad import creation
from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn import functional as F
from minigrad.nn.module import Module
from minigrad.nn.normalization import Affine, BatchNorm
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor


class GroupNorm(Affine):
    """y = (x - mean) / sqrt(var + eps) * weight + bias, over each of `num_groups` groups of channels of a sample.

    Shapes: x (N, C, ...), weight and bias (C,), where C is num_channels. (Wu & He, 2018, arXiv:1803.08494)

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.GroupNorm(2, 6)(mg.zeros(4, 6, 8, 8)).shape
    minigrad.Size([4, 6, 8, 8])
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ArgumentError(f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})")
        self.num_groups, self.num_channels, self.eps, self.affine = num_groups, num_channels, eps, affine
        self._make_parameters(num_channels, affine, bias, device, dtype)

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )

    def forward(self, input: Tensor) -> Tensor:
        """Return x normalised by groups."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)


class _InstanceNorm(BatchNorm):
    """y = (x - mean) / sqrt(var + eps), over each channel of each sample (Ulyanov et al., 2016, arXiv:1607.08022).

    Without weight, bias and running statistics unless asked for; an input of one dim less is a sample by itself.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype, bias=bias)

    def forward(self, input: Tensor) -> Tensor:
        """Return x normalised."""
        if input.ndim not in self.ranks:
            raise ShapeError(f"expected {self.ranks[0]}D or {self.ranks[1]}D input (got {input.ndim}D input)")
        single = input.ndim == self.ranks[0]
        batch = input.unsqueeze(0) if single else input
        if self.affine and batch.shape[1] != self.num_features:
            raise ShapeError(
                f"expected input's size at dim={0 if single else 1} to match num_features ({self.num_features}), but "
                f"got: {batch.shape[1]}."
            )
        use_input = self.training or not self.track_running_stats
        y = F.instance_norm(
            batch,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            use_input,
            self.momentum or 0.0,
            self.eps,
        )
        return y.squeeze(0) if single else y


class InstanceNorm1d(_InstanceNorm):
    """Instance normalisation of sequences, (N, C, L) or (C, L)."""

    ranks = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Instance normalisation of images, (N, C, H, W) or (C, H, W)."""

    ranks = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Instance normalisation of volumes, (N, C, D, H, W) or (C, D, H, W)."""

    ranks = (4, 5)


class LocalResponseNorm(Module):
    """y = x / (k + alpha * mean of the squares over `size` neighbouring channels)^beta, for x (N, C, ...)."""

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"

    def forward(self, input: Tensor) -> Tensor:
        """Return x normalised by its neighbours."""
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)


class RMSNorm(Module):
    """y = x / sqrt(mean(x^2) + eps) * weight, over the last dims (Zhang & Sennrich, 2019, arXiv:1910.07467).

    `eps` is by default the smallest step of the dtype at 1.
    """

    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...] | list[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        self.normalized_shape, self.eps, self.elementwise_affine = shape, eps, elementwise_affine
        self.weight = Parameter(creation.ones(shape, device=device, dtype=dtype)) if elementwise_affine else None

    def reset_parameters(self) -> None:
        """Set the weight to 1."""
        if self.weight is not None:
            self.weight.data.fill_(1)

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"

    def forward(self, input: Tensor) -> Tensor:
        """Return x divided by the root of its mean square."""
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

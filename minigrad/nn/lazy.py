"""Layers that learn the size of their input at the first call: their weights are made, and drawn, only then.

A lazy layer is of a class of its own, with parameters that have no shape yet. The first forward, or a state dict that
is loaded, gives them one; from then on the layer is an ordinary one. The parameters stay the same objects, so that an
optimiser made before goes on working.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad import creation
from minigrad.arraylike import Size
from minigrad.errors import ArgumentError, GraphError, ShapeError
from minigrad.nn.calling import count_registration
from minigrad.nn.conv import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
    _ConvNd,
)
from minigrad.nn.groups import InstanceNorm1d, InstanceNorm2d, InstanceNorm3d, _InstanceNorm
from minigrad.nn.linear import Linear
from minigrad.nn.module import Module
from minigrad.nn.normalization import BatchNorm, BatchNorm1d, BatchNorm2d, BatchNorm3d
from minigrad.nn.parameter import Buffer, Parameter
from minigrad.tensor import Tensor


class _Uninitialized(Tensor):
    """A tensor whose shape is not known yet."""

    kind: type[Tensor]

    @property
    def shape(self) -> Size:
        """Raise GraphError: there is none."""
        raise GraphError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
            "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` "
            "to initialize the parameters before accessing their attributes."
        )

    def detach(self) -> Tensor:
        """Return itself: there is nothing to detach."""
        return self

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become an ordinary parameter or buffer, of that shape and with unset elements."""
        made = creation.empty(*shape, device=device, dtype=dtype or self.dtype)
        self._data, self._storage = made._data, made._storage
        self.__class__ = self.kind  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class UninitializedParameter(_Uninitialized, Parameter):
    """A parameter whose shape is not known yet; see `materialize`."""

    kind = Parameter

    def __init__(self, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(creation.empty(0, device=device, dtype=dtype), requires_grad)


class UninitializedBuffer(_Uninitialized, Buffer):
    """A buffer whose shape is not known yet; see `materialize`."""

    kind = Buffer

    def __init__(self, requires_grad: bool = False, device: Any = None, dtype: Any = None) -> None:
        super().__init__(creation.empty(0, device=device, dtype=dtype))


class LazyModule(Module):
    """What the lazy layers share: they wait for a first input, and then become the class `becomes`."""

    becomes: type[Module]

    def _wait(self) -> None:
        self.__dict__["_waiting"] = self.register_forward_pre_hook(_first_call)

    def has_uninitialized_params(self) -> bool:
        """Return whether a shape is still to come."""
        tensors = (*self._parameters.values(), *self._buffers.values())
        return any(isinstance(t, _Uninitialized) for t in tensors)

    def reset_parameters(self) -> None:
        """Draw the parameters anew, once they have a shape."""
        if not self.has_uninitialized_params():
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, x: Tensor) -> None:
        """Take the sizes from an input, and make and draw the parameters that have no shape yet."""
        shapes = self._shapes(x)
        if self.has_uninitialized_params():
            for name, shape in shapes.items():
                tensor = getattr(self, name)
                if isinstance(tensor, _Uninitialized):
                    tensor.materialize(shape)
            self.reset_parameters()

    def _shapes(self, x: Tensor) -> dict[str, tuple[int, ...]]:
        """Note the sizes that an input has, and return the shapes of the parameters by name."""
        raise NotImplementedError(f"{type(self).__name__} does not say what it takes from its input")

    def _before_loading(self, state: Mapping[str, Any], prefix: str) -> None:
        """Give the parameters the shapes they have in a state dict that is about to be loaded."""
        for table in (self._parameters, self._buffers):
            for name, tensor in table.items():
                given = state.get(prefix + name)
                if isinstance(tensor, _Uninitialized) and given is not None and not isinstance(given, _Uninitialized):
                    tensor.materialize(given.shape)


def _first_call(layer: LazyModule, args: tuple[Any, ...]) -> None:
    """Initialise the layer, and let it become an ordinary one."""
    layer.initialize_parameters(*args)
    layer.__dict__.pop("_waiting").remove()
    layer.__class__ = layer.becomes  # type: ignore[assignment]
    count_registration()


class LazyLinear(LazyModule, Linear):
    """Linear whose `in_features` are the last dim of its first input.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> layer = nn.LazyLinear(2)
    >>> layer(mg.zeros(5, 3)).shape, layer
    (minigrad.Size([5, 2]), Linear(in_features=3, out_features=2, bias=True))
    """

    becomes = Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None) -> None:
        super().__init__(0, 0, False)
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.bias = UninitializedParameter(device=device, dtype=dtype) if bias else None
        self.out_features = out_features
        self._wait()

    def _shapes(self, x: Tensor) -> dict[str, tuple[int, ...]]:
        self.in_features = x.shape[-1]
        return {"weight": (self.out_features, self.in_features), "bias": (self.out_features,)}


class _LazyConv(LazyModule, _ConvNd):
    """What the lazy convolutions share."""

    def _leave_open(self, out_channels: int, bias: bool, device: Any, dtype: Any) -> None:
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        self.bias = UninitializedParameter(device=device, dtype=dtype) if bias else None
        self.out_channels = out_channels
        self._wait()

    def _shapes(self, x: Tensor) -> dict[str, tuple[int, ...]]:
        if x.ndim not in (self.dims + 1, self.dims + 2):
            raise ShapeError(
                f"Expected {self.dims + 1}D (unbatched) or {self.dims + 2}D (batched) input to "
                f"{type(self).__name__}, but got input of size: {list(x.shape)}"
            )
        self.in_channels = x.shape[-self.dims - 1]
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ArgumentError("in_channels and out_channels must be divisible by groups")
        outer, inner = self.out_channels, self.in_channels
        if self.transposed:
            outer, inner = inner, outer
        return {"weight": (outer, inner // self.groups, *self.kernel_size), "bias": (self.out_channels,)}


class _LazyPlainConv(_LazyConv):
    def __init__(
        self,
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
    ) -> None:
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode)
        self._leave_open(out_channels, bias, device, dtype)


class _LazyConvTranspose(_LazyConv):
    def __init__(
        self,
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
        super().__init__(0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode)
        self._leave_open(out_channels, bias, device, dtype)


class _LazyNorm(LazyModule, BatchNorm):
    """What the lazy normalisation layers share."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__(0, eps, momentum, False, False)
        self.affine, self.track_running_stats = affine, track_running_stats
        if affine:
            self.weight = UninitializedParameter(device=device, dtype=dtype)
            self.bias = UninitializedParameter(device=device, dtype=dtype) if bias else None
        if track_running_stats:
            self.running_mean = UninitializedBuffer(device=device, dtype=dtype)
            self.running_var = UninitializedBuffer(device=device, dtype=dtype)
            self.num_batches_tracked = creation.zeros((), dtype=np.int64)
        self._wait()

    def _shapes(self, x: Tensor) -> dict[str, tuple[int, ...]]:
        unbatched = issubclass(self.becomes, _InstanceNorm) and x.ndim == self.ranks[0]
        self.num_features = x.shape[0 if unbatched else 1]
        return dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (self.num_features,))


class LazyConv1d(_LazyPlainConv, Conv1d):
    """Conv1d whose `in_channels` are those of its first input."""

    becomes = Conv1d


class LazyConv2d(_LazyPlainConv, Conv2d):
    """Conv2d whose `in_channels` are those of its first input."""

    becomes = Conv2d


class LazyConv3d(_LazyPlainConv, Conv3d):
    """Conv3d whose `in_channels` are those of its first input."""

    becomes = Conv3d


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):
    """ConvTranspose1d whose `in_channels` are those of its first input."""

    becomes = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):
    """ConvTranspose2d whose `in_channels` are those of its first input."""

    becomes = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):
    """ConvTranspose3d whose `in_channels` are those of its first input."""

    becomes = ConvTranspose3d


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):
    """BatchNorm1d whose `num_features` are the channels of its first input."""

    becomes = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):
    """BatchNorm2d whose `num_features` are the channels of its first input."""

    becomes = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):
    """BatchNorm3d whose `num_features` are the channels of its first input."""

    becomes = BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, InstanceNorm1d):
    """InstanceNorm1d whose `num_features` are the channels of its first input."""

    becomes = InstanceNorm1d


class LazyInstanceNorm2d(_LazyNorm, InstanceNorm2d):
    """InstanceNorm2d whose `num_features` are the channels of its first input."""

    becomes = InstanceNorm2d


class LazyInstanceNorm3d(_LazyNorm, InstanceNorm3d):
    """InstanceNorm3d whose `num_features` are the channels of its first input."""

    becomes = InstanceNorm3d

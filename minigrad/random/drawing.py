"""What all draws share: the checks of their arguments, and the order in which numbers are laid into memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.arraylike import check_device, sizes_of
from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, DTypeError, ShapeError
from minigrad.kernels.stream import Stream
from minigrad.tensor import Tensor, wrap


def float_kind(name: str, dtype: Any) -> np.dtype[Any]:
    """Return the NumPy dtype for `dtype`. Raises DTypeError for one that is not of floats."""
    kind = dtypes.chosen(dtype)
    if kind.kind != "f":
        raise DTypeError(f"{name}: expected a floating point dtype, got {kind}; draw floats and convert them")
    return kind


def sizes(name: str, size: tuple[Any, ...]) -> tuple[tuple[int, ...], int]:
    """Return a shape given as `size`, and its number of elements. Raises ShapeError for a negative size."""
    shape = sizes_of(size)
    if any(n < 0 for n in shape):
        raise ShapeError(f"{name}: Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    return shape, int(np.prod(shape, dtype=np.int64))


def made(values: Array, requires_grad: bool, device: Any, out: Tensor | None = None) -> Tensor:
    """Return draws as a new tensor, or in `out`, which must have their shape."""
    check_device(device)
    if out is None:
        return wrap(values).requires_grad_(requires_grad)
    if out.shape != values.shape:
        raise ShapeError(f"out has shape {tuple(out.shape)}, the numbers drawn have shape {values.shape}")
    return out.copy_(wrap(values))


def whole_numbers(stream: Stream, count: int, low: int, high: int, kind: np.dtype[Any]) -> Array:
    """Return whole numbers from [low, high). Raises ArgumentError for an empty range or one that `kind` lacks."""
    if low >= high:
        raise ArgumentError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    first, last = whole_range(kind)
    if low < first or high - 1 > last:
        raise ArgumentError(f"random_: the range [{low}, {high}) is out of bounds for {kind}: [{first}, {last}]")
    return stream.integers(count, low, high - low).astype(kind)


def whole_range(kind: np.dtype[Any]) -> tuple[int, int]:
    """Return the least and the greatest whole number up to which `kind` holds every one."""
    if kind.kind == "f":
        most = 2 ** (np.finfo(kind).nmant + 1)
        return -most, most
    return (0, 1) if kind.kind == "b" else (int(np.iinfo(kind).min), int(np.iinfo(kind).max))


def fill(tensor: Tensor, draw: Callable[[int], Array]) -> Tensor:
    """Write draws into `tensor`, which is recorded as any other write is; what refuses to be written costs no draw."""
    tensor._check_writable()
    return tensor.fill_(wrap(draw_like(tensor, draw)))


def draw_like(tensor: Tensor, draw: Callable[[int], Array]) -> Array:
    """Return draws for all elements of `tensor`, in the order in which they lie in the memory the program sees."""
    strides = tensor.stride()
    order = sorted(range(tensor.ndim), key=lambda d: -strides[d])
    values = draw(tensor.numel()).reshape([tensor.shape[d] for d in order])
    return values.transpose(np.argsort(order)) if order else values


def compared(kind: np.dtype[Any]) -> Any:
    """Return the dtype of the uniform numbers that probabilities of dtype `kind` are compared with."""
    return np.float64 if kind == np.float64 else np.float32


def check_std(name: str, std: Any) -> None:
    """Raise ArgumentError for a negative standard deviation."""
    if std < 0:
        raise ArgumentError(f"{name} expects std >= 0.0, but found std {std}")


def check_probabilities(name: str, p: Array) -> None:
    """Raise ArgumentError for what is no probability."""
    if not ((p >= 0) & (p <= 1)).all():
        raise ArgumentError(f"{name} expects p to be in [0, 1], but got p={p if p.ndim == 0 else p.min()}")

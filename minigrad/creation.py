"""Making tensors from data, and from a shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.arraylike import check_device, sizes_of
from minigrad.dtypes import Array
from minigrad.errors import DTypeError, ShapeError
from minigrad.tensor import Tensor, wrap

__all__ = [
    "arange",
    "as_tensor",
    "empty",
    "empty_like",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "linspace",
    "ones",
    "ones_like",
    "tensor",
    "zeros",
    "zeros_like",
]


def tensor(data: Any, *, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Return a tensor with a copy of `data`: numbers, nested lists, an array or a tensor.

    Python floats become float32 and ints int64; arrays keep their dtype. Raises DTypeError for what is not numeric.

    >>> tensor([[1, 2], [3, 4]]).dtype, tensor(2.5).dtype
    (minigrad.int64, minigrad.float32)
    """
    array = _array(data)
    kind = dtypes.numpy_dtype(dtype) if dtype is not None else _natural(data, array)
    return _made(np.array(array, kind, order="C"), requires_grad, device)


def as_tensor(data: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Return `data` as a tensor, sharing memory where it is an array or tensor of the right dtype."""
    check_device(device)
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    if isinstance(data, np.ndarray) and (dtype is None or dtypes.numpy_dtype(dtype) == data.dtype):
        return from_numpy(data)
    return tensor(data, dtype=dtype)


def from_numpy(array: Array) -> Tensor:
    """Return a tensor on the memory of `array`: writes to one show in the other, unseen by the saved-value check."""
    if not isinstance(array, np.ndarray):
        raise DTypeError(f"expected np.ndarray (got {type(array).__name__})")
    dtypes.of(array.dtype)
    result = wrap(array)
    result._storage.shared = result._storage.foreign = True
    return result


def _array(data: Any) -> Array:
    if isinstance(data, Tensor):
        return data._data
    if isinstance(data, list | tuple) and any(isinstance(x, Tensor) for x in data):
        return np.array([_array(x) for x in data])
    try:
        return np.asarray(data)
    except ValueError:
        raise ShapeError(
            f"cannot make a tensor of {data!r:.80}: its lists are not all of one length (or too deep)"
        ) from None


def _natural(data: Any, array: Array) -> np.dtype[Any]:
    """Return the dtype `data` has by itself: that of its array if it is one, else that of Python's numbers."""
    if array.dtype.kind not in "biuf":
        raise DTypeError(f"cannot make a tensor of {type(data).__name__} {data!r:.60}: its elements are not numbers")
    if isinstance(data, np.ndarray | np.generic | Tensor):
        return dtypes.of(array.dtype).dtype
    inside = data
    while isinstance(inside, list | tuple) and inside:
        inside = inside[0]
    if isinstance(inside, np.ndarray | np.generic | Tensor):
        return dtypes.of(array.dtype).dtype
    return np.dtype(np.float32) if array.dtype.kind == "f" else array.dtype


def _made(array: Array, requires_grad: bool, device: Any) -> Tensor:
    """Return a new tensor on `array`; raises ArgumentError for a device other than the CPU."""
    check_device(device)
    return wrap(array).requires_grad_(requires_grad)


def zeros(*size: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Return zeros of shape `size`; float32 by default."""
    return _made(np.zeros(sizes_of(size), dtypes.chosen(dtype)), requires_grad, device)


def ones(*size: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Return ones of shape `size`; float32 by default."""
    return _made(np.ones(sizes_of(size), dtypes.chosen(dtype)), requires_grad, device)


def empty(*size: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Return a tensor of shape `size` whose elements are whatever was in memory."""
    return _made(np.empty(sizes_of(size), dtypes.chosen(dtype)), requires_grad, device)


def full(size: Any, fill_value: Any, *, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Return `fill_value` in every element of shape `size`; its dtype is that of the value by default."""
    value = _number(fill_value)
    kind = dtypes.scalar_dtype(value) if dtype is None else dtypes.chosen(dtype)
    return _made(np.full(sizes_of((size,)), value, kind), requires_grad, device)


def zeros_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Return zeros of the shape and, by default, the dtype of `input`."""
    return zeros(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad, device=device)


def ones_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Return ones of the shape and, by default, the dtype of `input`."""
    return ones(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad, device=device)


def empty_like(input: Tensor, *, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Return unset elements of the shape and, by default, the dtype of `input`."""
    return empty(input.shape, dtype=dtype or input.dtype, requires_grad=requires_grad, device=device)


def full_like(
    input: Tensor, fill_value: Any, *, dtype: Any = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """Return `fill_value` in the shape and, by default, the dtype of `input`."""
    return full(tuple(input.shape), fill_value, dtype=dtype or input.dtype, requires_grad=requires_grad, device=device)


def arange(
    *bounds: Any,
    start: Any = 0,
    end: Any = None,
    step: Any = 1,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Return start, start + step, ... below end: `arange(end)`, `arange(start, end)`, `arange(start, end, step)`.

    >>> arange(1, 2, 0.5)
    tensor([1.0000, 1.5000])
    """
    if len(bounds) == 1 and end is None:
        bounds = (start, *bounds)
    values = [_number(b) for b in (*bounds, *(start, end, step)[len(bounds) :])]
    natural: Any = int if all(isinstance(v, int | np.integer) for v in values) else dtypes.DEFAULT
    start, end, step = values
    count = max(int(np.ceil((end - start) / step)), 0)
    array = start + np.arange(count, dtype=np.int64 if natural is int else np.float64) * step
    return _made(array.astype(dtypes.chosen(dtype, natural)), requires_grad, device)


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, Tensor) else value


def linspace(
    start: float, end: float, steps: int, *, dtype: Any = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """Return `steps` evenly spaced values from `start` to `end`, both included."""
    return _made(np.linspace(_number(start), _number(end), steps).astype(dtypes.chosen(dtype)), requires_grad, device)


def eye(n: int, m: int | None = None, *, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Return the n x m matrix (m = n by default) with ones on its diagonal."""
    return _made(np.eye(n, m, dtype=dtypes.chosen(dtype)), requires_grad, device)

"""Making tensors from data, and from a shape.

What they all take by name: `dtype`, `requires_grad`, `device` (only the CPU), and `out`, a tensor to write. `layout`,
`pin_memory` and `memory_format` are accepted: they do not change what a program can see here.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.arraylike import array_from, sizes_of
from minigrad.devices import check_device
from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, DTypeError
from minigrad.kernels import ranges
from minigrad.tensor import Tensor, wrap

__all__ = [
    "arange",
    "as_tensor",
    "asarray",
    "empty",
    "empty_like",
    "empty_strided",
    "eye",
    "from_numpy",
    "full",
    "full_like",
    "linspace",
    "logspace",
    "ones",
    "ones_like",
    "range",
    "scalar_tensor",
    "sparse_coo_tensor",
    "tensor",
    "tril_indices",
    "triu_indices",
    "zeros",
    "zeros_like",
]


def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """Return a tensor with a copy of `data`: numbers, nested lists, an array or a tensor.

    Python floats become float32 and ints int64; arrays keep their dtype. Raises DTypeError for what is not numeric.

    >>> tensor([[1, 2], [3, 4]]).dtype, tensor(2.5).dtype
    (minigrad.int64, minigrad.float32)
    """
    array = array_from(data)
    kind = dtypes.numpy_dtype(dtype) if dtype is not None else _natural(data, array)
    return _made(np.array(array, kind, order="C"), requires_grad, device)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """Return `data` as a tensor, sharing memory where it is an array or tensor of the right dtype."""
    check_device(device)
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    if isinstance(data, np.ndarray) and (dtype is None or dtypes.numpy_dtype(dtype) == data.dtype):
        return from_numpy(data)
    return tensor(data, dtype=dtype)


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """Return `obj` as a tensor: a copy if `copy`, else sharing memory where that is possible."""
    result = tensor(obj, dtype=dtype, device=device) if copy else as_tensor(obj, dtype, device)
    return result.requires_grad_() if requires_grad else result


def scalar_tensor(s: Any, *, dtype: Any = None, **how: Any) -> Tensor:
    """Return a number as a 0-d tensor, float32 by default."""
    return full((), s, dtype=dtype or dtypes.DEFAULT, **how)


def from_numpy(ndarray: Array) -> Tensor:
    """Return a tensor on the memory of `ndarray`: writes to one show in the other, unseen by the saved-value check."""
    if not isinstance(ndarray, np.ndarray):
        raise DTypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    dtypes.of(ndarray.dtype)
    result = wrap(ndarray)
    result._storage.shared = result._storage.foreign = True
    return result


def _natural(data: Any, array: Array) -> np.dtype[Any]:
    """Return the dtype `data` has by itself: that of its array if it is one, else that of Python's numbers."""
    if array.dtype.kind not in "biuf":
        raise DTypeError(f"cannot make a tensor of {type(data).__name__} {data!r:.60}: its elements are not numbers")
    if isinstance(data, np.ndarray | np.generic | Tensor):
        return dtypes.of(array.dtype).dtype
    inside = data
    while isinstance(inside, list | tuple) and len(inside):
        inside = inside[0]
    if isinstance(inside, np.ndarray | np.generic | Tensor):
        return dtypes.of(array.dtype).dtype
    return dtypes.DEFAULT if array.dtype.kind == "f" else array.dtype


def _made(
    array: Array, requires_grad: bool = False, device: Any = None, out: Tensor | None = None, layout: Any = None,
    pin_memory: bool = False, memory_format: Any = None, names: Any = None,
) -> Tensor:  # fmt: skip
    """Return a new tensor on `array`, or `out` with its values; raises ArgumentError for a device that is not there."""
    check_device(device)
    if out is not None:
        return out.resize_(array.shape).copy_(wrap(array))
    return wrap(array).requires_grad_(requires_grad)


def zeros(*size: Any, dtype: Any = None, **how: Any) -> Tensor:
    """Return zeros of shape `size`; float32 by default."""
    return _made(np.zeros(_size(size, how), dtypes.chosen(dtype)), **how)


def ones(*size: Any, dtype: Any = None, **how: Any) -> Tensor:
    """Return ones of shape `size`; float32 by default."""
    return _made(np.ones(_size(size, how), dtypes.chosen(dtype)), **how)


def empty(*size: Any, dtype: Any = None, **how: Any) -> Tensor:
    """Return a tensor of shape `size` whose elements are whatever was in memory."""
    return _made(np.empty(_size(size, how), dtypes.chosen(dtype)), **how)


def _size(size: tuple[Any, ...], how: dict[str, Any]) -> tuple[int, ...]:
    return sizes_of((how.pop("size"),) if "size" in how else size)


def empty_strided(size: Any, stride: Any, *, dtype: Any = None, **how: Any) -> Tensor:
    """Return a tensor of shape `size` whose elements are whatever was in memory; its strides are its own affair."""
    return empty(size, dtype=dtype, **how)


def full(size: Any, fill_value: Any, *, dtype: Any = None, **how: Any) -> Tensor:
    """Return `fill_value` in every element of shape `size`; its dtype is that of the value by default.

    Raises DTypeError for a value that requires grad, which the result would not have: multiply `ones(size)` by it.
    """
    value = _number(fill_value, "full", "fill_value")
    kind = dtypes.scalar_dtype(value) if dtype is None else dtypes.chosen(dtype)
    return _made(np.full(sizes_of((size,)), value, kind), **how)


def _number(value: Any, function: str, argument: str) -> Any:
    """Return the number that was given, or that a tensor holds whose gradient is not lost by that."""
    if not isinstance(value, Tensor):
        return value
    if value.requires_grad:
        raise DTypeError(
            f"{function}(): argument '{argument}' must be Number, not Tensor: it requires grad, and the result would "
            "have none; give value.detach(), or compute with it, as in ones(size) * value"
        )
    return value.item()


def zeros_like(input: Tensor, *, dtype: Any = None, **how: Any) -> Tensor:
    """Return zeros of the shape and, by default, the dtype of `input`."""
    return zeros(input.shape, dtype=dtype or input.dtype, **how)


def ones_like(input: Tensor, *, dtype: Any = None, **how: Any) -> Tensor:
    """Return ones of the shape and, by default, the dtype of `input`."""
    return ones(input.shape, dtype=dtype or input.dtype, **how)


def empty_like(input: Tensor, *, dtype: Any = None, **how: Any) -> Tensor:
    """Return unset elements of the shape and, by default, the dtype of `input`."""
    return empty(input.shape, dtype=dtype or input.dtype, **how)


def full_like(input: Tensor, fill_value: Any, *, dtype: Any = None, **how: Any) -> Tensor:
    """Return `fill_value` in the shape and, by default, the dtype of `input`."""
    return full(tuple(input.shape), fill_value, dtype=dtype or input.dtype, **how)


def arange(*bounds: Any, dtype: Any = None, start: Any = None, end: Any = None, step: Any = None, **how: Any) -> Tensor:
    """Return start, start + step, ... below end: `arange(end)`, `arange(start, end)`, `arange(start, end, step)`.

    Raises ArgumentError if the step does not lead from start to end.

    >>> arange(1, 2, 0.5)
    tensor([1.0000, 1.5000])
    """
    given = [*((start,) if start is not None else ()), *bounds, *((end,) if end is not None else ())]
    first, last, by = (0, given[0], 1) if len(given) == 1 else (*given, 1)[:3]
    named = {"start": first, "end": last, "step": by if step is None else step}
    values = [_number(value, "arange", name) for name, value in named.items()]
    if values[2] == 0 or (values[1] - values[0]) * values[2] < 0:
        raise ArgumentError(f"arange: upper bound and lower bound inconsistent with step sign: {values}")
    count = max(math.ceil((values[1] - values[0]) / values[2]), 0)
    return _made(_steps(values, count, dtype), **how)


def range(start: Any = 0, end: Any = None, step: Any = 1, *, dtype: Any = None, **how: Any) -> Tensor:
    """Return start, start + step, ... up to and with end, as floats: an old form of `arange`."""
    first, last = (0, start) if end is None else (start, end)
    count = math.floor((last - first) / step) + 1
    return _made(_steps([first, last, step], count, dtype or dtypes.DEFAULT), **how)


def _steps(values: list[Any], count: int, dtype: Any) -> Array:
    """Return `count` numbers from start on, for values (start, end, step): floats if one of these is one."""
    whole = all(isinstance(v, int | np.integer) for v in values)
    return ranges.stepped(values[0], values[2], count, dtypes.chosen(dtype, int if whole else None))


def linspace(start: Any, end: Any, steps: int, *, dtype: Any = None, **how: Any) -> Tensor:
    """Return `steps` evenly spaced values from `start` to `end`, both included."""
    return _made(ranges.spaced(float(start), float(end), int(steps), dtypes.chosen(dtype)), **how)


def logspace(start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None, **how: Any) -> Tensor:
    """Return `steps` values from base**start to base**end whose logarithms are evenly spaced."""
    powers = np.linspace(float(start), float(end), int(steps))
    return _made(np.power(float(base), powers).astype(dtypes.chosen(dtype)), **how)


def eye(n: int, m: int | None = None, *, dtype: Any = None, **how: Any) -> Tensor:
    """Return the n x m matrix (m = n by default) with ones on its diagonal."""
    return _made(np.eye(n, m, dtype=dtypes.chosen(dtype)), **how)


def tril_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, **how: Any) -> Tensor:
    """Return the rows and the columns (2 x count) of the elements on and below a diagonal."""
    return _made(np.stack(np.tril_indices(row, offset, col)).astype(dtypes.chosen(dtype, int)), **how)


def triu_indices(row: int, col: int, offset: int = 0, *, dtype: Any = None, **how: Any) -> Tensor:
    """Return the rows and the columns (2 x count) of the elements on and above a diagonal."""
    return _made(np.stack(np.triu_indices(row, offset, col)).astype(dtypes.chosen(dtype, int)), **how)


def sparse_coo_tensor(indices: Any, values: Any, size: Any = None, *, dtype: Any = None, **how: Any) -> Tensor:
    """Return the dense tensor with `values` added at the places whose coordinates are the columns of `indices`.

    There are no sparse tensors here: what PyTorch would keep as one is kept whole.
    """
    places, found = tuple(np.asarray(array_from(indices), np.int64)), tensor(values, dtype=dtype)._data
    shape = tuple(int(p.max(initial=-1)) + 1 for p in places) + found.shape[1:] if size is None else sizes_of((size,))
    array = np.zeros(shape, found.dtype)
    np.add.at(array, places, found)
    how = {name: value for name, value in how.items() if name not in ("is_coalesced", "check_invariants")}
    return _made(array, **how)

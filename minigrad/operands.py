"""What goes into an op: operands brought to one dtype, constants kept by their looks, refusals explained."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.arraylike import ArrayLike
from minigrad.dtypes import Array
from minigrad.errors import DTypeError, MinigradError, OutOfRangeError, ShapeError
from minigrad.graph import Constant, Op
from minigrad.ops.elementwise import to

_TINY = 16  # constants of at most this many elements are kept by value, so that a drawing can show them


def is_uniform(arrays: list[Any], start: int) -> bool:
    """Whether the operands from `start` on are floats of one dtype, with numbers and Nones: nothing to cast."""
    first = arrays[start]
    if type(first) is not np.ndarray or first.dtype.kind != "f":
        return False
    if len(arrays) == 1:
        return True
    kind = first.dtype
    for x in arrays[start + 1 :]:
        if type(x) is np.ndarray:
            if x.dtype is not kind:
                return False
        elif x is not None and type(x) is not float and type(x) is not int:
            return False
    return True


def cast(op: Op, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """Bring the operands of `op` to the dtype in which they meet; a cast of what needs a gradient is recorded."""
    operands = [x.item() if isinstance(x, np.generic) else x for x in inputs[op.cast_from :]]
    present = [x._data if isinstance(x, ArrayLike) else x for x in operands if x is not None]
    wanted = dtypes.result_dtype(present)
    if op.casts == "same" and any(isinstance(x, np.ndarray) and x.dtype != wanted for x in present):
        kinds = ", ".join(f"{op.input_name(i)} {x.dtype}" for i, x in enumerate(present) if isinstance(x, np.ndarray))
        raise DTypeError(f"{op.name}: expected operands of the same dtype, got {kinds}; convert one, such as x.float()")
    if op.casts == "floating" and wanted.kind != "f":
        raise DTypeError(
            f"{op.name}: could not infer output dtype. Input dtype must be a floating point dtype. Got: {wanted}; "
            "convert it first, with .float()"
        )
    if op.casts == "float" and wanted.kind != "f":
        wanted = dtypes.DEFAULT
    only_scalars = not any(isinstance(x, np.ndarray) for x in present)
    return (*inputs[: op.cast_from], *(_cast_one(x, wanted, only_scalars) for x in operands))


def _cast_one(x: Any, wanted: np.dtype[Any], as_array: bool) -> Any:
    if x is None:
        return None
    if isinstance(x, ArrayLike):
        return x if x._data.dtype == wanted else to(x, dtype=wanted)
    if isinstance(x, np.ndarray):
        return x if x.dtype == wanted else x.astype(wanted)
    if wanted.kind == "f" and not as_array:
        return x  # NumPy takes a Python number in the dtype of the array beside it
    return np.asarray(x).astype(wanted)


def constant(edge: Any) -> Any:
    """Return what a node may keep of an operand that needs no gradient; other edges stay as they are."""
    if isinstance(edge, ArrayLike):
        if edge._requires_grad:
            return edge
        x, name, storage = edge._data, edge.name, edge._storage
    elif isinstance(edge, np.ndarray):
        x, name, storage = edge, None, None
    else:
        return edge
    return Constant(x.shape, x.dtype, name, x.copy() if x.size <= _TINY else None, storage)


def assign(target: Array, place: Any, value: Array) -> None:
    """Write `value` at `place`, where it broadcasts."""
    try:
        target[place] = value
    except IndexError as error:
        raise OutOfRangeError(f"setitem: {index_error(error)} (a tensor of shape {target.shape})") from None
    except ValueError:
        raise ShapeError(
            f"setitem: shape mismatch: value of shape {value.shape} cannot be broadcast to the indexed shape "
            f"{target[place].shape}"
        ) from None


def explained(op: Op, arrays: list[Any], error: Exception) -> MinigradError:
    """Return what NumPy refused as an error that names the op and the shapes; an error of ours stays."""
    if isinstance(error, MinigradError):
        return error
    shapes = [x.shape for x in arrays if isinstance(x, np.ndarray)]
    if len(shapes) == 2 and "broadcast" in str(error):
        a, b = shapes
        for axis in range(-1, -min(len(a), len(b)) - 1, -1):
            if a[axis] != b[axis] and 1 not in (a[axis], b[axis]):
                return ShapeError(
                    f"{op.name}: The size of tensor a ({a[axis]}) must match the size of tensor b ({b[axis]}) at "
                    f"axis {axis}: shapes {a} and {b} do not broadcast"
                )
    if isinstance(error, IndexError) and str(error).startswith("boolean index did not match") and len(shapes) == 2:
        at = re.findall(r"axis (\d+);", str(error))[0]
        return OutOfRangeError(
            f"{op.name}: The shape of the mask {list(shapes[1])} at index {at} does not match the shape of the indexed "
            f"tensor {list(shapes[0])} at index {at}"
        )
    if isinstance(error, IndexError):
        return OutOfRangeError(f"{op.name}: {index_error(error)} ({_of_shapes(shapes)})")
    kind = DTypeError if isinstance(error, TypeError) else ShapeError
    return kind(f"{op.name}: {error} ({_of_shapes(shapes)})")


def index_error(error: IndexError) -> str:
    """Return what NumPy says of an index in the words that PyTorch has for it."""
    text = re.sub(r"\bfor axis (\d+) with size", r"for dimension \1 with size", str(error))
    return text.replace("indexing arrays", "indexing tensors").strip()


def _of_shapes(shapes: list[tuple[int, ...]]) -> str:
    return f"operand{'s' if len(shapes) > 1 else ''} of shape {' and '.join(map(str, shapes))}"

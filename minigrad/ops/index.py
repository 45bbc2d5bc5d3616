"""Indexing: reading and writing parts of a tensor, and gathering and scattering along a dim."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import OutOfRangeError, ShapeError
from minigrad.graph import Op, array_of, composite, primitive
from minigrad.kernels import index as kernel
from minigrad.kernels.index import ARRAY
from minigrad.ops.elementwise import eq, to
from minigrad.ops.shape import reshape, unsqueeze

# An index is kept in two parts: its ints, slices, None and Ellipsis as plain data in the attribute `index`, and its
# arrays, whose places ARRAY marks there, as inputs. Reading and adding back are each other's rule.
getitem = primitive(
    "getitem", kernel.getitem, view="strided",
    x=lambda g, indices, x_shape, index: put_among_zeros(g, *indices, index=index, shape=x_shape),
    variadic={"indices": None},
)  # fmt: skip
put_among_zeros = primitive(
    "put_among_zeros", kernel.put_among_zeros,
    x=lambda g, indices, index: getitem(g, *indices, index=index),
    variadic={"indices": None},
)  # fmt: skip
index_put = primitive(
    "index_put", kernel.set_items,
    x=lambda g, indices, index: index_put(g, 0, *indices, index=index),
    value=lambda g, indices, index: getitem(g, *indices, index=index),
    variadic={"indices": None},
)  # fmt: skip

# A write through a view: `steps` are the (view op, attributes) that lead from the tensor to the view.
Steps = tuple[tuple[Op, dict[str, Any]], ...]


def follow(x: Any, steps: Steps) -> Any:
    """Return the view of `x` that `steps` lead to."""
    for op, attrs in steps:
        x = op(x, **attrs)
    return x


def _set(x: Array, value: Any, *, steps: Steps) -> Array:
    y = np.array(x, order="C")
    follow(y, steps)[...] = value
    return y


index_set = primitive(
    "index_set", _set,
    x=lambda g, steps: index_set(g, 0, steps=steps),
    value=lambda g, steps: follow(g, steps),
)  # fmt: skip

# Along one dim: gather and its adjoint are each other's rule.
gather = primitive(
    "gather", kernel.gather,
    x=lambda g, index, x_shape, dim: scatter_along(g, index, shape=x_shape, dim=dim),
    index=None,
)  # fmt: skip
scatter_along = primitive(
    "scatter_along", kernel.scatter_along, x=lambda g, index, dim: gather(g, index, dim=dim), index=None
)
scatter_add = primitive(
    "scatter_add", kernel.scatter_add,
    x=lambda g: g,
    index=None,
    src=lambda g, index, src_shape, dim: _within(gather(g, index, dim=dim), src_shape),
)  # fmt: skip


def _within(g: Any, shape: tuple[int, ...]) -> Any:
    """Return `g` placed in the leading corner of zeros of `shape`: scatter_add may use only a part of its source."""
    corner = tuple(slice(n) for n in g.shape)
    return g if tuple(g.shape) == shape else put_among_zeros(g, index=corner, shape=shape)


@composite
def index_select(x: Any, dim: int, index: Any) -> Any:
    """Return the rows (along `dim`) of `x` that the 1-D integer `index` names."""
    if x.ndim == 0:  # counts as a single row
        return reshape(getitem(reshape(x, shape=(1,)), index, index=(ARRAY,)), shape=())
    return getitem(x, index, index=(*(slice(None),) * (dim % x.ndim), ARRAY))


@composite
def embedding(weight: Any, index: Any) -> Any:
    """Return the rows of the table `weight` (rows, features) named by the integers in `index`, of any shape."""
    return getitem(weight, index, index=(ARRAY,))


@composite
def one_hot(input: Any, num_classes: int = -1) -> Any:
    """Return int64 zeros with a 1 at each class in `input`, in a new last dim of `num_classes` (-1: as needed)."""
    array = np.asarray(array_of(input))
    if array.dtype.kind not in "iu":
        raise OutOfRangeError(f"one_hot: expected integer classes, got {array.dtype}")
    if array.size and array.min() < 0:
        raise OutOfRangeError(f"one_hot: class values must be non-negative, got {array.min()}")
    count = int(array.max(initial=-1)) + 1
    if num_classes == -1:
        num_classes = count
        if not array.size:
            raise ShapeError("one_hot: cannot tell num_classes from an empty tensor; give it")
    if count > num_classes:
        raise OutOfRangeError(f"one_hot: class {count - 1} is out of range for num_classes={num_classes}")
    return to(eq(unsqueeze(input, -1), np.arange(num_classes)), dtype=np.dtype(np.int64))

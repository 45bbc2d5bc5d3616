"""The functions of several tensors, of shapes and of numbers: those that are not methods of a tensor."""

import functools as _functools
import itertools as _itertools
from collections.abc import Callable as _Callable
from typing import Any as _Any

import numpy as _np

from minigrad.arraylike import Size as _Size
from minigrad.creation import from_numpy as _from_numpy
from minigrad.dtypes import dtype as _dtype
from minigrad.dtypes import of as _of
from minigrad.dtypes import result_dtype as _result_dtype
from minigrad.methods.results import public as _public
from minigrad.ops import matrices as _matrices
from minigrad.ops import shape as _shape
from minigrad.ops import slopes as _slopes
from minigrad.ops import sorting as _sorting
from minigrad.ops.elementwise import where as _where
from minigrad.ops.index import index_set as _index_set
from minigrad.tensor import Tensor as _Tensor
from minigrad.tensor import wrap as _wrap

cat = _public(_shape.cat)
concat = concatenate = cat
stack = _public(_shape.stack)
einsum, block_diag = _matrices.einsum, _matrices.block_diag
tensordot = _public(_matrices.tensordot)
cdist = _public(_matrices.cdist)
trapezoid = trapz = _public(_matrices.trapezoid)
cumulative_trapezoid = _public(_matrices.cumulative_trapezoid)
gradient = _public(_slopes.gradient)


@_public
def pow(self: _Any, exponent: _Any) -> _Tensor:
    """Return self ** exponent; either may be a number."""
    return self**exponent


@_public
def where(condition: _Any, self: _Any = None, other: _Any = None) -> _Any:
    """Return `self` where `condition` holds and `other` elsewhere; what is masked out has no gradient.

    With a condition alone, the indices of where it holds, a vector for each dim.
    """
    return condition.nonzero(as_tuple=True) if self is None and other is None else _where(condition, self, other)


def split(tensor: _Tensor, split_size_or_sections: _Any, dim: int = 0) -> tuple[_Tensor, ...]:
    """Return views of the given sizes, or all of one size (the last may be smaller), along `dim`."""
    return tensor.split(split_size_or_sections, dim)


@_public
def fill(self: _Tensor, value: _Any) -> _Tensor:
    """Return a tensor of this shape and dtype with `value` everywhere; a tensor of one value has a gradient."""
    result: _Tensor = _index_set(self, value, steps=())
    return result


@_public
def rsub(self: _Any, other: _Any, *, alpha: float = 1) -> _Tensor:
    """Return other - alpha * self."""
    return other - self * alpha


@_public
def spmm(self: _Tensor, mat2: _Tensor) -> _Tensor:
    """Return the product of two matrices, of which the first may have been made as a sparse one."""
    return self @ mat2


@_public
def tile(self: _Tensor, dims: _Any) -> _Tensor:
    """Return the tensor repeated along its dims, counted from the last."""
    return self.tile(dims)


@_public
def searchsorted(
    sorted_sequence: _Tensor,
    self: _Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: _Tensor | None = None,
) -> _Tensor:
    """Return where each value would be inserted in an ordered sequence: before its equals, or after them if `right`."""
    if sorter is not None:
        sorted_sequence = sorted_sequence.take_along_dim(sorter, -1)
    return _sorting.searchsorted_(sorted_sequence, self, right=right or side == "right", out_int32=out_int32)


@_public
def polygamma(n: int, self: _Tensor) -> _Tensor:
    """Return the n-th derivative of digamma."""
    return self.polygamma(n)


@_public
def isin(elements: _Any, test_elements: _Any, *, assume_unique: bool = False, invert: bool = False) -> _Tensor:
    """Return where an element is one of `test_elements`, or where it is not if `invert`; either may be a number."""
    among, these = (x._data if isinstance(x, _Tensor) else x for x in (elements, test_elements))
    return _wrap(_np.isin(among, these, invert=invert))


@_public
def vander(x: _Tensor, N: int | None = None, increasing: bool = False) -> _Tensor:
    """Return a matrix of powers of the elements of a vector, by default with the highest first."""
    count = x.numel() if N is None else N
    powers = range(count) if increasing else range(count - 1, -1, -1)
    return stack([x**k for k in powers], -1)


def unravel_index(indices: _Tensor, shape: _Any) -> tuple[_Tensor, ...]:
    """Return the coordinates, a tensor for each dim of `shape`, of indices into the flat tensor."""
    return tuple(_wrap(_np.asarray(a)) for a in _np.unravel_index(indices._data, tuple(shape)))


def frombuffer(buffer: _Any, *, dtype: _Any, count: int = -1, offset: int = 0, requires_grad: bool = False) -> _Tensor:
    """Return a tensor on the memory of `buffer`, which is written if the tensor is."""
    return _from_numpy(_np.frombuffer(buffer, _of(dtype).dtype, count, offset)).requires_grad_(requires_grad)


def chain_matmul(*matrices: _Tensor) -> _Tensor:
    """Return the product of several matrices."""
    return _functools.reduce(_Tensor.__matmul__, matrices)


def atleast_1d(*tensors: _Any) -> _Any:
    """Return the tensors, a 0-d one with a dim of size 1."""
    return _each(lambda x: x if x.ndim else x.reshape(1), tensors)


def atleast_2d(*tensors: _Any) -> _Any:
    """Return the tensors, with dims of size 1 in front up to two."""
    return _each(lambda x: x if x.ndim > 1 else x.reshape(1, -1), tensors)


def atleast_3d(*tensors: _Any) -> _Any:
    """Return the tensors with at least three dims: a matrix gets one behind, a vector one on each side."""
    return _each(lambda x: x if x.ndim > 2 else x.reshape(1, -1, 1) if x.ndim < 2 else x.unsqueeze(-1), tensors)


def _each(function: _Callable[[_Tensor], _Tensor], tensors: tuple[_Any, ...]) -> _Any:
    several = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    found = tuple(function(x) for x in several)
    return found[0] if several is tensors and len(found) == 1 else found


@_public
def hstack(tensors: _Any) -> _Tensor:
    """Join tensors along their columns; vectors end to end."""
    parts = [atleast_1d(t) for t in tensors]
    return cat(parts, 0 if parts[0].ndim == 1 else 1)


@_public
def vstack(tensors: _Any) -> _Tensor:
    """Join tensors along their rows; vectors as rows."""
    return cat([atleast_2d(t) for t in tensors], 0)


row_stack = vstack


@_public
def dstack(tensors: _Any) -> _Tensor:
    """Join tensors along their third dim."""
    return cat([atleast_3d(t) for t in tensors], 2)


@_public
def column_stack(tensors: _Any) -> _Tensor:
    """Join tensors along their columns; vectors as columns."""
    return cat([t.reshape(-1, 1) if t.ndim < 2 else t for t in tensors], 1)


def broadcast_shapes(*shapes: _Any) -> _Size:
    """Return the shape in which these shapes meet."""
    return _Size(_np.broadcast_shapes(*((s,) if isinstance(s, int) else tuple(s) for s in shapes)))


def broadcast_tensors(*tensors: _Tensor) -> tuple[_Tensor, ...]:
    """Return views of the tensors expanded to the shape in which they meet."""
    shape = broadcast_shapes(*(t.shape for t in tensors))
    return tuple(t.expand(shape) for t in tensors)


def meshgrid(*tensors: _Any, indexing: str = "ij") -> tuple[_Tensor, ...]:
    """Return the coordinates of a grid: each vector expanded over the others' dims.

    With `indexing="xy"` the first two dims are exchanged.
    """
    several = list(tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors)
    swap = indexing == "xy" and len(several) > 1
    if swap:
        several[:2] = several[1::-1]
    size = [t.numel() for t in several]
    grids = [t.reshape([-1 if i == k else 1 for i in range(len(several))]).expand(size) for k, t in enumerate(several)]
    if swap:
        grids[:2] = grids[1::-1]
    return tuple(grids)


def cartesian_prod(*tensors: _Tensor) -> _Tensor:
    """Return all ways to choose one element of each vector, a row each."""
    grids = [grid.reshape(-1) for grid in meshgrid(*tensors)]
    return grids[0] if len(grids) == 1 else stack(grids, 1)


def combinations(self: _Tensor, r: int = 2, with_replacement: bool = False) -> _Tensor:
    """Return all ways to choose `r` elements of a vector in their order, a row each."""
    choose = _itertools.combinations_with_replacement if with_replacement else _itertools.combinations
    rows = _np.array(list(choose(range(self.numel()), r)), _np.int64).reshape(-1, r)
    return self[_wrap(rows)]


def is_tensor(obj: object) -> bool:
    """Return whether `obj` is a Tensor."""
    return isinstance(obj, _Tensor)


def result_type(tensor1: _Any, tensor2: _Any) -> _dtype:
    """Return the dtype in which two operands meet.

    >>> import minigrad as mg
    >>> result_type(mg.tensor([1, 2]), 1.0)
    minigrad.float32
    """
    return _of(_result_dtype([x._data if isinstance(x, _Tensor) else x for x in (tensor1, tensor2)]))

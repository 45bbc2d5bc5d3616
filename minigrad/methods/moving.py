"""Methods on places along a dim, diagonals, repeats and other moves of elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.arraylike import ArrayLike, sizes_of
from minigrad.errors import ShapeError
from minigrad.kernels.index import ARRAY
from minigrad.ops import moving as m
from minigrad.ops import placing, shape
from minigrad.ops.index import getitem, index_put, index_set
from minigrad.ops.matrices import diff, sum_to_size

if TYPE_CHECKING:
    from minigrad.tensor import Tensor


class Moving(ArrayLike):
    """Further shape methods of Tensor."""

    diagonal, diag_embed, diag, trace, unfold = m.diagonal, m.diag_embed, m.diag, m.trace, m.unfold
    movedim, rot90, roll = m.movedim, m.rot90, m.roll
    moveaxis = movedim
    take, take_along_dim, masked_select = m.take, m.take_along_dim, m.masked_select
    index_add, index_copy, index_fill = m.index_add, m.index_copy, m.index_fill
    scatter_reduce, repeat_interleave = m.scatter_reduce, m.repeat_interleave
    swapdims = shape.transpose
    diff, sum_to_size = diff, sum_to_size
    put, index_reduce, renorm = placing.put, placing.index_reduce, placing.renorm
    as_strided_scatter = placing.as_strided_scatter

    def as_strided(self, size: Any, stride: Any, storage_offset: int | None = None) -> Tensor:
        """Return a view of the memory, also beyond this view of it: a size, steps, and the first element.

        Raises ShapeError if it reaches beyond the memory, or if the tensor that owns the memory is not contiguous.

        >>> import minigrad as mg
        >>> mg.arange(4).as_strided((3, 2), (1, 1))
        tensor([[0, 1],
                [1, 2],
                [2, 3]])
        """
        owner: Any = self if self._view is None or (self.requires_grad and self.is_leaf) else self._view.base  # type: ignore[attr-defined]
        owner._share()
        if not owner._data.flags.c_contiguous:
            raise ShapeError("as_strided: the memory is not in order: as_strided() needs contiguous(), or a view of it")
        start = self.storage_offset()  # type: ignore[attr-defined]
        first = (start if storage_offset is None else storage_offset) - (start if owner is self else 0)
        return placing.strided_of(owner, size=tuple(size), stride=tuple(stride), offset=first)

    def swapaxes(self, axis0: int, axis1: int) -> Tensor:
        """Return a view with two dims exchanged."""
        y: Tensor = shape.transpose(self, axis0, axis1)
        return y

    def scatter(self, dim: int, index: Any, src: Any = None, *, value: Any = None, reduce: str | None = None) -> Tensor:
        """Return a copy with values of `src`, a tensor or a number, written at the places `index` gives along `dim`.

        `reduce="add"` adds them and `"multiply"` multiplies them in.
        """
        return m.scatter(self, dim, index, value if src is None else src, reduce=reduce)

    def masked_scatter(self, mask: Any, source: Any) -> Tensor:
        """Return a copy with the first elements of `source` written, in order, where `mask` is True."""
        return m.masked_scatter(self, mask, source)

    def repeat(self, *several: Any, repeats: Any = None) -> Tensor:
        """Return the tensor repeated along its dims, counted from the last; at least one number for each dim.

        >>> import minigrad as mg
        >>> mg.tensor([1, 2]).repeat(2, 2)
        tensor([[1, 2, 1, 2],
                [1, 2, 1, 2]])
        """
        times = sizes_of(several, repeats)
        if len(times) < self.ndim:
            raise ShapeError(
                "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor: "
                f"{times} for shape {tuple(self.shape)}"
            )
        return m.tile(self, times)

    def tile(self, *times: Any, dims: Any = None) -> Tensor:
        """Return the tensor repeated along its dims, counted from the last."""
        return m.tile(self, sizes_of(times, dims))

    def narrow(self, dim: int, start: Any, length: int) -> Tensor:
        """Return a view of `length` elements along `dim`, from `start` on."""
        at = shape.checked_dim(dim, self.ndim)
        size, first = self._data.shape[at], int(start)
        first = first + size if first < 0 else first
        if length < 0 or first + length > size:
            raise ShapeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
        return shape.narrow(self, dim=at, start=first, length=length)

    def select(self, dim: int, index: int) -> Tensor:
        """Return the view at `index` along `dim`, without that dim."""
        return self[(slice(None),) * shape.checked_dim(dim, self.ndim) + (int(index),)]

    def ravel(self) -> Tensor:
        """Return the elements as a vector; a view where the memory allows it."""
        return shape.reshape(self, shape=(-1,))

    def unflatten(self, dim: int, sizes: Any) -> Tensor:
        """Return a view with one dim split into several; one of the sizes may be -1."""
        return m.unflatten(self, dim, sizes_of((sizes,)))

    def reshape_as(self, other: Tensor) -> Tensor:
        """Return the elements in the shape of `other`."""
        return shape.reshape(self, shape=tuple(other.shape))

    def broadcast_to(self, *sizes: Any, size: Any = None) -> Tensor:
        """Return a view in which dims of size 1 are repeated."""
        return self.expand(*sizes, size=size)  # type: ignore[attr-defined]

    def diagflat(self, offset: int = 0) -> Tensor:
        """Return a matrix with the elements on its diagonal."""
        return m.diag_embed(self.ravel(), offset)

    def fliplr(self) -> Tensor:
        """Return a copy with the order of the columns reversed."""
        return shape.flip(self, dims=(1,))

    def flipud(self) -> Tensor:
        """Return a copy with the order of the rows reversed."""
        return shape.flip(self, dims=(0,))

    def tensor_split(self, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
        """Return views along `dim`: of a number of parts as equal as can be, or split before the indices listed."""
        at = shape.checked_dim(dim, self.ndim)
        parts = np.array_split(
            np.arange(self._data.shape[at]), getattr(indices_or_sections, "_data", indices_or_sections)
        )
        return shape.split(self, [len(part) for part in parts], at)

    def hsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]:
        """Return views of parts of the columns (of a vector: of its elements)."""
        return self.tensor_split(indices_or_sections, 0 if self.ndim == 1 else 1)

    def vsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]:
        """Return views of parts of the rows."""
        return self.tensor_split(indices_or_sections, 0)

    def dsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]:
        """Return views of parts along the third dim."""
        return self.tensor_split(indices_or_sections, 2)

    def index_put(self, indices: Any, values: Any, accumulate: bool = False) -> Tensor:
        """Return a copy with `values` written (or added, if `accumulate`) at the places that index tensors give."""
        place = tuple(ARRAY for _ in indices)
        if not accumulate:
            return index_put(self, values, *indices, index=place)
        spread = shape.expand(values, shape=tuple(getitem(self, *indices, index=place).shape))
        return self + m.put_among_zeros(spread, *indices, index=place, shape=tuple(self.shape))

    def select_scatter(self, src: Any, dim: int, index: int) -> Tensor:
        """Return a copy with `src` at `index` along `dim`."""
        where = (slice(None),) * shape.checked_dim(dim, self.ndim) + (int(index),)
        return index_set(self, src, steps=((getitem, {"index": where}),))

    def slice_scatter(
        self, src: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
    ) -> Tensor:
        """Return a copy with `src` in a slice along `dim`."""
        where = (slice(None),) * shape.checked_dim(dim, self.ndim) + (slice(start, end, step),)
        return index_set(self, src, steps=((getitem, {"index": where}),))

    def diagonal_scatter(self, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
        """Return a copy with `src` on a diagonal."""
        how = {"offset": offset, "dim1": dim1 % self.ndim, "dim2": dim2 % self.ndim}
        return index_set(self, src, steps=((m.diagonal_of, how),))

    def narrow_copy(self, dim: int, start: int, length: int) -> Tensor:
        """Return a copy of `length` elements along `dim`, from `start` on."""
        return self.narrow(dim, start, length).clone()

    def adjoint(self) -> Tensor:
        """Return the view with the last two dims exchanged."""
        return shape.transpose(self, -1, -2)

    H = mH = property(adjoint, doc="The view with the last two dims exchanged.")

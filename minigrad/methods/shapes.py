"""Methods that change the shape, and gather and scatter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import dtypes
from minigrad.arraylike import ArrayLike, sizes_of
from minigrad.errors import ShapeError
from minigrad.methods.results import numpy_names
from minigrad.nodenames import titled, titled_all
from minigrad.ops import index as i
from minigrad.ops import shape
from minigrad.ops.shape import reshape as _reshape

if TYPE_CHECKING:
    from minigrad.tensor import Tensor


class Shapes(ArrayLike):
    """Shape methods of Tensor."""

    def reshape(self, *sizes: Any, shape: Any = None) -> Tensor:
        """Return the elements in another shape, one size of which may be -1; a view where the memory allows it."""
        return _reshape(self, shape=sizes_of(sizes, shape))

    def view(self, *shape: Any, size: Any = None) -> Tensor:
        """Return a view in another shape, one size of which may be -1; or, given a dtype, of the same bits as that.

        Raises ShapeError if the layout does not allow a view; `reshape` copies then.
        """
        shape = shape if size is None else (size,)
        if len(shape) == 1 and not isinstance(shape[0], int | tuple | list | np.integer):
            return self._as_bits(shape[0])
        result = self.reshape(*shape)
        if self._data.size and not np.may_share_memory(result._data, self._data) and not self.is_contiguous():
            raise ShapeError(
                f"view size is not compatible with input tensor's size and stride: {tuple(self.shape)} with strides "
                f"{self.stride()} cannot be viewed as {tuple(result.shape)}. Use .reshape(...) instead."
            )
        return result

    def _as_bits(self, dtype: Any) -> Tensor:
        """Return the memory read as another dtype, outside the graph."""
        alias = self.detach()  # type: ignore[attr-defined]
        alias._data = alias._data.view(dtypes.numpy_dtype(dtype))
        return alias

    def view_as(self, other: Tensor) -> Tensor:
        """Return a view in the shape of `other`."""
        return self.view(*other.shape)

    def permute(self, *several: Any, dims: Any = None) -> Tensor:
        """Return a view with the dims in another order."""
        return titled(shape.permute(self, dims=sizes_of(several, dims)), "Permute")

    def transpose(self, dim0: int, dim1: int) -> Tensor:
        """Return a view with two dims exchanged."""
        return shape.transpose(self, dim0, dim1)

    def t(self) -> Tensor:
        """Return the transpose of a matrix; a vector stays as it is."""
        if self.ndim > 2:
            raise ShapeError(f"t() expects a tensor with <= 2 dimensions, but self is {self.ndim}D")
        return titled(shape.permute(self, dims=tuple(reversed(range(self.ndim)))), "T")

    @property
    def T(self) -> Tensor:
        """The view with the dims in reverse order."""
        return titled(shape.permute(self, dims=tuple(reversed(range(self.ndim)))), "Permute")

    @property
    def mT(self) -> Tensor:
        """The view with the last two dims exchanged."""
        return shape.transpose(self, -1, -2)

    def expand(self, *sizes: Any, size: Any = None) -> Tensor:
        """Return a view in which dims of size 1 are repeated; -1 keeps a size."""
        wanted = sizes_of(sizes, size)
        lead = len(wanted) - self.ndim
        kept = tuple(self.shape[k - lead] if n == -1 and k >= lead else n for k, n in enumerate(wanted))
        return shape.expand(self, shape=kept)

    def expand_as(self, other: Tensor) -> Tensor:
        """Return a view expanded to the shape of `other`."""
        return shape.expand(self, shape=tuple(other.shape))

    @numpy_names
    def squeeze(self, dim: Any = None) -> Tensor:
        """Return a view without the dims of size 1, or without `dim` if its size is 1."""
        return shape.squeeze(self, dim)

    def unsqueeze(self, dim: int) -> Tensor:
        """Return a view with a dim of size 1 inserted at `dim`."""
        return shape.unsqueeze(self, dim)

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Tensor:
        """Return the dims from `start_dim` to `end_dim` made one."""
        return shape.flatten(self, start_dim, end_dim)

    def split(self, split_size: Any, dim: int = 0) -> tuple[Tensor, ...]:
        """Return views of consecutive parts along `dim`: of one size (the last may be smaller), or of sizes listed."""
        return titled_all(shape.split(self, split_size, dim), "Split")

    def chunk(self, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
        """Return at most `chunks` views of consecutive parts along `dim`, of equal size but for the last."""
        size = self._data.shape[shape.checked_dim(dim, self.ndim)]
        return self.split(max(-(-size // chunks), 1), dim)

    def split_with_sizes(self, split_sizes: Any, dim: int = 0) -> tuple[Tensor, ...]:
        """Return views of consecutive parts along `dim`, of the sizes listed."""
        return shape.split(self, list(split_sizes), dim)

    def unbind(self, dim: int = 0) -> tuple[Tensor, ...]:
        """Return the views self[0], self[1], ... along `dim`, which they lack."""
        at = shape.checked_dim(dim, self.ndim)
        parts = (self[(slice(None),) * at + (k,)] for k in range(self._data.shape[at]))
        return titled_all(parts, "Unbind")

    def flip(self, *several: Any, dims: Any = None) -> Tensor:
        """Return a copy with the order along `dims` reversed."""
        return shape.flip(self, dims=sizes_of(several, dims))

    def tril(self, diagonal: int = 0) -> Tensor:
        """Return the lower triangle of the last two dims, zeros above."""
        return shape.tril(self, diagonal=diagonal)

    def triu(self, diagonal: int = 0) -> Tensor:
        """Return the upper triangle of the last two dims, zeros below."""
        return shape.triu(self, diagonal=diagonal)

    def gather(self, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
        """Return the elements at the places that `index` gives along `dim`."""
        return i.gather(self, index, dim=shape.checked_dim(dim, self.ndim))

    def scatter_add(self, dim: int, index: Tensor, src: Tensor) -> Tensor:
        """Return a copy with `src` added at the places that `index` gives along `dim`."""
        return i.scatter_add(self, index, src, dim=shape.checked_dim(dim, self.ndim))

    def index_select(self, dim: int, index: Tensor) -> Tensor:
        """Return the rows along `dim` that the 1-D `index` names."""
        return i.index_select(self, dim, index)

"""What programs ask a tensor about itself, and new tensors in its likeness."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.arraylike import ArrayLike, sizes_of
from minigrad.devices import check_device
from minigrad.errors import GraphError, ShapeError

if TYPE_CHECKING:
    from minigrad.tensor import Tensor


class Facts(ArrayLike):
    """Facts and likenesses of Tensor."""

    is_cpu = True
    is_cuda = is_xpu = is_mps = is_meta = is_sparse = is_sparse_csr = is_quantized = is_mkldnn = is_nested = False
    __array_priority__ = 1000  # NumPy leaves operators with an array on the left to the tensor

    # --- facts ---

    def is_complex(self) -> bool:
        """Return False: there are no complex numbers here."""
        return False

    def is_signed(self) -> bool:
        """Return whether the dtype has negative numbers."""
        return self._data.dtype.kind in "fi"

    def is_nonzero(self) -> bool:
        """Return whether the only element is not zero."""
        return bool(self)

    def is_same_size(self, other: Tensor) -> bool:
        """Return whether both have the same shape."""
        return self._data.shape == other._data.shape

    def is_set_to(self, tensor: Tensor) -> bool:
        """Return whether both are the same view of the same memory."""
        a, b = self._data, tensor._data
        return (a.__array_interface__["data"], a.shape, a.strides) == (
            b.__array_interface__["data"],
            b.shape,
            b.strides,
        )

    def is_pinned(self) -> bool:
        """Return False: memory is pinned for a GPU."""
        return False

    def is_shared(self) -> bool:
        """Return False: the memory belongs to this process."""
        return False

    def is_inference(self) -> bool:
        """Return False: a tensor made without gradients is like any other."""
        return False

    def get_device(self) -> int:
        """Return -1: the tensor is on the CPU."""
        return -1

    def element_size(self) -> int:
        """Return the bytes of one element."""
        return self._data.itemsize

    def data_ptr(self) -> int:
        """Return the address of the first element."""
        return int(self._data.__array_interface__["data"][0])

    def storage_offset(self) -> int:
        """Return how many elements of the memory lie before the first of this view."""
        base: Any = self if self._view is None else self._view.base
        return (self.data_ptr() - base.data_ptr()) // self._data.itemsize

    def untyped_storage(self) -> Facts:
        """Return what holds the memory: the tensor that this one is a view of, or itself."""
        return self if self._view is None else self._view.base

    storage = untyped_storage

    @property
    def layout(self) -> Any:
        """How the elements are kept: one beside the other."""
        from minigrad.typeinfo import strided

        return strided

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> Any:
        """Call `hook(tensor)` whenever a backward has added to the `.grad` of this leaf, to step at once, say."""
        from minigrad.backward import call_afterwards

        return call_afterwards(self, hook)  # type: ignore[arg-type]

    @property
    def retains_grad(self) -> bool:
        """Whether `retain_grad()` was called on this tensor, which is not a leaf."""
        return bool(self._retains)  # type: ignore[attr-defined]

    @property
    def _version(self) -> int:
        return self._storage.version

    @property
    def _base(self) -> Any:
        return None if self._view is None else self._view.base

    def _is_view(self) -> bool:
        return self._view is not None

    def ndimension(self) -> int:
        """Return the number of dims."""
        return self._data.ndim

    # --- where it lies ---

    def cuda(self, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Tensor:
        """Raise ArgumentError: there is only the CPU."""
        return self.to("cuda")

    def pin_memory(self, device: Any = None) -> Facts:
        """Return this tensor: there is no GPU to pin its memory for."""
        return self

    share_memory_ = pin_memory

    def to_dense(self, dtype: Any = None) -> Tensor:
        """Return this tensor: it is dense."""
        return self.to(dtype=dtype)

    def to_sparse(self, *args: Any, **kwargs: Any) -> Facts:
        """Return this tensor, dense as it is: there are no sparse tensors here."""
        return self

    to_sparse_coo = to_sparse_csr = coalesce = to_sparse

    # --- new tensors in its likeness ---

    def new_tensor(self, data: Any, *, dtype: Any = None, **how: Any) -> Tensor:
        """Return a tensor with a copy of `data`, of this tensor's dtype by default."""
        return _creation().tensor(data, dtype=dtype or self.dtype, **how)

    def new_zeros(self, *size: Any, dtype: Any = None, **how: Any) -> Tensor:
        """Return zeros of shape `size`, of this tensor's dtype by default."""
        return _creation().zeros(*size, dtype=dtype or self.dtype, **how)

    def new_ones(self, *size: Any, dtype: Any = None, **how: Any) -> Tensor:
        """Return ones of shape `size`, of this tensor's dtype by default."""
        return _creation().ones(*size, dtype=dtype or self.dtype, **how)

    def new_empty(self, *size: Any, dtype: Any = None, **how: Any) -> Tensor:
        """Return unset elements of shape `size`, of this tensor's dtype by default."""
        return _creation().empty(*size, dtype=dtype or self.dtype, **how)

    def new_full(self, size: Any, fill_value: Any, *, dtype: Any = None, **how: Any) -> Tensor:
        """Return `fill_value` in shape `size`, of this tensor's dtype by default."""
        return _creation().full(size, fill_value, dtype=dtype or self.dtype, **how)

    def new(self, *args: Any, device: Any = None) -> Tensor:
        """Return a tensor of this dtype: of the shape given by ints, or with the data given."""
        check_device(device)
        made: Any = type(self)
        return made(*args, dtype=self.dtype)

    # --- its shape, in place ---

    def resize_(self, *sizes: Any, memory_format: Any = None) -> Any:
        """Give this tensor another shape, in place: as many of its elements as fit stay, and what is new is unset.

        Raises GraphError if it requires grad.
        """
        shape = sizes_of(sizes)
        if self._data.shape == shape:
            return self
        if self.requires_grad:  # type: ignore[attr-defined]
            raise GraphError("cannot resize variables that require grad")
        flat, new = self._data.reshape(-1), np.empty(shape, self._data.dtype)
        count = min(flat.size, new.size)
        new.reshape(-1)[:count] = flat[:count]
        self._data, self._view = new, None
        self._storage = type(self._storage)()
        return self

    def resize_as_(self, other: Tensor) -> Any:
        """Give this tensor the shape of `other`, in place."""
        return self.resize_(*other.shape)

    def set_(self, source: Tensor) -> Any:
        """Have this tensor look at the memory of `source`."""
        self.data = source
        return self

    def _reshaped_to(self, view: Any) -> Any:
        """Become the view `view` of this tensor, in place; the tensor as it was is the base of it."""
        if self._requires_grad:
            raise GraphError("a leaf Variable that requires grad is being used in an in-place operation")
        if view._data.size and not np.may_share_memory(view._data, self._data):
            raise ShapeError("the layout of this tensor does not allow that in place")
        if self._view is None:
            before = type(self).__new__(type(self))
            before._data, before._storage, before._edge = self._data, self._storage, self._edge
            self._view = view._view._replace(base=before, seen=before._edge)
        else:
            self._view = view._view
        self._data, self._edge = view._data, view._edge
        return self

    def unsqueeze_(self, dim: int) -> Any:
        """Insert a dim of size 1 at `dim`, in place."""
        return self._reshaped_to(self.unsqueeze(dim))  # type: ignore[attr-defined]

    def squeeze_(self, dim: Any = None) -> Any:
        """Drop the dims of size 1, or `dim` if its size is 1, in place."""
        return self._reshaped_to(self.squeeze(dim))  # type: ignore[attr-defined]

    def t_(self) -> Any:
        """Transpose a matrix in place."""
        return self._reshaped_to(self.t())  # type: ignore[attr-defined]

    def transpose_(self, dim0: int, dim1: int) -> Any:
        """Exchange two dims in place."""
        return self._reshaped_to(self.transpose(dim0, dim1))  # type: ignore[attr-defined]

    swapaxes_ = swapdims_ = transpose_

    # --- its elements, one by one ---

    def apply_(self, callable: Any) -> Any:
        """Replace each element by what `callable` makes of it, as a Python number; without a gradient."""
        self._data[...] = np.reshape([callable(v) for v in self._data.reshape(-1).tolist()], self._data.shape)
        self._storage.version += 1
        return self

    def map_(self, tensor: Tensor, callable: Any) -> Any:
        """Replace each element by what `callable` makes of it and of that of `tensor`; without a gradient."""
        other = np.broadcast_to(tensor._data, self._data.shape).reshape(-1).tolist()
        pairs = zip(self._data.reshape(-1).tolist(), other, strict=True)
        self._data[...] = np.reshape([callable(a, b) for a, b in pairs], self._data.shape)
        self._storage.version += 1
        return self


def _creation() -> Any:
    """Return the module that makes tensors, which is built on the tensor and so cannot be imported above."""
    from minigrad import creation

    return creation

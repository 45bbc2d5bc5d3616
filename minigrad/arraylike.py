"""What a tensor is as an array: its shape and dtype, how it is read, printed, converted and copied."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import dtypes, printing
from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, GraphError, ShapeError
from minigrad.graph import Op, Recordable
from minigrad.indexing import parse_index
from minigrad.ops.elementwise import clone, to
from minigrad.ops.index import follow, getitem
from minigrad.ops.shape import checked_dim

if TYPE_CHECKING:
    from minigrad.tensor import Storage, Tensor, View


class Size(tuple[int, ...]):
    """A shape: a tuple of sizes that can count its elements.

    >>> Size((2, 3)).numel()
    6
    """

    __slots__ = ()

    def numel(self) -> int:
        """Return the number of elements of this shape."""
        return int(np.prod(self, dtype=np.int64))

    def __repr__(self) -> str:
        return f"minigrad.Size({list(self)})"


def sizes_of(arguments: tuple[Any, ...]) -> tuple[int, ...]:
    """Return sizes given as several arguments or as one sequence.

    >>> sizes_of((2, 3)), sizes_of(([2, 3],))
    ((2, 3), (2, 3))
    """
    several = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], tuple | list) else arguments
    return tuple(int(n) for n in several)


def check_device(device: Any) -> None:
    """Raise ArgumentError for a device that is not the CPU."""
    if device is not None and str(device).partition(":")[0] != "cpu":
        raise ArgumentError(f"device {str(device)!r} is not available: minigrad computes on the CPU")


class ArrayLike(Recordable):
    """The part of Tensor that is about its array."""

    _data: Array
    _storage: Storage
    _edge: Any
    _view: View | None
    _requires_grad: bool
    _grad: Tensor | None
    name: str | None

    def _unary(self, op: Op) -> Any:
        """Apply an elementwise op to this tensor."""
        raise AssertionError("Tensor says how it computes")

    # --- what it is ---

    @property
    def shape(self) -> Size:
        """The size of each dim."""
        return Size(self._data.shape)

    def size(self, dim: int | None = None) -> Any:
        """Return the shape, or the size of one dim."""
        return self.shape if dim is None else self._data.shape[checked_dim(dim, self._data.ndim)]

    @property
    def ndim(self) -> int:
        """The number of dims."""
        return self._data.ndim

    def dim(self) -> int:
        """Return the number of dims."""
        return self._data.ndim

    def numel(self) -> int:
        """Return the number of elements."""
        return self._data.size

    nelement = numel

    @property
    def dtype(self) -> dtypes.dtype:
        """The type of the elements, such as `minigrad.float32`."""
        return dtypes.of(self._data.dtype)

    @property
    def device(self) -> str:
        """Where the data lies: always the CPU."""
        return "cpu"

    @property
    def itemsize(self) -> int:
        """The bytes of one element."""
        return self._data.itemsize

    @property
    def nbytes(self) -> int:
        """The bytes of all elements."""
        return self._data.nbytes

    def is_floating_point(self) -> bool:
        """Return whether the elements are floats."""
        return self._data.dtype.kind == "f"

    def stride(self, dim: int | None = None) -> Any:
        """Return the step in elements along each dim, or along `dim`, of the layout the program sees.

        A kernel may lay out its result as it likes; the tensor that owns the memory still counts as contiguous.
        """
        strides = tuple(s // self._data.itemsize for s in self._logical().strides)
        return strides if dim is None else strides[checked_dim(dim, self._data.ndim)]

    def is_contiguous(self) -> bool:
        """Return whether the elements lie in order, last dim fastest, in the layout the program sees."""
        return self._logical().flags.c_contiguous

    def _logical(self) -> Array:
        """Return an array (not to be read) with the layout the program sees: the base in order, then the steps."""
        if self._storage.foreign:
            return self._data
        base = self._data if self._view is None else self._view.base._data
        strides = np.cumprod([1, *(max(n, 1) for n in base.shape[:0:-1])])[::-1] * base.itemsize
        dummy = np.lib.stride_tricks.as_strided(
            np.empty(1, base.dtype), base.shape, tuple(strides[-base.ndim or len(strides) :])
        )
        viewed: Array = dummy if self._view is None else follow(dummy, self._view.steps)
        return viewed

    # --- reading it ---

    def item(self) -> Any:
        """Return the only element as a Python number. Raises ShapeError if there are more, or none."""
        if self._data.size != 1:
            raise ShapeError(f"a Tensor with {self._data.size} elements cannot be converted to Scalar (item())")
        return self._data.item()

    def tolist(self) -> Any:
        """Return the elements as nested lists of Python numbers."""
        return self._data.tolist()

    def numpy(self) -> Array:
        """Return the array itself: memory is shared, and a write to it cannot be seen by the saved-value check."""
        if self.requires_grad:  # type: ignore[attr-defined]
            raise GraphError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        self._share()  # type: ignore[attr-defined]
        return self._data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.numpy(), dtype, copy=copy) if copy or dtype is not None else self.numpy()

    def __len__(self) -> int:
        if self._data.ndim == 0:
            raise ArgumentError("len() of a 0-d tensor")
        return len(self._data)

    def __iter__(self) -> Iterator[Tensor]:
        if self._data.ndim == 0:
            raise ArgumentError("iteration over a 0-d tensor")
        return (self[i] for i in range(len(self._data)))

    def __contains__(self, value: Any) -> bool:
        return bool((self._data == (value._data if isinstance(value, ArrayLike) else value)).any())

    def __bool__(self) -> bool:
        if self._data.size != 1:
            raise ShapeError(
                "Boolean value of Tensor with more than one value (or none) is ambiguous; use .any() or .all()"
            )
        return bool(self._data.item())

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        if self._data.dtype.kind not in "iub":
            raise ArgumentError(
                f"only integer tensors of a single element can be converted to an index, got {self._data.dtype}"
            )
        return operator.index(self.item())

    def __getitem__(self, index: Any) -> Tensor:
        parsed = parse_index(index, self._data.ndim)
        x: Any = self
        if parsed.view is not None:
            x = getitem(x, index=parsed.view)
        return x if parsed.gather is None else getitem(x, *parsed.arrays, index=parsed.gather)

    # --- printing it ---

    def __repr__(self) -> str:
        return printing.tensor_text(self)

    def __format__(self, spec: str) -> str:
        return format(self._data.item(), spec) if self._data.ndim == 0 else format(repr(self), spec)

    # --- converting and copying it ---

    def to(self, *args: Any, **kwargs: Any) -> Tensor:
        """Return this tensor in another dtype, or itself: `to(dtype)`, `to("cpu")`, `to(other)`.

        Raises ArgumentError for a device other than the CPU.
        """
        result: Any = self
        for target in (*args, kwargs.get("dtype"), kwargs.get("device")):
            if isinstance(target, ArrayLike):
                target = target.dtype
            if target is None or isinstance(target, bool):
                continue
            if isinstance(target, str):
                check_device(target)
                continue
            wanted = dtypes.numpy_dtype(target)
            result = result if wanted == result._data.dtype else to(result, dtype=wanted)
        return result

    def cpu(self) -> Tensor:
        """Return this tensor: it is on the CPU."""
        return self  # type: ignore[return-value]

    def type(self, dtype: Any) -> Tensor:
        """Return this tensor in `dtype`."""
        return self.to(dtype)

    def type_as(self, other: Tensor) -> Tensor:
        """Return this tensor in the dtype of `other`."""
        return self.to(other.dtype)

    def float(self) -> Tensor:
        """Return this tensor in float32."""
        return self.to(dtypes.float32)

    def double(self) -> Tensor:
        """Return this tensor in float64."""
        return self.to(dtypes.float64)

    def half(self) -> Tensor:
        """Return this tensor in float16."""
        return self.to(dtypes.float16)

    def int(self) -> Tensor:
        """Return this tensor in int32; floats are cut towards zero."""
        return self.to(dtypes.int32)

    def long(self) -> Tensor:
        """Return this tensor in int64; floats are cut towards zero."""
        return self.to(dtypes.int64)

    def bool(self) -> Tensor:
        """Return this tensor as bools: True where not zero."""
        return self.to(dtypes.bool_)

    def clone(self) -> Tensor:
        """Return a copy that gradients flow through."""
        return clone(self)

    def contiguous(self) -> Tensor:
        """Return this tensor if its elements lie in order, otherwise a copy in which they do."""
        return self if self.is_contiguous() else self.clone()  # type: ignore[return-value]

    def to_torch(self) -> Any:
        """Return PyTorch's tensor on the same memory. Raises MissingDependencyError without PyTorch."""
        from minigrad.interchange import to_torch

        return to_torch(self)

    def __deepcopy__(self, memo: dict[Any, Any]) -> Tensor:
        if self.grad_fn is not None:  # type: ignore[attr-defined]
            raise GraphError("only leaf tensors can be deep-copied: this one was computed; use detach() or clone()")
        copy = type(self).__new__(type(self))
        memo[id(self)] = copy
        copy.__setstate__((np.array(self._data), self._requires_grad, self.name))
        if self._grad is not None:
            copy._grad = self._grad.__deepcopy__(memo)
        return copy  # type: ignore[return-value]

    def __reduce__(self) -> tuple[Any, ...]:
        if self.grad_fn is not None:  # type: ignore[attr-defined]
            raise GraphError("only leaf tensors can be pickled: this one was computed; use detach()")
        return _empty, (type(self),), (np.array(self._data), self._requires_grad, self.name)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        from minigrad.tensor import Storage

        self._data, self._requires_grad, self.name = state
        self._storage = Storage()


def _empty(kind: type[ArrayLike]) -> ArrayLike:
    return kind.__new__(kind)

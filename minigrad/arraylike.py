"""What a tensor is as an array: its shape and dtype, how it is read, printed, converted and copied."""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import devices, dtypes, printing
from minigrad.devices import check_device
from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, GraphError, ShapeError
from minigrad.graph import Op, Recordable
from minigrad.indexing import parse_index
from minigrad.ops.elementwise import clone, to
from minigrad.ops.index import follow, getitem
from minigrad.ops.shape import checked_dim

if TYPE_CHECKING:
    from minigrad.tensor import Storage, Tensor, View


_TYPES = {
    "float16": "Half", "float32": "Float", "float64": "Double", "uint8": "Byte", "int8": "Char", "int16": "Short",
    "int32": "Int", "int64": "Long", "bool": "Bool", "uint16": "UInt16", "uint32": "UInt32", "uint64": "UInt64",
}  # fmt: skip


class Size(tuple[int, ...]):
    """A shape: a tuple of sizes that can count its elements.

    >>> Size((2, 3)).numel()
    6
    """

    __slots__ = ()

    def numel(self) -> int:
        """Return the number of elements of this shape."""
        return int(np.prod(self, dtype=np.int64))

    def __getitem__(self, index: Any) -> Any:
        part: Any = tuple.__getitem__(self, index)
        return Size(part) if type(part) is tuple else part

    def __add__(self, other: Any) -> Any:
        return Size(tuple.__add__(self, other))

    def __radd__(self, other: Any) -> Any:
        return Size(tuple(other) + tuple(self))

    def __mul__(self, times: Any) -> Any:
        return Size(tuple.__mul__(self, times))

    __rmul__ = __mul__

    def __reduce__(self) -> tuple[Any, ...]:
        return Size, (tuple(self),)

    def __repr__(self) -> str:
        return f"minigrad.Size({list(self)})"


def sizes_of(arguments: tuple[Any, ...], named: Any = None) -> tuple[int, ...]:
    """Return sizes given as several arguments, as one sequence, or by a name that stands for the sequence.

    >>> sizes_of((2, 3)), sizes_of(([2, 3],))
    ((2, 3), (2, 3))
    """
    arguments = arguments if named is None else (named,)
    several = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], tuple | list) else arguments
    return tuple(int(n) for n in several)


def array_from(data: Any) -> Array:
    """Return the array of numbers, nested lists, arrays or tensors. Raises ShapeError for lists of several lengths."""
    if isinstance(data, ArrayLike):
        return data._data
    if isinstance(data, list | tuple) and any(isinstance(x, ArrayLike | list | tuple) for x in data):
        data = [array_from(x) for x in data]
    try:
        return np.asarray(data)
    except ValueError:
        raise ShapeError(
            f"cannot make a tensor of {data!r:.80}: its lists are not all of one length (or too deep)"
        ) from None


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
    def device(self) -> devices.device:
        """Where the data lies: always the CPU."""
        return devices.CPU

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

    def is_contiguous(self, memory_format: Any = None) -> bool:
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

    def numpy(self, *, force: bool = False) -> Array:
        """Return the array itself: memory is shared, and a write to it cannot be seen by the saved-value check.

        Raises GraphError for a tensor that requires grad, unless `force`.
        """
        if force:
            return self.detach().numpy()  # type: ignore[attr-defined]
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

    def to(
        self, *args: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False, copy: bool = False,
        memory_format: Any = None,
    ) -> Tensor:  # fmt: skip
        """Return this tensor in another dtype, or itself: `to(dtype)`, `to("cpu")`, `to(device, dtype)`, `to(other)`.

        Raises ArgumentError for a device other than the CPU.
        """
        for target in args:
            if isinstance(target, ArrayLike):
                dtype = target.dtype
            elif isinstance(target, str | devices.device) or type(target) is int:
                device = target
            elif target is not None and not isinstance(target, bool):
                dtype = target
        if device is not None:
            check_device(device)
        wanted = self._data.dtype if dtype is None else dtypes.numpy_dtype(dtype)
        if wanted != self._data.dtype:
            return to(self, dtype=wanted)
        return self.clone() if copy or (len(args) == 4 and args[3]) else self  # type: ignore[return-value]

    def cpu(self) -> Tensor:
        """Return this tensor: it is on the CPU."""
        return self  # type: ignore[return-value]

    def type(self, dtype: Any = None) -> Any:
        """Return this tensor in `dtype`, which may be named as in 'torch.LongTensor'; without one, that name.

        >>> import minigrad as mg
        >>> mg.tensor([1, 2]).type()
        'torch.LongTensor'
        """
        if dtype is None:
            return f"torch.{_TYPES[self._data.dtype.name]}Tensor"
        if isinstance(dtype, str) and dtype.endswith("Tensor"):
            name = dtype.rpartition(".")[2].removesuffix("Tensor")
            dtype = next((kind for kind, known in _TYPES.items() if known == name), dtype)
        return self.to(getattr(dtype, "tensor_dtype", dtype) if not isinstance(dtype, str) else dtypes.of(dtype))

    def type_as(self, other: Tensor) -> Tensor:
        """Return this tensor in the dtype of `other`."""
        return self.to(other.dtype)

    def short(self, memory_format: Any = None) -> Tensor:
        """Return this tensor in int16; floats are cut towards zero."""
        return self.to(dtypes.int16)

    def char(self, memory_format: Any = None) -> Tensor:
        """Return this tensor in int8; floats are cut towards zero."""
        return self.to(dtypes.int8)

    def byte(self, memory_format: Any = None) -> Tensor:
        """Return this tensor in uint8; floats are cut towards zero."""
        return self.to(dtypes.uint8)

    def float(self, memory_format: Any = None) -> Tensor:
        """Return this tensor in float32."""
        return self.to(dtypes.float32)

    def double(self, memory_format: Any = None) -> Tensor:
        """Return this tensor in float64."""
        return self.to(dtypes.float64)

    def half(self, memory_format: Any = None) -> Tensor:
        """Return this tensor in float16."""
        return self.to(dtypes.float16)

    def int(self, memory_format: Any = None) -> Tensor:
        """Return this tensor in int32; floats are cut towards zero."""
        return self.to(dtypes.int32)

    def long(self, memory_format: Any = None) -> Tensor:
        """Return this tensor in int64; floats are cut towards zero."""
        return self.to(dtypes.int64)

    def bool(self, memory_format: Any = None) -> Tensor:
        """Return this tensor as bools: True where not zero."""
        return self.to(dtypes.bool_)

    def clone(self, *, memory_format: Any = None) -> Tensor:
        """Return a copy that gradients flow through; how it is laid out in memory is not for programs to say."""
        return clone(self)

    def contiguous(self, memory_format: Any = None) -> Tensor:
        """Return this tensor if its elements lie in order, otherwise a copy in which they do."""
        return self if self.is_contiguous() else self.clone()  # type: ignore[return-value]

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

        array, self._requires_grad, self.name = state
        self._data = np.asarray(array, dtypes.numpy_dtype(array.dtype.str))  # pickling makes dtypes of its own
        self._storage = Storage()


def _empty(kind: type[ArrayLike]) -> ArrayLike:
    return kind.__new__(kind)

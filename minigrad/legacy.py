"""The constructors of older programs, one for each dtype: `FloatTensor(data)` and `FloatTensor(2, 3)`."""

from __future__ import annotations

from typing import Any

from minigrad import dtypes
from minigrad.tensor import Tensor

__all__ = [
    "BoolTensor",
    "ByteTensor",
    "CharTensor",
    "DoubleTensor",
    "FloatTensor",
    "HalfTensor",
    "IntTensor",
    "LongTensor",
    "ShortTensor",
]


class _OfOneDtype(type):
    """The class of these constructors: a tensor counts as an instance of the one of its dtype."""

    tensor_dtype: Any

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, Tensor) and instance.dtype is cls.tensor_dtype

    def __call__(cls, *data: Any) -> Tensor:
        return Tensor(*data, dtype=cls.tensor_dtype)

    def __repr__(cls) -> str:
        return f"<class 'minigrad.{cls.__name__}'>"


def _constructor(name: str, dtype: dtypes.dtype) -> Any:
    """Return the constructor of tensors of one dtype: of the data given, or zeros of the shape given by ints."""
    return _OfOneDtype(name, (), {"tensor_dtype": dtype, "__doc__": _constructor.__doc__, "__module__": "minigrad"})


FloatTensor, DoubleTensor, HalfTensor = (
    _constructor(f"{name}Tensor", dtype)
    for name, dtype in (("Float", dtypes.float32), ("Double", dtypes.float64), ("Half", dtypes.float16))
)
LongTensor, IntTensor, ShortTensor, CharTensor, ByteTensor, BoolTensor = (
    _constructor(f"{name}Tensor", dtype)
    for name, dtype in (
        ("Long", dtypes.int64),
        ("Int", dtypes.int32),
        ("Short", dtypes.int16),
        ("Char", dtypes.int8),
        ("Byte", dtypes.uint8),
        ("Bool", dtypes.bool_),
    )
)

"""torch.types: names for annotations."""

from collections.abc import Sequence
from typing import Any

from minigrad.arraylike import Size
from minigrad.tensor import Tensor

Number = int | float | bool
Device = Any
_dtype = Any
_int, _float, _bool = int, float, bool
_size = Size | list[int] | tuple[int, ...]
_TensorOrTensors = Tensor | Sequence[Tensor]

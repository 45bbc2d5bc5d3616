"""minigrad: autograd on NumPy, a mini PyTorch whose backpropagation one can see.

>>> import minigrad as mg
>>> w = mg.tensor(3.0, requires_grad=True)
>>> loss = (w * 2 - 1) ** 2
>>> loss.backward()
>>> w.grad
tensor(20.)
"""

from typing import Any as _Any

from minigrad import autograd
from minigrad.autograd import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from minigrad.creation import *
from minigrad.dtypes import (
    bool_ as bool,
)
from minigrad.dtypes import (
    double,
    dtype,
    float16,
    float32,
    float64,
    half,
    int8,
    int16,
    int32,
    int64,
    long,
    short,
    uint8,
)
from minigrad.dtypes import float_ as float
from minigrad.dtypes import int_ as int
from minigrad.functions import *
from minigrad.random import *
from minigrad.tensor import Tensor

__version__ = "0.1.0"


# What not every program uses is imported when it is first asked for: `import minigrad` alone is quick.
_MODULES = ("datasets", "distributions", "func", "nn", "optim", "profiler", "utils", "viz")
_LATER = {name: name for name in _MODULES} | {"load": "serialization", "save": "serialization", "vmap": "func"}


def __getattr__(name: str) -> _Any:
    if name not in _LATER:
        raise AttributeError(f"module 'minigrad' has no attribute {name!r}")
    import importlib

    module = importlib.import_module(f"minigrad.{_LATER[name]}")
    return module if name in _MODULES else getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})

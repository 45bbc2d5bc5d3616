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
from minigrad.autograd import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
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
_MODULES = ("datasets", "nn", "optim", "utils", "viz")
_LATER = {name: name for name in _MODULES} | {"load": "serialization", "save": "serialization"}

_STUBS = ("accelerator", "amp", "backends", "cuda", "distributed", "jit", "mps", "onnx", "version", "xpu")
_LATER |= {name: f"compat.stubs.{name}" for name in _STUBS} | {"autocast": "compat.stubs.amp", "as_torch": "compat"}
_LATER |= {"images": "images", "transforms": "transforms", "from_torch": "interchange", "to_torch": "interchange"}
_LATER |= dict.fromkeys(
    (
        "are_deterministic_algorithms_enabled",
        "compile",
        "get_default_device",
        "get_float32_matmul_precision",
        "get_num_interop_threads",
        "get_num_threads",
        "is_autocast_enabled",
        "set_default_device",
        "set_float32_matmul_precision",
        "set_flush_denormal",
        "set_num_interop_threads",
        "set_num_threads",
        "use_deterministic_algorithms",
    ),
    "compat.settings",
)


def __getattr__(name: str) -> _Any:
    if name not in _LATER:
        raise AttributeError(f"module 'minigrad' has no attribute {name!r}")
    import importlib

    place = _LATER[name]
    module = importlib.import_module(f"minigrad.{place}")
    return module if place.rpartition(".")[2] == name else getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})

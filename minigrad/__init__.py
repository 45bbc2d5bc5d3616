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
from minigrad.arraylike import Size
from minigrad.autograd import (
    debug,
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from minigrad.creation import *
from minigrad.devices import device
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
    uint16,
    uint32,
    uint64,
)
from minigrad.dtypes import float_ as float
from minigrad.dtypes import int_ as int
from minigrad.functions import *
from minigrad.legacy import *
from minigrad.printing import get_printoptions, set_printoptions
from minigrad.random import *
from minigrad.several import *
from minigrad.tensor import Tensor
from minigrad.typeinfo import *

__version__ = "0.1.0"


# What not every program uses is imported when it is first asked for: `import minigrad` alone is quick.
_OWN = "datasets distributions func images linalg nn optim profiler serialization special testing transforms utils viz"
_STUBS = "accelerator amp backends cuda distributed jit mps onnx version xpu"
_MODULES = {name: name for name in _OWN.split()} | {name: f"compat.stubs.{name}" for name in _STUBS.split()}
_NAMES = {
    "serialization": "load save",
    "windows": "bartlett_window blackman_window hamming_window hann_window kaiser_window",
    "interchange": "from_torch to_torch",
    "func": "vmap",
    "linalg": "lu_unpack pca_lowrank svd_lowrank",
    "compat": "as_torch",
    "compat.stubs.amp": "autocast",
    "compat.settings": "are_deterministic_algorithms_enabled compile get_default_device get_float32_matmul_precision "
    "get_num_interop_threads get_num_threads is_autocast_enabled set_default_device set_float32_matmul_precision "
    "set_flush_denormal set_num_interop_threads set_num_threads use_deterministic_algorithms",
    # Functions of layers that PyTorch has here too, with the same arguments.
    "nn.functional": "adaptive_avg_pool1d avg_pool1d bilinear celu channel_shuffle conv1d conv2d conv3d "
    "conv_transpose1d conv_transpose2d conv_transpose3d cosine_similarity dropout group_norm "
    "hardshrink layer_norm max_pool1d max_pool2d max_pool3d pairwise_distance pdist pixel_shuffle "
    "pixel_unshuffle prelu rms_norm selu threshold",
}
_LATER = _MODULES | {name: module for module, names in _NAMES.items() for name in names.split()}


def __getattr__(name: str) -> _Any:
    if name not in _LATER:
        raise AttributeError(f"module 'minigrad' has no attribute {name!r}")
    import importlib

    place = _LATER[name]
    module = importlib.import_module(f"minigrad.{place}")
    return module if place.rpartition(".")[2] == name else getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})

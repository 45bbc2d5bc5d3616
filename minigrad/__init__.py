"""minigrad: autograd on NumPy, a mini PyTorch whose backpropagation one can see."""

from minigrad.creation import arange, as_tensor, empty, eye, from_numpy, full, linspace, ones, tensor, zeros
from minigrad.tensor import Tensor

__all__ = [
    "Tensor",
    "arange",
    "as_tensor",
    "empty",
    "eye",
    "from_numpy",
    "full",
    "linspace",
    "ones",
    "tensor",
    "zeros",
]

"""Methods that write their tensor's memory and return it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minigrad.arraylike import ArrayLike
from minigrad.methods.elementwise import Elementwise
from minigrad.methods.operators import Operators
from minigrad.methods.reductions import Reductions
from minigrad.methods.shapes import Shapes
from minigrad.ops import elementwise as e

if TYPE_CHECKING:
    from minigrad.tensor import Tensor


class InPlace(Operators, Elementwise, Reductions, Shapes):
    """In-place methods of Tensor: what is computed out of place, taken over by `_become`, or an assignment."""

    def __iadd__(self, other: Any) -> Tensor:
        return self._become(self + other)

    def __isub__(self, other: Any) -> Tensor:
        return self._become(self - other)

    def __imul__(self, other: Any) -> Tensor:
        return self._become(self * other)

    def __itruediv__(self, other: Any) -> Tensor:
        return self._become(self / other)

    def __ipow__(self, other: Any) -> Tensor:
        return self._become(self**other)

    def __ifloordiv__(self, other: Any) -> Tensor:
        return self._become(self // other)

    def __imod__(self, other: Any) -> Tensor:
        return self._become(self % other)

    def __iand__(self, other: Any) -> Tensor:
        return self._become(self & other)

    def __ior__(self, other: Any) -> Tensor:
        return self._become(self | other)

    def __ixor__(self, other: Any) -> Tensor:
        return self._become(self ^ other)

    def add_(self, other: Any, *, alpha: float = 1) -> Tensor:
        """Add alpha * other in place."""
        return self._become(self.add(other, alpha=alpha))

    def sub_(self, other: Any, *, alpha: float = 1) -> Tensor:
        """Subtract alpha * other in place."""
        return self._become(self.sub(other, alpha=alpha))

    def mul_(self, other: Any) -> Tensor:
        """Multiply by other in place."""
        return self._become(self * other)

    def div_(self, other: Any) -> Tensor:
        """Divide by other in place."""
        return self._become(self / other)

    def pow_(self, exponent: Any) -> Tensor:
        """Raise to `exponent` in place."""
        return self._become(self**exponent)

    def neg_(self) -> Tensor:
        """Negate in place."""
        return self._become(e.neg(self))

    def exp_(self) -> Tensor:
        """Take the exponential in place."""
        return self._become(e.exp(self))

    def sqrt_(self) -> Tensor:
        """Take the square root in place."""
        return self._become(e.sqrt(self))

    def tanh_(self) -> Tensor:
        """Take the hyperbolic tangent in place."""
        return self._become(e.tanh(self))

    def sigmoid_(self) -> Tensor:
        """Take the sigmoid in place."""
        return self._become(e.sigmoid(self))

    def relu_(self) -> Tensor:
        """Set negative elements to 0 in place."""
        return self._become(e.relu(self))

    def clamp_(self, min: Any = None, max: Any = None) -> Tensor:
        """Limit to [min, max] in place."""
        if isinstance(min, ArrayLike) and max is not None:  # one op at a time, so that each finds what it saved
            return self.clamp_(min).clamp_(max=max)
        return self._become(self.clamp(min, max))

    def masked_fill_(self, mask: Any, value: Any) -> Tensor:
        """Write `value` wherever `mask` is True."""
        return self._become(e.masked_fill(self, mask, value))

    def scatter_add_(self, dim: int, index: Tensor, src: Tensor) -> Tensor:
        """Add `src` at the places that `index` gives along `dim`, in place."""
        return self._become(self.scatter_add(dim, index, src))

    def addcmul_(self, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
        """Add value * tensor1 * tensor2 in place."""
        return self._become(self + tensor1 * tensor2 * value)

    def addcdiv_(self, tensor1: Any, tensor2: Any, *, value: float = 1) -> Tensor:
        """Add value * tensor1 / tensor2 in place."""
        return self._become(self + tensor1 / tensor2 * value)

    def lerp_(self, end: Any, weight: Any) -> Tensor:
        """Move by `weight` of the way to `end`, in place."""
        return self._become(e.lerp(self, end, weight))

    def fill_(self, value: Any) -> Tensor:
        """Write `value` everywhere."""
        self[...] = value
        return self  # type: ignore[return-value]

    def zero_(self) -> Tensor:
        """Write zeros everywhere."""
        return self.fill_(0)

    def copy_(self, src: Any) -> Tensor:
        """Write the elements of `src`, which broadcasts to this shape; gradients flow to it."""
        return self.fill_(src)

    # --- filled with random numbers of PyTorch's stream ---

    def uniform_(self, a: float = 0.0, b: float = 1.0, *, generator: Any = None) -> Tensor:
        """Fill with uniform numbers of [a, b)."""
        return _random().uniform_(self, a, b, generator)

    def normal_(self, mean: float = 0.0, std: float = 1.0, *, generator: Any = None) -> Tensor:
        """Fill with normal numbers."""
        return _random().normal_(self, mean, std, generator)

    def bernoulli_(self, p: Any = 0.5, *, generator: Any = None) -> Tensor:
        """Fill with 1 with probability `p`, else 0."""
        return _random().bernoulli_(self, p, generator)

    def exponential_(self, lambd: float = 1.0, *, generator: Any = None) -> Tensor:
        """Fill with exponential numbers of rate `lambd`."""
        return _random().exponential_(self, lambd, generator)

    def cauchy_(self, median: float = 0.0, sigma: float = 1.0, *, generator: Any = None) -> Tensor:
        """Fill with numbers of a Cauchy distribution."""
        return _random().cauchy_(self, median, sigma, generator)

    def log_normal_(self, mean: float = 1.0, std: float = 2.0, *, generator: Any = None) -> Tensor:
        """Fill with exp of normal numbers of this mean and standard deviation."""
        return _random().log_normal_(self, mean, std, generator)

    def geometric_(self, p: float, *, generator: Any = None) -> Tensor:
        """Fill with how often one tries until the first success, of probability `p` each time."""
        return _random().geometric_(self, p, generator)

    def bernoulli(self, p: float | None = None, *, generator: Any = None) -> Tensor:
        """Return, in this shape and dtype, 1 with probability `p`, by default that which this tensor holds there."""
        return _random().bernoulli(self, p, generator=generator)

    def multinomial(self, num_samples: int, replacement: bool = False, *, generator: Any = None) -> Tensor:
        """Return `num_samples` indices, drawn in proportion to the weights in each row."""
        return _random().multinomial(self, num_samples, replacement, generator=generator)

    def random_(self, *bounds: int, to: int | None = None, generator: Any = None) -> Tensor:
        """Fill with integers: below `to`, of [from, to), or all that the dtype holds exactly."""
        return _random().random_(self, *bounds, *(() if to is None else (to,)), generator=generator)

    def _become(self, result: Tensor) -> Tensor:
        raise AssertionError("Tensor says how it is written")

    def __setitem__(self, index: Any, value: Any) -> None:
        raise AssertionError("Tensor says how it is written")


def _random() -> Any:
    """Return the module of random numbers, which is built on the tensor and so cannot be imported above."""
    from minigrad import random

    return random

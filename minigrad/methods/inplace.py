"""Methods that write their tensor's memory and return it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from minigrad.arraylike import ArrayLike
from minigrad.methods.curves import Curves
from minigrad.methods.elementwise import Elementwise
from minigrad.methods.facts import Facts
from minigrad.methods.matrices import Matrices
from minigrad.methods.moving import Moving
from minigrad.methods.operators import Operators
from minigrad.methods.reductions import Reductions
from minigrad.methods.shapes import Shapes
from minigrad.methods.sorting import Sorting
from minigrad.methods.writing import Writing
from minigrad.ops.moving import diagonal

if TYPE_CHECKING:
    from minigrad.tensor import Tensor

Method = TypeVar("Method", bound=Callable[..., Any])


def _in_place(method: Method, of_copy: bool = False) -> Method:
    """Return the method that has the tensor take over what `method` computes from it.

    What is made of several ops that look at the tensor computes from a copy, so that all find what they saved.
    """

    def written(self: Any, *args: Any, **kwargs: Any) -> Any:
        return self._become(method(self.clone() if of_copy else self, *args, **kwargs))

    name = method.__name__
    written.__name__ = written.__qualname__ = f"{name}_"
    written.__doc__ = f"Do what `{name}` does, in place."
    return written  # type: ignore[return-value]


class InPlace(Writing, Operators, Elementwise, Curves, Reductions, Shapes, Moving, Sorting, Matrices, Facts):
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

    def clamp_(self, min: Any = None, max: Any = None) -> Tensor:
        """Limit to [min, max] in place."""
        if isinstance(min, ArrayLike) and max is not None:  # one op at a time, so that each finds what it saved
            return self.clamp_(min).clamp_(max=max)
        return self._become(self.clamp(min, max))

    # --- what is computed out of place, in place ---

    add_ = _in_place(Elementwise.add)
    sub_ = _in_place(Elementwise.sub)
    subtract_ = _in_place(Elementwise.subtract)
    mul_ = _in_place(Elementwise.mul)
    multiply_ = _in_place(Elementwise.multiply)
    div_ = _in_place(Elementwise.div)
    divide_ = _in_place(Elementwise.divide)
    true_divide_ = _in_place(Elementwise.true_divide)
    pow_ = _in_place(Elementwise.pow)
    neg_ = _in_place(Elementwise.neg)
    exp_ = _in_place(Elementwise.exp)
    expm1_ = _in_place(Elementwise.expm1)
    log_ = _in_place(Elementwise.log)
    log1p_ = _in_place(Elementwise.log1p)
    log2_ = _in_place(Elementwise.log2)
    log10_ = _in_place(Elementwise.log10)
    sqrt_ = _in_place(Elementwise.sqrt)
    rsqrt_ = _in_place(Elementwise.rsqrt)
    reciprocal_ = _in_place(Elementwise.reciprocal)
    square_ = _in_place(Elementwise.square)
    sin_ = _in_place(Elementwise.sin)
    cos_ = _in_place(Elementwise.cos)
    tanh_ = _in_place(Elementwise.tanh)
    sigmoid_ = _in_place(Elementwise.sigmoid)
    erf_ = _in_place(Elementwise.erf)
    relu_ = _in_place(Elementwise.relu)
    abs_ = _in_place(Elementwise.abs)
    sign_ = _in_place(Elementwise.sign)
    floor_ = _in_place(Elementwise.floor)
    ceil_ = _in_place(Elementwise.ceil)
    round_ = _in_place(Elementwise.round)
    eq_ = _in_place(Elementwise.eq)
    ne_ = _in_place(Elementwise.ne)
    lt_ = _in_place(Elementwise.lt)
    le_ = _in_place(Elementwise.le)
    gt_ = _in_place(Elementwise.gt)
    ge_ = _in_place(Elementwise.ge)
    logical_and_ = _in_place(Elementwise.logical_and)
    logical_or_ = _in_place(Elementwise.logical_or)
    logical_not_ = _in_place(Elementwise.logical_not)
    masked_fill_ = _in_place(Elementwise.masked_fill)
    lerp_ = _in_place(Elementwise.lerp)
    tan_ = _in_place(Curves.tan)
    asin_ = _in_place(Curves.asin)
    arcsin_ = _in_place(Curves.arcsin)
    acos_ = _in_place(Curves.acos)
    arccos_ = _in_place(Curves.arccos)
    atan_ = _in_place(Curves.atan)
    arctan_ = _in_place(Curves.arctan)
    sinh_ = _in_place(Curves.sinh)
    cosh_ = _in_place(Curves.cosh)
    asinh_ = _in_place(Curves.asinh)
    arcsinh_ = _in_place(Curves.arcsinh)
    acosh_ = _in_place(Curves.acosh)
    arccosh_ = _in_place(Curves.arccosh)
    atanh_ = _in_place(Curves.atanh)
    arctanh_ = _in_place(Curves.arctanh)
    exp2_ = _in_place(Curves.exp2)
    erfc_ = _in_place(Curves.erfc)
    erfinv_ = _in_place(Curves.erfinv)
    trunc_ = _in_place(Curves.trunc)
    fix_ = _in_place(Curves.fix)
    sgn_ = _in_place(Curves.sgn)
    absolute_ = _in_place(Curves.absolute)
    negative_ = _in_place(Curves.negative)
    bitwise_not_ = _in_place(Curves.bitwise_not)
    atan2_ = _in_place(Curves.atan2)
    arctan2_ = _in_place(Curves.arctan2)
    hypot_ = _in_place(Curves.hypot)
    fmod_ = _in_place(Curves.fmod)
    copysign_ = _in_place(Curves.copysign)
    xlogy_ = _in_place(Curves.xlogy)
    gcd_ = _in_place(Curves.gcd)
    lcm_ = _in_place(Curves.lcm)
    bitwise_and_ = _in_place(Curves.bitwise_and)
    bitwise_or_ = _in_place(Curves.bitwise_or)
    bitwise_xor_ = _in_place(Curves.bitwise_xor)
    bitwise_left_shift_ = _in_place(Curves.bitwise_left_shift)
    bitwise_right_shift_ = _in_place(Curves.bitwise_right_shift)
    logical_xor_ = _in_place(Curves.logical_xor)
    floor_divide_ = _in_place(Curves.floor_divide)
    remainder_ = _in_place(Curves.remainder)
    greater_ = _in_place(Curves.greater)
    greater_equal_ = _in_place(Curves.greater_equal)
    less_ = _in_place(Curves.less)
    less_equal_ = _in_place(Curves.less_equal)
    not_equal_ = _in_place(Curves.not_equal)
    frac_ = _in_place(Curves.frac)
    deg2rad_ = _in_place(Curves.deg2rad)
    rad2deg_ = _in_place(Curves.rad2deg)
    sinc_ = _in_place(Curves.sinc, of_copy=True)
    nan_to_num_ = _in_place(Curves.nan_to_num)
    float_power_ = _in_place(Curves.float_power, of_copy=True)
    ldexp_ = _in_place(Curves.ldexp, of_copy=True)
    addcmul_ = _in_place(Elementwise.addcmul)
    addcdiv_ = _in_place(Elementwise.addcdiv)
    heaviside_ = _in_place(Curves.heaviside)
    nextafter_ = _in_place(Curves.nextafter)
    lgamma_ = _in_place(Curves.lgamma)
    digamma_ = _in_place(Curves.digamma)
    polygamma_ = _in_place(Curves.polygamma)
    mvlgamma_ = _in_place(Curves.mvlgamma, of_copy=True)
    logit_ = _in_place(Curves.logit)
    clamp_min_ = _in_place(Curves.clamp_min)
    clamp_max_ = _in_place(Curves.clamp_max)
    index_add_ = _in_place(Moving.index_add)
    index_copy_ = _in_place(Moving.index_copy)
    index_fill_ = _in_place(Moving.index_fill)
    index_put_ = _in_place(Moving.index_put)
    scatter_ = _in_place(Moving.scatter)
    scatter_reduce_ = _in_place(Moving.scatter_reduce)
    masked_scatter_ = _in_place(Moving.masked_scatter)
    put_ = _in_place(Moving.put)
    index_reduce_ = _in_place(Moving.index_reduce, of_copy=True)
    renorm_ = _in_place(Moving.renorm, of_copy=True)
    addmm_ = _in_place(Matrices.addmm)
    addmv_ = _in_place(Matrices.addmv)
    addr_ = _in_place(Matrices.addr)
    baddbmm_ = _in_place(Matrices.baddbmm)
    addbmm_ = _in_place(Matrices.addbmm)
    cumprod_ = _in_place(Sorting.cumprod, of_copy=True)
    cumsum_ = _in_place(Reductions.cumsum)
    tril_ = _in_place(Shapes.tril)
    triu_ = _in_place(Shapes.triu)
    scatter_add_ = _in_place(Shapes.scatter_add)
    clip_ = clamp_

    def fill_(self, value: Any) -> Tensor:
        """Write `value` everywhere."""
        self[...] = value
        return self  # type: ignore[return-value]

    def zero_(self) -> Tensor:
        """Write zeros everywhere."""
        return self.fill_(0)

    def copy_(self, src: Any, non_blocking: bool = False) -> Tensor:
        """Write the elements of `src`, which broadcasts to this shape; gradients flow to it."""
        return self.fill_(src)

    def fill_diagonal_(self, fill_value: Any, wrap: bool = False) -> Tensor:
        """Write `fill_value` on the diagonal of a matrix; with `wrap` again below, a row apart, if it is tall."""
        height, width = self._data.shape
        for top in range(0, height if wrap else 1, width + 1):
            diagonal(self[top : top + width]).fill_(fill_value)
        return self  # type: ignore[return-value]

    # --- filled with random numbers of PyTorch's stream ---

    def uniform_(self, low: float = 0.0, to: float = 1.0, *, generator: Any = None) -> Tensor:
        """Fill with uniform numbers of [low, to)."""
        return _random().uniform_(self, low, to, generator)

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


def _random() -> Any:
    """Return the module of random numbers, which is built on the tensor and so cannot be imported above."""
    from minigrad import random

    return random

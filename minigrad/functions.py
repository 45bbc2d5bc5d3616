"""The methods of Tensor as functions, and those functions that take several tensors at once.

As functions they also understand `input=` for the tensor, `out=` for one to write the result to, and NumPy's names.
"""

import functools as _functools
import itertools as _itertools
from collections.abc import Callable as _Callable
from typing import Any as _Any
from typing import TypeVar as _TypeVar

import numpy as _np

from minigrad.arraylike import Size as _Size
from minigrad.dtypes import dtype as _dtype
from minigrad.dtypes import of as _of
from minigrad.dtypes import result_dtype as _result_dtype
from minigrad.methods.results import NUMPY_NAMES as _NUMPY_NAMES
from minigrad.ops import matrices as _matrices
from minigrad.ops import shape as _shape
from minigrad.ops import sorting as _sorting
from minigrad.ops.elementwise import where as _where
from minigrad.tensor import Tensor as _Tensor
from minigrad.tensor import wrap as _wrap

_int = int
_Function = _TypeVar("_Function", bound=_Callable[..., _Any])


def _public(function: _Function) -> _Function:
    """Let a function or method understand `input=`, `out=` and NumPy's names."""

    @_functools.wraps(function)
    def call(*args: _Any, **kwargs: _Any) -> _Any:
        return _by_name(function, args, kwargs) if kwargs else function(*args)

    return call  # type: ignore[return-value]


def _by_name(function: _Callable[..., _Any], args: tuple[_Any, ...], kwargs: dict[str, _Any]) -> _Any:
    out = kwargs.pop("out", None)
    if "input" in kwargs:
        args = (kwargs.pop("input"), *args)
    result = function(*args, **{_NUMPY_NAMES.get(name, name): value for name, value in kwargs.items()})
    if out is None:
        return result
    if isinstance(out, _Tensor):
        return out.resize_(result.shape).copy_(result)
    return type(result)(*(o.resize_(r.shape).copy_(r) for o, r in zip(out, result, strict=True)))


abs = _public(_Tensor.abs)
add = _public(_Tensor.add)
all = _public(_Tensor.all)
allclose = _public(_Tensor.allclose)
amax = _public(_Tensor.amax)
amin = _public(_Tensor.amin)
any = _public(_Tensor.any)
argmax = _public(_Tensor.argmax)
argmin = _public(_Tensor.argmin)
bmm = _public(_Tensor.bmm)
ceil = _public(_Tensor.ceil)
chunk = _public(_Tensor.chunk)
clamp = _public(_Tensor.clamp)
clip = _public(_Tensor.clip)
clone = _public(_Tensor.clone)
cos = _public(_Tensor.cos)
cumsum = _public(_Tensor.cumsum)
detach = _public(_Tensor.detach)
div = _public(_Tensor.div)
divide = _public(_Tensor.divide)
dot = _public(_Tensor.dot)
eq = _public(_Tensor.eq)
equal = _public(_Tensor.equal)
erf = _public(_Tensor.erf)
exp = _public(_Tensor.exp)
expm1 = _public(_Tensor.expm1)
flatten = _public(_Tensor.flatten)
flip = _public(_Tensor.flip)
floor = _public(_Tensor.floor)
gather = _public(_Tensor.gather)
ge = _public(_Tensor.ge)
gt = _public(_Tensor.gt)
index_select = _public(_Tensor.index_select)
is_floating_point = _public(_Tensor.is_floating_point)
isfinite = _public(_Tensor.isfinite)
isinf = _public(_Tensor.isinf)
isnan = _public(_Tensor.isnan)
le = _public(_Tensor.le)
lerp = _public(_Tensor.lerp)
log = _public(_Tensor.log)
log10 = _public(_Tensor.log10)
log1p = _public(_Tensor.log1p)
log2 = _public(_Tensor.log2)
log_softmax = _public(_Tensor.log_softmax)
logical_and = _public(_Tensor.logical_and)
logical_not = _public(_Tensor.logical_not)
logical_or = _public(_Tensor.logical_or)
logsumexp = _public(_Tensor.logsumexp)
lt = _public(_Tensor.lt)
masked_fill = _public(_Tensor.masked_fill)
matmul = _public(_Tensor.matmul)
max = _public(_Tensor.max)
maximum = _public(_Tensor.maximum)
mean = _public(_Tensor.mean)
min = _public(_Tensor.min)
minimum = _public(_Tensor.minimum)
mm = _public(_Tensor.mm)
mul = _public(_Tensor.mul)
multiply = _public(_Tensor.multiply)
ne = _public(_Tensor.ne)
neg = _public(_Tensor.neg)
norm = _public(_Tensor.norm)
numel = _public(_Tensor.numel)
permute = _public(_Tensor.permute)
prod = _public(_Tensor.prod)
reciprocal = _public(_Tensor.reciprocal)
relu = _public(_Tensor.relu)
reshape = _public(_Tensor.reshape)
round = _public(_Tensor.round)
rsqrt = _public(_Tensor.rsqrt)
scatter_add = _public(_Tensor.scatter_add)
sigmoid = _public(_Tensor.sigmoid)
sign = _public(_Tensor.sign)
sin = _public(_Tensor.sin)
softmax = _public(_Tensor.softmax)
split = _public(_Tensor.split)
split_with_sizes = _public(_Tensor.split_with_sizes)
sqrt = _public(_Tensor.sqrt)
square = _public(_Tensor.square)
squeeze = _public(_Tensor.squeeze)
std = _public(_Tensor.std)
sub = _public(_Tensor.sub)
subtract = _public(_Tensor.subtract)
sum = _public(_Tensor.sum)
t = _public(_Tensor.t)
tanh = _public(_Tensor.tanh)
transpose = _public(_Tensor.transpose)
tril = _public(_Tensor.tril)
triu = _public(_Tensor.triu)
true_divide = _public(_Tensor.true_divide)
unbind = _public(_Tensor.unbind)
unsqueeze = _public(_Tensor.unsqueeze)
var = _public(_Tensor.var)

absolute = _public(_Tensor.absolute)
acos = _public(_Tensor.acos)
acosh = _public(_Tensor.acosh)
addcdiv = _public(_Tensor.addcdiv)
addcmul = _public(_Tensor.addcmul)
arccos = _public(_Tensor.arccos)
arccosh = _public(_Tensor.arccosh)
arcsin = _public(_Tensor.arcsin)
arcsinh = _public(_Tensor.arcsinh)
arctan = _public(_Tensor.arctan)
arctan2 = _public(_Tensor.arctan2)
arctanh = _public(_Tensor.arctanh)
asin = _public(_Tensor.asin)
asinh = _public(_Tensor.asinh)
atan = _public(_Tensor.atan)
atan2 = _public(_Tensor.atan2)
atanh = _public(_Tensor.atanh)
bitwise_and = _public(_Tensor.bitwise_and)
bitwise_left_shift = _public(_Tensor.bitwise_left_shift)
bitwise_not = _public(_Tensor.bitwise_not)
bitwise_or = _public(_Tensor.bitwise_or)
bitwise_right_shift = _public(_Tensor.bitwise_right_shift)
bitwise_xor = _public(_Tensor.bitwise_xor)
clamp_max = _public(_Tensor.clamp_max)
clamp_min = _public(_Tensor.clamp_min)
conj = _public(_Tensor.conj)
copysign = _public(_Tensor.copysign)
cosh = _public(_Tensor.cosh)
deg2rad = _public(_Tensor.deg2rad)
erfc = _public(_Tensor.erfc)
erfinv = _public(_Tensor.erfinv)
exp2 = _public(_Tensor.exp2)
fix = _public(_Tensor.fix)
float_power = _public(_Tensor.float_power)
floor_divide = _public(_Tensor.floor_divide)
fmax = _public(_Tensor.fmax)
fmin = _public(_Tensor.fmin)
fmod = _public(_Tensor.fmod)
frac = _public(_Tensor.frac)
gcd = _public(_Tensor.gcd)
greater = _public(_Tensor.greater)
greater_equal = _public(_Tensor.greater_equal)
heaviside = _public(_Tensor.heaviside)
hypot = _public(_Tensor.hypot)
isclose = _public(_Tensor.isclose)
isneginf = _public(_Tensor.isneginf)
isposinf = _public(_Tensor.isposinf)
isreal = _public(_Tensor.isreal)
lcm = _public(_Tensor.lcm)
ldexp = _public(_Tensor.ldexp)
lgamma = _public(_Tensor.lgamma)
digamma = _public(_Tensor.digamma)
mvlgamma = _public(_Tensor.mvlgamma)
less = _public(_Tensor.less)
less_equal = _public(_Tensor.less_equal)
logaddexp = _public(_Tensor.logaddexp)
logaddexp2 = _public(_Tensor.logaddexp2)
logical_xor = _public(_Tensor.logical_xor)
logit = _public(_Tensor.logit)
nan_to_num = _public(_Tensor.nan_to_num)
negative = _public(_Tensor.negative)
not_equal = _public(_Tensor.not_equal)
positive = _public(_Tensor.positive)
rad2deg = _public(_Tensor.rad2deg)
remainder = _public(_Tensor.remainder)
sgn = _public(_Tensor.sgn)
signbit = _public(_Tensor.signbit)
sinc = _public(_Tensor.sinc)
sinh = _public(_Tensor.sinh)
tan = _public(_Tensor.tan)
trunc = _public(_Tensor.trunc)
xlogy = _public(_Tensor.xlogy)

aminmax = _public(_Tensor.aminmax)
argsort = _public(_Tensor.argsort)
argwhere = _public(_Tensor.argwhere)
bincount = _public(_Tensor.bincount)
bucketize = _public(_Tensor.bucketize)
count_nonzero = _public(_Tensor.count_nonzero)
cummax = _public(_Tensor.cummax)
cummin = _public(_Tensor.cummin)
cumprod = _public(_Tensor.cumprod)
histc = _public(_Tensor.histc)
histogram = _public(_Tensor.histogram)
kthvalue = _public(_Tensor.kthvalue)
logcumsumexp = _public(_Tensor.logcumsumexp)
median = _public(_Tensor.median)
mode = _public(_Tensor.mode)
msort = _public(_Tensor.msort)
nanmean = _public(_Tensor.nanmean)
nanmedian = _public(_Tensor.nanmedian)
nanquantile = _public(_Tensor.nanquantile)
nansum = _public(_Tensor.nansum)
nonzero = _public(_Tensor.nonzero)
quantile = _public(_Tensor.quantile)
sort = _public(_Tensor.sort)
std_mean = _public(_Tensor.std_mean)
topk = _public(_Tensor.topk)
unique = _public(_Tensor.unique)
unique_consecutive = _public(_Tensor.unique_consecutive)
var_mean = _public(_Tensor.var_mean)

broadcast_to = _public(_Tensor.broadcast_to)
diag = _public(_Tensor.diag)
diag_embed = _public(_Tensor.diag_embed)
diagflat = _public(_Tensor.diagflat)
diagonal = _public(_Tensor.diagonal)
diagonal_scatter = _public(_Tensor.diagonal_scatter)
diff = _public(_Tensor.diff)
dsplit = _public(_Tensor.dsplit)
fliplr = _public(_Tensor.fliplr)
flipud = _public(_Tensor.flipud)
hsplit = _public(_Tensor.hsplit)
index_add = _public(_Tensor.index_add)
index_copy = _public(_Tensor.index_copy)
index_fill = _public(_Tensor.index_fill)
index_put = _public(_Tensor.index_put)
masked_scatter = _public(_Tensor.masked_scatter)
masked_select = _public(_Tensor.masked_select)
moveaxis = _public(_Tensor.moveaxis)
movedim = _public(_Tensor.movedim)
narrow = _public(_Tensor.narrow)
ravel = _public(_Tensor.ravel)
repeat_interleave = _public(_Tensor.repeat_interleave)
roll = _public(_Tensor.roll)
rot90 = _public(_Tensor.rot90)
scatter = _public(_Tensor.scatter)
scatter_reduce = _public(_Tensor.scatter_reduce)
select = _public(_Tensor.select)
select_scatter = _public(_Tensor.select_scatter)
slice_scatter = _public(_Tensor.slice_scatter)
swapaxes = _public(_Tensor.swapaxes)
swapdims = _public(_Tensor.swapdims)
take = _public(_Tensor.take)
take_along_dim = _public(_Tensor.take_along_dim)
tensor_split = _public(_Tensor.tensor_split)
trace = _public(_Tensor.trace)
unflatten = _public(_Tensor.unflatten)
vsplit = _public(_Tensor.vsplit)

addbmm = _public(_Tensor.addbmm)
addmm = _public(_Tensor.addmm)
addmv = _public(_Tensor.addmv)
addr = _public(_Tensor.addr)
baddbmm = _public(_Tensor.baddbmm)
cholesky = _public(_Tensor.cholesky)
cholesky_inverse = _public(_Tensor.cholesky_inverse)
cholesky_solve = _public(_Tensor.cholesky_solve)
corrcoef = _public(_Tensor.corrcoef)
cov = _public(_Tensor.cov)
cross = _public(_Tensor.cross)
det = _public(_Tensor.det)
dist = _public(_Tensor.dist)
ger = _public(_Tensor.ger)
inner = _public(_Tensor.inner)
inverse = _public(_Tensor.inverse)
kron = _public(_Tensor.kron)
logdet = _public(_Tensor.logdet)
matrix_exp = _public(_Tensor.matrix_exp)
matrix_power = _public(_Tensor.matrix_power)
mv = _public(_Tensor.mv)
outer = _public(_Tensor.outer)
pinverse = _public(_Tensor.pinverse)
qr = _public(_Tensor.qr)
slogdet = _public(_Tensor.slogdet)
svd = _public(_Tensor.svd)
vdot = _public(_Tensor.vdot)

is_nonzero = _public(_Tensor.is_nonzero)
is_same_size = _public(_Tensor.is_same_size)
is_signed = _public(_Tensor.is_signed)

abs_ = _public(_Tensor.abs_)
acos_ = _public(_Tensor.acos_)
asin_ = _public(_Tensor.asin_)
atan_ = _public(_Tensor.atan_)
ceil_ = _public(_Tensor.ceil_)
clamp_ = _public(_Tensor.clamp_)
clamp_max_ = _public(_Tensor.clamp_max_)
clamp_min_ = _public(_Tensor.clamp_min_)
cos_ = _public(_Tensor.cos_)
cosh_ = _public(_Tensor.cosh_)
detach_ = _public(_Tensor.detach_)
erf_ = _public(_Tensor.erf_)
erfc_ = _public(_Tensor.erfc_)
exp2_ = _public(_Tensor.exp2_)
exp_ = _public(_Tensor.exp_)
expm1_ = _public(_Tensor.expm1_)
fill_ = _public(_Tensor.fill_)
floor_ = _public(_Tensor.floor_)
frac_ = _public(_Tensor.frac_)
log10_ = _public(_Tensor.log10_)
log1p_ = _public(_Tensor.log1p_)
log2_ = _public(_Tensor.log2_)
log_ = _public(_Tensor.log_)
logit_ = _public(_Tensor.logit_)
nan_to_num_ = _public(_Tensor.nan_to_num_)
neg_ = _public(_Tensor.neg_)
negative_ = _public(_Tensor.negative_)
reciprocal_ = _public(_Tensor.reciprocal_)
relu_ = _public(_Tensor.relu_)
round_ = _public(_Tensor.round_)
rsqrt_ = _public(_Tensor.rsqrt_)
sigmoid_ = _public(_Tensor.sigmoid_)
sin_ = _public(_Tensor.sin_)
sinc_ = _public(_Tensor.sinc_)
sinh_ = _public(_Tensor.sinh_)
sqrt_ = _public(_Tensor.sqrt_)
square_ = _public(_Tensor.square_)
tan_ = _public(_Tensor.tan_)
tanh_ = _public(_Tensor.tanh_)
trunc_ = _public(_Tensor.trunc_)
zero_ = _public(_Tensor.zero_)


cat = _public(_shape.cat)
concat = concatenate = cat
stack = _public(_shape.stack)
einsum, block_diag = _matrices.einsum, _matrices.block_diag
tensordot = _public(_matrices.tensordot)
cdist = _public(_matrices.cdist)
trapezoid = trapz = _public(_matrices.trapezoid)


@_public
def pow(self: _Any, exponent: _Any) -> _Tensor:
    """Return self ** exponent; either may be a number."""
    return self**exponent


@_public
def where(condition: _Any, self: _Any = None, other: _Any = None) -> _Any:
    """Return `self` where `condition` holds and `other` elsewhere; what is masked out has no gradient.

    With a condition alone, the indices of where it holds, a vector for each dim.
    """
    return condition.nonzero(as_tuple=True) if self is None and other is None else _where(condition, self, other)


@_public
def rsub(self: _Any, other: _Any, *, alpha: float = 1) -> _Tensor:
    """Return other - alpha * self."""
    return other - self * alpha


@_public
def spmm(self: _Tensor, mat2: _Tensor) -> _Tensor:
    """Return the product of two matrices, of which the first may have been made as a sparse one."""
    return self @ mat2


@_public
def tile(self: _Tensor, dims: _Any) -> _Tensor:
    """Return the tensor repeated along its dims, counted from the last."""
    return self.tile(dims)


@_public
def searchsorted(
    sorted_sequence: _Tensor, self: _Any, *, out_int32: bool = False, right: bool = False, side: str | None = None
) -> _Tensor:
    """Return where each value would be inserted in an ordered sequence: before its equals, or after them if `right`."""
    return _sorting.searchsorted_(sorted_sequence, self, right=right or side == "right", out_int32=out_int32)


@_public
def polygamma(n: int, self: _Tensor) -> _Tensor:
    """Return the n-th derivative of digamma."""
    return self.polygamma(n)


@_public
def isin(elements: _Any, test_elements: _Any, *, assume_unique: bool = False, invert: bool = False) -> _Tensor:
    """Return where an element is one of `test_elements`, or where it is not if `invert`; either may be a number."""
    among, these = (x._data if isinstance(x, _Tensor) else x for x in (elements, test_elements))
    return _wrap(_np.isin(among, these, invert=invert))


@_public
def vander(x: _Tensor, N: int | None = None, increasing: bool = False) -> _Tensor:
    """Return a matrix of powers of the elements of a vector, by default with the highest first."""
    count = x.numel() if N is None else N
    powers = range(count) if increasing else range(count - 1, -1, -1)
    return stack([x**k for k in powers], -1)


def chain_matmul(*matrices: _Tensor) -> _Tensor:
    """Return the product of several matrices."""
    return _functools.reduce(_Tensor.__matmul__, matrices)


def atleast_1d(*tensors: _Any) -> _Any:
    """Return the tensors, a 0-d one with a dim of size 1."""
    return _each(lambda x: x if x.ndim else x.reshape(1), tensors)


def atleast_2d(*tensors: _Any) -> _Any:
    """Return the tensors, with dims of size 1 in front up to two."""
    return _each(lambda x: x if x.ndim > 1 else x.reshape(1, -1), tensors)


def atleast_3d(*tensors: _Any) -> _Any:
    """Return the tensors with at least three dims: a matrix gets one behind, a vector one on each side."""
    return _each(lambda x: x if x.ndim > 2 else x.reshape(1, -1, 1) if x.ndim < 2 else x.unsqueeze(-1), tensors)


def _each(function: _Callable[[_Tensor], _Tensor], tensors: tuple[_Any, ...]) -> _Any:
    several = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    found = tuple(function(x) for x in several)
    return found[0] if several is tensors and len(found) == 1 else found


@_public
def hstack(tensors: _Any) -> _Tensor:
    """Join tensors along their columns; vectors end to end."""
    parts = [atleast_1d(t) for t in tensors]
    return cat(parts, 0 if parts[0].ndim == 1 else 1)


@_public
def vstack(tensors: _Any) -> _Tensor:
    """Join tensors along their rows; vectors as rows."""
    return cat([atleast_2d(t) for t in tensors], 0)


row_stack = vstack


@_public
def dstack(tensors: _Any) -> _Tensor:
    """Join tensors along their third dim."""
    return cat([atleast_3d(t) for t in tensors], 2)


@_public
def column_stack(tensors: _Any) -> _Tensor:
    """Join tensors along their columns; vectors as columns."""
    return cat([t.reshape(-1, 1) if t.ndim < 2 else t for t in tensors], 1)


def broadcast_shapes(*shapes: _Any) -> _Size:
    """Return the shape in which these shapes meet."""
    return _Size(_np.broadcast_shapes(*((s,) if isinstance(s, _int) else tuple(s) for s in shapes)))


def broadcast_tensors(*tensors: _Tensor) -> tuple[_Tensor, ...]:
    """Return views of the tensors expanded to the shape in which they meet."""
    shape = broadcast_shapes(*(t.shape for t in tensors))
    return tuple(t.expand(shape) for t in tensors)


def meshgrid(*tensors: _Any, indexing: str = "ij") -> tuple[_Tensor, ...]:
    """Return the coordinates of a grid: each vector expanded over the others' dims.

    With `indexing="xy"` the first two dims are exchanged.
    """
    several = list(tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors)
    swap = indexing == "xy" and len(several) > 1
    if swap:
        several[:2] = several[1::-1]
    size = [t.numel() for t in several]
    grids = [t.reshape([-1 if i == k else 1 for i in range(len(several))]).expand(size) for k, t in enumerate(several)]
    if swap:
        grids[:2] = grids[1::-1]
    return tuple(grids)


def cartesian_prod(*tensors: _Tensor) -> _Tensor:
    """Return all ways to choose one element of each vector, a row each."""
    grids = [grid.reshape(-1) for grid in meshgrid(*tensors)]
    return grids[0] if len(grids) == 1 else stack(grids, 1)


def combinations(self: _Tensor, r: int = 2, with_replacement: bool = False) -> _Tensor:
    """Return all ways to choose `r` elements of a vector in their order, a row each."""
    choose = _itertools.combinations_with_replacement if with_replacement else _itertools.combinations
    rows = _np.array(list(choose(range(self.numel()), r)), _np.int64).reshape(-1, r)
    return self[_wrap(rows)]


def is_tensor(obj: object) -> bool:
    """Return whether `obj` is a Tensor."""
    return isinstance(obj, _Tensor)


def result_type(tensor1: _Any, tensor2: _Any) -> _dtype:
    """Return the dtype in which two operands meet.

    >>> import minigrad as mg
    >>> result_type(mg.tensor([1, 2]), 1.0)
    minigrad.float32
    """
    return _of(_result_dtype([x._data if isinstance(x, _Tensor) else x for x in (tensor1, tensor2)]))

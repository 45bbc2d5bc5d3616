"""The methods of Tensor as functions, and those functions that take several tensors at once."""

from __future__ import annotations

from typing import Any

from minigrad.dtypes import of, result_dtype
from minigrad.ops.elementwise import where as _where
from minigrad.ops.shape import cat, stack
from minigrad.tensor import Tensor

__all__ = [
    "abs",
    "add",
    "addcdiv",
    "addcmul",
    "all",
    "allclose",
    "amax",
    "amin",
    "any",
    "argmax",
    "argmin",
    "bmm",
    "cat",
    "ceil",
    "chunk",
    "clamp",
    "clip",
    "clone",
    "cos",
    "cumsum",
    "detach",
    "div",
    "divide",
    "dot",
    "eq",
    "equal",
    "erf",
    "exp",
    "expm1",
    "flatten",
    "flip",
    "floor",
    "gather",
    "ge",
    "gt",
    "index_select",
    "is_tensor",
    "isfinite",
    "isinf",
    "isnan",
    "le",
    "lerp",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_softmax",
    "logical_and",
    "logical_not",
    "logical_or",
    "logsumexp",
    "lt",
    "masked_fill",
    "matmul",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "mm",
    "mul",
    "multiply",
    "ne",
    "neg",
    "norm",
    "numel",
    "permute",
    "pow",
    "prod",
    "reciprocal",
    "relu",
    "reshape",
    "result_type",
    "round",
    "rsqrt",
    "scatter_add",
    "sigmoid",
    "sign",
    "sin",
    "softmax",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "sub",
    "subtract",
    "sum",
    "tanh",
    "transpose",
    "tril",
    "triu",
    "true_divide",
    "unbind",
    "unsqueeze",
    "var",
    "where",
]

abs, neg, sign, floor, ceil, round = Tensor.abs, Tensor.neg, Tensor.sign, Tensor.floor, Tensor.ceil, Tensor.round
addcmul, addcdiv = Tensor.addcmul, Tensor.addcdiv
add, sub, subtract, mul, multiply = Tensor.add, Tensor.sub, Tensor.subtract, Tensor.mul, Tensor.multiply
div, divide, true_divide, reciprocal, square = (
    Tensor.div,
    Tensor.divide,
    Tensor.true_divide,
    Tensor.reciprocal,
    Tensor.square,
)
exp, expm1, log, log1p, log2, log10 = Tensor.exp, Tensor.expm1, Tensor.log, Tensor.log1p, Tensor.log2, Tensor.log10
sqrt, rsqrt, sin, cos, tanh, sigmoid, erf = (
    Tensor.sqrt, Tensor.rsqrt, Tensor.sin, Tensor.cos, Tensor.tanh, Tensor.sigmoid, Tensor.erf,
)  # fmt: skip
relu, clamp, clip, maximum, minimum, lerp = (
    Tensor.relu, Tensor.clamp, Tensor.clip, Tensor.maximum, Tensor.minimum, Tensor.lerp,
)  # fmt: skip
eq, ne, lt, le, gt, ge, equal, allclose = (
    Tensor.eq, Tensor.ne, Tensor.lt, Tensor.le, Tensor.gt, Tensor.ge, Tensor.equal, Tensor.allclose,
)  # fmt: skip
logical_and, logical_or, logical_not = Tensor.logical_and, Tensor.logical_or, Tensor.logical_not
isnan, isinf, isfinite, any, all = Tensor.isnan, Tensor.isinf, Tensor.isfinite, Tensor.any, Tensor.all
matmul, mm, bmm, dot = Tensor.matmul, Tensor.mm, Tensor.bmm, Tensor.dot
sum, mean, prod, var, std, norm = Tensor.sum, Tensor.mean, Tensor.prod, Tensor.var, Tensor.std, Tensor.norm
max, min, amax, amin, argmax, argmin = Tensor.max, Tensor.min, Tensor.amax, Tensor.amin, Tensor.argmax, Tensor.argmin
logsumexp, softmax, log_softmax, cumsum = Tensor.logsumexp, Tensor.softmax, Tensor.log_softmax, Tensor.cumsum
reshape, permute, transpose, squeeze, unsqueeze, flatten = (
    Tensor.reshape, Tensor.permute, Tensor.transpose, Tensor.squeeze, Tensor.unsqueeze, Tensor.flatten,
)  # fmt: skip
split, chunk, unbind, flip, tril, triu = (
    Tensor.split,
    Tensor.chunk,
    Tensor.unbind,
    Tensor.flip,
    Tensor.tril,
    Tensor.triu,
)
gather, scatter_add, index_select, masked_fill = (
    Tensor.gather, Tensor.scatter_add, Tensor.index_select, Tensor.masked_fill,
)  # fmt: skip
clone, detach, numel = Tensor.clone, Tensor.detach, Tensor.numel


def pow(input: Any, exponent: Any) -> Tensor:
    """Return input ** exponent; either may be a number."""
    return input**exponent


def where(condition: Any, input: Any, other: Any) -> Tensor:
    """Return `input` where `condition` holds and `other` elsewhere; what is masked out has no gradient."""
    return _where(condition, input, other)


def is_tensor(obj: object) -> bool:
    """Return whether `obj` is a Tensor."""
    return isinstance(obj, Tensor)


def result_type(tensor1: Any, tensor2: Any) -> Any:
    """Return the dtype in which two operands meet.

    >>> import minigrad as mg
    >>> result_type(mg.tensor([1, 2]), 1.0)
    minigrad.float32
    """
    return of(result_dtype([x._data if isinstance(x, Tensor) else x for x in (tensor1, tensor2)]))

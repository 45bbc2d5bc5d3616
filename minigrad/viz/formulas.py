"""What one op does to a gradient on its way back, in the words that people write on a board.

`formula_table.py` holds the lines, one for each input that has a derivative: `dx = ...` is the gradient of the input x.
How to read them:

- `g` is the gradient of the output, `y` the output, or `g_NAME` and `NAME` where an op has several, and `gs` all;
- a line that begins with another word than d and an input's name says what the other lines mean by it;
- of a recurrent layer each line is worked out from the last step back to the first;
- inputs and settings have the op's own names, but a and b are left and right, as in the picture;
- `.T` exchanges the last two dims, and `sum(t, dim)`, `mean(t, dim)`, `softmax(t, dim)` keep their dims;
- where an operand was broadcast, its gradient is summed down to its shape;
- settings of convolutions and pooling go without saying;
- all other words are NumPy's, or in `WORDS`.
"""

from __future__ import annotations

import difflib
import dis
import importlib
import pkgutil
import sys
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

from minigrad import ops
from minigrad.errors import ArgumentError
from minigrad.graph import Op, composites
from minigrad.viz.formula_table import FORMULAS

# What is neither NumPy's nor of the op; x stands for an array that has the shape of the result.
WORDS = {
    "E": "the mean over the dims that are normalised",
    "I": "the identity matrix",
    "add_strided": "zeros like x with g added to the elements of the flat array that the strides name",
    "add_windows": "zeros like x with each window added where it was taken",
    "align": "a weight with dims of size 1, so that it lies along those dims of x",
    "as_strided": "the elements of the flat array that the strides name",
    "at_maxima": "the elements at the places where the windows of x have their maxima",
    "before": "for each step, the state from which it began",
    "blocks": "the leading square of a matrix, what is below it, and what is beside it",
    "bordered": "a square with one of these two below or beside it",
    "cofactors": "det(x) * inv(x).T, where x has an inverse",
    "conv": "the convolution of images with a weight",
    "conv_transpose": "each g times the weight, added over the window that it came from",
    "copyltu": "a symmetric matrix: the lower triangle, and its mirror image above the diagonal",
    "corner": "zeros like x with these values in the leading corner",
    "correlate": "for each place of the weight, the sum of what it met times the g that came of it",
    "count": "how many elements become one",
    "diag": "matrices with these values on their diagonals",
    "diagonal": "the elements on a diagonal of two dims",
    "each": "g for each of the losses of which the mean or the sum was taken: of a mean, divided by their number",
    "erase": "g with zeros at the places that were written to",
    "erase_along": "g with zeros at the places along a dim that were written to",
    "erf": "the error function, 2 / sqrt(pi) times the integral of exp(-t**2) from 0 to x",
    "expand": "repeated along the dims of size 1",
    "fill": "zeros like x with these values in the first places",
    "first": "what the first step of each sequence sent back",
    "gaps": "1 / (values[j] - values[i]), and 0 on the diagonal",
    "gather": "the elements at the places along a dim that the index names",
    "inside": "whether x is in [eps, 1 - eps]; any is, where eps is None",
    "inv": "the inverse of a matrix",
    "inverse": "the permutation that undoes this one",
    "later": "for each step, what the step after sent back; for the last, what came for the last state",
    "lower": "the lower triangle with half of the diagonal",
    "narrow": "so many elements along a dim from a start on",
    "on_diagonal": "zeros like x with g on a diagonal of two dims",
    "of_each_step": "the gates, of which those of a time step lie below each other",
    "one_hot": "1 at the class that the label names, 0 at all others",
    "part": "the i-th of the parts that were joined",
    "polygamma": "the n-th derivative of digamma, which is that of lgamma",
    "pool": "the means of the windows",
    "projected": "t @ weight_hr, or t where there is no projection",
    "put": "zeros like x with g added at the index",
    "rows": "a matrix of all dims but the last made one",
    "scatter": "zeros like x with g added at the places along a dim that the index names",
    "select": "the elements where the mask is True, one after the other",
    "share": "an even part of 1 for each that is True along a dim, 0 for the others",
    "sigmoid": "1 / (1 + exp(-x))",
    "skew": "x - x.T",
    "softmax": "exp(x) / sum(exp(x), dim)",
    "solve": "inv(x) @ g",
    "spread": "repeated along the dims that were reduced, to the shape of x",
    "sum_along": "the sum over all dims but these",
    "sum_to": "summed down to a shape that broadcasts to this one",
    "sym": "(x + x.T) / 2",
    "to_maxima": "zeros like x with g added where each window has its maximum",
    "trace": "the sum of the diagonal",
    "unpool": "each g shared out evenly over its window",
    "vjp": "the vector-Jacobian product of the whole op by one input, which has no short form",
    "widen": "between zeros along a dim, so many in all, from a start on",
    "windows": "the windows along a dim, the place in the window last",
    "within": "whether x is in [min, max]; a bound that is None is none",
}

_ARITHMETIC = "arithmetic"


def formula(op_name: str) -> tuple[str, ...]:
    """Return the local derivative of an op as lines to write on a board, one for each input that has a gradient.

    `g` is the gradient of the output `y`; inputs have the op's own names, and the two of an operator are left and
    right. `.T` exchanges the last two dims, and a gradient is summed down where its operand was broadcast. What the
    other words mean is in `viz.formulas.WORDS`. An op without derivative has the line "no gradient". A composite has no
    rule of its own: its line says which ops it may be made of. Raises ArgumentError for an unknown name, with names
    near it.

    >>> formula("matmul")
    ('dleft = g @ right.T', 'dright = left.T @ g')
    >>> formula("tanh"), formula("argmax")
    (('dx = g * (1 - y**2)',), ('no gradient',))
    >>> formula("silu")
    ('made of sigmoid and arithmetic',)
    """
    if not isinstance(op_name, str):
        raise ArgumentError(f'formula: op_name is text, such as "sigmoid", got {type(op_name).__name__}')
    if op_name in FORMULAS:
        return FORMULAS[op_name]
    for module in pkgutil.iter_modules(ops.__path__):
        importlib.import_module(f"{ops.__name__}.{module.name}")
    if op_name in composites:
        return (_parts(composites[op_name]),)
    near = difflib.get_close_matches(str(op_name), {**FORMULAS, **composites}, cutoff=0.5)
    raise ArgumentError(f"formula: there is no op {op_name!r}" + (f"; did you mean {', '.join(near)}?" if near else ""))


def _parts(function: Callable[..., Any]) -> str:
    """Return of which primitives a composite may be made: those named in it and in the functions that it calls."""
    names: set[str] = set()
    seen: set[Any] = set()
    stack: list[Any] = [function]
    while stack:
        here = stack.pop()
        here = getattr(here, "__wrapped__", here)
        if isinstance(here, Op):
            names.add(here.name)
        elif here is _ARITHMETIC or (hasattr(here, "__code__") and here not in seen and _is_ours(here)):
            seen.add(here)
            stack += [] if here is _ARITHMETIC else _uses(here)
    parts = [*sorted(names), *(["arithmetic"] if _ARITHMETIC in seen else [])]
    return "made of " + " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def _uses(function: Any) -> Iterator[Any]:
    """Yield what the globals and the imports inside of a function stand for, and that it computes with operators."""
    module = ""
    for code in _codes(function.__code__):
        for step in dis.get_instructions(code):
            if step.opname == "LOAD_GLOBAL":
                yield function.__globals__.get(step.argval)
            elif step.opname == "IMPORT_NAME":
                module = step.argval
            elif step.opname == "IMPORT_FROM":
                yield getattr(sys.modules.get(module), step.argval, None)
            elif step.opname in ("BINARY_OP", "UNARY_NEGATIVE", "COMPARE_OP"):
                yield _ARITHMETIC


def _is_ours(function: Any) -> bool:
    return (getattr(function, "__module__", "") or "").startswith("minigrad.")


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of a function, and of the functions and comprehensions inside it."""
    stack = [code]
    while stack:
        yield (here := stack.pop())
        stack += [const for const in here.co_consts if isinstance(const, CodeType)]

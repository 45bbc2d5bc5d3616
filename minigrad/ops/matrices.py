"""Products of tensors: einsum, tensordot, outer and cross products, sums with products, and distances."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.dtypes import numpy_dtype
from minigrad.errors import ArgumentError, ShapeError
from minigrad.graph import composite
from minigrad.ops.elementwise import ne
from minigrad.ops.linalg import matmul, matrix_product
from minigrad.ops.moving import diagonal_of, roll
from minigrad.ops.reduce import cumsum, norm, sum
from minigrad.ops.shape import checked_dim, concatenate, expand, narrow, permute, reshape, sum_to, transpose

Labels = list[str]


def _read_equation(equation: str, ndims: list[int]) -> tuple[list[Labels], Labels]:
    """Return the labels of each operand's dims and of the output's; the dims of `...` are "...k", k from the right."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise ArgumentError(f"einsum(): {equation!r} names {len(terms)} operands, but {len(ndims)} were given")
    inputs = [_labels(term, ndim, equation) for term, ndim in zip(terms, ndims, strict=True)]
    most = max((sum_of_dots(labels) for labels in inputs), default=0)
    dots = [f"...{k}" for k in range(most, 0, -1)]
    if arrow:
        before, has_dots, after = right.partition("...")
        output = [*before, *(dots if has_dots else []), *after]
    else:
        seen = list(itertools.chain(*inputs))
        output = dots + sorted(c for c in set(seen) if seen.count(c) == 1 and not c.startswith("..."))
    if len(set(output)) < len(output) or not set(output) <= set(itertools.chain(*inputs, dots)):
        raise ArgumentError(f"einsum(): the output of {equation!r} repeats a subscript or has one that no operand has")
    return inputs, output


def sum_of_dots(labels: Labels) -> int:
    """Return how many of the labels come from an ellipsis."""
    return len([c for c in labels if c.startswith("...")])


def _labels(term: str, ndim: int, equation: str) -> Labels:
    before, dots, after = term.partition("...")
    room = ndim - len(before) - len(after)
    if room < 0 or (room and not dots):
        raise ArgumentError(
            f"einsum(): the subscripts {term!r} of {equation!r} do not match the {ndim} dims of their operand"
        )
    return [*before, *(f"...{k}" for k in range(room, 0, -1)), *after]


def _without_repeats(x: Any, labels: Labels) -> tuple[Any, Labels]:
    """Return the diagonal over each label that appears twice."""
    while repeated := [c for c in labels if labels.count(c) > 1]:
        a = labels.index(repeated[0])
        b = labels.index(repeated[0], a + 1)
        if x.shape[a] != x.shape[b]:
            raise ShapeError(
                f"einsum(): subscript {repeated[0]} is repeated for dims of sizes {x.shape[a]}, {x.shape[b]}"
            )
        x = diagonal_of(x, offset=0, dim1=a, dim2=b)
        labels = [c for i, c in enumerate(labels) if i not in (a, b)] + [repeated[0]]
    return x, labels


def _summed(x: Any, labels: Labels, wanted: set[str]) -> tuple[Any, Labels]:
    """Sum over the labels that nobody asks for."""
    over = tuple(i for i, c in enumerate(labels) if c not in wanted)
    return (sum(x, dim=over) if over else x), [c for c in labels if c in wanted]


def _as_batch(x: Any, labels: Labels, groups: Sequence[Labels], sizes: dict[str, int]) -> Any:
    """Return `x` with its dims in three groups, each made one, where a size of 1 is expanded."""
    order = [c for group in groups for c in group]
    x = permute(x, dims=tuple(labels.index(c) for c in order))
    full = tuple(sizes[c] for c in order)
    x = x if tuple(x.shape) == full else expand(x, shape=full)
    return reshape(x, shape=tuple(math.prod(sizes[c] for c in group) for group in groups))


def _contracted(x: Any, a: Labels, y: Any, b: Labels, wanted: set[str]) -> tuple[Any, Labels]:
    """Multiply two operands as a batch of matrices, summing over what both have and nobody else asks for."""
    (x, a), (y, b) = _summed(x, a, wanted | set(b)), _summed(y, b, wanted | set(a))
    sizes = dict(zip(a, x.shape, strict=True))
    for c, n in zip(b, y.shape, strict=True):
        if sizes.setdefault(c, n) != n:
            if 1 not in (n, sizes[c]):
                raise ShapeError(f"einsum(): subscript {c} has size {n} for one operand, and {sizes[c]} before")
            sizes[c] = max(n, sizes[c]) if 0 not in (n, sizes[c]) else 0
    both = [c for c in a if c in b]
    batch, inner = [c for c in both if c in wanted], [c for c in both if c not in wanted]
    left, right = [c for c in a if c not in b], [c for c in b if c not in a]
    z = matrix_product(_as_batch(x, a, (batch, left, inner), sizes), _as_batch(y, b, (batch, inner, right), sizes))
    labels = [*batch, *left, *right]
    return reshape(z, shape=tuple(sizes[c] for c in labels)), labels


@composite
def einsum(equation: str, *operands: Any) -> Any:
    """Return the sum of products that `equation` says in Einstein's notation, such as "bij,bjk->bik".

    A repeated subscript is a diagonal, `...` stands for dims that broadcast, and without `->` the subscripts that
    appear once are the output's, in alphabetical order. Raises ArgumentError for an equation that does not fit.
    """
    if len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = tuple(operands[0])
    inputs, output = _read_equation(equation, [x.ndim for x in operands])
    parts = [_without_repeats(x, labels) for x, labels in zip(operands, inputs, strict=True)]
    x, a = parts[0]
    for k, (y, b) in enumerate(parts[1:], 2):
        x, a = _contracted(x, a, y, b, set(output).union(*(labels for _, labels in parts[k:])))
    x, a = _summed(x, a, set(output))
    missing = [c for c in output if c not in a]
    x = permute(
        reshape(x, shape=(*x.shape, *(1 for _ in missing))), dims=tuple([*a, *missing].index(c) for c in output)
    )
    return x * 1 if x is operands[0] else x


@composite
def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """Return the sum of products over the last `dims` dims of `a` and the first of `b`, or over two lists of dims."""
    if isinstance(dims, int):
        over_a, over_b = list(range(a.ndim - dims, a.ndim)), list(range(dims))
    else:
        pair = [[d] if isinstance(d, int) else list(d) for d in dims]
        over_a, over_b = ([checked_dim(d, x.ndim) for d in ds] for x, ds in zip((a, b), pair, strict=True))
    for da, db in zip(over_a, over_b, strict=True):  # a size of 1 meets any other
        if a.shape[da] != b.shape[db] and 1 in (a.shape[da], b.shape[db]):
            a, b = (sum(x, dim=d, keepdim=True) for x, d in ((a, da), (b, db)))
    if [a.shape[d] for d in over_a] != [b.shape[d] for d in over_b]:
        raise ShapeError(
            f"tensordot: contracted dims {over_a} of {tuple(a.shape)} and {over_b} of {tuple(b.shape)} differ"
        )
    rest_a, rest_b = [d for d in range(a.ndim) if d not in over_a], [d for d in range(b.ndim) if d not in over_b]
    inner = math.prod(a.shape[d] for d in over_a)
    shape_a, shape_b = [a.shape[d] for d in rest_a], [b.shape[d] for d in rest_b]
    left = reshape(permute(a, dims=(*rest_a, *over_a)), shape=(math.prod(shape_a), inner))
    right = reshape(permute(b, dims=(*over_b, *rest_b)), shape=(inner, math.prod(shape_b)))
    return reshape(matrix_product(left, right), shape=(*shape_a, *shape_b))


@composite
def outer(input: Any, vec2: Any) -> Any:
    """Return the matrix of products of the elements of two vectors."""
    if input.ndim != 1 or vec2.ndim != 1:
        raise ShapeError(f"outer: Expected two vectors, got shapes {tuple(input.shape)} and {tuple(vec2.shape)}")
    return reshape(input, shape=(*input.shape, 1)) * vec2


@composite
def inner(input: Any, other: Any) -> Any:
    """Return the sums of products over the last dim of both."""
    if input.ndim == 0 or other.ndim == 0:
        return input * other
    return tensordot(input, other, ((input.ndim - 1,), (other.ndim - 1,)))


@composite
def kron(input: Any, other: Any) -> Any:
    """Return the Kronecker product: each element of `input` times all of `other`."""
    ndim = max(input.ndim, other.ndim)
    a, b = ((*(1,) * (ndim - x.ndim), *x.shape) for x in (input, other))
    left = reshape(input, shape=tuple(m for n in a for m in (n, 1)))
    right = reshape(other, shape=tuple(m for n in b for m in (1, n)))
    return reshape(left * right, shape=tuple(m * n for m, n in zip(a, b, strict=True)))


@composite
def cross(input: Any, other: Any, dim: int | None = None) -> Any:
    """Return the cross product of vectors of 3 along `dim`: by default the first dim of size 3."""
    at = next((i for i, n in enumerate(input.shape) if n == 3), -1) if dim is None else dim
    shape = np.broadcast_shapes(tuple(input.shape), tuple(other.shape))
    at = checked_dim(at, len(shape))
    if shape[at] != 3:
        raise ShapeError(f"cross: inputs dimension {at} must have length 3. Got shapes {input.shape} and {other.shape}")
    a, b = expand(input, shape=shape), expand(other, shape=shape)
    return roll(a, -1, at) * roll(b, 1, at) - roll(a, 1, at) * roll(b, -1, at)


def _weighed(input: Any, product: Any, beta: float, alpha: float) -> Any:
    product = product if alpha == 1 else product * alpha
    return product if beta == 0 else (input if beta == 1 else input * beta) + product


@composite
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """Return beta * input + alpha * (mat1 @ mat2) for matrices."""
    return _weighed(input, matrix_product(mat1, mat2), beta, alpha)


@composite
def addmv(input: Any, mat: Any, vec: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """Return beta * input + alpha * (mat @ vec) for a matrix and a vector."""
    return _weighed(input, matmul(mat, vec), beta, alpha)


@composite
def addr(input: Any, vec1: Any, vec2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """Return beta * input + alpha * the outer product of two vectors."""
    return _weighed(input, outer(vec1, vec2), beta, alpha)


@composite
def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """Return beta * input + alpha * (batch1 @ batch2) for batches of matrices."""
    return _weighed(input, matrix_product(batch1, batch2), beta, alpha)


@composite
def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """Return beta * input + alpha * the sum over the batch of batch1 @ batch2."""
    return _weighed(input, sum(matrix_product(batch1, batch2), dim=0), beta, alpha)


@composite
def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str | None = None) -> Any:
    """Return the p-norm distances (..., P, R) between rows of `x1` (..., P, M) and of `x2` (..., R, M)."""
    a = reshape(x1, shape=(*x1.shape[: x1.ndim - 1], 1, x1.shape[x1.ndim - 1]))
    b = reshape(x2, shape=(*x2.shape[: x2.ndim - 2], 1, *x2.shape[x2.ndim - 2 :]))
    return norm(a - b, p, -1)


@composite
def dist(input: Any, other: Any, p: float = 2) -> Any:
    """Return the p-norm of the difference."""
    return norm(input - other, p)


@composite
def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Return the differences of neighbours along `dim`, n times over."""
    at = checked_dim(dim, input.ndim)
    parts = [x for x in (prepend, input, append) if x is not None]
    x = concatenate(*parts, dim=at) if len(parts) > 1 and n else input
    for _ in range(min(n, x.shape[at])):
        size = x.shape[at]
        after, before = narrow(x, dim=at, start=1, length=size - 1), narrow(x, dim=at, start=0, length=size - 1)
        x = ne(after, before) if numpy_dtype(x.dtype).kind == "b" else after - before
    return x


@composite
def trapezoid(y: Any, x: Any = None, *, dx: float = 1, dim: int = -1) -> Any:
    """Return the integral along `dim` by the trapezoidal rule, at places `x` or at steps of `dx`."""
    at = checked_dim(dim, y.ndim)
    return sum(_pieces(y, x, dx, at), dim=at) * 0.5


@composite
def cumulative_trapezoid(y: Any, x: Any = None, *, dx: float = 1, dim: int = -1) -> Any:
    """Return the integrals along `dim` up to each place but the first, by the trapezoidal rule."""
    at = checked_dim(dim, y.ndim)
    return cumsum(_pieces(y, x, dx, at), dim=at) * 0.5


def _pieces(y: Any, x: Any, dx: float, at: int) -> Any:
    """Return twice the integral between neighbours."""
    n = y.shape[at]
    pairs = narrow(y, dim=at, start=1, length=n - 1) + narrow(y, dim=at, start=0, length=n - 1)
    if x is None:
        return pairs * dx
    steps = diff(x) if x.ndim == 1 else diff(x, 1, at)
    if x.ndim == 1:
        steps = reshape(steps, shape=tuple(n - 1 if i == at else 1 for i in range(y.ndim)))
    return pairs * steps


@composite
def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """Return the covariance matrix of the rows, which are variables; the columns are observations.

    `fweights` says how often an observation was made, `aweights` how much it weighs.
    """
    x = reshape(input, shape=(1, -1)) if input.ndim < 2 else input
    given = [w for w in (fweights, aweights) if w is not None]
    n: Any = x.shape[1]
    if not given:
        away = x - sum(x, dim=1, keepdim=True) / n
        y = matrix_product(away, transpose(away, 0, 1)) / max(n - correction, 0)
    else:
        w = given[0] * 1.0 if len(given) == 1 else given[0] * given[1]
        n = sum(w)
        away = x - sum(x * w, dim=1, keepdim=True) / n
        lost = correction if aweights is None else correction * sum(w * aweights) / n
        y = matrix_product(away * w, transpose(away, 0, 1)) / (n - lost)
    return reshape(y, shape=()) if x.shape[0] == 1 else y


@composite
def corrcoef(input: Any) -> Any:
    """Return the matrix of correlation coefficients of the rows."""
    c = cov(input)
    if c.ndim == 0:
        return c / c
    size = diagonal_of(c, offset=0, dim1=0, dim2=1) ** 0.5
    return c / reshape(size, shape=(-1, 1)) / size


@composite
def block_diag(*tensors: Any) -> Any:
    """Return the matrix with the given matrices along its diagonal."""
    from minigrad.ops.shape import widen

    matrices = [reshape(t, shape=(*(1,) * (2 - t.ndim), *t.shape)) for t in tensors]
    height, width = (np.sum([m.shape[d] for m in matrices], dtype=int).item() for d in (0, 1))
    total, row, column = None, 0, 0
    for m in matrices:
        part = widen(widen(m, dim=0, start=row, size=height), dim=1, start=column, size=width)
        total = part if total is None else total + part
        row, column = row + m.shape[0], column + m.shape[1]
    return total


@composite
def sum_to_size(input: Any, *size: Any) -> Any:
    """Return the tensor summed down to a shape that broadcasts to its own."""
    shape = tuple(size[0]) if len(size) == 1 and isinstance(size[0], list | tuple) else size
    return sum_to(input, shape=shape)

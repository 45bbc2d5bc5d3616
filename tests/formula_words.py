"""The words of the formulas, each defined once more in plain NumPy or by loops, to work the formulas out with."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np


class Board(np.ndarray):
    """An array whose .T exchanges the last two dims, as it is meant on a board."""

    @property
    def T(self):
        return self.swapaxes(-1, -2)


def board(x: Any) -> Any:
    return np.asarray(x).view(Board)


class Identity:
    """The identity matrix, as large as what it meets."""

    __array_ufunc__ = None

    def __init__(self, scale: Any = 1.0) -> None:
        self.scale = scale

    def __rmul__(self, scale: Any) -> Identity:
        return Identity(scale)

    def __sub__(self, x: Any) -> Any:
        return self.scale * np.eye(x.shape[-1]) - x

    def __add__(self, x: Any) -> Any:
        return self.scale * np.eye(x.shape[-1]) + x


# --- reductions ---


def over(dim: Any, x: Any) -> tuple[int, ...]:
    dims = range(x.ndim) if dim is None else dim if isinstance(dim, tuple) else (dim,)
    return tuple(d % x.ndim for d in dims) if x.ndim else ()


def total(t: Any, dim: Any = None) -> Any:
    return np.sum(t, axis=over(dim, t), keepdims=True)


def count(x: Any, dim: Any) -> int:
    return math.prod(x.shape[d] for d in over(dim, x))


def mean(x: Any, dim: Any) -> Any:
    return total(x, dim) / count(x, dim)


def spread(g: Any, dim: Any, x: Any) -> Any:
    return np.broadcast_to(g if np.ndim(g) == x.ndim else np.expand_dims(g, over(dim, x)), x.shape)


def softmax(x: Any, dim: Any) -> Any:
    e = np.exp(x - np.max(x, axis=over(dim, x), keepdims=True, initial=-np.inf))
    return e / total(e, dim)


def flip(t: Any, dims: Any) -> Any:
    return np.flip(t, over(dims, t))


def cumsum(t: Any, dim: int) -> Any:
    return np.cumsum(t, dim) if t.ndim else t


def summed(t: Any, shape: tuple[int, ...]) -> Any:
    """Return `t` summed down to a shape that broadcasts to its own."""
    lead = np.ndim(t) - len(shape)
    t = np.sum(t, axis=tuple(range(lead)))
    return np.sum(t, axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)


def align(weight: Any, along: tuple[int, ...], x: Any) -> Any:
    return 1.0 if weight is None else weight.reshape([n if i in along else 1 for i, n in enumerate(x.shape)])


def sum_along(t: Any, along: tuple[int, ...]) -> Any:
    return np.sum(t, axis=tuple(i for i in range(t.ndim) if i not in along))


# --- places ---


def zeros(x: Any) -> Any:
    return board(np.zeros(x if isinstance(x, tuple) else x.shape))


def erase(g: Any, index: Any) -> Any:
    y = g.copy()
    y[index] = 0
    return y


def along(index: Any, dim: int) -> Any:
    """Yield the places of an index along a dim, each with what it names."""
    dim %= max(index.ndim, 1)
    for at in np.ndindex(index.shape):
        yield at, (*at[:dim], int(index[at]), *at[dim + 1 :]) if at else ()


def scatter(g: Any, index: Any, dim: int, x: Any) -> Any:
    y, dim = zeros(x), dim % max(x.ndim, 1)
    if g.ndim < x.ndim:
        g, index = np.expand_dims(g, dim), np.expand_dims(index, dim)
    for at, to in along(index, dim):
        y[to] += g[at]
    return y


def gather(x: Any, index: Any, dim: int) -> Any:
    y = zeros(index)
    for at, to in along(index, dim):
        y[at] = x[to]
    return y


def erase_along(g: Any, index: Any, dim: int) -> Any:
    y = g.copy()
    for _, to in along(index, dim):
        y[to] = 0
    return y


def corner(t: Any, x: Any) -> Any:
    y = zeros(x)
    for at in np.ndindex(t.shape):
        y[at if y.ndim else ()] += t[at]
    return y


def fill(values: Any, x: Any) -> Any:
    y = zeros(x)
    y.reshape(-1)[: values.size] = values
    return y


def narrow(g: Any, dim: int, start: int, length: int) -> Any:
    return np.take(g, range(start, start + length), dim)


def widen(g: Any, dim: int, start: int, size: int) -> Any:
    return np.pad(g, [(start, size - start - n) if d == dim else (0, 0) for d, n in enumerate(g.shape)])


def adjoint(read: Any) -> Any:
    """Return what adds values, given first, back to where `read` reads them in an array like the last argument."""

    def added(g: Any, *how: Any) -> Any:
        *settings, x = how
        flat = np.zeros(x.size)
        np.add.at(flat, np.ravel(read(np.arange(x.size).reshape(x.shape), *settings)), np.ravel(g))
        return board(flat.reshape(x.shape))

    return added


def windows(x: Any, dim: int, size: int, step: int) -> Any:
    if x.ndim == 0:
        return np.broadcast_to(x, (size,))
    seen = [np.take(x, range(s, s + size), dim) for s in range(0, x.shape[dim] - size + 1, step)]
    return np.moveaxis(np.stack(seen, dim), dim + 1, -1)


def as_strided(x: Any, shape: tuple[int, ...], stride: tuple[int, ...], offset: int) -> Any:
    flat, y = np.ravel(x), np.empty(shape, x.dtype)
    for at in np.ndindex(*shape):
        y[at] = flat[offset + sum(i * s for i, s in zip(at, stride, strict=True))]
    return y


# --- matrices ---


def inv(x: Any) -> Any:
    return np.linalg.inv(x).view(Board)


def cofactors(x: Any) -> Any:
    y, n = zeros(x), x.shape[-1]
    for at in itertools.product(*map(range, x.shape[:-2])):
        for i, j in itertools.product(range(n), repeat=2):
            minor = np.delete(np.delete(np.asarray(x[at]), i, 0), j, 1)
            y[(*at, i, j)] = (-1) ** (i + j) * np.linalg.det(minor)
    return y


def blocks(x: Any) -> tuple[Any, Any, Any]:
    k = min(x.shape[-2:])
    return x[..., :k, :k], x[..., k:, :k], x[..., :k, k:]


def bordered(square: Any, below: Any, beside: Any) -> Any:
    return np.concatenate((square, below), -2) if below.size else np.concatenate((square, beside), -1)


def lower(x: Any) -> Any:
    return np.tril(x) * (1 - np.eye(x.shape[-1]) / 2)


def gaps(values: Any) -> Any:
    apart = values[..., None, :] - values[..., None]
    return np.where(apart == 0, 0, 1 / apart)


def diag(values: Any) -> Any:
    return values[..., None] * np.eye(values.shape[-1])


# --- functions of numbers ---


def within(x: Any, low: Any, high: Any) -> Any:
    return np.logical_not((x < (-np.inf if low is None else low)) | (x > (np.inf if high is None else high)))


def inside(x: Any, eps: float | None) -> Any:
    return np.ones(x.shape, bool) if eps is None else (eps <= x) & (x <= 1 - eps)


def polygamma(n: int, x: Any) -> Any:
    """Return the n-th derivative of digamma: a sum, and Euler and Maclaurin's end of it."""
    y, z = np.zeros(np.shape(x)), np.asarray(x, np.float64)
    scale, sign = math.factorial(n), (-1.0) ** (n + 1)
    for _ in range(40):
        y += sign * scale / z ** (n + 1)
        z = z + 1
    y += np.log(z) if n == 0 else sign * math.factorial(n - 1) / z**n
    y += sign * scale / (2 * z ** (n + 1))
    for k, bernoulli in enumerate((1 / 6, -1 / 30, 1 / 42, -1 / 30), 1):
        y += sign * bernoulli * math.factorial(2 * k + n - 1) / math.factorial(2 * k) / z ** (2 * k + n)
    return board(y)


NUMPY = """
    abs cos cosh exp floor log maximum sign sin sinh sqrt tanh trunc pi where diagonal split concatenate take_along_axis
"""
WORDS: dict[str, Any] = {
    **{name: getattr(np, name) for name in NUMPY.split()},
    "I": Identity(),
    "sum": total,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "sym": lambda x: (x + x.T) / 2,
    "tril": lambda x, k=0: board(np.tril(x, k)),
    "triu": lambda x, k=0: board(np.triu(x, k)),
    "skew": lambda x: x - x.T,
    "copyltu": lambda x: np.tril(x) + np.triu(x.T, 1),
    "projected": lambda t, weight: t if weight is None else t @ weight,
    "trace": lambda x: np.trace(x, axis1=-2, axis2=-1)[..., None, None],
    "solve": lambda a, b: inv(a) @ b,
    "rows": lambda t: t.reshape(math.prod(t.shape[:-1]), t.shape[-1]),
    "select": lambda g, mask: g[np.broadcast_to(mask, g.shape)],
    "erf": lambda x: np.vectorize(math.erf, otypes=[np.float64])(x),
    "share": lambda mask, dim: mask / total(mask, dim),
    "expand": np.broadcast_to,
    "sum_to": summed,
    "inverse": lambda dims: [[d % len(dims) for d in dims].index(i) for i in range(len(dims))],
    "put": adjoint(lambda x, index: x[index]),
    "on_diagonal": adjoint(np.diagonal),
    "add_windows": lambda g, dim, step, x: adjoint(windows)(g, dim, g.shape[-1], step, x),
    "add_strided": lambda g, stride, offset, x: adjoint(as_strided)(g, g.shape, stride, offset, x),
}
for word in (
    count, mean, spread, softmax, flip, cumsum, align, sum_along, erase, scatter, gather, erase_along, corner, fill,
    narrow, widen, windows, as_strided, inv, cofactors, blocks, bordered, lower, gaps, diag, within, inside, polygamma,
):  # fmt: skip
    WORDS[word.__name__] = word

"""Random numbers written into the memory of a tensor, recorded as any other write is."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError
from minigrad.kernels.stream import Stream
from minigrad.random.drawing import (
    check_probabilities,
    check_std,
    compared,
    draw_like,
    fill,
    float_kind,
    whole_numbers,
    whole_range,
)
from minigrad.random.generators import Generator, stream_of
from minigrad.tensor import Tensor, wrap


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill `tensor` with numbers from [a, b) and return it. Raises ArgumentError if a > b."""
    kind = float_kind("uniform_", tensor._data.dtype)
    if a > b:
        raise ArgumentError(f"uniform_ expects to return a [from, to) range, but found from={a} > to={b}")
    return fill(tensor, lambda count: stream_of(generator).uniform(count, kind, a, b))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill `tensor` with normal numbers and return it. Raises ArgumentError if std < 0."""
    kind = float_kind("normal_", tensor._data.dtype)
    mean, std = float(mean), float(std)
    check_std("normal_", std)
    pairs = not tensor.is_contiguous()
    return fill(tensor, lambda count: stream_of(generator).normal(count, kind, mean, std, pairs=pairs))


def bernoulli_(tensor: Tensor, p: Any = 0.5, generator: Generator | None = None) -> Tensor:
    """Fill `tensor` with 1 where a draw falls under `p`, a number or a tensor of them, 0 elsewhere; return it."""
    p = p.detach() if isinstance(p, Tensor) else p
    check_probabilities("bernoulli_", np.asarray(p))
    tensor._check_writable()
    if isinstance(p, Tensor):
        kind = compared(float_kind("bernoulli_", p.dtype))
        hits = draw_like(tensor, lambda count: stream_of(generator).uniform(count, kind)) < p._data
    else:
        hits = draw_like(tensor, lambda count: stream_of(generator).chances(count, p))
    return tensor.fill_(wrap(hits.astype(tensor._data.dtype)))


def exponential_(tensor: Tensor, lambd: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill `tensor` with exponentially distributed numbers of mean 1 / lambd. Raises ArgumentError if lambd <= 0."""
    kind = float_kind("exponential_", tensor._data.dtype)
    if lambd <= 0:
        raise ArgumentError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
    return fill(tensor, lambda count: stream_of(generator).exponential(count, lambd).astype(kind))


def random_(tensor: Tensor, *bounds: int | None, generator: Generator | None = None) -> Tensor:
    """Fill `tensor` with whole numbers: `random_()` from 0 up, `random_(to)` from [0, to), `random_(from, to)`.

    Without an upper bound, or with None for it, they go up to the greatest the dtype holds. Raises ArgumentError if
    the dtype does not hold the bounds.
    """
    kind, stream = tensor._data.dtype, stream_of(generator)
    if not bounds:
        return fill(tensor, lambda count: _any_whole_number(stream, count, kind))
    low, high = (0, bounds[0]) if len(bounds) == 1 else bounds
    first, end = int(low or 0), whole_range(kind)[1] + 1 if high is None else int(high)
    return fill(tensor, lambda count: whole_numbers(stream, count, first, end, kind))


def _any_whole_number(stream: Stream, count: int, kind: np.dtype[Any]) -> Array:
    """Return numbers from 0 to the greatest `kind` holds: of one word, or of two where the dtype has 8 bytes."""
    span = np.uint64(whole_range(kind)[1] + 1)
    return ((stream.double_words if kind.itemsize == 8 else stream.words)(count) % span).astype(kind)


def cauchy_(tensor: Tensor, median: float = 0.0, sigma: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill `tensor` with numbers of a Cauchy distribution. Raises ArgumentError if sigma <= 0."""
    kind = float_kind("cauchy_", tensor._data.dtype)
    if sigma <= 0:
        raise ArgumentError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma}")
    return fill(tensor, lambda count: stream_of(generator).cauchy(count, median, sigma).astype(kind))


def log_normal_(tensor: Tensor, mean: float = 1.0, std: float = 2.0, generator: Generator | None = None) -> Tensor:
    """Fill `tensor` with exp of normal numbers of this mean and deviation. Raises ArgumentError if std <= 0."""
    kind = float_kind("log_normal_", tensor._data.dtype)
    if std <= 0:
        raise ArgumentError(f"log_normal_ expects std > 0.0, but found std={std}")
    return fill(
        tensor, lambda count: np.exp(stream_of(generator).normal(count, np.float64, mean, std, pairs=True)).astype(kind)
    )


def geometric_(tensor: Tensor, p: float, generator: Generator | None = None) -> Tensor:
    """Fill `tensor` with how often one tries until the first success, of probability `p` each time.

    Raises ArgumentError unless 0 < p < 1.
    """
    if not 0 < p < 1:
        raise ArgumentError(f"geometric_ expects p to be in (0, 1), but got p={p}")
    return fill(tensor, lambda count: stream_of(generator).trials(count, p).astype(tensor._data.dtype))

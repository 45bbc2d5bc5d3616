"""New tensors of random numbers: uniform, normal, whole numbers, permutations."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.errors import ArgumentError
from minigrad.random.drawing import check_std, draw_like, float_kind, made, sizes, whole_numbers, whole_range
from minigrad.random.generators import Generator, stream_of
from minigrad.tensor import Tensor


def rand(
    *several: Any,
    size: Any = None,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Return numbers from [0, 1), uniformly distributed, of shape `size`; float32 by default.

    >>> from minigrad import manual_seed
    >>> _ = manual_seed(0)
    >>> rand(2)
    tensor([0.4963, 0.7682])
    """
    shape, count = sizes("rand", several if size is None else (size,))
    values = stream_of(generator).uniform(count, float_kind("rand", dtype if out is None else out.dtype))
    return made(values.reshape(shape), requires_grad, device, out)


def randn(
    *several: Any,
    size: Any = None,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Return normal numbers of mean 0 and standard deviation 1, of shape `size`; float32 by default."""
    shape, count = sizes("randn", several if size is None else (size,))
    values = stream_of(generator).normal(count, float_kind("randn", dtype if out is None else out.dtype))
    return made(values.reshape(shape), requires_grad, device, out)


def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Return numbers from [0, 1) in the shape and, by default, the dtype of `input`."""
    kind = float_kind("rand_like", dtype or input.dtype)
    values = draw_like(input, lambda count: stream_of(generator).uniform(count, kind))
    return made(values, requires_grad, device)


def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Return standard normal numbers in the shape and, by default, the dtype of `input`."""
    kind, pairs = float_kind("randn_like", dtype or input.dtype), not input.is_contiguous()
    values = draw_like(input, lambda count: stream_of(generator).normal(count, kind, pairs=pairs))
    return made(values, requires_grad, device)


def randint(
    *bounds_and_size: Any,
    low: int = 0,
    high: int | None = None,
    size: Any = None,
    generator: Generator | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Return whole numbers from [low, high): `randint(high, size)` or `randint(low, high, size)`; int64 by default.

    Raises ArgumentError if low >= high, or if the dtype does not hold them.

    >>> from minigrad import manual_seed
    >>> _ = manual_seed(0)
    >>> randint(3, 10, (4,))
    tensor([7, 6, 3, 5])
    """
    given = list(bounds_and_size)
    if size is None and given:
        size = given.pop()
    if high is None and given:
        high = given.pop()
    if given:
        low = given.pop()
    if given or high is None or size is None:
        raise ArgumentError(f"randint: expected (high, size) or (low, high, size), got {bounds_and_size}")
    shape, count = sizes("randint", (size,))
    values = whole_numbers(stream_of(generator), count, int(low), int(high), dtypes.chosen(dtype, int))
    return made(values.reshape(shape), requires_grad, device)


def randint_like(
    input: Tensor,
    low: int,
    high: int | None = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Return whole numbers from [low, high), or from [0, low), in the shape and, by default, the dtype of `input`."""
    first, end = (0, int(low)) if high is None else (int(low), int(high))
    kind, stream = dtypes.chosen(dtype or input.dtype), stream_of(generator)
    values = draw_like(input, lambda count: whole_numbers(stream, count, first, end, kind))
    return made(values, requires_grad, device)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Return the numbers 0 .. n-1 in random order; int64 by default.

    Raises ShapeError for a negative n, ArgumentError for a dtype that does not hold them.
    """
    _, count = sizes("randperm", (n,))
    kind = dtypes.chosen(dtype, int)
    if count - 1 > whole_range(kind)[1]:
        raise ArgumentError(f"randperm: {count - 1} cannot be converted to {kind} without overflow")
    values = stream_of(generator).permutation(count)
    return made(values.astype(kind, copy=False), requires_grad, device)


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Return normal numbers of shape `size`; without one, `mean` or `std` is a tensor and each element has its own."""
    stream = stream_of(generator)
    mean, std = (x._data if isinstance(x, Tensor) else x for x in (mean, std))
    check_std("normal", np.min(np.asarray(std), initial=0))
    if size is not None:
        shape, count = sizes("normal", (size,))
        values = stream.normal(count, float_kind("normal", dtype), float(mean), float(std))
        return made(values.reshape(shape), requires_grad, device)
    tensors = [x for x in (mean, std) if isinstance(x, np.ndarray)]
    if not tensors:
        raise ArgumentError("normal: two numbers say nothing of the shape; pass size=")
    shape = np.broadcast_shapes(*(x.shape for x in tensors))
    kind = float_kind("normal", tensors[0].dtype)
    unit = stream.normal(int(np.prod(shape, dtype=np.int64)), kind).reshape(shape)
    return made(np.asarray(unit * np.asarray(std, kind) + np.asarray(mean, kind)), requires_grad, device)

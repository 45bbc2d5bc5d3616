"""A function of one example made a function of a batch: a plain loop over the examples, whose results are stacked."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError, GraphError, ShapeError
from minigrad.func.tree import leaves, rebuilt, spread
from minigrad.ops.shape import checked_dim, narrow, squeeze, stack
from minigrad.random import get_rng_state, set_rng_state
from minigrad.tensor import Tensor


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """Return a function that calls `func` for each place along `in_dims` of its arguments and stacks along `out_dims`.

    It is a loop: as many calls of `func` as there are examples, no faster than writing them out, and differentiable
    as they are. None in `in_dims` passes an argument whole, as keywords are. `randomness` is "error" (drawing random
    numbers raises GraphError), "same" (each call draws the same) or "different" (each call goes on drawing, example by
    example, where PyTorch draws for the whole batch at once). `chunk_size` does not matter.

    >>> import minigrad as mg
    >>> vmap(mg.dot)(mg.ones(3, 2), mg.arange(6.0).reshape(3, 2))
    tensor([1., 5., 9.])
    """
    if randomness not in ("error", "same", "different"):
        raise ArgumentError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")

    @functools.wraps(func)
    def batched(*args: Any, **kwargs: Any) -> Any:
        tensors, dims = leaves(args), spread(in_dims, args)
        count = _batch_size(tensors, dims)
        before = get_rng_state()
        results = []
        for i in range(count):
            if randomness == "same":
                set_rng_state(before)
            parts = iter([x if d is None else _example(x, d, i) for x, d in zip(tensors, dims, strict=True)])
            results.append(func(*rebuilt(args, parts), **kwargs))
        if randomness == "error":
            _check_nothing_drawn(before)
        return _joined(results, out_dims)

    return batched


def _batch_size(tensors: list[Any], dims: list[Any]) -> int:
    """Return the one size that all tensors have along their dims."""
    sizes = [x.shape[checked_dim(d, x.ndim)] for x, d in zip(tensors, dims, strict=True) if d is not None]
    if not sizes:
        raise ArgumentError("vmap: got no inputs to map over; in_dims must name a dim of at least one tensor")
    if len(set(sizes)) > 1:
        raise ShapeError(f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sizes}")
    if not sizes[0]:
        raise ShapeError(
            "vmap: the mapped dimension is empty, so that there is no call to tell the shape of the result"
        )
    return int(sizes[0])


def _example(x: Tensor, dim: int, i: int) -> Tensor:
    at = checked_dim(dim, x.ndim)
    return squeeze(narrow(x, dim=at, start=i, length=1), at)


def _check_nothing_drawn(before: Tensor) -> None:
    if not np.array_equal(before._data, get_rng_state()._data):
        raise GraphError(
            "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' "
            "randomness flags on vmap or perform the randomness operation out of vmap"
        )


def _joined(results: list[Any], out_dims: Any) -> Any:
    """Return the results of all calls in one, each tensor stacked along its dim."""
    dims = spread(out_dims, results[0])
    columns = zip(*(leaves(result) for result in results), strict=True)
    for y in leaves(results[0]):
        if not isinstance(y, Tensor):
            raise GraphError(f"vmap: `func` must only return Tensors, got type {type(y)}")
    joined = [xs[0] if d is None else stack(xs, d) for xs, d in zip(columns, dims, strict=True)]
    return rebuilt(results[0], iter(joined))

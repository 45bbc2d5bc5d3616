"""Slopes of sampled functions, by differences of neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.dtypes import numpy_dtype
from minigrad.errors import ArgumentError
from minigrad.graph import array_of, composite
from minigrad.ops.shape import checked_dim, concatenate, flip, narrow, reshape


@composite
def gradient(input: Any, *, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> Any:
    """Return a tuple of the slopes of a sampled function along each of `dim`, by default along all its dims.

    `spacing` is the step (1 by default), a step for each dim, or a list of the coordinates along each. Inside, slopes
    are those of the parabola through a point and its neighbours; at the edges those of a line, or with `edge_order=2`
    of that parabola.
    Raises ArgumentError for another order, or for a spacing that does not fit.
    """
    dims = range(input.ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
    if edge_order not in (1, 2):
        raise ArgumentError(f"torch.gradient only supports edge_order=1 and edge_order=2, got {edge_order}")
    step = 1 if spacing is None else spacing
    each = step if isinstance(step, list | tuple) else [step] * len(dims)
    if len(each) != len(dims):
        raise ArgumentError(f"gradient: expected spacing for {len(dims)} dims, got {len(each)}")
    return tuple(_along(input, checked_dim(d, input.ndim), s, edge_order) for d, s in zip(dims, each, strict=True))


def _along(x: Any, dim: int, spacing: Any, order: int) -> Any:
    n = x.shape[dim]
    if n < order + 1:
        raise ArgumentError(f"gradient: expected each dimension size to be at least edge_order+1, got {n}")
    places = np.asarray(array_of(spacing), np.float64)
    steps = np.diff(places) if places.ndim else np.full(n - 1, places)
    ends = [_end(x, dim, steps, order), -_end(flip(x, dims=(dim,)), dim, steps[::-1], order)]
    if n == 2:
        return concatenate(*ends, dim=dim)
    before, after = steps[:-1], steps[1:]
    both = before + after
    weights: Any = (-after / (before * both), (after - before) / (before * after), before / (after * both))
    if not places.ndim:
        weights = (weights[0], None, weights[2])
    inner = _weighed(x, dim, weights, n - 2)
    return concatenate(ends[0], inner, ends[1], dim=dim)


def _end(x: Any, dim: int, steps: Any, order: int) -> Any:
    """Return the slope at the first place: of a line through two points, or of a parabola through three."""
    if order == 1:
        return _weighed(x, dim, (-1 / steps[:1], 1 / steps[:1]), 1)
    a, b = steps[:1], steps[1:2]
    return _weighed(x, dim, (-(2 * a + b) / (a * (a + b)), (a + b) / (a * b), -a / (b * (a + b))), 1)


def _weighed(x: Any, dim: int, weights: tuple[Any, ...], length: int) -> Any:
    """Return the sum over k of weights[k] * x[k : k + length] along `dim`, without those that are None."""
    total = None
    for k, weight in enumerate(weights):
        if weight is None:
            continue
        kind = numpy_dtype(x.dtype)
        line = np.asarray(weight, kind if kind.kind == "f" else np.float32)
        part = narrow(x, dim=dim, start=k, length=length) * reshape(line, shape=(-1, *(1,) * (x.ndim - 1 - dim)))
        total = part if total is None else total + part
    return total

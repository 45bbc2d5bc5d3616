"""Chances: coins, dropout masks, and draws from weights and rates."""

from __future__ import annotations

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, ShapeError
from minigrad.random.drawing import check_probabilities, compared, float_kind
from minigrad.random.filling import bernoulli_
from minigrad.random.generators import Generator, stream_of
from minigrad.tensor import Tensor, wrap


def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """Return, in the shape and dtype of `input`, 1 with probability `p`, by default that which `input` holds there.

    Raises ArgumentError for a probability outside [0, 1], DTypeError for an integer `input` without `p`.
    """
    probabilities = input._data
    if p is not None:
        return bernoulli_(wrap(np.empty_like(probabilities)), p, generator=generator)
    kind = float_kind("bernoulli", probabilities.dtype)
    check_probabilities("bernoulli", probabilities)
    draws = stream_of(generator).uniform(input.numel(), compared(kind)).reshape(input.shape)
    return wrap((draws < probabilities).astype(kind))


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None
) -> Tensor:
    """Return `num_samples` indices, drawn in proportion to the weights in each row of `input`, of 1 or 2 dims.

    Raises ArgumentError if the weights of a row are negative, not finite or all zero, or if without `replacement`
    there are fewer of them than samples.
    """
    weights = np.atleast_2d(input._data)
    _check_weights(input._data, num_samples, replacement)
    stream = stream_of(generator)
    draw = stream.choose if replacement and num_samples > 1 else stream.choose_distinct
    chosen = draw(np.ascontiguousarray(weights), num_samples)
    return wrap(chosen if input.ndim == 2 else chosen[0])


def _check_weights(weights: Array, count: int, replacement: bool) -> None:
    if weights.ndim not in (1, 2) or weights.shape[-1] == 0:
        raise ShapeError(f"multinomial: prob_dist must be 1 or 2 dim and not empty, got shape {weights.shape}")
    float_kind("multinomial", weights.dtype)
    if count <= 0:
        raise ArgumentError(f"multinomial: cannot sample n_sample <= 0 samples (got {count})")
    if not replacement and count > weights.shape[-1]:
        raise ArgumentError(
            f"multinomial: cannot sample n_sample > prob_dist.size(-1) samples without replacement "
            f"({count} of {weights.shape[-1]}); pass replacement=True"
        )
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ArgumentError(
            "multinomial: invalid multinomial distribution: probability tensor contains either inf, nan or element < 0"
        )
    if not (weights.sum(-1) > 0).all():
        raise ArgumentError("multinomial: invalid multinomial distribution (sum of probabilities <= 0)")


def dropout_mask(shape: tuple[int, ...], p: float, generator: Generator | None = None) -> Array:
    """Return an array of bools of `shape`: True, with probability 1 - p, where dropout keeps an element.

    Where p leaves nothing to chance, nothing is drawn.
    """
    if p in (0, 1):
        return np.full(shape, p == 0)
    return stream_of(generator).chances(int(np.prod(shape, dtype=np.int64)), 1 - p).reshape(shape)


def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Return, for each rate in `input`, a number of events from its Poisson distribution, in the dtype of `input`.

    Raises ArgumentError for a negative rate.
    """
    kind = float_kind("poisson", input.dtype)
    if not (input._data >= 0).all():
        raise ArgumentError("poisson: invalid Poisson rate, expected rate to be non-negative")
    counts = stream_of(generator).events(input._data.reshape(-1).astype(np.float64))
    return wrap(counts.reshape(input.shape).astype(kind))


def uniform_noise(count: int, low: float, high: float, generator: Generator | None = None) -> Array:
    """Return `count` float64 numbers from [low, high), for draws that do not make a tensor."""
    return stream_of(generator).uniform(count, np.dtype(np.float64), low, high)

"""Random tensors: generators, and draws from PyTorch's CPU stream, so that a seed gives the numbers it gives there."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import dtypes
from minigrad.arraylike import sizes_of
from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, DTypeError, ShapeError
from minigrad.kernels.stream import Stream
from minigrad.tensor import Tensor, wrap

__all__ = [
    "Generator",
    "bernoulli",
    "default_generator",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "multinomial",
    "normal",
    "rand",
    "rand_like",
    "randint",
    "randn",
    "randn_like",
    "randperm",
    "seed",
    "set_rng_state",
]

_FIRST_SEED = 67280421310721  # of a generator nobody seeded; as arbitrary here as in PyTorch


class Generator:
    """A source of random numbers with a state of its own.

    >>> g = Generator().manual_seed(42)
    >>> state = g.get_state()
    >>> a = rand(3, generator=g)
    >>> a.tolist() == rand(3, generator=g.set_state(state)).tolist()
    True
    """

    device = "cpu"

    def __init__(self, device: Any = None) -> None:
        self._stream = Stream(_FIRST_SEED)

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream that belongs to `seed` and return this generator; a negative seed counts from 2**64 down.

        Raises ArgumentError outside [-2**63, 2**64).
        """
        if not -(2**63) <= int(seed) < 2**64:
            raise ArgumentError(f"manual_seed: Overflow when unpacking long long: {seed} is not in [-2**63, 2**64)")
        self._stream.restart(int(seed) % 2**64)
        return self

    def seed(self) -> int:
        """Start from a seed that the operating system makes up, and return it."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little") % 2**53)
        return self.initial_seed()

    def initial_seed(self) -> int:
        """Return the seed this generator was last started from."""
        return self._stream.seed

    def get_state(self) -> Tensor:
        """Return all that the coming numbers depend on, as uint8 of shape (5056,): PyTorch's own format."""
        return wrap(self._stream.state())

    def set_state(self, state: Tensor) -> Generator:
        """Go on from a state that `get_state()`, here or in PyTorch, returned. Raises ArgumentError for another."""
        self._stream.set_state(np.asarray(state))
        return self


default_generator = Generator()
default_generator.seed()


def manual_seed(seed: int) -> Generator:
    """Seed the default generator, which all draws use that are given no other, and return it."""
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Seed the default generator from the operating system and return the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """Return the seed the default generator was last started from."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """Return the state of the default generator."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Set the state of the default generator."""
    default_generator.set_state(new_state)


def _stream(generator: Generator | None) -> Stream:
    return (default_generator if generator is None else generator)._stream


def _float_kind(name: str, dtype: Any) -> np.dtype[Any]:
    kind = dtypes.chosen(dtype)
    if kind.kind != "f":
        raise DTypeError(f"{name}: expected a floating point dtype, got {kind}; draw floats and convert them")
    return kind


def _sizes(name: str, size: tuple[Any, ...]) -> tuple[tuple[int, ...], int]:
    shape = sizes_of(size)
    if any(n < 0 for n in shape):
        raise ShapeError(f"{name}: Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    return shape, int(np.prod(shape, dtype=np.int64))


# --- new tensors ---


def rand(
    *size: Any, generator: Generator | None = None, dtype: Any = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """Return numbers from [0, 1), uniformly distributed, of shape `size`; float32 by default.

    >>> _ = manual_seed(0)
    >>> rand(2)
    tensor([0.4963, 0.7682])
    """
    shape, count = _sizes("rand", size)
    values = _stream(generator).uniform(count, _float_kind("rand", dtype))
    return wrap(values.reshape(shape)).requires_grad_(requires_grad)


def randn(
    *size: Any, generator: Generator | None = None, dtype: Any = None, requires_grad: bool = False, device: Any = None
) -> Tensor:
    """Return normal numbers of mean 0 and standard deviation 1, of shape `size`; float32 by default."""
    shape, count = _sizes("randn", size)
    values = _stream(generator).normal(count, _float_kind("randn", dtype))
    return wrap(values.reshape(shape)).requires_grad_(requires_grad)


def rand_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Return numbers from [0, 1) in the shape and, by default, the dtype of `input`."""
    kind = _float_kind("rand_like", dtype or input.dtype)
    values = draw_like(input, lambda count: _stream(generator).uniform(count, kind))
    return wrap(values).requires_grad_(requires_grad)


def randn_like(
    input: Tensor,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Return standard normal numbers in the shape and, by default, the dtype of `input`."""
    kind, pairs = _float_kind("randn_like", dtype or input.dtype), not input.is_contiguous()
    values = draw_like(input, lambda count: _stream(generator).normal(count, kind, pairs=pairs))
    return wrap(values).requires_grad_(requires_grad)


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
    shape, count = _sizes("randint", (size,))
    values = _whole_numbers(_stream(generator), count, int(low), int(high), dtypes.chosen(dtype, int))
    return wrap(values.reshape(shape)).requires_grad_(requires_grad)


def _whole_numbers(stream: Stream, count: int, low: int, high: int, kind: np.dtype[Any]) -> Array:
    if low >= high:
        raise ArgumentError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    first, last = _whole_range(kind)
    if low < first or high - 1 > last:
        raise ArgumentError(f"random_: the range [{low}, {high}) is out of bounds for {kind}: [{first}, {last}]")
    return stream.integers(count, low, high - low).astype(kind)


def _whole_range(kind: np.dtype[Any]) -> tuple[int, int]:
    """Return the least and the greatest whole number up to which `kind` holds every one."""
    if kind.kind == "f":
        most = 2 ** (np.finfo(kind).nmant + 1)
        return -most, most
    return (0, 1) if kind.kind == "b" else (int(np.iinfo(kind).min), int(np.iinfo(kind).max))


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
    device: Any = None,
) -> Tensor:
    """Return the numbers 0 .. n-1 in random order; int64 by default. Raises ShapeError for a negative n."""
    _, count = _sizes("randperm", (n,))
    return wrap(_stream(generator).permutation(count).astype(dtypes.chosen(dtype, int))).requires_grad_(requires_grad)


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
    stream = _stream(generator)
    mean, std = (x._data if isinstance(x, Tensor) else x for x in (mean, std))
    _check_std("normal", np.min(np.asarray(std), initial=0))
    if size is not None:
        shape, count = _sizes("normal", (size,))
        values = stream.normal(count, _float_kind("normal", dtype), float(mean), float(std))
        return wrap(values.reshape(shape)).requires_grad_(requires_grad)
    tensors = [x for x in (mean, std) if isinstance(x, np.ndarray)]
    if not tensors:
        raise ArgumentError("normal: two numbers say nothing of the shape; pass size=")
    shape = np.broadcast_shapes(*(x.shape for x in tensors))
    kind = _float_kind("normal", tensors[0].dtype)
    unit = stream.normal(int(np.prod(shape, dtype=np.int64)), kind).reshape(shape)
    return wrap(np.asarray(unit * np.asarray(std, kind) + np.asarray(mean, kind)))


def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """Return, in the shape and dtype of `input`, 1 with probability `p`, by default that which `input` holds there.

    Raises ArgumentError for a probability outside [0, 1], DTypeError for an integer `input` without `p`.
    """
    probabilities = input._data
    if p is not None:
        return bernoulli_(wrap(np.empty_like(probabilities)), p, generator=generator)
    kind = _float_kind("bernoulli", probabilities.dtype)
    _check_probabilities("bernoulli", probabilities)
    draws = _stream(generator).uniform(input.numel(), _compared(kind)).reshape(input.shape)
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
    stream = _stream(generator)
    draw = stream.choose if replacement and num_samples > 1 else stream.choose_distinct
    chosen = draw(np.ascontiguousarray(weights), num_samples)
    return wrap(chosen if input.ndim == 2 else chosen[0])


def _check_weights(weights: Array, count: int, replacement: bool) -> None:
    if weights.ndim not in (1, 2) or weights.shape[-1] == 0:
        raise ShapeError(f"multinomial: prob_dist must be 1 or 2 dim and not empty, got shape {weights.shape}")
    _float_kind("multinomial", weights.dtype)
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
    return _stream(generator).chances(int(np.prod(shape, dtype=np.int64)), 1 - p).reshape(shape)


# --- into the memory of a tensor ---


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill `tensor` with numbers from [a, b) and return it. Raises ArgumentError if a > b."""
    kind = _float_kind("uniform_", tensor._data.dtype)
    if a > b:
        raise ArgumentError(f"uniform_ expects to return a [from, to) range, but found from={a} > to={b}")
    return _fill(tensor, lambda count: _stream(generator).uniform(count, kind, a, b))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill `tensor` with normal numbers and return it. Raises ArgumentError if std < 0."""
    kind = _float_kind("normal_", tensor._data.dtype)
    _check_std("normal_", std)
    pairs = not tensor.is_contiguous()
    return _fill(tensor, lambda count: _stream(generator).normal(count, kind, mean, std, pairs=pairs))


def bernoulli_(tensor: Tensor, p: Any = 0.5, generator: Generator | None = None) -> Tensor:
    """Fill `tensor` with 1 where a draw falls under `p`, a number or a tensor of them, 0 elsewhere; return it."""
    _check_probabilities("bernoulli_", np.asarray(p))
    tensor._check_writable()
    if isinstance(p, Tensor):
        kind = _compared(_float_kind("bernoulli_", p.dtype))
        hits = draw_like(tensor, lambda count: _stream(generator).uniform(count, kind)) < p._data
    else:
        hits = draw_like(tensor, lambda count: _stream(generator).chances(count, p))
    return tensor.fill_(wrap(hits.astype(tensor._data.dtype)))


def exponential_(tensor: Tensor, lambd: float = 1.0, generator: Generator | None = None) -> Tensor:
    """Fill `tensor` with exponentially distributed numbers of mean 1 / lambd. Raises ArgumentError if lambd <= 0."""
    kind = _float_kind("exponential_", tensor._data.dtype)
    if lambd <= 0:
        raise ArgumentError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
    return _fill(tensor, lambda count: _stream(generator).exponential(count, lambd).astype(kind))


def random_(tensor: Tensor, *bounds: int | None, generator: Generator | None = None) -> Tensor:
    """Fill `tensor` with whole numbers: `random_()` from 0 up, `random_(to)` from [0, to), `random_(from, to)`.

    Without an upper bound, or with None for it, they go up to the greatest the dtype holds. Raises ArgumentError if
    the dtype does not hold the bounds.
    """
    kind, stream = tensor._data.dtype, _stream(generator)
    if not bounds:
        return _fill(tensor, lambda count: _any_whole_number(stream, count, kind))
    low, high = (0, bounds[0]) if len(bounds) == 1 else bounds
    first, end = int(low or 0), _whole_range(kind)[1] + 1 if high is None else int(high)
    return _fill(tensor, lambda count: _whole_numbers(stream, count, first, end, kind))


def _any_whole_number(stream: Stream, count: int, kind: np.dtype[Any]) -> Array:
    """Return numbers from 0 to the greatest `kind` holds: of one word, or of two where the dtype has 8 bytes."""
    span = np.uint64(_whole_range(kind)[1] + 1)
    return ((stream.double_words if kind.itemsize == 8 else stream.words)(count) % span).astype(kind)


def _fill(tensor: Tensor, draw: Callable[[int], Array]) -> Tensor:
    """Write draws into `tensor`, which is recorded as any other write is; what refuses to be written costs no draw."""
    tensor._check_writable()
    return tensor.fill_(wrap(draw_like(tensor, draw)))


def draw_like(tensor: Tensor, draw: Callable[[int], Array]) -> Array:
    """Return draws for all elements of `tensor`, in the order in which they lie in the memory the program sees."""
    strides = tensor.stride()
    order = sorted(range(tensor.ndim), key=lambda d: -strides[d])
    values = draw(tensor.numel()).reshape([tensor.shape[d] for d in order])
    return values.transpose(np.argsort(order)) if order else values


def _compared(kind: np.dtype[Any]) -> Any:
    """Return the dtype of the uniform numbers that probabilities of dtype `kind` are compared with."""
    return np.float64 if kind == np.float64 else np.float32


def _check_std(name: str, std: Any) -> None:
    if std < 0:
        raise ArgumentError(f"{name} expects std >= 0.0, but found std {std}")


def _check_probabilities(name: str, p: Array) -> None:
    if not ((p >= 0) & (p <= 1)).all():
        raise ArgumentError(f"{name} expects p to be in [0, 1], but got p={p if p.ndim == 0 else p.min()}")

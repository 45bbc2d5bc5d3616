"""PyTorch's stream of random numbers on the CPU: a Mersenne Twister, and how its 32-bit words become numbers.

Programs that draw the same numbers can be compared to the last digit, so everything here takes as many words as
PyTorch takes, in the same order. The twister is NumPy's; its words are drawn in bulk.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError
from minigrad.kernels.ranges import multiply_add

_F32, _F64 = np.dtype(np.float32), np.dtype(np.float64)
_LOW_24, _LOW_53 = np.uint32(2**24 - 1), np.uint64(2**53 - 1)
_BLOCK = 16  # from this many on, normals are made in blocks; fewer are made in pairs
_TWO_WORDS = 2**28  # from this range on, the remainder of one word would be too uneven
_TWO_WORDS_SHUFFLE = (2**32 - 1) // 20

# The state of a stream as PyTorch lays it out in the bytes of `Generator.get_state()`.
_STATE = np.dtype(
    [
        ("seed", "u8"), ("left", "i4"), ("seeded", "i4"), ("next", "u8"), ("words", "u8", 624), ("unused", "f8"),
        ("spare", "f8"), ("unused2", "f8"), ("has_spare", "i4"), ("unused3", "f4"), ("unused4", "?"),
    ],
    align=True,
)  # fmt: skip


class Stream:
    """The random numbers that follow from `seed`, of which the low 32 bits count.

    >>> Stream(0).uniform(2, np.float32)
    array([0.4962566, 0.7682218], dtype=float32)
    """

    def __init__(self, seed: int) -> None:
        self.restart(seed)

    def restart(self, seed: int) -> None:
        """Begin anew from `seed`."""
        self.seed = seed
        self._spare: float | None = None  # the second normal of a pair, kept for the next draw
        self.__dict__.pop("_bits", None)

    @cached_property
    def _bits(self) -> np.random.Generator:
        """The twister, made when it is first needed: NumPy loads its random module no earlier either."""
        twister: Any = np.random.MT19937()
        twister.state = np.random.RandomState(self.seed & 0xFFFFFFFF).get_state(legacy=False)
        return np.random.Generator(twister)

    # --- words ---

    def words(self, count: int) -> Array:
        """Return the next `count` words as uint32."""
        return self._bits.integers(0, 2**32, count, np.uint32)

    def double_words(self, count: int) -> Array:
        """Return the next `count` pairs of words as uint64, the first word of each in the high half."""
        return self._bits.integers(0, 2**64, count, np.uint64)

    # --- numbers ---

    def uniform(self, count: int, kind: Any, low: float = 0.0, high: float = 1.0) -> Array:
        """Return floats from [low, high): 24 random bits each, or 53 for float64."""
        kind = np.dtype(kind)
        unit = self._unit_double(count) if kind == _F64 else self._unit_single(count)
        if (low, high) == (0, 1) and unit.dtype == kind:
            return unit
        low, high = kind.type(low), kind.type(high)
        if kind == _F64:
            values = multiply_add(unit, high - low, low)
        else:  # with 24 bits the product is exact in double precision, and so the result is rounded once
            values = (unit * np.float64(high - low) + np.float64(low)).astype(kind)
        values[values == high] = low  # what was rounded up to the excluded bound
        return values

    def _unit_single(self, count: int) -> Array:
        words = self.words(count)
        unit = np.bitwise_and(words, _LOW_24, out=words).astype(np.float32)
        return np.multiply(unit, np.float32(2.0**-24), out=unit)

    def _unit_double(self, count: int) -> Array:
        words = self.double_words(count)
        unit = np.bitwise_and(words, _LOW_53, out=words).astype(np.float64)
        return np.multiply(unit, 2.0**-53, out=unit)

    def chances(self, count: int, p: float) -> Array:
        """Return bools that are True with probability `p`: where a number of 53 bits is below it."""
        words = self.double_words(count)
        np.bitwise_and(words, _LOW_53, out=words)
        return words < np.uint64(math.ceil(p * 2.0**53))

    def exponential(self, count: int, rate: float = 1.0) -> Array:
        """Return float64 numbers, exponentially distributed with mean 1 / rate."""
        return -1.0 / rate * np.log1p(-self._unit_double(count))

    def cauchy(self, count: int, median: float, sigma: float) -> Array:
        """Return float64 numbers of a Cauchy distribution; the ends, where it is infinite, are cut off."""
        tiny = 2.0**-52
        return median + sigma * np.tan(np.pi * (self._unit_double(count).clip(tiny, 1 - tiny) - 0.5))

    def trials(self, count: int, p: float) -> Array:
        """Return float64 numbers of trials up to the first success of probability `p`."""
        return np.ceil(np.log(self._unit_double(count)) / math.log1p(-p))

    def events(self, rates: Array) -> Array:
        """Return float64 numbers of events, one for each rate, of a Poisson distribution.

        How many uniform numbers one takes is only seen from them, so they are drawn ahead, and those left over again.
        """
        start = self._bits.bit_generator.state
        ahead = 2 * len(rates) + 2 * int(rates.sum())
        while True:
            supply = iter(self._unit_double(ahead).tolist())
            try:
                counts = [float(poisson_count(rate, supply.__next__)) for rate in rates.tolist()]
                break
            except StopIteration:
                ahead *= 2
                self._bits.bit_generator.state = start
        self._bits.bit_generator.state = start
        self.double_words(ahead - supply.__length_hint__())
        return np.array(counts)

    def normal(self, count: int, kind: Any, mean: float = 0.0, std: float = 1.0, *, pairs: bool = False) -> Array:
        """Return normal floats; `pairs` has them made two by two (Box and Muller 1958), which few ones are anyway."""
        kind = np.dtype(kind)
        if pairs or count < _BLOCK:
            return (self._in_pairs(count) * std + mean).astype(kind)
        work = _F64 if kind == _F64 else _F32
        z = self._in_blocks(count, work, kind)
        if (mean, std) != (0, 1):
            z = z * work.type(std) + work.type(mean)
        return z.astype(kind, copy=False)

    def _in_pairs(self, count: int) -> Array:
        held = [] if self._spare is None else [self._spare]
        u = self._unit_double(2 * max((count - len(held) + 1) // 2, 0)).reshape(-1, 2)
        z = np.concatenate([held, _box_muller(-u[:, 1], u[:, 0], np.log1p).T.reshape(-1)])
        self._spare = float(z[count]) if len(z) > count else None
        return z[:count]

    def _in_blocks(self, count: int, work: np.dtype[Any], kind: np.dtype[Any]) -> Array:
        """Make normals of 16 uniforms at a time; if some are left over, the last 16 are drawn and made again."""
        whole = count - count % _BLOCK
        u = np.empty(count, work)
        drawn = whole if kind.itemsize < 4 else count  # PyTorch does not draw twice what has fewer bits
        u[:drawn] = self.uniform(drawn, work)
        _transform_blocks(u[:whole])
        if count > whole:
            u[-_BLOCK:] = self.uniform(_BLOCK, work)
            _transform_blocks(u[-_BLOCK:])
        return u

    def integers(self, count: int, low: int, span: int) -> Array:
        """Return int64 numbers from [low, low + span), for a span of at most 2**64."""
        if span < _TWO_WORDS:
            return (self.words(count) % np.uint32(span)).astype(np.int64) + low
        words = self.double_words(count)
        return words.view(np.int64) if span == 2**64 else (words % np.uint64(span)).view(np.int64) + low

    def permutation(self, count: int) -> Array:
        """Return 0 .. count-1 shuffled (Fisher and Yates): place i is swapped with one at or after it."""
        draw, kind = (self.words, np.uint32) if count < _TWO_WORDS_SHUFFLE else (self.double_words, np.uint64)
        places = np.arange(count)
        places[:-1] += (draw(max(count - 1, 0)) % np.arange(count, 1, -1, dtype=kind)).astype(np.int64)
        return _swapped(places)

    def choose(self, weights: Array, count: int) -> Array:
        """Return, for each row of `weights`, `count` columns drawn with replacement in proportion to it."""
        columns = np.empty((len(weights), count), np.int64)
        for row, out in zip(weights, columns, strict=True):
            reached = np.cumsum(row, dtype=row.dtype)
            reached /= reached[-1]
            reached[-1] = 1
            out[:] = np.searchsorted(reached.astype(np.float64), self._unit_double(count), side="left")
        return columns

    def choose_distinct(self, weights: Array, count: int) -> Array:
        """Return, for each row of `weights`, `count` different columns: those that a race at these rates ends first."""
        times = self.exponential(weights.size).reshape(weights.shape).astype(weights.dtype)
        return np.argsort(-(weights / times), axis=1, kind="stable")[:, :count].astype(np.int64)

    # --- state ---

    def state(self) -> Array:
        """Return all that the coming numbers depend on: 5,056 bytes, laid out as PyTorch lays them out."""
        twister: Any = self._bits.bit_generator.state["state"]
        record = np.zeros((), _STATE)
        record["seed"], record["left"], record["seeded"] = self.seed, 625 - twister["pos"], 1
        record["next"], record["words"] = twister["pos"] % 624, twister["key"]
        record["has_spare"], record["spare"] = self._spare is not None, self._spare or 0.0
        return np.frombuffer(record.tobytes(), np.uint8).copy()

    def set_state(self, state: Array) -> None:
        """Go on from what `state()` returned. Raises ArgumentError, and changes nothing, if it did not return this."""
        if state.dtype != np.uint8 or state.shape != (_STATE.itemsize,):
            raise ArgumentError(
                f"set_state: expected a uint8 tensor of size {_STATE.itemsize}, as get_state() returns it, "
                f"but got {state.dtype} of shape {state.shape}"
            )
        record = np.frombuffer(state.tobytes(), _STATE)[0]
        if not (record["seeded"] == 1 and 1 <= record["left"] <= 624 and record["next"] <= 624):
            raise ArgumentError("set_state: Invalid mt19937 state: these bytes are not from get_state()")
        self.restart(int(record["seed"]))
        place = {"key": record["words"].astype(np.uint32), "pos": 625 - int(record["left"])}
        self._bits.bit_generator.state = {"bit_generator": "MT19937", "state": place}
        self._spare = float(record["spare"]) if record["has_spare"] else None


def poisson_count(rate: float, uniform: Callable[[], float]) -> int:
    """Return a number of events at `rate`: by products of uniform numbers (Knuth), from 10 on by Hoermann's PTRS.

    W. Hoermann, "The transformed rejection method for generating Poisson random variables" (1993).
    """
    if rate < 10:
        count, product, limit = 0, 1.0, math.exp(-rate)
        while rate and (product := product * uniform()) > limit:
            count += 1
        return count
    b = 0.931 + 2.53 * math.sqrt(rate)
    a = -0.059 + 0.02483 * b
    inverse_alpha, v_r = 1.1239 + 1.1328 / (b - 3.4), 0.9277 - 3.6224 / (b - 2)
    while True:
        u, v = uniform() - 0.5, uniform()
        us = 0.5 - abs(u)
        k = math.floor((2 * a / us + b) * u + rate + 0.43)
        if us >= 0.07 and v <= v_r:
            return k
        if k < 0 or (us < 0.013 and v > us):
            continue
        density = -rate + k * math.log(rate) - math.lgamma(k + 1)
        if math.log(v) + math.log(inverse_alpha) - math.log(a / (us * us) + b) <= density:
            return k


def _swapped(places: Array) -> Array:
    """Return 0 .. n-1 after one swap after the other, of place i with places[i], which is i or a later one.

    What step i brings to place i had been brought to places[i] by the latest earlier step that swapped with that
    place, or never left it. And what a step takes away from its own place had been brought there by the latest earlier
    step that swapped with it, and so on: chains, which all are followed at once by doubling.
    """
    n = len(places)
    steps = np.arange(n)
    taken = np.arange(n + 1)  # what step i takes away from place i, at first as the step that brought it
    taken[np.where(places == steps, n, places)] = steps  # of several that name one place the last stays
    taken = taken[:n]
    while not np.array_equal(further := taken.take(taken), taken):
        taken = further
    order = _by_size(places)  # steps that name one place side by side, the earlier first
    place, brought = places.take(order), taken.take(order)
    places[order[1:]] = np.where(place[1:] == place[:-1], brought[:-1], place[1:])
    return places


def _by_size(values: Array) -> Array:
    """Return the places of non-negative numbers in order of size, equals as they come: 16 bits at a time, by digits."""
    order = np.argsort(values.astype(np.uint16), kind="stable")
    if len(values) > 2**16:
        order = order[np.argsort((values >> 16)[order].astype(np.uint16), kind="stable")]
    return order


def _box_muller(u1: Array, u2: Array, log: Any) -> Array:
    """Return two normals for each pair, the cosines' and then the sines', where log(u1) is that of a uniform number."""
    radius = np.sqrt(-2 * log(u1))
    angle = u2.dtype.type(2 * math.pi) * u2
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)])


def _transform_blocks(u: Array) -> None:
    """Turn each 16 uniforms into normals, in place: the first eight are the radii, the last eight the angles."""
    blocks = u.reshape(-1, 2, _BLOCK // 2)
    blocks[:, 0], blocks[:, 1] = _box_muller(1 - blocks[:, 0], blocks[:, 1], np.log)

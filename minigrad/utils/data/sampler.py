"""Samplers: in which order the samples of a data set are taken, and in which batches."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

import numpy as np

from minigrad.creation import zeros
from minigrad.dtypes import int64
from minigrad.errors import ArgumentError, ShapeError
from minigrad.random import Generator, multinomial, randint, random_, randperm
from minigrad.tensor import wrap

Index = TypeVar("Index", covariant=True)
_DRAWN_AT_ONCE = 32  # with replacement: how many indices PyTorch, and so this, draws at a time


class Sampler(Generic[Index]):
    """An order of samples: subclasses say `__iter__`, which yields their numbers, and `__len__` where it is known."""

    def __iter__(self) -> Iterator[Index]:
        raise NotImplementedError("Subclasses of Sampler should implement __iter__.")


class SequentialSampler(Sampler[int]):
    """0, 1, ... up to the length of `data_source`."""

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """The numbers below the length of `data_source` in random order, or drawn anew each time with `replacement`.

    `num_samples` is that length by default. Without a `generator` each pass seeds one of its own from the default
    generator. Raises ArgumentError if there is nothing to draw.
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        self.data_source, self.replacement, self.generator = data_source, _checked_bool(replacement), generator
        self._num_samples = num_samples
        _checked_count(self.num_samples, "num_samples")

    @property
    def num_samples(self) -> int:
        """How many numbers one pass gives."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def __iter__(self) -> Iterator[int]:
        generator = self.generator or Generator().manual_seed(draw_seed(None))
        count, total = self.num_samples, len(self.data_source)
        whole, rest = divmod(count, _DRAWN_AT_ONCE if self.replacement else total)
        for size in (*itertools.repeat(None, whole), rest):
            if self.replacement:
                wanted = _DRAWN_AT_ONCE if size is None else size
                yield from randint(total, (wanted,), generator=generator).tolist()
            else:
                yield from randperm(total, generator=generator).tolist()[:size]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given `indices` in random order."""

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices, self.generator = indices, generator

    def __iter__(self) -> Iterator[int]:
        for i in randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """`num_samples` numbers below the length of `weights`, drawn in proportion to them (they need not sum to 1)."""

    def __init__(
        self, weights: Any, num_samples: int, replacement: bool = True, generator: Generator | None = None
    ) -> None:
        self.weights = wrap(np.array(weights, np.float64))
        if self.weights.ndim != 1:
            raise ShapeError(f"weights should be a 1d sequence but given weights have shape {self.weights.shape}")
        self.num_samples, self.replacement = _checked_count(num_samples, "num_samples"), _checked_bool(replacement)
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        drawn = multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)
        yield from drawn.tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """The numbers of `sampler` in lists of `batch_size`; a shorter last one is left out with `drop_last`.

    >>> list(BatchSampler(SequentialSampler(range(5)), 2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        self.sampler, self.batch_size = sampler, _checked_count(batch_size, "batch_size")
        self.drop_last = _checked_bool(drop_last)

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if self.drop_last and len(batch) < self.batch_size:
                return
            yield batch

    def __len__(self) -> int:
        count = len(self.sampler)  # type: ignore[arg-type]
        return count // self.batch_size if self.drop_last else -(-count // self.batch_size)


def draw_seed(generator: Generator | None) -> int:
    """Return a random whole number below 2**63."""
    return int(random_(zeros((), dtype=int64), generator=generator).item())


def _checked_count(value: Any, name: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ArgumentError(f"{name} should be a positive integer value, but got {name}={value}")
    return value


def _checked_bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ArgumentError(f"expected True or False for replacement and drop_last, but got {value!r}")
    return value

"""Data sets: anything that gives its samples by number, or one after the other."""

from __future__ import annotations

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from minigrad.errors import ArgumentError, OutOfRangeError, ShapeError
from minigrad.random import Generator, randperm
from minigrad.tensor import Tensor

Sample = TypeVar("Sample", covariant=True)


class Dataset(Generic[Sample]):
    """A data set whose samples are got by number: subclasses say `__getitem__`, and `__len__` where it is known.

    >>> class Squares(Dataset):
    ...     def __len__(self):
    ...         return 3
    ...     def __getitem__(self, index):
    ...         return index * index
    >>> [Squares()[i] for i in range(3)]
    [0, 1, 4]
    """

    def __getitem__(self, index: Any) -> Sample:
        raise NotImplementedError("Subclasses of Dataset should implement __getitem__.")

    def __add__(self, other: Dataset[Any]) -> Dataset[Any]:
        return ConcatDataset([self, other])

    def _columns(self, indices: Sequence[int]) -> list[Tensor] | None:
        """Return what collating these samples gives, got faster; None if there is no faster way."""
        return None


class IterableDataset(Dataset[Sample]):
    """A data set that is read from start to end: subclasses say `__iter__`."""

    def __iter__(self) -> Iterator[Sample]:
        raise NotImplementedError("Subclasses of IterableDataset should implement __iter__.")

    def __add__(self, other: Dataset[Any]) -> Dataset[Any]:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Sample i is the tuple of row i of each tensor. Raises ShapeError if they have different numbers of rows."""

    def __init__(self, *tensors: Tensor) -> None:
        if any(t.ndim == 0 or len(t) != len(tensors[0]) for t in tensors):
            sizes = ", ".join(str(tuple(t.shape)) for t in tensors)
            raise ShapeError(f"TensorDataset: Size mismatch between tensors: axis 0 of {sizes} must be the same")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        return len(self.tensors[0])

    def _columns(self, indices: Sequence[int]) -> list[Tensor]:
        rows = np.asarray(indices, np.int64)
        return [tensor[rows] for tensor in self.tensors]


class Subset(Dataset[Sample]):
    """Those samples of `dataset` whose numbers are in `indices`, in that order."""

    def __init__(self, dataset: Dataset[Sample], indices: Sequence[int]) -> None:
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: Any) -> Sample:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: list[int]) -> list[Sample]:
        return several(self.dataset, [self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)

    def _columns(self, indices: Sequence[int]) -> list[Tensor] | None:
        return columns(self.dataset, [self.indices[i] for i in indices])


class StackDataset(Dataset[Any]):
    """Sample i is the tuple of the samples i of several data sets; with keywords, the dict of them by name.

    Raises ArgumentError for none and for both forms at once, ShapeError for data sets of different lengths.

    >>> StackDataset(image=[10, 20], text=["a", "b"])[1]
    {'image': 20, 'text': 'b'}
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if bool(args) == bool(kwargs):
            raise ArgumentError(
                "StackDataset: Supported either tuple- (via args) or dict- (via kwargs) like input/output, but both "
                "types are given"
                if args
                else "StackDataset: At least one dataset should be passed"
            )
        self.datasets: Any = args or kwargs
        self._length = len(self._all[0])
        if any(len(dataset) != self._length for dataset in self._all):
            raise ShapeError(f"StackDataset: Size mismatch between datasets: {[len(d) for d in self._all]}")

    @property
    def _all(self) -> list[Any]:
        return list(self.datasets.values() if isinstance(self.datasets, dict) else self.datasets)

    def _stacked(self, samples: Iterable[Any]) -> Any:
        return dict(zip(self.datasets, samples, strict=True)) if isinstance(self.datasets, dict) else tuple(samples)

    def __getitem__(self, index: Any) -> Any:
        return self._stacked(dataset[index] for dataset in self._all)

    def __getitems__(self, indices: list[int]) -> list[Any]:
        rows = zip(*(several(dataset, indices) for dataset in self._all), strict=True)
        return [self._stacked(row) for row in rows]

    def __len__(self) -> int:
        return self._length


def several(dataset: Any, indices: list[int]) -> list[Any]:
    """Return the samples at `indices`, at once if the data set can."""
    fetch_all = getattr(dataset, "__getitems__", None)
    return fetch_all(indices) if callable(fetch_all) else [dataset[i] for i in indices]


class ConcatDataset(Dataset[Sample]):
    """The samples of several data sets, one set after the other. Raises ArgumentError if there is none."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ArgumentError("ConcatDataset: datasets should not be an empty iterable")
        if any(isinstance(d, IterableDataset) for d in self.datasets):
            raise ArgumentError("ConcatDataset does not support IterableDataset; chain those with ChainDataset")
        self.cumulative_sizes = list(itertools.accumulate(len(d) for d in self.datasets))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Sample:
        if not -len(self) <= index < len(self):
            raise OutOfRangeError(f"ConcatDataset: index {index} is out of range for {len(self)} samples")
        index %= len(self)
        which = bisect.bisect_right(self.cumulative_sizes, index)
        sample: Sample = self.datasets[which][index - ([0, *self.cumulative_sizes][which])]
        return sample


class ChainDataset(IterableDataset[Sample]):
    """Several iterable data sets, read one after the other."""

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)

    def __iter__(self) -> Iterator[Sample]:
        return itertools.chain.from_iterable(self.datasets)

    def __len__(self) -> int:
        return sum(len(d) for d in self.datasets)


def columns(dataset: Any, indices: Sequence[int]) -> list[Tensor] | None:
    """Return the collated batch of these samples if the class that says how to get one also says how to get many.

    A subclass that gives other samples than its base has none of its base's short cuts.
    """
    for cls in type(dataset).__mro__:
        if "_columns" in vars(cls):
            found: list[Tensor] | None = dataset._columns(indices)
            return found
        if "__getitem__" in vars(cls) or "__getitems__" in vars(cls):
            return None
    return None


def random_split(dataset: Any, lengths: Sequence[float], generator: Generator | None = None) -> list[Subset[Any]]:
    """Split `dataset` at random into subsets of these lengths, or of these fractions if they sum to 1.

    Of fractions the whole samples are counted, and what remains goes one by one to the first subsets. Raises
    ArgumentError if the lengths do not sum to that of the data set.

    >>> [len(part) for part in random_split(range(10), [0.5, 0.25, 0.25])]
    [6, 2, 2]
    """
    counts = _counts(len(dataset), lengths) if math.isclose(sum(lengths), 1) and sum(lengths) <= 1 else lengths
    if sum(counts) != len(dataset):
        raise ArgumentError(
            f"random_split: Sum of input lengths does not equal the length of the input dataset! "
            f"({' + '.join(map(str, counts))} is not {len(dataset)})"
        )
    order = randperm(len(dataset), generator=generator).tolist()
    ends = itertools.accumulate(int(n) for n in counts)
    return [Subset(dataset, order[end - int(n) : end]) for end, n in zip(ends, counts, strict=True)]


def _counts(total: int, fractions: Sequence[float]) -> list[int]:
    for i, fraction in enumerate(fractions):
        if not 0 <= fraction <= 1:
            raise ArgumentError(f"random_split: Fraction at index {i} is not between 0 and 1: {fraction}")
    counts = [math.floor(total * fraction) for fraction in fractions]
    for i in range(total - sum(counts)):
        counts[i % len(counts)] += 1
    for i, count in enumerate(counts):
        if count == 0:
            message = f"Length of split at index {i} is 0. This might result in an empty dataset."
            warnings.warn(message, stacklevel=3)
    return counts

"""The DataLoader: batches of a data set, epoch after epoch, in an order that follows from the seed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.random import Generator
from minigrad.utils.data.collate import default_collate, default_convert
from minigrad.utils.data.dataset import IterableDataset, columns
from minigrad.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler, draw_seed


class DataLoader:
    """Iterates over batches of `dataset`: a Dataset, a list, or anything else with `__getitem__` and `__len__`.

    `shuffle` takes the samples in a new random order each epoch, drawn from `generator` or the default one; the order
    for a seed is PyTorch's. `sampler` says the order instead, `batch_sampler` the batches. `drop_last` leaves out a
    last batch that is not full. `batch_size=None` gives single samples. `collate_fn` makes a batch of a list of
    samples, by default `default_collate`.

    Everything is loaded in the calling process and thread, for any `num_workers`; so `worker_init_fn` is not called,
    and `pin_memory`, `timeout` and the settings after `generator` are accepted for the sake of ported programs and
    change nothing. Raises ArgumentError for settings that exclude each other.

    >>> import minigrad as mg
    >>> from minigrad.utils.data import TensorDataset
    >>> loader = DataLoader(TensorDataset(mg.arange(5)), batch_size=2)
    >>> len(loader), [x.tolist() for (x,) in loader]
    (3, [[0, 1], [2, 3], [4]])
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[Any] | None = None,
        batch_sampler: Iterable[Any] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        streams = isinstance(dataset, IterableDataset)
        _check_settings(streams, batch_size, shuffle, sampler, batch_sampler, drop_last)
        if num_workers < 0 or timeout < 0:
            raise ArgumentError(f"num_workers and timeout should be non-negative, got {num_workers} and {timeout}")
        if batch_sampler is not None:
            batch_size, drop_last = None, False
        if sampler is None:
            sampler = _sampler(dataset, streams, shuffle, generator)
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        self.sampler, self.batch_sampler, self.generator = sampler, batch_sampler, generator
        self.num_workers, self.pin_memory, self.timeout = num_workers, pin_memory, timeout
        self.worker_init_fn = worker_init_fn
        self.collate_fn = collate_fn or (default_convert if batch_sampler is None else default_collate)

    def __len__(self) -> int:
        if isinstance(self.dataset, IterableDataset) and self.batch_size is not None:
            count = len(self.dataset)  # type: ignore[arg-type]
            return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
        if isinstance(self.dataset, IterableDataset):
            return len(self.dataset)  # type: ignore[arg-type]
        return len(self._order)  # type: ignore[arg-type]

    @property
    def _order(self) -> Iterable[Any]:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def __iter__(self) -> Iterator[Any]:
        order = iter(self._order)
        # What PyTorch seeds its worker processes with; drawn for nothing here, to keep the streams in step.
        draw_seed(self.generator)
        if isinstance(self.dataset, IterableDataset):
            return self._read(iter(self.dataset))
        return map(self._fetch, order)

    def _fetch(self, index: Any) -> Any:
        """Return the batch, or without batches the sample, at `index`."""
        if self.batch_sampler is None:
            return self.collate_fn(self.dataset[index])
        if self.collate_fn is default_collate:
            batch = columns(self.dataset, index)
            if batch is not None:
                return batch
        fetch_all = getattr(self.dataset, "__getitems__", None)
        return self.collate_fn(fetch_all(index) if fetch_all else [self.dataset[i] for i in index])

    def _read(self, samples: Iterator[Any]) -> Iterator[Any]:
        """Yield batches, or without batches samples, of what an iterable data set yields."""
        if self.batch_size is None:
            yield from map(self.collate_fn, samples)
            return
        while batch := list(itertools.islice(samples, self.batch_size)):
            if len(batch) < self.batch_size and self.drop_last:
                return
            yield self.collate_fn(batch)


def get_worker_info() -> None:
    """Return None: there are no worker processes, as a data set that asks is told in PyTorch's main process."""


def _sampler(dataset: Any, streams: bool, shuffle: bool | None, generator: Generator | None) -> Iterable[Any]:
    if streams:
        return itertools.repeat(None)
    return RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)


def _check_settings(
    streams: bool, batch_size: int | None, shuffle: bool | None, sampler: Any, batch_sampler: Any, drop_last: bool
) -> None:
    if streams and (shuffle or sampler is not None or batch_sampler is not None):
        raise ArgumentError(
            "DataLoader with IterableDataset: expected unspecified shuffle, sampler and batch_sampler options: "
            "the data set itself says the order"
        )
    if sampler is not None and shuffle:
        raise ArgumentError("sampler option is mutually exclusive with shuffle")
    if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
        raise ArgumentError(
            "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
        )
    if batch_size is None and drop_last:
        raise ArgumentError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")

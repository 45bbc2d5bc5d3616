"""The DataLoader: batches of a data set, epoch after epoch, in an order that follows from the seed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

from minigrad import graph
from minigrad.errors import ArgumentError
from minigrad.random import Generator
from minigrad.utils.data.collate import default_collate, default_convert
from minigrad.utils.data.dataset import IterableDataset, columns, several
from minigrad.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler, draw_seed
from minigrad.utils.data.workers import Worker, by_index, in_turns
from minigrad.utils.data.workers import get_worker_info as get_worker_info

Batch = TypeVar("Batch", covariant=True)


class DataLoader(Generic[Batch]):
    """Iterates over batches of `dataset`: a Dataset, a list, or anything else with `__getitem__` and `__len__`.

    `shuffle` takes the samples in a new random order each epoch, drawn from `generator` or the default one; the order
    for a seed is PyTorch's. `sampler` says the order instead, `batch_sampler` the batches. `drop_last` leaves out a
    last batch that is not full. `batch_size=None` gives single samples. `collate_fn` makes a batch of a list of
    samples, by default `default_collate`.

    Everything is loaded in the calling process and thread. With `num_workers` the random numbers of each worker, its
    `get_worker_info()`, `worker_init_fn(number)`, `prefetch_factor` and `persistent_workers` have the effect on what is
    loaded that they have in PyTorch. `pin_memory`, `timeout`, `multiprocessing_context` and `in_order` are accepted for
    the sake of ported programs and change nothing. Raises ArgumentError for settings that exclude each other.

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
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers, multiprocessing_context)
        if batch_sampler is not None:
            batch_size, drop_last = None, False
        if sampler is None:
            sampler = _sampler(dataset, streams, shuffle, generator)
        if batch_size is not None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        self.sampler, self.batch_sampler, self.generator = sampler, batch_sampler, generator
        self.num_workers, self.pin_memory, self.timeout = num_workers, pin_memory, timeout
        self.worker_init_fn, self.persistent_workers, self.in_order = worker_init_fn, persistent_workers, in_order
        self.prefetch_factor = 2 if num_workers and prefetch_factor is None else prefetch_factor
        self.multiprocessing_context, self.pin_memory_device = multiprocessing_context, pin_memory_device
        self._workers: list[Worker] | None = None
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
        batches = self._batches()
        if graph.observer is None:
            return batches
        from minigrad.profiler.ranges import each_named  # loaded when something may be measuring

        return each_named(batches, "DataLoader.__next__")

    def _batches(self) -> Iterator[Any]:
        order = iter(self._order)
        if self.num_workers == 0:
            # What PyTorch seeds worker processes with; drawn for nothing here, to keep the streams in step.
            draw_seed(self.generator)
            if isinstance(self.dataset, IterableDataset):
                return self._read(iter(self.dataset))
            return map(self._fetch, order)
        workers = self._workers or self._start_workers(draw_seed(self.generator))
        if isinstance(self.dataset, IterableDataset):
            return in_turns(workers, self._read)
        return by_index(workers, self._order, self.num_workers * (self.prefetch_factor or 0), self._fetch)

    def _start_workers(self, base_seed: int) -> list[Worker]:
        started = [
            Worker(number, self.num_workers, base_seed, self.dataset, self.worker_init_fn)
            for number in range(self.num_workers)
        ]
        if self.persistent_workers:
            self._workers = started
        return started

    def _fetch(self, index: Any, dataset: Any = None, worker: Worker | None = None) -> Any:
        """Return the batch, or without batches the sample, at `index`, as the worker gets it if there is one."""
        if dataset is None:
            dataset = self.dataset
        if self.batch_sampler is not None and self.collate_fn is default_collate:
            batch = columns(dataset, index)
            if batch is not None:
                return batch
        if worker is not None:
            with worker:
                return self.collate_fn(self._samples(dataset, index))
        return self.collate_fn(self._samples(dataset, index))

    def _samples(self, dataset: Any, index: Any) -> Any:
        return dataset[index] if self.batch_sampler is None else several(dataset, index)

    def _read(self, samples: Iterator[Any]) -> Iterator[Any]:
        """Yield batches, or without batches samples, of what an iterable data set yields."""
        if self.batch_size is None:
            yield from map(self.collate_fn, samples)
            return
        while batch := list(itertools.islice(samples, self.batch_size)):
            if len(batch) < self.batch_size and self.drop_last:
                return
            yield self.collate_fn(batch)


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


def _check_workers(
    num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool, context: Any
) -> None:
    if num_workers < 0:
        raise ArgumentError(
            f"num_workers option should be non-negative, got {num_workers}; use num_workers=0 to disable "
            "multiprocessing."
        )
    if timeout < 0:
        raise ArgumentError(f"timeout option should be non-negative, got {timeout}")
    if prefetch_factor is not None and (num_workers == 0 or prefetch_factor < 0):
        raise ArgumentError(
            f"prefetch_factor option should be non-negative, and None if num_workers is 0, got {prefetch_factor}"
        )
    if persistent_workers and num_workers == 0:
        raise ArgumentError("persistent_workers option needs num_workers > 0")
    if context is not None and num_workers == 0:
        raise ArgumentError(
            "multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got "
            "num_workers=0"
        )

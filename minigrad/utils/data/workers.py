"""The workers of a DataLoader, played one after the other in this process.

In PyTorch they are processes with random numbers of their own. Here each is a set of random states (minigrad's,
Python's and NumPy's), which is put in place while the worker loads; so a data set that draws gets what it gets there,
and the numbers of the main program are the same too.
"""

from __future__ import annotations

import copy
import random
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import numpy as np

from minigrad.kernels.stream import Stream
from minigrad.random import default_generator
from minigrad.utils.data.dataset import Dataset

_END = object()


@dataclass
class WorkerInfo:
    """What `get_worker_info()` says in a worker: its number of how many, its seed, and its copy of the data set."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


_current: list[WorkerInfo] = []


def get_worker_info() -> WorkerInfo | None:
    """Return who is loading, for a data set that gives each worker a part; None outside of workers."""
    return _current[-1] if _current else None


class Worker:
    """One worker: what runs inside `with worker:` draws from its random states.

    Its data set is a shallow copy, so that attributes it changes are its own.
    """

    def __init__(self, number: int, workers: int, base_seed: int, dataset: Any, start: Callable[[int], Any] | None):
        own = copy.copy(dataset) if isinstance(dataset, Dataset) else dataset
        self.info = WorkerInfo(number, workers, base_seed + number, own)
        words = [number, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
        self._states: tuple[Any, ...] = (
            Stream(self.info.seed),
            random.Random(self.info.seed).getstate(),
            np.random.RandomState(np.random.SeedSequence(words).generate_state(4)).get_state(),
        )
        if start is not None:
            with self:
                start(number)

    def __enter__(self) -> WorkerInfo:
        self._outer = _exchange(self._states)
        _current.append(self.info)
        return self.info

    def __exit__(self, *exception: object) -> None:
        _current.pop()
        self._states = _exchange(self._outer)


def _exchange(states: tuple[Any, ...]) -> tuple[Any, ...]:
    """Put the random states of minigrad, Python and NumPy in place and return those that were."""
    before = default_generator._stream, random.getstate(), np.random.get_state()  # noqa: NPY002 (what programs draw from)
    default_generator._stream = states[0]
    random.setstate(states[1])
    np.random.set_state(states[2])  # noqa: NPY002
    return before


def by_index(
    workers: list[Worker], order: Iterable[Any], ahead: int, load: Callable[[Any, Any, Worker], Any]
) -> Iterator[Any]:
    """Return the batches in `order`, of which the next `ahead` are always known already, as in PyTorch."""
    indices = iter(order)
    tasks = deque(islice(indices, ahead))

    def batches() -> Iterator[Any]:
        for turn in count():
            if not tasks:
                return
            worker = workers[turn % len(workers)]
            batch = load(tasks.popleft(), worker.info.dataset, worker)
            tasks.extend(islice(indices, 1))
            yield batch

    return batches()


def in_turns(workers: list[Worker], read: Callable[[Iterator[Any]], Iterator[Any]]) -> Iterator[Any]:
    """Yield a batch of each worker's own iteration in turn; one that has no more is left out from then on."""
    going: deque[tuple[Worker, Iterator[Any]]] = deque()
    for worker in workers:
        with worker as info:
            going.append((worker, read(iter(info.dataset))))
    while going:
        worker, batches = going.popleft()
        with worker:
            batch = next(batches, _END)
        if batch is not _END:
            going.append((worker, batches))
            yield batch

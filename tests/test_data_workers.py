"""Workers of a DataLoader, stacked and distributed data sets: what PyTorch's load, and the numbers after it."""

import collections
import itertools
import random

import numpy as np
import pytest
from test_data import plain

import minigrad as mg
from minigrad.errors import ArgumentError, ShapeError
from minigrad.utils import data

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytest.importorskip("torch.utils.data")

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore:This DataLoader will create")]
BOTH = (mg, data), (torch, torch.utils.data)


def noisy(m, d):
    """Return a data set whose samples are drawn from every source of random numbers, and say who loads them."""

    class Noisy(d.Dataset):
        factor = 1

        def __len__(self):
            return 11

        def __getitem__(self, i):
            info = d.get_worker_info()
            who = (-1, 0, 0) if info is None else (info.id, info.num_workers, info.seed % 1000)
            return i * self.factor, who, m.rand(2), random.random(), np.random.rand(), m.randn(1)

    return Noisy()


def counted(m, d):
    class Counted(d.IterableDataset):
        start, end = 0, 13

        def __iter__(self):
            info = d.get_worker_info()
            step = 1 if info is None else info.num_workers
            for i in range(self.start + (0 if info is None else info.id), self.end, step):
                yield i, m.rand(1)

    return Counted()


def shuffled(m, d):
    """Return a sampler that draws as soon as it is iterated over."""

    class Shuffled(d.Sampler):
        def __iter__(self):
            return iter(m.randperm(11).tolist())

        def __len__(self):
            return 11

    return Shuffled()


def double(d):
    def start(number):
        info = d.get_worker_info()
        assert number == info.id
        info.dataset.factor = 10 * (number + 1)
        info.dataset.end = 9 + 3 * number

    return start


SETTINGS = [
    {"num_workers": 2, "batch_size": 2, "shuffle": True},
    {"num_workers": 3, "batch_size": 2, "prefetch_factor": 1, "start": True},
    {"num_workers": 2, "batch_size": None, "sampler": shuffled, "drop_last": False},
    {"num_workers": 1, "batch_size": 3, "sampler": shuffled, "drop_last": True},
    {"num_workers": 2, "batch_size": 4, "shuffle": True, "persistent_workers": True},
    {"num_workers": 2, "batch_size": 2, "shuffle": True, "generator": True},
    {"num_workers": 0, "batch_size": 2, "shuffle": True},
]
STREAMS = [
    {"num_workers": 2, "batch_size": 2},
    {"num_workers": 3, "batch_size": 2, "start": True},
    {"num_workers": 2, "batch_size": 3, "drop_last": True, "persistent_workers": True},
    {"num_workers": 0, "batch_size": 3},
    {"num_workers": 2, "batch_size": None},
]


def epochs(m, d, dataset, settings):
    """Return two epochs, what the main program draws before, between and after, and a third that is broken off."""
    m.manual_seed(5)
    random.seed(5)
    np.random.seed(5)
    settings = dict(settings)
    if settings.pop("start", False):
        settings["worker_init_fn"] = double(d)
    if "sampler" in settings:
        settings["sampler"] = settings["sampler"](m, d)
    if "generator" in settings:
        settings["generator"] = m.Generator().manual_seed(9)
    loader, seen = d.DataLoader(dataset(m, d), **settings), []
    for stop in (None, None, 2):
        batches = itertools.islice(loader, stop)
        seen.append([plain(batch) for batch in batches])
        seen.append((plain(m.rand(1)), random.random(), np.random.rand()))
        if "generator" in settings and stop is None:
            seen.append(plain(m.rand(1, generator=settings["generator"])))
    return seen


@pytest.mark.parametrize("settings", SETTINGS)
def test_workers_load_what_pytorchs_do(settings):
    ours, theirs = (epochs(m, d, noisy, settings) for m, d in BOTH)
    assert close(ours, theirs)


@pytest.mark.parametrize("settings", STREAMS)
def test_workers_read_streams_as_pytorchs_do(settings):
    ours, theirs = (epochs(m, d, counted, settings) for m, d in BOTH)
    assert close(ours, theirs)


def close(a, b):
    """Return whether two trees are the same, numbers to the rounding of normals."""
    if isinstance(a, float):
        return a == pytest.approx(b, rel=1e-5)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(close(x, y) for x, y in zip(a, b, strict=True))
    return a == b


def test_outside_of_workers_nobody_is_loading():
    list(data.DataLoader(noisy(mg, data), num_workers=2))
    assert data.get_worker_info() is None
    broken = data.DataLoader([1, 2, 3], num_workers=1, collate_fn=lambda batch: 1 / 0)
    stream, state = mg.random.default_generator._stream, random.getstate()
    with pytest.raises(ZeroDivisionError):
        next(iter(broken))
    assert data.get_worker_info() is None
    assert mg.random.default_generator._stream is stream
    assert random.getstate() == state


# --- stacked and distributed ---


@pytest.mark.parametrize("size", [None, 2])
def test_stacked_data_sets_are_pytorchs(size):
    seen = []
    for m, d in BOTH:
        parts = d.TensorDataset(m.arange(5)), d.Subset([10, 20, 30, 40, 50], [4, 3, 2, 1, 0])
        for stacked in (d.StackDataset(*parts), d.StackDataset(a=parts[0], b=parts[1])):
            seen.append([plain(b) for b in d.DataLoader(stacked, batch_size=size)] + [len(stacked), plain(stacked[3])])
            seen.append([plain(s) for s in stacked.__getitems__([0, 4])])
    assert seen[:4] == seen[4:]


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("size", [1, 2, 7, 10, 12])
def test_every_replica_gets_pytorchs_part(size, shuffle, drop_last):
    for replicas, rank in ((1, 0), (3, 0), (3, 2), (5, 4)):
        if drop_last and size < replicas:
            continue  # where PyTorch fails
        seen = []
        for _, d in BOTH:
            sampler = d.DistributedSampler(range(size), replicas, rank, shuffle=shuffle, seed=3, drop_last=drop_last)
            seen.append([list(sampler), len(sampler)])
            sampler.set_epoch(4)
            seen[-1].append(list(sampler))
        assert seen[0] == seen[1]


REFUSED = [
    (lambda: data.StackDataset(), ArgumentError, "At least one dataset should be passed"),
    (lambda: data.StackDataset([1], a=[2]), ArgumentError, "both types are given"),
    (lambda: data.StackDataset([1], [2, 3]), ShapeError, r"Size mismatch between datasets: \[1, 2\]"),
    (lambda: data.DistributedSampler([1], 2, 2), ArgumentError, r"Invalid rank 2.*\[0, 1\]"),
    (lambda: data.DataLoader([1], prefetch_factor=2), ArgumentError, "prefetch_factor option should be"),
    (lambda: data.DataLoader([1], persistent_workers=True), ArgumentError, "needs num_workers > 0"),
    (lambda: data.DataLoader([1], timeout=-1), ArgumentError, "timeout option should be non-negative"),
    (lambda: data.DataLoader([1], multiprocessing_context="fork"), ArgumentError, "multi-process loading"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_bad_arguments_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_mutable_mapping_keeps_its_own_kind():
    samples = [collections.defaultdict(list, a=i) for i in (1, 2)]
    ours, theirs = (d.default_collate(samples) for _, d in BOTH)
    assert (type(ours), ours.default_factory, plain(ours)) == (type(theirs), theirs.default_factory, plain(theirs))


def test_the_paths_of_pytorch_lead_to_the_same_names():
    for module, names in {
        "dataloader": ["DataLoader", "default_collate", "default_convert", "get_worker_info"],
        "dataset": ["ConcatDataset", "Dataset", "IterableDataset", "StackDataset", "Subset", "random_split"],
        "distributed": ["DistributedSampler"],
        "sampler": ["BatchSampler", "RandomSampler", "Sampler", "SequentialSampler", "WeightedRandomSampler"],
    }.items():
        for name in names:
            assert getattr(getattr(data, module), name) is getattr(data, name)
    assert data.DataLoader[int] != data.Dataset[int]

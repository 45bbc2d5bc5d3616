"""Data sets, samplers, collating and the DataLoader, against PyTorch's."""

import collections
import math
import time

import numpy as np
import pytest
from test_random_oracle import skip_if_the_oracle_uses_another_stream

import minigrad as mg
from minigrad import random as r
from minigrad.datasets import Digits
from minigrad.errors import ArgumentError, DTypeError, OutOfRangeError, ShapeError
from minigrad.utils import data

SEEDS = [0, 7, 42, 1337, 2147483647, 2**32 + 5]

oracle = pytest.mark.oracle
Point = collections.namedtuple("Point", "x y")


@pytest.fixture
def torch():
    pytest.importorskip("torch.utils.data", reason="the oracle is not installed")
    return pytest.importorskip("torch")


def plain(batch):
    """Return a batch with every tensor as (dtype, nested lists), so that ours and PyTorch's can be compared."""
    if hasattr(batch, "detach"):
        return str(batch.dtype).split(".")[1], batch.tolist()
    if isinstance(batch, dict):
        return type(batch), {k: plain(v) for k, v in batch.items()}
    if isinstance(batch, tuple | list):
        return type(batch), [plain(v) for v in batch]
    return batch


def both_generators(torch, seed):
    return r.Generator().manual_seed(seed), torch.Generator().manual_seed(seed)


def assert_in_step(torch, ours=None, theirs=None):
    assert (
        r.randint(0, 2**40, (3,), generator=ours).tolist() == torch.randint(0, 2**40, (3,), generator=theirs).tolist()
    )


# --- the order of a DataLoader ---

LOADERS = [
    {"batch_size": 4, "shuffle": True},
    {"batch_size": 4, "shuffle": True, "drop_last": True},
    {"batch_size": 7},
    {"batch_size": None, "shuffle": True},
    {"batch_size": 3, "sampler": ("RandomSampler", range(23), True)},
    {"batch_size": 3, "sampler": ("RandomSampler", range(23), True, 70)},
    {"batch_size": 3, "sampler": ("RandomSampler", range(23), False, 46)},
    {"batch_size": 3, "sampler": ("RandomSampler", range(23), False, 10)},
    {"batch_size": 3, "sampler": ("SubsetRandomSampler", [5, 1, 9, 22])},
    {"batch_size": None, "sampler": ("WeightedRandomSampler", [1.0] * 10 + [3.0] * 13, 12)},
    {"batch_size": 5, "sampler": ("WeightedRandomSampler", [1.0] * 10 + [3.0] * 13, 12, False)},
    {"batch_size": 5, "num_workers": 0, "sampler": ("SequentialSampler", range(19)), "drop_last": True},
]


@oracle
@pytest.mark.parametrize("with_generator", [False, True])
@pytest.mark.parametrize("settings", LOADERS)
@pytest.mark.parametrize("seed", SEEDS)
def test_three_epochs_and_the_draws_between_them_are_pytorchs(torch, seed, settings, with_generator):
    if settings.get("sampler", ())[-1:] == (False,):  # weighted, and without replacement
        skip_if_the_oracle_uses_another_stream(torch)
    r.manual_seed(seed)
    torch.manual_seed(seed)
    seen = []
    for m, d, g in zip((mg, torch), (data, torch.utils.data), both_generators(torch, seed), strict=True):
        generator = {"generator": g} if with_generator else {}
        mine = {**settings, **generator}
        if "sampler" in mine:
            name, *arguments = mine["sampler"]
            mine["sampler"] = getattr(d, name)(*arguments, **({} if name == "SequentialSampler" else generator))
        loader = d.DataLoader(d.TensorDataset(m.arange(23), m.arange(23) * 0.5), **mine)
        rand = torch.rand if m is torch else r.rand
        seen.append([len(loader)])
        for _ in range(3):
            seen[-1] += [([plain(b) for b in loader], rand(1).item(), rand(1, generator=g).item())]
        unfinished = iter(loader)
        seen[-1] += [rand(1).item(), plain(next(unfinished)), rand(2, generator=g).tolist(), plain(next(unfinished))]
    assert seen[0] == seen[1]
    assert_in_step(torch)


@oracle
@pytest.mark.parametrize("lengths", [[3, 20], [0.5, 0.25, 0.25], [0.1] * 10, [1 / 3, 2 / 3], [23]])
@pytest.mark.parametrize("seed", SEEDS)
def test_random_split_is_pytorchs(torch, seed, lengths):
    r.manual_seed(seed)
    torch.manual_seed(seed)
    a = [list(part) for part in data.random_split(range(23), lengths)]
    assert a == [list(part) for part in torch.utils.data.random_split(range(23), lengths)]
    assert sorted(i for part in a for i in part) == list(range(23))
    ours, theirs = both_generators(torch, seed)
    a = [part.indices for part in data.random_split(range(23), lengths, generator=ours)]
    assert a == [part.indices for part in torch.utils.data.random_split(range(23), lengths, generator=theirs)]
    assert_in_step(torch)
    assert_in_step(torch, ours, theirs)


# --- collating ---


def samples(m):
    """Return lists of samples of every kind, made with the tensors of `m`."""
    yield [m.tensor([1.0, 2.0]), m.tensor([3.0, 4.0])]
    yield [np.arange(3, dtype=np.int32), np.ones(3, np.int32)]
    yield [1, 2, 3]
    yield [1.5, 2.5]
    yield [1, 2.5]
    yield [True, False]
    yield [np.float32(1.5), np.float32(2)]
    yield [np.float64(1.5), np.float64(2)]
    yield [np.int16(3)]
    yield [np.bool_(True)]
    yield ["a", "b"]
    yield [b"a"]
    yield [(1, "a"), (2, "b")]
    yield [[1, 2.0], [3, 4.0]]
    yield [Point(1, 2.0), Point(3, 4.0)]
    yield [{"x": m.tensor(1), "y": [1, (2, "s")]}, {"x": m.tensor(2), "y": [3, (4, "t")]}]
    yield [collections.OrderedDict(a=1), collections.OrderedDict(a=2)]
    yield [range(2), range(2)]


@oracle
def test_collating_and_converting_are_pytorchs(torch):
    for ours, theirs in zip(samples(mg), samples(torch), strict=True):
        assert plain(data.default_collate(ours)) == plain(torch.utils.data.default_collate(theirs))
        assert plain(data.default_convert(ours)) == plain(torch.utils.data.default_convert(theirs))


def test_a_batch_got_at_once_is_the_batch_got_one_by_one():
    x, y = r.randn(50, 3, 4), r.randint(0, 9, (50,))
    whole = data.TensorDataset(x, y, x.transpose(1, 2))
    subset = data.Subset(whole, mg.tensor([4, 9, 2, 2, 30, 31, 7]))
    for dataset in (
        whole,
        subset,
        data.Subset(subset, [6, 0, 3]),
        data.random_split(whole, [20, 30])[1],
        Digits(False),
    ):
        fast = data.DataLoader(dataset, batch_size=4)
        slow = data.DataLoader(dataset, batch_size=4, collate_fn=lambda batch: data.default_collate(batch))
        assert [plain(b) for b in fast] == [plain(b) for b in slow]
        first = next(iter(fast))[0]
        assert not np.shares_memory(first.numpy(), x.numpy())


def test_gradients_flow_through_a_batch_got_at_once():
    x = mg.ones(5, 2, requires_grad=True)
    for (batch,) in data.DataLoader(data.TensorDataset(x * 2), batch_size=2):
        batch.sum().backward(retain_graph=True)
    assert x.grad.tolist() == [[2.0, 2.0]] * 5


class Doubled(data.TensorDataset):
    def __getitem__(self, index):
        return tuple(t * 2 for t in super().__getitem__(index))


class Logged(data.Subset):
    def __getitems__(self, indices):
        return [(i, "all at once") for i in indices]


def test_a_subclass_that_gives_other_samples_is_asked_for_them():
    assert next(iter(data.DataLoader(Doubled(mg.arange(4)), batch_size=4)))[0].tolist() == [0, 2, 4, 6]
    assert next(iter(data.DataLoader(data.Subset(Doubled(mg.arange(4)), [3, 1]), batch_size=4)))[0].tolist() == [6, 2]
    got = next(iter(data.DataLoader(Logged(data.TensorDataset(mg.arange(4)), [3, 2]), batch_size=2)))
    assert plain(got) == (list, [("int64", [0, 1]), (tuple, ["all at once"] * 2)])


# --- data sets ---


class Count(data.IterableDataset):
    def __init__(self, end):
        self.end = end

    def __iter__(self):
        return iter(range(self.end))

    def __len__(self):
        return self.end


@pytest.mark.parametrize(
    ("size", "drop_last"), [(1, False), (3, False), (3, True), (10, False), (11, True), (None, False)]
)
def test_an_iterable_data_set_is_read_in_batches(size, drop_last):
    for dataset in (Count(10), Count(4) + Count(6)):
        loader = data.DataLoader(dataset, batch_size=size, drop_last=drop_last)
        batches = [b if size is None else b.tolist() for b in loader]
        assert len(batches) == len(loader)
    if size is None:
        assert batches == [0, 1, 2, 3, 0, 1, 2, 3, 4, 5]
    else:
        assert [len(b) for b in batches] == [size] * (10 // size) + [10 % size] * (not drop_last and 10 % size > 0)


def test_concatenated_data_sets_count_through():
    joined = data.TensorDataset(mg.arange(3)) + data.TensorDataset(mg.arange(10, 12))
    joined = joined + data.TensorDataset(mg.arange(20, 21))
    assert [joined[i][0].item() for i in range(len(joined))] == [0, 1, 2, 10, 11, 20]
    assert joined[-1][0].item() == 20
    for index in (6, -7):
        with pytest.raises(OutOfRangeError, match=f"index {index} is out of range for 6"):
            joined[index]


def test_any_sequence_is_a_data_set_and_any_iterable_of_lists_a_batch_sampler():
    loader = data.DataLoader([10, 20, 30], batch_sampler=[[0, 2], [1]], num_workers=4, pin_memory=True)
    assert [b.tolist() for b in loader] == [[10, 30], [20]]
    assert len(loader) == 2
    assert data.get_worker_info() is None
    assert list(data.DataLoader("abc", collate_fn="".join, batch_size=2)) == ["ab", "c"]


@oracle
def test_an_epoch_of_mnist_size_takes_no_longer_than_in_pytorch(torch):
    x, y = np.zeros((60000, 784), np.float32), np.zeros(60000, np.int64)
    ours = data.DataLoader(data.TensorDataset(mg.from_numpy(x), mg.from_numpy(y)), 64, shuffle=True)
    d = torch.utils.data
    theirs = d.DataLoader(d.TensorDataset(torch.from_numpy(x), torch.from_numpy(y)), 64, shuffle=True)
    times = [[epoch_time(loader) for loader in (ours, theirs)] for _ in range(3)]
    best = np.min(times, axis=0)
    assert best[0] <= best[1], f"{best[0]:.3f} s against {best[1]:.3f} s"


def epoch_time(loader):
    start = time.perf_counter()
    assert sum(1 for _ in loader) == 938
    return time.perf_counter() - start


REFUSED = [
    (lambda: data.TensorDataset(mg.zeros(3, 2), mg.zeros(4)), ShapeError, r"Size mismatch.*\(3, 2\), \(4,\)"),
    (lambda: data.ConcatDataset([]), ArgumentError, "should not be an empty iterable"),
    (lambda: data.ConcatDataset([Count(1)]), ArgumentError, "does not support IterableDataset"),
    (lambda: data.random_split(range(5), [2, 2]), ArgumentError, r"does not equal.*2 \+ 2 is not 5"),
    (lambda: data.random_split(range(5), [1.5, -0.5]), ArgumentError, "Fraction at index 0 is not between 0 and 1"),
    (lambda: data.DataLoader([], shuffle=True), ArgumentError, "num_samples=0"),
    (lambda: data.DataLoader([1], batch_size=0), ArgumentError, "batch_size should be a positive integer.*=0"),
    (lambda: data.DataLoader([1], batch_size=2.0), ArgumentError, "batch_size should be a positive integer.*=2.0"),
    (lambda: data.DataLoader([1], num_workers=-1), ArgumentError, "non-negative"),
    (lambda: data.DataLoader([1], shuffle=True, sampler=[0]), ArgumentError, "sampler option is mutually exclusive"),
    (
        lambda: data.DataLoader([1], batch_size=2, batch_sampler=[[0]]),
        ArgumentError,
        "batch_sampler option is mutually",
    ),
    (lambda: data.DataLoader([1], batch_size=None, drop_last=True), ArgumentError, "disables auto-batching"),
    (lambda: data.DataLoader(Count(3), shuffle=True), ArgumentError, "IterableDataset: expected unspecified shuffle"),
    (lambda: data.RandomSampler([1], replacement=1), ArgumentError, "True or False.*got 1"),
    (lambda: data.WeightedRandomSampler([[1.0]], 1), ShapeError, r"1d sequence.*\[1, 1\]"),
    (lambda: data.default_collate([{1}]), DTypeError, "must contain tensors, numpy arrays.*found <class 'set'>"),
    (lambda: data.default_collate([[1, 2], [3]]), ShapeError, r"equal size, but there are \[1, 2\]"),
    (
        lambda: data.default_collate([mg.zeros(3), mg.zeros(4)]),
        ShapeError,
        r"got \[3\] at entry 0 and \[4\] at entry 1",
    ),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_bad_arguments_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_an_empty_part_of_a_split_is_warned_of():
    with pytest.warns(UserWarning, match="Length of split at index 2 is 0"):
        data.random_split(range(2), [0.4, 0.4, 0.2])


@pytest.mark.parametrize("name", ["Dataset", "IterableDataset", "Sampler"])
def test_what_a_subclass_has_to_say_is_asked_for(name):
    with pytest.raises(NotImplementedError, match="should implement"):
        iter(getattr(data, name)()) if name != "Dataset" else data.Dataset()[0]


@pytest.mark.parametrize("n", [5, 7, 100, 1797])
def test_a_split_into_fractions_leaves_nothing_over(n):
    fractions = 0.5, 0.3, 0.2
    lengths = [len(part) for part in data.random_split(range(n), fractions)]
    assert sum(lengths) == n
    assert all(math.floor(n * f) <= length <= math.ceil(n * f) for length, f in zip(lengths, fractions, strict=True))

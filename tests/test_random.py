"""The random stream: what holds of it without PyTorch to compare with."""

import copy
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad import random as r
from minigrad.errors import ArgumentError, DTypeError, GraphError, ShapeError
from minigrad.kernels.stream import Stream

SEEDS = [0, 7, 42, 1337, 2147483647, 2**32 + 5]


def test_the_words_are_those_of_the_mersenne_twister_whose_10000th_is_published():
    # The C++ standard ([rand.predef]) requires it of mt19937 from its default seed, 5489.
    assert Stream(5489).words(10000)[-1] == 4123659995


@pytest.mark.parametrize("seed", SEEDS)
def test_the_words_are_numpys_and_pairs_of_them_keep_step(seed):
    reference = np.random.RandomState(seed & 0xFFFFFFFF)
    stream = Stream(seed)
    got = [*stream.words(5), *stream.double_words(400), *stream.words(3)]
    words = reference.randint(0, 2**32, 5 + 800 + 3, dtype=np.uint32).astype(object)
    assert got == [*words[:5], *(words[5:-3:2] * 2**32 + words[6:-3:2]), *words[-3:]]


def test_states_round_trip_at_every_place_of_the_twister():
    g = r.Generator().manual_seed(11)
    for draws in (0, 1, 622, 1, 1, 624):
        r.rand(draws, generator=g)
        r.randn(1, generator=g)
        state = g.get_state()
        expected = r.randn(7, generator=g).tolist(), r.rand(3, generator=g).tolist()
        for again in (r.Generator(), g):
            again.set_state(state)
            assert (r.randn(7, generator=again).tolist(), r.rand(3, generator=again).tolist()) == expected


def test_a_generator_can_be_copied_and_pickled():
    g = r.Generator().manual_seed(5)
    r.randn(3, generator=g)
    copies = copy.deepcopy(g), pickle.loads(pickle.dumps(g))
    expected = r.randn(4, generator=g).tolist()
    assert [r.randn(4, generator=c).tolist() for c in copies] == [expected] * 2


def test_the_state_of_the_default_generator_can_be_kept():
    r.manual_seed(3)
    state = r.get_rng_state()
    a = r.rand(4).tolist()
    r.set_rng_state(state)
    assert r.rand(4).tolist() == a != r.rand(4).tolist()


def test_seeds_from_the_system_differ_and_are_reported():
    assert r.seed() != r.seed()
    assert r.initial_seed() == r.default_generator.initial_seed() < 2**53
    script = "from minigrad import random; print(random.initial_seed())"
    fresh = {subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout for _ in range(2)}
    assert len(fresh) == 2


def test_numpys_random_module_is_loaded_no_earlier_than_numpy_does():
    loaded = "'numpy.random' in sys.modules"
    script = f"import sys, numpy; early = {loaded}; import minigrad.random; print(early is ({loaded}))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True).stdout == "True\n"


def test_the_distributions_have_their_moments():
    g, n = r.Generator().manual_seed(1), 200_000
    u, z, e = (
        r.rand(n, generator=g).numpy(),
        r.randn(n, generator=g).numpy(),
        np.asarray(r.exponential_(mg.zeros(n), 2.0, g)),
    )
    # Each bound is five standard errors of the estimate.
    for sample, mean, deviation in ((u, 0.5, 12**-0.5), (z, 0.0, 1.0), (e, 0.5, 0.5), (z**2, 1.0, 2**0.5)):
        assert abs(sample.mean(dtype=np.float64) - mean) < 5 * deviation / n**0.5
    counts = np.bincount(r.randint(0, 10, (n,), generator=g).numpy(), minlength=10)
    assert np.abs(counts - n / 10).max() < 5 * (n * 0.09) ** 0.5
    kept = r.dropout_mask((n,), 0.3, g)
    assert abs(kept.mean() - 0.7) < 5 * (0.21 / n) ** 0.5
    chosen = r.multinomial(mg.tensor([1.0, 3.0, 0.0]), n, True, generator=g).numpy()
    assert abs((chosen == 1).mean() - 0.75) < 5 * (0.1875 / n) ** 0.5
    assert not (chosen == 2).any()


def test_a_permutation_holds_every_number_once():
    for n in (0, 1, 2, 1000):
        assert sorted(r.randperm(n).tolist()) == list(range(n))


def test_the_ways_to_say_a_size():
    for size in (((2, 3),), (2, 3), ([2, 3],), (mg.zeros(2, 3).shape,)):
        assert r.rand(*size).shape == r.randn(*size).shape == (2, 3)
    assert r.rand(()).shape == ()
    calls = [r.randint(9, (2, 3)), r.randint(0, 9, (2, 3)), r.randint(high=9, size=(2, 3)), r.randint(9, size=(2, 3))]
    calls += [r.randint(low=0, high=9, size=[2, 3]), r.randint(0, high=9, size=(2, 3))]
    assert {(c.shape, str(c.dtype)) for c in calls} == {((2, 3), "minigrad.int64")}
    assert r.rand(2, requires_grad=True).requires_grad
    assert r.rand_like(mg.zeros(2, dtype=mg.float64)).dtype is mg.float64


def test_filling_a_tensor_writes_its_memory_and_is_seen():
    x = mg.zeros(3, 4)
    row, version = x[1], x._storage.version
    assert r.uniform_(row, 1, 2) is row
    assert (x.numpy()[1] >= 1).all()
    assert not x.numpy()[[0, 2]].any()
    assert x._storage.version > version
    leaf = mg.zeros(3, requires_grad=True)
    before = r.default_generator.get_state().tolist()
    for fill in (r.uniform_, r.normal_, r.exponential_, r.bernoulli_, r.random_):
        with pytest.raises(GraphError, match="leaf Variable that requires grad"):
            fill(leaf)
    assert r.default_generator.get_state().tolist() == before
    y = leaf * 2
    (r.normal_(y[:2]).sum() + y.sum()).backward()
    assert leaf.grad.tolist() == [0, 0, 2]


def test_threads_draw_from_one_generator_without_repeating_words():
    g, drawn = r.Generator().manual_seed(9), []
    threads = [threading.Thread(target=lambda: drawn.append(g._stream.words(50_000))) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    np.testing.assert_array_equal(np.sort(np.concatenate(drawn)), np.sort(Stream(9).words(200_000)))


REFUSED = [
    (lambda: r.rand(2, -1), ShapeError, "negative dimension -1"),
    (lambda: r.rand(2, dtype=mg.int64), DTypeError, "rand: expected a floating point dtype, got int64"),
    (lambda: r.randn(2, dtype=np.bool_), DTypeError, "randn: .* got bool"),
    (lambda: r.randint(5, 5, (2,)), ArgumentError, "from=5 >= to=5"),
    (lambda: r.randint(0, 300, (2,), dtype=mg.uint8), ArgumentError, r"\[0, 300\) is out of bounds for uint8"),
    (lambda: r.randint(3), ArgumentError, r"expected \(high, size\) or \(low, high, size\)"),
    (lambda: r.randint(1, 2, 3, (4,)), ArgumentError, "expected"),
    (lambda: r.randperm(-1), ShapeError, "negative dimension"),
    (lambda: r.normal(0.0, -1.0, (2,)), ArgumentError, "std >= 0.0, but found std -1"),
    (lambda: r.normal(0.0, mg.tensor([1.0, -2.0])), ArgumentError, "found std -2"),
    (lambda: r.normal(0.0, 1.0), ArgumentError, "pass size="),
    (lambda: r.bernoulli(mg.tensor([0.5, 1.5])), ArgumentError, r"p to be in \[0, 1\]"),
    (lambda: r.bernoulli(mg.tensor([1])), DTypeError, "bernoulli: expected a floating point dtype"),
    (lambda: r.bernoulli(mg.zeros(2), 2), ArgumentError, "but got p=2"),
    (lambda: r.bernoulli(mg.zeros(2), float("nan")), ArgumentError, "but got p=nan"),
    (lambda: r.uniform_(mg.zeros(2), 3, 1), ArgumentError, "from=3 > to=1"),
    (lambda: r.exponential_(mg.zeros(2), 0), ArgumentError, "lambda > 0.0"),
    (lambda: r.multinomial(mg.tensor([1.0, -1.0]), 1), ArgumentError, "inf, nan or element < 0"),
    (lambda: r.multinomial(mg.tensor([0.0, 0.0]), 1), ArgumentError, "sum of probabilities <= 0"),
    (lambda: r.multinomial(mg.tensor([1.0, 1.0]), 3), ArgumentError, r"without replacement \(3 of 2\)"),
    (lambda: r.multinomial(mg.tensor([1.0]), 0), ArgumentError, "n_sample <= 0"),
    (lambda: r.multinomial(mg.tensor([1, 1]), 1), DTypeError, "multinomial: expected a floating point"),
    (lambda: r.multinomial(mg.zeros(2, 2, 2), 1), ShapeError, "1 or 2 dim"),
    (lambda: r.manual_seed(2**64), ArgumentError, "Overflow"),
    (lambda: r.Generator().set_state(mg.zeros(5, dtype=mg.uint8)), ArgumentError, "5056.*shape \\(5,\\)"),
    (lambda: r.Generator().set_state(mg.zeros(5056, dtype=mg.uint8)), ArgumentError, "Invalid mt19937 state"),
]


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_bad_arguments_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_refused_state_changes_nothing():
    g = r.Generator().manual_seed(4)
    before = g.get_state().tolist()
    with pytest.raises(ArgumentError):
        g.set_state(mg.zeros(5056, dtype=mg.uint8))
    assert g.get_state().tolist() == before

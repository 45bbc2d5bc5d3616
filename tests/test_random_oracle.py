"""The random stream against PyTorch's: bit-equal where nothing is rounded, and always in step."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import random as r

SEEDS = [0, 7, 42, 1337, 2147483647, 2**32 + 5]
SIZES = [0, 1, 2, 15, 16, 17, 31, 100, 1000]
SPANS = [1, 2, 10, 1000, 2**16, 2**28 - 1, 2**28, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**40 + 7, 2**62]
RANGES = [(-0.1, 0.3), (1 / 3, 7.7), (-5, 5), (0.037, 0.911), (2, 2), (-1e30, 1e30), (1e6, 1e6 + 1), (16, 17)]

pytestmark = pytest.mark.oracle


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="the oracle is not installed")


class Pair:
    """A generator of ours and one of PyTorch's, from the same seed."""

    def __init__(self, torch, seed):
        self.torch, self.ours, self.theirs = torch, r.Generator().manual_seed(seed), torch.Generator().manual_seed(seed)

    def exact(self, ours, theirs):
        a, b = np.asarray(ours), theirs.numpy()
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)

    def close(self, ours, theirs):
        self.torch.testing.assert_close(self.torch.from_numpy(np.array(ours)), theirs)

    def assert_in_step(self):
        """The generators have taken the same number of words, and hold the same spare normal."""
        self.exact(
            r.randint(0, 2**40, (3,), generator=self.ours), self.torch.randint(0, 2**40, (3,), generator=self.theirs)
        )
        ours, theirs = np.asarray(self.ours.get_state()), self.theirs.get_state().numpy()
        np.testing.assert_array_equal(np.delete(ours, np.s_[5024:5032]), np.delete(theirs, np.s_[5024:5032]))
        np.testing.assert_allclose(ours[5024:5032].view("f8"), theirs[5024:5032].view("f8"), rtol=1e-14)


@pytest.fixture(params=SEEDS)
def pair(torch, request):
    return Pair(torch, request.param)


def kinds(torch):
    return [(mg.float32, torch.float32), (mg.float64, torch.float64), (mg.float16, torch.float16)]


def test_uniforms_are_bit_equal_in_every_size_and_dtype(torch, pair):
    for size in SIZES:
        for ours, theirs in kinds(torch):
            pair.exact(
                r.rand(size, generator=pair.ours, dtype=ours), torch.rand(size, generator=pair.theirs, dtype=theirs)
            )
    pair.exact(r.rand((2, 3), generator=pair.ours), torch.rand((2, 3), generator=pair.theirs))
    pair.assert_in_step()


@pytest.mark.parametrize(
    ("low", "high"),
    [(-0.1, 0.3), (1 / 3, 7.7), (-5, 5), (0.037, 0.911), (2, 2), (-1e30, 1e30), (1e6, 1e6 + 1), (16, 17)],
)
def test_uniforms_of_any_range_are_bit_equal(torch, pair, low, high):
    for ours, theirs in ((mg.float32, torch.float32), (mg.float64, torch.float64)):
        a = r.uniform_(mg.zeros(1000, dtype=ours), low, high, generator=pair.ours)
        pair.exact(a, torch.zeros(1000, dtype=theirs).uniform_(low, high, generator=pair.theirs))
    pair.assert_in_step()


def test_normals_of_every_size_and_dtype_one_after_the_other(torch, pair):
    for size in SIZES:
        for ours, theirs in kinds(torch):
            a = r.randn(size, generator=pair.ours, dtype=ours)
            pair.close(a, torch.randn(size, generator=pair.theirs, dtype=theirs))
            a = r.normal(1.5, 0.25, (size,), generator=pair.ours, dtype=ours)
            pair.close(a, torch.normal(1.5, 0.25, (size,), generator=pair.theirs, dtype=theirs))
    pair.assert_in_step()


def test_the_second_of_a_pair_of_normals_is_kept_across_calls_and_dtypes(torch, pair):
    for size, ours, theirs in (
        (3, mg.float32, torch.float32),
        (1, mg.float64, torch.float64),
        (5, mg.float16, torch.float16),
    ):
        pair.close(
            r.randn(size, generator=pair.ours, dtype=ours), torch.randn(size, generator=pair.theirs, dtype=theirs)
        )
        pair.exact(r.rand(17, generator=pair.ours), torch.rand(17, generator=pair.theirs))
        pair.close(r.randn(20, generator=pair.ours), torch.randn(20, generator=pair.theirs))
        pair.assert_in_step()


def test_normals_with_tensors_of_means_and_deviations(torch, pair):
    for mean, std in (([0.0, 10.0, -3.0], [1.0, 2.0, 0.5]), ([[1.0], [2.0]], 3.0), (-1.0, [0.1, 0.2])):
        a, b = ([m(x) if isinstance(x, list) else x for x in (mean, std)] for m in (mg.tensor, torch.tensor))
        pair.close(r.normal(*a, generator=pair.ours), torch.normal(*b, generator=pair.theirs))
    pair.assert_in_step()


@pytest.mark.parametrize("span", SPANS)
def test_whole_numbers_are_equal_for_every_range(torch, pair, span):
    for size in (0, 1, 33):
        pair.exact(r.randint(span, (size,), generator=pair.ours), torch.randint(span, (size,), generator=pair.theirs))
    a = r.randint(-7, span - 7, size=(2, 3), generator=pair.ours)
    pair.exact(a, torch.randint(-7, span - 7, size=(2, 3), generator=pair.theirs))
    pair.assert_in_step()


@pytest.mark.parametrize("name", ["int64", "int32", "int16", "int8", "uint8", "bool", "float64", "float32"])
def test_random_fills_every_dtype(torch, pair, name):
    ours, theirs = mg.zeros(9, dtype=np.dtype(name)), torch.zeros(9, dtype=getattr(torch, name))
    bounds = [(), (1,)] if name == "bool" else [(), (100,), (3, 9), (5, None)]
    for b in bounds:
        pair.exact(r.random_(ours, *b, generator=pair.ours), theirs.random_(*b, generator=pair.theirs))
    if name == "int64":
        least = -(2**63)
        for b in ((least, None), (least, 2**63 - 1)):
            pair.exact(r.random_(ours, *b, generator=pair.ours), theirs.random_(*b, generator=pair.theirs))
    pair.assert_in_step()


def test_permutations_are_equal(torch, pair):
    for n in (*SIZES, 60000):
        pair.exact(r.randperm(n, generator=pair.ours), torch.randperm(n, generator=pair.theirs))
    a = r.randperm(9, generator=pair.ours, dtype=mg.float32)
    pair.exact(a, torch.randperm(9, generator=pair.theirs, dtype=torch.float32))
    pair.assert_in_step()


def test_coins_are_equal(torch, pair):
    p = np.linspace(0, 1, 1001)
    for kind in (np.float32, np.float64):
        mine, his = mg.from_numpy(p.astype(kind)), torch.from_numpy(p.astype(kind))
        pair.exact(r.bernoulli(mine, generator=pair.ours), torch.bernoulli(his, generator=pair.theirs))
        a = r.bernoulli_(mg.zeros(1001, dtype=mg.int64), mine, generator=pair.ours)
        pair.exact(a, torch.zeros(1001, dtype=torch.int64).bernoulli_(his, generator=pair.theirs))
    pair.assert_in_step()


def test_dropout_masks_are_equal(torch):
    skip_if_the_oracle_uses_another_stream(torch)
    for seed in SEEDS:
        for p in (0.0, 0.1, 0.25, 0.5, 0.9, 1.0):
            r.manual_seed(seed)
            torch.manual_seed(seed)
            kept = torch.nn.functional.dropout(torch.ones(7, 33), p).numpy() != 0
            np.testing.assert_array_equal(r.dropout_mask((7, 33), p), kept)
            np.testing.assert_array_equal(
                r.bernoulli(mg.zeros(3, 5), p).numpy(), torch.bernoulli(torch.zeros(3, 5), p).numpy()
            )
            assert r.rand(1).item() == torch.rand(1).item()


def skip_if_the_oracle_uses_another_stream(torch):
    """On Intel processors PyTorch takes coins of one probability and exponentials from MKL's stream, not its own."""
    g, like = torch.Generator(), {"dtype": torch.float64}
    unit = torch.rand(64, generator=g.manual_seed(3), **like)
    coins = torch.empty(64, **like).bernoulli_(0.5, generator=g.manual_seed(3))
    times = torch.empty(64, **like).exponential_(generator=g.manual_seed(3))
    if not (torch.equal(coins, (unit < 0.5).double()) and torch.allclose(times, -torch.log1p(-unit))):
        pytest.skip("on this processor PyTorch draws these numbers from MKL's stream, not from its own")


def test_exponentials_agree(torch, pair):
    skip_if_the_oracle_uses_another_stream(torch)
    for kind, name in ((mg.float32, torch.float32), (mg.float64, torch.float64)):
        a = r.exponential_(mg.zeros(50, dtype=kind), 2.5, generator=pair.ours)
        b = torch.zeros(50, dtype=name).exponential_(2.5, generator=pair.theirs)
        pair.close(a, b)
    pair.assert_in_step()


@pytest.mark.parametrize("replacement", [True, False])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_multinomial_draws_the_same(torch, pair, replacement, count):
    if not replacement or count == 1:
        skip_if_the_oracle_uses_another_stream(torch)
    rng = np.random.default_rng(3)
    tables = [
        [1.0, 2.0, 3.0, 4.0, 5.0, 0.0],
        rng.random((4, 27)),
        [[0.0, 5.0, 0.0, 0.1, 1.0, 1.0, 2.0]],
        rng.random(3000),
    ]
    for table in tables:
        for kind in (np.float32, np.float64):
            w = np.asarray(table, kind)
            a = r.multinomial(mg.from_numpy(w), count, replacement, generator=pair.ours)
            pair.exact(a, torch.multinomial(torch.from_numpy(w), count, replacement, generator=pair.theirs))
    pair.assert_in_step()


def test_tensors_that_lie_otherwise_are_filled_in_the_order_of_their_memory(torch, pair):
    def cases(m):
        yield m.zeros(4, 6).t()
        yield m.zeros(2, 3, 4).permute(2, 0, 1)
        yield m.zeros(6, 8)[::2, 1:7]
        yield m.zeros(())

    fills = ["uniform_", "normal_", "random_"]
    for ours, theirs in zip(cases(mg), cases(torch), strict=True):
        for name in fills:
            pair.close(getattr(r, name)(ours, generator=pair.ours), getattr(theirs, name)(generator=pair.theirs))
        ours, theirs = r.uniform_(ours, generator=pair.ours), theirs.uniform_(generator=pair.theirs)
        pair.exact(r.bernoulli(ours, generator=pair.ours), torch.bernoulli(theirs, generator=pair.theirs))
        pair.exact(
            r.bernoulli_(ours, ours.clone(), generator=pair.ours),
            theirs.bernoulli_(theirs.clone(), generator=pair.theirs),
        )
    pair.assert_in_step()


def test_the_default_generator_draws_like_and_initial_layers(torch):
    for seed in SEEDS:
        assert r.manual_seed(seed).initial_seed() == torch.manual_seed(seed).initial_seed() == r.initial_seed()
        ours, theirs = mg.zeros(5, 7, dtype=mg.float64), torch.zeros(5, 7, dtype=torch.float64)
        for a, b in ((ours, theirs), (ours.t(), theirs.t()), (ours[1:3, ::2], theirs[1:3, ::2])):
            np.testing.assert_array_equal(r.rand_like(a).numpy(), torch.rand_like(b).numpy())
            np.testing.assert_allclose(r.randn_like(a).numpy(), torch.randn_like(b).numpy(), rtol=1e-12)
        layer = torch.nn.Linear(7, 3)
        for parameter in (layer.weight, layer.bias):
            mine = r.uniform_(mg.zeros(*parameter.shape), -(7**-0.5), 7**-0.5)
            np.testing.assert_array_equal(mine.numpy(), parameter.detach().numpy())


def test_a_state_moves_between_pytorch_and_us(torch, pair):
    for draws in (0, 1, 623, 624, 625):
        r.rand(draws, generator=pair.ours)
        r.randn(1, generator=pair.ours)
        pair.theirs.set_state(torch.from_numpy(np.array(pair.ours.get_state())))
        pair.assert_in_step()
        r.Generator().set_state(pair.ours.get_state())
        fresh = r.Generator().set_state(mg.from_numpy(pair.theirs.get_state().numpy()))
        assert fresh.initial_seed() == pair.theirs.initial_seed()
        pair.close(r.randn(3, generator=fresh), torch.randn(3, generator=pair.theirs))
        pair.ours = fresh


@pytest.mark.parametrize("seed", [-1, -(2**63), 2**64 - 1, 2**63])
def test_the_ends_of_the_range_of_seeds(torch, seed):
    pair = Pair(torch, seed)
    assert pair.ours.initial_seed() == pair.theirs.initial_seed()
    pair.assert_in_step()
    assert r.Generator().initial_seed() == torch.Generator().initial_seed()


def test_gradgradcheck_draws_as_in_pytorch(torch):
    left = []
    for m in (mg, torch):
        m.manual_seed(7)
        x = m.rand(3, dtype=m.float64, requires_grad=True)
        assert m.autograd.gradcheck(m.sin, (x,))
        assert m.autograd.gradgradcheck(lambda t: (t * t, t.sin()), (x,))
        left.append(m.rand(4).tolist())
    assert left[0] == left[1]

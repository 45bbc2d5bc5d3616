"""Every random function, from twenty seeds, against PyTorch: equal in every bit, or to rounding where one rounds."""

import numpy as np
import pytest

import minigrad as mg

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = pytest.mark.oracle

SEEDS = [*range(8), 42, 123, 1234, 1337, 2024, 31337, 99999, 2**31 - 1, 2**32 - 1, 2**32 + 5, 2**53 + 1, 2**63]

# In the calls `m` is the library and `g` the generator, as a keyword. "=" marks what must be equal in every bit, "~"
# what is rounded on the way; "k" what MKL draws on Intel processors instead of PyTorch's own stream.
CALLS = """
= m.rand(5, **g); m.rand(3, 700, **g); m.rand((2, 3), dtype=m.float64, **g); m.rand(40, dtype=m.float16, **g)
= m.rand_like(m.zeros(3, 5)); m.rand_like(m.zeros(3, 5, dtype=m.float64))
= m.rand_like(m.zeros(4).long(), dtype=m.float32)
= m.rand(3, out=m.empty(3, dtype=m.float64), **g)
= m.randint(10, (40,), **g); m.randint(-5, 7, (3, 4), **g); m.randint(2**40, (9,), **g)
= m.randint(0, 255, (9,), dtype=m.uint8, **g)
= m.randint(0, 2, (9,), dtype=m.bool, **g); m.randint(3, 9, (9,), dtype=m.float32, **g)
= m.randint(0, 9, (9,), dtype=m.float16, **g)
= m.randint(-128, 128, (9,), dtype=m.int8, **g); m.randint(-2**31, 2**31, (9,), dtype=m.int32, **g)
= m.randint(high=4, size=(3,), **g)
= m.randint(-2**63, 2**63 - 1, (9,), **g); m.randint(0, 9, (9,), dtype=m.float64, **g)
= m.randint(-300, 300, (5,), dtype=m.int16, **g)
= m.randint_like(m.zeros(3, 4), 9); m.randint_like(m.zeros(3, 4, dtype=m.int64), 2, 9)
= m.randint_like(m.zeros(3), 2, 9, dtype=m.uint8)
= m.randperm(1, **g); m.randperm(2, **g); m.randperm(10, **g); m.randperm(5000, **g); m.randperm(70000, **g)
= m.randperm(100, dtype=m.int32, **g); m.randperm(0, **g); m.randperm(256, dtype=m.uint8, **g)
= m.zeros(30).uniform_(**g); m.zeros(30).uniform_(-3, 7, **g); m.zeros(30, dtype=m.float64).uniform_(0.1, 0.3, **g)
= m.zeros(6, 5).t().uniform_(-1, 1, **g); m.zeros(6, 6)[::2, 1:5].uniform_(**g)
= m.zeros(9, dtype=m.float16).uniform_(-2, 2, **g)
= m.zeros(9).long().random_(**g); m.zeros(9).int().random_(**g); m.zeros(9).random_(**g)
= m.zeros(9).double().random_(**g)
= m.zeros(9).long().random_(100, **g); m.zeros(9).random_(2, to=9, **g); m.zeros(9).random_(3, 9, **g)
= m.zeros(9, dtype=m.uint8).random_(**g)
= m.zeros(9).half().random_(**g)
= m.bernoulli(m.rand(30, **g), **g); m.bernoulli(m.rand(30, dtype=m.float64, **g), **g)
= m.rand(30, **g).bernoulli(**g)
= m.bernoulli(m.rand(30, **g).half(), **g); m.zeros(30).bernoulli_(m.rand(30, **g), **g)
= m.zeros(30).long().bernoulli_(m.rand(30, **g), **g)
=k m.zeros(30).bernoulli_(0.3, **g); m.zeros(300, dtype=m.float64).bernoulli_(0.7, **g)
=k m.bernoulli(m.zeros(30), 0.25, **g)
=k m.zeros(30).bernoulli_(**g); m.zeros(9).bool().bernoulli_(0.5, **g); m.zeros(9).bernoulli_(1.0, **g)
=k m.zeros(9).bernoulli_(0, **g)
= m.multinomial(m.tensor([1.0, 2.0, 3.0]), 5, replacement=True, **g); m.multinomial(m.rand(4, 65, **g), 7, True, **g)
= m.rand(50, **g).double().multinomial(9, True, **g)
=k m.multinomial(m.rand(27, **g), 1, replacement=True, **g); m.multinomial(m.rand(9, 27, **g), 1, **g)
=k m.multinomial(m.rand(50, **g), 20, **g)
=k m.multinomial(m.rand(3, 40, dtype=m.float64, **g), 5, **g)
=k m.zeros(30).geometric_(0.3, **g); m.zeros(30).long().geometric_(0.9, **g); m.zeros(5).half().geometric_(0.5, **g)
= m.poisson(m.rand(20, **g) * 8, **g); m.poisson(m.rand(20, **g) * 100, **g); m.poisson(m.zeros(3), **g)
= m.poisson(m.rand(2, 9, **g).double() * 15, **g)
~ m.randn(5, **g); m.randn(1, **g); m.randn(16, **g); m.randn(17, **g); m.randn(3, 700, **g)
~ m.randn(7, dtype=m.float64, **g)
~ m.randn(100, dtype=m.float64, **g); m.randn(5, dtype=m.float16, **g); m.randn(50, dtype=m.float16, **g)
~ m.randn(15, **g)
~ m.randn_like(m.zeros(3, 5)); m.randn_like(m.zeros(30, dtype=m.float64))
~ m.randn_like(m.zeros(9).long(), dtype=m.float32)
~ m.randn_like(m.zeros(6, 5).t()); m.randn(20, out=m.empty(20), **g)
~ m.normal(2.0, 3.0, (4,), **g); m.normal(2, 3, size=(1, 40), **g); m.normal(m.arange(1.0, 11.0), 0.5, **g)
~ m.normal(m.arange(20.0), m.arange(20.0), **g)
~ m.normal(0.5, m.arange(1.0, 6.0), **g); m.normal(m.arange(20.0), **g); m.normal(m.zeros(3, 1), m.ones(1, 9), **g)
~ m.normal(m.zeros(20).double(), 2, **g)
~ m.normal(0.0, 1.0, (20,), dtype=m.float64, **g); m.zeros(9).normal_(**g); m.zeros(40).normal_(1, 5, **g)
~ m.zeros(8, 5).t().normal_(1, 5, **g)
~k m.zeros(30).exponential_(**g); m.zeros(30, dtype=m.float64).exponential_(2.5, **g)
~k m.zeros(5, 6).exponential_(0.1, **g)
~ m.zeros(30).cauchy_(**g); m.zeros(30, dtype=m.float64).cauchy_(1.5, 2.5, **g); m.zeros(9).half().cauchy_(0, 2, **g)
~ m.zeros(30).log_normal_(**g); m.zeros(30, dtype=m.float64).log_normal_(0.5, 0.25, **g)
~ m.zeros(9).half().log_normal_(0, 0.5, **g)
=k F.dropout(m.ones(7, 33), 0.1); F.dropout(m.ones(100), 0.5); F.dropout(m.ones(50).double(), 0.9)
=k F.dropout(m.ones(6, 5).t(), 0.3)
=k nn.Dropout(0.2)(m.ones(4, 4)); nn.Dropout2d(0.4)(m.ones(2, 8, 3, 3)); F.dropout2d(m.ones(2, 8, 3, 3), 0.5)
=k F.dropout(m.ones(3), 1.0)
= nn.Linear(20, 30).weight.detach(); nn.Linear(20, 30).bias.detach(); nn.Conv2d(3, 8, 3).weight.detach()
= nn.Conv2d(4, 8, 3, groups=2).bias.detach()
= nn.init.uniform_(m.zeros(5, 6), -1, 2); nn.init.xavier_uniform_(m.zeros(5, 6))
= nn.init.kaiming_uniform_(m.zeros(5, 6, 3, 3), a=5**0.5)
= nn.init.xavier_uniform_(m.zeros(5, 6), gain=2.0, **g)
= nn.init.kaiming_uniform_(m.zeros(5, 6), mode="fan_out", nonlinearity="relu", **g)
~ nn.init.normal_(m.zeros(5, 6), 1, 2); nn.init.xavier_normal_(m.zeros(5, 6))
~ nn.init.kaiming_normal_(m.zeros(5, 6, 3, 3), nonlinearity="relu", **g)
~ nn.init.orthogonal_(m.zeros(5, 6)); nn.init.orthogonal_(m.zeros(9, 4), gain=2); nn.Embedding(20, 3).weight.detach()
~ nn.init.trunc_normal_(m.zeros(40)); nn.init.trunc_normal_(m.zeros(40), 0.5, 0.02, 0.45, 0.6)
"""


def table():
    for line in CALLS.strip().splitlines():
        mark, _, rest = line.partition(" ")
        for call in rest.split("; "):
            yield pytest.param(mark, call, id=call)


def oracle_uses_another_stream():
    """Whether PyTorch draws coins of one probability and exponentials from MKL's stream, as on Intel processors."""
    g, like = torch.Generator(), {"dtype": torch.float64}
    unit = torch.rand(64, generator=g.manual_seed(3), **like)
    coins = torch.empty(64, **like).bernoulli_(0.5, generator=g.manual_seed(3))
    times = torch.empty(64, **like).exponential_(generator=g.manual_seed(3))
    return not (torch.equal(coins, (unit < 0.5).double()) and torch.allclose(times, -torch.log1p(-unit)))


MKL = oracle_uses_another_stream()


def drawn(m, call, seed, generator):
    """Return what the call draws from the seed, and two numbers drawn next, which tell whether one is in step."""
    m.manual_seed(seed)
    g = {} if generator is None else {"generator": generator}
    result = eval(call, {"m": m, "g": g, "nn": m.nn, "F": m.nn.functional})
    return result, m.rand(2, **g), m.randn(1, **g)


@pytest.mark.parametrize("own", [False, True], ids=["default", "generator"])
@pytest.mark.parametrize(("mark", "call"), list(table()))
def test_from_a_seed_come_pytorchs_numbers(mark, call, own):
    if mark.endswith("k") and MKL:
        pytest.skip("on this processor PyTorch draws these numbers from MKL's stream, not from its own")
    if own and "**g" not in call:
        pytest.skip("this call takes no generator")
    ours, theirs = (m.Generator() if own else None for m in (mg, torch))
    for seed in SEEDS:
        for g in (ours, theirs) if own else ():
            g.manual_seed(seed)
        (a, a_next, a_normal), (b, b_next, b_normal) = drawn(mg, call, seed, ours), drawn(torch, call, seed, theirs)
        array = a.numpy()
        assert array.dtype == b.numpy().dtype
        assert array.shape == tuple(b.shape)
        if mark.startswith("="):
            np.testing.assert_array_equal(array, b.numpy())
        else:
            torch.testing.assert_close(torch.from_numpy(array.copy()), b.contiguous())
        np.testing.assert_array_equal(a_next.numpy(), b_next.numpy())
        np.testing.assert_allclose(a_normal.numpy(), b_normal.numpy(), rtol=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_saved_states_lead_to_pytorchs_numbers_and_back(seed):
    mg.manual_seed(seed)
    torch.manual_seed(seed)
    for m in (mg, torch):
        m.randn(3)
        m.rand(700)
    ours, theirs = mg.get_rng_state(), torch.get_rng_state()
    assert ours.dtype is mg.uint8
    assert tuple(ours.shape) == tuple(theirs.shape) == (5056,)
    np.testing.assert_array_equal(ours.numpy()[:5024], theirs.numpy()[:5024])
    expected = torch.randn(1), torch.randperm(20), torch.rand(5)
    mg.rand(50)
    for state in (ours, mg.from_numpy(theirs.numpy())):
        mg.set_rng_state(state)
        got = mg.randn(1), mg.randperm(20), mg.rand(5)
        np.testing.assert_allclose(got[0].numpy(), expected[0].numpy(), rtol=1e-6)
        for a, b in zip(got[1:], expected[1:], strict=True):
            np.testing.assert_array_equal(a.numpy(), b.numpy())
    torch.set_rng_state(torch.from_numpy(ours.numpy()))
    np.testing.assert_allclose(torch.randn(1).numpy(), expected[0].numpy(), rtol=1e-6)
    assert torch.equal(torch.randperm(20), expected[1])


def test_a_fork_leaves_the_generator_where_it_was():
    for m in (mg, torch):
        m.manual_seed(5)
        with m.random.fork_rng(devices=[]):
            m.manual_seed(6)
            m.rand(3)
        assert m.initial_seed() == 5
    assert mg.rand(3).tolist() == torch.rand(3).tolist()
    for m in (mg, torch):
        with m.random.fork_rng(enabled=False):
            m.rand(3)
    assert mg.rand(3).tolist() == torch.rand(3).tolist()


def test_a_clone_of_a_generator_goes_its_own_way_from_the_same_place():
    ours, theirs = (m.Generator().manual_seed(9) for m in (mg, torch))
    for m, g in ((mg, ours), (torch, theirs)):
        m.rand(5, generator=g)
    a, b = ours.clone_state(), theirs.clone_state()
    for _ in range(2):
        assert mg.rand(3, generator=a).tolist() == torch.rand(3, generator=b).tolist()
    assert mg.rand(3, generator=ours).tolist() == torch.rand(3, generator=theirs).tolist()
    assert a.initial_seed() == b.initial_seed() == 9


@pytest.mark.parametrize("seed", SEEDS[:10])
def test_splits_and_shuffled_batches_are_pytorchs(seed):
    def order(m):
        data = m.utils.data
        m.manual_seed(seed)
        parts = data.random_split(range(50), [30, 20])
        loader = data.DataLoader(range(23), batch_size=4, shuffle=True)
        own = data.DataLoader(range(23), batch_size=5, shuffle=True, generator=m.Generator().manual_seed(seed))
        weighted = data.WeightedRandomSampler([0.1, 0.9, 3.0], 12, generator=m.Generator().manual_seed(seed))
        drawn = data.RandomSampler(range(9), replacement=True, num_samples=20)
        batches = [b.tolist() for _ in range(2) for b in loader] + [b.tolist() for b in own]
        return [list(p.indices) for p in parts], batches, list(weighted), list(drawn), m.rand(2).tolist()

    import torch.utils.data

    assert order(mg) == order(torch)


BAD = """
m.rand(-1); m.randint(5, 5, (2,)); m.randint(0, 300, (2,), dtype=m.uint8); m.randperm(-1)
m.randperm(300, dtype=m.uint8)
m.normal(0.0, -1.0, (2,)); m.normal(m.zeros(2), -1.0); m.zeros(2).uniform_(2, 1); m.zeros(2).exponential_(-1)
m.poisson(-m.ones(1))
m.zeros(2).geometric_(0.0); m.zeros(2).geometric_(1.0); m.zeros(2).cauchy_(0, -1); m.zeros(2).log_normal_(0, -1)
m.rand(2).long().uniform_()
m.bernoulli(m.tensor([2.0])); m.multinomial(m.ones(2), 3); m.multinomial(m.zeros(2), 1); m.multinomial(-m.ones(2), 1)
m.zeros(2).bernoulli_(1.5)
m.set_rng_state(m.zeros(3, dtype=m.uint8)); m.rand(2, dtype=m.int64); m.zeros(2).long().cauchy_()
m.poisson(m.ones(2).long())
"""


@pytest.mark.parametrize("call", [c.strip() for c in BAD.replace("\n", ";").split(";") if c.strip()])
def test_what_pytorch_refuses_is_refused(call):
    for m in (mg, torch):
        with pytest.raises((RuntimeError, ValueError, TypeError, NotImplementedError)):
            eval(call, {"m": m})

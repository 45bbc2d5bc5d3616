"""The less used distributions against PyTorch: samples for a seed, densities, moments and gradients in one table."""

import pytest

import minigrad as mg

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = pytest.mark.oracle

from test_distributions import both, coins_agree, with_gradients  # noqa: E402

P = [[0.2, 0.3, 0.5], [0.7, 0.2, 0.1]]
# name: parameters as nested lists (floats stay numbers), and values to ask for the density of
CASES = {
    "Poisson": ({"rate": [0.5, 3.0, 12.0]}, [0.0, 2.0, 9.0]),
    "Poisson, number": ({"rate": 3.0}, [0.0, 2.0]),
    "Geometric, probs": ({"probs": [0.2, 0.9, 0.4]}, [0.0, 1.0, 4.0]),
    "Geometric, logits": ({"logits": [0.2, -0.9]}, [0.0, 3.0]),
    "NegativeBinomial, probs": ({"total_count": [2.0, 5.0], "probs": [0.2, 0.7]}, [0.0, 3.0]),
    "NegativeBinomial, logits": ({"total_count": 3.0, "logits": [0.2, -0.7]}, [0.0, 3.0]),
    "Cauchy": ({"loc": [0.5, -1.0], "scale": [1.0, 0.3]}, [0.1, -1.2]),
    "HalfCauchy": ({"scale": [1.0, 0.3]}, [0.1, 1.2]),
    "HalfNormal": ({"scale": [1.0, 0.3]}, [0.1, 1.2]),
    "Chi2": ({"df": [1.5, 4.0]}, [0.1, 1.2]),
    "StudentT": ({"df": [0.5, 1.5, 4.0], "loc": [0.1, -0.2, 0.0], "scale": [1.0, 2.0, 0.5]}, [0.1, 1.2, -3.0]),
    "InverseGamma": ({"concentration": [0.5, 1.5, 3.0], "rate": [1.0, 2.0, 0.5]}, [0.1, 1.2, 3.0]),
    "Gumbel": ({"loc": [0.5, -1.0], "scale": [1.0, 0.3]}, [0.1, -1.2]),
    "Gumbel, numbers": ({"loc": 0.5, "scale": 2.0}, [0.1, -1.2]),
    "Weibull": ({"scale": [0.5, 2.0], "concentration": [1.5, 3.0]}, [0.1, 1.2]),
    "Pareto": ({"scale": [0.5, 2.0, 1.0], "alpha": [0.5, 1.5, 3.0]}, [0.9, 2.2, 4.0]),
    "RelaxedBernoulli, probs": ({"temperature": [0.7], "probs": [0.2, 0.9, 0.4]}, [0.1, 0.5, 0.9]),
    "RelaxedBernoulli, logits": ({"temperature": [0.7], "logits": [0.2, -0.9]}, [0.1, 0.5]),
    "RelaxedOneHotCategorical, probs": ({"temperature": [0.7], "probs": P}, [[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]),
    "RelaxedOneHotCategorical, logits": ({"temperature": [0.7], "logits": [0.2, 0.3, -1.0]}, [[0.2, 0.3, 0.5]]),
    "OneHotCategoricalStraightThrough, probs": ({"probs": P}, [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    "MixtureSameFamily": (
        {"probs": P, "loc": [[0.5, 1.0, 2.0], [0.2, 0.1, 0.0]], "scale": [1.0, 0.3, 2.0]},
        [0.1, 2.0],
    ),
    "MixtureSameFamily, vectors": (
        {"probs": [0.2, 0.8], "loc": [[0.5, 1.0, 2.0], [0.2, 0.1, 0.0]], "scale": [1.0, 0.3, 2.0]},
        [[0.1, 0.2, 2.0]],
    ),
}
FROM_EXPONENTIALS = ("Weibull", "Pareto", "OneHot")  # drawn from a stream that is MKL's on Intel processors
CONCENTRATED = ("concentration", "df")  # by which samples have no gradient here
WITHOUT = {  # what PyTorch does not define, and neither is it here
    "Poisson": ("entropy",),
    "NegativeBinomial": ("entropy",),
    "RelaxedBernoulli": ("entropy", "mean", "mode", "variance"),
    "RelaxedOneHotCategorical": ("entropy", "mean", "mode", "variance"),
    "MixtureSameFamily": ("entropy", "mode"),
}
WITH_CDF = ("Cauchy", "HalfCauchy", "HalfNormal", "Gumbel", "Weibull", "Pareto")


def made(t, case, dtype="float64"):
    """Return the distribution of a case, and its parameters as leaves."""
    kind, d = getattr(t, dtype), t.distributions
    given = CASES[case][0]
    leaves = {k: v if isinstance(v, float) else t.tensor(v, dtype=kind, requires_grad=True) for k, v in given.items()}
    name = case.partition(", ")[0]
    if name != "MixtureSameFamily":
        return getattr(d, name)(**leaves), leaves
    parts = d.Normal(leaves["loc"], leaves["scale"])
    parts = d.Independent(parts, 1) if case.endswith("vectors") else parts
    return d.MixtureSameFamily(d.Categorical(leaves["probs"]), parts), leaves


def values(t, case):
    x = t.tensor(CASES[case][1])
    return x if case.endswith(("number", "numbers")) else x.double()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_samples_are_those_of_the_seed(case, dtype):
    if case.startswith(FROM_EXPONENTIALS) and not coins_agree():
        pytest.skip("on this processor PyTorch draws these numbers from MKL's stream, not from its own")

    def run(t):
        d, _ = made(t, case, dtype)
        t.manual_seed(7)
        drawn = [d.sample(), d.sample((4,)), d.sample((2, 3)), t.rand(3)]
        return [*drawn, any(x.requires_grad for x in drawn), d.has_rsample]

    both(run, rtol=2e-5 if dtype == "float32" else 1e-9)


@pytest.mark.parametrize("case", CASES)
def test_gradients_of_samples(case):
    if case.startswith(FROM_EXPONENTIALS) and not coins_agree():
        pytest.skip("on this processor PyTorch draws these numbers from MKL's stream, not from its own")

    def run(t):
        d, leaves = made(t, case)
        if not d.has_rsample:
            return []
        for name in CONCENTRATED if case in ("Chi2", "StudentT", "InverseGamma") else ():
            if name in leaves:
                leaves[name].requires_grad_(False)
        name = case.partition(", ")[0]
        d = getattr(t.distributions, name)(**leaves) if name in ("Chi2", "StudentT", "InverseGamma") else d
        t.manual_seed(3)
        return with_gradients(t, d.rsample((2,)), leaves)

    both(run)


@pytest.mark.parametrize("case", CASES)
def test_densities_moments_and_shapes(case):
    lacks = WITHOUT.get(case.partition(", ")[0], ())

    def run(t):
        d, leaves = made(t, case)
        found = with_gradients(t, d.log_prob(values(t, case)), leaves)
        if "entropy" not in lacks:
            found += with_gradients(t, d.entropy(), leaves)
        found += [
            getattr(d, name)
            for name in ("mean", "variance", "stddev", "mode")
            if name not in lacks and not (name == "stddev" and "variance" in lacks)
        ]
        if case.partition(",")[0] in WITH_CDF:
            found += [d.cdf(values(t, case)), d.icdf(d.cdf(values(t, case)))]
        wide = d.expand((2, *d.batch_shape))
        return [
            *found,
            tuple(d.batch_shape),
            tuple(d.event_shape),
            tuple(wide.batch_shape),
            wide.log_prob(values(t, case)),
        ]

    both(run, rtol=1e-7)


NAMELESS = ("OneHot", "Mixture")  # where theirs names no parameter, or one more that it happens to have worked out


@pytest.mark.parametrize("case", [c for c in CASES if not c.startswith(NAMELESS)])
def test_the_reprs_are_pytorchs(case):
    ours, theirs = (repr(made(t, case)[0]) for t in (mg, torch))
    assert ours.replace("minigrad.Size", "torch.Size") == theirs


@pytest.mark.parametrize("case", ["Poisson", "Geometric, probs", "HalfNormal", "Cauchy", "Gumbel"])
def test_divergences(case):
    def run(t):
        p, leaves = made(t, case)
        other = {k: (v * 0.7).detach() for k, v in leaves.items()}
        q = getattr(t.distributions, case.partition(", ")[0])(**other)
        return with_gradients(t, t.distributions.kl_divergence(p, q), leaves)

    both(run, rtol=1e-8)


TRANSFORMS = {
    "power": lambda m: m.PowerTransform(2.0),
    "softplus": lambda m: m.SoftplusTransform(),
    "nothing": lambda m: m.identity_transform,
}


@pytest.mark.parametrize("case", TRANSFORMS)
def test_transforms_and_their_slopes(case):
    def run(t):
        f = TRANSFORMS[case](t.distributions.transforms)
        x = t.tensor([0.3, 1.2, 2.5], dtype=t.float64)
        y = f(x)
        return [y, f.inv(y), f.log_abs_det_jacobian(x, y) + t.zeros(3, dtype=t.float64)]

    both(run)


def test_what_can_not_be_undone():
    def run(t):
        m, x = t.distributions.transforms, t.tensor([[0.3, -1.2, 2.5]], dtype=t.float64)
        return [m.AbsTransform()(x), m.SoftmaxTransform()(x), m.SoftmaxTransform().inv(x.exp())]

    both(run)


def test_components_that_do_not_fit_are_refused():
    d = mg.distributions
    for mixture, component, words in (
        (d.Categorical(mg.ones(2)), d.Normal(mg.zeros(3), 1.0), "does not equal"),
        (d.Categorical(mg.ones(2, 3)), d.Normal(mg.zeros(4, 3), 1.0), "is not compatible"),
        (d.Normal(0.0, 1.0), d.Normal(mg.zeros(3), 1.0), "needs to be an instance"),
    ):
        with pytest.raises(ValueError, match=words):
            d.MixtureSameFamily(mixture, component)
    with pytest.raises(ValueError, match="to be positive"):
        d.Geometric(0.0)

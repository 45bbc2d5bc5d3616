"""Distributions against PyTorch: samples for a seed, densities, entropies, moments, divergences, all with gradients."""

import warnings

import numpy as np
import pytest

import minigrad as mg

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = pytest.mark.oracle


def coins_agree():
    """Whether PyTorch draws exponentials from its own stream: on Intel processors it takes them from MKL's."""
    mg.manual_seed(0), torch.manual_seed(0)
    return np.array_equal(mg.empty(99).exponential_().numpy(), torch.empty(99).exponential_().numpy())


# name: parameters as nested lists (floats stay numbers), and values to ask for the density of
P = [[0.2, 0.3, 0.5], [0.7, 0.2, 0.1]]
CASES = {
    "Normal": ({"loc": [0.5, -1.0, 2.0], "scale": [1.0, 0.3, 2.5]}, [0.1, -1.2, 4.0]),
    "Normal, numbers": ({"loc": 0.5, "scale": 2.0}, [0.1, -1.2, 4.0]),
    "Normal, broadcast": ({"loc": [[0.5], [1.5]], "scale": [1.0, 0.3]}, [[0.1, 0.2], [0.3, 0.9]]),
    "Normal, many": ({"loc": [0.1] * 20, "scale": [2.0] * 20}, [0.3] * 20),
    "LogNormal": ({"loc": [0.5, -1.0], "scale": [1.0, 0.3]}, [0.1, 1.2]),
    "Uniform": ({"low": [0.0, -1.0], "high": [1.0, 3.0]}, [0.1, 1.2]),
    "Uniform, numbers": ({"low": -1.0, "high": 3.0}, [0.1, 1.2]),
    "Exponential": ({"rate": [0.5, 2.0]}, [0.1, 1.2]),
    "Laplace": ({"loc": [0.5, -1.0], "scale": [1.0, 0.3]}, [0.1, -1.2]),
    "Bernoulli, probs": ({"probs": [0.2, 0.9, 0.4]}, [0.0, 1.0, 1.0]),
    "Bernoulli, logits": ({"logits": [0.2, -0.9, 4.0]}, [0.0, 1.0, 1.0]),
    "Bernoulli, number": ({"probs": 0.3}, [1.0, 0.0]),
    "Categorical, probs": ({"probs": P}, [2, 0]),
    "Categorical, logits": ({"logits": [[0.2, 2.3, 0.5], [0.7, -0.2, 0.1]]}, [2, 0]),
    "Categorical, one": ({"logits": [0.2, 2.3, 0.5]}, [2, 0, 1]),
    "OneHotCategorical, probs": ({"probs": P}, [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
    "Multinomial, 5": ({"probs": P}, [[1.0, 4.0, 0.0], [2.0, 2.0, 1.0]]),
    "Gamma": ({"concentration": [0.5, 1.0, 3.5], "rate": [1.0, 2.0, 0.3]}, [0.1, 1.2, 4.0]),
    "Gamma, numbers": ({"concentration": 0.5, "rate": 2.0}, [0.1, 1.2]),
    "Beta": ({"concentration1": [0.5, 1.5, 3.5], "concentration0": [1.2, 2.0, 0.3]}, [0.1, 0.7, 0.9]),
    "Beta, numbers": ({"concentration1": 2.0, "concentration0": 3.0}, [0.1, 0.7, 0.9]),
    "Dirichlet": ({"concentration": [[0.5, 1.0, 3.5], [1.5, 2.0, 1.3]]}, [[0.1, 0.2, 0.7], [0.5, 0.25, 0.25]]),
    "Independent": ({"loc": [[0.5, 1.0], [0.2, 0.1]], "scale": [1.0, 0.3]}, [[0.1, 0.2], [0.3, 0.9]]),
    "MixtureSameFamily": ({"loc": [[0.5, -1.0], [2.0, 4.0]], "scale": [1.0, 0.3]}, [0.1, 3.0]),
    "MixtureSameFamily, vectors": (
        {"loc": [[[0.5, 1.0], [0.2, 0.1], [0.0, 2.0]]], "scale": [1.0, 0.3]},
        [[0.1, 0.2]],
    ),
    "MultivariateNormal, tril": (
        {"loc": [[0.5, -1.0], [1.0, 1.0]], "scale_tril": [[1.0, 0.0], [0.5, 0.8]]},
        [[0.1, -1.2], [2.0, 0.0]],
    ),
    "MultivariateNormal, covariance": (
        {"loc": [0.5, -1.0], "covariance_matrix": [[1.0, 0.3], [0.3, 2.0]]},
        [[0.1, -1.2], [2.0, 0.0]],
    ),
    "MultivariateNormal, precision": (
        {"loc": [0.5, -1.0], "precision_matrix": [[1.0, 0.3], [0.3, 2.0]]},
        [0.1, -1.2],
    ),
}
UNGRADED = (
    "Gamma",
    "Gamma, numbers",
    "Beta",
    "Beta, numbers",
    "Dirichlet",
)  # whose samples have no gradient by the concentration
SEEDS = (0, 7, 42)


def parameters(t, case, dtype="float64"):
    """Return the parameters of a case as leaves, numbers as they are."""
    kind = getattr(t, dtype)
    given = CASES[case][0]
    return {k: v if isinstance(v, float) else t.tensor(v, dtype=kind, requires_grad=True) for k, v in given.items()}


def made(t, case, options):
    name = case.partition(", ")[0]
    d = t.distributions
    if name == "Independent":
        return d.Independent(d.Normal(**options), 1)
    if name == "MixtureSameFamily":
        components, which = d.Normal(**options), options["loc"].detach().abs().add(0.5)
        if case.endswith("vectors"):
            components, which = d.Independent(components, 1), which.sum(-1)
        return d.MixtureSameFamily(d.Categorical(which), components)
    return d.Multinomial(5, **options) if name == "Multinomial" else getattr(d, name)(**options)


def values(t, case, dtype="float64"):
    x = t.tensor(CASES[case][1])
    if case.startswith("Categorical"):
        return x
    return x if case.endswith(("number", "numbers")) else x.to(getattr(t, dtype))


def close(ours, theirs, rtol=1e-9, atol=1e-12):
    a, b = ours.detach().numpy(), theirs.detach().numpy()
    assert a.shape == b.shape
    assert a.dtype == b.dtype
    if a.dtype == np.float32:
        rtol, atol = max(rtol, 2e-5), max(atol, 1e-6)
    np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


def both(run, **tolerance):
    results = []
    for t in (mg, torch):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results.append(run(t))
    assert len(results[0]) == len(results[1])
    for a, b in zip(*results, strict=True):
        if isinstance(b, torch.Tensor):
            close(a, b, **tolerance)
        else:
            assert a == b


def with_gradients(t, result, leaves):
    """Return a result and its gradients by the parameters, zeros where there are none."""
    tensors = [x for x in leaves.values() if isinstance(x, t.Tensor) and x.requires_grad]
    if not result.requires_grad:
        return [result]
    weight = t.linspace(0.5, 1.5, result.numel(), dtype=result.dtype).reshape(result.shape)
    found = t.autograd.grad((result * weight).sum(), tensors, retain_graph=True, allow_unused=True)
    return [result, *(t.zeros_like(x) if g is None else g for g, x in zip(found, tensors, strict=True))]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_samples_are_those_of_the_seed(case, dtype):
    if case.startswith(("Exponential", "Bernoulli")) and not coins_agree():
        pytest.skip("on this processor PyTorch draws these numbers from MKL's stream, not from its own")

    def run(t):
        options, drawn = parameters(t, case, dtype), []
        for seed in SEEDS:
            t.manual_seed(seed)
            d = made(t, case, options)
            drawn += [d.sample(), d.sample((4,)), d.sample((2, 3)), t.rand(3)]
        return [*drawn, any(x.requires_grad for x in drawn)]

    both(run)


@pytest.mark.parametrize("case", CASES)
def test_gradients_of_samples(case):
    if case.startswith(("Exponential", "Bernoulli")) and not coins_agree():
        pytest.skip("on this processor PyTorch draws these numbers from MKL's stream, not from its own")

    def run(t):
        t.manual_seed(3)
        options = parameters(t, case)
        if case in UNGRADED:
            options = {k: v if k == "rate" or isinstance(v, float) else v.detach() for k, v in options.items()}
        d = made(t, case, options)
        return [d.has_rsample, *(with_gradients(t, d.rsample((2,)), options) if d.has_rsample else [])]

    both(run)


@pytest.mark.parametrize("case", CASES)
def test_densities_and_entropies(case):
    def run(t):
        options = parameters(t, case)
        d = made(t, case, options)
        found = with_gradients(t, d.log_prob(values(t, case)), options)
        return found if is_mixture(case) else found + with_gradients(t, d.entropy(), options)

    both(run, rtol=tolerance(case))


def is_mixture(case):
    """Mixtures have neither an entropy nor a mode."""
    return case.startswith("Mixture")


def tolerance(case):
    """PyTorch works out the entropy of a Multinomial with factorials in float32."""
    return 1e-6 if case.startswith("Multinomial") else 1e-8


MOMENTS = ("mean", "variance", "stddev", "mode")


@pytest.mark.parametrize("case", CASES)
def test_moments_shapes_and_distribution_functions(case):
    def run(t):
        d = made(t, case, parameters(t, case))
        found = [tuple(d.batch_shape), tuple(d.event_shape)]
        found += [] if is_mixture(case) else [d.perplexity()]
        for name in MOMENTS:
            if name == "mode" and (case.startswith("Multinomial") or is_mixture(case)):
                continue
            found.append(getattr(d, name))
        if case == "MixtureSameFamily":
            found.append(d.cdf(values(t, case)))
        if case.partition(",")[0] in ("Normal", "LogNormal", "Uniform", "Exponential", "Laplace"):
            found.append(d.cdf(values(t, case)))
            found.append(d.icdf(d.cdf(values(t, case))))
        if d.has_enumerate_support:
            found += [d.enumerate_support(), d.enumerate_support(expand=False)]
        wide = d.expand((2, *d.batch_shape))
        asked = values(t, case)
        if not d.batch_shape and asked.ndim > len(d.event_shape):
            asked = asked[0]
        return [*found, tuple(wide.batch_shape), wide.log_prob(asked), wide.mean]

    both(run, rtol=tolerance(case))


@pytest.mark.parametrize("case", [c for c in CASES if c != "OneHotCategorical, probs"])  # theirs names no parameter
def test_the_reprs_are_pytorchs(case):
    ours, theirs = (repr(made(t, case, parameters(t, case))) for t in (mg, torch))
    assert ours.replace("minigrad.Size", "torch.Size") == theirs


PAIRS = [(a, a) for a in CASES if not any(name in a for name in ("Multinomial", "OneHot", "Mixture"))] + [
    ("Uniform", "Normal, broadcast"),
    ("Bernoulli, probs", "Bernoulli, logits"),
    ("Categorical, probs", "Categorical, logits"),
    *([("MultivariateNormal, tril", "MultivariateNormal, covariance")] if "MultivariateNormal, tril" in CASES else []),
]


@pytest.mark.parametrize(("p", "q"), PAIRS, ids=str)
def test_divergences(p, q):
    def run(t):
        a, b = parameters(t, p), parameters(t, q)
        if p == q:  # something that differs from the first
            b = {k: v * 1.3 if isinstance(v, float) else (v * t.tensor(1.3, dtype=t.float64)) for k, v in b.items()}
            if "probs" in b and not isinstance(b["probs"], float):
                b = {"probs": b["probs"] / 1.5}
        result = t.distributions.kl_divergence(made(t, p, a), made(t, q, b))
        return with_gradients(t, result, a)

    both(run, rtol=1e-8)


def test_divergences_at_the_edge():
    def run(t):
        d = t.distributions
        coin = lambda x: d.Bernoulli(t.tensor(x, dtype=t.float64))
        dice = lambda x: d.Categorical(t.tensor(x, dtype=t.float64))
        wide = lambda a, b: d.Uniform(t.tensor(a, dtype=t.float64), t.tensor(b, dtype=t.float64))
        return [
            d.kl_divergence(coin([0.0, 1.0, 0.5, 0.5, 0.0]), coin([0.5, 0.5, 0.0, 1.0, 0.0])),
            d.kl_divergence(dice([[0.0, 1.0], [0.5, 0.5]]), dice([0.0, 1.0])),
            d.kl_divergence(wide([0.0, 0.0], 1.0), wide([-1.0, 0.5], 2.0)),
            wide(0.0, 1.0).entropy(),
        ]

    both(run)


TRANSFORMS = {
    "exp": lambda m: m.ExpTransform(),
    "affine": lambda m: m.AffineTransform(0.5, -2.0),
    "tanh": lambda m: m.TanhTransform(cache_size=1),
    "sigmoid": lambda m: m.SigmoidTransform(),
    "two": lambda m: [m.AffineTransform(0.5, 0.3), m.TanhTransform()],
    "composed": lambda m: m.ComposeTransform([m.AffineTransform(0.5, 0.3), m.ExpTransform()]),
    "undone": lambda m: [m.ExpTransform(), m.ExpTransform().inv, m.SigmoidTransform()],
}


@pytest.mark.parametrize("vectors", [False, True])
@pytest.mark.parametrize("case", TRANSFORMS)
def test_distributions_of_transformed_values(case, vectors):
    def run(t):
        t.manual_seed(2)
        d, leaves = t.distributions, parameters(t, "Normal")
        base = d.Independent(d.Normal(**leaves), 1) if vectors else d.Normal(**leaves)
        made = d.TransformedDistribution(base, TRANSFORMS[case](d.transforms))
        drawn = made.rsample((4,))
        found = [made.sample(), *with_gradients(t, drawn, leaves), *with_gradients(t, made.log_prob(drawn), leaves)]
        apart = made.expand((2, 3) if not vectors else (2,)).log_prob(made.sample().detach())
        if not vectors:
            found += [*with_gradients(t, made.cdf(drawn), leaves), made.icdf(made.cdf(drawn))]
        return [*found, apart, tuple(made.batch_shape), tuple(made.event_shape)]

    both(run, rtol=1e-7)


def test_a_policy_gradient_step():
    """The program that most people use distributions for."""

    def run(t):
        t.manual_seed(1)
        net = t.nn.Linear(4, 3)
        policy = t.distributions.Categorical(logits=net(t.randn(5, 4)))
        action = policy.sample()
        loss = -(policy.log_prob(action) * t.linspace(-1, 1, 5)).mean() - 0.01 * policy.entropy().mean()
        loss.backward()
        return [action, loss, net.weight.grad, net.bias.grad]

    both(run, rtol=1e-4, atol=1e-6)


d = mg.distributions
REFUSED = {
    "scale": (lambda: d.Normal(0.0, -1.0), r"Expected parameter scale .* GreaterThan\(lower_bound=0.0\)"),
    "nan": (lambda: d.Normal(mg.tensor([float("nan")]), 1.0), r"Expected parameter loc .* constraint Real\(\)"),
    "both": (lambda: d.Bernoulli(0.5, 0.5), "Either `probs` or `logits` must be specified, but not both"),
    "neither": (lambda: d.Categorical(), "Either `probs` or `logits` must be specified, but not both"),
    "probs": (lambda: d.Bernoulli(1.5), r"Interval\(lower_bound=0.0, upper_bound=1.0\)"),
    "simplex": (lambda: d.Categorical(mg.tensor([-1.0, 0.5])), r"constraint Simplex\(\)"),
    "logits": (lambda: d.Categorical(logits=mg.tensor([1.0, float("nan")])), r"IndependentConstraint\(Real\(\), 1\)"),
    "scalar": (lambda: d.Categorical(mg.tensor(1.0)), "must be at least one-dimensional"),
    "order": (lambda: d.Uniform(1.0, 0.0), "Expected low < high"),
    "value": (lambda: d.Bernoulli(0.5).log_prob(mg.tensor(0.5)), r"to be within the support \(Boolean\(\)\)"),
    "class": (lambda: d.Categorical(mg.ones(3)).log_prob(mg.tensor(3)), "IntegerInterval"),
    "number": (lambda: d.Normal(0.0, 1.0).log_prob(0.5), "value argument to log_prob must be a Tensor"),
    "event": (lambda: d.Dirichlet(mg.ones(3)).log_prob(mg.ones(2)), "right-most size of value must match event_shape"),
    "batch": (lambda: d.Normal(mg.zeros(3), 1.0).log_prob(mg.zeros(2)), "not broadcastable with batch_shape"),
    "dims": (lambda: d.Independent(d.Normal(0.0, 1.0), 1), "Expected reinterpreted_batch_ndims"),
    "count": (lambda: d.Multinomial(mg.ones(2), mg.ones(2)), "inhomogeneous total_count is not supported"),
    "text": (lambda: d.Normal("a", 1.0), "must all be instances of Number or Tensor"),
    "transform": (lambda: d.TransformedDistribution(d.Normal(0.0, 1.0), [1]), "must be a Transform or a list"),
    "matrix": (lambda: d.MultivariateNormal(mg.zeros(2)), "Exactly one of covariance_matrix"),
    "tril": (lambda: d.MultivariateNormal(mg.zeros(2), scale_tril=mg.ones(2, 2)), r"constraint LowerCholesky\(\)"),
    "covariance": (lambda: d.MultivariateNormal(mg.zeros(2), -mg.eye(2)), r"constraint PositiveDefinite\(\)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused_in_words(case):
    call, words = REFUSED[case]
    with pytest.raises(ValueError, match=words):
        call()


def test_what_is_not_there_says_so():
    concentration = mg.ones(2, requires_grad=True)
    for make in (d.Gamma(concentration, 1.0), d.Beta(concentration, 1.0), d.Dirichlet(concentration)):
        with pytest.raises(RuntimeError, match="not there yet"):
            make.rsample()
        assert not make.sample().requires_grad
    with pytest.raises(NotImplementedError, match="Bernoulli does not implement rsample"):
        d.Bernoulli(0.5).rsample()
    with pytest.raises(NotImplementedError, match=r"No KL\(p \|\| q\) is implemented for p type Normal and q type Gam"):
        d.kl_divergence(d.Normal(0.0, 1.0), d.Gamma(1.0, 1.0))
    wide = d.Normal(mg.zeros(2, 3), mg.ones(2, 3))
    with pytest.raises(NotImplementedError, match="the same number of dims"):
        d.kl_divergence(d.Independent(wide, 1), d.Independent(wide, 2))


def test_checks_can_be_switched_off():
    assert d.Normal(0.0, -1.0, validate_args=False).scale == -1
    d.Distribution.set_default_validate_args(False)
    try:
        assert d.Normal(0.0, -1.0).scale == -1
    finally:
        d.Distribution.set_default_validate_args(True)


def test_a_divergence_of_ones_own():
    class Mine(d.Normal):
        pass

    @d.register_kl(Mine, d.Normal)
    def mine(p, q):
        return p.loc * 0 + 7

    assert d.kl_divergence(Mine(0.0, 1.0), d.Normal(0.0, 1.0)) == 7
    assert d.kl_divergence(d.Normal(0.0, 1.0), Mine(0.0, 1.0)) == 0


def test_parts_of_a_mixture_must_fit():
    d = mg.distributions
    two, three = d.Normal(mg.zeros(2), mg.ones(2)), d.Categorical(mg.ones(3))
    for which, components, text in (
        (three, two, r"component` \(3\) does not equal `component_distribution.batch_shape\[-1\]` \(2\)"),
        (two, two, "Mixture distribution needs to be"),
        (three, 3, "Component distribution needs to be"),
        (d.Categorical(mg.ones(2, 3)), d.Normal(mg.zeros(4, 3), 1.0), "is not compatible with"),
    ):
        with pytest.raises(ValueError, match=text):
            d.MixtureSameFamily(which, components)

"""Distributions with heavy tails, and halves of distributions around 0."""

from __future__ import annotations

import math
from typing import Any

from minigrad import random
from minigrad.creation import empty, full_like, zeros_like
from minigrad.distributions import constraints
from minigrad.distributions.distribution import Distribution, broadcast
from minigrad.distributions.gamma import Gamma, digamma, lgamma
from minigrad.distributions.normal import Normal, standard_normal
from minigrad.ops.elementwise import where
from minigrad.tensor import Tensor


class Cauchy(Distribution):
    """The Cauchy distribution around `loc`, half of which is within `scale` of it."""

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}  # noqa: RUF012
    support = constraints.real
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """There is none: nan."""
        return full_like(self.loc, math.nan)

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """Infinite."""
        return full_like(self.loc, math.inf)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return loc + scale * a standard draw."""
        unit = empty(self._extended_shape(sample_shape), dtype=self.loc.dtype)
        return self.loc + random.cauchy_(unit) * self.scale

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density at `value`."""
        self._validate_sample(value)
        return -math.log(math.pi) - self.scale.log() - (((value - self.loc) / self.scale) ** 2).log1p()

    def cdf(self, value: Tensor) -> Tensor:
        """Return the probability of what is not above `value`."""
        self._validate_sample(value)
        return ((value - self.loc) / self.scale).atan() / math.pi + 0.5

    def icdf(self, value: Tensor) -> Tensor:
        """Return where the cdf has the value `value`."""
        return (math.pi * (value - 0.5)).tan() * self.scale + self.loc

    def entropy(self) -> Tensor:
        """Return log(4 pi scale)."""
        return math.log(4 * math.pi) + self.scale.log()


class _Half(Distribution):
    """The sizes of what is drawn from a distribution around 0."""

    arg_constraints = {"scale": constraints.positive}  # noqa: RUF012
    support = constraints.nonnegative
    has_rsample = True
    _whole: Any

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        self.base_dist = self._whole(0, scale, validate_args=False)
        super().__init__(self.scale.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any) -> Any:
        """Return this distribution with its parameter expanded to `batch_shape`."""
        return self._alike(type(self)(self.scale.expand(*batch_shape), validate_args=False))

    @property
    def scale(self) -> Tensor:
        """The scale of the whole distribution."""
        result: Tensor = self.base_dist.scale
        return result

    @property
    def mode(self) -> Tensor:
        """0."""
        return zeros_like(self.scale)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Return samples without a gradient."""
        return self.base_dist.sample(sample_shape).abs()

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return the size of a draw."""
        return self.base_dist.rsample(sample_shape).abs()

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density at `value`, twice that of the whole distribution."""
        self._validate_sample(value)
        return where(value >= 0, self.base_dist.log_prob(value) + math.log(2), -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        """Return the probability of what is not above `value`."""
        self._validate_sample(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, value: Tensor) -> Tensor:
        """Return where the cdf has the value `value`."""
        return self.base_dist.icdf((value + 1) / 2)

    def entropy(self) -> Tensor:
        """Return that of the whole distribution, less log(2)."""
        return self.base_dist.entropy() - math.log(2)


class HalfNormal(_Half):
    """The size of a normal number of mean 0 and standard deviation `scale`."""

    _whole = Normal

    @property
    def mean(self) -> Tensor:
        """scale times the root of 2 / pi."""
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self) -> Tensor:
        """scale**2 (1 - 2 / pi)."""
        return self.scale.pow(2) * (1 - 2 / math.pi)


class HalfCauchy(_Half):
    """The size of a number of a Cauchy distribution around 0."""

    _whole = Cauchy

    @property
    def mean(self) -> Tensor:
        """Infinite."""
        return full_like(self.scale, math.inf)

    variance = mean


class Chi2(Gamma):
    """The sum of the squares of `df` standard normal numbers."""

    arg_constraints = {"df": constraints.positive}  # noqa: RUF012

    def __init__(self, df: Any, validate_args: bool | None = None) -> None:
        super().__init__(0.5 * df, 0.5, validate_args=validate_args)

    def expand(self, batch_shape: Any) -> Chi2:
        """Return this distribution with its parameter expanded to `batch_shape`."""
        return self._alike(Chi2(self.df.expand(*batch_shape), validate_args=False))

    @property
    def df(self) -> Tensor:
        """How many squares are added."""
        return self.concentration * 2


class StudentT(Distribution):
    """Student's distribution with `df` degrees of freedom, around `loc`, stretched by `scale`."""

    arg_constraints = {  # noqa: RUF012
        "df": constraints.positive,
        "loc": constraints.real,
        "scale": constraints.positive,
    }
    support = constraints.real
    has_rsample = True

    def __init__(self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None) -> None:
        self.df, self.loc, self.scale = broadcast(df, loc, scale)
        super().__init__(self.df.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """loc; nan where df is not above 1."""
        return self.loc.masked_fill(self.df <= 1, math.nan)

    @property
    def mode(self) -> Tensor:
        """loc."""
        return self.loc

    @property
    def variance(self) -> Tensor:
        """scale**2 df / (df - 2); inf where df is not above 2, nan where it is not above 1."""
        spread = self.scale.pow(2) * self.df / where(self.df > 2, self.df - 2, 1.0)
        return where(self.df > 2, spread, math.inf).masked_fill(self.df <= 1, math.nan)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return a normal draw divided by the root of the mean of df squares of others."""
        x = standard_normal(self._extended_shape(sample_shape), self.df)
        squares = Chi2(self.df, validate_args=False).rsample(sample_shape)
        return self.loc + self.scale * (x * (squares / self.df).rsqrt())

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density at `value`."""
        self._validate_sample(value)
        y, df = (value - self.loc) / self.scale, self.df
        size = self.scale.log() + 0.5 * df.log() + 0.5 * math.log(math.pi) + lgamma(0.5 * df) - lgamma(0.5 * (df + 1))
        return -0.5 * (df + 1) * (y**2 / df).log1p() - size

    def entropy(self) -> Tensor:
        """Return the expectation of -log_prob."""
        df = self.df
        size = lgamma(0.5 * df) + math.lgamma(0.5) - lgamma(0.5 * (df + 1))
        spread = 0.5 * (df + 1) * (digamma(0.5 * (df + 1)) - digamma(0.5 * df))
        return self.scale.log() + spread + 0.5 * df.log() + size


class InverseGamma(Distribution):
    """1 / X for X of a gamma distribution of shape `concentration` and inverse scale `rate`."""

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}  # noqa: RUF012
    support = constraints.positive
    has_rsample = True

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.base_dist = Gamma(concentration, rate, validate_args=False)
        super().__init__(self.rate.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any) -> InverseGamma:
        """Return this distribution with its parameters expanded to `batch_shape`."""
        a, b = (x.expand(*batch_shape) for x in (self.concentration, self.rate))
        return self._alike(InverseGamma(a, b, validate_args=False))

    @property
    def concentration(self) -> Tensor:
        """The concentration of the gamma distribution."""
        return self.base_dist.concentration

    @property
    def rate(self) -> Tensor:
        """The rate of the gamma distribution."""
        return self.base_dist.rate

    @property
    def mean(self) -> Tensor:
        """rate / (concentration - 1); inf where that is not above 0."""
        low = self.concentration <= 1
        return (self.rate / where(low, 1.0, self.concentration - 1)).masked_fill(low, math.inf)

    @property
    def mode(self) -> Tensor:
        """rate / (concentration + 1)."""
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Tensor:
        """The variance; inf where the concentration is not above 2."""
        low = self.concentration <= 2
        a = where(low, 3.0, self.concentration)
        return (self.rate.square() / ((a - 1).square() * (a - 2))).masked_fill(low, math.inf)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Return 1 divided by a gamma draw."""
        return self.base_dist.rsample(sample_shape).pow(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the density at `value`."""
        self._validate_sample(value)
        return self.base_dist.log_prob(value.pow(-1)) - 2 * value.log()

    def entropy(self) -> Tensor:
        """Return the expectation of -log_prob."""
        a = self.concentration
        return a + self.rate.log() + lgamma(a) - (1 + a) * digamma(a)

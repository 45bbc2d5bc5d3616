"""Special functions by the names PyTorch has for them in `torch.special`; all are functions of the main module too."""

from minigrad.functions import (
    digamma,
    erf,
    erfc,
    erfinv,
    exp2,
    expm1,
    log1p,
    log_softmax,
    logit,
    logsumexp,
    round,
    sinc,
    softmax,
    xlogy,
)
from minigrad.functions import lgamma as gammaln
from minigrad.functions import mvlgamma as multigammaln
from minigrad.functions import sigmoid as expit
from minigrad.several import polygamma
from minigrad.tensor import Tensor

psi = digamma

__all__ = [
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfinv",
    "exp2",
    "expit",
    "expm1",
    "gammaln",
    "log1p",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "multigammaln",
    "ndtr",
    "ndtri",
    "polygamma",
    "psi",
    "round",
    "sinc",
    "softmax",
    "xlogy",
]


def entr(input: Tensor) -> Tensor:
    """Return -x log(x), 0 at 0 and -inf below."""
    return (-input.xlogy(input)).masked_fill(input < 0, float("-inf"))


def ndtr(input: Tensor) -> Tensor:
    """Return the distribution function of the normal distribution."""
    return (input * -(0.5**0.5)).erfc() * 0.5


def log_ndtr(input: Tensor) -> Tensor:
    """Return the logarithm of the distribution function of the normal distribution, -inf where that is below 1e-38."""
    return ndtr(input).log()


def ndtri(input: Tensor) -> Tensor:
    """Return the number below which a normal number lies with the given probability."""
    return (input * 2 - 1).erfinv() * 2**0.5

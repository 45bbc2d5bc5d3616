"""Samples of the gamma function's logarithm and its derivatives."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from op_samples_base import Sample, away, exactly, positive, unary

from minigrad.ops import gamma

LOG_GAMMA = np.vectorize(math.lgamma, otypes=[float])


def samples() -> Iterator[Sample]:
    yield from unary("lgamma", gamma.lgamma, LOG_GAMMA, lambda t, x: t.lgamma(x), positive)
    # PyTorch's derivative of digamma is exact to 1e-10 only, which the test of special values does not allow for.
    yield from unary("digamma", gamma.digamma, None, lambda t, x: t.digamma(x), positive, special=())
    for n in range(3):
        call = lambda x, n=n: gamma.polygamma(x, n=n)
        yield Sample(
            "polygamma", f"{n}", call, (positive(2, 3),), None, lambda t, x, n=n: t.polygamma(n, x), special=()
        )
    large = exactly([3.7, 14.9, 15.1, 40.0, 1e4])
    yield Sample("digamma", "large", gamma.digamma, (large,), None, lambda t, x: t.digamma(x), special=())
    yield Sample("digamma", "below 0", gamma.digamma, (away(2, 3),), None, lambda t, x: t.digamma(x), special=())
    yield Sample("lgamma", "below 0", gamma.lgamma, (away(2, 3),), LOG_GAMMA, lambda t, x: t.lgamma(x))

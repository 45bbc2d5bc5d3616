"""The gamma function's logarithm and its derivatives, each the rule of the one before."""

from __future__ import annotations

from minigrad.graph import primitive
from minigrad.kernels import gamma as kernel

lgamma = primitive("lgamma", kernel.lgamma, casts="float", x=lambda g, x: g * digamma(x))
digamma = primitive("digamma", kernel.digamma, casts="float", x=lambda g, x: g * polygamma(x, n=1))
polygamma = primitive("polygamma", kernel.polygamma, casts="float", x=lambda g, x, n: g * polygamma(x, n=n + 1))

"""The ops by subject: primitives, each one statement with its gradient rules, and composites of them."""

from minigrad.ops import conv, elementwise, index, linalg, loss, norm, pad, pool, reduce, shape

__all__ = ["conv", "elementwise", "index", "linalg", "loss", "norm", "pad", "pool", "reduce", "shape"]

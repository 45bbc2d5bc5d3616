"""The ops by subject: primitives, each one statement with its gradient rules, and composites of them."""

from minigrad.ops import elementwise, index, linalg, pad, reduce, shape

__all__ = ["elementwise", "index", "linalg", "pad", "reduce", "shape"]

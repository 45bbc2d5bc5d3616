"""The ops by subject: primitives, each one statement with its gradient rules, and composites of them."""

from minigrad.ops import (
    conv,
    curves,
    decompositions,
    elementwise,
    index,
    linalg,
    loss,
    matrices,
    moving,
    norm,
    pad,
    pool,
    reduce,
    shape,
    sorting,
)

__all__ = [
    "conv",
    "curves",
    "decompositions",
    "elementwise",
    "index",
    "linalg",
    "loss",
    "matrices",
    "moving",
    "norm",
    "pad",
    "pool",
    "reduce",
    "shape",
    "sorting",
]

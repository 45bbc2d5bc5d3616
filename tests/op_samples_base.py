"""What a row of the op test table is, and how inputs are drawn for it: away from kinks and ties."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Draw = Callable[[np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Sample:
    """One way to call one op.

    `call` takes arrays or tensors; `draws` make its array inputs (float64, ints or bools). `truth` is the same in
    NumPy, `oracle` the same in PyTorch, given the module and the tensors; either may be None. Float inputs receive a
    gradient unless their place is in `constant`, and none does if the op is not `smooth`.
    """

    op: str
    label: str
    call: Callable[..., Any]
    draws: tuple[Draw, ...]
    truth: Callable[..., Any] | None = None
    oracle: Callable[..., Any] | None = None
    smooth: bool = True
    constant: tuple[int, ...] = ()
    keeps_dtype: bool = True
    kink: bool = False  # at a kink or tie, where only PyTorch says which gradient is meant
    special: tuple[str, ...] = ("nan", "inf")  # what may be among the inputs and PyTorch treats alike

    def __str__(self) -> str:
        return f"{self.op}: {self.label}"

    def arrays(self, dtype: Any = np.float64) -> list[np.ndarray]:
        """Return the inputs, the same at every call; floats in `dtype`."""
        return [a.astype(dtype) if a.dtype.kind == "f" else a.copy("K") for a in self._drawn]

    @cached_property
    def _drawn(self) -> list[np.ndarray]:
        rng = np.random.default_rng(zlib.crc32(str(self).encode()))
        return [draw(rng) for draw in self.draws]

    def differentiable(self) -> list[int]:
        """Return the places of the inputs that receive a gradient."""
        drawn = enumerate(self._drawn)
        return [i for i, a in drawn if self.smooth and a.dtype.kind == "f" and i not in self.constant]


def away(*shape: int) -> Draw:
    """Draw of either sign, at least 0.2 from zero."""
    return lambda rng: np.asarray(rng.uniform(0.2, 2.0, shape) * rng.choice([-1.0, 1.0], shape))


def positive(*shape: int) -> Draw:
    """Draw from [0.3, 2]."""
    return lambda rng: np.asarray(rng.uniform(0.3, 2.0, shape))


def inside(*shape: int) -> Draw:
    """Draw from [-0.8, 0.8]."""
    return lambda rng: np.asarray(rng.uniform(-0.8, 0.8, shape))


def distinct(*shape: int) -> Draw:
    """Draw values of which any two are at least 0.1 apart."""
    size = int(np.prod(shape))
    return lambda rng: np.asarray(rng.permutation(size).reshape(shape) * 0.37 - 0.15 * size + rng.uniform(0, 0.1))


def ints(high: int, *shape: int, low: int = 0) -> Draw:
    """Draw int64 from [low, high)."""
    return lambda rng: np.asarray(rng.integers(low, high, shape))


def bools(*shape: int) -> Draw:
    """Draw True or False."""
    return lambda rng: np.asarray(rng.random(shape) < 0.5)


def exactly(value: Any) -> Draw:
    """The value itself."""
    return lambda rng: np.array(value)


PAIRS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "plain": ((2, 3), (2, 3)),
    "right broadcast": ((2, 3), (3,)),
    "left broadcast": ((2, 1), (2, 2, 3)),
    "both broadcast": ((2, 1, 3), (4, 1)),
    "0-d left": ((), (2, 3)),
    "0-d right": ((2, 3), ()),
    "0-d both": ((), ()),
    "size 1": ((1, 1), (1,)),
    "empty": ((0, 3), (0, 3)),
    "empty broadcast": ((0, 3), (1, 1)),
}
SHAPES: dict[str, tuple[int, ...]] = {
    "plain": (3, 4),
    "0-d": (),
    "empty": (0, 2),
    "size 1": (1, 1),
    "4-d": (2, 3, 2, 2),
}


def unary(
    op: str, call: Callable[..., Any], truth: Any, oracle: Any, draw: Callable[..., Draw] = away, **flags: Any
) -> Iterator[Sample]:
    """Samples of an op of one operand."""
    for label, shape in SHAPES.items():
        yield Sample(op, label, call, (draw(*shape),), truth, oracle, **flags)


def binary(
    op: str,
    call: Callable[..., Any],
    truth: Any,
    oracle: Any,
    draw: Callable[..., Draw] = away,
    numbers: tuple[Any, ...] = (2, 1.5, -0.7),
    **flags: Any,
) -> Iterator[Sample]:
    """Samples of an op of two operands: arrays that broadcast, the same array twice, a number on either side."""
    for label, (a, b) in PAIRS.items():
        yield Sample(op, label, call, (draw(*a), draw(*b)), truth, oracle, **flags)
    one = (draw(2, 3),)
    yield Sample(
        op, "repeated", lambda x: call(x, x), one, lambda x: truth(x, x), lambda t, x: oracle(t, x, x), **flags
    )
    for n in numbers:
        yield Sample(op, f"{n} right", *_with(call, truth, oracle, lambda f, x, n=n: f(x, n), one), **flags)
        yield Sample(op, f"{n} left", *_with(call, truth, oracle, lambda f, x, n=n: f(n, x), one), **flags)


def _with(call: Any, truth: Any, oracle: Any, apply: Any, draws: tuple[Draw, ...]) -> tuple[Any, ...]:
    return (
        lambda x: apply(call, x),
        draws,
        lambda x: apply(truth, x),
        lambda t, x: apply(lambda a, b: oracle(t, t.as_tensor(a, dtype=x.dtype), t.as_tensor(b, dtype=x.dtype)), x),
    )

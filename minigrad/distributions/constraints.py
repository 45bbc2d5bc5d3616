"""What the parameters and the values of distributions must satisfy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad.dtypes import Array
from minigrad.tensor import Tensor


@dataclass(frozen=True)
class Constraint:
    """A condition on tensors, of which the last `event_dim` dims are judged as one: its name and how it is tested."""

    name: str
    holds: Callable[[Array], Any]
    event_dim: int = 0

    def check(self, value: Tensor) -> Tensor:
        """Return where `value` satisfies the condition: bools of its shape without the last `event_dim` dims.

        >>> import minigrad as mg
        >>> positive.check(mg.tensor([1.0, -1.0])), positive
        (tensor([ True, False]), GreaterThan(lower_bound=0.0))
        """
        found = Tensor(dtype=bool)
        found._data = np.asarray(self.holds(value._data))
        return found

    def __repr__(self) -> str:
        return self.name


def greater_than(low: float) -> Constraint:
    """Return the condition x > low."""
    return Constraint(f"GreaterThan(lower_bound={low})", lambda x: x > low)


def greater_than_eq(low: Any) -> Constraint:
    """Return the condition x >= low."""
    a = low._data if isinstance(low, Tensor) else low
    return Constraint(f"GreaterThanEq(lower_bound={low})", lambda x: x >= a)


def less_than(high: float) -> Constraint:
    """Return the condition x < high."""
    return Constraint(f"LessThan(upper_bound={high})", lambda x: x < high)


def interval(low: float | Tensor, high: float | Tensor) -> Constraint:
    """Return the condition low <= x <= high."""
    a, b = (x._data if isinstance(x, Tensor) else x for x in (low, high))
    return Constraint(f"Interval(lower_bound={low}, upper_bound={high})", lambda x: (a <= x) & (x <= b))


def half_open_interval(low: float, high: float) -> Constraint:
    """Return the condition low <= x < high."""
    return Constraint(f"HalfOpenInterval(lower_bound={low}, upper_bound={high})", lambda x: (low <= x) & (x < high))


def integer_greater_than(low: int) -> Constraint:
    """Return the condition that x is a whole number from low up."""
    return Constraint(f"IntegerGreaterThan(lower_bound={low})", lambda x: (x >= low) & (x % 1 == 0))


def integer_interval(low: int, high: int) -> Constraint:
    """Return the condition that x is a whole number from low to high."""
    name = f"IntegerInterval(lower_bound={low}, upper_bound={high})"
    return Constraint(name, lambda x: (low <= x) & (x <= high) & (x % 1 == 0))


def independent(base: Constraint, dims: int) -> Constraint:
    """Return the condition that `base` holds all over the last `dims` dims."""
    name = f"IndependentConstraint({base}, {dims})"
    return Constraint(name, lambda x: base.holds(x).all(tuple(range(-dims, 0))), base.event_dim + dims)


def multinomial(count: int) -> Constraint:
    """Return the condition that the last dim holds whole numbers from 0 up with the sum `count`."""
    return Constraint(
        f"Multinomial(upper_bound={count})", lambda x: (x >= 0).all(-1) & (x % 1 == 0).all(-1) & (x.sum(-1) <= count), 1
    )


def _is_simplex(x: Array) -> Array:
    return np.asarray((x >= 0).all(-1) & (np.abs(x.sum(-1) - 1) < 1e-6))


def _is_lower_cholesky(x: Array) -> Array:
    return np.asarray((np.tril(x) == x).all((-2, -1)) & (np.diagonal(x, axis1=-2, axis2=-1) > 0).all(-1))


def _is_positive_definite(x: Array) -> Array:
    symmetric = np.isclose(x, x.swapaxes(-2, -1), atol=1e-6).all((-2, -1))
    return np.asarray(symmetric & (np.linalg.eigvalsh(x) > 0).all(-1))


real = Constraint("Real()", lambda x: x == x)
boolean = Constraint("Boolean()", lambda x: (x == 0) | (x == 1))
positive = greater_than(0.0)
nonnegative = greater_than_eq(0.0)
unit_interval = interval(0.0, 1.0)
nonnegative_integer = integer_greater_than(0)
positive_integer = integer_greater_than(1)
simplex = Constraint("Simplex()", _is_simplex, 1)
one_hot = Constraint("OneHot()", lambda x: ((x == 0) | (x == 1)).all(-1) & (x.sum(-1) == 1), 1)
real_vector = independent(real, 1)
lower_cholesky = Constraint("LowerCholesky()", _is_lower_cholesky, 2)
positive_definite = Constraint("PositiveDefinite()", _is_positive_definite, 2)

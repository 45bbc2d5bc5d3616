"""Schedules that the user writes as functions of t."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import FunctionType
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.optim.lr_scheduler.base import LRScheduler
from minigrad.optim.optimizer import Optimizer


class _Lambdas(LRScheduler):
    """Holds a function per group."""

    lr_lambdas: list[Callable[[int], float]]

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        groups = len(optimizer.param_groups)
        one_for_all: Any = lr_lambda
        self.lr_lambdas = list(lr_lambda) if isinstance(lr_lambda, list | tuple) else [one_for_all] * groups
        if len(self.lr_lambdas) != groups:
            raise ArgumentError(
                f"Expected {groups} lr_lambdas, one per parameter group, but got {len(self.lr_lambdas)}"
            )
        for f in self.lr_lambdas:
            if not callable(f):
                raise ArgumentError(f"lr_lambda should be a function, but got {type(f).__name__}")
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """Return the state; in the place of each function None, of each other callable a copy of its attributes."""
        saved = [None if isinstance(f, FunctionType) else dict(getattr(f, "__dict__", {})) for f in self.lr_lambdas]
        return super().state_dict() | {"lr_lambdas": saved}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict()` returned; the functions stay this schedule's own."""
        functions = self.lr_lambdas
        super().load_state_dict(state_dict)
        for function, attributes in zip(functions, state_dict["lr_lambdas"], strict=True):
            if attributes is not None:
                function.__dict__.update(attributes)
        self.lr_lambdas = functions


class LambdaLR(_Lambdas):
    """Set the rate to initial_lr * lr_lambda(t); a list has one function per parameter group.

    Functions are not saved in the state dict; of callable objects their attributes are. Raises ArgumentError for a list
    of another length.

    >>> import minigrad as mg
    >>> from minigrad.optim import SGD
    >>> optimizer = SGD([mg.tensor([1.0], requires_grad=True)], lr=0.5)
    >>> schedule = LambdaLR(optimizer, lambda t: 1 / (1 + t))
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def get_lr(self) -> list[float]:
        """Return the rate of every group at t."""
        return [base * f(self.last_epoch) for base, f in zip(self.base_lrs, self.lr_lambdas, strict=True)]


class MultiplicativeLR(_Lambdas):
    """Multiply the rate by lr_lambda(t) at every step; a list has one function per parameter group.

    What is saved, and the errors, are LambdaLR's.
    """

    def get_lr(self) -> list[float]:
        """Return the rate of every group at t."""
        rates = [float(group["lr"]) for group in self.optimizer.param_groups]
        if self._is_initial:
            return rates
        return [lr * f(self.last_epoch) for lr, f in zip(rates, self.lr_lambdas, strict=True)]

"""Schedules that multiply the rate by a factor at each step, or at some steps."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable

from minigrad.errors import ArgumentError
from minigrad.optim.lr_scheduler.base import ClosedForm
from minigrad.optim.optimizer import Optimizer


class StepLR(ClosedForm):
    """Multiply the rate by `gamma` every `step_size` steps: initial_lr * gamma^floor(t / step_size)."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size, self.gamma = _positive("step_size", step_size), gamma
        super().__init__(optimizer, last_epoch)

    def _next(self, lr: float, base: float) -> float:
        return lr * self.gamma if self.last_epoch > 0 and self.last_epoch % self.step_size == 0 else lr

    def _at(self, base: float) -> float:
        return float(base * self.gamma ** (self.last_epoch // self.step_size))


class MultiStepLR(ClosedForm):
    """Multiply the rate by `gamma` at each of the `milestones`; one that is given twice counts twice."""

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def _next(self, lr: float, base: float) -> float:
        return lr * self.gamma ** self.milestones.get(self.last_epoch, 0)

    def _at(self, base: float) -> float:
        return float(base * self.gamma ** bisect_right(sorted(self.milestones.elements()), self.last_epoch))


class ConstantLR(ClosedForm):
    """Multiply the rate by `factor`, in (0, 1], for the first `total_iters` steps: a warm-up in one stair."""

    def __init__(
        self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5, last_epoch: int = -1
    ) -> None:
        if not 0 < factor <= 1:
            raise ArgumentError(f"Constant multiplicative factor expected to be between 0 and 1, got {factor}")
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _next(self, lr: float, base: float) -> float:
        if self.last_epoch == 0:
            return lr * self.factor
        return lr * (1.0 / self.factor) if self.last_epoch == self.total_iters else lr

    def _at(self, base: float) -> float:
        return base if self.last_epoch >= self.total_iters else base * self.factor


class LinearLR(ClosedForm):
    """Multiply initial_lr by a factor that goes from `start_factor` to `end_factor` in `total_iters` equal steps.

    Raises ArgumentError for a start_factor outside (0, 1] and an end_factor outside [0, 1].
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1:
            raise ArgumentError(
                "Starting multiplicative factor expected to be greater than 0 and less or equal to 1, "
                f"got {start_factor}"
            )
        if not 0 <= end_factor <= 1:
            raise ArgumentError(f"Ending multiplicative factor expected to be between 0 and 1, got {end_factor}")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _next(self, lr: float, base: float) -> float:
        if self.last_epoch == 0:
            return lr * self.start_factor
        if self._is_initial or self.last_epoch > self.total_iters:
            return lr
        rise = self.end_factor - self.start_factor
        return lr * (1 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise))

    def _at(self, base: float) -> float:
        gone = min(self.total_iters, self.last_epoch) / self.total_iters
        return base * (self.start_factor + (self.end_factor - self.start_factor) * gone)


class ExponentialLR(ClosedForm):
    """Multiply the rate by `gamma` at every step: initial_lr * gamma^t."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _next(self, lr: float, base: float) -> float:
        return lr if self._is_initial else lr * self.gamma

    def _at(self, base: float) -> float:
        return float(base * self.gamma**self.last_epoch)


class PolynomialLR(ClosedForm):
    """Go down to zero in `total_iters` steps: initial_lr * (1 - t / total_iters)^power."""

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0, last_epoch: int = -1) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def _next(self, lr: float, base: float) -> float:
        if self._is_initial or self.last_epoch > self.total_iters:
            return lr
        left, left_before = (1 - t / self.total_iters for t in (self.last_epoch, self.last_epoch - 1))
        return float(lr * (left / left_before) ** self.power)

    def _at(self, base: float) -> float:
        return float(base * (1 - min(self.total_iters, self.last_epoch) / self.total_iters) ** self.power)


class CosineAnnealingLR(ClosedForm):
    """Go from initial_lr down to `eta_min` in `T_max` steps along half a cosine; further steps go up again.

        eta_min + (initial_lr - eta_min) * (1 + cos(pi * t / T_max)) / 2

    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017, arXiv:1608.03983, without
    the restarts.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max, self.eta_min = _positive("T_max", T_max), eta_min
        super().__init__(optimizer, last_epoch)

    def _next(self, lr: float, base: float) -> float:
        if self._is_initial:
            return lr
        before, now = self._height(self.last_epoch - 1), self._height(self.last_epoch)
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            return lr + (base - self.eta_min) * now / 2  # at the bottom there is nothing to multiply
        return now / before * (lr - self.eta_min) + self.eta_min

    def _at(self, base: float) -> float:
        return self.eta_min + (base - self.eta_min) * self._height(self.last_epoch) / 2

    def _height(self, t: int) -> float:
        return 1 + math.cos(math.pi * t / self.T_max)


def _positive(name: str, value: int) -> int:
    if value <= 0:
        raise ArgumentError(f"{name} must be positive, got {value}")
    return value

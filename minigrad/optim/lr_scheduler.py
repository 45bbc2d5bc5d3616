"""Learning-rate schedules: each step changes the `lr` of an optimiser's parameter groups.

As in PyTorch, a schedule multiplies the rate it finds, so that several on one optimiser compose; only LambdaLR sets the
rate outright. t is `last_epoch`, the number of steps so far; the rate before any schedule is each group's `initial_lr`.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from minigrad.errors import ArgumentError, StateDictError
from minigrad.optim.optimizer import Optimizer


class LRScheduler:
    """The base of all schedules; a subclass says in `_next`, or for all groups at once in `get_lr`, what comes next.

    Making one takes its first step, to t = 0. To resume at `last_epoch` the groups must hold `initial_lr`, as they do
    after the optimiser's `load_state_dict`. Raises ArgumentError if they do not.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        if not isinstance(optimizer, Optimizer):
            raise ArgumentError(f"{type(optimizer).__name__} is not an Optimizer")
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise ArgumentError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming a scheduler at "
                    f"last_epoch={last_epoch}; load the optimizer's state_dict first, or leave last_epoch out"
                )
        self.optimizer = optimizer
        self.base_lrs: list[float] = [float(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._step_count = 0
        self._last_lr: list[float] = []
        self.step()

    def step(self) -> None:
        """Go to the next t and set the rate of every group; call it after the optimiser's `step`."""
        if len(self.optimizer.param_groups) != len(self.base_lrs):
            raise ArgumentError(
                f"{type(self).__name__} was made for {len(self.base_lrs)} parameter groups, the optimizer now has "
                f"{len(self.optimizer.param_groups)}; make the scheduler after add_param_group"
            )
        if self._step_count == 1:
            self._warn_if_early()
        self._step_count += 1
        self.last_epoch += 1
        for group, lr in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = lr
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def get_lr(self) -> list[float]:
        """Return the rate of every group at t; to look at the present rates use `get_last_lr`."""
        rates = [float(group["lr"]) for group in self.optimizer.param_groups]
        return [self._next(lr, base) for lr, base in zip(rates, self.base_lrs, strict=True)]

    def get_last_lr(self) -> list[float]:
        """Return the rates of all groups that this schedule set last."""
        return self._last_lr

    def _next(self, lr: float, base: float) -> float:
        """Return the rate at t of a group whose rate is `lr` now and was `base` at first."""
        raise NotImplementedError(f"{type(self).__name__} defines neither _next nor get_lr")

    @property
    def _starting(self) -> bool:
        """Whether this is the step that making the schedule takes."""
        return self._step_count == 1

    def _warn_if_early(self) -> None:
        if type(self.optimizer).step is Optimizer.step and not self.optimizer._opt_called:
            warnings.warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`: the first value of the learning "
                "rate schedule is skipped. Call `optimizer.step()` first.",
                UserWarning,
                stacklevel=3,
            )

    def state_dict(self) -> dict[str, Any]:
        """Return everything the schedule knows but its optimiser, whose own state_dict holds the present rates."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict()` returned. Raises StateDictError if it is another kind of schedule's."""
        own = self.state_dict()
        misfits = [f"it lacks {key}" for key in own if key not in state_dict]
        misfits += [f"it has {key}, which this one has not" for key in state_dict if key not in own and key[:1] != "_"]
        groups = len(state_dict.get("base_lrs", self.base_lrs))
        if groups != len(self.base_lrs):
            misfits.append(f"it is for {groups} parameter groups, this one for {len(self.base_lrs)}")
        if misfits:
            raise StateDictError(f"loading state_dict for {type(self).__name__}: {'; '.join(misfits)}")
        self.__dict__.update({key: state_dict[key] for key in own})


class LambdaLR(LRScheduler):
    """Set the rate to initial_lr * lr_lambda(t); a list has one function per parameter group.

    Functions are not saved in the state dict; of callable objects their attributes are.

    >>> import minigrad as mg
    >>> from minigrad.optim import SGD
    >>> optimizer = SGD([mg.tensor([1.0], requires_grad=True)], lr=0.5)
    >>> schedule = LambdaLR(optimizer, lambda t: 1 / (1 + t))
    >>> optimizer.step()
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        groups = len(optimizer.param_groups)
        self.lr_lambdas = [lr_lambda] * groups if callable(lr_lambda) else list(lr_lambda)
        if len(self.lr_lambdas) != groups:
            raise ArgumentError(f"Expected {groups} lr_lambdas, one per parameter group, got {len(self.lr_lambdas)}")
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rate of every group at t."""
        return [base * f(self.last_epoch) for base, f in zip(self.base_lrs, self.lr_lambdas, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """Return the state; in the place of each function None, of each other callable a copy of its attributes."""
        attributes = [dict(getattr(f, "__dict__", {})) or None for f in self.lr_lambdas]
        return super().state_dict() | {"lr_lambdas": attributes}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict()` returned; the functions stay this schedule's own."""
        functions = self.lr_lambdas
        super().load_state_dict(state_dict)
        for function, attributes in zip(functions, state_dict["lr_lambdas"], strict=True):
            if attributes is not None:
                function.__dict__.update(attributes)
        self.lr_lambdas = functions


class StepLR(LRScheduler):
    """Multiply the rate by `gamma` every `step_size` steps: initial_lr * gamma^floor(t / step_size)."""

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size, self.gamma = _positive("step_size", step_size), gamma
        super().__init__(optimizer, last_epoch)

    def _next(self, lr: float, base: float) -> float:
        return lr * self.gamma if self.last_epoch > 0 and self.last_epoch % self.step_size == 0 else lr


class MultiStepLR(LRScheduler):
    """Multiply the rate by `gamma` at each of the `milestones`; one that is given twice counts twice."""

    def __init__(
        self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def _next(self, lr: float, base: float) -> float:
        return lr * self.gamma ** self.milestones[self.last_epoch]


class ConstantLR(LRScheduler):
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


class LinearLR(LRScheduler):
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
        if self._starting or self.last_epoch > self.total_iters:
            return lr
        rise = self.end_factor - self.start_factor
        return lr * (1 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise))


class ExponentialLR(LRScheduler):
    """Multiply the rate by `gamma` at every step: initial_lr * gamma^t."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _next(self, lr: float, base: float) -> float:
        return lr if self._starting else lr * self.gamma


class CosineAnnealingLR(LRScheduler):
    """Go from initial_lr down to `eta_min` in `T_max` steps along half a cosine; further steps go up again.

        eta_min + (initial_lr - eta_min) * (1 + cos(pi * t / T_max)) / 2

    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017, arXiv:1608.03983, without
    the restarts.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max, self.eta_min = _positive("T_max", T_max), eta_min
        super().__init__(optimizer, last_epoch)

    def _next(self, lr: float, base: float) -> float:
        if self._starting:
            return lr
        before, now = self._height(self.last_epoch - 1), self._height(self.last_epoch)
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            return lr + (base - self.eta_min) * now / 2  # at the bottom there is nothing to multiply
        return now / before * (lr - self.eta_min) + self.eta_min

    def _height(self, t: int) -> float:
        return 1 + math.cos(math.pi * t / self.T_max)


def _positive(name: str, value: int) -> int:
    if value <= 0:
        raise ArgumentError(f"{name} must be positive, got {value}")
    return value

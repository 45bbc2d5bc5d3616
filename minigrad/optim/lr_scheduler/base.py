"""What all schedules share: the step, the rates before and after, saving and loading."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from minigrad.errors import ArgumentError, StateDictError
from minigrad.optim.optimizer import Group, Optimizer
from minigrad.tensor import Tensor


class LRScheduler:
    """The base of all schedules; a subclass says in `_next`, or for all groups at once in `get_lr`, what comes next.

    Making one takes its first step, to t = 0. To resume at `last_epoch` the groups must hold `initial_lr`, as they do
    after the optimiser's `load_state_dict`. Raises ArgumentError if they do not.
    """

    last_epoch: int
    _last_lr: list[Any]
    _is_initial = False  # whether this is the step that making the schedule takes
    _get_lr_called_within_step = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = checked(optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", plain(group["lr"]))
            elif "initial_lr" not in group:
                raise ArgumentError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming a scheduler at "
                    f"last_epoch={last_epoch}; load the optimizer's state_dict first, or leave last_epoch out"
                )
        self.base_lrs: list[float] = [float(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count, self._is_initial = 0, True
        try:
            self.step()
        finally:
            self._is_initial = False

    def step(self, epoch: int | None = None) -> None:
        """Go to the next t and set the rate of every group; call it after the optimiser's `step`.

        `epoch`, which PyTorch has given up, is the t to go to instead.
        """
        groups = len(self.optimizer.param_groups)
        if groups != len(self.base_lrs):
            raise ArgumentError(
                f"{type(self).__name__} was made for {len(self.base_lrs)} parameter groups, the optimizer now has "
                f"{groups}; make the scheduler after add_param_group"
            )
        if self._step_count == 1:
            self._warn_if_early()
        self._step_count += 1
        if epoch is not None:
            warnings.warn("The epoch parameter in `scheduler.step()` is deprecated", UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        closed = None if epoch is None else getattr(self, "_get_closed_form_lr", None)
        self._set_rates(closed or self.get_lr)

    def _set_rates(self, rates_of: Callable[[], list[float]]) -> None:
        self._get_lr_called_within_step = True
        try:
            rates = rates_of()
        finally:
            self._get_lr_called_within_step = False
        for group, lr in zip(self.optimizer.param_groups, rates, strict=True):
            put(group, "lr", lr)
        self._last_lr = present(self.optimizer, "lr")

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

    def _warn_if_early(self) -> None:
        if not self.optimizer._opt_called:
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
        mine = own.get("base_lrs", ())
        groups = len(state_dict.get("base_lrs", mine))
        if groups != len(mine):
            misfits.append(f"it is for {groups} parameter groups, this one for {len(mine)}")
        if misfits:
            raise StateDictError(f"loading state_dict for {type(self).__name__}: {'; '.join(misfits)}")
        self.__dict__.update({key: state_dict[key] for key in own})


class ClosedForm(LRScheduler):
    """A schedule whose rate at any t can also be said outright, in `_at`."""

    def _at(self, base: float) -> float:
        """Return the rate at t of a group whose rate was `base` at first."""
        raise NotImplementedError

    def _get_closed_form_lr(self) -> list[float]:
        return [self._at(base) for base in self.base_lrs]


def checked(optimizer: Any) -> Optimizer:
    """Return `optimizer`. Raises ArgumentError if it is none."""
    if not isinstance(optimizer, Optimizer):
        raise ArgumentError(f"{type(optimizer).__name__} is not an Optimizer")
    return optimizer


def present(optimizer: Optimizer, key: str) -> list[Any]:
    """Return the setting `key` of every group; of a tensor its number."""
    return [plain(group[key]) for group in optimizer.param_groups]


def plain(value: Any) -> Any:
    """Return the number that a setting is."""
    return value.item() if isinstance(value, Tensor) else value


def put(group: Group, key: str, value: float) -> None:
    """Change a setting of a group; if it is a tensor, the number in it."""
    if isinstance(group.get(key), Tensor):
        group[key].fill_(value)
    else:
        group[key] = value


def per_group(name: str, optimizer: Optimizer, value: Any) -> list[Any]:
    """Return a value for every group: the list given, or the one number for all.

    Raises ArgumentError for a list of another length.
    """
    groups = len(optimizer.param_groups)
    if not isinstance(value, list | tuple):
        return [plain(value)] * groups
    if len(value) != groups:
        raise ArgumentError(
            f"{name} must have the same length as optimizer.param_groups. {name} has {len(value)} values, "
            f"param_groups has {groups}."
        )
    return [plain(x) for x in value]

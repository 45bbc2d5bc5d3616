"""Schedules that go up and down: one cycle, many, and warm restarts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.optim.lr_scheduler.base import LRScheduler, checked, per_group, put
from minigrad.optim.optimizer import Group, Optimizer


class _Cycled(LRScheduler):
    """A schedule that moves the momentum too, or Adam's beta1 in its place, against the rate."""

    def _prepare_momentum(self, cycle: bool, least: Any, most: Any, last_epoch: int) -> tuple[list[float], list[float]]:
        """Note whether and how the momentum is moved; return the least and the most of each group, if it is."""
        optimizer, self.cycle_momentum = self.optimizer, cycle
        if not cycle:
            return [], []
        if "momentum" not in optimizer.defaults and "betas" not in optimizer.defaults:
            raise ArgumentError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
        self.use_beta1 = "betas" in optimizer.defaults
        bounds = per_group("base_momentum", optimizer, least), per_group("max_momentum", optimizer, most)
        if last_epoch == -1:
            for low, high, group in zip(*bounds, optimizer.param_groups, strict=True):
                self._set_momentum(group, high)
                group["max_momentum"], group["base_momentum"] = high, low
        return bounds

    def _set_momentum(self, group: Group, value: float) -> None:
        if self.use_beta1:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value


class OneCycleLR(_Cycled):
    """Go up from max_lr / div_factor to `max_lr`, then down to that start / final_div_factor, in `total_steps` in all.

    The steps may also be given as `epochs` times `steps_per_epoch`. The way up takes the part `pct_start`; with
    `three_phase` the way down stops at the start rate, after as many steps, before it goes on. The way is half a cosine
    or, by `anneal_strategy="linear"`, straight. With `cycle_momentum` the momentum (or beta1) goes the other way, from
    `max_momentum` to `base_momentum` and back. Smith and Topin, "Super-convergence: very fast training of neural
    networks using large learning rates", 2017, arXiv:1708.07120. Raises ArgumentError for settings without a meaning,
    and for a step beyond the last.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = checked(optimizer)
        self.total_steps = _total(total_steps, epochs, steps_per_epoch)
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ArgumentError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ArgumentError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._schedule_phases = _phases(self.total_steps, pct_start, three_phase)
        self._anneal_func_type = anneal_strategy
        for group, top in zip(optimizer.param_groups, per_group("max_lr", optimizer, max_lr), strict=True):
            if last_epoch == -1:
                group["initial_lr"], group["max_lr"] = top / div_factor, top
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self._prepare_momentum(cycle_momentum, base_momentum, max_momentum, last_epoch)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rate of every group at t, and set its momentum. Raises ArgumentError for a t beyond the last."""
        t, phases = self.last_epoch, self._schedule_phases
        if t > self.total_steps:
            raise ArgumentError(f"Tried to step {t} times. The specified number of total steps is {self.total_steps}")
        now = next((i for i, phase in enumerate(phases) if t <= phase["end_step"]), len(phases) - 1)
        start = phases[now - 1]["end_step"] if now else 0.0
        part = (t - start) / (phases[now]["end_step"] - start)
        groups = self.optimizer.param_groups
        if self.cycle_momentum:
            for group in groups:
                self._set_momentum(group, self._between(group, phases[now], "momentum", part))
        return [self._between(group, phases[now], "lr", part) for group in groups]

    def _between(self, group: Group, phase: Mapping[str, Any], what: str, part: float) -> float:
        start, end = group[phase[f"start_{what}"]], group[phase[f"end_{what}"]]
        if self._anneal_func_type == "linear":
            return float((end - start) * part + start)
        return float(end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1))


def _total(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if total_steps is None and (epochs is None or steps_per_epoch is None):
        raise ArgumentError("You must define either total_steps OR (epochs AND steps_per_epoch)")
    given = (
        {"epochs": epochs, "steps_per_epoch": steps_per_epoch} if total_steps is None else {"total_steps": total_steps}
    )
    for name, value in given.items():
        if not isinstance(value, int) or value <= 0:
            raise ArgumentError(f"Expected positive integer {name}, but got {value}")
    return math.prod(value for value in given.values() if value is not None)


def _phases(total: int, part: float, three: bool) -> list[dict[str, Any]]:
    """Return the parts of one cycle: the last step of each, and the names of the settings it leads from and to."""
    up = (part * total - 1, "initial_lr", "max_lr", "max_momentum", "base_momentum")
    down = (2 * part * total - 2, "max_lr", "initial_lr", "base_momentum", "max_momentum")
    out = (total - 1, "initial_lr", "min_lr", "max_momentum", "max_momentum")
    rest = (total - 1, "max_lr", "min_lr", "base_momentum", "max_momentum")
    names = ("end_step", "start_lr", "end_lr", "start_momentum", "end_momentum")
    return [dict(zip(names, phase, strict=True)) for phase in ((up, down, out) if three else (up, rest))]


class CyclicLR(_Cycled):
    """Go from `base_lr` straight up to `max_lr` in `step_size_up` steps and down again in `step_size_down`, and so on.

    By `mode` the cycles stay as high ("triangular"), are halved each time ("triangular2"), or shrink by gamma^t
    ("exp_range"); or `scale_fn` says by what to multiply the height, a function of the cycle's number, from 1, or for
    `scale_mode="iterations"` of t. With `cycle_momentum` the momentum (or beta1) goes from `max_momentum` to
    `base_momentum` and back. Smith, "Cyclical learning rates for training neural networks", WACV 2017,
    arXiv:1506.01186. Raises ArgumentError for an unknown mode and for an optimiser without momentum.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        self.optimizer = checked(optimizer)
        base_lrs = per_group("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for lr, group in zip(base_lrs, optimizer.param_groups, strict=True):
                put(group, "lr", lr)
        self.max_lrs = per_group("max_lr", optimizer, max_lr)
        up, down = float(step_size_up), float(step_size_up if step_size_down is None else step_size_down)
        self.total_size, self.step_ratio = up + down, up / (up + down)
        if mode not in ("triangular", "triangular2", "exp_range") and scale_fn is None:
            raise ArgumentError(f"mode is invalid and scale_fn is None: got mode={mode!r}")
        self.mode, self.gamma, self._scale_fn_custom = mode, gamma, scale_fn
        self.scale_mode = scale_mode if scale_fn else "iterations" if mode == "exp_range" else "cycle"
        bounds = self._prepare_momentum(cycle_momentum, base_momentum, max_momentum, last_epoch)
        if cycle_momentum:
            self.base_momentums, self.max_momentums = bounds
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """Return by what to multiply the height of cycle, or at step, `x`."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return float(1 / 2.0 ** (x - 1) if self.mode == "triangular2" else self.gamma**x)

    def get_lr(self) -> list[float]:
        """Return the rate of every group at t, and set its momentum."""
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        part = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            ranges = zip(self.base_momentums, self.max_momentums, self.optimizer.param_groups, strict=True)
            for low, high, group in ranges:
                self._set_momentum(group, high - (high - low) * part * scale)
        return [low + (high - low) * part * scale for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """Return the state; in the place of a `scale_fn` None or, of another callable, a copy of its attributes."""
        own = self._scale_fn_custom
        attributes = None if own is None or isinstance(own, FunctionType) else dict(own.__dict__)
        return super().state_dict() | {"_scale_fn_custom": attributes}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict()` returned; a `scale_fn` stays this schedule's own."""
        function = self._scale_fn_custom
        super().load_state_dict(state_dict)
        self._scale_fn_custom = function
        if function is not None and state_dict["_scale_fn_custom"] is not None:
            function.__dict__.update(state_dict["_scale_fn_custom"])


class CosineAnnealingWarmRestarts(LRScheduler):
    """Go from initial_lr to `eta_min` in `T_0` steps along half a cosine, then again, `T_mult` times longer, and so on.

        eta_min + (initial_lr - eta_min) * (1 + cos(pi * T_cur / T_i)) / 2        at step T_cur of the T_i of this round

    `step(epoch)` goes to any epoch, also to a fraction of one. Loshchilov and Hutter, "SGDR: stochastic gradient
    descent with warm restarts", ICLR 2017, arXiv:1608.03983. Raises ArgumentError unless T_0 > 0 and T_mult >= 1
    are whole.
    """

    def __init__(
        self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        if not isinstance(T_0, int) or T_0 <= 0:
            raise ArgumentError(f"Expected positive integer T_0, but got {T_0}")
        if not isinstance(T_mult, int) or T_mult < 1:
            raise ArgumentError(f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, float | int):
            raise ArgumentError(f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}")
        self.T_0, self.T_i, self.T_mult, self.eta_min = T_0, T_0, T_mult, eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rate of every group at t."""
        height = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (base - self.eta_min) * height for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go to the next t, or to `epoch`, and set the rate of every group."""
        if epoch is None and self.last_epoch < 0:
            epoch = 0
        if epoch is None:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur, self.T_i = self.T_cur % self.T_i, self.T_i * self.T_mult
        elif epoch < 0:
            raise ArgumentError(f"Expected non-negative epoch, but got {epoch}")
        else:
            self._go_to(epoch)
        self.last_epoch = math.floor(epoch)
        self._set_rates(self.get_lr)

    def _go_to(self, epoch: float) -> None:
        """Find the round that `epoch` is in, and the place in it."""
        first, longer = self.T_0, self.T_mult
        if epoch < first or longer == 1:
            self.T_cur = epoch % first
            self.T_i = first if epoch < first else self.T_i
            return
        rounds = int(math.log(epoch / first * (longer - 1) + 1, longer))
        self.T_cur = epoch - first * (longer**rounds - 1) / (longer - 1)
        self.T_i = first * longer**rounds

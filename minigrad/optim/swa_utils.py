"""Averaging the weights of a model while it trains: the averaged model, its rate schedule, its batch norms."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any

from minigrad.autograd import no_grad
from minigrad.creation import tensor
from minigrad.dtypes import int64
from minigrad.errors import ArgumentError
from minigrad.nn.module import Module
from minigrad.optim.lr_scheduler.base import LRScheduler, per_group
from minigrad.optim.optimizer import Optimizer
from minigrad.tensor import Tensor

Average = Callable[[Tensor, Tensor, Any], Tensor]


def get_swa_avg_fn() -> Average:
    """Return the function that brings an average of n values to one of n + 1 by the new value."""

    @no_grad()
    def swa_update(averaged_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def get_ema_avg_fn(decay: float = 0.999) -> Average:
    """Return the function that gives decay * average + (1 - decay) * value. Raises ArgumentError outside [0, 1]."""
    if not 0 <= decay <= 1:
        raise ArgumentError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")

    @no_grad()
    def ema_update(ema_param: Tensor, current_param: Tensor, num_averaged: Any) -> Tensor:
        return ema_param * decay + current_param * (1 - decay)

    return ema_update


def _over_lists(average: Average) -> Callable[[list[Tensor], list[Tensor], Any], None]:
    @no_grad()
    def update(averaged: list[Tensor], current: list[Tensor], num_averaged: Any) -> None:
        for a, b in zip(averaged, current, strict=True):
            a.copy_(average(a, b, num_averaged))

    return update


def get_swa_multi_avg_fn() -> Callable[[list[Tensor], list[Tensor], Any], None]:
    """Return `get_swa_avg_fn()` for lists of tensors, in place."""
    return _over_lists(get_swa_avg_fn())


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[list[Tensor], list[Tensor], Any], None]:
    """Return `get_ema_avg_fn(decay)` for lists of tensors, in place. Raises ArgumentError outside [0, 1]."""
    return _over_lists(get_ema_avg_fn(decay))


class AveragedModel(Module):
    """A copy of `model` whose parameters are the average of those that `update_parameters(model)` has been given.

    `avg_fn(average, value, count)`, or `multi_avg_fn` for lists and in place, says how to average; by default it is the
    mean. `use_buffers` averages the buffers too, which are else copied. Izmailov et al., "Averaging weights leads to
    wider optima and better generalization", UAI 2018, arXiv:1803.05407. Raises ArgumentError for both functions.
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Average | None = None,
        multi_avg_fn: Callable[[list[Tensor], list[Tensor], Any], None] | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise ArgumentError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        self.register_buffer("n_averaged", tensor(0, dtype=int64))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Run the averaged model."""
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model: Module) -> None:
        """Take the parameters of `model` into the average; the first time they are copied."""
        averaged, current = (list(self._averaged(m)) for m in (self.module, model))
        if self.n_averaged.item() == 0:
            for a, b in zip(averaged, current, strict=True):
                a.copy_(b)
        else:
            average = self.multi_avg_fn or _over_lists(self.avg_fn or get_swa_avg_fn())
            average(averaged, current, self.n_averaged)
        if not self.use_buffers:
            for a, b in zip(self.module.buffers(), model.buffers(), strict=True):
                a.copy_(b.detach())
        self.n_averaged.add_(1)

    def _averaged(self, model: Module) -> Iterable[Tensor]:
        tensors = itertools.chain(model.parameters(), model.buffers()) if self.use_buffers else model.parameters()
        return (t.detach() for t in tensors)


@no_grad()
def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Set the running statistics of all batch norms of `model` to those of the data: one pass over `loader`.

    A batch that is a list or tuple is represented by its first element.
    """
    norms = {m: m.momentum for m in model.modules() if hasattr(m, "reset_running_stats") and hasattr(m, "momentum")}
    if not norms:
        return
    training = model.training
    model.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    for batch in loader:
        model(batch[0] if isinstance(batch, list | tuple) else batch)
    for norm, momentum in norms.items():
        norm.momentum = momentum
    model.train(training)


class SWALR(LRScheduler):
    """Go from the present rate to `swa_lr`, a number or one per group, in `anneal_epochs` steps, and stay there.

    The way is half a cosine or, by `anneal_strategy="linear"`, straight. Raises ArgumentError for another strategy and
    for a negative number of epochs.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        for rate, group in zip(per_group("swa_lr", optimizer, swa_lr), optimizer.param_groups, strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ArgumentError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ArgumentError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy, self.anneal_epochs = anneal_strategy, anneal_epochs
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Return the rate of every group at this step."""
        step = self._step_count - 1 if self.anneal_epochs else max(1, self._step_count - 1)
        before, now = self._part(step - 1), self._part(step)
        rates = []
        for group in self.optimizer.param_groups:
            lr, end = float(group["lr"]), group["swa_lr"]
            start = end if before == 1 else (lr - before * end) / (1 - before)
            rates.append(end * now + start * (1 - now))
        return rates

    def _part(self, step: int) -> float:
        """Return how much of the way lies behind at `step`."""
        t = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

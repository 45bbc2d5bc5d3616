"""ASGD: gradient descent whose result is the mean of the places it has been to."""

from __future__ import annotations

import numpy as np

from minigrad.dtypes import Array
from minigrad.kernels import optim_rates as kernels
from minigrad.optim.optimizer import Group, Optimizer, Parameters, State, count, moment
from minigrad.tensor import Tensor, wrap


class ASGD(Optimizer):
    """Descend along the gradient g at a rate that falls, and average; the mean is `state[p]["ax"]`:

        p <- (1 - lambd * eta_t) * p - eta_t * g                         eta_t = lr / (1 + lambd * lr * (t - 1))^alpha
        ax <- ax + mu_t * (p - ax)                                       mu_t = 1 / max(1, t - 1 - t0)

    `weight_decay` adds weight_decay * p to g; `maximize` ascends. Polyak and Juditsky, "Acceleration of stochastic
    approximation by averaging", SIAM Journal on Control and Optimization 30, 1992. Raises ArgumentError for a negative
    lr or weight_decay.
    """

    moments = ("ax",)

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        settings: Group = {"lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay}
        settings |= {"foreach": foreach, "maximize": maximize, "differentiable": differentiable}
        super().__init__(params, settings | {"capturable": capturable})

    def _update(self, p: Array, g: Array, state: State, group: Group) -> None:
        step, lr, lambd = count(state), float(group["lr"]), float(group["lambd"])
        eta = state.setdefault("eta", wrap(np.array(lr, np.float32)))._data  # of this precision, as in PyTorch
        mu = state.setdefault("mu", wrap(np.ones((), np.float32)))._data
        kernels.asgd(
            p,
            g,
            moment(state, "ax", p),
            rate=float(eta),
            mu=float(mu),
            weight_decay=float(group["weight_decay"]),
            maximize=group["maximize"],
            shrink=1 - lambd * float(eta),
        )
        eta[...] = lr / (1 + lambd * lr * step) ** float(group["alpha"])
        mu[...] = 1 / max(1.0, step - float(group["t0"]))

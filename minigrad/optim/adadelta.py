"""Adadelta: steps in the size of the recent ones, so that no rate need be chosen."""

from __future__ import annotations

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError
from minigrad.kernels import optim_rates as kernels
from minigrad.optim.optimizer import Group, Optimizer, Parameters, State, count, moment
from minigrad.tensor import Tensor


class Adadelta(Optimizer):
    """Step by the gradient g times the recent size of the steps d over that of the gradient:

        v <- rho * v + (1 - rho) * g^2
        d  = sqrt(u + eps) / sqrt(v + eps) * g
        u <- rho * u + (1 - rho) * d^2
        p <- p - lr * d

    `weight_decay` adds weight_decay * p to g; `maximize` ascends. Zeiler, "ADADELTA: an adaptive learning rate method",
    2012, arXiv:1212.5701. Raises ArgumentError for negative settings and a rho outside [0, 1].

    >>> import minigrad as mg
    >>> w = mg.tensor([4.0], requires_grad=True)
    >>> optimizer = Adadelta([w], eps=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> round(w.item(), 3)
    3.008
    """

    moments = ("square_avg", "acc_delta")

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        settings: Group = {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        super().__init__(
            params, settings | {"capturable": capturable, "foreach": foreach, "differentiable": differentiable}
        )

    def _check_settings(self, group: Group) -> None:
        super()._check_settings(group)
        if not 0 <= group["rho"] <= 1:
            raise ArgumentError(f"Invalid rho value: {group['rho']}; it must be in [0, 1]")

    def _update(self, p: Array, g: Array, state: State, group: Group) -> None:
        count(state)
        kernels.adadelta(
            p,
            g,
            moment(state, "square_avg", p),
            moment(state, "acc_delta", p),
            lr=float(group["lr"]),
            rho=float(group["rho"]),
            eps=float(group["eps"]),
            weight_decay=float(group["weight_decay"]),
            maximize=group["maximize"],
        )

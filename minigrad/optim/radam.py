"""RAdam: Adam that waits until it has seen enough squares to divide by."""

from __future__ import annotations

import math

from minigrad.dtypes import Array
from minigrad.kernels import optim_rates as kernels
from minigrad.optim.optimizer import Group, Optimizer, Parameters, State, apart, count, moment
from minigrad.tensor import Tensor


class RAdam(Optimizer):
    """Step by the running mean m of the gradient g, once it can be estimated over that of its square, v:

        m <- beta1 * m + (1 - beta1) * g                                     v <- beta2 * v + (1 - beta2) * g^2
        p <- p - lr * m / (1 - beta1^t)                                      while rho_t <= 5, else
        p <- p - lr * m / (1 - beta1^t) * r_t * sqrt(1 - beta2^t) / (sqrt(v) + eps)

    with rho = 2 / (1 - beta2) - 1, rho_t = rho - 2 t beta2^t / (1 - beta2^t), and
    r_t^2 = (rho_t - 4) (rho_t - 2) rho / ((rho - 4) (rho - 2) rho_t).

    `weight_decay` adds weight_decay * p to g or, if `decoupled_weight_decay`, takes lr * weight_decay * p from p first;
    `maximize` ascends. Liu et al., "On the variance of the adaptive learning rate and beyond", ICLR 2020,
    arXiv:1908.03265. Raises ArgumentError for negative settings and for betas outside [0, 1).
    """

    moments = ("exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        settings: Group = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
        settings |= {"foreach": foreach, "capturable": capturable, "decoupled_weight_decay": decoupled_weight_decay}
        super().__init__(params, settings | {"differentiable": differentiable})

    def _update(self, p: Array, g: Array, state: State, group: Group) -> None:
        step, (beta1, beta2) = count(state), map(float, group["betas"])
        shrink, weight_decay = apart(group)
        kernels.radam(
            p,
            g,
            moment(state, "exp_avg", p),
            moment(state, "exp_avg_sq", p),
            mean_rate=float(group["lr"]) / (1 - beta1**step),
            adaptive=_rectified(step, beta2),
            beta1=beta1,
            beta2=beta2,
            eps=float(group["eps"]),
            weight_decay=weight_decay,
            maximize=group["maximize"],
            shrink=shrink,
        )


def _rectified(step: float, beta2: float) -> float | None:
    """Return r_t * sqrt(1 - beta2^t), or None while rho_t <= 5."""
    correction, most = 1 - beta2**step, 2 / (1 - beta2) - 1
    rho = most - 2 * step * beta2**step / correction
    if rho <= 5:
        return None
    return math.sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho)) * math.sqrt(correction)

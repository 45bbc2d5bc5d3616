"""NAdam: Adam with Nesterov's look ahead."""

from __future__ import annotations

import math

import numpy as np

from minigrad.dtypes import Array
from minigrad.kernels import optim_rates as kernels
from minigrad.optim.optimizer import Group, Optimizer, Parameters, State, apart, count, moment
from minigrad.tensor import Tensor, wrap


class NAdam(Optimizer):
    """Step by a mixture of the gradient g and its running mean m over the root of the running mean v of its square:

        mu_t = beta1 * (1 - 0.96^(t * momentum_decay) / 2)                   M_t = mu_1 * mu_2 * ... * mu_t
        m <- beta1 * m + (1 - beta1) * g                                     v <- beta2 * v + (1 - beta2) * g^2
        p <- p - lr * ((1 - mu_t) / (1 - M_t) * g + mu_(t+1) / (1 - M_(t+1)) * m) / (sqrt(v / (1 - beta2^t)) + eps)

    `weight_decay` adds weight_decay * p to g or, if `decoupled_weight_decay`, takes lr * weight_decay * p from p first;
    `maximize` ascends. Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016. Raises ArgumentError for
    negative settings and for betas outside [0, 1).
    """

    moments = ("exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        settings: Group = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        settings |= {"momentum_decay": momentum_decay, "decoupled_weight_decay": decoupled_weight_decay}
        settings |= {"maximize": maximize, "foreach": foreach, "capturable": capturable}
        super().__init__(params, settings | {"differentiable": differentiable})

    def _update(self, p: Array, g: Array, state: State, group: Group) -> None:
        step, lr, decay = count(state), float(group["lr"]), float(group["momentum_decay"])
        beta1, beta2 = map(float, group["betas"])
        product = state.setdefault("mu_product", wrap(np.ones((), np.float32)))._data
        mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (t * decay)) for t in (step, step + 1))
        product *= mu
        shrink, weight_decay = apart(group)
        kernels.nadam(
            p,
            g,
            moment(state, "exp_avg", p),
            moment(state, "exp_avg_sq", p),
            grad_rate=lr * (1 - mu) / (1 - float(product)),
            mean_rate=lr * mu_next / (1 - float(product) * mu_next),
            root=math.sqrt(1 - beta2**step),
            beta1=beta1,
            beta2=beta2,
            eps=float(group["eps"]),
            weight_decay=weight_decay,
            maximize=group["maximize"],
            shrink=shrink,
        )

"""Adamax: Adam with the largest recent gradient in the place of its root mean square."""

from __future__ import annotations

from minigrad.dtypes import Array
from minigrad.kernels import optim_rates as kernels
from minigrad.optim.optimizer import Group, Optimizer, Parameters, State, count, moment
from minigrad.tensor import Tensor


class Adamax(Optimizer):
    """Step by the running mean m of the gradient g over the decaying maximum u of its size:

        m <- beta1 * m + (1 - beta1) * g                                    u <- max(beta2 * u, |g| + eps)
        p <- p - lr / (1 - beta1^t) * m / u                                 at step t = 1, 2, ...

    `weight_decay` adds weight_decay * p to g; `maximize` ascends. Kingma and Ba, "Adam: a method for stochastic
    optimization", ICLR 2015, arXiv:1412.6980, section 7.1. Raises ArgumentError for negative settings and for betas
    outside [0, 1).

    >>> import minigrad as mg
    >>> w = mg.tensor([4.0], requires_grad=True)
    >>> optimizer = Adamax([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> round(w.item(), 6)
    3.5
    """

    moments = ("exp_avg", "exp_inf")

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        settings: Group = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach}
        super().__init__(
            params, settings | {"maximize": maximize, "differentiable": differentiable, "capturable": capturable}
        )

    def _update(self, p: Array, g: Array, state: State, group: Group) -> None:
        step, (beta1, beta2) = count(state), map(float, group["betas"])
        kernels.adamax(
            p,
            g,
            moment(state, "exp_avg", p),
            moment(state, "exp_inf", p),
            rate=float(group["lr"]) / (1 - beta1**step),
            beta1=beta1,
            beta2=beta2,
            eps=float(group["eps"]),
            weight_decay=float(group["weight_decay"]),
            maximize=group["maximize"],
        )

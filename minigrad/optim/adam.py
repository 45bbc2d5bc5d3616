"""Adam: steps along the running mean of the gradient, over the recent size of the gradient."""

from __future__ import annotations

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError
from minigrad.kernels import optim as kernels
from minigrad.optim.optimizer import Group, Optimizer, Parameters, State, apart, count, moment
from minigrad.tensor import Tensor


class Adam(Optimizer):
    """Step by the running mean m of the gradient g over the root of the running mean v of its square:

        m <- beta1 * m + (1 - beta1) * g                     v <- beta2 * v + (1 - beta2) * g^2
        p <- p - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)         at step t = 1, 2, ...

    `weight_decay` adds weight_decay * p to g or, if `decoupled_weight_decay`, takes lr * weight_decay * p from p first
    (see AdamW); `amsgrad` divides by the largest v so far (Reddi, Kale and Kumar, ICLR 2018, arXiv:1904.09237);
    `maximize` ascends. Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015, arXiv:1412.6980. Raises
    ArgumentError for negative settings and for betas outside [0, 1).

    >>> import minigrad as mg
    >>> w = mg.tensor([4.0], requires_grad=True)
    >>> optimizer = Adam([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> round(w.item(), 6)
    3.5
    """

    moments = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        settings: Group = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad}
        settings |= {"maximize": maximize, "foreach": foreach, "capturable": capturable}
        settings |= {"differentiable": differentiable, "fused": fused}
        settings |= {"decoupled_weight_decay": decoupled_weight_decay}
        super().__init__(params, settings)

    def _check_settings(self, group: Group) -> None:
        super()._check_settings(group)
        if len({isinstance(beta, Tensor) for beta in group["betas"]}) > 1:
            raise ArgumentError(f"betas must be either both floats or both Tensors, got {group['betas']}")

    def _update(self, p: Array, g: Array, state: State, group: Group) -> None:
        step = count(state)
        beta1, beta2 = group["betas"]
        shrink, weight_decay = apart(group)
        kernels.adam(
            p,
            g,
            moment(state, "exp_avg", p),
            moment(state, "exp_avg_sq", p),
            moment(state, "max_exp_avg_sq", p) if group["amsgrad"] else None,
            step=step,
            lr=float(group["lr"]),
            beta1=float(beta1),
            beta2=float(beta2),
            eps=float(group["eps"]),
            weight_decay=weight_decay,
            maximize=group["maximize"],
            shrink=shrink,
        )

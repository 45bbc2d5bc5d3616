"""Adam, and AdamW, which decays the weights apart from the gradient."""

from __future__ import annotations

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError
from minigrad.kernels import optim as kernels
from minigrad.optim.optimizer import Group, Optimizer, Parameters, State, count, moment


class _Adam(Optimizer):
    """The step that Adam and AdamW have in common; only where the weight decay enters differs."""

    moments = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    _decoupled: bool

    def __init__(
        self,
        params: Parameters,
        lr: float,
        betas: tuple[float, float],
        eps: float,
        weight_decay: float,
        amsgrad: bool,
        maximize: bool,
    ) -> None:
        settings = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(params, settings | {"amsgrad": amsgrad, "maximize": maximize})

    def _check_settings(self, group: Group) -> None:
        super()._check_settings(group)
        for i, beta in enumerate(group["betas"]):
            if not 0 <= float(beta) < 1:
                raise ArgumentError(f"Invalid beta parameter at index {i}: {beta}; it must be in [0, 1)")

    def _update(self, p: Array, g: Array, state: State, group: Group) -> None:
        step, lr, decay = count(state), float(group["lr"]), float(group["weight_decay"])
        beta1, beta2 = group["betas"]
        kernels.adam(
            p,
            g,
            moment(state, "exp_avg", p),
            moment(state, "exp_avg_sq", p),
            moment(state, "max_exp_avg_sq", p) if group["amsgrad"] else None,
            step=step,
            lr=lr,
            beta1=float(beta1),
            beta2=float(beta2),
            eps=float(group["eps"]),
            weight_decay=0.0 if self._decoupled else decay,
            maximize=group["maximize"],
            shrink=1 - lr * decay if self._decoupled else 1.0,
        )


class Adam(_Adam):
    """Step by the running mean m of the gradient g over the root of the running mean v of its square:

        m <- beta1 * m + (1 - beta1) * g                     v <- beta2 * v + (1 - beta2) * g^2
        p <- p - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)         at step t = 1, 2, ...

    `weight_decay` adds weight_decay * p to g (for decay apart from g, see AdamW); `amsgrad` divides by the largest v
    so far (Reddi, Kale and Kumar, ICLR 2018, arXiv:1904.09237); `maximize` ascends. Kingma and Ba, "Adam: a method
    for stochastic optimization", ICLR 2015, arXiv:1412.6980. Raises ArgumentError for negative settings and for betas
    outside [0, 1).

    >>> import minigrad as mg
    >>> w = mg.tensor([4.0], requires_grad=True)
    >>> optimizer = Adam([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> round(w.item(), 6)
    3.5
    """

    _decoupled = False

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize)


class AdamW(_Adam):
    """Adam whose weight decay does not pass through the running means: first p <- p - lr * weight_decay * p.

    The other settings, and the errors, are Adam's. Loshchilov and Hutter, "Decoupled weight decay regularization",
    ICLR 2019, arXiv:1711.05101, in PyTorch's form, where the decay is multiplied by lr.

    >>> import minigrad as mg
    >>> w = mg.tensor([4.0], requires_grad=True)
    >>> w.grad = mg.tensor([0.0])
    >>> AdamW([w], lr=0.5, weight_decay=0.1).step()
    >>> round(w.item(), 6)
    3.8
    """

    _decoupled = True

    def __init__(
        self,
        params: Parameters,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize)

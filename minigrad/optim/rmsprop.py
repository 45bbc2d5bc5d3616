"""RMSprop: each step divided by the recent size of the gradient."""

from __future__ import annotations

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError
from minigrad.kernels import optim as kernels
from minigrad.optim.optimizer import Group, Optimizer, Parameters, State, count, moment
from minigrad.tensor import Tensor


class RMSprop(Optimizer):
    """Step by the gradient g over the root of the running mean v of its square:

        v <- alpha * v + (1 - alpha) * g^2
        p <- p - lr * g / (sqrt(v) + eps)

    With `centered`, v less the square of the running mean of g is used, an estimate of the variance; with `momentum`,
    p moves by lr times the decaying sum of the steps. `weight_decay` adds weight_decay * p to g; `maximize` ascends.
    Tieleman and Hinton, "Neural networks for machine learning", lecture 6.5, Coursera 2012; centred: Graves,
    "Generating sequences with recurrent neural networks", 2013, arXiv:1308.0850; in PyTorch's form, where eps is added
    to the root. Raises ArgumentError for negative settings.

    >>> import minigrad as mg
    >>> w = mg.tensor([4.0], requires_grad=True)
    >>> optimizer = RMSprop([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> round(w.item(), 6)
    3.0
    """

    moments = ("square_avg", "momentum_buffer", "grad_avg")

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        settings: Group = {"lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered}
        settings |= {"weight_decay": weight_decay, "capturable": capturable, "foreach": foreach}
        super().__init__(params, settings | {"maximize": maximize, "differentiable": differentiable})

    def _check_settings(self, group: Group) -> None:
        super()._check_settings(group)
        if not group["alpha"] >= 0:
            raise ArgumentError(f"Invalid alpha value: {group['alpha']}; alpha must not be negative")

    def _update(self, p: Array, g: Array, state: State, group: Group) -> None:
        count(state)
        momentum = float(group["momentum"])
        kernels.rmsprop(
            p,
            g,
            moment(state, "square_avg", p),
            moment(state, "momentum_buffer", p) if momentum else None,
            moment(state, "grad_avg", p) if group["centered"] else None,
            lr=float(group["lr"]),
            alpha=float(group["alpha"]),
            eps=float(group["eps"]),
            weight_decay=float(group["weight_decay"]),
            momentum=momentum,
            maximize=group["maximize"],
        )

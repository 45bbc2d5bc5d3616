"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError
from minigrad.kernels import optim as kernels
from minigrad.optim.optimizer import Group, Optimizer, Parameters, State, moment
from minigrad.tensor import Tensor


class SGD(Optimizer):
    """Descend along the gradient g, or along its decaying sum b (the first step takes b = g):

        b <- momentum * b + (1 - dampening) * g
        p <- p - lr * b                     or, with nesterov:    p <- p - lr * (g + momentum * b)

    `weight_decay` adds weight_decay * p to g; `maximize` ascends. Sutskever, Martens, Dahl and Hinton, "On the
    importance of initialization and momentum in deep learning", ICML 2013, in PyTorch's form, where lr stands
    outside b. Raises ArgumentError for negative settings, and for nesterov without momentum or with dampening.

    >>> import minigrad as mg
    >>> w = mg.tensor([4.0], requires_grad=True)
    >>> optimizer = SGD([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.item()
    2.0
    """

    moments = ("momentum_buffer",)

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        settings: Group = {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay}
        settings |= {"nesterov": nesterov, "maximize": maximize, "foreach": foreach}
        super().__init__(params, settings | {"differentiable": differentiable, "fused": fused})

    def _check_settings(self, group: Group) -> None:
        super()._check_settings(group)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ArgumentError("Nesterov momentum requires a momentum and zero dampening")

    def _update(self, p: Array, g: Array, state: State, group: Group) -> None:
        momentum, dampening, buffer = float(group["momentum"]), float(group["dampening"]), None
        if momentum:
            if state.get("momentum_buffer") is None:
                dampening = 0.0  # so that the sum, which starts at zero, becomes g
            buffer = moment(state, "momentum_buffer", p)
        kernels.sgd(
            p,
            g,
            buffer,
            lr=float(group["lr"]),
            momentum=momentum,
            dampening=dampening,
            nesterov=group["nesterov"],
            weight_decay=float(group["weight_decay"]),
            maximize=group["maximize"],
        )

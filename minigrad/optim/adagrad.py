"""Adagrad: each element's steps shrink with the gradients it has seen."""

from __future__ import annotations

import numpy as np

from minigrad.dtypes import Array
from minigrad.kernels import optim_rates as kernels
from minigrad.optim.optimizer import Group, Optimizer, Parameters, State, count
from minigrad.tensor import Tensor, wrap


class Adagrad(Optimizer):
    """Step by the gradient g over the root of the sum v of all its squares:

        v <- v + g^2
        p <- p - lr / (1 + (t - 1) * lr_decay) * g / (sqrt(v) + eps)              at step t = 1, 2, ...

    v starts at `initial_accumulator_value`. `weight_decay` adds weight_decay * p to g; `maximize` ascends. Duchi, Hazan
    and Singer, "Adaptive subgradient methods for online learning and stochastic optimization", JMLR 12, 2011. Raises
    ArgumentError for negative settings.

    >>> import minigrad as mg
    >>> w = mg.tensor([4.0], requires_grad=True)
    >>> optimizer = Adagrad([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> round(w.item(), 6)
    3.5
    """

    moments = ("sum",)

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        settings: Group = {"lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay}
        settings |= {"initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize}
        super().__init__(params, settings | {"differentiable": differentiable, "fused": fused})
        for group in self.param_groups:
            for p in group["params"]:
                self._begin(self.state[p], p._data, group)

    def _begin(self, state: State, p: Array, group: Group) -> None:
        state["step"] = wrap(np.zeros((), np.float32))
        state["sum"] = wrap(np.full_like(p, group["initial_accumulator_value"]))

    def share_memory(self) -> None:
        """Do nothing: there is one process."""

    def _update(self, p: Array, g: Array, state: State, group: Group) -> None:
        if not state:
            self._begin(state, p, group)
        kernels.adagrad(
            p,
            g,
            state["sum"]._data,
            rate=float(group["lr"]) / (1 + (count(state) - 1) * float(group["lr_decay"])),
            eps=float(group["eps"]),
            weight_decay=float(group["weight_decay"]),
            maximize=group["maximize"],
        )

"""Rprop: only the sign of the gradient counts, and each element has a step size of its own."""

from __future__ import annotations

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError
from minigrad.kernels import optim_rates as kernels
from minigrad.optim.optimizer import Group, Optimizer, Parameters, State, count, moment
from minigrad.tensor import Tensor, wrap


class Rprop(Optimizer):
    """Move every element against the sign of its gradient g by a step size s of its own, which starts at `lr`:

        s <- s * eta_plus            where g has the sign it had
        s <- s * eta_minus           where it has not; there g counts as 0 this time
        p <- p - sign(g) * s

    `etas` are (eta_minus, eta_plus), `step_sizes` the least and the most s may be; `maximize` ascends. For full
    batches. Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning: the RPROP algorithm",
    ICNN 1993. Raises ArgumentError for a negative lr, and unless 0 < eta_minus < 1 < eta_plus.

    >>> import minigrad as mg
    >>> w = mg.tensor([4.0], requires_grad=True)
    >>> optimizer = Rprop([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.item()
    3.5
    """

    moments = ("prev", "step_size")

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        settings: Group = {"lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize}
        super().__init__(params, settings | {"differentiable": differentiable, "capturable": capturable})

    def _check_settings(self, group: Group) -> None:
        super()._check_settings(group)
        minus, plus = group["etas"]
        if not 0 < minus < 1 < plus:
            raise ArgumentError(f"Invalid eta values: {minus}, {plus}; they must be 0 < {minus} < 1 < {plus}")

    def _update(self, p: Array, g: Array, state: State, group: Group) -> None:
        count(state)
        before = moment(state, "prev", p)
        if "step_size" not in state:
            state["step_size"] = wrap(np.full_like(p, float(group["lr"])))
        (shorter, longer), (least, most) = group["etas"], group["step_sizes"]
        kernels.rprop(
            p,
            g,
            before,
            state["step_size"]._data,
            shorter=float(shorter),
            longer=float(longer),
            least=float(least),
            most=float(most),
            maximize=group["maximize"],
        )

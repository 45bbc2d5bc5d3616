"""Adafactor: of a matrix of squares only the means of its rows and columns are kept."""

from __future__ import annotations

import math

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError
from minigrad.kernels import optim_rates as kernels
from minigrad.optim.optimizer import Group, Optimizer, Parameters, State, check_sizes, count
from minigrad.tensor import Tensor, wrap


class Adafactor(Optimizer):
    """Step by the gradient g over the root of an estimate V of the mean of its square, in proportion to the size of p:

        R <- R + t^beta2_decay * (mean over columns of g^2 - R)              and C likewise over rows
        V  = R C / mean(R)                       for p of 2 dims and more (the last two); else V is kept itself
        p <- p - max(eps_2, rms(p)) * min(lr, 1 / sqrt(t)) * U / max(1, rms(U) / d)          with U = g / sqrt(V)

    rms is the root mean square; `eps` is (eps_1, eps_2), of which eps_1^2 is the least V may be (by default the spacing
    of the dtype). `weight_decay` first takes lr * weight_decay * p from p; `maximize` ascends. Shazeer and Stern,
    "Adafactor: adaptive learning rates with sublinear memory cost", ICML 2018, arXiv:1804.04235. Raises ArgumentError
    for settings out of range.
    """

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        settings: Group = {"lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay}
        super().__init__(params, settings | {"foreach": foreach, "maximize": maximize})

    def _check_settings(self, group: Group) -> None:
        check_sizes(group)
        checks = {
            f"Learning rate should be >= 0 but is: {group['lr']}": float(group["lr"]) >= 0,
            f"beta2_decay should be <= 0 but is: {group['beta2_decay']}": group["beta2_decay"] <= 0,
            f"epsilon1 should be >= 0 but is: {group['eps'][0]}": group["eps"][0] is None or group["eps"][0] >= 0,
            f"epsilon2 should be >= 0 but is: {group['eps'][1]}": group["eps"][1] >= 0,
            f"Clipping threshold d should be >= 1 but is: {group['d']}": group["d"] >= 1,
            f"weight_decay should be >= 0 but is: {group['weight_decay']}": group["weight_decay"] >= 0,
        }
        for message, holds in checks.items():
            if not holds:
                raise ArgumentError(message)

    def _update(self, p: Array, g: Array, state: State, group: Group) -> None:
        if p.size == 0:
            return
        step, lr = count(state), float(group["lr"])
        least, floor = group["eps"]
        least = float(np.finfo(p.dtype).eps) if least is None else float(least)
        if group["maximize"]:
            g = -g
        weight = step ** float(group["beta2_decay"])
        kernels.adafactor(
            p,
            g,
            _factored(state, g, weight, least) if g.ndim > 1 else _mean(state, "variance", g * g, weight),
            least=least,
            most=float(group["d"]),
            rate=max(float(floor), kernels.root_mean_square(p)) * min(lr, 1 / math.sqrt(step)),
            shrink=1 - lr * float(group["weight_decay"]),
        )


def _factored(state: State, g: Array, weight: float, least: float) -> Array:
    """Return the estimate of the mean of g^2 that its rows and columns give."""
    squares = g * g
    rows = _mean(state, "row_var", squares.mean(-1, keepdims=True), weight)
    columns = _mean(state, "col_var", squares.mean(-2, keepdims=True), weight)
    return rows @ columns / np.maximum(rows.mean(-2, keepdims=True), least)


def _mean(state: State, name: str, new: Array, weight: float) -> Array:
    """Return the running mean called `name`, in which `new` counts with `weight` from now on."""
    if name not in state:
        state[name] = wrap(np.zeros_like(new))
    held: Array = state[name]._data
    held += (new - held) * weight
    return held

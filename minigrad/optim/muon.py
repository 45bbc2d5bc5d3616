"""Muon: for matrices, steps whose singular values are all the same."""

from __future__ import annotations

import math

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError
from minigrad.kernels import optim_rates as kernels
from minigrad.optim.optimizer import Group, Optimizer, Parameters, State, check_sizes, moment
from minigrad.tensor import Tensor


class Muon(Optimizer):
    """Step along the running mean m of the gradient g, made orthogonal:

        m <- momentum * m + (1 - momentum) * g
        p <- (1 - lr * weight_decay) * p - lr * scale * orthogonal(m)

    or, with `nesterov`, orthogonal((1 - momentum) * g + momentum * m). The matrix is made about orthogonal by
    `ns_steps` of Newton and Schulz's iteration with `ns_coefficients`, in bfloat16's precision, after division by its
    norm or `eps`. For p of shape (A, B), scale is sqrt(max(1, A / B)) or, by `adjust_lr_fn="match_rms_adamw"`,
    0.2 sqrt(max(A, B)). For matrices only: biases and embeddings go to another optimiser. Jordan et al., "Muon: an
    optimizer for hidden layers in neural networks", 2024, kellerjordan.github.io/posts/muon. Raises ArgumentError for a
    parameter that is no matrix and for settings out of range.
    """

    moments = ("momentum_buffer",)

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        settings: Group = {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov}
        settings |= {"ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn}
        super().__init__(params, settings)

    def _check_settings(self, group: Group) -> None:
        check_sizes(group)
        for key, title in {"lr": "Learning rate", "momentum": "momentum", "weight_decay": "weight decay"}.items():
            if not float(group[key]) >= 0:
                raise ArgumentError(f"{title} should be >= 0 but is: {group[key]}")
        if group["adjust_lr_fn"] not in (None, "original", "match_rms_adamw"):
            raise ArgumentError(f"Adjust learning rate function {group['adjust_lr_fn']} is not supported")
        if group["ns_steps"] >= 100:
            raise ArgumentError(f"Number of steps must be less than 100, for efficiency, but is: {group['ns_steps']}")
        if len(group["ns_coefficients"]) != 3:
            raise ArgumentError(f"Coefficients must be a tuple of exactly 3 values: {group['ns_coefficients']}")
        for p in group["params"]:
            if p.ndim != 2:
                raise ArgumentError(
                    f"Muon only supports 2D parameters whereas we found a parameter with size: {tuple(p.shape)}"
                )

    def _update(self, p: Array, g: Array, state: State, group: Group) -> None:
        lr, momentum, (rows, columns) = float(group["lr"]), float(group["momentum"]), p.shape
        mean = moment(state, "momentum_buffer", p)
        mean += (g - mean) * (1 - momentum)
        ahead = mean + (g - mean) * (1 - momentum) if group["nesterov"] else mean
        step = kernels.orthogonalised(ahead, group["ns_coefficients"], group["ns_steps"], float(group["eps"]))
        matched = group["adjust_lr_fn"] == "match_rms_adamw"
        scale = 0.2 * math.sqrt(max(rows, columns)) if matched else math.sqrt(max(1, rows / columns))
        p *= 1 - lr * float(group["weight_decay"])
        p -= step * (lr * scale)

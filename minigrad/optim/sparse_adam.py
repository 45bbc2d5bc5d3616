"""SparseAdam, a name that programs may import: it steps along sparse gradients only, and minigrad has none."""

from __future__ import annotations

from minigrad.dtypes import Array
from minigrad.errors import GraphError
from minigrad.optim.optimizer import Group, Optimizer, Parameters, State
from minigrad.tensor import Tensor


class SparseAdam(Optimizer):
    """Refuse every gradient, as PyTorch's does a dense one. Raises GraphError at the first step."""

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})

    def _update(self, p: Array, g: Array, state: State, group: Group) -> None:
        raise GraphError("SparseAdam does not support dense gradients, please consider Adam instead")

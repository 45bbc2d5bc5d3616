"""AdamW: Adam that decays the weights apart from the gradient."""

from __future__ import annotations

from minigrad.optim.adam import Adam
from minigrad.optim.optimizer import Parameters
from minigrad.tensor import Tensor


class AdamW(Adam):
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

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

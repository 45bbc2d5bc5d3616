"""Mixed precision on a CPU that has none: everything is computed in the dtype it has."""

from __future__ import annotations

from contextlib import ContextDecorator
from typing import Any

from minigrad.compat.refusals import never


class autocast(ContextDecorator):
    """A context, or decorator, that changes nothing: operations compute in the dtype of their operands."""

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        self.device = device_type

    def __enter__(self) -> autocast:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


is_autocast_available = never


class GradScaler:
    """A scaler of losses whose scale is 1, as PyTorch's is when it is not enabled.

    >>> import minigrad as mg
    >>> w = mg.nn.Parameter(mg.tensor([2.0]))
    >>> optimizer, scaler = mg.optim.SGD([w], lr=0.5), GradScaler()
    >>> scaler.scale((w * w).sum()).backward()
    >>> scaler.step(optimizer); scaler.update(); w
    Parameter containing:
    tensor([0.], requires_grad=True)
    """

    def __init__(self, device: str = "cuda", init_scale: float = 65536.0, *args: Any, **kwargs: Any) -> None:
        pass

    is_enabled = never

    def scale(self, outputs: Any) -> Any:
        """Return `outputs`."""
        return outputs

    def unscale_(self, optimizer: Any) -> None:
        """Do nothing: the gradients were not scaled."""

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Call `optimizer.step()` and return what it returns."""
        return optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        """Do nothing: the scale stays 1."""

    def get_scale(self) -> float:
        """Return 1.0."""
        return 1.0

    def state_dict(self) -> dict[str, Any]:
        """Return an empty dict."""
        return {}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Do nothing: there is no state."""

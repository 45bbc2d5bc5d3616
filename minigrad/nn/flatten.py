"""Layers that reshape: many dims into one, and one into many."""

from __future__ import annotations

from minigrad.nn.module import Module
from minigrad.ops.shape import checked_dim
from minigrad.tensor import Tensor


class Flatten(Module):
    """The dims from `start_dim` to `end_dim` made one: by default (N, C, H, W) becomes (N, C*H*W).

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.Flatten()(mg.zeros(2, 3, 4, 4)).shape
    minigrad.Size([2, 48])
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"

    def forward(self, input: Tensor) -> Tensor:
        """Return x with those dims made one."""
        return input.flatten(self.start_dim, self.end_dim)


class Unflatten(Module):
    """The dim `dim` made several, of the sizes `unflattened_size` (one of which may be -1: what remains)."""

    def __init__(self, dim: int, unflattened_size: tuple[int, ...]) -> None:
        super().__init__()
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"

    def forward(self, input: Tensor) -> Tensor:
        """Return x with that dim made several."""
        at = checked_dim(self.dim, input.ndim)
        return input.reshape(*input.shape[:at], *self.unflattened_size, *input.shape[at + 1 :])

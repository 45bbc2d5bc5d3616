"""Dropout layers: zeros at random places in training."""

from __future__ import annotations

from minigrad.errors import ArgumentError
from minigrad.nn import functional as F
from minigrad.nn.module import Module
from minigrad.tensor import Tensor


class Dropout(Module):
    """y = x * mask / (1 - p) in training, where each element of the mask is 0 with probability `p`; y = x otherwise.

    Any shape. `inplace` writes into x. Raises ArgumentError unless 0 <= p <= 1. (Srivastava et al., 2014, JMLR 15)

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.Dropout(0.5).eval()(mg.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ArgumentError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p, self.inplace = p, inplace

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"p={self.p}, inplace={self.inplace}"

    def forward(self, input: Tensor) -> Tensor:
        """Return x with elements dropped, in training."""
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout2d(Dropout):
    """Dropout of whole channels: the mask has the shape (N, C, 1, ...) for x of shape (N, C, ...)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return x with channels dropped, in training."""
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout1d(Dropout):
    """Dropout of whole channels of sequences, (N, C, L) or (C, L)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return x with channels dropped, in training."""
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout3d(Dropout):
    """Dropout of whole channels of volumes, (N, C, D, H, W) or (C, D, H, W)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return x with channels dropped, in training."""
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(Dropout):
    """Dropout that keeps mean 0 and variance 1, for SELU networks (Klambauer et al., 2017, arXiv:1706.02515).

    `inplace` is accepted and has no effect, as in PyTorch.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return x with elements dropped, in training."""
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(Dropout):
    """AlphaDropout of whole channels, for x (N, C, ...)."""

    def forward(self, input: Tensor) -> Tensor:
        """Return x with channels dropped, in training."""
        return F.feature_alpha_dropout(input, self.p, self.training)

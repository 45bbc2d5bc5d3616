"""The embedding: a table whose rows are looked up."""

from __future__ import annotations

from typing import Any

from minigrad import creation
from minigrad.autograd import no_grad
from minigrad.errors import OutOfRangeError, ShapeError
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor


class Embedding(Module):
    """y = weight[x]: a row of features for each integer in x.

    Shapes: x any, of integers in 0..num_embeddings-1; weight (num_embeddings, embedding_dim), drawn from N(0, 1);
    y (*x.shape, embedding_dim). The row `padding_idx` starts as zeros and gets no gradient. Raises OutOfRangeError for
    an integer that names no row.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.Embedding(10, 3)(mg.tensor([[1, 2], [4, 9]])).shape
    minigrad.Size([2, 2, 3])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise OutOfRangeError(f"padding_idx {padding_idx} must be within the {num_embeddings} rows of the table")
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        shape = (num_embeddings, embedding_dim)
        if _weight is not None and tuple(_weight.shape) != shape:
            raise ShapeError(f"Embedding: the weight has shape {tuple(_weight.shape)}, wanted {shape}")
        given = _weight if _weight is not None else creation.empty(shape, device=device, dtype=dtype)
        self.weight = Parameter(given, requires_grad=not _freeze)
        if _weight is None:
            self.reset_parameters()

    @no_grad()
    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight[self.padding_idx] = 0.0

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None) -> Embedding:
        """Return an Embedding on the memory of a given table (rows, features), not trained unless `freeze` is False."""
        if embeddings.ndim != 2:
            raise ShapeError(f"Embeddings parameter is expected to be 2-dimensional, got shape {embeddings.shape}")
        rows, features = embeddings.shape
        return cls(rows, features, padding_idx, _weight=embeddings, _freeze=freeze)

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"

    def forward(self, x: Tensor) -> Tensor:
        """Return the rows that x names."""
        return F.embedding(x, self.weight, self.padding_idx)

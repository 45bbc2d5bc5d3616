"""Embeddings: a table whose rows are looked up, one by one or summed by bags."""

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


class _Table(Module):
    """What the two layers share: a table (num_embeddings, embedding_dim), of which row `padding_idx` is not trained."""

    weight: Parameter

    def _make_table(
        self,
        rows: int,
        features: int,
        padding_idx: int | None,
        given: Tensor | None,
        device: Any,
        dtype: Any,
        frozen: bool = False,
    ) -> None:
        """Make the table, or take the one `given`. Raises ShapeError or OutOfRangeError for what does not fit it."""
        if padding_idx is not None and not -rows <= padding_idx < rows:
            raise OutOfRangeError(f"padding_idx {padding_idx} must be within the {rows} rows of the table")
        self.num_embeddings, self.embedding_dim = rows, features
        self.padding_idx = None if padding_idx is None else padding_idx % rows
        shape = (rows, features)
        if given is not None and tuple(given.shape) != shape:
            raise ShapeError(f"{type(self).__name__}: the weight has shape {tuple(given.shape)}, wanted {shape}")
        table = creation.empty(shape, device=device, dtype=dtype) if given is None else given
        self.weight = Parameter(table, requires_grad=not frozen)
        if given is None:
            self.reset_parameters()

    @no_grad()
    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight[self.padding_idx] = 0.0


class Embedding(_Table):
    """y = weight[x]: a row of features for each integer in x.

    Shapes: x any, of integers in 0..num_embeddings-1; weight (num_embeddings, embedding_dim), drawn from N(0, 1);
    y (*x.shape, embedding_dim). The row `padding_idx` starts as zeros and gets no gradient. Raises OutOfRangeError for
    an integer that names no row. `max_norm`, `norm_type` and `scale_grad_by_freq` as in `functional.embedding`;
    `sparse` is ignored: gradients are dense.

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
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        self._make_table(num_embeddings, embedding_dim, padding_idx, _weight, device, dtype, _freeze)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """Return an Embedding on the memory of a given table (rows, features), not trained unless `freeze` is False."""
        if embeddings.ndim != 2:
            raise ShapeError(f"Embeddings parameter is expected to be 2-dimensional, got shape {embeddings.shape}")
        rows, features = embeddings.shape
        settings = (padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
        return cls(rows, features, *settings, _weight=embeddings, _freeze=freeze)

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        usual = {"padding_idx": None, "max_norm": None, "norm_type": 2, "scale_grad_by_freq": False, "sparse": False}
        parts += [f"{name}={getattr(self, name)}" for name, value in usual.items() if getattr(self, name) != value]
        return ", ".join(parts)

    def forward(self, input: Tensor) -> Tensor:
        """Return the rows that x names."""
        return F.embedding(
            input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse
        )


class EmbeddingBag(_Table):
    """The "sum", "mean" or "max" of the rows that each bag of indices names, without the rows themselves in between.

    Called with (bags, size) indices, or with (N,) and the first place of each bag. Arguments as in
    `functional.embedding_bag`; `sparse` is ignored: gradients are dense.
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.max_norm, self.norm_type, self.scale_grad_by_freq = max_norm, norm_type, scale_grad_by_freq
        self.mode, self.sparse, self.include_last_offset = mode, sparse, include_last_offset
        self._make_table(num_embeddings, embedding_dim, padding_idx, _weight, device, dtype)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> EmbeddingBag:
        """Return an EmbeddingBag on the memory of a given table, not trained unless `freeze` is False."""
        rows, features = embeddings.shape
        settings = (max_norm, norm_type, scale_grad_by_freq, mode, sparse)
        bag = cls(rows, features, *settings, embeddings, include_last_offset, padding_idx)
        bag.weight.requires_grad_(not freeze)
        return bag

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        usual = {"max_norm": None, "norm_type": 2, "scale_grad_by_freq": False, "mode": None, "padding_idx": None}
        parts += [f"{name}={getattr(self, name)!r}" for name, value in usual.items() if getattr(self, name) != value]
        return ", ".join(parts)

    def forward(self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None) -> Tensor:
        """Return one vector for each bag."""
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

"""Multi-head attention as a layer."""

from __future__ import annotations

from typing import Any

from minigrad import creation
from minigrad.errors import ArgumentError
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.linear import Linear
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor


class NonDynamicallyQuantizableLinear(Linear):
    """A dense layer, under the name by which PyTorch prints the output layer of its attention."""


class MultiheadAttention(Module):
    """Attention with several heads, each on its own projection of query, key and value (Vaswani et al., 2017).

    Shapes: query (L, N, embed_dim), key (S, N, kdim), value (S, N, vdim); with `batch_first` (N, L, ...); without N
    they are unbatched. `add_bias_kv` learns one more key and value, `add_zero_attn` puts one of zeros beside them,
    `dropout` leaves out attention weights in training. Raises ArgumentError unless num_heads divides embed_dim.
    (arXiv:1706.03762)

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> y, weights = nn.MultiheadAttention(4, 2)(mg.zeros(3, 1, 4), mg.zeros(5, 1, 4), mg.zeros(5, 1, 4))
    >>> y.shape, weights.shape
    (minigrad.Size([3, 1, 4]), minigrad.Size([1, 3, 5]))
    """

    in_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if embed_dim <= 0 or num_heads <= 0:
            raise ArgumentError(
                f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and num_heads={num_heads} "
                "instead"
            )
        if embed_dim % num_heads:
            raise ArgumentError(f"embed_dim must be divisible by num_heads, got {embed_dim} and {num_heads}")
        super().__init__()
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.kdim, self.vdim = kdim if kdim is not None else embed_dim, vdim if vdim is not None else embed_dim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.dropout, self.batch_first, self.add_zero_attn = dropout, batch_first, add_zero_attn
        settings = {"device": device, "dtype": dtype}
        self._register_projections(settings)
        self._register_empty("in_proj_bias", (3 * embed_dim,) if bias else None, settings)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, **settings)
        self._register_empty("bias_k", (1, 1, embed_dim) if add_bias_kv else None, settings)
        self._register_empty("bias_v", (1, 1, embed_dim) if add_bias_kv else None, settings)
        self._reset_parameters()

    def _register_projections(self, settings: dict[str, Any]) -> None:
        """Register one weight for query, key and value, or three where their numbers of features differ."""
        sizes = {"q": self.embed_dim, "k": self.kdim, "v": self.vdim}
        same = self._qkv_same_embed_dim
        if same:
            self._register_empty("in_proj_weight", (3 * self.embed_dim, self.embed_dim), settings)
        for name, size in sizes.items():
            self._register_empty(f"{name}_proj_weight", None if same else (self.embed_dim, size), settings)
        if not same:
            self._register_empty("in_proj_weight", None, settings)

    def _register_empty(self, name: str, shape: tuple[int, ...] | None, settings: dict[str, Any]) -> None:
        self.register_parameter(name, None if shape is None else Parameter(creation.empty(shape, **settings)))

    def _reset_parameters(self) -> None:
        weights = (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        for weight in weights:
            if weight is not None:
                init.xavier_uniform_(weight)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for bias in (self.bias_k, self.bias_v):
            if bias is not None:
                init.xavier_normal_(bias)

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Return the output, of the query's shape, and the weights (N, L, S), or None unless `need_weights`.

        `key_padding_mask` (N, S) is True at keys to leave out; `attn_mask` (L, S) or (N * num_heads, L, S) is True
        where a query may not look; float masks are added. `is_causal` says that `attn_mask` is the causal one.
        `average_attn_weights=False` returns the weights of each head, (N, num_heads, L, S).
        """
        turned = self.batch_first and query.ndim == 3
        if turned:
            query, key, value = _turned(query, key, value)
        output, weights = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias, self.bias_k,
            self.bias_v, self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias, self.training,
            key_padding_mask, need_weights, attn_mask, not self._qkv_same_embed_dim, self.q_proj_weight,
            self.k_proj_weight, self.v_proj_weight, average_attn_weights=average_attn_weights, is_causal=is_causal,
        )  # fmt: skip
        return (output.transpose(0, 1) if turned else output), weights


def _turned(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the three with length and batch exchanged; those that are one tensor stay one."""
    q = query.transpose(0, 1)
    k = q if key is query else key.transpose(0, 1)
    return q, k, (k if value is key else q if value is query else value.transpose(0, 1))

"""The Transformer: encoder and decoder layers of attention and dense nets, and stacks of them (arXiv:1706.03762)."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from typing import Any

from minigrad import creation
from minigrad.autograd import is_grad_enabled
from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.activation import GELU, ReLU
from minigrad.nn.attention import MultiheadAttention
from minigrad.nn.containers import ModuleList
from minigrad.nn.dropout import Dropout
from minigrad.nn.linear import Linear
from minigrad.nn.module import Module
from minigrad.nn.normalization import LayerNorm
from minigrad.ops.elementwise import where
from minigrad.tensor import Tensor

Activation = str | Callable[[Tensor], Tensor]


class _Layer(Module):
    """What the two kinds of layers share: attentions, a dense net, and a norm and a dropout for each part."""

    attentions: tuple[str, ...] = ("self_attn",)
    """The names of the attentions; the dense net is the last part."""

    self_attn: MultiheadAttention
    multihead_attn: MultiheadAttention
    norm1: LayerNorm
    norm2: LayerNorm
    norm3: LayerNorm
    dropout1: Dropout
    dropout2: Dropout
    dropout3: Dropout

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        kind = {"device": device, "dtype": dtype}
        for name in self.attentions:
            setattr(self, name, MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **kind))
        self.linear1 = Linear(d_model, dim_feedforward, bias, **kind)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **kind)
        self.norm_first = norm_first
        parts = range(1, len(self.attentions) + 2)
        for i in parts:
            setattr(self, f"norm{i}", LayerNorm(d_model, layer_norm_eps, bias=bias, **kind))
        for i in parts:
            setattr(self, f"dropout{i}", Dropout(dropout))
        self.activation = _activation(activation)

    def _sa_block(self, x: Tensor, mask: Tensor | None, padding: Tensor | None, is_causal: bool) -> Tensor:
        return self.dropout1(self.self_attn(x, x, x, padding, False, mask, is_causal=is_causal)[0])

    def _dense(self, x: Tensor) -> Tensor:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_Layer):
    """Self-attention and a dense net of two layers, each added to its input and normalised (Vaswani et al., 2017).

    Shapes: src and output (S, N, d_model), with `batch_first` (N, S, d_model), unbatched (S, d_model). `norm_first`
    normalises before each part instead of after it. `activation` is "relu", "gelu" or a function.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.TransformerEncoderLayer(8, nhead=2, batch_first=True)(mg.zeros(3, 5, 8)).shape
    minigrad.Size([3, 5, 8])
    """

    def forward(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool = False,
    ) -> Tensor:
        """Return `src` passed through; the masks are those of `MultiheadAttention`."""
        padding = F.attention.canonical_mask(src_key_padding_mask, "src_key_padding_mask", src)
        mask = F.attention.canonical_mask(src_mask, "src_mask", src)
        if self.norm_first:
            x = src + self._sa_block(self.norm1(src), mask, padding, is_causal)
            return x + self._ff_block(self.norm2(x))
        x = self.norm1(src + self._sa_block(src, mask, padding, is_causal))
        return self.norm2(x + self._ff_block(x))

    def _is_common(self) -> bool:
        """Return whether PyTorch has a quick path for this layer in evaluation."""
        attn = self.self_attn
        known = self.activation in (F.relu, F.gelu) or isinstance(self.activation, ReLU | GELU)
        plain = attn.batch_first and attn.in_proj_bias is not None and not self.norm_first
        return plain and known and self.norm1.eps == self.norm2.eps and attn.num_heads % 2 == 0

    def _ff_block(self, x: Tensor) -> Tensor:
        return self.dropout2(self._dense(x))


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to the encoder's output, and a dense net, each added to its input and normalised.

    Shapes: tgt and output (T, N, d_model), memory (S, N, d_model), with `batch_first` (N, T or S, d_model), unbatched
    without N. `norm_first` normalises before each part instead of after it. `activation` is "relu", "gelu" or a
    function. (Vaswani et al., 2017, arXiv:1706.03762)
    """

    attentions = ("self_attn", "multihead_attn")

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return `tgt` passed through, looking at `memory`; the masks are those of `MultiheadAttention`."""
        own = (tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        other = (memory_mask, memory_key_padding_mask, memory_is_causal)
        if self.norm_first:
            x = tgt + self._sa_block(self.norm1(tgt), *own)
            x = x + self._mha_block(self.norm2(x), memory, *other)
            return x + self._ff_block(self.norm3(x))
        x = self.norm1(tgt + self._sa_block(tgt, *own))
        x = self.norm2(x + self._mha_block(x, memory, *other))
        return self.norm3(x + self._ff_block(x))

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A copy of a PyTorch decoder layer forgets an activation that is a module, and uses relu: every layer of a
        # TransformerDecoder is such a copy, and weights trained there expect it.
        self.__dict__.update({"activation": F.relu} | state)

    def _mha_block(
        self, x: Tensor, memory: Tensor, mask: Tensor | None, padding: Tensor | None, is_causal: bool
    ) -> Tensor:
        return self.dropout2(self.multihead_attn(x, memory, memory, padding, False, mask, is_causal=is_causal)[0])

    def _ff_block(self, x: Tensor) -> Tensor:
        return self.dropout3(self._dense(x))


class TransformerEncoder(Module):
    """A stack of `num_layers` copies of `encoder_layer`, and `norm` after the last of them if one is given.

    As in PyTorch, with `enable_nested_tensor` the output is 0 at padded places (all after those that are not) in
    evaluation without gradients, for `batch_first` layers of the common kind. `mask_check=False` does not check where
    the padding stands.
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm
        self.enable_nested_tensor, self.mask_check = enable_nested_tensor, mask_check

    def forward(
        self,
        src: Tensor,
        mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Return `src` passed through all layers; the masks are those of `MultiheadAttention`."""
        x, padding = src, F.attention.canonical_mask(src_key_padding_mask, "src_key_padding_mask", src)
        for layer in self.layers:
            x = layer(x, src_mask=mask, is_causal=bool(is_causal), src_key_padding_mask=padding)
        if padding is not None and mask is None and self._cuts_padding(src, padding):
            x = where((padding != 0).unsqueeze(-1), 0.0, x)
        return x if self.norm is None else self.norm(x)

    def _cuts_padding(self, src: Tensor, padding: Tensor) -> bool:
        """Return whether PyTorch would leave the padded places out, and fill the output with zeros there."""
        first = self.layers[0]
        if not (self.enable_nested_tensor and isinstance(first, TransformerEncoderLayer)) or first.training:
            return False
        trained = is_grad_enabled() and (src.requires_grad or any(p.requires_grad for p in first.parameters()))
        padded = padding._data != 0
        in_order = not self.mask_check or not (padded[..., :-1] & ~padded[..., 1:]).any()
        return first._is_common() and src.ndim == 3 and in_order and not trained


class TransformerDecoder(Module):
    """A stack of `num_layers` copies of `decoder_layer`, and `norm` after the last of them if one is given."""

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm

    def forward(
        self,
        tgt: Tensor,
        memory: Tensor,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return `tgt` passed through all layers, each looking at `memory`."""
        for layer in self.layers:
            tgt = layer(
                tgt,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=bool(tgt_is_causal),
                memory_is_causal=memory_is_causal,
            )
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """Encoder and decoder together, for sequences of `d_model` features (Vaswani et al., 2017, arXiv:1706.03762).

    Shapes: src (S, N, d_model), tgt and output (T, N, d_model); with `batch_first` (N, S or T, d_model); without N they
    are unbatched. All weight matrices start from Glorot's uniform distribution.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> model = nn.Transformer(8, 2, 1, 1, dim_feedforward=16)
    >>> model(mg.zeros(5, 3, 8), mg.zeros(4, 3, 8), tgt_mask=model.generate_square_subsequent_mask(4)).shape
    minigrad.Size([4, 3, 8])
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: Activation = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        kind = {"device": device, "dtype": dtype}
        layer = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        self.encoder, self.decoder = custom_encoder, custom_decoder
        if custom_encoder is None:
            one: Module = TransformerEncoderLayer(*layer, **kind)
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, **kind)
            self.encoder = TransformerEncoder(one, num_encoder_layers, norm)
        if custom_decoder is None:
            one = TransformerDecoderLayer(*layer, **kind)
            norm = LayerNorm(d_model, layer_norm_eps, bias=bias, **kind)
            self.decoder = TransformerDecoder(one, num_decoder_layers, norm)
        self._reset_parameters()
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None,
        memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Tensor:
        """Return the decoder's output for `tgt`, looking at the encoder's for `src`. Raises ShapeError on a misfit."""
        self._check_shapes(src, tgt)
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    def _check_shapes(self, src: Tensor, tgt: Tensor) -> None:
        batch = 0 if self.batch_first else 1
        if src.ndim == 3 and tgt.ndim == 3 and src.shape[batch] != tgt.shape[batch]:
            raise ShapeError(
                f"the batch number of src and tgt must be equal, got shapes {tuple(src.shape)} and {tuple(tgt.shape)}"
            )
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise ShapeError(
                f"the feature number of src and tgt must be equal to d_model, {self.d_model}, got shapes "
                f"{tuple(src.shape)} and {tuple(tgt.shape)}"
            )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """Return the float mask (sz, sz) that keeps each place from looking at later ones: 0, and -inf above.

        >>> Transformer.generate_square_subsequent_mask(2).tolist()
        [[0.0, -inf], [0.0, 0.0]]
        """
        return creation.full((sz, sz), -math.inf, dtype=dtype, device=device).triu(1)

    def _reset_parameters(self) -> None:
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)


def _activation(activation: Activation) -> Callable[[Tensor], Tensor]:
    """Return the function that a name stands for."""
    if not isinstance(activation, str):
        return activation
    if activation not in ("relu", "gelu"):
        raise ArgumentError(f"activation should be relu/gelu, not {activation}")
    return F.relu if activation == "relu" else F.gelu


def _copies(layer: Module, count: int) -> ModuleList:
    return ModuleList(copy.deepcopy(layer) for _ in range(count))

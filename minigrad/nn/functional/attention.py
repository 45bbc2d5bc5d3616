"""Attention: values weighed by how well their keys fit a query, with one head or several (arXiv:1706.03762)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from minigrad import creation
from minigrad.errors import ArgumentError, DTypeError, ShapeError
from minigrad.nn.functional.dropout import dropout
from minigrad.nn.functional.linear import linear
from minigrad.nodenames import titling
from minigrad.ops.elementwise import where
from minigrad.ops.shape import cat
from minigrad.tensor import Tensor


@titling
def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """Return softmax(query key^T * scale + mask) value, for query (..., L, E), key (..., S, E) and value (..., S, V).

    `scale` is 1 / sqrt(E) by default. A bool `attn_mask` (broadcast to (..., L, S)) is True where a query may look, a
    float one is added; `is_causal` lets query i look at the keys 0..i. A query that may look nowhere gives zeros.
    `dropout_p` leaves out weights, whether in training or not. With `enable_gqa` groups of query heads (dim -3) share a
    head of key and value. Raises ArgumentError for a mask together with `is_causal`.

    >>> import minigrad as mg
    >>> x = mg.tensor([[1.0, 0.0], [0.0, 1.0]])
    >>> scaled_dot_product_attention(x, x, x, is_causal=True)
    tensor([[1.0000, 0.0000],
            [0.3302, 0.6698]])
    """
    if is_causal and attn_mask is not None:
        raise ArgumentError("scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
    if enable_gqa:
        key, value = _repeated_heads(key, query), _repeated_heads(value, query)
    if is_causal:
        attn_mask = creation.ones(query.shape[-2], key.shape[-2], dtype=bool).tril()
    scores = _scores(query, key, _added(attn_mask, query), scale)
    weights = scores.softmax(-1) if attn_mask is None or is_causal else _softmax_or_zero(scores)
    return dropout(weights, dropout_p) @ value


def _repeated_heads(x: Tensor, query: Tensor) -> Tensor:
    """Return `x` with each head (dim -3) repeated so that there are as many as in `query`."""
    heads, wanted = x.shape[-3], query.shape[-3]
    if wanted % heads:
        raise ShapeError(
            "scaled_dot_product_attention: Number of heads in key and value must divide the number of heads in query, "
            f"got {heads} and {wanted}"
        )
    repeats = (*x.shape[:-2], wanted // heads, *x.shape[-2:])
    return x.unsqueeze(-3).expand(*repeats).reshape(*x.shape[:-3], wanted, *x.shape[-2:])


def _scores(query: Tensor, key: Tensor, mask: Tensor | None, scale: float | None) -> Tensor:
    """Return how well each key fits each query, plus the mask."""
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = (query * factor) @ key.transpose(-2, -1)
    return scores if mask is None else scores + mask


def _added(mask: Tensor | None, like: Tensor) -> Tensor | None:
    """Return a mask as what is added to the scores: where a bool one is False, -inf."""
    if mask is None or mask._data.dtype.kind == "f":
        return mask
    if mask._data.dtype.kind != "b":
        raise DTypeError(
            f"scaled_dot_product_attention: Expected attn_mask dtype to be bool or float, got {mask.dtype}"
        )
    return where(mask, creation.zeros((), dtype=like.dtype), -math.inf)


def _softmax_or_zero(scores: Tensor) -> Tensor:
    """Return the softmax over the last dim, and zeros where nothing may be looked at."""
    nowhere = np.isneginf(scores._data).all(-1, keepdims=True)
    if not nowhere.any():
        return scores.softmax(-1)
    return where(nowhere, 0.0, where(nowhere, 0.0, scores).softmax(-1))


def canonical_mask(mask: Tensor | None, name: str, like: Tensor) -> Tensor | None:
    """Return a mask of several heads as what is added to the scores: where a bool one is True, -inf.

    Raises DTypeError for a mask of another dtype than bool or a float's.
    """
    if mask is None or mask._data.dtype.kind == "f":
        return mask
    if mask._data.dtype.kind != "b":
        raise DTypeError(f"only bool and floating types of {name} are supported, got {mask.dtype}")
    return where(mask, -math.inf, creation.zeros((), dtype=like.dtype))


class Projections(NamedTuple):
    """The weights that make queries, keys and values of what a layer is given, and their biases."""

    packed: Tensor | None
    separate: tuple[Tensor | None, ...]
    bias: Tensor | None


def multi_head_attention_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Return what `nn.MultiheadAttention` returns, its weights given one by one; inputs are (length, batch, features).

    `static_k` and `static_v` (batch * heads, length, head features) stand for the projected keys and values.
    """
    separate = (q_proj_weight, k_proj_weight, v_proj_weight)
    weights = Projections(None if use_separate_proj_weight else in_proj_weight, separate, in_proj_bias)
    heads = Heads(num_heads, embed_dim_to_check, bias_k, bias_v, add_zero_attn, static_k, static_v)
    masks = (key_padding_mask, attn_mask, is_causal)
    y, seen = heads.attend(query, key, value, weights, masks, dropout_p if training else 0.0, need_weights)
    y = linear(y, out_proj_weight, out_proj_bias)
    if seen is not None and average_attn_weights:
        seen = seen.mean(-3)
    return y, seen


class Heads(NamedTuple):
    """How the features are split into heads, and what is put beside the keys and values that are given."""

    number: int
    features: int
    bias_k: Tensor | None
    bias_v: Tensor | None
    add_zero: bool
    static_k: Tensor | None
    static_v: Tensor | None

    def attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        weights: Projections,
        masks: tuple[Tensor | None, Tensor | None, bool],
        dropout_p: float,
        need_weights: bool,
    ) -> tuple[Tensor, Tensor | None]:
        """Return the heads' outputs side by side, and with `need_weights` the weights of each head."""
        padding, mask, is_causal = self._checked(query, key, value, masks, need_weights)
        batched = query.ndim == 3
        if not batched:
            query, key, value = _with_batch(query, key, value)
            padding = None if padding is None else padding.unsqueeze(0)
        batch = query.shape[1]
        q, k, v = _projected(query, key, value, weights)
        q, k, v, extra = self._split(q, k, v, batch)
        if extra:
            mask, padding = (m if m is None else _widened(m, extra) for m in (mask, padding))
        if mask is not None:
            mask = mask.unsqueeze(0) if mask.ndim == 2 else mask.reshape(batch, self.number, *mask.shape[1:])
        if padding is not None:
            padding = padding.reshape(batch, 1, 1, -1)
            mask = padding if mask is None else mask + padding
        if need_weights:
            seen = dropout(_scores(q, k, mask, None).softmax(-1), dropout_p)
            y = seen @ v
        else:
            seen = None
            y = scaled_dot_product_attention(q, k, v, mask, dropout_p, is_causal)
        y = y.permute(2, 0, 1, 3).reshape(y.shape[2], batch, self.features)
        return (y, seen) if batched else (y.squeeze(1), None if seen is None else seen.squeeze(0))

    def _checked(
        self, query: Tensor, key: Tensor, value: Tensor, masks: tuple[Tensor | None, Tensor | None, bool], weigh: bool
    ) -> tuple[Tensor | None, Tensor | None, bool]:
        """Return the masks as what is added, and whether a causal one is to be made; raise for what does not fit."""
        padding, mask, is_causal = masks
        self._check_shapes(query, key, value)
        if is_causal and mask is None:
            raise ArgumentError("Need attn_mask if specifying the is_causal hint.")
        if is_causal and padding is None and not weigh:
            return None, None, True
        lengths = (query.shape[0], key.shape[0])
        self._check_masks(padding, mask, lengths, query.shape[1] if query.ndim == 3 else 1, query.ndim == 3)
        return canonical_mask(padding, "key_padding_mask", query), canonical_mask(mask, "attn_mask", query), False

    def _check_shapes(self, query: Tensor, key: Tensor, value: Tensor) -> None:
        if query.ndim not in (2, 3) or not query.ndim == key.ndim == value.ndim:
            raise ShapeError(
                "multi_head_attention: query, key and value should all be unbatched 2D or all batched 3D tensors, got "
                f"shapes {tuple(query.shape)}, {tuple(key.shape)} and {tuple(value.shape)}"
            )
        if query.shape[-1] != self.features:
            raise ShapeError(f"was expecting embedding dimension of {self.features}, but got {query.shape[-1]}")
        if self.features % self.number:
            raise ArgumentError(f"embed_dim {self.features} not divisible by num_heads {self.number}")
        if key.shape[:-1] != value.shape[:-1]:
            raise ShapeError(
                f"key's sequence and batch dims {tuple(key.shape[:-1])} do not match value's {tuple(value.shape[:-1])}"
            )

    def _check_masks(
        self, padding: Tensor | None, mask: Tensor | None, lengths: tuple[int, int], batch: int, batched: bool
    ) -> None:
        expected: tuple[int, ...] = (batch, lengths[1]) if batched else (lengths[1],)
        if padding is not None and tuple(padding.shape) != expected:
            raise ShapeError(f"expected key_padding_mask of shape {expected}, but got {tuple(padding.shape)}")
        if mask is not None:
            expected = lengths if mask.ndim == 2 else (batch * self.number, *lengths)
            if tuple(mask.shape) != expected:
                raise ShapeError(
                    f"The shape of the {mask.ndim}D attn_mask is {tuple(mask.shape)}, but should be {expected}."
                )

    def _split(self, q: Tensor, k: Tensor, v: Tensor, batch: int) -> tuple[Tensor, Tensor, Tensor, int]:
        """Return q, k, v as (batch, head, length, features of a head), and how many keys were put after those given."""
        extra = 0
        if self.bias_k is not None and self.bias_v is not None:
            k = cat([k, self.bias_k.expand(1, batch, -1)])
            v = cat([v, self.bias_v.expand(1, batch, -1)])
            extra += 1
        q = self._by_head(q)
        k = self._by_head(k) if self.static_k is None else _static(self.static_k, batch, self.number)
        v = self._by_head(v) if self.static_v is None else _static(self.static_v, batch, self.number)
        if self.add_zero:
            k, v = (cat([x, creation.zeros((*x.shape[:2], 1, x.shape[3]), dtype=x.dtype)], 2) for x in (k, v))
            extra += 1
        return q, k, v, extra

    def _by_head(self, x: Tensor) -> Tensor:
        length, batch, features = x.shape
        return x.reshape(length, batch, self.number, features // self.number).permute(1, 2, 0, 3)


def _static(x: Tensor, batch: int, heads: int) -> Tensor:
    return x.reshape(batch, heads, *x.shape[1:])


def _with_batch(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the three with a batch of one; those that are one tensor stay one."""
    q = query.unsqueeze(1)
    k = q if key is query else key.unsqueeze(1)
    return q, k, (k if value is key else q if value is query else value.unsqueeze(1))


def _projected(query: Tensor, key: Tensor, value: Tensor, weights: Projections) -> tuple[Tensor, ...]:
    """Return queries, keys and values; those of one tensor by packed weights come from a single product."""
    if weights.packed is not None and query is key and key is value:
        return linear(query, weights.packed, weights.bias).chunk(3, -1)
    if weights.packed is None:
        parts: tuple[Tensor | None, ...] = weights.separate
    else:
        parts = weights.packed.chunk(3)
    biases = (None,) * 3 if weights.bias is None else weights.bias.chunk(3)
    sources = (query, key, value)
    return tuple(linear(x, w, b) for x, w, b in zip(sources, parts, biases, strict=True) if w is not None)


def _widened(mask: Tensor, extra: int) -> Tensor:
    """Return a mask that lets every query see the `extra` keys put after those that were given."""
    return cat([mask, creation.zeros((*mask.shape[:-1], extra), dtype=mask.dtype)], -1)

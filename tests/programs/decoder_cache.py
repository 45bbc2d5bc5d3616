"""Attention by einsum, RoPE, ALiBi, grouped queries, KV cache, RMSNorm: a small LLaMA-like decoder."""

import math
from dataclasses import dataclass
from typing import Optional, Tuple

import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass
class ModelArgs:
    dim: int = 16
    n_layers: int = 2
    n_heads: int = 4
    n_kv_heads: Optional[int] = 2
    vocab_size: int = 13
    norm_eps: float = 1e-5
    max_seq_len: int = 16


class RMSNorm(torch.nn.Module):
    def __init__(self, dim: int, eps: float = 1e-6):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def _norm(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)

    def forward(self, x):
        return self._norm(x.float()).type_as(x) * self.weight


def rope(x, pos, theta=10000.0):
    d = x.shape[-1]
    freqs = 1.0 / (theta ** (torch.arange(0, d, 2)[: (d // 2)].float() / d))
    ang = torch.outer(pos.float(), freqs)
    cos, sin = ang.cos()[None, :, None], ang.sin()[None, :, None]
    x1, x2 = x[..., ::2], x[..., 1::2]
    return torch.stack((x1 * cos - x2 * sin, x1 * sin + x2 * cos), dim=-1).flatten(-2)


class Attention(nn.Module):
    def __init__(self, a: ModelArgs):
        super().__init__()
        self.h, self.kv, self.hd = a.n_heads, a.n_kv_heads or a.n_heads, a.dim // a.n_heads
        self.wq = nn.Linear(a.dim, self.h * self.hd, bias=False)
        self.wk = nn.Linear(a.dim, self.kv * self.hd, bias=False)
        self.wv = nn.Linear(a.dim, self.kv * self.hd, bias=False)
        self.wo = nn.Linear(self.h * self.hd, a.dim, bias=False)
        self.register_buffer(
            "mask", torch.full((1, 1, a.max_seq_len, a.max_seq_len), float("-inf")).triu(1), persistent=False
        )

    def forward(self, x, cache: Optional[Tuple[torch.Tensor, torch.Tensor]] = None):
        B, T, _ = x.shape
        start = 0 if cache is None else cache[0].shape[1]
        pos = torch.arange(start, start + T)
        q = rope(self.wq(x).view(B, T, self.h, self.hd), pos)
        k = rope(self.wk(x).view(B, T, self.kv, self.hd), pos)
        v = self.wv(x).view(B, T, self.kv, self.hd)
        if cache is not None:
            k, v = torch.cat([cache[0], k], 1), torch.cat([cache[1], v], 1)
        kk, vv = (t.repeat_interleave(self.h // self.kv, dim=2) for t in (k, v))
        s = torch.einsum("bqhd,bkhd->bhqk", q, kk) / math.sqrt(self.hd)
        s = s + self.mask[:, :, start : start + T, : start + T]
        o = torch.einsum("bhqk,bkhd->bqhd", F.softmax(s.float(), dim=-1).type_as(q), vv)
        return self.wo(o.reshape(B, T, -1)), (k, v)


class Block(nn.Module):
    def __init__(self, a):
        super().__init__()
        self.attention = Attention(a)
        self.w1, self.w2, self.w3 = (
            nn.Linear(a.dim, 24, bias=False),
            nn.Linear(24, a.dim, bias=False),
            nn.Linear(a.dim, 24, bias=False),
        )
        self.n1, self.n2 = RMSNorm(a.dim, a.norm_eps), RMSNorm(a.dim, a.norm_eps)

    def forward(self, x, cache=None):
        h, cache = self.attention(self.n1(x), cache)
        x = x + h
        y = self.n2(x)
        return x + self.w2(F.silu(self.w1(y)) * self.w3(y)), cache


class Llama(nn.Module):
    def __init__(self, a):
        super().__init__()
        self.tok = nn.Embedding(a.vocab_size, a.dim)
        self.layers = nn.ModuleList(Block(a) for _ in range(a.n_layers))
        self.norm = RMSNorm(a.dim)
        self.output = nn.Linear(a.dim, a.vocab_size, bias=False)
        self.apply(self._init_weights)

    def _init_weights(self, module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            torch.nn.init.normal_(module.weight, mean=0.0, std=0.2)

    def forward(self, idx, caches=None):
        x, new = self.tok(idx), []
        for layer, c in zip(self.layers, caches or [None] * len(self.layers)):
            x, c = layer(x, c)
            new.append(c)
        return self.output(self.norm(x)), new


torch.manual_seed(1337)
model = Llama(ModelArgs())
print(ModelArgs(), model, sep="\n")
data = torch.arange(200) ** 2 % 13
opt = torch.optim.AdamW(model.parameters(), lr=1e-2, betas=(0.9, 0.95), fused=False)
for it in range(12):
    ix = torch.randint(len(data) - 12, (8,))
    x = torch.stack([data[i : i + 12] for i in ix])
    y = torch.stack([data[i + 1 : i + 13] for i in ix])
    logits, _ = model(x)
    loss = F.cross_entropy(logits.view(-1, logits.size(-1)), y.view(-1), ignore_index=-1)
    opt.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    opt.step()
    if it % 3 == 0:
        print(f"step {it}: {loss.item():.4f}")


@torch.no_grad()
def generate(idx, n, temperature=0.8, top_k=5, top_p=0.9):
    caches, cur = None, idx
    for _ in range(n):
        logits, caches = model(cur, caches)
        logits = logits[:, -1, :] / temperature
        v, _ = torch.topk(logits, min(top_k, logits.size(-1)))
        logits[logits < v[:, [-1]]] = -float("Inf")
        probs = F.softmax(logits, dim=-1)
        ps, order = torch.sort(probs, dim=-1, descending=True)
        drop = torch.cumsum(ps, dim=-1) - ps > top_p
        ps[drop] = 0.0
        ps.div_(ps.sum(dim=-1, keepdim=True))
        nxt = torch.gather(order, -1, torch.multinomial(ps, num_samples=1))
        idx, cur = torch.cat((idx, nxt), dim=1), nxt
    return idx


print(generate(torch.zeros((2, 1), dtype=torch.long), 10).tolist())
full, _ = model(x[:1])
part, c = model(x[:1, :7])
rest, _ = model(x[:1, 7:], c)
print(torch.allclose(torch.cat([part, rest], 1), full, atol=1e-5), full[0, -1, :5])
q = torch.randn(2, 4, 6, 8)
print(
    torch.allclose(
        F.scaled_dot_product_attention(q, q, q, is_causal=True),
        torch.softmax((q @ q.mT / 8**0.5).masked_fill(torch.ones(6, 6).tril() == 0, float("-inf")), -1) @ q,
        atol=1e-5,
    )
)
print(
    torch.einsum("ii->i", torch.eye(3)),
    torch.einsum("bij,bjk->bik", q[0], q[1].mT).shape,
    torch.einsum("...d,...d->...", q, q)[0, 0],
)

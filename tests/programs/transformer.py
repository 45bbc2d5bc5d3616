"""A block of the transformer written out, and PyTorch's own encoder."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)


class Block(nn.Module):
    def __init__(self, dim, heads, length):
        super().__init__()
        self.heads = heads
        self.ln1, self.ln2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))
        self.register_buffer("mask", torch.tril(torch.ones(length, length)).view(1, 1, length, length))

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.qkv(self.ln1(x)).split(C, dim=2)
        q, k, v = (t.view(B, T, self.heads, C // self.heads).transpose(1, 2) for t in (q, k, v))
        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
        att = att.masked_fill(self.mask[:, :, :T, :T] == 0, float("-inf"))
        y = F.softmax(att, dim=-1) @ v
        y = y.transpose(1, 2).contiguous().view(B, T, C)
        x = x + self.proj(y)
        return x + self.mlp(self.ln2(x))


block = Block(8, 2, 6)
x = torch.randn(2, 5, 8, requires_grad=True)
out = block(x)
print(out[0, :2], block)
out.pow(2).mean().backward()
print(x.grad[0, 0], block.qkv.weight.grad.norm())

q, k, v = torch.randn(3, 2, 4, 8).unbind(0)
print(F.scaled_dot_product_attention(q, k, v, is_causal=True)[0, 0])

attention = nn.MultiheadAttention(8, 2, batch_first=True)
y, weights = attention(q, k, v)
print(y.shape, weights[0])

layer = nn.TransformerEncoderLayer(d_model=8, nhead=2, dim_feedforward=16, dropout=0.0, batch_first=True)
encoder = nn.TransformerEncoder(layer, num_layers=2, enable_nested_tensor=False)
mask = nn.Transformer.generate_square_subsequent_mask(5)
h = encoder(torch.randn(2, 5, 8), mask=mask)
print(h[1, -1], mask[0, :2], sum(p.numel() for p in encoder.parameters()))
optimizer = torch.optim.AdamW(encoder.parameters(), lr=1e-2)
source = torch.randn(2, 5, 8)
for step in range(5):
    loss = F.mse_loss(encoder(source), source)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(f"{step} {loss.item():.5f}")

"""Broadcasting, promotion of dtypes, reductions."""

import torch

a = torch.arange(3.0).reshape(3, 1)
b = torch.arange(4.0)
print(a + b, (a * b).shape, (a.expand(3, 4) == a).all())
print((torch.ones(2, 1, 3) + torch.ones(4, 1)).shape, torch.broadcast_to(b, (2, 4)))
i, f, d = torch.tensor([1, 2]), torch.tensor([0.5, 0.25]), torch.tensor([1.0], dtype=torch.float64)
print((i + f).dtype, (f + d).dtype, (i / i).dtype, (i // 2).dtype, (i * 2.5).dtype, (i > 1).dtype, (f + 2).dtype)
print(i / 2, i // 2, i % 2, -i, i**2, 2**i, 1 / f, 7 - i, torch.true_divide(i, 4))
x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
print(x.sum(), x.sum(0), x.sum(dim=1, keepdim=True), x.mean(axis=1), x.prod(), x.std(), x.var(dim=0, unbiased=False))
print(x.max(), x.min(dim=0), x.argmax(), x.argmin(dim=1), x.cumsum(1), x.norm(), x.norm(p=1, dim=1))
print(x.median(), x.any(), (x > 0).all(dim=0), torch.logsumexp(x, 1), x.softmax(-1))
print(x.clamp(2, 5), x.round(), x.sqrt(), x.exp().log(), torch.maximum(x, x.flip(1)), x.T @ x)
print(torch.allclose(x, x + 1e-9), torch.isnan(torch.tensor([float("nan"), 1.0])), torch.tensor(float("inf")))
print(x.int(), x.long().dtype, x.bool(), x.half().dtype, x.type(torch.float64), x.to(torch.int32).dtype)
w = torch.ones(3, 1, requires_grad=True)
(w * torch.arange(12.0).reshape(3, 4)).sum().backward()
print(w.grad)
try:
    torch.ones(2, 3) + torch.ones(2, 4)
except RuntimeError as error:
    print("RuntimeError:", "must match" in str(error))
try:
    torch.ones(2, 3) @ torch.ones(2, 3)
except RuntimeError:
    print("RuntimeError: mat1 and mat2")

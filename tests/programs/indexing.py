"""Indexing, read and written."""

import torch

x = torch.arange(24).reshape(2, 3, 4)
print(x[0], x[1, 2], x[1, 2, 3], x[-1, -1, -1].item())
print(x[:, 1], x[..., 0], x[:, :, 1:3], x[:, ::2])
print(x[None].shape, x[:, None, :, 0].shape, x[0, ..., None].shape)
print(x[torch.tensor([1, 0, 1])][:, 0], x[[0, 1], [2, 0]], x[0][torch.tensor([[0, 1], [2, 2]])].shape)
mask = x % 5 == 0
print(x[mask], mask.sum(), x[x > 20], mask.nonzero())
y = x.clone()
y[0] = -1
y[1, 1:, ::2] = torch.tensor([100, 200])
y[mask] = 0
print(y)
y[:, 0, torch.tensor([0, 3])] += 7
print(y[:, 0])
print(x.gather(2, torch.tensor([[[0], [1], [2]], [[3], [2], [1]]])).squeeze(-1))
print(x.index_select(1, torch.tensor([2, 0]))[0], torch.take(x, torch.tensor([0, 5, 23])))
z = torch.zeros(3, 5)
z.scatter_(1, torch.tensor([[0], [2], [4]]), 1.0)
print(z)
z.index_add_(0, torch.tensor([0, 0]), torch.ones(2, 5))
print(z)
print(torch.where(x > 10, x, -x)[1], x.masked_fill(x < 12, 0)[0])
print(torch.masked_select(x, x < 3), x.flip(0)[0, 0], x.roll(1, 2)[0], x.diagonal(dim1=1, dim2=2))
i, j = torch.tensor([0, 1]), torch.tensor([1, 2])
print(x[0][i, j], x[0, i], x.permute(2, 0, 1)[0], x.transpose(0, 2).shape)
w = torch.arange(6.0, requires_grad=True)
(w[torch.tensor([1, 1, 4])] * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
print(w.grad)
values, indices = torch.tensor([[3, 1, 2], [9, 7, 8]]).max(dim=1)
print(values, indices, torch.tensor([3.0, 1.0, 2.0]).sort(), torch.tensor([3, 1, 2]).argsort())
print(torch.tensor([1.0, 5.0, 3.0, 4.0]).topk(2), torch.unique(torch.tensor([3, 1, 3, 2])))
try:
    x[2]
except IndexError as error:
    print("IndexError:", "out of bounds" in str(error))

"""Tensors: made, described, joined, computed with, shared with NumPy."""

import numpy as np
import torch

data = [[1, 2], [3, 4]]
x_data = torch.tensor(data)
x_np = torch.from_numpy(np.array(data))
print(x_data, x_data.dtype, x_np.dtype)

x_ones = torch.ones_like(x_data)
print(f"Ones Tensor: \n {x_ones} \n")
torch.manual_seed(0)
x_rand = torch.rand_like(x_data, dtype=torch.float)
print(f"Random Tensor: \n {x_rand} \n")

shape = (2, 3)
print(torch.rand(shape), torch.ones(shape), torch.zeros(shape))

tensor = torch.rand(3, 4)
print(f"Shape of tensor: {tensor.shape}")
print(f"Datatype of tensor: {tensor.dtype}")
print(f"Device tensor is stored on: {tensor.device}")
if torch.accelerator.is_available():
    tensor = tensor.to(torch.accelerator.current_accelerator())

tensor = torch.ones(4, 4)
print(f"First row: {tensor[0]}")
print(f"First column: {tensor[:, 0]}")
print(f"Last column: {tensor[..., -1]}")
tensor[:, 1] = 0
print(tensor)
t1 = torch.cat([tensor, tensor, tensor], dim=1)
print(t1, t1.shape)

y1 = tensor @ tensor.T
y2 = tensor.matmul(tensor.T)
z1 = tensor * tensor
print(y1, torch.equal(y1, y2), z1.mul(2))
agg = tensor.sum()
print(agg.item(), type(agg.item()), agg)
tensor.add_(5)
print(tensor)

t = torch.ones(5)
n = t.numpy()
t.add_(1)
print(t, n)
np.add(n, 1, out=n)
print(t, n, type(t))
print(torch.arange(12).reshape(3, 4), torch.linspace(0, 1, 5), torch.eye(3), torch.full((2, 2), 7))
print(torch.tensor([]), torch.tensor(3.5), torch.tensor([True, False]), torch.tensor([1e-5, 1000.0, 2.5]))
print(torch.empty(0, 3).shape, torch.arange(2000), len(t), t.size(0), t.numel(), t.dim())

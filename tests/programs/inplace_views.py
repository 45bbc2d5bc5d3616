"""Views that share memory, writes in place, and what autograd makes of them."""

import numpy as np
import torch

x = torch.zeros(2, 3)
v = x.view(6)
v[0] = 1
x[1] = torch.tensor([4.0, 5.0, 6.0])
print(v, x.t(), x.T[0], v.data_ptr() == x.data_ptr())
row = x[0]
row.add_(10).mul_(2)
print(x, x.is_contiguous(), x.t().is_contiguous(), x.stride(), x.t().stride())
y = x.t().contiguous()
y.fill_(0)
print(x.sum(), y)
print(x.view(-1, 2), x.reshape(3, 2), x.flatten(), x.unsqueeze(1).shape, x.unsqueeze(0).squeeze().shape)
print(x.narrow(1, 0, 2), x.split(2, dim=1), x.chunk(2), torch.stack([x, x]).shape, x.unbind(0)[1])
array = np.arange(4.0)
t = torch.from_numpy(array)
t[0] = 9
array[1] = 8
print(t, array, torch.tensor(array).dtype, torch.as_tensor(array).dtype)

w = torch.ones(3, requires_grad=True)
h = w * 2
h[0] = 0
h += 1
h[1:].mul_(3)
print(h)
h.sum().backward()
print(w.grad)
w.data.fill_(5)
with torch.no_grad():
    w -= 1
    w[0] = 0
print(w, w.grad.zero_())
w.grad = None
print(w.grad, w.detach() is w, w.detach().requires_grad)
try:
    w += 1
except RuntimeError as error:
    print("RuntimeError:", "leaf Variable" in str(error))
try:
    e = w.exp()
    e += 1
    e.sum().backward()
except RuntimeError as error:
    print("RuntimeError:", "modified by an inplace operation" in str(error))
c = x.clone()
c.zero_()
c.copy_(torch.arange(3.0))
print(c, torch.zeros(3).uniform_(1, 1), torch.empty(2).normal_(3, 0))
print(x.new_zeros(2), x.new_ones(1, 2), x.new_tensor([1, 2]), torch.zeros_like(x).shape, torch.relu_(-x))

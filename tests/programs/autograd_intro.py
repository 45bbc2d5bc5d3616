"""Autograd: gradients of a few formulas, kept, added up, and switched off."""

import torch

x = torch.ones(5)
y = torch.zeros(3)
torch.manual_seed(1)
w = torch.randn(5, 3, requires_grad=True)
b = torch.randn(3, requires_grad=True)
z = torch.matmul(x, w) + b
loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y)
print(f"loss = {loss.item():.6f}", z.requires_grad, loss.requires_grad)
loss.backward()
print(w.grad)
print(b.grad)

with torch.no_grad():
    z = torch.matmul(x, w) + b
print(z.requires_grad, (torch.matmul(x, w) + b).detach().requires_grad)

inp = torch.eye(4, 5, requires_grad=True)
out = (inp + 1).pow(2).t()
out.backward(torch.ones_like(out), retain_graph=True)
print(f"First call\n{inp.grad}")
out.backward(torch.ones_like(out), retain_graph=True)
print(f"\nSecond call\n{inp.grad}")
inp.grad.zero_()
out.backward(torch.ones_like(out), retain_graph=True)
print(f"\nCall after zeroing gradients\n{inp.grad}")

a = torch.tensor([2.0, 3.0], requires_grad=True)
c = torch.tensor([6.0, 4.0], requires_grad=True)
Q = 3 * a**3 - c**2
Q.backward(gradient=torch.tensor([1.0, 1.0]))
print(9 * a**2 == a.grad, -2 * c == c.grad)

h = a * 2
h.retain_grad()
(h * h).sum().backward()
print(h.grad, a.grad, h.is_leaf, a.is_leaf)

(g,) = torch.autograd.grad((a**4).sum(), a, create_graph=True)
(gg,) = torch.autograd.grad(g.sum(), a)
print(g.detach(), gg)

try:
    s = (a * c).sum()
    s.backward()
    s.backward()
except RuntimeError as error:
    print("RuntimeError:", "second time" in str(error))

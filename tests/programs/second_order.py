"""Jacobians, Hessians, and gradients of gradients."""

import torch
from torch.autograd.functional import hessian, jacobian


def f(x):
    return (x**3).sum() + x[0] * x[1]


x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
print(jacobian(lambda t: t**2, x.detach()), hessian(f, x.detach()))
(g,) = torch.autograd.grad(f(x), x, create_graph=True)
rows = [torch.autograd.grad(g[i], x, retain_graph=True)[0] for i in range(3)]
print(g.detach(), torch.stack(rows))

torch.manual_seed(0)
critic = torch.nn.Sequential(torch.nn.Linear(2, 4), torch.nn.Tanh(), torch.nn.Linear(4, 1))
points = torch.randn(5, 2, requires_grad=True)
scores = critic(points)
grads = torch.autograd.grad(
    outputs=scores, inputs=points, grad_outputs=torch.ones_like(scores), create_graph=True, retain_graph=True
)[0]
penalty = ((grads.norm(2, dim=1) - 1) ** 2).mean()
penalty.backward()
print(f"{penalty.item():.6f}", critic[0].weight.grad)

theta = torch.tensor(0.5, requires_grad=True)
inner = theta - 0.1 * torch.autograd.grad((theta - 2) ** 2, theta, create_graph=True)[0]
outer = (inner - 3) ** 2
outer.backward()
print(inner, theta.grad)
print(torch.func.grad(lambda t: (t**3).sum())(torch.tensor([1.0, 2.0])))

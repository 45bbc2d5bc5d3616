"""MAML on sinusoids with functional_call and second-order gradients."""

import math

import torch
from torch import nn
from torch.func import functional_call, grad, vmap

torch.manual_seed(0)


def sample_task(k=10):
    amp = torch.empty(1).uniform_(0.1, 5.0)
    phase = torch.empty(1).uniform_(0, math.pi)
    x = torch.empty(2 * k, 1).uniform_(-5, 5)
    y = amp * torch.sin(x + phase)
    return x[:k], y[:k], x[k:], y[k:]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(1, 24)
        self.fc2 = nn.Linear(24, 24)
        self.fc3 = nn.Linear(24, 1)

    def forward(self, x):
        x = torch.tanh(self.fc1(x))
        return self.fc3(nn.functional.relu(self.fc2(x)))


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
inner_lr = 0.01
mse = nn.MSELoss()


def adapt(params, xs, ys, steps=2, create_graph=True):
    for _ in range(steps):
        loss = mse(functional_call(net, params, (xs,)), ys)
        grads = torch.autograd.grad(loss, tuple(params.values()), create_graph=create_graph)
        params = {name: p - inner_lr * g for (name, p), g in zip(params.items(), grads)}
    return params


for it in range(8):
    opt.zero_grad()
    total = 0.0
    for _ in range(3):
        xs, ys, xq, yq = sample_task()
        fast = adapt(dict(net.named_parameters()), xs, ys)
        qloss = mse(functional_call(net, fast, xq), yq) / 3
        qloss.backward()
        total += qloss.item()
    opt.step()
    print(f"iteration {it:2d}: query loss {total:.6f}, |grad fc1| {net.fc1.weight.grad.norm():.6f}")

params = {k: v.detach() for k, v in net.named_parameters()}


def compute_loss(params, x, y):
    return mse(functional_call(net, params, (x.unsqueeze(0),)), y.unsqueeze(0))


xs, ys, xq, yq = sample_task(4)
g = grad(compute_loss)(params, xs[0], ys[0])
print({k: v.shape for k, v in g.items()}, g["fc3.bias"])
per_sample = vmap(grad(compute_loss), in_dims=(None, 0, 0))(params, xs, ys)
for k, v in per_sample.items():
    print(k, tuple(v.shape), f"{v.norm():.5f}")
second = grad(lambda p: sum((t**2).sum() for t in grad(compute_loss)(p, xs[0], ys[0]).values()))(params)
print(second["fc2.bias"][:6])
print({n: tuple(p.shape) for n, p in net.named_parameters()})

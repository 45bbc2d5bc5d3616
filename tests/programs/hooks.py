"""Hooks on modules and tensors."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
activations = {}


def keep(name):
    def hook(module, args, output):
        activations[name] = output.detach()

    return hook


handles = [layer.register_forward_hook(keep(f"layer{i}")) for i, layer in enumerate(model)]
x = torch.randn(5, 4)
y = model(x)
for name, value in activations.items():
    print(name, value.shape, f"{value.mean():.5f} {value.std():.5f}")
for handle in handles:
    handle.remove()
activations.clear()
model(x)
print(len(activations))

doubled = model[1].register_forward_hook(lambda m, i, o: o * 2)
pre = model[0].register_forward_pre_hook(lambda m, args: (args[0] + 1,))
print(model(x)[0])
doubled.remove()
pre.remove()

a = torch.tensor([1.0, 2.0], requires_grad=True)
b = a * 3
seen = []
handle = b.register_hook(lambda g: seen.append(g.clone()))
b.register_hook(lambda g: g * 10)
b.sum().backward()
print(seen, a.grad)
handle.remove()


def show(module, grad_input, grad_output):
    print(type(module).__name__, [None if g is None else tuple(g.shape) for g in grad_output])


h = model[2].register_full_backward_hook(show)
model(x).sum().backward()
h.remove()
print(model[0].weight.grad.norm())

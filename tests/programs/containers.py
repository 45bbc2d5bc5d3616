"""Modules made of modules: lists, dicts, buffers, sharing, freezing, printing."""

from collections import OrderedDict

import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])
        self.heads = nn.ModuleDict({"a": nn.Linear(4, 1), "b": nn.Linear(4, 2)})
        self.scale = nn.Parameter(torch.ones(1))
        self.register_buffer("count", torch.zeros((), dtype=torch.long))
        self.act = nn.LeakyReLU(0.1, inplace=True)

    def forward(self, x, head="a"):
        for layer in self.layers:
            x = self.act(layer(x)) * self.scale
        self.count += 1
        return self.heads[head](x)


torch.manual_seed(0)
net = Net()
print(net)
print(net(torch.ones(2, 4)), net(torch.ones(1, 4), head="b"), net.count)
print(list(net.state_dict()), [n for n, _ in net.named_children()])
for p in net.layers.parameters():
    p.requires_grad = False
print(sum(p.numel() for p in net.parameters() if p.requires_grad), len(net.layers), "a" in net.heads)
net.layers.append(nn.Linear(4, 4))
print(net.training, net.eval().training, net.train().layers[0].training, net.layers[-1])

block = nn.Sequential(OrderedDict([("conv", nn.Conv2d(3, 8, 3, padding=1)), ("pool", nn.AdaptiveAvgPool2d(1))]))
block.add_module("flat", nn.Flatten())
print(block, block.conv, block[1], len(block), block(torch.ones(2, 3, 5, 5)).shape)
shared = nn.Linear(3, 3)
tied = nn.Sequential(shared, nn.ReLU(), shared)
print(len(list(tied.parameters())), tied[0].weight is tied[2].weight)
y = F.avg_pool2d(F.max_pool2d(torch.arange(16.0).view(1, 1, 4, 4), 2), 2)
print(y, nn.Identity()(y) is y, nn.Dropout2d(0.2), nn.Upsample(scale_factor=2), nn.GRU(2, 3), nn.BCEWithLogitsLoss())
print(net.double().scale.dtype, net.float().scale.dtype, next(net.parameters()).device)
try:
    net.missing
except AttributeError as error:
    print("AttributeError:", "has no attribute 'missing'" in str(error))

"""Saving and loading: state dicts, a checkpoint to go on from, parts of a model."""

import os
import tempfile

import torch
from torch import nn, optim

torch.manual_seed(0)
folder = tempfile.mkdtemp()
path = os.path.join(folder, "checkpoint.tar")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 8)
        self.bn = nn.BatchNorm1d(8)
        self.fc2 = nn.Linear(8, 1)

    def forward(self, x):
        return self.fc2(torch.relu(self.bn(self.fc1(x))))


def steps(net, optimizer, count):
    for _ in range(count):
        optimizer.zero_grad()
        loss = net(x).pow(2).mean()
        loss.backward()
        optimizer.step()
    return loss.item()


x = torch.randn(16, 4)
net = Net()
optimizer = optim.Adam(net.parameters(), lr=0.01)
print("Model's state_dict:")
for param_tensor in net.state_dict():
    print(param_tensor, "\t", net.state_dict()[param_tensor].size())
loss = steps(net, optimizer, 5)
torch.save(
    {"epoch": 5, "model_state_dict": net.state_dict(), "optimizer_state_dict": optimizer.state_dict(), "loss": loss},
    path,
)
after = steps(net, optimizer, 5)

net2 = Net()
optimizer2 = optim.Adam(net2.parameters(), lr=0.5)
checkpoint = torch.load(path, weights_only=True)
net2.load_state_dict(checkpoint["model_state_dict"])
optimizer2.load_state_dict(checkpoint["optimizer_state_dict"])
print(checkpoint["epoch"], f"{checkpoint['loss']:.6f}", sorted(checkpoint), optimizer2.param_groups[0]["lr"])
print(f"{after:.6f} {steps(net2, optimizer2, 5):.6f}")

partial = {k: v for k, v in net.state_dict().items() if not k.startswith("fc2")}
print(Net().load_state_dict(partial, strict=False))
try:
    Net().load_state_dict(partial)
except RuntimeError as error:
    print(error)
torch.save([torch.arange(3), {"a": (1, 2.5, None, True, "s")}], path)
print(torch.load(path))
torch.save(net.state_dict(), path)
print(list(torch.load(path, map_location=torch.device("cpu")))[:2], type(net.state_dict()).__name__)

"""Initial values: nn.init's functions, apply, and the defaults of layers."""

import torch
import torch.nn as nn
import torch.nn.init as init

torch.manual_seed(0)
w = torch.empty(3, 5)
print(init.uniform_(w)[0], init.normal_(w, 0, 0.01)[0], init.constant_(w, 0.3)[0])
print(init.xavier_uniform_(w, gain=init.calculate_gain("relu"))[0], init.xavier_normal_(w)[0])
print(init.kaiming_uniform_(w, mode="fan_in", nonlinearity="relu")[0], init.kaiming_normal_(w, mode="fan_out")[0])
print(init.eye_(w), init.zeros_(w).sum(), init.ones_(w).sum(), init.trunc_normal_(w, std=0.02)[0])
q = init.orthogonal_(torch.empty(3, 3))
print(torch.allclose(q @ q.T, torch.eye(3), atol=1e-5))


def init_weights(m):
    if isinstance(m, nn.Linear):
        torch.nn.init.xavier_uniform_(m.weight)
        m.bias.data.fill_(0.01)
    elif type(m) is nn.Conv2d:
        nn.init.kaiming_normal_(m.weight)
        nn.init.zeros_(m.bias)


net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 3), nn.Sequential(nn.Linear(3, 2)))
net.apply(init_weights)
for name, p in net.named_parameters():
    print(name, p.detach().flatten()[:4])
for layer in (
    nn.Linear(4, 2),
    nn.Conv2d(2, 3, 3),
    nn.Embedding(5, 3),
    nn.BatchNorm2d(3),
    nn.LayerNorm(4),
    nn.Conv1d(2, 2, 3),
    nn.LSTM(3, 2),
    nn.ConvTranspose2d(2, 3, 2),
):
    print(layer, [round(p.detach().abs().sum().item(), 4) for p in layer.parameters()])

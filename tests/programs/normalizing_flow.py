"""A normalizing flow of affine coupling layers, trained on an arc of points, its volume checked against the Jacobian."""

import math

import torch
from torch import distributions as D
from torch import nn

torch.manual_seed(0)


class Coupling(nn.Module):
    """Scale and shift one coordinate by functions of the other."""

    def __init__(self, keep, hidden=12):
        super().__init__()
        self.register_buffer("keep", torch.tensor([keep, 1 - keep], dtype=torch.float32))
        self.net = nn.Sequential(nn.Linear(2, hidden), nn.LeakyReLU(0.1), nn.Linear(hidden, 4))
        nn.init.zeros_(self.net[-1].bias)

    def parts(self, x):
        s, t = self.net(x * self.keep).chunk(2, dim=-1)
        free = 1 - self.keep
        return torch.tanh(s) * free, t * free

    def forward(self, x):
        s, t = self.parts(x)
        return x * s.exp() + t, s.sum(-1)

    def inverse(self, y):
        s, t = self.parts(y)
        return (y - t) * torch.exp(-s)


class Flow(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = nn.ModuleList(Coupling(i % 2) for i in range(layers))

    def forward(self, x):
        volume = x.new_zeros(x.shape[:-1])
        for layer in self.layers:
            x, more = layer(x)
            volume += more
        return x, volume

    def sample(self, base, n):
        with torch.no_grad():
            x = base.sample((n,))
            for layer in reversed(self.layers):
                x = layer.inverse(x)
        return x


base = D.MultivariateNormal(torch.zeros(2), covariance_matrix=torch.eye(2))
print(base, base.scale_tril)
flow = Flow(4)
print(flow, list(flow.state_dict())[:3])
optimizer = torch.optim.AdamW(flow.parameters(), lr=5e-3, amsgrad=True)
schedule = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=10, T_mult=2)
for step in range(30):
    angle = math.pi * torch.rand(64)
    x = torch.stack((angle.cos(), angle.sin()), 1) + 0.1 * torch.randn(64, 2)
    z, volume = flow(x)
    loss = -(base.log_prob(z) + volume).mean()
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    schedule.step()
    if step % 6 == 0:
        print(f"step {step:2d}  nll {loss:.5f}  lr {schedule.get_last_lr()[0]:.5f}")
x = flow.sample(base, 5)
z, volume = flow(x)
print(x, volume)
back = z
for layer in reversed(flow.layers):
    back = layer.inverse(back)
print(torch.allclose(back, x, atol=1e-5))
jacobian = torch.autograd.functional.jacobian(lambda v: flow(v)[0], x[0])
print(jacobian, torch.linalg.slogdet(jacobian), torch.linalg.det(jacobian))
warped = D.TransformedDistribution(D.Normal(0.0, 1.0), [D.AffineTransform(1.0, 2.0), D.ExpTransform()])
print(warped.log_prob(torch.tensor([0.5, 2.0])), warped.sample((3,)))

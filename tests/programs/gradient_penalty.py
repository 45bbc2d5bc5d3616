"""A critic held to slopes of 1 by a penalty on its gradient, which is differentiated again, and its generator."""

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)


def real(n):
    centers = torch.tensor([[2.0, 0.0], [-1.0, 1.7], [-1.0, -1.7]])
    return centers[torch.randint(len(centers), (n,))] + torch.randn(n, 2) * 0.1


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(2, 24), nn.Linear(24, 24), nn.Linear(24, 1)
        self.norm = nn.LayerNorm(24)

    def forward(self, x):
        x = self.norm(F.silu(self.a(x)))
        return self.c(F.softplus(self.b(x))).squeeze(1)


def penalty(critic, x, y):
    share = torch.rand(len(x), 1)
    between = torch.lerp(x, y, share).requires_grad_()
    score = critic(between)
    (slope,) = torch.autograd.grad(score, between, torch.ones_like(score), create_graph=True)
    return (slope.norm(dim=1) - 1).square().mean()


generator = nn.Sequential(
    nn.Linear(3, 16, bias=False), nn.BatchNorm1d(16, momentum=0.2), nn.LeakyReLU(0.2, inplace=True), nn.Linear(16, 2)
)
critic = Critic()
print(generator, critic, sep="\n")
g_steps = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.9))
c_steps = torch.optim.RMSprop(critic.parameters(), lr=2e-3)
for step in range(24):
    x, fake = real(32), generator(torch.randn(32, 3)).detach()
    extra = penalty(critic, x, fake)
    c_loss = critic(fake).mean() - critic(x).mean() + 10 * extra
    c_steps.zero_grad()
    c_loss.backward()
    c_steps.step()
    if step % 4 == 3:
        critic.requires_grad_(False)
        g_loss = critic(generator(torch.randn(32, 3))).mean().neg()
        g_steps.zero_grad()
        g_loss.backward()
        g_steps.step()
        critic.requires_grad_(True)
        print("step %2d critic %.5f generator %.5f penalty %.5f" % (step, c_loss.item(), g_loss.item(), extra))
print(critic.a.weight.grad[:2])
for name, p in critic.named_parameters():
    print(f"{name:12s} {p.grad.norm().item():.5f}")
print(generator.eval()(torch.randn(3, 3)), generator[1].running_mean[:4])
x = torch.randn(3, 2, requires_grad=True)
(g,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
print(
    g,
    [
        h.norm()
        for h in torch.autograd.grad(g.square().sum(), list(critic.parameters()), allow_unused=True)
        if h is not None
    ],
)

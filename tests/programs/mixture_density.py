"""Mixture density network and a Gaussian mixture by EM."""

import math

import torch
import torch.nn as nn
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

torch.manual_seed(0)
ONEOVERSQRT2PI = 1.0 / math.sqrt(2 * math.pi)


class MDN(nn.Module):
    def __init__(self, in_features, hidden, k):
        super(MDN, self).__init__()
        self.body = nn.Sequential(nn.Linear(in_features, hidden), nn.Tanh())
        self.pi = nn.Sequential(nn.Linear(hidden, k), nn.Softmax(dim=1))
        self.sigma = nn.Linear(hidden, k)
        self.mu = nn.Linear(hidden, k)

    def forward(self, x):
        h = self.body(x)
        return self.pi(h), torch.exp(self.sigma(h)), self.mu(h)


def mdn_loss(pi, sigma, mu, target):
    prob = ONEOVERSQRT2PI * torch.exp(-0.5 * ((target.expand_as(mu) - mu) / sigma) ** 2) / sigma
    nll = -torch.log(torch.sum(prob * pi, dim=1))
    return torch.mean(nll)


def mdn_loss_stable(pi, sigma, mu, target):
    m = Normal(loc=mu, scale=sigma)
    return -torch.logsumexp(m.log_prob(target.expand_as(mu)) + torch.log(pi), dim=1).mean()


def sample(pi, sigma, mu):
    pis = Categorical(pi).sample().view(pi.size(0), 1)
    eps = torch.randn(pi.size(0), 1)
    return eps * sigma.gather(1, pis) + mu.gather(1, pis)


t = torch.rand(120, 1) * 2 - 1
x = t + 0.3 * torch.sin(2 * math.pi * t) + torch.rand(120, 1) * 0.2 - 0.1
model = MDN(1, 16, 3)
print(model)
opt = torch.optim.Adam(model.parameters(), lr=0.02)
for i in range(25):
    pi, sigma, mu = model(x)
    loss = mdn_loss(pi, sigma, mu, t)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if i % 6 == 0:
        print(i, f"{loss.item():.6f} {mdn_loss_stable(pi, sigma, mu, t).item():.6f}")
s = sample(pi, sigma, mu)
print(s[:4], s.mean(), pi[0], torch.isclose(pi.sum(1), torch.ones(120)).all())

gmm = MixtureSameFamily(
    Categorical(torch.tensor([0.3, 0.7])), Normal(torch.tensor([-2.0, 1.0]), torch.tensor([0.5, 1.0]))
)
data = gmm.sample((200,))
print(gmm, gmm.mean, gmm.variance, gmm.log_prob(torch.tensor([0.0, -2.0])))
mu, var, w = torch.tensor([-1.0, 0.5]), torch.ones(2), torch.ones(2) / 2
for it in range(8):
    lp = Normal(mu, var.sqrt()).log_prob(data.unsqueeze(1)) + w.log()
    r = (lp - lp.logsumexp(1, keepdim=True)).exp()
    n = r.sum(0)
    mu = (r * data[:, None]).sum(0) / n
    var = (r * (data[:, None] - mu).square()).sum(0) / n
    w = n / n.sum()
    print(it, f"ll {lp.logsumexp(1).mean():.5f}", mu, var.sqrt(), w)
ind = Independent(Normal(torch.zeros(3), torch.ones(3)), 1)
print(ind, ind.log_prob(torch.ones(3)), ind.batch_shape, ind.event_shape, ind.entropy())

"""Distributions: drawing, probabilities, and a policy's gradient."""

import torch
from torch.distributions import Bernoulli, Categorical, Normal, kl_divergence

torch.manual_seed(0)
normal = Normal(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 0.5]))
print(normal.sample((3,)), normal.log_prob(torch.tensor([0.5, 0.5])), normal.entropy(), normal.mean, normal.stddev)
print(kl_divergence(normal, Normal(0.0, 1.0)))

logits = torch.tensor([[0.1, 0.5, -0.2], [1.0, 0.0, 2.0]], requires_grad=True)
policy = Categorical(logits=logits)
action = policy.sample()
print(action, policy.log_prob(action), policy.probs, policy.entropy())
reward = torch.tensor([1.0, -0.5])
loss = -(policy.log_prob(action) * reward).sum()
loss.backward()
print(logits.grad)
print(
    Categorical(torch.tensor([0.2, 0.3, 0.5])).sample((10,)),
    Bernoulli(torch.tensor([0.3, 0.9])).log_prob(torch.ones(2)),
)

mu = torch.zeros(3, requires_grad=True)
std = torch.ones(3, requires_grad=True)
z = Normal(mu, std).rsample()
(z**2).sum().backward()
print(z, mu.grad, std.grad)

"""Random numbers: seeds, generators, their states, and the functions that draw."""

import torch
import torch.nn.functional as F

torch.manual_seed(1234)
print(torch.rand(3), torch.randn(2, 3), torch.randint(0, 10, (5,)), torch.randperm(6))
print(torch.normal(2.0, 3.0, (2, 2)), torch.normal(torch.zeros(3), torch.tensor([1.0, 2.0, 3.0])))
state = torch.get_rng_state()
first = torch.rand(2)
torch.set_rng_state(state)
print(torch.equal(first, torch.rand(2)), torch.initial_seed())
g = torch.Generator().manual_seed(7)
print(torch.rand(2, generator=g), torch.randn(20, generator=g)[:4], torch.randint(3, 9, (4,), generator=g))
weights = torch.tensor([0.0, 10.0, 3.0, 1.0])
print(torch.multinomial(weights, 2), torch.multinomial(weights, 6, replacement=True))
print(torch.empty(3).uniform_(-1, 1), torch.empty(4).exponential_(), torch.empty(2, 2).normal_(1, 2))
print(torch.rand_like(weights), torch.randn_like(weights), torch.rand(2, dtype=torch.float64))
m = torch.nn.Dropout(p=0.5)
m.eval()
print(m(weights), F.dropout(weights, 0.0), F.dropout(weights, 0.5, training=False))
with torch.random.fork_rng():
    torch.manual_seed(0)
    print(torch.rand(1))
print(torch.rand(1))

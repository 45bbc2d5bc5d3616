"""Linear regression three ways: normal equations, autograd by hand, layers."""

import torch
from torch import nn

torch.manual_seed(0)
true_w, true_b = torch.tensor([2.0, -3.4]), 4.2
X = torch.normal(0, 1, (200, 2))
y = torch.matmul(X, true_w) + true_b + torch.normal(0, 0.01, (200,))
A = torch.cat([X, torch.ones(200, 1)], dim=1)
solution = torch.linalg.solve(A.T @ A, A.T @ y)
print(solution, torch.linalg.inv(A.T @ A).shape)

w = torch.normal(0, 0.01, size=(2, 1), requires_grad=True)
b = torch.zeros(1, requires_grad=True)


def squared_loss(y_hat, y):
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


for epoch in range(3):
    for i in torch.randperm(200).split(20):
        loss = squared_loss(X[i] @ w + b, y[i]).mean()
        loss.backward()
        with torch.no_grad():
            for p in (w, b):
                p -= 0.3 * p.grad
                p.grad.zero_()
    with torch.no_grad():
        print(f"epoch {epoch + 1}, loss {float(squared_loss(X @ w + b, y).mean()):.7f}")
print(f"error in estimating w: {(true_w - w.reshape(true_w.shape)).abs().max() < 0.01}")

net = nn.Sequential(nn.Linear(2, 1))
net[0].weight.data.normal_(0, 0.01)
net[0].bias.data.fill_(0)
trainer = torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=1e-3)
for epoch in range(20):
    trainer.zero_grad()
    loss = nn.MSELoss()(net(X), y.reshape(-1, 1))
    loss.backward()
    trainer.step()
print(f"{loss:.5f}", net[0].weight.data, net[0].bias.data)
for criterion in (nn.L1Loss(), nn.SmoothL1Loss(), nn.HuberLoss(delta=0.5), nn.MSELoss(reduction="sum")):
    print(criterion, f"{criterion(net(X), y.reshape(-1, 1)).item():.5f}")

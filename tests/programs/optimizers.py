"""Every optimiser a few steps on one problem."""

import torch

SETTINGS = {
    "SGD": [dict(lr=0.01), dict(lr=0.01, momentum=0.9), dict(lr=0.01, momentum=0.9, nesterov=True, weight_decay=0.01)],
    "Adam": [dict(lr=0.05), dict(lr=0.05, amsgrad=True, weight_decay=0.1)],
    "AdamW": [dict(lr=0.05), dict(lr=0.05, betas=(0.8, 0.99), weight_decay=0.1)],
    "RMSprop": [dict(lr=0.01), dict(lr=0.01, momentum=0.5, centered=True)],
    "Adagrad": [dict(lr=0.1), dict(lr=0.1, lr_decay=0.1)],
    "Adadelta": [dict(lr=1.0)],
    "Adamax": [dict(lr=0.05)],
    "NAdam": [dict(lr=0.05)],
    "RAdam": [dict(lr=0.05)],
    "Rprop": [dict(lr=0.05)],
}


def rosenbrock(p):
    return (1 - p[0]) ** 2 + 10 * (p[1] - p[0] ** 2) ** 2


for name, several in SETTINGS.items():
    for settings in several:
        p = torch.nn.Parameter(torch.tensor([-0.5, 0.5]))
        optimizer = getattr(torch.optim, name)([p], **settings)
        for _ in range(12):
            optimizer.zero_grad()
            loss = rosenbrock(p)
            loss.backward()
            optimizer.step()
        print(f"{name:10} {loss.item():.5f}", p.detach(), sorted(settings))

p = torch.nn.Parameter(torch.tensor([-0.5, 0.5]))
lbfgs = torch.optim.LBFGS([p], lr=0.5, max_iter=5)


def closure():
    lbfgs.zero_grad()
    loss = rosenbrock(p)
    loss.backward()
    return loss


for _ in range(3):
    print(f"LBFGS {lbfgs.step(closure).item():.5f}")

net = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD([{"params": net.weight, "lr": 0.1}, {"params": [net.bias]}], lr=0.01, momentum=0.5)
for group in optimizer.param_groups:
    print(group["lr"], group["momentum"], len(group["params"]))
print(optimizer)

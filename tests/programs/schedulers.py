"""Learning rates over the epochs."""

import torch
from torch.optim import lr_scheduler
from torch.optim.lr_scheduler import ReduceLROnPlateau, StepLR


def run(make, epochs=8):
    p = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([p], lr=0.1)
    scheduler = make(optimizer)
    rates = []
    for _ in range(epochs):
        p.grad = torch.ones(1)
        optimizer.step()
        rates.append(optimizer.param_groups[0]["lr"])
        scheduler.step()
    return rates, scheduler


MAKERS = {
    "StepLR": lambda o: StepLR(o, step_size=3, gamma=0.5),
    "MultiStepLR": lambda o: lr_scheduler.MultiStepLR(o, [2, 5]),
    "ExponentialLR": lambda o: lr_scheduler.ExponentialLR(o, 0.9),
    "CosineAnnealingLR": lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=6, eta_min=0.01),
    "LambdaLR": lambda o: lr_scheduler.LambdaLR(o, lambda e: 1 / (e + 1)),
    "LinearLR": lambda o: lr_scheduler.LinearLR(o, 0.25, total_iters=4),
    "OneCycleLR": lambda o: lr_scheduler.OneCycleLR(o, max_lr=0.3, total_steps=10),
    "CyclicLR": lambda o: lr_scheduler.CyclicLR(o, 0.01, 0.1, step_size_up=3),
    "WarmRestarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 3),
}
for name, make in MAKERS.items():
    rates, scheduler = run(make)
    print(f"{name:18}", " ".join(f"{r:.5f}" for r in rates), [f"{r:.5f}" for r in scheduler.get_last_lr()])

p = torch.nn.Parameter(torch.zeros(1))
optimizer = torch.optim.SGD([p], lr=1.0)
plateau = ReduceLROnPlateau(optimizer, mode="min", factor=0.5, patience=1)
for loss in [5.0, 4.0, 4.0, 4.0, 3.9, 3.9, 3.9, 3.9]:
    optimizer.step()
    plateau.step(loss)
    print(loss, optimizer.param_groups[0]["lr"])

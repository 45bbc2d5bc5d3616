"""A whole training program: noisy data from workers, splits, samplers, schedules, clipping: the text it prints."""

import random
import re

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.utils import data

OPTIMIZERS = {
    "SGD": {"lr": 0.05, "momentum": 0.9},
    "Adadelta": {"lr": 1.0},
    "NAdam": {},
    "RAdam": {},
    "Adagrad": {},
    "AdamW": {"lr": 3e-3},
    "Rprop": {},
    "ASGD": {},
    "Adamax": {},
}


def noisy(torch, count):
    class Noisy(torch.utils.data.Dataset):
        def __init__(self):
            self.x = torch.randn(count, 4)
            self.y = (self.x.sum(1) > 0).long()

        def __len__(self):
            return len(self.x)

        def __getitem__(self, i):
            noise = 0.1 * torch.randn(4) + 0.01 * float(np.random.randn()) + 0.01 * random.random()
            return {"x": self.x[i] + noise, "y": self.y[i], "i": i}

    return Noisy()


def warm_up(torch):
    class WarmUp(torch.optim.lr_scheduler._LRScheduler):
        def __init__(self, optimizer, steps):
            self.steps = steps
            super().__init__(optimizer)

        def get_lr(self):
            return [base * min(1, (self.last_epoch + 1) / self.steps) for base in self.base_lrs]

    return WarmUp


def program(torch):
    """Train with each optimiser in turn and return what a user would print."""
    d, layers, lines = torch.utils.data, torch.nn, []
    torch.manual_seed(1)
    np.random.seed(1)
    random.seed(1)
    whole = noisy(torch, 120)
    train, check = d.random_split(whole, [0.8, 0.2], generator=torch.Generator().manual_seed(42))
    loader = d.DataLoader(train, 16, shuffle=True, num_workers=2, drop_last=True, persistent_workers=True)
    weights = torch.tensor([1.0 if i % 3 else 4.0 for i in range(120)])
    weighted = d.DataLoader(whole, 10, sampler=d.WeightedRandomSampler(weights, 30, replacement=True))
    net = layers.Sequential(layers.Linear(4, 16), layers.ReLU(), layers.Linear(16, 2))
    criterion = layers.CrossEntropyLoss()
    for name, settings in OPTIMIZERS.items():
        optimizer = getattr(torch.optim, name)(net.parameters(), **settings)
        schedule = warm_up(torch)(optimizer, 3)
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
        for epoch in range(2):
            for batch in loader:
                optimizer.zero_grad()
                loss = criterion(net(batch["x"]), batch["y"])
                loss.backward()
                norm = layers.utils.clip_grad_norm_(net.parameters(), 1.0)
                optimizer.step()
            schedule.step()
            with torch.no_grad():
                found = sum(criterion(net(b["x"]), b["y"]).item() for b in d.DataLoader(check, batch_size=8))
            plateau.step(found)
            rate = optimizer.param_groups[0]["lr"]
            lines.append(f"{name} {epoch}: {loss.item():.4f} {found:.4f} {norm:.4f} {rate:.6f} {batch['i'].tolist()}")
    lines += [str(batch["i"].tolist()) for batch in weighted]
    return [*lines, f"{torch.rand(2)} {random.random()} {np.random.rand()}"]


@pytest.mark.oracle
def test_a_program_prints_what_it_prints_with_torch():
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    pytest.importorskip("torch.utils.data")
    assert (mg.nn, mg.optim, mg.utils.data) == (nn, optim, data)
    number = re.compile(r"-?\d+\.\d+")
    for ours, theirs in zip(program(mg), program(torch), strict=True):
        assert number.sub("#", ours) == number.sub("#", theirs)
        mine, torchs = ([float(x) for x in number.findall(line)] for line in (ours, theirs))
        np.testing.assert_allclose(mine, torchs, rtol=1e-4, atol=1.1e-4)

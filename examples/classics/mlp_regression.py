"""Fit a noisy sine wave with a multilayer perceptron."""

import argparse

import torch
import torch.nn as nn
import torch.optim as optim
from torch.utils.data import DataLoader, TensorDataset


class MLP(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(1, hidden),
            nn.Tanh(),
            nn.Linear(hidden, hidden),
            nn.Tanh(),
            nn.Linear(hidden, 1),
        )

    def forward(self, x):
        return self.net(x)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--samples", type=int, default=512)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--lr", type=float, default=1e-2)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    x = torch.linspace(-3.0, 3.0, args.samples).unsqueeze(1)
    y = torch.sin(2 * x) + 0.1 * torch.randn(x.shape)
    loader = DataLoader(TensorDataset(x, y), batch_size=args.batch_size, shuffle=True)

    model = MLP(args.hidden)
    print(model)
    print(f"{sum(p.numel() for p in model.parameters())} parameters")
    criterion = nn.MSELoss()
    optimizer = optim.Adam(model.parameters(), lr=args.lr)

    for epoch in range(1, args.epochs + 1):
        running_loss = 0.0
        for inputs, targets in loader:
            optimizer.zero_grad()
            loss = criterion(model(inputs), targets)
            loss.backward()
            optimizer.step()
            running_loss += loss.item() * inputs.size(0)
        print(f"epoch {epoch:3d}  train loss {running_loss / len(loader.dataset):.6f}")

    model.eval()
    with torch.no_grad():
        grid = torch.tensor([[-2.0], [-1.0], [0.0], [1.0], [2.0]])
        error = (model(x) - torch.sin(2 * x)).abs().mean()
        for point in grid:
            print(f"f({point.item():+.1f}) = {model(point).item():+.5f}")
    print(f"mean distance from the noiseless curve: {error.item():.5f}")


if __name__ == "__main__":
    main()

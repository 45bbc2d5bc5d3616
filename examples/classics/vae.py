"""A variational autoencoder (Kingma & Welling, 2013) of scikit-learn's 8 x 8 digits."""

import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn, optim
from torch.nn import functional as F
from torch.utils.data import DataLoader


class VAE(nn.Module):
    def __init__(self, hidden, latent):
        super().__init__()
        self.fc1 = nn.Linear(64, hidden)
        self.fc21 = nn.Linear(hidden, latent)
        self.fc22 = nn.Linear(hidden, latent)
        self.fc3 = nn.Linear(latent, hidden)
        self.fc4 = nn.Linear(hidden, 64)

    def encode(self, x):
        h = F.relu(self.fc1(x))
        return self.fc21(h), self.fc22(h)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        return mu + eps * std

    def decode(self, z):
        h = F.relu(self.fc3(z))
        return torch.sigmoid(self.fc4(h))

    def forward(self, x):
        mu, logvar = self.encode(x.view(-1, 64))
        z = self.reparameterize(mu, logvar)
        return self.decode(z), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    bce = F.binary_cross_entropy(recon_x, x.view(-1, 64), reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return bce + kld


def shades(image):
    """Draw an 8 x 8 image with characters."""
    return "\n".join("".join(" .:*#"[min(int(v * 5), 4)] for v in row) for row in image.tolist())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--hidden", type=int, default=128)
    parser.add_argument("--latent", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--draw", action="store_true", help="draw a few samples")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    images = torch.tensor(load_digits().images / 16, dtype=torch.float32)
    train_set, test_set = images[:1500], images[1500:]
    train_loader = DataLoader(train_set, batch_size=args.batch_size, shuffle=True)
    model = VAE(args.hidden, args.latent)
    optimizer = optim.Adam(model.parameters(), lr=args.lr)

    for epoch in range(1, args.epochs + 1):
        model.train()
        train_loss = 0
        for data in train_loader:
            optimizer.zero_grad()
            recon_batch, mu, logvar = model(data)
            loss = loss_function(recon_batch, data, mu, logvar)
            loss.backward()
            train_loss += loss.item()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            test_loss = loss_function(*swapped(model(test_set), test_set)).item()
        print(
            f"epoch {epoch:2d}  train loss {train_loss / len(train_set):.4f}  test loss {test_loss / len(test_set):.4f}"
        )

    with torch.no_grad():
        sample = model.decode(torch.randn(4, args.latent)).view(-1, 8, 8)
    print("mean ink of the samples:", " ".join(f"{v:.4f}" for v in sample.mean(dim=(1, 2)).tolist()))
    if args.draw:
        for image in sample:
            print(shades(image))


def swapped(outputs, x):
    recon, mu, logvar = outputs
    return recon, x, mu, logvar


if __name__ == "__main__":
    main()

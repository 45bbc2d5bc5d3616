"""Train LeNet-5 on MNIST, or, without its files, on scikit-learn's 8 x 8 digits enlarged to 28 x 28.

--data is a directory with the four original files (train-images-idx3-ubyte.gz and so on, zipped or not).
"""

import argparse
import gzip
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.utils.data import DataLoader, TensorDataset


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, kernel_size=5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, kernel_size=5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def read_idx(directory, name):
    path = Path(directory) / name
    zipped = path.with_name(path.name + ".gz")
    raw = gzip.decompress(zipped.read_bytes()) if zipped.exists() else path.read_bytes()
    dims = raw[3]
    shape = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(dims)]
    return np.frombuffer(raw, dtype=np.uint8, offset=4 + 4 * dims).reshape(shape)


def mnist(directory):
    for prefix in ("train", "t10k"):
        images = read_idx(directory, f"{prefix}-images-idx3-ubyte").astype(np.float32) / 255
        labels = read_idx(directory, f"{prefix}-labels-idx1-ubyte").astype(np.int64)
        yield TensorDataset(torch.from_numpy(images).unsqueeze(1), torch.from_numpy(labels))


def enlarged_digits():
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.kron(digits.images.astype(np.float32) / 16, np.ones((3, 3), dtype=np.float32))
    images = torch.from_numpy(np.pad(images, ((0, 0), (2, 2), (2, 2)))).unsqueeze(1)
    labels = torch.from_numpy(digits.target.astype(np.int64))
    yield TensorDataset(images[:1500], labels[:1500])
    yield TensorDataset(images[1500:], labels[1500:])


def train(model, loader, optimizer, epoch, args):
    model.train()
    for step, (images, labels) in enumerate(loader):
        if args.steps and step == args.steps:
            break
        optimizer.zero_grad()
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        if step % args.log_interval == 0:
            print(f"epoch {epoch}  step {step:4d}  loss {loss.item():.5f}")


@torch.no_grad()
def test(model, loader):
    model.eval()
    loss, correct = 0.0, 0
    for images, labels in loader:
        output = model(images)
        loss += F.cross_entropy(output, labels, reduction="sum").item()
        correct += output.argmax(dim=1).eq(labels).sum().item()
    count = len(loader.dataset)
    print(f"test  loss {loss / count:.5f}  accuracy {correct}/{count} ({100.0 * correct / count:.2f} %)")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="directory of MNIST's files")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=0, help="stop each epoch after so many steps")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--lr", type=float, default=0.05)
    parser.add_argument("--momentum", type=float, default=0.9)
    parser.add_argument("--log-interval", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    train_set, test_set = mnist(args.data) if args.data else enlarged_digits()
    train_loader = DataLoader(train_set, batch_size=args.batch_size, shuffle=True)
    test_loader = DataLoader(test_set, batch_size=256)
    model = LeNet()
    print(model)
    optimizer = optim.SGD(model.parameters(), lr=args.lr, momentum=args.momentum)
    for epoch in range(1, args.epochs + 1):
        train(model, train_loader, optimizer, epoch, args)
        test(model, test_loader)


if __name__ == "__main__":
    main()

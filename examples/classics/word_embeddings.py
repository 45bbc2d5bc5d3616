"""Word embeddings: skip-gram with negative sampling (Mikolov et al., 2013) on a text (by default this README)."""

import argparse
import re
from collections import Counter
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class SkipGramDataset(Dataset):
    """Pairs of a word and one from its neighbourhood."""

    def __init__(self, words, window):
        self.pairs = [
            (center, words[j])
            for i, center in enumerate(words)
            for j in range(max(0, i - window), min(len(words), i + window + 1))
            if j != i
        ]

    def __len__(self):
        return len(self.pairs)

    def __getitem__(self, index):
        center, context = self.pairs[index]
        return center, context


class SkipGram(nn.Module):
    def __init__(self, vocab_size, dim):
        super().__init__()
        self.center = nn.Embedding(vocab_size, dim)
        self.context = nn.Embedding(vocab_size, dim)
        nn.init.uniform_(self.center.weight, -0.5 / dim, 0.5 / dim)
        nn.init.zeros_(self.context.weight)

    def forward(self, center, context, negative):
        v = self.center(center)
        positive_score = (v * self.context(context)).sum(dim=1)
        negative_score = torch.bmm(self.context(negative), v.unsqueeze(2)).squeeze(2)
        return -(F.logsigmoid(positive_score) + F.logsigmoid(-negative_score).sum(dim=1)).mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", default=Path(__file__).resolve().parents[2] / "README.md")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--dim", type=int, default=32)
    parser.add_argument("--window", type=int, default=2)
    parser.add_argument("--negatives", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--lr", type=float, default=0.01)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    words = re.findall(r"[a-z]+", Path(args.file).read_text(encoding="utf-8").lower())
    counts = Counter(words)
    vocab = sorted(counts, key=lambda w: (-counts[w], w))
    index = {word: i for i, word in enumerate(vocab)}
    dataset = SkipGramDataset([index[w] for w in words], args.window)
    print(f"{len(words)} words, {len(vocab)} different, {len(dataset)} pairs")

    noise = torch.tensor([counts[w] for w in vocab], dtype=torch.float).pow(0.75)
    noise /= noise.sum()
    loader = DataLoader(dataset, batch_size=args.batch_size, shuffle=True)
    model = SkipGram(len(vocab), args.dim)
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)

    for epoch in range(1, args.epochs + 1):
        total = 0.0
        for center, context in loader:
            size = (len(center), args.negatives)
            negative = torch.multinomial(noise, size[0] * size[1], replacement=True).view(size)
            optimizer.zero_grad()
            loss = model(center, context, negative)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(center)
        print(f"epoch {epoch:2d}  loss {total / len(dataset):.5f}")

    vectors = F.normalize(model.center.weight.detach(), dim=1)
    for word in vocab[:5]:
        scores = vectors @ vectors[index[word]]
        values, nearest = torch.topk(scores, 4)
        near = ", ".join(f"{vocab[nearest[k].item()]} {values[k].item():.3f}" for k in range(1, 4))
        print(f"nearest to {word!r}: {near}")


if __name__ == "__main__":
    main()

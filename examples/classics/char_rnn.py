"""A character-level language model: an LSTM learns to continue a text (by default this project's README)."""

import argparse
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F


class CharRNN(nn.Module):
    def __init__(self, vocab_size, embed_size, hidden_size, num_layers, dropout):
        super().__init__()
        self.embed = nn.Embedding(vocab_size, embed_size)
        self.lstm = nn.LSTM(embed_size, hidden_size, num_layers, batch_first=True, dropout=dropout)
        self.head = nn.Linear(hidden_size, vocab_size)

    def forward(self, x, state=None):
        output, state = self.lstm(self.embed(x), state)
        return self.head(output), state


def batches(data, batch_size, length):
    """Yield inputs and targets so that each batch goes on where the one before ended."""
    columns = (len(data) - 1) // batch_size
    x = data[: batch_size * columns].view(batch_size, columns)
    y = data[1 : batch_size * columns + 1].view(batch_size, columns)
    for start in range(0, columns - length + 1, length):
        yield x[:, start : start + length], y[:, start : start + length]


@torch.no_grad()
def sample(model, start, count, temperature):
    model.eval()
    indices, state = list(start), None
    x = torch.tensor([indices])
    for _ in range(count):
        logits, state = model(x, state)
        probs = F.softmax(logits[0, -1] / temperature, dim=-1)
        index = torch.multinomial(probs, num_samples=1).item()
        indices.append(index)
        x = torch.tensor([[index]])
    return indices


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", default=Path(__file__).resolve().parents[2] / "README.md")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--max-steps", type=int, default=0, help="stop each epoch after so many steps")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--seq-length", type=int, default=32)
    parser.add_argument("--embed-size", type=int, default=32)
    parser.add_argument("--hidden-size", type=int, default=128)
    parser.add_argument("--num-layers", type=int, default=2)
    parser.add_argument("--dropout", type=float, default=0.1)
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--sample", type=int, default=200, help="characters to write at the end")
    parser.add_argument("--temperature", type=float, default=0.8)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    text = Path(args.file).read_text(encoding="utf-8")
    chars = sorted(set(text))
    to_index = {ch: i for i, ch in enumerate(chars)}
    data = torch.tensor([to_index[ch] for ch in text], dtype=torch.long)
    print(f"{len(text)} characters, {len(chars)} of them different")

    model = CharRNN(len(chars), args.embed_size, args.hidden_size, args.num_layers, args.dropout)
    print(model)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)

    for epoch in range(1, args.epochs + 1):
        model.train()
        state, total, steps = None, 0.0, 0
        for x, y in batches(data, args.batch_size, args.seq_length):
            if args.max_steps and steps == args.max_steps:
                break
            if state is not None:
                state = tuple(s.detach() for s in state)
            optimizer.zero_grad()
            logits, state = model(x, state)
            loss = criterion(logits.reshape(-1, len(chars)), y.reshape(-1))
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item()
            steps += 1
        print(f"epoch {epoch:2d}  loss {total / steps:.5f}  per character")

    if args.sample:
        indices = sample(model, [to_index[text[0]]], args.sample, args.temperature)
        print("".join(chars[i] for i in indices))


if __name__ == "__main__":
    main()

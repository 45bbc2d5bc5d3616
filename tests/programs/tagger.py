"""A tagger of number sequences: a bidirectional LSTM under a linear chain, its partition by logsumexp, decoded by max."""

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence

torch.manual_seed(5)
TAGS = 3


class Chain(nn.Module):
    """Scores of tag sequences: emissions plus moves, and a score for the first and the last tag."""

    def __init__(self, tags):
        super().__init__()
        self.moves = nn.Parameter(torch.empty(tags, tags))
        self.first, self.last = nn.Parameter(torch.zeros(tags)), nn.Parameter(torch.zeros(tags))
        nn.init.normal_(self.moves, std=0.1)

    def score(self, e, tags, mask):
        rows = torch.arange(len(tags))
        total = self.first[tags[:, 0]] + e[rows, 0, tags[:, 0]]
        for t in range(1, tags.size(1)):
            step = self.moves[tags[:, t - 1], tags[:, t]] + e[rows, t].gather(1, tags[:, t : t + 1]).squeeze(1)
            total = total + step * mask[:, t]
        ends = tags.gather(1, mask.long().sum(1, keepdim=True) - 1).squeeze(1)
        return total + self.last[ends]

    def partition(self, e, mask):
        alpha = self.first + e[:, 0]
        for t in range(1, e.size(1)):
            grown = torch.logsumexp(alpha.unsqueeze(2) + self.moves, dim=1) + e[:, t]
            alpha = torch.where(mask[:, t].unsqueeze(1), grown, alpha)
        return torch.logsumexp(alpha + self.last, dim=1)

    @torch.no_grad()
    def decode(self, e):
        best, back = self.first + e[0], []
        for row in e[1:]:
            best, came = (best.unsqueeze(1) + self.moves).max(dim=0)
            best = best + row
            back.append(came)
        value, tag = (best + self.last).max(0)
        path = [tag.item()]
        for came in reversed(back):
            path.insert(0, came[path[0]].item())
        return value, path


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(10, 6, padding_idx=0)
        self.lstm = nn.LSTM(6, 5, bidirectional=True, batch_first=True)
        self.emit = nn.Linear(10, TAGS)
        self.chain = Chain(TAGS)

    def forward(self, words):
        return self.emit(self.lstm(self.embed(words))[0])


sentences = [torch.randint(1, 10, (n,)) for n in (6, 4, 7, 3)]
targets = [(s % TAGS + s.roll(1)) % TAGS for s in sentences]
words, tags = pad_sequence(sentences, batch_first=True), pad_sequence(targets, batch_first=True)
mask = words.ne(0)
model = Tagger()
print(model)
print(mask.sum(1), words[1], tags[1])
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
for step in range(21):
    emissions = model(words)
    loss = (model.chain.partition(emissions, mask) - model.chain.score(emissions, tags, mask)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 5 == 0:
        print(step, loss)
print(model.lstm(model.embed(words))[0][0, 0])
print(model.chain.moves, model.chain.moves.grad, model.embed.weight.grad[:2])
for s, t in zip(sentences, targets):
    value, path = model.chain.decode(model(s.unsqueeze(0))[0])
    print(value, path, t.tolist())

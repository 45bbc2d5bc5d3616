"""word2vec skip-gram with negative sampling; CBOW with EmbeddingBag."""

from collections import Counter

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

torch.manual_seed(1)
text = """the quick brown fox jumps over the lazy dog while the cat watches the fox and
the dog sleeps near the quiet river the river runs past the old mill and the mill turns slowly""".split()
counts = Counter(text)
vocab = sorted(counts)
word_to_ix = {w: i for i, w in enumerate(vocab)}
ids = torch.tensor([word_to_ix[w] for w in text])
freq = torch.tensor([counts[w] for w in vocab], dtype=torch.float) ** 0.75
noise = freq / freq.sum()
print(len(vocab), noise)
pairs = torch.tensor(
    [(ids[i], ids[j]) for i in range(len(ids)) for j in range(max(0, i - 2), min(len(ids), i + 3)) if i != j]
)
print(pairs.shape, pairs[:4].tolist())


class SGNS(nn.Module):
    def __init__(self, V, d):
        super().__init__()
        self.u = nn.Embedding(V, d, sparse=False)
        self.v = nn.Embedding(V, d)
        nn.init.uniform_(self.u.weight, -0.5 / d, 0.5 / d)
        self.v.weight.data.zero_()

    def forward(self, center, context, neg):
        cu, cv, nv = self.u(center), self.v(context), self.v(neg)
        pos = F.logsigmoid((cu * cv).sum(-1))
        negs = F.logsigmoid(-torch.bmm(nv, cu.unsqueeze(2)).squeeze(2)).sum(1)
        return -(pos + negs).mean()


model = SGNS(len(vocab), 8)
opt = optim.Adagrad(model.parameters(), lr=0.1)
for epoch in range(4):
    perm = torch.randperm(len(pairs))
    tot = 0.0
    for b in perm.split(32):
        c, o = pairs[b].unbind(1)
        neg = torch.multinomial(noise, len(b) * 5, replacement=True).view(len(b), 5)
        loss = model(c, o, neg)
        model.zero_grad()
        loss.backward()
        opt.step()
        tot += loss.item() * len(b)
    print(f"epoch {epoch}: {tot / len(pairs):.5f}", neg[0].tolist())
E_ = F.normalize(model.u.weight.detach())
sim = E_ @ E_.T
sim.fill_diagonal_(-1)
vals, idx = sim[word_to_ix["fox"]].topk(3)
print([vocab[i] for i in idx], vals)


class CBOW(nn.Module):
    def __init__(self, V, d):
        super().__init__()
        self.bag = nn.EmbeddingBag(V, d, mode="mean")
        self.out = nn.Linear(d, V)

    def forward(self, text, offsets):
        return self.out(self.bag(text, offsets))


cbow = CBOW(len(vocab), 8)
print(cbow)
opt = optim.SGD(cbow.parameters(), lr=0.5)
ctx = [torch.cat([ids[max(0, i - 2) : i], ids[i + 1 : i + 3]]) for i in range(len(ids))]
flat = torch.cat(ctx)
offsets = torch.tensor([0, *[len(c) for c in ctx][:-1]]).cumsum(dim=0)
print(offsets)
for epoch in range(5):
    opt.zero_grad()
    loss = nn.CrossEntropyLoss()(cbow(flat, offsets), ids)
    loss.backward()
    opt.step()
    print(epoch, loss)
emb_sum = nn.EmbeddingBag(5, 3, mode="sum", padding_idx=0)
w = torch.rand(6)
print(emb_sum(torch.tensor([0, 1, 2, 4, 0, 3]), torch.tensor([0, 3]), per_sample_weights=w), emb_sum.weight[0])
mx = nn.EmbeddingBag.from_pretrained(torch.arange(10.0).view(5, 2), mode="max")
print(mx(torch.tensor([[1, 4], [2, 0]])), mx)

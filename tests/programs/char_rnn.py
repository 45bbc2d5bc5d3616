"""A model of characters: an LSTM learns a sentence, and writes."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(1)
text = "hello world, hello torch. " * 4
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
data = torch.tensor([stoi[c] for c in text])
print(len(text), len(chars), data[:12])


class CharRNN(nn.Module):
    def __init__(self, vocab, emb=8, hidden=16):
        super().__init__()
        self.embedding = nn.Embedding(vocab, emb)
        self.lstm = nn.LSTM(emb, hidden, num_layers=2, batch_first=True)
        self.fc = nn.Linear(hidden, vocab)

    def forward(self, x, state=None):
        out, state = self.lstm(self.embedding(x), state)
        return self.fc(out), state


model = CharRNN(len(chars))
print(model)
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
for step in range(12):
    start = torch.randint(0, len(data) - 17, (4,))
    x = torch.stack([data[i : i + 16] for i in start])
    y = torch.stack([data[i + 1 : i + 17] for i in start])
    logits, _ = model(x)
    loss = F.cross_entropy(logits.view(-1, len(chars)), y.view(-1))
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    if step % 3 == 0:
        print(f"step {step}: loss {loss.item():.4f}")

model.eval()
state, token, written = None, data[:1].unsqueeze(0), []
with torch.no_grad():
    for _ in range(20):
        logits, state = model(token, state)
        token = torch.multinomial(F.softmax(logits[:, -1], dim=-1), 1)
        written.append(chars[token.item()])
print("".join(written), state[0].shape)

rnn = nn.RNN(5, 4, nonlinearity="relu")
gru = nn.GRU(5, 4, bidirectional=True)
out, h = rnn(torch.randn(3, 2, 5))
print(out[-1], h.shape)
out, h = gru(torch.randn(3, 2, 5))
print(out.shape, h[0], sum(p.numel() for p in gru.parameters()))
cell = nn.LSTMCell(5, 4)
hx, cx = torch.zeros(2, 4), torch.zeros(2, 4)
for part in torch.randn(3, 2, 5):
    hx, cx = cell(part, (hx, cx))
print(hx.detach(), cx.detach())

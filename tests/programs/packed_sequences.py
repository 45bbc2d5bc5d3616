"""Packed sequences: variable lengths through LSTM, GRU; many-to-one classifier."""

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pack_sequence, pad_packed_sequence, pad_sequence

torch.manual_seed(0)
seqs = [torch.randn(n, 3) for n in (5, 2, 7, 3)]
lengths = torch.tensor([len(s) for s in seqs])
padded = pad_sequence(seqs, batch_first=True)
packed = pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=False)
print(packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)
print(packed)
lstm = nn.LSTM(3, 4, num_layers=2, batch_first=True, bidirectional=True, dropout=0.0)
print(lstm, [n for n, _ in lstm.named_parameters()])
out, (h, c) = lstm(packed)
print(isinstance(out, PackedSequence), h.shape)
unpacked, ulen = pad_packed_sequence(out, batch_first=True, padding_value=-1.0, total_length=8)
print(unpacked.shape, ulen, unpacked[1, :, 0])


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 8, bidirectional=True)
        self.fc = nn.Linear(16, 2)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths.cpu(), enforce_sorted=False)
        _, h = self.rnn(packed)
        return self.fc(torch.cat([h[-2], h[-1]], dim=1))


def batch():
    seqs = [torch.randn(int(torch.randint(2, 9, ())), 3) for _ in range(16)]
    y = torch.stack([s[:, 0].sum() > 0 for s in seqs]).long()
    return pad_sequence(seqs), torch.as_tensor([s.size(0) for s in seqs]), y


net = Classifier()
opt = torch.optim.NAdam(net.parameters(), lr=0.02)
for step in range(12):
    x, n, y = batch()
    loss = nn.functional.cross_entropy(net(x, n), y)
    opt.zero_grad()
    loss.backward()
    opt.step()
    if step % 3 == 0:
        print(step, f"{loss.item():.5f}", x.shape, n.max())
p = pack_sequence(sorted(seqs, key=len, reverse=True))
print(p.data.shape, p.batch_sizes)
rnn = nn.RNN(3, 2, nonlinearity="relu")
o, hn = rnn(p)
print(o.data[:3], hn.squeeze(0))
cell = nn.LSTMCell(3, 4)
hx, cx = torch.zeros(2, 4), torch.zeros(2, 4)
for t in range(3):
    hx, cx = cell(padded[:2, t], (hx, cx))
print(hx, cx.requires_grad, cell)
try:
    pack_padded_sequence(padded, lengths, batch_first=True)
except RuntimeError as e:
    print(str(e)[:60])
h0 = torch.zeros(4, 4, 4)
(h.sum() + unpacked.sum()).backward()
print(lstm.weight_hh_l1_reverse.grad.norm(), lstm.bias_ih_l0.grad[:4])
print(lstm.flatten_parameters(), lstm.all_weights[0][0].shape)

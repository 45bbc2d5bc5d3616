"""Losses, with their reductions and options."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
logits = torch.randn(4, 3, requires_grad=True)
target = torch.tensor([0, 2, 1, -100])
print(nn.CrossEntropyLoss()(logits, target), F.cross_entropy(logits, target, reduction="none"))
print(F.cross_entropy(logits[:3], target[:3], label_smoothing=0.1), F.cross_entropy(logits, torch.full((4, 3), 1 / 3)))
print(F.cross_entropy(logits[:3], target[:3], weight=torch.tensor([1.0, 2.0, 0.5])))
print(F.nll_loss(F.log_softmax(logits, 1), target, ignore_index=-100), F.one_hot(target[:3], 3))
p = torch.sigmoid(torch.randn(5))
t = torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0])
print(F.binary_cross_entropy(p, t), nn.BCEWithLogitsLoss(pos_weight=torch.tensor(2.0))(p, t))
print(F.mse_loss(p, t), F.l1_loss(p, t, reduction="sum"), F.smooth_l1_loss(p, t), F.huber_loss(p, t, delta=0.3))
print(F.kl_div(F.log_softmax(logits, 1), F.softmax(logits * 2, 1), reduction="batchmean"))
F.cross_entropy(logits, target).backward()
print(logits.grad[:3], logits.grad[3].abs())
print(F.softplus(t), F.elu(t - 2), F.gelu(t), F.silu(t), F.leaky_relu(t - 2), F.log_softmax(logits, -1).exp().sum(1))
print(F.cosine_similarity(logits[:1], logits[1:2]), F.normalize(logits, dim=1).norm(dim=1), F.pad(t, (1, 2)))
try:
    F.cross_entropy(logits, torch.tensor([0, 3, 1, 2]))
except IndexError as error:
    print("IndexError:", "out of bounds" in str(error))

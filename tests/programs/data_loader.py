"""Data sets and loaders: own classes, shuffling, collating, splitting, sampling."""

import torch
from torch.utils.data import DataLoader, Dataset, RandomSampler, Subset, TensorDataset, random_split


class Squares(Dataset):
    def __init__(self, n, transform=None):
        self.n, self.transform = n, transform

    def __len__(self):
        return self.n

    def __getitem__(self, idx):
        x = torch.tensor([float(idx), float(idx) ** 2])
        if self.transform:
            x = self.transform(x)
        return {"x": x, "label": idx % 3, "name": f"n{idx}"}


torch.manual_seed(0)
for batch in DataLoader(Squares(7, lambda x: x / 2), batch_size=3, shuffle=True):
    print(batch["x"], batch["label"], batch["name"])

ds = TensorDataset(torch.arange(10).float().unsqueeze(1), torch.arange(10))
loader = DataLoader(ds, batch_size=4, shuffle=True, drop_last=True)
print(len(loader), len(ds), loader.batch_size)
for epoch in range(2):
    for i, (xb, yb) in enumerate(loader):
        print(epoch, i, xb.squeeze(1).tolist(), yb.tolist())

train, val = random_split(ds, [7, 3], generator=torch.Generator().manual_seed(42))
print(train.indices, val.indices)
print([y.item() for _, y in Subset(ds, [1, 5])])


def collate(batch):
    xs, ys = zip(*batch)
    return torch.stack(xs).flatten(), sum(ys)


for xs, total in DataLoader(ds, batch_size=5, collate_fn=collate, num_workers=0):
    print(xs, total)
sampler = RandomSampler(ds, replacement=True, num_samples=6)
print([y.tolist() for _, y in DataLoader(ds, batch_size=3, sampler=sampler)])
features, labels = next(iter(DataLoader(ds, batch_size=2)))
print(f"Feature batch shape: {features.size()}", f"Labels batch shape: {labels.size()}")
g = torch.Generator()
g.manual_seed(7)
print([y.tolist() for _, y in DataLoader(ds, batch_size=5, shuffle=True, generator=g)])

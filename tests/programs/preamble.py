"""Stubs and small things that scripts do at the top: devices, seeds, threads, compile, amp."""

import torch
import torch.backends.cudnn as cudnn
import torch.nn as nn

torch.manual_seed(0)
cudnn.benchmark = True
torch.backends.cudnn.deterministic = True
if torch.cuda.is_available():
    torch.cuda.manual_seed_all(0)
device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
print(device, device.type, torch.backends.mps.is_available(), torch.cuda.device_count())
torch.set_num_threads(1)
print(torch.get_num_threads(), torch.is_grad_enabled(), torch.get_default_dtype())
torch.use_deterministic_algorithms(False)
torch.set_float32_matmul_precision("high")
print(torch.get_float32_matmul_precision(), int(torch.__version__.split(".")[0]) >= 2)

model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)).to(device)
scaler = torch.amp.GradScaler("cuda", enabled=False)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x, y = torch.randn(8, 3, device=device), torch.randn(8, 1).to(device, non_blocking=True)
for _ in range(3):
    with torch.autocast("cpu", enabled=False):
        loss = (model(x) - y).pow(2).mean()
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad(set_to_none=True)
    print(f"{loss.item():.5f}")
with torch.inference_mode():
    print(model(x)[:2], x.device, x.is_cuda)
print(torch.is_tensor(x), isinstance(x, torch.Tensor), isinstance(model[0].weight, nn.Parameter), type(model[0]))
torch.set_printoptions(precision=2)
print(x[0])
torch.set_printoptions(profile="default")
print(torch.finfo(torch.float32).eps, torch.iinfo(torch.int8).max, torch.numel(x))
parallel = nn.DataParallel(model) if torch.cuda.device_count() > 1 else model
print(torch.einsum("bi,bj->ij", x, x).shape, parallel(x).mean())
print(torch.histc(torch.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3), torch.bincount(torch.tensor([1, 2, 1])))

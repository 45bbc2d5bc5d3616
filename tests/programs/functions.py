"""Functions with a backward of their own: straight through, reversed, with a context set up apart, once differentiable."""

import torch
from torch import nn
from torch.autograd import Function, gradcheck, gradgradcheck
from torch.autograd.function import once_differentiable

torch.manual_seed(0)


class Quantize(Function):
    """Round to steps; the gradient passes where nothing was clipped."""

    @staticmethod
    def forward(ctx, x, steps):
        ctx.save_for_backward(x.abs() <= 1)
        return torch.round(x.clamp(-1, 1) * steps) / steps

    @staticmethod
    def backward(ctx, g):
        (inside,) = ctx.saved_tensors
        return g * inside, None


class Reverse(Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x.view_as(x)

    @staticmethod
    def backward(ctx, g):
        return -ctx.strength * g, None


class SinCos(Function):
    @staticmethod
    def forward(x):
        return x.sin(), x.cos()

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*output)

    @staticmethod
    def backward(ctx, g_sin, g_cos):
        s, c = ctx.saved_tensors
        return g_sin * c - g_cos * s


class Affine(Function):
    @staticmethod
    def forward(ctx, x, w, b=None):
        ctx.save_for_backward(x, w)
        ctx.has_bias = b is not None
        y = x @ w.T
        return y + b if ctx.has_bias else y

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        dx = g @ w if ctx.needs_input_grad[0] else None
        dw = g.T @ x if ctx.needs_input_grad[1] else None
        return dx, dw, g.sum(0) if ctx.has_bias else None


class Root(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.root = x.sqrt()
        return ctx.root.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        return g / (2 * ctx.root)


x = torch.tensor([-2.0, -0.4, 0.3, 0.9], requires_grad=True)
y = Quantize.apply(x, 4)
print(y)
y.backward(torch.arange(4.0))
print(x.grad)
print(Reverse.apply(x, 0.5), torch.autograd.grad(Reverse.apply(x, 0.5).pow(2).sum(), x))
s, c = SinCos.apply(x)
print(s, c, s.grad_fn.name())
(first,) = torch.autograd.grad(s.sum() + 2 * c.sum(), x, create_graph=True)
print(first, torch.autograd.grad(first.sum(), x))
a, w, b = (torch.randn(*n, dtype=torch.double, requires_grad=True) for n in ((4, 3), (2, 3), (2,)))
print(gradcheck(Affine.apply, (a, w, b)), gradgradcheck(Affine.apply, (a, w, b)), torch.rand(2))
v = torch.tensor([4.0, 9.0], requires_grad=True)
r = Root.apply(v)
(g,) = torch.autograd.grad((r * r).sum(), v, create_graph=True)
print(r, g.detach())
try:
    g.sum().backward()
except RuntimeError as e:
    print(str(e)[:82])


class Dense(nn.Module):
    def __init__(self, i, o, bias=True):
        super().__init__()
        self.i, self.o = i, o
        self.weight = nn.Parameter(torch.randn(o, i) / i**0.5)
        self.bias = nn.Parameter(torch.zeros(o)) if bias else None

    def forward(self, x):
        return Affine.apply(x, self.weight, self.bias)

    def extra_repr(self):
        return f"{self.i} -> {self.o}, bias={self.bias is not None}"


net = nn.Sequential(Dense(4, 8), nn.Tanh(), Dense(8, 1, bias=False))
print(net, [n for n, _ in net.named_parameters()])
optimizer = torch.optim.ASGD(net.parameters(), lr=0.2)
data = torch.randn(32, 4)
for step in range(4):
    loss = (net(data) - data.prod(1, keepdim=True)).abs().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss)

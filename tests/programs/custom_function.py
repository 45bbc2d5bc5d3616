"""Functions with derivatives of one's own."""

import torch


class LegendrePolynomial3(torch.autograd.Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return 0.5 * (5 * input**3 - 3 * input)

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        return grad_output * 1.5 * (5 * input**2 - 1)


class MyReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, slope):
        ctx.save_for_backward(x)
        ctx.slope = slope
        return x.clamp(min=0) + slope * x.clamp(max=0)

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        grad = grad_output.clone()
        grad[x < 0] *= ctx.slope
        return grad, None


x = torch.linspace(-1, 1, 7, requires_grad=True)
P3 = LegendrePolynomial3.apply
y = P3(x)
print(y)
y.sum().backward()
print(x.grad)

x.grad = None
z = MyReLU.apply(x, 0.1)
(z * z).sum().backward()
print(z.detach(), x.grad)

double = torch.linspace(-1, 1, 5, dtype=torch.double, requires_grad=True)
print(torch.autograd.gradcheck(P3, (double,)))

torch.manual_seed(0)
w = torch.full((), -1.0, requires_grad=True)
data = torch.linspace(-1, 1, 50)
target = torch.sin(data)
for t in range(60):
    loss = (w * P3(0.3 + data) - target).pow(2).sum()
    loss.backward()
    with torch.no_grad():
        w -= 1e-2 * w.grad
        w.grad.zero_()
    if t % 20 == 0:
        print(t, loss.item())
print(w)

"""A Gaussian process by Cholesky, with hyperparameters learned by the marginal likelihood; Bayesian linear regression."""

import math

import torch

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)


class GP(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.log_len = torch.nn.Parameter(torch.tensor(0.0))
        self.log_var = torch.nn.Parameter(torch.zeros(()))
        self.log_noise = torch.nn.Parameter(torch.full((), -2.0))

    def kernel(self, a, b):
        d2 = (a[:, None] - b[None]).pow(2).sum(-1)
        return self.log_var.exp() * torch.exp(-0.5 * d2 / self.log_len.exp() ** 2)

    def nll(self, x, y):
        n = len(x)
        K = self.kernel(x, x) + self.log_noise.exp() * torch.eye(n)
        L = torch.linalg.cholesky(K)
        alpha = torch.cholesky_solve(y.unsqueeze(-1), L).squeeze(-1)
        return 0.5 * y @ alpha + L.diagonal().log().sum() + 0.5 * n * math.log(2 * math.pi)

    def posterior(self, x, y, xs):
        K = self.kernel(x, x) + self.log_noise.exp() * torch.eye(len(x))
        L = torch.linalg.cholesky(K)
        Ks = self.kernel(x, xs)
        v = torch.linalg.solve_triangular(L, Ks, upper=False)
        mean = Ks.T @ torch.cholesky_solve(y[:, None], L)
        cov = self.kernel(xs, xs) - v.mT @ v
        return mean.squeeze(), cov


x = torch.rand(20, 1) * 6
y = torch.sin(x).squeeze() + 0.1 * torch.randn(20)
gp = GP()
print(gp, gp.log_len, list(gp.state_dict().items()))
opt = torch.optim.Adam(gp.parameters(), lr=0.1)
for i in range(30):
    opt.zero_grad()
    loss = gp.nll(x, y)
    loss.backward()
    opt.step()
    if i % 6 == 0:
        print("%3d  nll %.6f  length %.4f  noise %.5f" % (i, loss, gp.log_len.exp(), gp.log_noise.exp()))
xs = torch.linspace(0, 6, 5)[:, None]
with torch.no_grad():
    mean, cov = gp.posterior(x, y, xs)
print(mean, cov.diag().sqrt(), cov.shape)
print(cov)
dist = torch.distributions.MultivariateNormal(mean, cov + 1e-6 * torch.eye(5))
print(dist.log_prob(torch.sin(xs).squeeze()), dist.sample(), dist.entropy())
print(
    -torch.distributions.MultivariateNormal(
        torch.zeros(20), gp.kernel(x, x) + gp.log_noise.exp() * torch.eye(20)
    ).log_prob(y)
)
Phi = torch.stack([torch.ones(20), x[:, 0], x[:, 0] ** 2], 1)
A = Phi.T @ Phi + 0.1 * torch.eye(3)
w = torch.linalg.solve(A, Phi.T @ y)
print(w, torch.inverse(A), torch.linalg.lstsq(Phi, y[:, None]).solution.T)
S = torch.linalg.inv(A).cholesky()
print(S, torch.logdet(A), torch.linalg.slogdet(A), torch.trace(A), A.det())
print(torch.linalg.norm(A), torch.linalg.matrix_rank(A), torch.linalg.pinv(Phi).shape)
Q, R = torch.linalg.qr(Phi)
print(R.abs(), (Q.T @ Q).round(decimals=6))

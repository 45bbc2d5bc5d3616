"""The plain definitions of what kernels compute, in NumPy without a trick, for complex numbers too.

`test_kernels.py` says why.
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np


def real(x):
    return np.real(x)


def larger(x, y):
    return np.where(real(x) > real(y), x, y)


def erf(x):
    """Return erf for numbers with a tiny imaginary part."""
    slope = 2 / math.sqrt(math.pi) * np.exp(-(real(x) ** 2))
    return np.vectorize(math.erf, otypes=[float])(real(x)) + 1j * slope * np.imag(x)


def logistic(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.log(1 + np.exp(x))


def log_softmax(x, axis):
    if not x.size:
        return x
    x = x - real(x).max(axis, keepdims=True)
    return x - np.log(np.exp(x).sum(axis, keepdims=True))


def softmax(x, axis):
    return np.exp(log_softmax(x, axis))


def windows(x, kernel, stride, padding, dilation=(1, 1), fill=0.0):
    """Yield, for each place in the kernel, its row and column and what it sees of `x`: (n, channels, h, w)."""
    x = np.pad(x, ((0, 0), (0, 0), (padding[0],) * 2, (padding[1],) * 2), constant_values=fill)
    h, w = (
        (size - d * (k - 1) - 1) // s + 1 for size, k, s, d in zip(x.shape[2:], kernel, stride, dilation, strict=True)
    )
    for i, j in product(*map(range, kernel)):
        a, b = i * dilation[0], j * dilation[1]
        yield i, j, x[:, :, a : a + (h - 1) * stride[0] + 1 : stride[0], b : b + (w - 1) * stride[1] + 1 : stride[1]]


def conv(x, weight, bias, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    n, channels = x.shape[:2]
    filters = weight.reshape(groups, len(weight) // groups, *weight.shape[1:])
    total = 0
    for i, j, seen in windows(x, weight.shape[2:], stride, padding, dilation):
        seen = seen.reshape(n, groups, channels // groups, *seen.shape[2:])
        total = total + np.einsum("ngchw,gfc->ngfhw", seen, filters[..., i, j])
    return total.reshape(n, len(weight), *total.shape[3:]) + bias[:, None, None]


def max_pool(x, kernel, stride, padding):
    best = None
    for _, _, seen in windows(x, kernel, stride, padding, fill=-np.inf):
        best = seen if best is None else larger(seen, best)
    return best


def avg_pool(x, kernel, stride, padding):
    return sum(seen for *_, seen in windows(x, kernel, stride, padding)) / math.prod(kernel)


def normalised(x, axes, eps=1e-5):
    mean = x.mean(axes, keepdims=True)
    return (x - mean) / np.sqrt(((x - mean) ** 2).mean(axes, keepdims=True) + eps)


def by_channel(v, ndim):
    return v.reshape(1, -1, *[1] * (ndim - 2))


def batch_norm(x, weight, bias):
    axes = (0, *range(2, x.ndim))
    return normalised(x, axes) * by_channel(weight, x.ndim) + by_channel(bias, x.ndim)


def group_norm(x, weight, bias, groups):
    cut = x.reshape(x.shape[0], groups, -1)
    return normalised(cut, (2,)).reshape(x.shape) * by_channel(weight, x.ndim) + by_channel(bias, x.ndim)


def labels_for(shape):
    """Return labels for scores (n, classes, ...)."""
    rest = (shape[0], *shape[2:])
    return np.random.default_rng(5).integers(0, shape[1], rest)


def cross_entropy(x, weight=None, ignore=None, smoothing=0.0, reduction="mean"):
    labels, logs = labels_for(x.shape), log_softmax(x, 1)
    one_hot = np.moveaxis(np.eye(x.shape[1])[labels], -1, 1)
    weights = np.ones(x.shape[1]) if weight is None else weight
    kept = np.ones(labels.shape) if ignore is None else labels != ignore
    target = one_hot * (1 - smoothing) + smoothing / x.shape[1]
    losses = -(logs * target * by_channel(weights, x.ndim)).sum(1) * kept
    if reduction == "none":
        return losses
    return losses.sum() if reduction == "sum" else losses.sum() / (weights[labels] * kept).sum()


def attention(q, k, v, mask=None):
    scores = q @ np.swapaxes(k, -1, -2) / math.sqrt(q.shape[-1])
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    return softmax(scores, -1) @ v


def recurrent(cell, x, params, hidden, reverse=False):
    """Run `cell` over the steps of x: (steps, n, inputs), from zeros."""
    n = x.shape[1]
    state, outputs = (np.zeros((n, hidden)), np.zeros((n, hidden))), []
    for t in reversed(range(len(x))) if reverse else range(len(x)):
        state = cell(x[t], state, *params)
        outputs.append(state[0])
    return np.stack(outputs[::-1] if reverse else outputs)


def rnn_cell(x, state, w_ih, w_hh, b_ih, b_hh):
    return np.tanh(x @ w_ih.T + b_ih + state[0] @ w_hh.T + b_hh), None


def lstm_cell(x, state, w_ih, w_hh, b_ih, b_hh):
    i, f, g, o = np.split(x @ w_ih.T + b_ih + state[0] @ w_hh.T + b_hh, 4, axis=1)
    c = logistic(f) * state[1] + logistic(i) * np.tanh(g)
    return logistic(o) * np.tanh(c), c


def gru_cell(x, state, w_ih, w_hh, b_ih, b_hh):
    r, z, n = np.split(x @ w_ih.T + b_ih, 3, axis=1)
    hr, hz, hn = np.split(state[0] @ w_hh.T + b_hh, 3, axis=1)
    z = logistic(z + hz)
    return (1 - z) * np.tanh(n + logistic(r + hr) * hn) + z * state[0], None

"""Other libraries, on the perceptron with SGD: each written as its own users would, from the same weights and batch."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

import numpy as np

from benchmarks.workloads import mlp, side

Step = Callable[[], Any]
Make = Callable[[list[Any], Any, Any], Step]
BATCHES = {"mlp-1": 1, "mlp-64": 64, "mlp-512": 512}


class Rival(NamedTuple):
    """The package, and what makes its training step of weights (out, in), biases, images and labels."""

    package: str
    make: Make

    def version(self) -> str:
        """Return the version that is installed, or ""."""
        try:
            return version(self.package)
        except PackageNotFoundError:
            return ""

    def can(self, name: str) -> bool:
        """Return whether there is a step for the workload `name`."""
        return name in BATCHES

    def step(self, name: str) -> Step:
        """Return the training step of the workload `name`, which returns the loss as a number."""
        ours, rng, rows = side("minigrad"), np.random.default_rng(0), BATCHES[name]
        ours.library.manual_seed(0)
        weights = [p.detach().numpy().copy() for p in mlp(ours).parameters()]
        return self.make(weights, rng.standard_normal((rows, 784)).astype(np.float32), rng.integers(0, 10, rows))


def _jax(weights: list[Any], x: Any, labels: Any) -> Step:
    jax, jnp = importlib.import_module("jax"), importlib.import_module("jax.numpy")

    def loss(w: list[Any], x: Any, labels: Any) -> Any:
        scores = jax.nn.relu(x @ w[0].T + w[1]) @ w[2].T + w[3]
        return -jax.nn.log_softmax(scores)[jnp.arange(len(labels)), labels].mean()

    def update(w: list[Any], v: list[Any], x: Any, labels: Any) -> Any:
        value, g = jax.value_and_grad(loss)(w, x, labels)
        v = [0.9 * b + d for b, d in zip(v, g, strict=True)]
        return value, [p - 0.01 * b for p, b in zip(w, v, strict=True)], v

    compiled = jax.jit(update, donate_argnums=(0, 1))
    state = [[jnp.array(w) for w in weights], [jnp.zeros(w.shape) for w in weights]]
    batch = jnp.array(x), jnp.array(labels)

    def step() -> float:
        value, *state[:] = compiled(*state, *batch)
        jax.block_until_ready(state)
        return float(value)

    return step


def _autograd(weights: list[Any], x: Any, labels: Any) -> Step:
    anp, grad = importlib.import_module("autograd.numpy"), importlib.import_module("autograd").value_and_grad
    rows, velocity = np.arange(len(labels)), [np.zeros_like(w) for w in weights]

    def loss(w: list[Any]) -> Any:
        scores = anp.maximum(x @ w[0].T + w[1], 0) @ w[2].T + w[3]
        scores = scores - anp.max(scores, axis=1, keepdims=True)
        return anp.mean(anp.log(anp.sum(anp.exp(scores), axis=1)) - scores[rows, labels])

    def step() -> float:
        value, gradients = grad(loss)(weights)
        for w, v, g in zip(weights, velocity, gradients, strict=True):
            v *= 0.9
            v += g
            w -= 0.01 * v
        return float(value)

    return step


def _mygrad(weights: list[Any], x: Any, labels: Any) -> Step:
    mg, relu = importlib.import_module("mygrad"), importlib.import_module("mygrad.nnet.activations").relu
    criterion = importlib.import_module("mygrad.nnet.losses").softmax_crossentropy
    w, velocity = [mg.tensor(value) for value in weights], [np.zeros_like(value) for value in weights]

    def step() -> float:
        loss = criterion(relu(x @ w[0].T + w[1]) @ w[2].T + w[3], labels)
        loss.backward()
        for p, v in zip(w, velocity, strict=True):
            v *= 0.9
            v += p.grad
            p.data -= 0.01 * v
        return float(loss.item())

    return step


def _tinygrad(weights: list[Any], x: Any, labels: Any) -> Step:
    tiny = importlib.import_module("tinygrad")
    optim = importlib.import_module("tinygrad.nn.optim")
    w = [tiny.Tensor(value) for value in weights]
    stepper, batch = optim.SGD(w, lr=0.01, momentum=0.9), (tiny.Tensor(x), tiny.Tensor(labels.astype(np.int32)))

    @tiny.TinyJit
    def update(x: Any, labels: Any) -> Any:
        stepper.zero_grad()
        loss = ((x @ w[0].T + w[1]).relu() @ w[2].T + w[3]).sparse_categorical_crossentropy(labels).backward()
        tiny.Tensor.realize(loss, *stepper.schedule_step())  # at once, for the loss of the weights before the step
        return loss

    return lambda: float(update(*batch).item())


RIVALS = {
    "JAX jit": Rival("jax", _jax),
    "tinygrad": Rival("tinygrad", _tinygrad),
    "MyGrad": Rival("mygrad", _mygrad),
    "HIPS autograd": Rival("autograd", _autograd),
}

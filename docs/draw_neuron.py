"""Draw a neuron with all its numbers, forward and backward, into docs/neuron.svg."""

from pathlib import Path

import minigrad as mg
from minigrad import viz


def named(name: str, value: float, requires_grad: bool = False) -> mg.Tensor:
    """Return a single number with a name for the picture."""
    x = mg.tensor(value, requires_grad=requires_grad)
    x.name = name
    return x


def neuron() -> viz.Graph:
    """Return the graph of the squared error of one neuron: loss = (sigmoid(w1 x1 + w2 x2 + b) - target)²."""
    x1, x2, target = named("x1", 2.0), named("x2", -1.0), named("target", 1.0)
    w1, w2, b = (named(*known, requires_grad=True) for known in (("w1", 0.5), ("w2", 0.3), ("b", 0.1)))
    z = w1 * x1 + w2 * x2 + b
    a = z.sigmoid()
    loss = (a - target) ** 2
    return viz.graph(loss, names={"z": z, "a": a, "loss": loss})


if __name__ == "__main__":
    print(neuron().render(Path(__file__).with_name("neuron.svg")))

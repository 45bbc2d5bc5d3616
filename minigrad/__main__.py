"""`python -m minigrad`: what there is, and what is installed; `python -m minigrad run script.py`: run it as torch's."""

from __future__ import annotations

import importlib.util
import sys
import textwrap

import minigrad
from minigrad import graph, nn, optim

TEXT = """minigrad {version}: autograd on NumPy, a mini PyTorch whose backpropagation one can see

  import minigrad as mg
  x = mg.tensor([1.0, 2.0], requires_grad=True)
  loss = (x * x).sum(); loss.backward(); x.grad     # tensor([2., 4.])
  mg.viz.graph(loss).render("graph.svg")            # the graph, forward and backward

ops        {primitives} primitives with gradient rules, {composites} composites of them
layers     {layers}
optimisers {optimisers}
data       datasets.Digits, datasets.MNIST(root), datasets.FashionMNIST(root), utils.data.DataLoader
extras     {extras}

A script written for PyTorch: python -m minigrad run script.py [arguments]
A recorded run (viz.record, Graph.to_json): python -m minigrad.viz show|check|diff run.json
From a checkout: make demo (train on handwritten digits), make test, make bench; docs/architecture.md."""

EXTRAS = {"pygraphviz": "drawing", "matplotlib": "plots", "tqdm": "progress bars", "sklearn": "Digits"}


def subclasses(module: object, base: type) -> str:
    """Return the names of the subclasses of `base` that `module` makes public."""
    found = {v.__name__ for v in vars(module).values() if isinstance(v, type) and issubclass(v, base) and v is not base}
    return ", ".join(sorted(found))


def wrapped(names: str, width: int = 108) -> str:
    """Return a list of names in lines of at most `width`, indented below the heading."""
    return textwrap.fill(names, width).replace("\n", "\n" + " " * 11)


def main() -> None:
    """Run a script, or print the overview."""
    if sys.argv[1:2] == ["run"]:
        from minigrad.compat import run

        sys.exit(run(sys.argv[2:]))
    extras = (
        f"{name} ({use}): {'installed' if importlib.util.find_spec(name) else 'not installed'}"
        for name, use in EXTRAS.items()
    )
    print(
        TEXT.format(
            version=minigrad.__version__,
            primitives=len(graph.primitives),
            composites=len(graph.composites),
            layers=wrapped(subclasses(nn, nn.Module)),
            optimisers=wrapped(subclasses(optim, optim.Optimizer)),
            extras=wrapped("; ".join(extras)),
        )
    )


if __name__ == "__main__":
    main()

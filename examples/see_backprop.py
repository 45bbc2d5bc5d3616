"""See one training step on handwritten digits: as text, as a page that plays it, and whether it is healthy.

    python examples/see_backprop.py [--seed 0] [--out out/see_backprop]

The same network is built twice, with sigmoids and with ReLUs. Eight sigmoids one after the other let next to nothing of
the gradient come back to the first layer: the verdict says so, and sigmoid.svg shows where it is lost, in colours.
The digits are scikit-learn's; nothing is downloaded.
"""

import argparse
from pathlib import Path

import minigrad as mg
from minigrad import nn, viz
from minigrad.datasets import Digits
from minigrad.nn import functional as F


def network(activation: type[nn.Module], layers: int = 8) -> nn.Sequential:
    body = [part for _ in range(layers) for part in (nn.Linear(64, 64), activation())]
    return nn.Sequential(nn.Flatten(), *body, nn.Linear(64, 10))


def record(model: nn.Module, images: mg.Tensor, labels: mg.Tensor) -> tuple[viz.Graph, viz.Player]:
    """Run forward and backward; return what was seen of it, and the page that plays it."""
    with viz.record(model, names={"images": images, "labels": labels}) as step:
        loss = F.cross_entropy(model(images), labels)
        player = loss.explain(title=f"a step of {len(model)} layers")
    return step.graph(), player


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="seed of the weights")
    parser.add_argument("--out", type=Path, default=Path("out/see_backprop"), help="folder for pages and pictures")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    images, labels = (part[:64] for part in Digits(train=True).tensors())
    for name, activation in (("sigmoid", nn.Sigmoid), ("relu", nn.ReLU)):
        mg.manual_seed(options.seed)
        graph, player = record(network(activation), images, labels)
        print(f"--- {name} ---")
        print(graph)
        print(graph.health(), end="\n\n")
        player.save(options.out / f"{name}.html")
        (options.out / f"{name}.json").write_text(graph.to_json(), encoding="utf-8")
        graph.heat("grad").label("name", "op", "shape").render(options.out / f"{name}.svg")
    print(f"pages to play, pictures, and graphs for `python -m minigrad.viz show FILE` are in {options.out}/")


if __name__ == "__main__":
    main()

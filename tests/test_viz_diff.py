"""What differs between two graphs, in words and as a picture; and graphs in Model Explorer's form."""

import importlib.util
import inspect
import json
import random

import pytest

import minigrad as mg
from minigrad import nn, viz
from minigrad.errors import ArgumentError
from minigrad.viz.paint import BLUE


def step(*layers, seed=0, shape=(8, 3)):
    """Return the recorded training step of these layers."""
    mg.manual_seed(seed)
    model = nn.Sequential(*layers)
    with viz.record(model) as recording:
        (model(mg.randn(*shape)) ** 2).mean().backward()
    return recording.graph()


def small(seed=0):
    return step(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2), seed=seed)


def three_layers():
    return step(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2), nn.Linear(2, 2))


@pytest.mark.parametrize(
    ("layers", "lines"),
    [
        ((nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)), []),
        (
            (nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 2)),
            ["+ 2: Linear (weight (4, 4), bias (4,))", "+ 3: ReLU (relu)", "~ 2 → 4: Linear"],
        ),
        ((nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)), ["- 1: ReLU (relu)", "+ 1: Tanh (tanh)"]),
        ((nn.Linear(3, 4, bias=False), nn.ReLU(), nn.Linear(4, 2)), ["- 0.bias: param (4,)"]),
        (
            (nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2)),
            [
                "~ 0.weight: shape (4, 3) → (5, 3)",
                "~ 0.bias: shape (4,) → (5,)",
                "~ 0.linear: shape (8, 4) → (8, 5)",
                "~ 1.relu: shape (8, 4) → (8, 5)",
                "~ 2.weight: shape (2, 4) → (2, 5)",
            ],
        ),
    ],
)
def test_a_difference_is_one_line_in_the_words_of_the_model(layers, lines):
    found = small().diff(step(*layers))
    assert bool(found) == bool(lines)
    assert found.to_text().splitlines() == (lines or ["the same"])


def test_the_picture_of_a_difference_has_all_of_both_and_says_which():
    before, after = small(), step(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2), nn.Linear(2, 2))
    found = before.diff(after)
    marks = {node.id: node.mark.tag for node in found.graph.nodes if node.mark}
    assert sorted(marks.values()) == ["added"] * 4 + ["removed"]
    (gone,) = [node for node in found.graph.nodes if marks.get(node.id) == "removed"]
    assert (gone.op, gone.module) == ("relu", "1")
    neighbours = {edge.tail for edge in found.graph.edges if edge.head == gone.id}
    neighbours |= {edge.head for edge in found.graph.edges if edge.tail == gone.id}
    assert [found.graph[i].op for i in sorted(neighbours)] == ["linear", "linear"]
    ids = [node.id for node in found.graph.nodes]
    assert len(ids) == len(set(ids)) == len(after.nodes) + 1
    assert "difference: 2 added, 1 removed" in found.source
    assert found.source == found.graph.source
    bundle = found._repr_mimebundle_()
    assert bundle["text/plain"] == found.to_text()


@pytest.mark.skipif(importlib.util.find_spec("minigrad.viz.palette") is None, reason="marks are not drawn yet")
def test_what_differs_is_said_in_the_boxes_not_only_in_colour():
    source = small().diff(three_layers()).source
    assert source.count(">added<") == 3
    assert BLUE in source


@pytest.mark.skipif("depth" not in inspect.signature(viz.Graph.collapse).parameters, reason="there is no depth yet")
def test_folded_graphs_are_compared_as_they_are_shown():
    found = small().collapse(depth=1).diff(three_layers().collapse(depth=1))
    assert [str(d) for d in found.differences if d.kind != "changed"] == ["+ 3: Linear (8, 2)"]
    assert "added" in {node.mark.tag for node in found.graph.nodes if node.mark}
    gone = three_layers().collapse(depth=1).diff(small().collapse(depth=1)).graph
    assert [node.mark.tag for node in gone.nodes if node.name == "3"] == ["removed"]
    assert sum(node.holds for node in gone.collapse(max_nodes=2).nodes) == sum(node.holds for node in gone.nodes)


def test_what_is_computed_from_what_is_compared():
    x, y = mg.ones(2, requires_grad=True), mg.full((2,), 2.0, requires_grad=True)

    def drawn(turned):
        e, t = x.exp(), y.tanh()
        return viz.graph((t - e if turned else e - t).sum(), names={"x": x, "y": y})

    assert not drawn(False).diff(drawn(False))
    assert drawn(False).diff(drawn(True)).to_text() == "~ sub: operands exp, tanh → tanh, exp"
    with pytest.raises(ArgumentError, match="must be a Graph"):
        drawn(False).diff(3)


def test_leaves_are_told_apart_by_all_of_their_names_and_by_their_order():
    def drawn(first, second, names):
        a, b = mg.ones(first, requires_grad=True), mg.ones(second, requires_grad=True)
        return viz.graph(a.sum() - b.sum(), names={a: names[0], b: names[1]})

    for names in (("a.weight", "b.weight"), ("weight", "weight")):
        before = drawn(2, 2, names)
        assert not before.diff(drawn(2, 2, names))
        assert before.diff(drawn(3, 2, names)).to_text() == f"~ {names[0]}: shape (2,) → (3,)"
        assert before.diff(drawn(2, 3, names)).to_text() == f"~ {names[1]}: shape (2,) → (3,)"


def test_long_graphs_are_compared_quickly():
    def chain(length, extra):
        y = mg.ones(2, requires_grad=True)
        for i in range(length):
            y = y.tanh() if i == extra else y.exp().log() if i % 2 else y * 1.0
        return viz.graph(y.sum(), values=None)

    found = chain(20_000, None).diff(chain(20_000, 9_999))
    assert sorted(found.to_text().splitlines()) == ["+ tanh (2,)", "- exp (2,)", "- log (2,)"]


def fewest_edits(a, b):
    """Return how many removals and additions lead from one sequence to the other, by the table of all prefixes."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row = row, [i]
        for j, y in enumerate(b, 1):
            row.append(before[j - 1] if x == y else 1 + min(before[j], row[j - 1]))
    return row[-1]


def test_as_little_as_can_be_is_said_to_differ():
    draw = random.Random(0)
    for _ in range(50):
        a, b = ([draw.choice(["exp", "tanh", "sin"]) for _ in range(draw.randrange(1, 9))] for _ in range(2))
        graphs = []
        for names in (a, b):
            y = mg.ones(2, requires_grad=True)
            for name in names:
                y = getattr(y, name)()
            graphs.append(viz.graph(y, values=None))
        found = graphs[0].diff(graphs[1])
        assert sum(d.kind in ("added", "removed") for d in found.differences) == fewest_edits(a, b)


# --- Model Explorer ---


def test_model_explorer_gets_every_node_edge_and_module():
    graph = step(nn.Conv2d(1, 6, 5), nn.ReLU(), nn.Flatten(), nn.Linear(96, 2), shape=(4, 1, 8, 8))
    data = json.loads(json.dumps(graph.to_model_explorer("lenet")))
    (found,) = data["graphs"]
    nodes = {node["id"]: node for node in found["nodes"]}
    assert set(data) == {"label", "graphs"}
    assert list(nodes) == [str(node.id) for node in graph.nodes]
    edges = [
        (e["sourceNodeId"], id, e["targetNodeInputId"]) for id, node in nodes.items() for e in node["incomingEdges"]
    ]
    assert sorted(edges) == sorted((str(e.tail), str(e.head), str(e.operand)) for e in graph.edges)
    weight = nodes[str(graph["0.weight"].id)]
    assert (weight["label"], weight["namespace"]) == ("weight", "0")
    assert weight["outputsMetadata"][0]["attrs"] == [{"key": "tensor_shape", "value": "float32[6,1,5,5]"}]
    assert found["groupNodeAttributes"]["0"] == {"class": "Conv2d"}
    assert all(isinstance(pair["value"], str) for node in nodes.values() for pair in node["attrs"])


def test_nested_modules_are_nested_namespaces():
    graph = step(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), nn.Linear(4, 2))
    spaces = {node["namespace"] for node in graph.to_model_explorer()["graphs"][0]["nodes"]}
    assert {"0/0", "0/1", "1"} <= spaces

"""A graph as the JSON data that Model Explorer (github.com/google-ai-edge/model-explorer) opens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from minigrad.viz.rows import DATA, Edge, Node, Rows


def collection(rows: Rows, label: str) -> dict[str, Any]:
    """Return a graph collection of this one graph: modules are its namespaces, values and gradients attributes."""
    into: dict[int, list[dict[str, str]]] = {node.id: [] for node in rows.nodes}
    for edge in rows.edges:
        if edge.kind == DATA:
            into[edge.head].append(_edge(edge))
    groups = {_namespace(module.path): {"class": module.kind} for module in rows.modules if module.kind}
    graph = {
        "id": label,
        "nodes": [_node(node, into[node.id]) for node in rows.nodes],
        "groupNodeAttributes": groups,
    }
    return {"label": label, "graphs": [graph]}


def _node(node: Node, into: list[dict[str, str]]) -> dict[str, Any]:
    facts = [("tensor_shape", f"{node.dtype}[{','.join(map(str, node.shape))}]")]
    style = {"style": {"backgroundColor": node.mark.fill}} if node.mark else {}
    return {
        "id": str(node.id),
        "label": node.op or (node.name or "").rpartition(".")[2] or node.kind,
        "namespace": _namespace(node.module or ""),
        "attrs": _pairs(_attributes(node)),
        "incomingEdges": into,
        "outputsMetadata": [{"id": "0", "attrs": _pairs(facts)}],
    } | style


def _attributes(node: Node) -> Iterator[tuple[str, str]]:
    """Yield what is known of a node, as names and texts."""
    known: list[tuple[str, Any]] = [
        ("kind", node.kind),
        ("name", node.name),
        ("attrs", node.attrs),
        ("requires_grad", "yes" if node.requires_grad else None),
        ("value", node.value),
        ("grad", node.grad),
        ("saved bytes", node.saved_bytes or None),
        ("forward us", node.forward_us),
        ("backward us", node.backward_us),
        ("order", node.order or None),
        ("error", node.error),
        ("where", f"{node.where.file}:{node.where.line}: {node.where.code}" if node.where else None),
        ("mark", node.mark.tag if node.mark else None),
    ]
    yield from ((key, str(value)) for key, value in known if value not in (None, ""))


def _edge(edge: Edge) -> dict[str, str]:
    return {
        "sourceNodeId": str(edge.tail),
        "sourceNodeOutputId": str(edge.output),
        "targetNodeInputId": str(edge.operand),
    }


def _pairs(facts: Any) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in facts]


def _namespace(path: str) -> str:
    return path.replace(".", "/")

"""A drawn graph as rows of plain data: nothing in it refers to a tensor, so it keeps none alive and may be kept itself.

`read` walks from the outputs to everything they were computed from. Nodes are numbered in the order in which the
program made them, a leaf just before its first use: the same program gives the same rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minigrad import graph
from minigrad.graph import Constant, Op, edge_facts
from minigrad.tensor import Tensor
from minigrad.viz.text import attribute, call, values

TINY = 16  # tensors of at most this many elements are shown by value
OP, PARAM, INPUT, CONST, OUTPUT, MODULE = "op", "param", "input", "const", "output", "module"
COMMUTATIVE = frozenset(("add", "mul", "maximum", "minimum"))


class Node(NamedTuple):
    """One box of the picture.

    `kind` says what it is: "op"; "output", an op whose result was asked for; "param", a leaf that gradients flow to;
    "input" or "const", a tensor that none flows to; "module", several nodes folded into one. `module` is the dotted
    path of the module it ran in, None outside of any; "pool@2" is the second call of "pool". `value` and `grad` are
    texts, None where they are not known.
    `holds` counts the nodes that were folded into this one.
    """

    id: int
    kind: str
    op: str
    name: str | None
    module: str | None
    shape: tuple[int, ...]
    dtype: str
    attrs: str
    value: str | None
    grad: str | None
    requires_grad: bool
    holds: int = 1


class Edge(NamedTuple):
    """What flows from `tail` to `head` (ids of nodes) in the forward pass; a gradient comes back if `requires_grad`.

    `label` names the operand where it could be taken for another: not that of an op with one operand or with operands
    that may change places, nor `x`, which is what an op works on, nor one whose box has that name already.
    """

    tail: int
    head: int
    label: str
    requires_grad: bool


class Module(NamedTuple):
    """A call of a module: its dotted path ("" for the model itself) and its class's name ("" if not known)."""

    path: str
    kind: str


@dataclass(frozen=True)
class Rows:
    """The rows of a picture, what is to be said below it, and how it is to be drawn."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    modules: tuple[Module, ...] = ()
    notes: tuple[str, ...] = ()
    direction: str = "both"
    rankdir: str = "TB"


Texts = Mapping[Any, str]  # by edge: (node, index) or a leaf


def history(roots: Iterable[Any]) -> list[graph.Node]:
    """Return the nodes that the edges `roots` were computed with, oldest first."""
    seen: set[graph.Node] = set()
    stack = [edge[0] for edge in roots if type(edge) is tuple]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack += [edge[0] for edge in node.edges if type(edge) is tuple]
    return sorted(seen, key=lambda node: node.number)


def read(
    order: list[graph.Node],
    outputs: Mapping[Any, Tensor],
    names: Mapping[Any, str],
    shown: Texts,
    gradients: Texts,
    kinds: Mapping[str, str],
) -> tuple[tuple[Node, ...], tuple[Edge, ...], tuple[Module, ...]]:
    """Return the rows for the nodes `order` and the tensors `outputs`, both by their place in the graph.

    `names`, `shown` and `gradients` hold names and the texts of values and gradients, by edge; `kinds` the classes of
    modules by path, as far as they are known beforehand.
    """
    reader, calls = _Reader(names, shown, gradients), _Calls(kinds)
    for edge, tensor in outputs.items():
        if type(edge) is not tuple:
            reader.leaf_id(edge, tensor)
    for node in order:
        reader.add(node, calls.place(node.scope), any((node, i) in outputs for i in range(len(node.outputs))))
    modules = {path: kind for path, kind in calls.kinds.items() if path or kind}
    users = reader.users()
    placed = (_placed(row, users.get(row.id, ()), modules) for row in reader.nodes)
    return tuple(placed), tuple(reader.edges), tuple(Module(path, kind) for path, kind in modules.items())


class _Reader:
    """The rows so far, and which row stands for which node or leaf."""

    def __init__(self, names: Mapping[Any, str], shown: Texts, gradients: Texts) -> None:
        self.names, self.shown, self.gradients = names, shown, gradients
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self._ids: dict[Any, int] = {}

    def add(self, node: graph.Node, module: str | None, is_output: bool) -> None:
        """Add the row of `node`, those of leaves that it is the first to use, and the edges to it."""
        drawn = [(i, edge) for i, edge in enumerate(node.edges) if _is_drawn(edge)]
        tails = [self._tail(edge) for _, edge in drawn]
        (shape, dtype), first = node.outputs[0], (node, 0)
        at = self._ids[node] = len(self.nodes)
        self.nodes.append(
            Node(
                id=at,
                kind=OUTPUT if is_output else OP,
                op=node.op.name,
                name=next((self.names[node, i] for i in range(len(node.outputs)) if (node, i) in self.names), None),
                module=module,
                shape=shape,
                dtype=str(dtype),
                attrs=_settings(node),
                value=self.shown.get(first),
                grad=self.gradients.get(first),
                requires_grad=True,
            )
        )
        tell = len(drawn) > 1 and node.op.name not in COMMUTATIVE
        for (i, edge), tail in zip(drawn, tails, strict=True):
            label = operand(node.op, i) if tell else ""
            if label in ("x", (self.nodes[tail].name or "").rpartition(".")[2]):
                label = ""
            self.edges.append(Edge(tail, at, _from_output(edge, label), i in node.plan.wanted))

    def _tail(self, edge: Any) -> int:
        return self._ids[edge[0]] if type(edge) is tuple else self.leaf_id(edge, edge)

    def leaf_id(self, key: Any, leaf: Tensor | Constant) -> int:
        """Return the id of the row of a leaf or a constant; constants alike that lay in one storage are one."""
        if isinstance(leaf, Constant) and leaf.storage is not None:
            bits = None if leaf.value is None else leaf.value.tobytes()
            key = (leaf.storage, leaf.shape, str(leaf.dtype), bits)
        if key not in self._ids:
            self._ids[key] = len(self.nodes)
            self.nodes.append(self._leaf(len(self.nodes), leaf))
        return self._ids[key]

    def _leaf(self, at: int, leaf: Tensor | Constant) -> Node:
        shape, dtype = edge_facts(leaf)
        learns = isinstance(leaf, Tensor) and leaf.requires_grad
        array = leaf._data if isinstance(leaf, Tensor) else leaf.value
        name = self.names.get(leaf.storage if isinstance(leaf, Constant) else leaf, leaf.name)
        known = self.shown.get(leaf)
        if known is None and not learns and array is not None and array.size <= TINY:
            known = values(array)
        kind = PARAM if learns else CONST if name is None and isinstance(leaf, Constant) and known else INPUT
        return Node(at, kind, "", name, None, shape, str(dtype), "", known, self.gradients.get(leaf), learns)

    def users(self) -> dict[int, tuple[str | None, ...]]:
        """Return, for each id, the modules in which it is used."""
        users: dict[int, dict[str | None, None]] = {}
        for edge in self.edges:
            users.setdefault(edge.tail, {})[self.nodes[edge.head].module] = None
        return {tail: tuple(modules) for tail, modules in users.items()}


def _is_drawn(edge: Any) -> bool:
    """Return whether an operand has a box of its own; numbers are written into the box of the op."""
    return type(edge) is tuple or isinstance(edge, Tensor | Constant)


def operand(op: Op, position: int) -> str:
    """Return what the picture calls the operand at `position`."""
    name = op.input_name(position)
    if name == op.variadic:
        return f"{name}[{position - len(op.inputs) + 1}]"
    return {"a": "left", "b": "right"}.get(name, name)


def _from_output(edge: Any, label: str) -> str:
    """Return the label of an edge with the name of the output it comes from, if that is not the first."""
    if type(edge) is not tuple or edge[1] == 0:
        return label
    outputs = edge[0].op.outputs
    name = outputs[edge[1]] if edge[1] < len(outputs) else f"output {edge[1]}"
    return f"{name} → {label}" if label else name


def _settings(node: graph.Node) -> str:
    """Return the settings of a node that are not the op's defaults, and the numbers among its operands, as text."""
    op, shape = node.op, node.outputs[0][0]
    numbers = [(i, e) for i, e in enumerate(node.edges) if isinstance(e, bool | int | float | complex | np.generic)]
    parts = [call(op.name, {operand(op, i): v for i, v in numbers})] if numbers else []
    for name, value in node.attrs.items():
        if value is not None and value is not op.defaults.get(name) and value != shape:
            text = attribute(value)
            if name not in op.defaults or text != attribute(op.defaults[name]):
                parts.append(text if hasattr(value, "_fields") else f"{name}={text}")
    return ", ".join(parts)


def ancestors(path: str) -> Iterator[str]:
    """Yield `path` and the paths around it, outermost (the model, "") last.

    >>> list(ancestors("body.0"))
    ['body.0', 'body', '']
    """
    while path:
        yield path
        path = path.rpartition(".")[0]
    yield ""


class _Calls:
    """Which call of which module each op belongs to, told from the order of the ops.

    A call has ended when an op of another module comes that is not inside this one. So calls that follow upon each
    other with no op between them count as one.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self.kinds: dict[str, str] = {}  # classes, by the path with the number of the call in it
        self._known = known
        self._open: list[tuple[str, str]] = []  # the modules that run, outermost first: path, and path with calls
        self._counts: Counter[str] = Counter()

    def place(self, where: graph.Scope | None) -> str | None:
        """Return the path, with calls, for an op recorded in the scope `where`."""
        path = [] if where is None else [*ancestors(where.path)][::-1]
        while self._open and (len(self._open) > len(path) or self._open[-1][0] != path[len(self._open) - 1]):
            self._open.pop()
        for plain in path[len(self._open) :]:
            self._enter(plain)
        if where is None:
            return None
        here = self._open[-1][1]
        self.kinds[here] = where.kind
        return here

    def _enter(self, plain: str) -> None:
        name = plain.rpartition(".")[2]
        around = self._open[-1][1] if self._open else ""
        called = f"{around}.{name}" if around else name
        self._counts[called] += 1
        if name and self._counts[called] > 1:
            called += f"@{self._counts[called]}"
        self._open.append((plain, called))
        self.kinds.setdefault(called, self._known.get(plain, ""))


def _placed(row: Node, users: tuple[str | None, ...], modules: Mapping[str, str]) -> Node:
    """Return a leaf's row placed in the module that its name says, or else in the one that alone uses it."""
    if row.op or not modules:
        return row
    owner, dot, _ = (row.name or "").rpartition(".")
    if dot and owner in modules:
        return row._replace(module=owner)
    if row.kind == INPUT or None in users or not users:
        return row
    shared = (path for path in ancestors(users[0] or "") if all(path in ancestors(other or "") for other in users))
    return row._replace(module=next((path for path in shared if path in modules), None))

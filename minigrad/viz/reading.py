"""From the graph that minigrad recorded to rows.

`read` walks from the outputs to everything they were computed from. Nodes are numbered in the order in which the
program made them, a leaf just before its first use: the same program gives the same rows.
"""

from __future__ import annotations

import math
import weakref
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from minigrad import graph
from minigrad.graph import Constant, Op, edge_facts
from minigrad.methods.place import edge_of
from minigrad.operands import constant
from minigrad.tensor import Tensor
from minigrad.viz.numbers import TINY, Numbers, numbers
from minigrad.viz.rows import CONST, CREATED, INPUT, OP, OUTPUT, PARAM, Edge, Module, Node, Saved, ancestors
from minigrad.viz.text import attribute, call

COMMUTATIVE = frozenset(("add", "mul", "maximum", "minimum"))
_NUMBER = (bool, int, float, complex, np.generic)

Known = Mapping[Any, Numbers]  # by edge: (node, index) or a leaf


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
    shown: Known,
    gradients: Known,
    kinds: Mapping[str, str],
) -> tuple[tuple[Node, ...], tuple[Edge, ...], tuple[Module, ...]]:
    """Return the rows for the nodes `order` and the tensors `outputs`, both by their place in the graph.

    `names`, `shown` and `gradients` hold names and what is known of values and gradients, by edge; `kinds` the classes
    of modules by path, as far as they are known beforehand.
    """
    reader = Reader(names, shown, gradients, kinds)
    for edge in outputs:
        if type(edge) is not tuple:
            reader.leaf_id(edge)
    for node in order:
        reader.add(node, any((node, i) in outputs for i in range(len(node.outputs))))
    return reader.rows()


@cache
def _name(dtype: Any) -> str:
    """Return the name of a dtype, which NumPy is slow to tell."""
    return str(dtype)


class Reader:
    """The rows so far, and which row stands for which node or leaf."""

    def __init__(self, names: Mapping[Any, str], shown: Known, gradients: Known, kinds: Mapping[str, str]) -> None:
        self.names, self.shown, self.gradients = names, shown, gradients
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self._calls = _Calls(kinds)
        self._plain = set[int]()  # leaves that learn, but are neither of a class of parameters nor among the names
        self._ids: dict[Any, int] = {}  # by the number of a node, a leaf, or what tells constants alike
        self._past: list[tuple[weakref.ref[Any], int]] = []  # leaves and storages that are forgotten, with their rows

    def add(self, node: graph.Node, is_output: bool = False) -> int:
        """Add the row of `node`, those of leaves that it is the first to use, and the edges to it; return its id."""
        count = range(len(node.outputs))
        at = self.add_application(node.op, node.edges, node.attrs, node.outputs[0], node.scope, node.plan.wanted)
        self._ids[node.number] = at
        self.nodes[at] = self.nodes[at]._replace(
            kind=OUTPUT if is_output else OP,
            name=next((self.names[node, i] for i in count if (node, i) in self.names), None),
            stats=self.shown.get((node, 0)),
            grad_stats=self.gradients.get((node, 0)),
            saved=tuple(self._saved(node)),
        )
        return at

    def add_application(
        self,
        op: Op,
        operands: Sequence[Any],
        attrs: Mapping[str, Any],
        output: tuple[tuple[int, ...], Any],
        where: graph.Scope | None,
        wanted: Collection[int] = (),
    ) -> int:
        """Add the row of an op applied to edges, and the edges to it; return its id. A gradient comes to `wanted`."""
        drawn = [(i, edge) for i, edge in enumerate(operands) if _is_drawn(edge)]
        tails = [self.id_of(edge) for _, edge in drawn]
        of = None if where is None or where.of is None else self._ids.get(where.of)
        module = self._calls.place(where) if of is None else self.nodes[of].module
        at, order = len(self.nodes), 0 if where is None else where.order
        (shape, dtype), settings = output, _settings(op, operands, attrs, output[0])
        self.nodes.append(Node(at, OP, op.name, None, module, shape, _name(dtype), settings, bool(wanted), order=order))
        tell = len(drawn) > 1 and op.name not in COMMUTATIVE
        for (i, edge), tail in zip(drawn, tails, strict=True):
            label = operand(op, i) if tell else ""
            if label in ("x", (self.nodes[tail].name or "").rpartition(".")[2]):
                label = ""
            index = edge[1] if type(edge) is tuple else 0
            self.edges.append(Edge(tail, at, _from_output(edge, label), i in wanted, i, index))
        if of is not None:
            self.edges.append(Edge(of, at, "", False, kind=CREATED))
        return at

    def id_of(self, edge: Any) -> int:
        """Return the id of the row that an edge comes from; of a leaf that has none yet, that of a new one."""
        if type(edge) is not tuple:
            return self.leaf_id(edge)
        if edge[0].number not in self._ids:  # computed before the recording began
            shape, dtype = edge_facts(edge)
            at = self._ids[edge[0].number] = len(self.nodes)
            self.nodes.append(Node(at, INPUT, "", self.names.get(edge), None, shape, _name(dtype), "", True))
        return self._ids[edge[0].number]

    def known_id(self, edge: Any) -> int | None:
        """Return the id of the row that an edge comes from, None if there is none."""
        return self._ids.get(edge[0].number if type(edge) is tuple else _key(edge))

    def leaf_id(self, leaf: Tensor | Constant) -> int:
        """Return the id of the row of a leaf or a constant; constants alike that lay in one storage are one."""
        key = _key(leaf)
        if key not in self._ids:
            self._ids[key] = len(self.nodes)
            self.nodes.append(self._leaf(len(self.nodes), leaf))
        return self._ids[key]

    def stand_for(self, leaf: Constant, at: int) -> None:
        """Let the row `at`, of an op that was not recorded, be where the constant `leaf` comes from."""
        self._ids[_key(leaf)] = at

    def rename(self, names: Mapping[Any, str]) -> None:
        """Give names to rows that were written already."""
        for place, name in names.items():
            at = self.known_id(place)
            if at is not None:
                self.nodes[at] = self.nodes[at]._replace(name=name)

    def forget(self) -> None:
        """Let go of the tensors and storages by which rows were found; as long as they live, `row_of` knows them."""
        for key, at in self._ids.items():
            owner = key[0] if type(key) is tuple else key
            if hasattr(owner, "__weakref__"):
                self._past.append((weakref.ref(owner), at))
        self._ids = {key: at for key, at in self._ids.items() if type(key) is int}
        self.names = {}

    def row_of(self, tensor: Tensor) -> int | None:
        """Return the id of the row that stands for a tensor, None if there is none."""
        edge = edge_of(tensor)
        leaf = edge if edge is not None else constant(tensor)
        at = self.known_id(leaf)
        if at is None:
            owner = tensor if tensor.requires_grad else tensor._storage
            rows = [at for ref, at in self._past if ref() is owner]
            at = next((at for at in rows if self.nodes[at].shape == tensor._data.shape), None)
        return at

    def _leaf(self, at: int, leaf: Tensor | Constant) -> Node:
        shape, dtype = edge_facts(leaf)
        learns = isinstance(leaf, Tensor) and leaf.requires_grad
        array = leaf._data if isinstance(leaf, Tensor) else leaf.value
        if type(leaf) is Tensor and learns and leaf not in self.names:
            self._plain.add(at)
        name = self.names.get(leaf.storage if isinstance(leaf, Constant) else leaf, leaf.name)
        known = self.shown.get(leaf)
        if known is None and not learns and array is not None and array.size <= TINY:
            known = numbers(array)
        kind = PARAM if learns else CONST if name is None and isinstance(leaf, Constant) and known else INPUT
        gradient = self.gradients.get(leaf)
        return Node(at, kind, "", name, None, shape, _name(dtype), "", learns, known, gradient)

    def _saved(self, node: graph.Node) -> Iterator[Saved]:
        """Yield what the node saved, also if it was released since."""
        for saving in node.plan.saves:
            place = (node, saving.position) if saving.is_output else None if saving.position < 0 else saving.position
            edge = node.edges[place] if isinstance(place, int) else place
            if _is_drawn(edge):
                shape, dtype = edge_facts(edge)
                index = edge[1] if type(edge) is tuple else 0
                name = saving.name if saving.is_output else operand(node.op, saving.position)
                yield Saved(name, self.known_id(edge), math.prod(shape) * np.dtype(dtype).itemsize, index)

    def rows(self) -> tuple[tuple[Node, ...], tuple[Edge, ...], tuple[Module, ...]]:
        """Return the rows, each leaf placed in a module; where there are modules, one of none of them is an input."""
        modules = {path: kind for path, kind in self._calls.kinds.items() if path or kind}
        users: dict[int, dict[str | None, None]] = {}  # for each id, the modules in which it is used
        for edge in self.edges:
            users.setdefault(edge.tail, {})[self.nodes[edge.head].module] = None
        placed = (_placed(self._leaf_of(row), tuple(users.get(row.id, ())), modules) for row in self.nodes)
        return tuple(placed), tuple(self.edges), tuple(Module(path, kind) for path, kind in modules.items())

    def _leaf_of(self, row: Node) -> Node:
        """Return the row, of the kind "input" if it is a leaf that learns but does not belong to the modules."""
        owner, dot, _ = (row.name or "").rpartition(".")
        is_owned = not self._calls.kinds or (dot and owner in self._calls.kinds)
        return row._replace(kind=INPUT) if row.id in self._plain and not is_owned else row


def _key(leaf: Any) -> Any:
    if isinstance(leaf, Constant) and leaf.storage is not None:
        return leaf.storage, leaf.shape, _name(leaf.dtype), None if leaf.value is None else leaf.value.tobytes()
    return leaf


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


def _settings(op: Op, operands: Sequence[Any], attrs: Mapping[str, Any], shape: tuple[int, ...]) -> str:
    """Return the settings that are not the op's defaults, and the numbers among its operands, as text."""
    single = {operand(op, i): e for i, e in enumerate(operands) if isinstance(e, _NUMBER)}
    parts = [call(op.name, single)] if single else []
    for name, value in attrs.items():
        if value is not None and value is not op.defaults.get(name) and value != shape:
            text = attribute(value)
            if name not in op.defaults or text != attribute(op.defaults[name]):
                parts.append(text if hasattr(value, "_fields") else f"{name}={text}")
    return ", ".join(parts)


class _Open(NamedTuple):
    """A module that runs: its path, the path with the numbers of calls in it, and the scope of this call, if known."""

    plain: str
    path: str
    scope: graph.Scope | None

    def runs(self, plain: str, scope: graph.Scope | None) -> bool:
        """Return whether this is still the call of the module `plain` that `scope` (None: not known) stands for."""
        return self.plain == plain and (self.scope is None or scope is None or self.scope is scope)


class _Calls:
    """Which call of which module each op belongs to, told from the scopes, each of which is one call.

    A list of modules is never called and has no scope: it is left when an op of a module comes that is not inside.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        self.kinds: dict[str, str] = {}  # classes, by the path with the number of the call in it
        self._known = known
        self._open: list[_Open] = []  # the modules that run, outermost first
        self._counts: Counter[str] = Counter()

    def place(self, where: graph.Scope | None) -> str | None:
        """Return the path, with calls, for an op recorded in the scope `where`."""
        if where is not None and where.order:  # of a derivative, outside the calls of the program
            return where.path or None if where.path in self.kinds else None
        path = [] if where is None else [*ancestors(where.path)][::-1]
        scopes = {scope.path: scope for scope in _around(where)}
        is_same = [one.runs(plain, scopes.get(plain)) for one, plain in zip(self._open, path, strict=False)]
        same = [*is_same, False].index(False)
        del self._open[same:]
        for plain in path[same:]:
            self._enter(plain, scopes.get(plain))
        if where is None:
            return None
        here = self._open[-1].path
        self.kinds[here] = where.kind
        return here

    def _enter(self, plain: str, scope: graph.Scope | None) -> None:
        name = plain.rpartition(".")[2]
        around = self._open[-1].path if self._open else ""
        called = f"{around}.{name}" if around else name
        self._counts[called] += 1
        if name and self._counts[called] > 1:
            called += f"@{self._counts[called]}"
        self._open.append(_Open(plain, called, scope))
        self.kinds.setdefault(called, self._known.get(plain, ""))


def _around(scope: graph.Scope | None) -> Iterator[graph.Scope]:
    """Yield the scopes that lead to `scope`, outermost first, and itself."""
    chain = []
    while scope is not None:
        chain.append(scope)
        scope = scope.within
    return reversed(chain)


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

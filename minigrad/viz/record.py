"""Recording a step while it runs: every op and every gradient rule, with values, times, bytes and lines of the program.

The recorder stands around each op and each rule (it is the observer of `graph`) and writes rows at once, so that what
it keeps is plain data and no tensor lives longer for having been watched.
"""

from __future__ import annotations

import linecache
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from time import perf_counter_ns
from typing import Any, NamedTuple, Self

import numpy as np

from minigrad import graph
from minigrad.errors import ArgumentError
from minigrad.graph import Op, array_of, edge_facts
from minigrad.methods.place import edge_of
from minigrad.operands import constant
from minigrad.ops.shape import sum_to
from minigrad.plans import Rule
from minigrad.tensor import Tensor
from minigrad.viz import rules
from minigrad.viz.numbers import TINY, Numbers, numbers
from minigrad.viz.picture import Graph
from minigrad.viz.reading import Reader
from minigrad.viz.replay import WAITING
from minigrad.viz.rows import BACKWARD, DATA, FAILED, FORWARD, OP, OUTPUT, Node, Part, Step, Where
from minigrad.watching import leave, program, take

VALUES = (None, "stats", "full")
DETACH = Op("detach", lambda x: x, {"x": None})  # not in the table, as nothing is computed


class _Past(NamedTuple):
    """What an edge says of a node, without the node."""

    number: int
    outputs: tuple[tuple[tuple[int, ...], Any], ...]
    op: Op


class _Cut(NamedTuple):
    """A call of detach(): of what, and in which line of the program."""

    edge: Any
    where: Where | None


class Recording(graph.Observer):
    """What happened inside a `with viz.record()` block; `graph()` returns it as a picture.

    `partial` says that the block was left by an exception: the graph then holds what was computed before, and, if an
    op raised, a node of kind "failed" for it. The numbers of a leaf are those of its first use, which its gradient
    belongs to, also where an optimizer wrote to it since. Tensors may be named at any time: rows without a name take
    the name that a tensor has when it is used, or when `graph()` is called.
    """

    partial = False
    _is_inside = False  # a custom Function, whose ops have no rows

    def __init__(self, reader: Reader, *, values: str | None, most: int, time: bool, source: bool) -> None:
        self.reader, self.steps = reader, list[Step]()
        self._most = {None: -1, "stats": min(most, TINY), "full": most}[values]
        self._has_values, self._has_time, self._has_source = values is not None, time, source
        self._totals: dict[int, tuple[Any, Numbers]] = {}  # what has arrived at a row so far, while a sweep runs
        self._complete: dict[int, Numbers] = {}
        self._keeps, self._kept = values == "full", dict[int, rules.Kept]()
        self._cuts: dict[Any, _Cut] = {}  # by the storage of what was detached
        self._unnamed: dict[int, weakref.ref[Tensor]] = {}  # tensors that had no name, by the row they stand for
        self._gradient_of: dict[int, int] = {}  # which row's gradient a row computed
        self._returned: set[int] = set()  # the rows whose results modules returned

    def __enter__(self) -> Self:
        take(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        self.partial = kind is not None
        leave(self)
        self._totals.clear()
        self._cuts.clear()
        self.reader.forget()

    def begin_with(self, order: list[graph.Node], ends: Mapping[Any, Tensor], shown: Mapping[Any, Numbers]) -> None:
        """Write the rows of what was computed before, the nodes `order` which led to `ends`, as far as it is known.

        `shown` is what is known of values, by edge. Each op is a forward step.
        """
        self.reader.shown = shown
        for edge in ends:
            if type(edge) is not tuple:
                self.reader.leaf_id(edge)
        for node in order:
            is_end = any((node, i) in ends for i in range(len(node.outputs)))
            self.steps.append(Step(FORWARD, self.reader.add(node, is_end)))

    # --- what the engine and the tensors report ---

    def forward(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], call: Callable[[], Any]) -> Any:
        """Run the op and write its row; what a custom Function is made of has none."""
        if self._is_inside:
            return super().forward(op, inputs, attrs, call)
        self._is_inside = op.on_tensors
        if self._cuts:
            self._edges(inputs)
        begun = perf_counter_ns()
        try:
            outputs = super().forward(op, inputs, attrs, call)
        except Exception as error:
            self._fail(op, inputs, attrs, error)
            raise
        finally:
            self._is_inside = False
        spent = perf_counter_ns() - begun
        every = outputs if isinstance(outputs, tuple) else (outputs,)
        edge = next((y._edge for y in every if y._edge is not None), None)
        at = self._plain(op, inputs, attrs, every) if edge is None else self.reader.add(edge[0])
        self._describe(at, spent, every[0]._data)
        if self._keeps and edge is not None and (known := rules.kept(op, inputs, attrs, edge[0])) is not None:
            self._kept[at] = known
        self._describe_operands(inputs)
        self._name((*inputs, every[0]))
        self.steps.append(Step(FORWARD, at, us=self._us(spent)))
        return outputs

    def rule(self, node: graph.Node, rule: Rule, call: Callable[[], Any]) -> Any:
        """Run the rule and write what it sends along which edge."""
        begun, was_inside = perf_counter_ns(), self._is_inside
        self._is_inside = was_inside or not graph.recording.get()
        try:
            returned = super().rule(node, rule, call)
        finally:
            self._is_inside = was_inside
        spent = perf_counter_ns() - begun
        at = self.reader.known_id((node, 0))
        if at is None:  # computed before the recording began
            return returned
        row, us = self.reader.nodes[at], self._us(spent)
        if us is not None:
            self.reader.nodes[at] = row._replace(backward_us=(row.backward_us or 0.0) + us)
        sent = returned if node.op.joint is not None else (returned,)
        parts = [self._part(node, at, i, g) for i, g in zip(rule.targets, sent, strict=False) if i in node.plan.wanted]
        self.steps.append(Step(BACKWARD, at, self._complete.get(at), tuple(p for p in parts if p is not None), us))
        return returned

    def gradient(self, edge: Any, gradient: Any) -> None:
        """Note the gradient that is now complete."""
        super().gradient(edge, gradient)
        at = self.reader.known_id(edge)
        made = self.reader.row_of(gradient) if at is not None and isinstance(gradient, Tensor) else None
        if at is not None and made is not None and self.reader.nodes[made].order:
            self._gradient_of[made] = at
        if at is None or (type(edge) is tuple and at in self._complete and edge[1] > 0):
            return
        total, known = self._totals.pop(at, (None, None))
        if self._has_values:
            array = np.asarray(array_of(gradient))
            if known is None or array is not total:  # a hook, or a sum of the engine's own
                known = numbers(array, self._most)
            self._complete[at] = known
            self.reader.nodes[at] = self.reader.nodes[at]._replace(grad_stats=known)

    def module(self, where: graph.Scope, call: Callable[[], Any]) -> Any:
        """Run the call; what it returns may be an output, unlike what a module only keeps for itself."""
        returned = super().module(where, call)
        rows = (self.reader.row_of(tensor) for tensor in _tensors(returned))
        self._returned.update(at for at in rows if at is not None)
        return returned

    def detached(self, source: Tensor, result: Tensor) -> None:
        """Remember where a tensor was cut out of the graph; there is a row for it once something uses the result."""
        super().detached(source, result)
        if source.requires_grad and not self._is_inside:
            edge = edge_of(source)
            past = source if edge is None else (_Past(edge[0].number, edge[0].outputs, edge[0].op), edge[1])
            line = place(sys._getframe()) if self._has_source else None
            self._cuts[result._storage] = _Cut(past, line)

    # --- how rows are written ---

    def _constant(self, x: Any) -> Any:
        """Return what a row knows of an operand that needs no gradient; if it was detached, that gets a row first."""
        known = constant(x)
        cut = self._cuts.get(x._storage) if isinstance(x, Tensor) and not x.requires_grad else None
        if cut is not None and self.reader.known_id(known) is None:
            at = self.reader.add_application(DETACH, [cut.edge], {}, x._facts(), graph.scope.get())
            stats = numbers(x._data, self._most) if self._has_values else None
            self.reader.nodes[at] = self.reader.nodes[at]._replace(stats=stats, where=cut.where)
            self.reader.stand_for(known, at)
            self.steps.append(Step(FORWARD, at))
        return known

    def _us(self, spent: int) -> float | None:
        return spent / 1e3 if self._has_time else None

    def _describe(self, at: int, spent: int, array: Any) -> None:
        """Add to a row what was measured."""
        self.reader.nodes[at] = self.reader.nodes[at]._replace(
            stats=numbers(array, self._most) if self._has_values else None,
            forward_us=self._us(spent),
            where=place(sys._getframe(2)) if self._has_source else None,
        )

    def _describe_operands(self, inputs: tuple[Any, ...]) -> None:
        """Add to the rows of leaves what their tensors hold, where that is not known yet."""
        for x in inputs if self._has_values else ():
            at = self.reader.known_id(x if x.requires_grad else constant(x)) if isinstance(x, Tensor) else None
            if at is not None and not self.reader.nodes[at].op and self.reader.nodes[at].stats is None:
                self.reader.nodes[at] = self.reader.nodes[at]._replace(stats=numbers(x._data, self._most))

    def _name(self, tensors: Iterable[Any]) -> None:
        """Let rows that have no name take that of their tensor, now, or from `_unnamed` if it gets one later."""
        for x in tensors:
            at = self.reader.row_of(x) if isinstance(x, Tensor) else None
            if at is not None and self.reader.nodes[at].name is None:
                self.reader.nodes[at] = self.reader.nodes[at]._replace(name=x.name)
                self._unnamed.setdefault(at, weakref.ref(x))

    def _plain(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], outputs: tuple[Tensor, ...]) -> int:
        """Write the row of an op that was not recorded, since no gradient flows through it."""
        first = outputs[0]._data
        at = self.reader.add_application(op, self._edges(inputs), attrs, (first.shape, first.dtype), graph.scope.get())
        for y in outputs:
            self.reader.stand_for(constant(y), at)
        return at

    def _edges(self, inputs: tuple[Any, ...]) -> list[Any]:
        edges = []
        for x in inputs:
            edge = x._edge if isinstance(x, Tensor) else None
            known = edge is not None and self.reader.known_id(edge) is not None
            edges.append(edge if known else self._constant(x) if isinstance(x, Tensor | np.ndarray) else x)
        return edges

    def _fail(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], error: Exception) -> None:
        at = self.reader.add_application(op, self._edges(inputs), attrs, ((), "float32"), graph.scope.get())
        shapes = ", ".join(str(tuple(array_of(x).shape)) for x in inputs if hasattr(array_of(x), "shape"))
        text = f"{type(error).__name__}: {error}"
        where = place(sys._getframe(2)) if self._has_source else None
        row = self.reader.nodes[at]
        self.reader.nodes[at] = row._replace(
            kind=FAILED, attrs=row.attrs or f"operands {shapes}", error=text, where=where
        )

    def _part(self, node: graph.Node, at: int, operand: int, gradient: Any) -> Part | None:
        """Return what a rule sends to one operand, as it arrives there; None if that is nothing."""
        edge = node.edges[operand]
        tail = self.reader.known_id(edge)
        if gradient is None or tail is None or not self._has_values:
            return None
        array, shape = np.asarray(array_of(gradient)), edge_facts(edge)[0]
        summed = array.shape != shape
        array = sum_to(array, shape=shape) if summed else array
        before = self._totals.get(tail)
        total = array if before is None else before[0] + array
        sent = numbers(array, self._most)
        known = sent if before is None else numbers(total, self._most)
        self._totals[tail] = total, known
        return Part(tail, at, operand, sent, summed, known)

    # --- what came of it ---

    def graph(self, direction: str = "both", order: int | None = None, rankdir: str = "TB") -> Graph:
        """Return what was recorded as a picture.

        `direction` and `rankdir` are those of `viz.graph`. With `order` only what was computed up to that derivative
        is in it: 0 is the program itself.
        """
        self._name([tensor for ref in self._unnamed.values() if (tensor := ref()) is not None])
        nodes, edges, modules = self.reader.rows()
        used = {edge.tail for edge in edges if edge.kind == DATA}
        nodes = tuple(node if node.id in used or not node.op else self._end(node) for node in nodes)
        steps = tuple(self.steps)
        if order is not None:
            inside = {node.id for node in nodes if node.order <= order}
            nodes = tuple(node for node in nodes if node.id in inside)
            edges = tuple(edge for edge in edges if edge.tail in inside and edge.head in inside)
            steps = tuple(step for step in steps if step.node in inside)
        notes: tuple[str, ...] = ()
        if self.partial:
            notes = ("the program raised here: what came later is not in the picture",)
        elif direction != "forward" and self._waits(nodes):
            notes = (WAITING,)
        return Graph(nodes, edges, modules, notes, direction, rankdir, steps)

    def _end(self, node: Node) -> Node:
        """Return the row of an op whose result no op uses, as an output unless it is a module's own, as a count is."""
        is_inner = node.module is not None and not node.order and not node.requires_grad
        if node.kind != OP or (is_inner and node.id not in self._returned):
            return node
        of = self._gradient_of.get(node.id)
        name = None if of is None else self.reader.nodes[of].name
        return node._replace(kind=OUTPUT, name=node.name or (name and f"grad of {name}"))

    def _waits(self, nodes: tuple[Node, ...]) -> bool:
        """Return whether there are gradients to be computed and none was."""
        return any(node.requires_grad for node in nodes) and not any(step.kind == BACKWARD for step in self.steps)

    def gradcheck(self, *, eps: float | None = None, rtol: float = 1e-4, seed: int = 0) -> Graph:
        """Return the graph with each op marked whose gradient rules were recorded: "rule right" or "rule wrong".

        Each op is run again in float64 on what it was given, and its rules compared with central differences of step
        `eps` (by default as fits the numbers): wrong is an error above `rtol` of the largest slope. `seed` draws how
        outputs are weighed. It needs `viz.record(values="full")`, and checks no op of more than 10,000 elements.
        Raises ArgumentError for a recording of another kind.

        >>> import minigrad as mg
        >>> from minigrad import viz
        >>> w = mg.tensor([3.0], requires_grad=True)
        >>> with viz.record(values="full") as step:
        ...     loss = (w * w).sum()
        >>> [node.mark.tag.split(":")[0] for node in step.gradcheck().nodes if node.op]
        ['rule right', 'rule right']
        """
        if not self._keeps:
            raise ArgumentError('gradcheck: the numbers that ops were given are kept by viz.record(values="full") only')
        found = self.graph()
        shown = replace(found, notes=tuple(note for note in found.notes if note != WAITING))
        return rules.checked(shown, self._kept, eps, rtol, seed)


def recording(
    names: Mapping[Any, str], kinds: Mapping[str, str], *, values: str | None, most: int, time: bool, source: bool
) -> Recording:
    """Return a recording that has not begun, for a model's names and classes of modules."""
    if values not in VALUES:
        raise ArgumentError(f"record: values must be None, 'stats' or 'full', got {values!r}")
    return Recording(Reader(names, {}, {}, kinds), values=values, most=most, time=time, source=source)


def _tensors(returned: Any) -> Iterator[Tensor]:
    """Yield the tensors in nested containers."""
    if isinstance(returned, Tensor):
        yield returned
    elif isinstance(returned, Mapping | list | tuple):
        for each in returned.values() if isinstance(returned, Mapping) else returned:
            yield from _tensors(each)


def place(frame: Any) -> Where | None:
    """Return the innermost line of the program that led to `frame`; None if there is none."""
    for code, line in program(frame):
        return Where(code.co_filename, line, code.co_name, linecache.getline(code.co_filename, line).strip())
    return None

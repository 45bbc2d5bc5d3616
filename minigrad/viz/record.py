"""Recording a step while it runs: every op and every gradient rule, with values, times, bytes and lines of the program.

The recorder stands around each op and each rule (it is the observer of `graph`) and writes rows at once, so that what
it keeps is plain data and no tensor lives longer for having been watched.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter_ns
from typing import Any, Self

import numpy as np

from minigrad import graph
from minigrad.errors import ArgumentError
from minigrad.graph import Op, Rule, array_of, edge_facts
from minigrad.operands import constant
from minigrad.ops.shape import sum_to
from minigrad.tensor import Tensor
from minigrad.viz.numbers import TINY, Numbers, numbers
from minigrad.viz.picture import Graph
from minigrad.viz.reading import Reader
from minigrad.viz.rows import BACKWARD, FAILED, FORWARD, OUTPUT, Part, Step, Where

_HERE = str(Path(__file__).parent.parent)
VALUES = (None, "stats", "full")


class Recording(graph.Observer):
    """What happened inside a `with viz.record()` block; `graph()` returns it as a picture.

    `partial` says that the block was left by an exception: the graph then holds what was computed before, and, if an
    op raised, a node of kind "failed" for it.
    """

    partial = False

    def __init__(self, reader: Reader, *, values: str | None, most: int, time: bool, source: bool) -> None:
        self.reader, self.steps = reader, list[Step]()
        self._most = {None: -1, "stats": min(most, TINY), "full": most}[values]
        self._has_values, self._has_time, self._has_source = values is not None, time, source
        self._totals: dict[int, Any] = {}  # what has arrived at a row so far, while a sweep runs
        self._complete: dict[int, Numbers] = {}

    def __enter__(self) -> Self:
        self.inner = graph.observe(None)
        graph.observe(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        self.partial = kind is not None
        graph.observe(self.inner)
        self.inner = None
        self._totals.clear()
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
        """Run the op and write its row."""
        begun = perf_counter_ns()
        try:
            outputs = super().forward(op, inputs, attrs, call)
        except Exception as error:
            self._fail(op, inputs, attrs, error)
            raise
        spent = perf_counter_ns() - begun
        every = outputs if isinstance(outputs, tuple) else (outputs,)
        edge = next((y._edge for y in every if y._edge is not None), None)
        at = self._plain(op, inputs, attrs, every) if edge is None else self.reader.add(edge[0])
        self._describe(at, spent, every[0]._data)
        self._describe_operands(inputs)
        self.steps.append(Step(FORWARD, at, us=self._us(spent)))
        return outputs

    def rule(self, node: graph.Node, rule: Rule, call: Callable[[], Any]) -> Any:
        """Run the rule and write what it sends along which edge."""
        begun = perf_counter_ns()
        returned = super().rule(node, rule, call)
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
        if at is None or (type(edge) is tuple and at in self._complete and edge[1] > 0):
            return
        self._totals.pop(at, None)
        if self._has_values:
            self._complete[at] = known = numbers(np.asarray(array_of(gradient)), self._most)
            self.reader.nodes[at] = self.reader.nodes[at]._replace(grad_stats=known)

    # --- how rows are written ---

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
            edges.append(edge if known else constant(x) if isinstance(x, Tensor | np.ndarray) else x)
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
        total = self._totals[tail] = array if before is None else before + array
        return Part(tail, at, operand, numbers(array, self._most), summed, numbers(total, self._most))

    # --- what came of it ---

    def graph(self, direction: str = "both", order: int | None = None, rankdir: str = "TB") -> Graph:
        """Return what was recorded as a picture.

        `direction` and `rankdir` are those of `viz.graph`. With `order` only what was computed up to that derivative
        is in it: 0 is the program itself.
        """
        nodes, edges, modules = self.reader.rows()
        ends = {node.id for node in nodes if node.op} - {e.tail for e in edges if e.kind == "data"}
        nodes = tuple(n._replace(kind=OUTPUT) if n.id in ends and n.kind == "op" and not n.order else n for n in nodes)
        steps = tuple(self.steps)
        if order is not None:
            inside = {node.id for node in nodes if node.order <= order}
            nodes = tuple(node for node in nodes if node.id in inside)
            edges = tuple(edge for edge in edges if edge.tail in inside and edge.head in inside)
            steps = tuple(step for step in steps if step.node in inside)
        notes = ("the program raised here: what came later is not in the picture",) if self.partial else ()
        return Graph(nodes, edges, modules, notes, direction, rankdir, steps)


def recording(
    names: Mapping[Any, str], kinds: Mapping[str, str], *, values: str | None, most: int, time: bool, source: bool
) -> Recording:
    """Return a recording that has not begun, for a model's names and classes of modules."""
    if values not in VALUES:
        raise ArgumentError(f"record: values must be None, 'stats' or 'full', got {values!r}")
    return Recording(Reader(names, {}, {}, kinds), values=values, most=most, time=time, source=source)


def place(frame: Any) -> Where | None:
    """Return the innermost line of the program that led to `frame`; None if there is none."""
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith(_HERE):
            text = linecache.getline(code.co_filename, frame.f_lineno).strip()
            return Where(code.co_filename, frame.f_lineno, code.co_name, text)
        frame = frame.f_back
    return None

"""The observer that measures: it stands around every op and every gradient rule, and writes down when it ran."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from time import perf_counter_ns
from typing import Any

import numpy as np

from minigrad import graph
from minigrad.graph import Node, Observer, Op, Scope, array_of
from minigrad.plans import Rule
from minigrad.profiler.events import BACKWARD, FORWARD, USER, Call, Event
from minigrad.watching import leave, program, take

_DEEPEST = 32  # lines of the program that a stack has
Stack = list[Event]


class Trace:
    """What is written down from a start of measuring to its end; times are of `perf_counter_ns`."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.calls: list[Call] = []
        self.names: dict[int, str] = {}  # of the threads, by number
        self.begun = perf_counter_ns()
        self.end: int | None = None

    def ended(self) -> Trace:
        """Return this trace, having noted that it ends now."""
        self.end = perf_counter_ns()
        return self

    def wall(self) -> float:
        """Return the microseconds from the start to the end, or until now."""
        return ((self.end or perf_counter_ns()) - self.begun) / 1e3


class Place(threading.local):
    """Where a thread is: its number, and its events that have begun and not ended."""

    def __init__(self) -> None:
        self.thread = threading.get_native_id()
        self.open: Stack = []


class Recorder(Observer):
    """The observer of one profile. Without a `trace` it lets everything pass unmeasured.

    An observer that stood there before is called in its turn, and what it does counts as the op's own time.
    """

    def __init__(self, shapes: bool, stacks: bool) -> None:
        self.shapes, self.stacks = shapes, stacks
        self.trace: Trace | None = None
        self.inner: Observer | None = None
        self._place = Place()

    def enter(self) -> None:
        """Take the observer's place."""
        take(self)
        running.append(self)

    def leave(self) -> None:
        """Give the place back."""
        self.trace = None
        running.remove(self)
        leave(self)

    def forward(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], call: Callable[[], Any]) -> Any:
        """Run and measure the forward of an op."""
        inner, trace, outputs = self.inner, self.trace, None
        if trace is None:
            return call() if inner is None else inner.forward(op, inputs, attrs, call)
        event, stack = self._begin(trace, op.name, FORWARD)
        if self.shapes:
            event.input_shapes = [_shape(x) for x in inputs]
        event.begun = perf_counter_ns()
        try:
            outputs = call() if inner is None else inner.forward(op, inputs, attrs, call)
            return outputs
        finally:
            event.end = perf_counter_ns()
            event.allocated, event.node = _allocated(outputs, inputs), _node_of(outputs)
            self.finish(trace, stack, event)

    def rule(self, node: Node, rule: Rule, call: Callable[[], Any]) -> Any:
        """Run and measure one gradient rule; what it allocates on tensors is that of the ops it is made of."""
        inner, trace, returned = self.inner, self.trace, None
        if trace is None:
            return call() if inner is None else inner.rule(node, rule, call)
        event, stack = self._begin(trace, _rule_name(node.op, rule), BACKWARD)
        event.scope, event.node = node.scope, node.number
        if self.shapes:
            event.input_shapes = [list(shape) for shape, _ in node.outputs]
        event.begun = perf_counter_ns()
        try:
            returned = call() if inner is None else inner.rule(node, rule, call)
            return returned
        finally:
            event.end = perf_counter_ns()
            if not isinstance(returned, graph.Recordable):
                event.allocated = _allocated(returned, _given(call))
            self.finish(trace, stack, event)

    def module(self, where: Scope, call: Callable[[], Any]) -> Any:
        """Run the call of a module and note when it ran."""
        inner, trace = self.inner, self.trace
        if trace is None:
            return call() if inner is None else inner.module(where, call)
        stack = self._place.open
        is_backward = bool(stack) and stack[-1].is_backward
        begun = perf_counter_ns()
        try:
            return call() if inner is None else inner.module(where, call)
        finally:
            if trace.end is None:
                trace.calls.append(Call(where, is_backward, begun, perf_counter_ns(), self._thread(trace)))

    def begin_range(self, name: str) -> tuple[Trace, Stack, Event] | None:
        """Begin a range that the program named; return what `finish` needs, None if nothing is being measured."""
        trace = self.trace
        if trace is None:
            return None
        event, stack = self._begin(trace, name, USER)
        event.begun = perf_counter_ns()
        return trace, stack, event

    def _begin(self, trace: Trace, name: str, kind: str) -> tuple[Event, Stack]:
        stack, thread = self._place.open, self._thread(trace)
        parent = stack[-1] if stack else None
        within = parent is not None and parent.is_backward  # what a rule does belongs to the module of its node
        here = graph.scope.get()
        if here is not None and here.order:  # between rules gradients are added up, which is no module's
            here = None
        scope = parent.scope if within and parent is not None else here
        event = Event(name, kind, parent, scope, thread, trace.begun)
        if self.stacks:
            event.stack = list(_places(sys._getframe(2)))
        stack.append(event)
        return event, stack

    def _thread(self, trace: Trace) -> int:
        thread = self._place.thread
        if thread not in trace.names:
            trace.names[thread] = threading.current_thread().name
        return thread

    def finish(self, trace: Trace, stack: Stack, event: Event) -> None:
        """Write down an event that has ended."""
        if stack and stack[-1] is event:
            stack.pop()
        elif event in stack:  # ranges that do not nest: of tasks that take turns, or ended by hand
            stack.remove(event)
        parent = event.parent
        if parent is not None and not parent.end:
            parent.inner += event.end - event.begun
            parent.inner_allocated += event.allocated + event.inner_allocated
        if trace.end is None:  # else it ended meanwhile: it may be in use
            trace.events.append(event)


running: list[Recorder] = []  # those between start and stop


def _rule_name(op: Op, rule: Rule) -> str:
    """Return "mul.backward: b" for the gradient by b, "batch_norm.backward" where one rule gives all gradients."""
    if op.joint is not None:
        return f"{op.name}.backward"
    return f"{op.name}.backward: {op.input_name(rule.targets[0])}"


def _shape(x: Any) -> list[int]:
    return list(getattr(array_of(x), "shape", ()))


def _node_of(outputs: Any) -> int | None:
    """Return the number of the node that the op recorded, None if it recorded none."""
    edges = (getattr(y, "_edge", None) for y in (outputs if type(outputs) is tuple else (outputs,)))
    return next((edge[0].number for edge in edges if type(edge) is tuple), None)


def _allocated(outputs: Any, inputs: Iterable[Any]) -> int:
    """Return the bytes of those outputs that lie in no memory of an input."""
    if type(outputs) is tuple:
        arrays = [array_of(y) for y in outputs]
        # Outputs may be views of one another too: each is compared with those before it.
        return sum(_new(y, (*inputs, *arrays[:i])) for i, y in enumerate(arrays))
    return _new(array_of(outputs), inputs)


def _new(array: Any, others: Iterable[Any]) -> int:
    """Return the bytes of `array` if none of `others` lies in its memory; it is new if it owns its memory."""
    if not isinstance(array, np.ndarray):
        return 0
    owns = array.base is None
    for other in others:
        other = array_of(other)
        if other is array or (not owns and isinstance(other, np.ndarray) and np.may_share_memory(array, other)):
            return 0
    return array.nbytes


def _given(call: Callable[[], Any]) -> list[Any]:
    """Return the arrays that a rule is called with."""
    arrays: list[Any] = []
    for value in getattr(call, "keywords", {}).values():
        arrays += value if isinstance(value, tuple | list) else (value,)
    return arrays


def _places(frame: Any) -> Iterator[str]:
    """Yield the lines of the program that led here, the innermost first, as "file(line): function"."""
    for code, line in itertools.islice(program(frame), _DEEPEST):
        yield f"{code.co_filename}({line}): {code.co_name}"

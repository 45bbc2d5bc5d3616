"""Anomaly detection: an op whose gradient fails, or is nan, is shown with the lines of the program that applied it."""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Callable
from types import CodeType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from minigrad import graph, watching
from minigrad.errors import GraphError
from minigrad.graph import Node, Op, array_of, edge_facts, held
from minigrad.ops.shape import sum_to
from minigrad.plans import Rule

_NUMBER = (bool, int, float, complex, np.generic)


class _Origin(NamedTuple):
    """Where a node was made: the lines of the program, innermost first, and the node whose rule made it, if one did."""

    lines: tuple[tuple[CodeType, int], ...]
    parent: Node | None


class Watcher(graph.Observer):
    """The observer that remembers where nodes were made, and looks at what their rules return."""

    is_on, check_nan = False, True

    def __init__(self) -> None:
        self._origins: WeakKeyDictionary[Node, _Origin] = WeakKeyDictionary()
        self._running: list[Node] = []  # whose rules run, outermost first

    def switch(self, is_on: bool, check_nan: bool) -> None:
        """Set whether and for what the watch is kept."""
        self.is_on, self.check_nan = is_on, check_nan
        if is_on and not watching.is_watching(self):
            watching.take(self)
        elif not is_on:
            watching.leave(self)

    def forward(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], call: Callable[[], Any]) -> Any:
        """Run the op and note the lines that led to it."""
        outputs = super().forward(op, inputs, attrs, call)
        for y in outputs if isinstance(outputs, tuple) else (outputs,):
            edge = getattr(y, "_edge", None)
            if edge is not None:
                parent = self._running[-1] if self._running else None
                self._origins[edge[0]] = _Origin(tuple(watching.program(sys._getframe(1))), parent)
        return outputs

    def gradient(self, edge: Any, gradient: Any) -> None:
        """Show the lines of a node that is about to be refused, because its arrays were changed or released."""
        super().gradient(edge, gradient)
        if type(edge) is tuple and (edge[0].saved is None or any(s and s.version != v for _, _, s, v in held(edge[0]))):
            self._warn(edge[0])

    def rule(self, node: Node, rule: Rule, call: Callable[[], Any]) -> Any:
        """Run the rule and raise GraphError if there is nan in what it returns."""
        self._running.append(node)
        try:
            returned = super().rule(node, rule, call)
            if self.check_nan:
                _check(node, rule, returned)
        except Exception:
            self._warn(node)
            raise
        finally:
            self._running.pop()
        return returned

    def _warn(self, node: Node) -> None:
        """Say where the op was applied and, if it computes a derivative, that of which op and where that was."""
        origin = self._origins.get(node)
        if origin is None:
            where = (
                "No forward pass information available. Enable detect anomaly during forward pass for more information."
            )
        else:
            where = f"Traceback of forward call that caused the error:\n{_text(origin)}"
        warnings.warn(f"Error detected in {node.name()}. {where}", stacklevel=2)
        while origin is not None and origin.parent is not None:
            parent = origin.parent
            origin = self._origins.get(parent)
            where = f"Traceback of forward call that induced the previous calculation:\n{_text(origin)}"
            warnings.warn(f"\n\nPrevious calculation was induced by {parent.name()}. {where}", stacklevel=2)


def _text(origin: _Origin | None) -> str:
    frames = () if origin is None else reversed(origin.lines)
    summary = [traceback.FrameSummary(code.co_filename, line, code.co_name) for code, line in frames]
    return "".join(traceback.format_list(summary)) or "  (no line of the program is known)\n"


def _check(node: Node, rule: Rule, returned: Any) -> None:
    sent = returned if node.op.joint is not None else (returned,)
    for i, gradient in zip(rule.targets, sent, strict=False):
        if gradient is None or i not in node.plan.wanted:
            continue
        array, shape = np.asarray(array_of(gradient)), edge_facts(node.edges[i])[0]
        if array.shape != shape:
            array = sum_to(array, shape=shape)
        if watching.has_nan(array):
            place = sum(not isinstance(edge, _NUMBER) for edge in node.edges[:i])
            raise GraphError(f"Function '{node.name()}' returned nan values in its {place}th output.")


_watcher = Watcher()


class detect_anomaly:
    """Find, inside this `with` block, the op whose gradient fails: for debugging, as every op takes longer.

    What the forward computes in the block remembers its lines of the program. If a gradient rule then raises an error,
    or with `check_nan` returns nan (GraphError, a RuntimeError), a warning shows them.

    >>> import minigrad as mg
    >>> import warnings; warnings.simplefilter("ignore")
    >>> x = mg.zeros(1, requires_grad=True)
    >>> with detect_anomaly():
    ...     (x * 0).sqrt().sum().backward()
    Traceback (most recent call last):
        ...
    minigrad.errors.GraphError: Function 'MulBackward0' returned nan values in its 0th output.
    """

    def __init__(self, check_nan: bool = True) -> None:
        warnings.warn(
            "Anomaly Detection has been enabled. This mode will increase the runtime and should only be enabled for "
            "debugging.",
            stacklevel=2,
        )
        self._previous, self._wanted = _state(), (True, check_nan)

    def __enter__(self) -> None:
        self._previous = _state()
        _watcher.switch(*self._wanted)

    def __exit__(self, *exception: object) -> None:
        _watcher.switch(*self._previous)


class set_detect_anomaly:
    """Like `detect_anomaly`, on or off by `mode`, at once as a call and until the end of the block in a `with`."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self._previous = _state()
        _watcher.switch(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        _watcher.switch(*self._previous)


def _state() -> tuple[bool, bool]:
    return _watcher.is_on, _watcher.check_nan


def is_anomaly_enabled() -> bool:
    """Return whether anomaly detection is on."""
    return _watcher.is_on


def is_anomaly_check_nan_enabled() -> bool:
    """Return whether anomaly detection, where it is on, looks for nan."""
    return _watcher.check_nan

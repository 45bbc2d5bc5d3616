"""The time of each module, by the place where its ops were called: from the scopes that ops and nodes carry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from minigrad.profiler.events import USER, Event, by_thread


def chain(path: str) -> list[str]:
    """Return the paths of all modules around the one at `path`, from the model itself, whose path is empty.

    >>> chain("layer.0.linear")
    ['', 'layer', 'layer.0', 'layer.0.linear']
    """
    names = path.split(".") if path else []
    return ["", *(".".join(names[: i + 1]) for i in range(len(names)))]


class ModuleAverage:
    """What ran in one module and in those below it: times in microseconds, bytes, and calls of ops.

    The module with the path "" is the model itself; the path None stands for what ran outside of all modules.
    """

    def __init__(self, path: str | None) -> None:
        self.path, self.kinds = path, dict[str, None]()
        self.count = 0
        self.forward_time_total = self.backward_time_total = 0.0
        self.self_forward_time_total = self.self_backward_time_total = 0.0
        self.cpu_memory_usage = 0

    @property
    def key(self) -> str:
        """The path in words."""
        return "(outside of modules)" if self.path is None else self.path or "(the model)"

    @property
    def kind(self) -> str:
        """The class of the module; several, if modules of several models have this path. Their times are added up."""
        return ", ".join(self.kinds)

    @property
    def cpu_time_total(self) -> float:
        """Forward and backward together."""
        return self.forward_time_total + self.backward_time_total

    @property
    def self_cpu_time_total(self) -> float:
        """Forward and backward of the ops that the module calls itself, without those of the modules below."""
        return self.self_forward_time_total + self.self_backward_time_total

    def add(self, event: Event, own: bool) -> None:
        """Add an event; `own` if it ran in this module itself, not in one below."""
        time = event.self_cpu_time_total
        self.cpu_memory_usage += event.self_cpu_memory_usage
        if event.is_backward:
            self.backward_time_total += time
            self.self_backward_time_total += time if own else 0.0
        else:
            self.count += 1
            self.forward_time_total += time
            self.self_forward_time_total += time if own else 0.0

    def __repr__(self) -> str:
        return (
            f"<ModuleAverage {self.key} count={self.count} forward={self.forward_time_total:.3f}us "
            f"backward={self.backward_time_total:.3f}us>"
        )


class ModuleList(list[ModuleAverage]):
    """The rows of modules, each after the one it lies in."""

    def table(self, sort_by: str | None = None, row_limit: int = 100, time_unit: str | None = None) -> str:
        """Return the rows as a text table: in their order, or the largest of `sort_by` first.

        `sort_by` is "forward_time_total", "backward_time_total", "cpu_time_total", one of these with "self_" before
        it, "cpu_memory_usage" or "count". Raises ArgumentError for another.
        """
        from minigrad.profiler.tables import module_table

        return module_table(self, sort_by, row_limit, time_unit)

    def __str__(self) -> str:
        return self.table()


def by_module(events: Iterable[Event]) -> ModuleList:
    """Return a row for each module that ops ran in or below, in the order of the modules' first ops."""
    rows: dict[str | None, ModuleAverage] = {}
    for event in events:
        if event.kind == USER:
            continue
        scope = event.scope
        paths: list[str] | list[None] = [None] if scope is None else chain(scope.path)
        for path in paths:
            row = rows.get(path) or rows.setdefault(path, ModuleAverage(path))
            row.add(event, path == paths[-1])
        if scope is not None:
            rows[scope.path].kinds[scope.kind] = None
    return ModuleList(sorted(rows.values(), key=_place(rows)))


def _place(rows: dict[str | None, ModuleAverage]) -> Callable[[ModuleAverage], tuple[int, ...]]:
    """Return the key that puts every module behind the one it lies in, and neighbours in the order they ran."""
    first = {path: i for i, path in enumerate(rows)}
    return lambda row: (1,) if row.path is None else (0, *(first[path] for path in chain(row.path)))


class Span(NamedTuple):
    """A time in which a module ran, from the beginning of its first op to the end of its last, in nanoseconds."""

    path: str
    kind: str
    is_backward: bool
    begun: int
    end: int
    thread: int


def spans(events: Iterable[Event]) -> Iterator[Span]:
    """Yield when modules ran, as far as their ops tell: calls with nothing in between count as one."""
    for thread, own in by_thread(events):
        yield from _spans_of(thread, own)


def _spans_of(thread: int, events: list[Event]) -> Iterator[Span]:
    kinds = {e.scope.path: e.scope.kind for e in events if e.scope is not None}
    moments: list[tuple[int, Event]] = []
    for event in events:
        if event.kind == USER:  # a range that was opened outside of a module ends the module's time
            moments += [(event.begun, event), (event.end, event)]
        elif event.parent is None or event.parent.kind == USER:
            moments.append((event.begun, event))
    is_open: list[tuple[tuple[str, bool], int]] = []
    last = 0
    for now, event in sorted(moments, key=lambda moment: moment[0]):
        paths = [] if event.scope is None else chain(event.scope.path)
        target = [(path, event.is_backward) for path in paths]
        while [place for place, _ in is_open] != target[: len(is_open)]:
            yield _span(is_open.pop(), kinds, last, thread)
        is_open += [(place, now) for place in target[len(is_open) :]]
        last = now if event.kind == USER else event.end
    while is_open:
        yield _span(is_open.pop(), kinds, last, thread)


def _span(opened: tuple[tuple[str, bool], int], kinds: dict[str, str], end: int, thread: int) -> Span:
    (path, is_backward), begun = opened
    return Span(path, kinds.get(path, ""), is_backward, begun, end, thread)

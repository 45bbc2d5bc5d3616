"""The calls and the time of each module: from the scopes that calls, ops and nodes carry."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from minigrad.graph import Scope
from minigrad.profiler.events import USER, Call, Event, by_thread


def chain(path: str) -> list[str]:
    """Return the paths of all modules around the one at `path`, from the model itself, whose path is empty.

    >>> chain("layer.0.linear")
    ['', 'layer', 'layer.0', 'layer.0.linear']
    """
    names = path.split(".") if path else []
    return ["", *(".".join(names[: i + 1]) for i in range(len(names)))]


class ModuleAverage:
    """What ran in one module and in those below it: its calls, times in microseconds, and bytes.

    The module with the path "" is the model itself; the path None stands for what ran outside of all modules. `model`
    numbers the models from 1, in the order they ran; None if there is only one. `call_time_total` goes from the
    beginning of each call to its end, with the Python in between and the measuring itself.
    """

    def __init__(self, path: str | None) -> None:
        self.path, self.kinds = path, dict[str, None]()
        self.model: int | None = None
        self.count = 0
        self.call_time_total = 0.0
        self.forward_time_total = self.backward_time_total = 0.0
        self.self_forward_time_total = self.self_backward_time_total = 0.0
        self.cpu_memory_usage = 0

    @property
    def key(self) -> str:
        """The path in words, after the number of the model if there are several."""
        if self.path is None:
            return "(outside of modules)"
        if self.model is None:
            return self.path or "(the model)"
        return f"{self.model}: {self.path}" if self.path else f"(model {self.model})"

    @property
    def kind(self) -> str:
        """The class of the module; several, if modules not registered in the model have been called at one place."""
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


Key = tuple[int, str | None]  # the number of a model, and a path in it
_OUTSIDE: Key = (0, None)
# Nanoseconds by which a bar ends after the one inside it: where both end at once, viewers that add the duration to the
# beginning differ in the last digit, and take the inner one to end later. Between two rules there is far more time.
_APART = 10


def _around(scope: Scope | None) -> list[Key]:
    """Return the modules around a place in the program, the model itself first."""
    return [_OUTSIDE] if scope is None else [(scope.model, path) for path in chain(scope.path)]


def by_module(events: Iterable[Event], calls: Iterable[Call]) -> ModuleList:
    """Return a row for each module that was called, or that ops ran in or below, each after the one it lies in."""
    rows: dict[Key, ModuleAverage] = {}
    until: dict[tuple[int, ModuleAverage], int] = {}
    ran: list[Event | Call] = [*calls, *(event for event in events if event.kind != USER)]
    for each in sorted(ran, key=lambda each: each.begun):
        keys = _around(each.scope)
        around = [rows.get(key) or rows.setdefault(key, ModuleAverage(key[1])) for key in keys]
        row = around[-1]
        if each.scope is not None:
            row.kinds[each.scope.kind] = None
        if isinstance(each, Call):
            row.count += 1
            begun = max(each.begun, until.get((each.thread, row), 0))  # a call in a call of the same adds nothing
            row.call_time_total += max(0, each.end - begun) / 1e3
            until[each.thread, row] = max(each.end, begun)
        else:
            for outer in around:
                outer.add(each, outer is row)
    return _in_order(rows)


def _in_order(rows: dict[Key, ModuleAverage]) -> ModuleList:
    """Return the rows, every module behind the one it lies in, neighbours in the order they ran, models numbered."""
    first = {key: i for i, key in enumerate(rows)}
    models = list(dict.fromkeys(model for model, path in rows if path is not None))
    if len(models) > 1:
        for (model, path), row in rows.items():
            row.model = None if path is None else models.index(model) + 1

    def place(key: Key) -> tuple[int, ...]:
        model, path = key
        return (1,) if path is None else (0, *(first[model, outer] for outer in chain(path)))

    return ModuleList(rows[key] for key in sorted(rows, key=place))


def backward_spans(events: Iterable[Event]) -> Iterator[Call]:
    """Yield when the gradient rules of modules ran: calls with no other op in between count as one."""
    for thread, own in by_thread(events):
        yield from _spans_of(thread, own)


def _spans_of(thread: int, events: list[Event]) -> Iterator[Call]:
    kinds = {(e.scope.model, e.scope.path): e.scope.kind for e in events if e.scope is not None}
    is_open: list[tuple[Key, int]] = []
    last = 0

    def close(keep: int) -> Iterator[Call]:
        for i, ((model, path), begun) in enumerate(reversed(is_open[keep:]), 1):
            scope = Scope(path or "", kinds.get((model, path or ""), ""), model)
            yield Call(scope, True, begun, last + i * _APART, thread)
        del is_open[keep:]

    for event in sorted(events, key=lambda event: event.begun):
        if event.parent is not None and event.parent.is_backward:
            continue
        target = _around(event.scope) if event.is_backward and event.scope is not None else []
        same = [key == open_key for key, (open_key, _) in zip(target, is_open, strict=False)]
        yield from close([*same, False].index(False))
        is_open += [(key, event.begun) for key in target[len(is_open) :]]
        last = event.end
    yield from close(0)

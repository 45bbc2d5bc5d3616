"""What was measured: events, rows that sum up events of one kind, and lists of either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from minigrad.graph import Scope

FORWARD, BACKWARD, USER = "forward", "backward", "user"  # the kinds of events, which are the categories of a trace


class TimeRange(NamedTuple):
    """Start and end of an event, in microseconds since the measuring began."""

    start: float
    end: float

    def elapsed_us(self) -> float:
        """Return the microseconds from start to end."""
        return self.end - self.start


class Measured:
    """What events and rows have in common. Times are in microseconds, memory in bytes; there is no device but the CPU.

    "Self" leaves out what the events inside account for.
    """

    key: str
    kind: str
    count = 1
    cpu_time_total: float
    self_cpu_time_total: float
    cpu_memory_usage: int
    self_cpu_memory_usage: int
    input_shapes: Any
    stack: Any
    cuda_time = cuda_time_total = self_cuda_time_total = 0.0
    device_time = device_time_total = self_device_time_total = 0.0
    cuda_memory_usage = self_cuda_memory_usage = device_memory_usage = self_device_memory_usage = 0
    flops = 0

    @property
    def cpu_time(self) -> float:
        """The mean time of a call."""
        return self.cpu_time_total / self.count if self.count else 0.0

    @property
    def is_user_annotation(self) -> bool:
        """Whether this is a range that the program named, not an op."""
        return self.kind == USER

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} key={self.key} count={self.count} "
            f"self_cpu_time={self.self_cpu_time_total:.3f}us cpu_time_total={self.cpu_time_total:.3f}us "
            f"cpu_memory_usage={self.cpu_memory_usage}>"
        )


_NONE: Any = []  # the shapes and the stack of an event for which none were asked; never written to


class Event(Measured):
    """One call of an op, one gradient rule, or one range that the program named.

    `is_backward` says whether it is a gradient rule, or happened inside one.
    """

    __slots__ = (
        "allocated", "begun", "end", "inner", "inner_allocated", "input_shapes", "is_backward", "kind", "name", "node",
        "note", "origin", "parent", "scope", "stack", "thread",
    )  # fmt: skip

    def __init__(self, name: str, kind: str, parent: Event | None, scope: Scope | None, thread: int, origin: int):
        self.name, self.kind, self.parent, self.scope = name, kind, parent, scope
        self.thread, self.origin = thread, origin
        self.input_shapes = self.stack = _NONE
        self.note: str | None = None
        self.node: int | None = None  # the number of the node that the op recorded, or whose rule this is
        self.is_backward: bool = kind is BACKWARD or (parent is not None and parent.is_backward)
        self.begun = self.end = 0  # in nanoseconds, as `origin`, from which times are counted
        self.inner = self.inner_allocated = self.allocated = 0  # nanoseconds and bytes of the events directly inside

    @property
    def key(self) -> str:  # type: ignore[override]
        """The name, by which events are summed up."""
        return self.name

    @property
    def cpu_time_total(self) -> float:  # type: ignore[override]
        """The time from start to end."""
        return (self.end - self.begun) / 1e3

    @property
    def self_cpu_time_total(self) -> float:  # type: ignore[override]
        """The time without that of the events inside."""
        return (self.end - self.begun - self.inner) / 1e3

    @property
    def cpu_memory_usage(self) -> int:  # type: ignore[override]
        """The bytes of the outputs that were allocated, with those of the events inside."""
        return self.allocated + self.inner_allocated

    @property
    def self_cpu_memory_usage(self) -> int:  # type: ignore[override]
        """The bytes of the outputs that this event itself allocated."""
        return self.allocated

    @property
    def time_range(self) -> TimeRange:
        """Start and end, in microseconds since the measuring began."""
        return TimeRange((self.begun - self.origin) / 1e3, (self.end - self.origin) / 1e3)

    @property
    def cpu_parent(self) -> Event | None:
        """The event inside which this one happened."""
        return self.parent


class Call(NamedTuple):
    """One call of a module, in nanoseconds; `is_backward` if it happened inside a gradient rule."""

    scope: Scope
    is_backward: bool
    begun: int
    end: int
    thread: int


class Average(Measured):
    """The sum of the events of one name."""

    def __init__(self, key: str, kind: str, input_shapes: Any = "", stack: Any = ()) -> None:
        self.key, self.kind, self.input_shapes, self.stack = key, kind, input_shapes, list(stack)
        self.count = 0
        self.cpu_time_total = self.self_cpu_time_total = 0.0
        self.cpu_memory_usage = self.self_cpu_memory_usage = 0

    def add(self, other: Measured) -> None:
        """Add an event, or another row."""
        self.count += other.count
        self.cpu_time_total += other.cpu_time_total
        self.self_cpu_time_total += other.self_cpu_time_total
        self.cpu_memory_usage += other.cpu_memory_usage
        self.self_cpu_memory_usage += other.self_cpu_memory_usage


class EventList(list[Any]):
    """Events in the order they began, or rows in the order their first event began."""

    @property
    def self_cpu_time_total(self) -> float:
        """The sum of the self times, in microseconds."""
        return float(sum(event.self_cpu_time_total for event in self))

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, group_by_overload_name: bool = False
    ) -> EventList:
        """Return one row per name; with `group_by_input_shape` and `group_by_stack_n`, per shapes and place of call.

        Both need that `record_shapes` and `with_stack` were on.
        """
        rows: dict[Any, Average] = {}
        for event in self:
            shapes = event.input_shapes if group_by_input_shape else ""
            place = tuple(event.stack[:group_by_stack_n])
            key = event.key, event.kind, str(shapes), place
            if key not in rows:
                rows[key] = Average(event.key, event.kind, shapes, place)
            rows[key].add(event)
        return EventList(rows.values())

    def total_average(self) -> Average:
        """Return the sum of all, as one row: its total time is the sum of the self times, which nothing is twice in."""
        total = Average("Total", USER)
        for event in self:
            total.add(event)
        total.cpu_time_total, total.cpu_memory_usage = total.self_cpu_time_total, total.self_cpu_memory_usage
        return total

    def table(
        self,
        sort_by: str | None = None,
        row_limit: int = 100,
        max_src_column_width: int = 75,
        max_name_column_width: int = 55,
        max_shapes_column_width: int = 80,
        header: str | None = None,
        top_level_events_only: bool = False,
        time_unit: str | None = None,
    ) -> str:
        """Return the rows as a text table, the largest of `sort_by` first (None: in the order they are in).

        `sort_by` is a column by PyTorch's name for it: "cpu_time", "cpu_time_total", "self_cpu_time_total",
        "cpu_memory_usage", "self_cpu_memory_usage", "count". `time_unit` is "s", "ms" or "us", None for what suits
        the largest. Raises ArgumentError for another.
        """
        from minigrad.profiler.tables import op_table

        rows = [e for e in self if getattr(e, "parent", None) is None] if top_level_events_only else list(self)
        widths = max_name_column_width, max_shapes_column_width, max_src_column_width
        return op_table(rows, self.self_cpu_time_total, sort_by, row_limit, widths, header, time_unit)

    def __str__(self) -> str:
        return self.table()


def by_thread(events: Iterable[Event]) -> Iterator[tuple[int, list[Event]]]:
    """Yield each thread's number and its events."""
    threads: dict[int, list[Event]] = {}
    for event in events:
        threads.setdefault(event.thread, []).append(event)
    yield from threads.items()

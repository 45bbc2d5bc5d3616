"""What was measured as text: at most 100 columns wide, unless shapes or lines of the program are shown too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.profiler.events import EventList, Measured
from minigrad.profiler.modules import ModuleAverage, ModuleList

_WIDTH = 100
_OUTSIDE = ("Input Shapes", "Source Location")
_OPS = ("self_cpu_time_total", "cpu_time_total", "cpu_time", "cpu_memory_usage", "self_cpu_memory_usage", "count")
_DEVICES = ("cuda", "device", "xpu", "mtia", "hpu", "privateuse1")
_TIMES = ("cpu_time_total", "forward_time_total", "backward_time_total")
_MODULES = (*_TIMES, *(f"self_{name}" for name in _TIMES), "call_time_total", "cpu_memory_usage", "count")
_HEADER = 'By op. "Self" is without what ran inside; "CPU Mem" is the memory that outputs took anew.'
_SCALES = {"us": 1.0, "ms": 1e3, "s": 1e6}


def time_text(us: float, unit: str | None = None) -> str:
    """Return a time, given in microseconds, with three digits behind the point.

    >>> time_text(12.5), time_text(12500), time_text(12.5e6), time_text(12.5, "ms")
    ('12.500us', '12.500ms', '12.500s', '0.013ms')
    """
    if unit is None:
        unit = "s" if us >= 1e6 else "ms" if us >= 1e3 else "us"
    if unit not in _SCALES:
        raise ArgumentError(f"time_unit must be 's', 'ms' or 'us', got {unit!r}")
    return f"{us / _SCALES[unit]:.3f}{unit}"


def bytes_text(count: int) -> str:
    """Return a number of bytes.

    >>> bytes_text(604), bytes_text(1536), bytes_text(-3 << 20)
    ('604 B', '1.50 KB', '-3.00 MB')
    """
    for power, unit in ((30, "GB"), (20, "MB"), (10, "KB")):
        if abs(count) >= 1 << power:
            return f"{count / (1 << power):.2f} {unit}"
    return f"{count} B"


def share_text(part: float, whole: float) -> str:
    """Return a part of a whole in percent."""
    return f"{100 * part / whole:.1f}%" if whole else "-"


def op_table(
    rows: Sequence[Measured],
    total: float,
    sort_by: str | None,
    row_limit: int,
    widths: tuple[int, int, int],
    header: str | None,
    unit: str | None,
) -> str:
    """Return the table of ops; `widths` are the largest of names, shapes and places."""
    if not rows:
        return "Nothing was measured: no op ran while the profile was recording."
    unit = unit or _unit(rows)
    shown = _sorted(rows, sort_by, _OPS)[: row_limit if row_limit >= 0 else None]
    columns: list[tuple[str, Callable[[Any], str], str]] = [
        ("Name", lambda e: e.key, "<"),
        ("Self %", lambda e: share_text(e.self_cpu_time_total, total), ">"),
        ("Self CPU", lambda e: time_text(e.self_cpu_time_total, unit), ">"),
        ("CPU total", lambda e: time_text(e.cpu_time_total, unit), ">"),
        ("CPU mean", lambda e: time_text(e.cpu_time, unit), ">"),
        ("CPU Mem", lambda e: bytes_text(e.cpu_memory_usage), ">"),
        ("# of Calls", lambda e: str(e.count), ">"),
    ]
    if any(e.input_shapes for e in rows):
        columns.append(("Input Shapes", lambda e: _cut(str(e.input_shapes or []), widths[1]), "<"))
    if any(e.stack for e in rows):
        columns.append(("Source Location", lambda e: _cut_left(e.stack[0] if e.stack else "", widths[2]), "<"))
    lines = [header] if header else []
    lines += [_grid(columns, shown, widths[0]), _omitted(len(rows) - len(shown))]
    lines.append(f"Self CPU time total: {time_text(total, unit)}")
    return "\n".join(line for line in lines if line)


def module_table(rows: Sequence[ModuleAverage], sort_by: str | None, row_limit: int, unit: str | None) -> str:
    """Return the table of modules."""
    if not rows:
        return "Nothing was measured: no op and no module ran while the profile was recording."
    whole = sum(row.cpu_time_total for row in rows if not row.path)  # the model itself, and what is outside
    unit = unit or _unit(rows)
    shown = _sorted(rows, sort_by, _MODULES)[: row_limit if row_limit >= 0 else None]
    columns: list[tuple[str, Callable[[Any], str], str]] = [
        ("Module", lambda m: m.key, "<"),
        ("Kind", lambda m: _cut(m.kind, 16), "<"),
        ("Total %", lambda m: share_text(m.cpu_time_total, whole), ">"),
        ("Forward", lambda m: time_text(m.forward_time_total, unit), ">"),
        ("Backward", lambda m: time_text(m.backward_time_total, unit), ">"),
        ("CPU Mem", lambda m: bytes_text(m.cpu_memory_usage), ">"),
        ("# of Calls", lambda m: str(m.count), ">"),
    ]
    return "\n".join(line for line in (_grid(columns, shown, _WIDTH), _omitted(len(rows) - len(shown))) if line)


def report(
    events: EventList, modules: ModuleList, wall: float, sort_by: str | None, row_limit: int, options: dict[str, Any]
) -> str:
    """Return the tables of ops and of modules, and what part of the `wall` time of the block the ops took."""
    options = {"header": _HEADER, **options}
    text = events.key_averages().table(sort_by=sort_by, row_limit=row_limit, **options)
    if not events:
        return text
    inside = sum(e.self_cpu_time_total for e in events if not e.is_user_annotation)
    unit = options.get("time_unit")
    lines = [
        text,
        f"Time of the block: {time_text(wall, unit)}, of which in ops and gradient rules: {time_text(inside, unit)}; "
        "the rest is",
        "Python between them, optimisers, data, adding up gradients, and the measuring itself.",
    ]
    if any(row.path is not None for row in modules):
        lines += [
            "",
            "By module, with the modules below it: its calls, the times of its ops and of their gradient rules.",
        ]
        lines.append(modules.table(row_limit=row_limit, time_unit=unit))
    return "\n".join(lines)


def _unit(rows: Sequence[Any]) -> str:
    """Return the one unit that suits all times of a table, so that a column can be read from top to bottom."""
    return "ms" if max(row.cpu_time_total for row in rows) >= 1e3 else "us"


def _sorted(rows: Sequence[Any], sort_by: str | None, known: tuple[str, ...]) -> list[Any]:
    if sort_by is None:
        return list(rows)
    if sort_by not in known and not (known is _OPS and any(device in sort_by for device in _DEVICES)):
        raise ArgumentError(f"sort_by must be one of {', '.join(known)}, or None; got {sort_by!r}")
    return sorted(rows, key=lambda row: -float(getattr(row, sort_by, 0.0)))


def _grid(columns: list[tuple[str, Callable[[Any], str], str]], rows: Sequence[Any], widest: int) -> str:
    """Return a line of headings and a line for each row, in columns as wide as what is in them.

    Names, the first column, are cut to `widest`, and further, but not below 20, to keep within the page with the
    numbers; shapes and places stand outside of it.
    """
    cells = [[title for title, _, _ in columns], *([text(row) for _, text, _ in columns] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    others = sum(2 + width for (title, *_), width in zip(columns, widths, strict=True) if title not in _OUTSIDE)
    widths[0] = min(widths[0], widest, max(20, _WIDTH - others + 2 + widths[0]))
    for line in cells:
        line[0] = _cut(line[0], widths[0])
    lines = [
        "  ".join(f"{cell:{side}{width}}" for cell, (_, _, side), width in zip(line, columns, widths, strict=True))
        for line in cells
    ]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join(line.rstrip() for line in [lines[0], rule, *lines[1:], rule])


def _omitted(count: int) -> str:
    return f"({count} more row{'s' if count > 1 else ''}: row_limit=-1 shows all)" if count > 0 else ""


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _cut_left(text: str, width: int) -> str:
    return text if len(text) <= width else f"…{text[1 - width :]}"

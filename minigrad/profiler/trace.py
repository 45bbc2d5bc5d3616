"""The trace file: what was measured in the form that chrome://tracing and Perfetto draw."""

from __future__ import annotations

import gzip
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from minigrad import files
from minigrad.profiler.events import Event
from minigrad.profiler.modules import Span, spans
from minigrad.profiler.recorder import Trace


def write_trace(path: Any, trace: Trace, events: Iterable[Event], metadata: dict[str, str]) -> None:
    """Write the trace to the file `path`, whole or not at all; compressed if its name ends in .gz."""

    target = Path(path)
    rows = [*_names(trace), *_complete(trace, list(events))]
    content = {"displayTimeUnit": "ms", **metadata, "traceEvents": rows}
    data = json.dumps(content, separators=(",", ":")).encode()
    target.parent.mkdir(parents=True, exist_ok=True)
    files.write(target, gzip.compress(data) if target.suffix == ".gz" else data)


def _names(trace: Trace) -> Iterator[dict[str, Any]]:
    """Yield the rows that name the process and its threads."""
    pid = os.getpid()
    yield {"ph": "M", "name": "process_name", "pid": pid, "tid": 0, "args": {"name": "minigrad"}}
    for thread, name in trace.names.items():
        yield {"ph": "M", "name": "thread_name", "pid": pid, "tid": thread, "args": {"name": name}}


def _complete(trace: Trace, events: list[Event]) -> list[dict[str, Any]]:
    """Return a row for each event and each time that a module ran, the outer before the inner where both begin."""
    rows = [(s.begun, -s.end, len(s.path), _of_span(s, trace.begun)) for s in spans(events)]
    rows += [(e.begun, -e.end, sys.maxsize, _of_event(e)) for e in events]
    return [row for *_, row in sorted(rows, key=lambda row: row[:3])]


def _of_event(event: Event) -> dict[str, Any]:
    details = {
        "module": event.scope and (event.scope.path or event.scope.kind),
        "bytes": event.cpu_memory_usage,
        "input shapes": event.input_shapes,
        "called from": event.stack,
        "note": event.note,
    }
    times = _times(event.begun, event.end, event.origin, event.thread)
    return {"ph": "X", "cat": event.kind, "name": event.name, **times, "args": {k: v for k, v in details.items() if v}}


def _of_span(span: Span, origin: int) -> dict[str, Any]:
    title = f"{span.path} ({span.kind})" if span.path and span.kind else span.path or span.kind or "the model"
    name = f"{title} backward" if span.is_backward else title
    times = _times(span.begun, span.end, origin, span.thread)
    return {"ph": "X", "cat": "module", "name": name, **times, "args": {"path": span.path}}


def _times(begun: int, end: int, origin: int, thread: int) -> dict[str, Any]:
    """Return when and where, in microseconds."""
    return {"ts": (begun - origin) / 1e3, "dur": (end - begun) / 1e3, "pid": os.getpid(), "tid": thread}


def tensorboard_trace_handler(
    dir_name: Any, worker_name: str | None = None, use_gzip: bool = False, **options: Any
) -> Callable[[Any], None]:
    """Return what, as `on_trace_ready` of a profile, writes each trace to a file of its own in the folder `dir_name`.

    The files are named "WORKER.TIME.pt.trace.json"; the worker is "HOST_PROCESS" unless `worker_name` says otherwise.
    """

    def handle(finished: Any) -> None:
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        name = f"{worker}.{time.time_ns()}.pt.trace.json{'.gz' if use_gzip else ''}"
        finished.export_chrome_trace(os.path.join(dir_name, name))

    return handle

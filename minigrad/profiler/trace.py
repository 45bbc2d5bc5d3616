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
from minigrad.errors import ArgumentError
from minigrad.profiler.events import FORWARD, USER, Call, Event
from minigrad.profiler.modules import backward_spans
from minigrad.profiler.recorder import Trace

Row = dict[str, Any]
_METRICS = ("self_cpu_time_total", "self_cuda_time_total", "self_xpu_time_total")
_SPACES = str.maketrans(" ;\t\n", "____")


def write_trace(path: Any, trace: Trace, events: Iterable[Event], metadata: dict[str, Any]) -> None:
    """Write the trace to the file `path`, whole or not at all; compressed if its name ends in .gz."""
    target, own = Path(path), list(events)
    tracks = Tracks(trace)
    rows = [*tracks.names(), *_bars(tracks, trace, own), *_arrows(tracks, own)]
    content = {"displayTimeUnit": "ms", **metadata, "traceEvents": rows}
    data = json.dumps(content, separators=(",", ":")).encode()
    target.parent.mkdir(parents=True, exist_ok=True)
    files.write(target, gzip.compress(data) if target.suffix == ".gz" else data)


def write_stacks(path: Any, events: Iterable[Event], metric: str) -> None:
    """Write a line for each place of the program that called ops: the functions, the outermost first, and the time."""
    if metric not in _METRICS:
        raise ArgumentError(f"metric must be one of {', '.join(_METRICS)}, got {metric!r}")
    times: dict[str, float] = {}
    for event in events:
        if event.kind != USER and event.stack:
            calls = ";".join(call.translate(_SPACES) for call in (*reversed(event.stack), event.name))
            times[calls] = times.get(calls, 0.0) + getattr(event, metric)
    if not times:
        raise ArgumentError("there are no stacks to write: profile with with_stack=True")
    lines = [f"{calls} {int(took)}\n" for calls, took in times.items() if int(took)]
    files.write(Path(path), "".join(lines).encode())


class Tracks:
    """The lines that bars are drawn on: two for each thread, its own and below it that of its gradient rules."""

    def __init__(self, trace: Trace) -> None:
        self.pid, self.begun, self._threads = os.getpid(), trace.begun, trace.names
        free = max(self._threads, default=0) + 1
        self._backward = {thread: free + i for i, thread in enumerate(self._threads)}

    def names(self) -> Iterator[Row]:
        """Yield the rows that name the process and the tracks, and say in which order they are drawn."""
        yield {"ph": "M", "name": "process_name", "pid": self.pid, "tid": 0, "args": {"name": "minigrad"}}
        for i, (thread, name) in enumerate(self._threads.items()):
            for tid, title in ((thread, name), (self._backward[thread], f"{name} backward")):
                where = {"ph": "M", "pid": self.pid, "tid": tid}
                yield where | {"name": "thread_name", "args": {"name": title}}
                yield where | {"name": "thread_sort_index", "args": {"sort_index": 2 * i + (tid != thread)}}

    def at(self, time: int, thread: int, is_backward: bool) -> Row:
        """Return when and where something is drawn, in microseconds."""
        tid = self._backward[thread] if is_backward else thread
        return {"ts": (time - self.begun) / 1e3, "pid": self.pid, "tid": tid}


def _bars(tracks: Tracks, trace: Trace, events: list[Event]) -> list[Row]:
    """Return a row for each event and each time that a module ran, the outer before the inner where both begin."""
    many = len({call.scope.model for call in trace.calls}) > 1
    calls = [*((c, "") for c in trace.calls), *((c, " backward") for c in backward_spans(events))]
    rows = [(c.begun, -c.end, len(c.scope.path), _of_call(tracks, c, tail, many)) for c, tail in calls]
    apart = _crossing(events)
    for e in events:
        for row in _in_two(tracks, e) if e in apart else (_of_event(tracks, e),):
            rows.append((e.begun, -e.end, sys.maxsize, row))
    return [row for *_, row in sorted(rows, key=lambda row: row[:3])]


def _crossing(events: list[Event]) -> set[Event]:
    """Return the ranges that end after one around them has: bars of one track must lie in one another."""
    return {e for e in events if e.kind == USER and any(outer.end < e.end for outer in _outer(e))}


def _outer(event: Event) -> Iterator[Event]:
    while event.parent is not None:
        event = event.parent
        yield event


def _in_two(tracks: Tracks, event: Event) -> Iterator[Row]:
    """Yield beginning and end of a bar that gets a track of its own."""
    for ph, time_ in (("b", event.begun), ("e", event.end)):
        yield _of_event(tracks, event) | tracks.at(time_, event.thread, event.is_backward) | {"ph": ph, "id": id(event)}


def _of_event(tracks: Tracks, event: Event) -> Row:
    details = {
        "module": event.scope and (event.scope.path or event.scope.kind),
        "bytes": event.cpu_memory_usage,
        "input shapes": event.input_shapes,
        "called from": event.stack,
        "note": event.note,
    }
    where = tracks.at(event.begun, event.thread, event.is_backward) | {"dur": (event.end - event.begun) / 1e3}
    return {"ph": "X", "cat": event.kind, "name": event.name, **where, "args": {k: v for k, v in details.items() if v}}


def _of_call(tracks: Tracks, call: Call, tail: str, with_model: bool) -> Row:
    path, kind, model, *_ = call.scope
    name = (f"{path} ({kind})" if path and kind else path or kind or "the model") + tail
    where = tracks.at(call.begun, call.thread, call.is_backward) | {"dur": (call.end - call.begun) / 1e3}
    details = {"path": path} | ({"model": model} if with_model else {})
    return {"ph": "X", "cat": "module", "name": name, **where, "args": details}


def _arrows(tracks: Tracks, events: list[Event]) -> Iterator[Row]:
    """Yield what draws an arrow from each op to the first gradient rule of the node it recorded."""
    ops = {e.node: e for e in events if e.kind == FORWARD and e.node is not None}
    for rule in events:
        if rule.kind != FORWARD and rule.node is not None and rule.node in ops:
            op = ops.pop(rule.node)
            arrow = {"cat": "fwdbwd", "name": "fwdbwd", "id": rule.node}
            yield {"ph": "s", **arrow, **tracks.at(op.begun, op.thread, op.is_backward)}
            yield {"ph": "f", "bp": "e", **arrow, **tracks.at(rule.begun, rule.thread, rule.is_backward)}


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

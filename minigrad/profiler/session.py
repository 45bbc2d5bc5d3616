"""The profile itself: it starts and stops the measuring, and hands out what was measured."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.profiler.events import Average, EventList
from minigrad.profiler.modules import ModuleList, by_module
from minigrad.profiler.ranges import record_function
from minigrad.profiler.recorder import Recorder, Trace
from minigrad.profiler.steps import ProfilerAction

_RECORDING = (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE)


class ProfilerActivity(Enum):
    """What may be measured; here only ever the CPU."""

    CPU = 0
    CUDA = 1
    XPU = 2
    MTIA = 3
    HPU = 4
    PrivateUse1 = 5


def supported_activities() -> set[ProfilerActivity]:
    """Return what can be measured: the CPU."""
    return {ProfilerActivity.CPU}


def kineto_available() -> bool:
    """Return whether PyTorch's measuring library is there, which some programs ask; ours needs none."""
    return True


class Results:
    """What can be read from a profile: after it stopped, in `on_trace_ready`, or of what has ended so far."""

    _trace: Trace | None = None

    def events(self) -> EventList:
        """Return all that was measured, in the order it began."""
        events = [] if self._trace is None else list(self._trace.events)
        return EventList(sorted(events, key=lambda event: (event.begun, -event.end)))

    def key_averages(
        self, group_by_input_shape: bool = False, group_by_stack_n: int = 0, group_by_overload_name: bool = False
    ) -> EventList:
        """Return one row per op, gradient rule and range; with the options also per input shapes and place of call."""
        return self.events().key_averages(group_by_input_shape, group_by_stack_n)

    def module_averages(self) -> ModuleList:
        """Return one row per module: its calls, and the time of the ops in it and below, and of their gradient rules.

        What a module does besides ops (Python between them) is only in `call_time_total`.
        """
        return by_module(self.events(), [] if self._trace is None else list(self._trace.calls))

    def total_average(self) -> Average:
        """Return the sum of all rows."""
        return self.events().total_average()

    def table(self, sort_by: str | None = "self_cpu_time_total", row_limit: int = 30, **options: Any) -> str:
        """Return the times by op and by module as text, and how much of the time of the block they account for."""
        from minigrad.profiler.tables import report

        wall = 0.0 if self._trace is None else self._trace.wall()
        return report(self.events(), self.module_averages(), wall, sort_by, row_limit, options)

    def export_chrome_trace(self, path: Any) -> None:
        """Write the file `path`, which https://ui.perfetto.dev and chrome://tracing show; compressed if it ends in .gz.

        The file is there whole or not at all. Raises ArgumentError if nothing was measured.
        """
        from minigrad.profiler.trace import write_trace

        if self._trace is None:
            raise ArgumentError("there is no trace to write: the profile has not measured anything; run it first")
        write_trace(path, self._trace, self.events(), self._metadata)

    def export_stacks(self, path: Any, metric: str = "self_cpu_time_total") -> None:
        """Write the self times of ops by who called, outermost first, in the form that flame graph programs read.

        Needs that `with_stack` was on; times are in whole microseconds. Raises ArgumentError otherwise, or for another
        `metric`.
        """
        from minigrad.profiler.trace import write_stacks

        write_stacks(path, self.events(), metric)

    def export_memory_timeline(self, path: str, device: str | None = None) -> None:
        """Raise NotImplementedError: when memory is freed again is not measured."""
        raise NotImplementedError(
            "export_memory_timeline: when memory is freed again is not measured; what each op allocated is in "
            'key_averages().table(sort_by="self_cpu_memory_usage") and in the trace file'
        )

    def add_metadata(self, key: str, value: str) -> None:
        """Have the trace file say `value` under `key`."""
        self._metadata = self._metadata | {key: value}

    def add_metadata_json(self, key: str, value: str) -> None:
        """Have the trace file say under `key` what `value` says in JSON. Raises ValueError if it is no JSON."""
        self._metadata = self._metadata | {key: json.loads(value)}

    preset_metadata_json = add_metadata_json

    _metadata: dict[str, Any] = {}  # noqa: RUF012 (replaced, never written)

    def __str__(self) -> str:
        return self.table()


class profile(Results):
    """Measure the time, the calls and the memory of the ops that run in a `with` block, or from `start` to `stop`.

    With a `schedule` (a function of the step's number, as `minigrad.profiler.schedule` makes it) the program calls
    `step()` at the end of each step, and `on_trace_ready(profile)` is called whenever what was to be recorded together
    is complete; without one, at the end. `record_shapes` notes the shapes of inputs, `with_stack` the lines of the
    program that called. `profile_memory` and `with_modules` change nothing: memory and modules are always measured.
    `with_flops` and `execution_trace_observer` warn: there is no such measurement. The other arguments are PyTorch's
    and have nothing to act on. Ops of all threads are measured. An op takes a few microseconds longer meanwhile.

    >>> import minigrad as mg
    >>> with profile(record_shapes=True) as p:
    ...     with record_function("both"):
    ...         y = mg.ones(2, 3) @ mg.ones(3, 4)
    >>> for event in p.events():
    ...     print(event.name, event.input_shapes, event.cpu_memory_usage)
    both [] 32
    matmul [[2, 3], [3, 4]] 32
    """

    def __init__(
        self,
        *,
        activities: Iterable[Any] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[..., Any] | None = None,
        record_shapes: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_flops: bool = False,
        with_modules: bool = False,
        experimental_config: Any = None,
        execution_trace_observer: Any = None,
        acc_events: bool = False,
        use_cuda: bool | None = None,
        custom_trace_id_callback: Any = None,
        post_processing_timeout_s: float | None = None,
    ) -> None:
        wanted = supported_activities() if activities is None else set(activities)
        if not wanted:
            raise ArgumentError("No valid profiler activities found")
        if use_cuda or not wanted <= supported_activities():
            warn_of_cuda()
        for name, given in (("with_flops", with_flops), ("execution_trace_observer", execution_trace_observer)):
            if given:
                warnings.warn(f"profile: {name} is not supported and does nothing", stacklevel=2)
        self.activities, self.schedule, self.on_trace_ready = wanted, schedule, on_trace_ready
        self.step_num = 0
        self.current_action = self._action()
        self._recorder = Recorder(record_shapes, with_stack)
        self._is_running = False
        self._step: record_function | None = None

    def _action(self) -> ProfilerAction:
        return ProfilerAction.RECORD if self.schedule is None else self.schedule(self.step_num)

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin. Raises ArgumentError if it is running already."""
        if self._is_running:
            raise ArgumentError("this profile is running already: stop it first, or make another one")
        self._is_running = True
        self._recorder.enter()
        self._turn(ProfilerAction.NONE, self.current_action)
        self._begin_step()

    def stop(self) -> None:
        """End; what was recorded is complete. Does nothing if it is not running."""
        if self._is_running:
            self._is_running = False
            self._end_step()
            trace = self._recorder.trace
            self._recorder.leave()
            self._turn(self.current_action, None, trace)

    def step(self) -> None:
        """Say that a step of the program is over and the next begins."""
        self._end_step()
        before = self.current_action
        self.step_num += 1
        self.current_action = self._action()
        if self._is_running:
            self._turn(before, self.current_action, self._recorder.trace)
            self._begin_step()

    def _begin_step(self) -> None:
        if self.schedule is not None:
            self._step = record_function(f"ProfilerStep#{self.step_num}").__enter__()

    def _end_step(self) -> None:
        if self._step is not None:
            self._step.__exit__(None, None, None)
            self._step = None

    def _turn(self, before: ProfilerAction, now: ProfilerAction | None, trace: Trace | None = None) -> None:
        """Go from what the last step was for to what the next is for, None after the last."""
        if before is ProfilerAction.RECORD and now in _RECORDING:
            return
        if before in _RECORDING and trace is not None:
            self._trace = trace.ended()
            is_whole = now is None or before is ProfilerAction.RECORD_AND_SAVE
            if is_whole and self.on_trace_ready is not None:
                self.on_trace_ready(self)
        is_cut = before in (ProfilerAction.RECORD, ProfilerAction.WARMUP) and now is ProfilerAction.NONE
        if is_cut or (before is ProfilerAction.RECORD and now is ProfilerAction.WARMUP):
            warnings.warn(f"Incorrect schedule: {before.name} followed by {now.name}", stacklevel=3)  # type: ignore[union-attr]
        if now is not None:  # in a warm-up it is measured too, and forgotten
            self._recorder.trace = None if now is ProfilerAction.NONE else Trace()


def warn_of_cuda() -> None:
    """Warn that what a program wants measured besides the CPU is not."""
    warnings.warn("CUDA is not available, disabling CUDA profiling", stacklevel=3)

"""The profiler under its older name, `autograd.profiler.profile`, with the arguments it had then."""

from __future__ import annotations

from typing import Any

from minigrad.errors import ArgumentError
from minigrad.profiler.events import EventList
from minigrad.profiler.ranges import record_function
from minigrad.profiler.recorder import Recorder, Trace
from minigrad.profiler.session import Results, warn_of_cuda

__all__ = ["EventList", "profile", "record_function"]


class profile(Results):
    """The older form, `autograd.profiler.profile`: it measures from the beginning to the end of the block.

    With `enabled=False` it measures nothing. `use_cuda` warns; the other arguments are as those of
    `minigrad.profiler.profile`.

    >>> import minigrad as mg
    >>> with mg.autograd.profiler.profile(use_cuda=False) as prof:
    ...     _ = mg.ones(2).exp()
    >>> prof.key_averages()[0].key
    'exp'
    """

    def __init__(
        self,
        enabled: bool = True,
        *,
        use_cuda: bool = False,
        use_device: str | None = None,
        record_shapes: bool = False,
        with_flops: bool = False,
        profile_memory: bool = False,
        with_stack: bool = False,
        with_modules: bool = False,
        use_kineto: bool = False,
        use_cpu: bool = True,
        experimental_config: Any = None,
        acc_events: bool = False,
        custom_trace_id_callback: Any = None,
        post_processing_timeout_s: float | None = None,
    ) -> None:
        if use_cuda or use_device not in (None, "cpu"):
            warn_of_cuda()
        self.enabled = enabled
        self._recorder = Recorder(record_shapes, with_stack)

    def __enter__(self) -> profile:
        if self._trace is not None:
            raise ArgumentError("this profile has run already: make another one for another block")
        if self.enabled:
            self._recorder.enter()
            self._trace = self._recorder.trace = Trace()
        return self

    def __exit__(self, *exception: object) -> None:
        if self.enabled and self._trace is not None:
            self._recorder.leave()
            self._trace.ended()

    @property
    def function_events(self) -> EventList:
        """All that was measured, in the order it began."""
        return self.events()

    @property
    def self_cpu_time_total(self) -> float:
        """The sum of the self times, in microseconds."""
        return self.events().self_cpu_time_total

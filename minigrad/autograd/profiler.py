"""The profiler under its older name: `autograd.profiler.profile`, with the arguments it had then."""

from minigrad.profiler.events import EventList as EventList
from minigrad.profiler.ranges import record_function as record_function
from minigrad.profiler.session import plain_profile as profile
from minigrad.profiler.steps import ProfilerAction as ProfilerAction

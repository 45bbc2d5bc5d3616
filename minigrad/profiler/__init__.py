"""Where the time and the memory of a program go: per op, per module, forward and backward.

>>> import minigrad as mg
>>> from minigrad.profiler import profile
>>> x = mg.ones(3, requires_grad=True)
>>> with profile() as p:
...     (x * 2).sum().backward()
>>> [(row.key, row.count, row.cpu_memory_usage) for row in p.key_averages()]
[('mul', 1, 12), ('sum', 1, 4), ('sum.backward: x', 1, 0), ('mul.backward: a', 1, 12)]

`print(p.table())` shows the times by op and by module; `p.export_chrome_trace("trace.json")` writes a file for
https://ui.perfetto.dev or chrome://tracing.
"""

from minigrad.profiler.ranges import record_function
from minigrad.profiler.session import ProfilerActivity, kineto_available, profile, supported_activities
from minigrad.profiler.steps import ProfilerAction, schedule
from minigrad.profiler.trace import tensorboard_trace_handler

"""Where kernels run: NumPy's floating-point warnings are off inside and untouched outside.

inf and nan are values here, as in PyTorch, and not worth a warning. `np.errstate` around each op would cost more than
the op; a context prepared once per thread, in which they are already off, costs a tenth of it.
"""

from __future__ import annotations

import contextvars
import threading

import numpy as np


class _Quiet(threading.local):
    """One prepared context per thread, since a context cannot be entered by two threads at once."""

    def __init__(self) -> None:
        context = contextvars.Context()
        context.run(np.seterr, all="ignore")
        self.run = context.run


quiet = _Quiet()

"""Memory that stays with the process between training steps, so that it need not be fetched page by page again."""

from __future__ import annotations

import numpy as np


def keep_freed_memory() -> None:
    """Let the C library keep up to 64 MB of what is freed, instead of giving it back to the system each time.

    A training step frees its activations and the next one allocates as much; of a page given back each first touch is
    an interrupt, and thousands of them cost a sixth of a step. GNU's library moves its thresholds up by itself when a
    large block is freed (mallopt(3), M_MMAP_THRESHOLD), up to 32 MB: so one is taken and freed, untouched. Elsewhere
    this does nothing.
    """
    np.empty(2**25 - 2**17, np.uint8)


keep_freed_memory()

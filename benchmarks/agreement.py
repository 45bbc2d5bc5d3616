"""Whether two sides compute the same: what is not the same work is not timed."""

from __future__ import annotations

from typing import Any

import numpy as np

TOLERANCE = 1e-4


def array(result: Any) -> np.ndarray[Any, Any]:
    """Return what a step returned, a tensor of any library or a number, as an array."""
    return np.asarray(result.detach().numpy() if hasattr(result, "detach") else result, np.float64)


def difference(ours: Any, theirs: Any) -> float:
    """Return how far two results are apart, relative to the second; infinite if their shapes differ."""
    a, b = array(ours), array(theirs)
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return float("inf")
    return float(np.linalg.norm(a - b) / max(float(np.linalg.norm(b)), 1e-30))

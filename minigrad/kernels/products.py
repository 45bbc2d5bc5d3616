"""Products of matrices in pieces that BLAS multiplies where they lie.

Before OpenBLAS multiplies it packs both matrices into an order of its own, which takes a tenth of the time of a wide
product and more than half of a thin one's. Its kernels for processors with AVX-512 leave that out up to a million
multiplications; on others it always packs, and small pieces would only be slower.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from minigrad.dtypes import Array
from minigrad.kernels.threads import one_thread

_UNPACKED = 1_000_000  # multiplications
_ROWS = 12  # of which pieces are made of a multiple, as the kernels work on so many at a time
_KERNELS = {"SkylakeX", "Cooperlake", "SapphireRapids"}


@cache
def _spares_packing() -> bool:
    """Return whether the BLAS that is loaded has kernels that do without packing."""
    return any(getattr(library, "architecture", None) in _KERNELS for library in one_thread.libraries())


def multiply(a: Array, b: Array, out: Array) -> None:
    """Write a @ b into `out`, stacks of matrices (stack, rows, columns), a few rows of `a` at a time."""
    rows, inner = a.shape[1:]
    step = _UNPACKED // max(1, inner * b.shape[2]) // _ROWS * _ROWS
    if step == 0 or step >= rows or not _spares_packing():
        np.matmul(a, b, out=out)
        return
    whole = rows - rows % step
    pieces, results = (m[:, :whole].reshape(len(m), whole // step, step, m.shape[2]) for m in (a, out))
    np.matmul(pieces, b[:, None], out=results)
    if whole < rows:
        np.matmul(a[:, whole:], b, out=out[:, whole:])

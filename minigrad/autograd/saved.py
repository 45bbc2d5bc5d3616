"""Catching what the saved-value check cannot see: writes through an array that shares a tensor's memory."""

from __future__ import annotations

import weakref
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minigrad.errors import GraphError
from minigrad.graph import Node, Observer, Op, held
from minigrad.plans import Rule
from minigrad.tensor import Tensor
from minigrad.watching import leave, take


@contextmanager
def debug() -> Iterator[None]:
    """Notice, inside this `with` block or decorated function, saved arrays that were changed behind minigrad's back.

    A write through an array from `.numpy()`, or one given to `from_numpy`, shares a tensor's memory but is not counted,
    and a gradient that needs the old values would be silently wrong. Here what an op saves leaves a checksum, and
    `backward()` raises GraphError, naming the op, if it no longer holds. Each op then costs a pass over what it saves
    and one over it in the backward. What assignments (`x[i] = 0`) and custom Functions save is not looked at.

    >>> import numpy as np
    >>> import minigrad as mg
    >>> weights = np.ones(3, np.float32)
    >>> x, w = mg.ones(3, requires_grad=True), mg.from_numpy(weights)
    >>> with mg.debug():
    ...     loss = (x * w).sum()
    ...     weights[0] = 5.0
    ...     loss.backward()
    Traceback (most recent call last):
        ...
    minigrad.errors.GraphError: mul: the saved 'b', float32 of shape (3,), was changed through an array that shares ...
    """
    checksums = _Checksums()
    take(checksums)
    try:
        yield
    finally:
        leave(checksums)


class _Checksums(Observer):
    """The observer that takes a checksum of what a node saves, and compares it before the node's rules run."""

    def __init__(self) -> None:
        self._sums: weakref.WeakKeyDictionary[Node, list[int]] = weakref.WeakKeyDictionary()

    def forward(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], call: Callable[[], Any]) -> Any:
        """Run the op and note what it saved."""
        outputs = super().forward(op, inputs, attrs, call)
        for y in outputs if isinstance(outputs, tuple) else (outputs,):
            if isinstance(y, Tensor) and y._edge is not None and y._edge[0].saved:
                node = y._edge[0]
                self._sums[node] = [_checksum(array) for _, array, _, _ in held(node)]
        return outputs

    def rule(self, node: Node, rule: Rule, call: Callable[[], Any]) -> Any:
        """Compare what the node saved with what it was, then run the rule."""
        for (saving, array, _, _), then in zip(held(node), self._sums.get(node, ()), strict=False):
            if _checksum(array) != then:
                where = f" in {node.scope.path or node.scope.kind}" if node.scope else ""
                raise GraphError(
                    f"{node.op.name}{where}: the saved {saving.name!r}, {array.dtype} of shape {array.shape}, was "
                    "changed through an array that shares its memory (from numpy(), or given to from_numpy()) before "
                    "backward() needed it. Write to a copy, or with operations on the tensor."
                )
        return super().rule(node, rule, call)


def _checksum(array: Any) -> int:
    return zlib.crc32(np.ascontiguousarray(array).data) if isinstance(array, np.ndarray) else 0

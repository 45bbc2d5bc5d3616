"""Writing a tensor's memory, and the graph with it: what an in-place operation computed, and assignment to an index."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.arraylike import ArrayLike
from minigrad.dtypes import CATEGORY
from minigrad.errors import DTypeError, GraphError, ShapeError
from minigrad.graph import Node, array_of, held, recording
from minigrad.indexing import parse_index
from minigrad.kernels.index import fill_in
from minigrad.methods.place import Place, edge_of
from minigrad.operands import assign
from minigrad.ops.elementwise import to
from minigrad.ops.index import getitem, index_put, index_set
from minigrad.ops.shape import reshape

if TYPE_CHECKING:
    from minigrad.tensor import Tensor


class Writing(Place):
    """The part of Tensor that writes its memory; Tensor itself says how an op is recorded."""

    _record: Callable[..., Node | None]

    def _become(self, result: Tensor) -> Tensor:
        """Take over the values of `result`, computed from this tensor, in this tensor's memory; and its place."""
        self._check_writable()
        if result._data.shape != self._data.shape:
            raise ShapeError(
                f"output with shape {self._data.shape} doesn't match the broadcast shape {result._data.shape}"
            )
        if CATEGORY[result._data.dtype.kind] > CATEGORY[self._data.dtype.kind]:
            raise DTypeError(
                f"result type {result._data.dtype} can't be cast to the desired output type {self._data.dtype}; "
                "convert the tensor first, or write the operation out of place"
            )
        if result._data.dtype != self._data.dtype:
            result = to(result, dtype=self._data.dtype)
        _keep_overwritten(result._edge, self)
        np.copyto(self._data, result._data)
        self._storage.version += 1
        if result._edge is not None:
            _swap_saved(result, self)
            self._point_to(result._edge)
        elif recording.get() and self.requires_grad:  # what was computed has no derivative, and so is a constant now
            self._point_to(None)
        return self  # type: ignore[return-value]

    def _check_writable(self) -> None:
        base = self if self._view is None else self._view.base
        is_leaf = base._requires_grad or (self._requires_grad and edge_of(self) is None)
        if is_leaf and recording.get():
            what = "a leaf Variable" if self._view is None else "a view of a leaf Variable"
            raise GraphError(
                f"{what} that requires grad is being used in an in-place operation ({self.name or 'a tensor'} of shape "
                f"{self._data.shape}); do it under no_grad()"
            )
        if not self._data.flags.writeable:
            raise GraphError(
                "more than one element of the written-to tensor refers to a single memory location (or its memory is "
                "read-only). Please clone() the tensor before performing the operation"
            )

    def _point_to(self, edge: Any) -> None:
        """Make `edge` this tensor's place in the graph; for a view, write it into the graph of its base."""
        if self._view is None:
            if self._retains and edge is not None:
                self._retain_at(edge)
            self._edge = edge
            return
        base, steps, _ = self._view
        node = self._record(index_set, (base, self._wrap(self._data, edge)), {"steps": steps}, (base,))
        base._edge = None if node is None else (node, 0)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._check_writable()
        parsed = parse_index(index, self._data.ndim)
        if parsed.view is not None and parsed.gather is not None:
            view = getitem(self, index=parsed.view)
            view[fill_in(parsed.gather, parsed.arrays)] = value
            return
        if not isinstance(value, ArrayLike):
            value = np.asarray(value).astype(self._data.dtype)
        elif value._data.dtype != self._data.dtype:
            value = to(value, dtype=self._data.dtype)
        node = None
        if parsed.gather is not None:
            place = fill_in(parsed.gather, tuple(np.asarray(array_of(a)) for a in parsed.arrays))
            op, inputs, attrs = index_put, (self, value, *parsed.arrays), {"index": parsed.gather}
        else:
            place = parsed.view or ()
            op, inputs, attrs = index_set, (self, value), {"steps": ((getitem, {"index": parsed.view}),)}
        room = self._data[place].ndim
        while value.ndim > room and value.shape[0] == 1:  # leading dims of size 1 that the place lacks
            value = reshape(value, shape=tuple(value.shape[1:]))
        if recording.get():
            node = self._record(op, (self, value, *inputs[2:]), attrs, (self,))
        assign(self._data, place, value._data if isinstance(value, ArrayLike) else value)
        self._storage.version += 1
        if node is not None:
            self._point_to((node, 0))


def _keep_overwritten(edge: Any, target: Writing) -> None:
    """Give the node that reads `target`'s memory, which is about to be overwritten, copies of what it saved there."""
    node = None if edge is None else edge[0]
    if node is not None and node.saved:
        node.saved = _replaced(node, lambda a, s, v: (a.copy(), None, 0) if s is target._storage else (a, s, v))


def _swap_saved(result: Tensor, target: Writing) -> None:
    """Let the node of an in-place op hold the written memory in place of the temporary result, which is then freed."""
    node, now = result._edge[0], (target._data, target._storage, target._storage.version)
    node.saved = _replaced(node, lambda a, s, v: now if a is result._data else (a, s, v))


def _replaced(node: Node, change: Callable[[Any, Any, int], tuple[Any, Any, int]]) -> tuple[Any, ...]:
    """Return what `node` holds with each array, storage and version as `change` gives it."""
    return tuple(part for _, *held_now in held(node) for part in change(*held_now))

"""A tensor's place in the graph: its edge, whether gradients flow to it, the gradient that came, and the hooks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from minigrad import graph
from minigrad.arraylike import ArrayLike
from minigrad.errors import DTypeError, GraphError, ShapeError
from minigrad.graph import Node, Op, recording
from minigrad.ops.index import Steps

if TYPE_CHECKING:
    from minigrad.tensor import Tensor


class View(NamedTuple):
    """How a tensor is seen in its base, and the base's edge when the tensor's own was last worked out."""

    base: Tensor
    steps: Steps
    seen: Any


def edge_of(x: Place) -> Any:
    """Return the edge of `x`, worked out anew if its base was written to since: None for a leaf."""
    view = x._view
    if view is not None and view.base._edge is not view.seen and view.base._edge is not None:
        source: Any = view.base
        previous = recording.get()
        recording.set(True)
        try:
            for op, attrs in view.steps:
                source = source._run(op, (source,), attrs)
        finally:
            recording.set(previous)
        if x._retains and source._edge is not None:
            x._retain_at(source._edge)
        x._edge = source._edge
        x._view = view._replace(seen=view.base._edge)
    return x._edge


class Place(ArrayLike):
    """The part of Tensor that is about the graph; Tensor itself says how an op is run and what a result is."""

    _edge: Any = None
    _view: View | None = None
    _requires_grad = False
    _grad: Tensor | None = None
    _hooks: list[Callable[[Tensor], Any]] | None = None
    _retains = False
    _run: Callable[[Op, tuple[Any, ...], dict[str, Any]], Any]
    _wrap: Callable[..., Tensor]

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor: it was asked for, or it was computed from one that requires grad."""
        return self._requires_grad or edge_of(self) is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set whether this leaf requires grad, and return it. Raises DTypeError for a dtype that is not a float's."""
        if requires_grad and self._data.dtype.kind != "f":
            raise DTypeError(
                f"only Tensors of floating point dtype can require gradients; this one is {self._data.dtype}: "
                "convert it first, with .float()"
            )
        is_leaf = edge_of(self) is None
        if not requires_grad and not is_leaf:
            raise GraphError("you can only change requires_grad flags of leaf variables; use detach() here")
        self._requires_grad = requires_grad and is_leaf
        return self

    @property
    def grad_fn(self) -> Node | None:
        """The node of the op that made this tensor; None for a leaf."""
        edge = edge_of(self)
        return None if edge is None else edge[0]

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded op made this tensor."""
        return edge_of(self) is None

    @property
    def grad(self) -> Tensor | None:
        """The gradient that `backward()` has accumulated here: of this tensor's shape and dtype, or None."""
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None and (value._data.shape != self._data.shape or value._data.dtype != self._data.dtype):
            raise ShapeError(
                f"assigned grad is {value._data.dtype} of shape {value._data.shape}, "
                f"the tensor {self._data.dtype} of shape {self._data.shape}: they must agree"
            )
        self._grad = value

    @property
    def data(self) -> Tensor:
        """The same memory outside the graph: writes to it are not recorded, but are seen by the saved-value check."""
        return self.detach()

    @data.setter
    def data(self, value: Tensor) -> None:
        if self._requires_grad and value._data.dtype.kind != "f":
            raise DTypeError(f"data of a tensor that requires grad must be floats, got {value._data.dtype}")
        self._storage.version += 1
        value._share()
        self._data, self._storage = value._data, value._storage

    def detach(self) -> Tensor:
        """Return a tensor on the same memory that no gradient flows through."""
        self._share()
        alias = self._wrap(self._data)
        alias._storage = self._storage
        if graph.observer is not None:
            graph.observer.detached(self, alias)
        return alias

    def _share(self) -> None:
        """Prepare for a second array on this memory: before the first, a result that a kernel laid out is put in order.

        Afterwards it stays as it is, so that a view of it is a view, as it would be in the layout the program sees.
        """
        if not self._storage.shared:
            if not self._data.flags.c_contiguous:
                self._data = np.ascontiguousarray(self._data)
            self._storage.shared = True

    def detach_(self) -> Self:
        """Cut this tensor out of the graph that made it, in place."""
        if self._view is not None:
            raise GraphError("Can't detach views in-place. Use detach() instead.")
        if graph.observer is not None:
            graph.observer.detached(self, self)
        self._edge, self._requires_grad = None, False
        return self

    def retain_grad(self) -> None:
        """Have `backward()` store the gradient of this tensor too, though it is not a leaf."""
        edge = edge_of(self)
        if edge is None:
            if not self._requires_grad:
                raise GraphError("can't retain_grad on Tensor that has requires_grad=False")
        elif not self._retains:
            self._retains = True
            self._retain_at(edge)

    def _retain_at(self, edge: Any) -> None:
        """Have the node that this tensor comes from now, and none that it came from before, store its gradient."""
        from minigrad.backward import Retain

        before = self._edge[0] if self._edge is not None else None
        if before is not None and before.hooks:
            before.hooks[:] = [(i, h) for i, h in before.hooks if not (isinstance(h, Retain) and h.tensor() is self)]
        node, index = edge
        node.hooks = node.hooks or []
        node.hooks.append((index, Retain(self)))  # type: ignore[arg-type]

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> Any:
        """Call `hook(gradient)` whenever the gradient of this tensor is complete; what it returns takes its place."""
        from minigrad.backward import Removable, Retain

        edge = edge_of(self)
        if edge is None:
            if not self._requires_grad:
                raise GraphError("cannot register a hook on a tensor that doesn't require gradient")
            self._hooks = self._hooks or []
            self._hooks.append(hook)
            return Removable(self._hooks, hook)
        node, index = edge
        node.hooks = node.hooks or []
        first_retain = next((k for k, (_, h) in enumerate(node.hooks) if isinstance(h, Retain)), len(node.hooks))
        node.hooks.insert(first_retain, (index, hook))
        return Removable(node.hooks, (index, hook))

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Add the gradient of this tensor with respect to every leaf it was computed from to the leaf's `.grad`.

        `gradient` weighs the elements and may only be left out for a single one. The arrays that were saved for this
        are released afterwards unless `retain_graph`; `create_graph` records the gradients themselves, for higher
        derivatives. With `inputs`, only their `.grad` is touched. Raises GraphError if there is nothing to
        differentiate, if the arrays were released already, or if one was changed in place since.
        """
        from minigrad.backward import accumulate_gradients

        this: Any = self
        only: Any = None if inputs is None else [inputs] if isinstance(inputs, ArrayLike) else list(inputs)
        accumulate_gradients([this], [gradient], retain_graph, create_graph, only)

    def explain(self, path: Any = None, **options: Any) -> Any:
        """Run `backward()` and return a page that plays it, step by step; see `minigrad.viz.explain`."""
        from minigrad import viz

        this: Any = self
        return viz.explain(this, path, **options)

"""The Tensor: an array, where it came from, and what may be done to it.

A tensor is an array (`_data`), the storage it lies in (shared by base, views and `detach()`, and counting the writes
to it), and an edge into the graph, `(node, index)`, if an op made it. `apply` computes and records an op; an in-place
operation writes the memory and points the tensor to a new node. All else here and in `methods/` is made of the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy import ndarray

from minigrad import dtypes, graph
from minigrad.arraylike import Size, array_from, sizes_of
from minigrad.dtypes import CATEGORY, Array
from minigrad.errors import DTypeError, GraphError, ShapeError
from minigrad.graph import Node, Op, held, recording, scope
from minigrad.indexing import parse_index
from minigrad.kernels.index import fill_in
from minigrad.kernels.quiet import again, quietly
from minigrad.methods import Methods
from minigrad.operands import assign, cast, constant, explained, is_uniform
from minigrad.ops import elementwise
from minigrad.ops.elementwise import to
from minigrad.ops.index import Steps, getitem, index_put, index_set
from minigrad.ops.shape import reshape


class Storage:
    """What base, views, `detach()` and `.data` share: how often the memory was written, and who else looks at it."""

    version = 0
    shared = False  # whether a second array looks at the memory
    foreign = False  # whether the memory came from outside, with strides its owner can know


_F32 = np.dtype(np.float32)
_NO_ATTRS: dict[str, Any] = {}  # shared by all nodes of elementwise ops
_blank: Callable[[type[Tensor]], Tensor] = object.__new__  # a tensor without the copy that Tensor(data) makes


class View(NamedTuple):
    """How a tensor is seen in its base, and the base's edge when the tensor's own was last worked out."""

    base: Tensor
    steps: Steps
    seen: Any


def apply(op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any]) -> Any:
    """Compute `op` on tensors, arrays and scalars; record it if one of them needs a gradient; return its outputs."""
    if op.is_elementwise and not attrs and isinstance(inputs[0], Tensor):
        result = (op.method or _method_of(op))(*inputs)
        if result is not NotImplemented:
            return result
    return _watched(op, inputs, op.defaults | attrs if op.defaults else attrs)


def _watched(op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any]) -> Any:
    """Run an op, with the observer around it if there is one."""
    for name, value in attrs.items():
        if isinstance(value, np.generic):  # a number of NumPy's would bring its dtype
            attrs = attrs | {name: value.item()}
    if graph.observer is None:
        return _run(op, inputs, attrs)
    return graph.observer.forward(op, inputs, attrs, lambda: _run(op, inputs, attrs))


def unary(op: Op) -> Callable[[Tensor], Any]:
    """Return the method that applies an elementwise op to a float tensor as `_run` would, without its general loops.

    With `binary` this is the only second path. A test holds what the two record equal to what `record` does.
    """

    def method(self: Tensor) -> Any:
        x = self._data
        kind = x.dtype
        if (kind is not _F32 and kind.kind != "f") or graph.observer is not None:
            return _watched(op, (self,), _NO_ATTRS)
        try:
            array = quietly.get()(op.forward, x)
        except RuntimeError as error:
            array = again(error, op.forward, (x,), {})
        if type(array) is not ndarray:
            array = np.asarray(array)
        result = _blank(Tensor)
        result._data, result._view = array, None  # what is read often is quicker found here than in the class
        result._storage = Storage()
        if recording.get():
            edge = self._edge if self._view is None else edge_of(self)
            if edge is None:
                if not self._requires_grad:
                    return result
                edge = self
            plan = op.plans.get(5) or op.plan(1, 1)
            if plan.wanted:
                facts = ((array.shape, kind),)
                saved = _SAVED[plan.kept](result, self, None) if plan.kept else ()
                result._edge = (Node(op, plan, (edge,), _NO_ATTRS, facts, saved, scope.get()), 0)
        return result

    return method


def binary(op: Op) -> Callable[[Tensor, Any], Any]:
    """Return the method that applies an elementwise op to a float tensor, and one of its dtype or a Python number."""

    def method(self: Tensor, b: Any) -> Any:
        x: Array = self._data
        y: Any
        kind = x.dtype
        if isinstance(b, Tensor):
            y = b._data
            if y.dtype is not kind:
                return _watched(op, (self, b), _NO_ATTRS)
        elif type(b) is float or type(b) is int:
            y = b
        elif isinstance(b, np.ndarray | np.generic | int):
            return _watched(op, (self, b), _NO_ATTRS)
        else:
            return NotImplemented
        if (kind is not _F32 and kind.kind != "f") or graph.observer is not None:
            return _watched(op, (self, b), _NO_ATTRS)
        try:
            array = quietly.get()(op.forward, x, y)
        except ValueError as error:
            raise explained(op, [x, y], error) from error
        except RuntimeError as error:
            array = again(error, op.forward, (x, y), {})
        if type(array) is not ndarray:
            array = np.asarray(array)
        result = _blank(Tensor)
        result._data, result._view = array, None  # what is read often is quicker found here than in the class
        result._storage = Storage()
        if recording.get():
            first, second, mask = self._edge if self._view is None else edge_of(self), b, 17
            if first is None:
                first = self
                if not self._requires_grad:
                    mask = 16
            if y is b:
                mask |= 8
            else:
                second = b._edge if b._view is None else edge_of(b)
                if second is not None:
                    mask |= 2
                elif b._requires_grad:
                    second = b
                    mask |= 2
                elif mask == 17:
                    second = constant(b)
            if not mask & 3:
                return result
            plan = op.plans.get(mask) or op.plan(2, mask & 3, mask >> 2 & 3)
            if plan.wanted:
                if mask == 18:
                    first = constant(self)
                facts = ((array.shape, kind),)
                saved = _SAVED[plan.kept](result, self, b) if plan.kept else ()
                result._edge = (Node(op, plan, (first, second), _NO_ATTRS, facts, saved, scope.get()), 0)
        return result

    return method


def _method_of(op: Op) -> Callable[..., Any]:
    op.method = unary(op) if len(op.inputs) == 1 else binary(op)
    return op.method


class Tensor(Methods):
    """A multi-dimensional array that records the operations applied to it, so that gradients can flow back.

    `Tensor(data)` makes float32, as in PyTorch, and `Tensor(2, 3)` zeros of that shape; `minigrad.tensor(data)` goes by
    its data.

    >>> import minigrad as mg
    >>> x = mg.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    _data: Array
    _storage: Storage
    _edge: Any = None
    _view: View | None = None
    _requires_grad = False
    _grad: Tensor | None = None
    _hooks: list[Callable[[Tensor], Any]] | None = None
    _retains = False
    name: str | None = None
    """What drawings and messages call this tensor; a module's parameters get their dotted path there."""

    __hash__ = object.__hash__

    def __init__(self, *data: Any, dtype: Any = None) -> None:
        kind = dtypes.chosen(dtype)
        is_shape = len(data) != 1 or isinstance(data[0], int | Size)
        self._data = np.zeros(sizes_of(data or (0,)), kind) if is_shape else np.array(array_from(data[0]), kind)
        self._storage = Storage()

    # --- its place in the graph ---

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor: it was asked for, or it was computed from one that requires grad."""
        return self._requires_grad or edge_of(self) is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
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
        alias = wrap(self._data)
        alias._storage = self._storage
        return alias

    def _share(self) -> None:
        """Prepare for a second array on this memory: before the first, a result that a kernel laid out is put in order.

        Afterwards it stays as it is, so that a view of it is a view, as it would be in the layout the program sees.
        """
        if not self._storage.shared:
            if not self._data.flags.c_contiguous:
                self._data = np.ascontiguousarray(self._data)
            self._storage.shared = True

    def detach_(self) -> Tensor:
        """Cut this tensor out of the graph that made it, in place."""
        if self._view is not None:
            raise GraphError("Can't detach views in-place. Use detach() instead.")
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
        node.hooks.append((index, Retain(self)))

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

        only = None if inputs is None else [inputs] if isinstance(inputs, Tensor) else list(inputs)
        accumulate_gradients([self], [gradient], retain_graph, create_graph, only)

    # --- operators ---

    __add__ = __radd__ = binary(elementwise.add)
    __sub__ = binary(elementwise.sub)
    __mul__ = __rmul__ = binary(elementwise.mul)
    __truediv__ = binary(elementwise.div)

    # --- in place ---

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
        return self

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
        node = record(index_set, (base, wrap(self._data, edge)), {"steps": steps}, (base,))
        base._edge = None if node is None else (node, 0)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._check_writable()
        parsed = parse_index(index, self._data.ndim)
        if parsed.view is not None and parsed.gather is not None:
            view = getitem(self, index=parsed.view)
            view[fill_in(parsed.gather, parsed.arrays)] = value
            return
        if not isinstance(value, Tensor):
            value = np.asarray(value).astype(self._data.dtype)
        elif value._data.dtype != self._data.dtype:
            value = to(value, dtype=self._data.dtype)
        node = None
        if parsed.gather is not None:
            place = fill_in(parsed.gather, tuple(np.asarray(getattr(a, "_data", a)) for a in parsed.arrays))
            op, inputs, attrs = index_put, (self, value, *parsed.arrays), {"index": parsed.gather}
        else:
            place = parsed.view or ()
            op, inputs, attrs = index_set, (self, value), {"steps": ((getitem, {"index": parsed.view}),)}
        room = self._data[place].ndim
        while value.ndim > room and value.shape[0] == 1:  # leading dims of size 1 that the place lacks
            value = reshape(value, shape=tuple(value.shape[1:]))
        if recording.get():
            node = record(op, (self, value, *inputs[2:]), attrs, (self,))
        assign(self._data, place, value._data if isinstance(value, Tensor) else value)
        self._storage.version += 1
        if node is not None:
            self._point_to((node, 0))

    # --- recording ---

    _apply = staticmethod(apply)

    def _unary(self, op: Op) -> Any:
        return (op.method or _method_of(op))(self)

    def _facts(self) -> tuple[tuple[int, ...], Any]:
        return self._data.shape, self._data.dtype


# What a node of an elementwise op saves of its output y and its operands a and b, by `Plan.kept`: for each the array,
# its storage, and the version of that, which is 0 for a new output.
_SAVED: tuple[Callable[[Any, Any, Any], tuple[Any, ...]], ...] = (
    lambda y, a, b: (),
    lambda y, a, b: (y._data, y._storage, 0),
    lambda y, a, b: (a._data, a._storage, a._storage.version),
    lambda y, a, b: (y._data, y._storage, 0, a._data, a._storage, a._storage.version),
    lambda y, a, b: (b._data, b._storage, b._storage.version),
    lambda y, a, b: (y._data, y._storage, 0, b._data, b._storage, b._storage.version),
    lambda y, a, b: (a._data, a._storage, a._storage.version, b._data, b._storage, b._storage.version),
    lambda y, a, b: (*_SAVED[1](y, a, b), *_SAVED[6](y, a, b)),
)


def wrap(array: Any, edge: Any = None) -> Tensor:
    """Return a tensor on `array` with the place in the graph that `edge` names; a leaf's edge is the leaf itself."""
    if edge is not None:
        if isinstance(edge, Tensor):
            return edge
        if type(edge) is not tuple:
            edge = None
    tensor = _blank(Tensor)
    tensor._data = array if type(array) is np.ndarray else np.asarray(array)
    tensor._view, tensor._edge, tensor._requires_grad = None, edge, False
    tensor._storage = Storage()
    return tensor


def edge_of(x: Tensor) -> Any:
    """Return the edge of `x`, worked out anew if its base was written to since: None for a leaf."""
    view = x._view
    if view is not None and view.base._edge is not view.seen and view.base._edge is not None:
        source = view.base
        previous = recording.get()
        recording.set(True)
        try:
            for op, attrs in view.steps:
                source = _run(op, (source,), attrs)
        finally:
            recording.set(previous)
        if x._retains and source._edge is not None:
            x._retain_at(source._edge)
        x._edge = source._edge
        x._view = view._replace(seen=view.base._edge)
    return x._edge


def _run(op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any]) -> Any:
    arrays = [x._data if isinstance(x, Tensor) else x for x in inputs]
    if op.casts is not None and not is_uniform(arrays, op.cast_from):
        inputs = cast(op, inputs)
        arrays = [x._data if isinstance(x, Tensor) else x for x in inputs]
    try:
        computed = quietly.get()(op.forward, *arrays, **attrs)
    except (ValueError, IndexError, TypeError) as error:
        raise explained(op, arrays, error) from error
    except RuntimeError as error:
        computed = again(error, op.forward, arrays, attrs)
    if type(computed) is tuple:
        results = tuple(map(wrap, computed))
        node = record(op, inputs, attrs, results) if recording.get() else None
        for i, result in enumerate(results):
            if node is not None and result._data.dtype.kind == "f":
                result._edge = (node, i)
        return results
    result = wrap(computed)
    if op.view is not None and isinstance(inputs[0], Tensor) and len(inputs) == 1:  # index arrays make no view
        _note_view(result, inputs[0], op, attrs)
    if recording.get() and result._data.dtype.kind == "f":
        node = record(op, inputs, attrs, (result,))
        if node is not None:
            result._edge = (node, 0)
    return result


def record(op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], results: tuple[Tensor, ...]) -> Node | None:
    """Return the node of this application of `op`, or None if no input that has a rule needs a gradient."""
    mask, numbers, bit, edges = 0, 0, 1, []
    for x in inputs:
        edge = x
        if isinstance(x, Tensor):
            edge = x._edge if x._view is None else edge_of(x)
            if edge is not None:
                mask |= bit
            else:
                edge = x
                if x._requires_grad:
                    mask |= bit
        elif type(x) is float or type(x) is int:
            numbers |= bit
        edges.append(edge)
        bit <<= 1
    if not mask:
        return None
    plan = op.plan(len(edges), mask, numbers)
    if not plan.wanted:
        return None
    saved: list[Any] = []
    for is_output, position in plan.places:
        x = results[position] if is_output else inputs[position]
        if isinstance(x, Tensor):
            storage = x._storage
            saved += (x._data, storage, storage.version)
        else:
            saved += (x, None, 0)
    if mask != bit - 1:
        edges = [constant(edge) for edge in edges]
    first = results[0]._data
    facts: Any = ((first.shape, first.dtype),)
    if len(results) > 1:
        facts = tuple([(r._data.shape, r._data.dtype) for r in results])
    return Node(op, plan, tuple(edges), attrs, facts, tuple(saved), scope.get())


def _note_view(result: Tensor, source: Tensor, op: Op, attrs: dict[str, Any]) -> None:
    """If `result` shares the memory of `source`, or could in the layout the program sees, make it a view of it."""
    shares = not result._data.size or np.may_share_memory(result._data, source._data)
    if not source._storage.shared and (shares or op.view == "dense"):
        before = source._data
        source._share()
        if source._data is not before:
            result._data = op.forward(source._data, **attrs)
            shares = True
    if shares:
        base, steps = (source, ()) if source._view is None else source._view[:2]
        source._storage.shared = True
        result._storage = source._storage
        result._view = View(base, (*steps, (op, attrs)), base._edge)


def _keep_overwritten(edge: Any, target: Tensor) -> None:
    """Give the node that reads `target`'s memory, which is about to be overwritten, copies of what it saved there."""
    node = None if edge is None else edge[0]
    if node is not None and node.saved:
        node.saved = _replaced(node, lambda a, s, v: (a.copy(), None, 0) if s is target._storage else (a, s, v))


def _swap_saved(result: Tensor, target: Tensor) -> None:
    """Let the node of an in-place op hold the written memory in place of the temporary result, which is then freed."""
    node, now = result._edge[0], (target._data, target._storage, target._storage.version)
    node.saved = _replaced(node, lambda a, s, v: now if a is result._data else (a, s, v))


def _replaced(node: Node, change: Callable[[Any, Any, int], tuple[Any, Any, int]]) -> tuple[Any, ...]:
    """Return what `node` holds with each array, storage and version as `change` gives it."""
    return tuple(part for _, *held_now in held(node) for part in change(*held_now))

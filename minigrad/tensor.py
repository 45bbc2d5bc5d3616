"""The Tensor, and what happens when an op is applied to one.

A tensor is an array (`_data`), the storage it lies in (shared by base, views and `detach()`, and counting the writes
to it), and an edge into the graph, `(node, index)`, if an op made it. `apply` computes and records an op. The rest is
in `methods/`: the place in the graph (`place`), writing (`writing`), and methods that are a call of an op each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad import dtypes, graph
from minigrad.arraylike import Size, array_from, sizes_of
from minigrad.dtypes import Array
from minigrad.graph import Node, Op, recording, scope
from minigrad.kernels.quiet import again, quietly
from minigrad.methods import Methods
from minigrad.methods.place import View, edge_of
from minigrad.operands import cast, constant, explained, is_uniform
from minigrad.ops import elementwise
from minigrad.plans import FIRST, OPERAND, OUTPUT, SECOND, plan_key


class Storage:
    """What base, views, `detach()` and `.data` share: how often the memory was written, and who else looks at it."""

    version = 0
    shared = False  # whether a second array looks at the memory
    foreign = False  # whether the memory came from outside, with strides its owner can know


_F32 = np.dtype(np.float32)
_ONE = plan_key(1, FIRST)
_NONE_OF_TWO, _FIRST_OF_TWO, _SECOND_OF_TWO = plan_key(2, 0), plan_key(2, FIRST), plan_key(2, SECOND)
_NUMBER_SECOND, _NEEDED = plan_key(2, 0, numbers=SECOND), FIRST | SECOND
_NO_ATTRS: dict[str, Any] = {}  # shared by all nodes of elementwise ops
_blank: Callable[[type[Tensor]], Tensor] = object.__new__  # a tensor without the copy that Tensor(data) makes


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


def _run(op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any]) -> Any:
    if op.view == "dense" and isinstance(inputs[0], Tensor):
        inputs[0]._share()
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
    plan = op.plans[(bit | numbers) * bit | mask]  # `plan_key`, as `bit` now is 1 << len(edges)
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
    """If `result` shares the memory of `source`, make it a view of it, in the layout the program sees."""
    if not result._data.size or np.may_share_memory(result._data, source._data):
        before = source._data
        source._share()
        if source._data is not before:
            result._data = op.forward(source._data, **attrs)
        base, steps = (source, ()) if source._view is None else source._view[:2]
        source._storage.shared = True
        result._storage = source._storage
        result._view = View(base, (*steps, (op, attrs)), base._edge)


# What a node of an elementwise op saves of its output y and its operands a and b: for each the array, its storage, and
# the version of that, which is 0 for a new output. The place in the tuple is `Plan.kept`.
_Y, _A, _B = OUTPUT, OPERAND, OPERAND << 1
_SAVERS: dict[int, Callable[[Any, Any, Any], tuple[Any, ...]]] = {
    0: lambda y, a, b: (),
    _Y: lambda y, a, b: (y._data, y._storage, 0),
    _A: lambda y, a, b: (a._data, a._storage, a._storage.version),
    _B: lambda y, a, b: (b._data, b._storage, b._storage.version),
    _Y + _A: lambda y, a, b: (y._data, y._storage, 0, a._data, a._storage, a._storage.version),
    _Y + _B: lambda y, a, b: (y._data, y._storage, 0, b._data, b._storage, b._storage.version),
    _A + _B: lambda y, a, b: (a._data, a._storage, a._storage.version, b._data, b._storage, b._storage.version),
    _Y + _A + _B: lambda y, a, b: (*_SAVERS[_Y](y, a, b), *_SAVERS[_A + _B](y, a, b)),
}
_SAVED = tuple(_SAVERS[kept] for kept in range(8))  # a tuple is read quicker


def unary(op: Op) -> Callable[[Tensor], Any]:
    """Return the method that applies an elementwise op to a float tensor as `_run` would, without its general loops.

    With `binary` this is the only second path. A test holds what the two record equal to what `record` does.
    """
    forward, plans, known = op.forward, op.plans, op.plans.get  # `plans[key]` makes what is not known

    def method(self: Tensor) -> Any:
        x = self._data
        kind = x.dtype
        if (kind is not _F32 and kind.kind != "f") or graph.observer is not None:
            return _watched(op, (self,), _NO_ATTRS)
        try:
            array = quietly.get()(forward, x)
        except RuntimeError as error:
            array = again(error, forward, (x,), {})
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
            plan = known(_ONE) or plans[_ONE]
            if plan.wanted:
                facts = ((array.shape, kind),)
                saved = _SAVED[plan.kept](result, self, None) if plan.kept else ()
                result._edge = (Node(op, plan, (edge,), _NO_ATTRS, facts, saved, scope.get()), 0)
        return result

    return method


def binary(op: Op) -> Callable[[Tensor, Any], Any]:
    """Return the method that applies an elementwise op to a float tensor, and one of its dtype or a Python number.

    It is as `unary` makes it, and written out in one piece because each call saved is a twentieth of its time.
    """
    forward, plans, known = op.forward, op.plans, op.plans.get  # `plans[key]` makes what is not known

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
            array = quietly.get()(forward, x, y)
        except ValueError as error:
            raise explained(op, [x, y], error) from error
        except RuntimeError as error:
            array = again(error, forward, (x, y), {})
        if type(array) is not ndarray:
            array = np.asarray(array)
        result = _blank(Tensor)
        result._data, result._view = array, None  # what is read often is quicker found here than in the class
        result._storage = Storage()
        if recording.get():
            first, second, key = self._edge if self._view is None else edge_of(self), b, _FIRST_OF_TWO
            if first is None:
                first = self
                if not self._requires_grad:
                    key = _NONE_OF_TWO
            if y is b:
                key |= _NUMBER_SECOND
            else:
                second = b._edge if b._view is None else edge_of(b)
                if second is not None:
                    key |= SECOND
                elif b._requires_grad:
                    second = b
                    key |= SECOND
                elif key == _FIRST_OF_TWO:
                    second = constant(b)
            if not key & _NEEDED:
                return result
            plan = known(key) or plans[key]
            if plan.wanted:
                if key == _SECOND_OF_TWO:
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
    name: str | None = None
    """What drawings and messages call this tensor; a module's parameters get their dotted path there."""

    __hash__ = object.__hash__

    def __init__(self, *data: Any, dtype: Any = None) -> None:
        kind = dtypes.chosen(dtype)
        is_shape = len(data) != 1 or isinstance(data[0], int | Size)
        self._data = np.zeros(sizes_of(data or (0,)), kind) if is_shape else np.array(array_from(data[0]), kind)
        self._storage = Storage()

    # How the methods of `methods/`, which stand below this class, compute, record and make tensors.
    _apply = staticmethod(apply)
    _run = staticmethod(_run)
    _record = staticmethod(record)
    _wrap = staticmethod(wrap)

    __add__ = __radd__ = binary(elementwise.add)
    __sub__ = binary(elementwise.sub)
    __mul__ = __rmul__ = binary(elementwise.mul)
    __truediv__ = binary(elementwise.div)

    def _unary(self, op: Op) -> Any:
        return (op.method or _method_of(op))(self)

    def _facts(self) -> tuple[tuple[int, ...], Any]:
        return self._data.shape, self._data.dtype

"""Functions that return derivatives of functions; they may be applied to one another, to any order.

A derivative is taken by calling the function on watched copies of its arguments. What it returns keeps a graph only
if something beyond these copies is being differentiated by: an argument that requires grad already, as it does inside
another derivative, or a tensor that the function has from elsewhere. The copies that an inner derivative watched, and
is done with, do not count.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.autograd.functional import gradients, jacobian_of, or_zeros, push
from minigrad.autograd.grad_mode import enable_grad, is_grad_enabled
from minigrad.errors import ArgumentError, DTypeError, GraphError, ShapeError
from minigrad.func.tree import leaves, rebuilt
from minigrad.methods.place import edge_of
from minigrad.tensor import Tensor

Argnums = int | tuple[int, ...]
F = Callable[..., Any]


def grad(func: F, argnums: Argnums = 0, has_aux: bool = False) -> F:
    """Return the function that computes the gradient of `func`, a single number, by its argument(s) `argnums`.

    With `has_aux`, `func` returns a pair of the number and anything else, and so does the result of the gradient.

    >>> import minigrad as mg
    >>> grad(grad(lambda x: x**3))(mg.tensor(2.0))
    tensor(12.)
    """

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        found, value = grad_and_value(func, argnums, has_aux)(*args, **kwargs)
        return (found, value[1]) if has_aux else found

    return gradient


def grad_and_value(func: F, argnums: Argnums = 0, has_aux: bool = False) -> F:
    """Return the function that computes the gradient of `func`, as `grad` does, and its value: (gradient, value)."""

    @functools.wraps(func)
    def both(*args: Any, **kwargs: Any) -> Any:
        call = _TreeCall(func, args, kwargs, argnums, has_aux)
        if not isinstance(call.output, Tensor) or call.output.ndim:
            got = f"shape {tuple(call.output.shape)}" if isinstance(call.output, Tensor) else type(call.output).__name__
            raise GraphError(f"Expected f(*args) to return a scalar tensor, got {got}")
        found = call.pulled(call.outputs, None)
        value = call.kept(call.output)
        return call.by_argument(found), (value, call.kept(call.aux)) if has_aux else value

    return both


def vjp(func: F, *primals: Any, has_aux: bool = False) -> Any:
    """Return `func(*primals)` and the function that takes weights of its form to gradients, one for each argument.

    >>> import minigrad as mg
    >>> y, back = vjp(lambda x: x * 2, mg.ones(2))
    >>> y, back(mg.tensor([1.0, 10.0]))
    (tensor([2., 2.]), (tensor([ 2., 20.]),))
    """
    call = _TreeCall(func, primals, {}, tuple(range(len(primals))), has_aux)

    def back(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        weights = leaves(cotangents)
        _check_form(weights, call.outputs, "vjp: the weights and the outputs")
        also = is_grad_enabled() and any(w.requires_grad for w in weights) if create_graph is None else create_graph
        return call.by_argument(call.pulled(call.outputs, weights, retain_graph, also))

    output = call.kept(call.output)
    return (output, back, call.kept(call.aux)) if has_aux else (output, back)


def jvp(func: F, primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """Return `func(*primals)` and its derivative as the arguments move by `tangents`: computed by going back twice.

    >>> import minigrad as mg
    >>> jvp(lambda x: x.sin(), (mg.zeros(2),), (mg.tensor([1.0, 2.0]),))
    (tensor([0., 0.]), tensor([1., 2.]))
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise DTypeError("jvp(func, primals, tangents): Expected primals and tangents to be tuples")
    call = _TreeCall(func, primals, {}, tuple(range(len(primals))), has_aux)
    directions = leaves(tangents)
    _check_form(directions, call.watched, "jvp: primals and tangents")
    keep = call.keeps_graph or (is_grad_enabled() and any(t.requires_grad for t in directions))
    found = push(call.outputs, call.watched, directions, keep, strict)
    result = call.kept(call.output), rebuilt(call.output, iter(or_zeros(found, call.outputs)))
    return (*result, call.kept(call.aux)) if has_aux else result


def jacrev(func: F, argnums: Argnums = 0, *, has_aux: bool = False, chunk_size: int | None = None) -> F:
    """Return the function that computes the Jacobian of `func` by its argument(s) `argnums`.

    Each is of shape output.shape + argument.shape, found by one backward sweep per element of the output, whatever
    `chunk_size` says.

    >>> import minigrad as mg
    >>> jacrev(lambda x: x**2)(mg.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        call = _TreeCall(func, args, kwargs, argnums, has_aux)
        blocks = [jacobian_of(i, y, call.watched, call.keeps_graph) for i, y in enumerate(call.outputs)]
        result = rebuilt(call.output, iter([call.by_argument(block) for block in blocks]))
        return (result, call.kept(call.aux)) if has_aux else result

    return jacobian


def jacfwd(func: F, argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error") -> F:
    """Return what `jacrev` returns: there is no forward mode here, and the Jacobian is the same either way."""
    return jacrev(func, argnums, has_aux=has_aux)


def hessian(func: F, argnums: Argnums = 0) -> F:
    """Return the function that computes the second derivatives of `func` by its argument(s) `argnums`.

    >>> import minigrad as mg
    >>> hessian(lambda x: x.prod())(mg.tensor([2.0, 3.0]))
    tensor([[0., 1.],
            [1., 0.]])
    """
    return jacfwd(jacrev(func, argnums), argnums)


class Watched(Tensor):
    """A copy of an argument, a leaf, that a derivative is taken by until it is `done`."""

    def __init__(self, source: Tensor) -> None:
        alias = source.detach().requires_grad_()
        self._data, self._storage, self._requires_grad = alias._data, alias._storage, True
        self.done = False


class _TreeCall:
    """One call of a function on watched copies of some of its arguments, which are trees of tensors."""

    def __init__(self, func: F, args: tuple[Any, ...], kwargs: dict[str, Any], argnums: Argnums, aux: bool) -> None:
        self.recorded = is_grad_enabled()
        self.only = None if isinstance(argnums, tuple) else 0
        places = _places(argnums, len(args))
        self.arguments = [args[n] for n in places]
        self.watched = tuple(_watched(x, self.recorded) for x in leaves(self.arguments))
        copies = dict(zip(places, rebuilt(self.arguments, iter(self.watched)), strict=True))
        with enable_grad():
            returned = func(*(copies.get(i, x) for i, x in enumerate(args)), **kwargs)
        self.output: Any
        self.aux: Any
        self.output, self.aux = _with_aux(returned) if aux else (returned, None)
        self.outputs = tuple(_checked(y) for y in leaves(self.output))
        for x in self.watched:
            if isinstance(x, Watched):
                x.done = True
        self.keeps_graph = self.recorded and reaches_beyond(self.outputs)

    def pulled(
        self, outputs: Sequence[Tensor], weights: Sequence[Tensor] | None, retain: bool = False, also: bool = False
    ) -> tuple[Tensor, ...]:
        """Return the gradient by each watched tensor, zeros where there is none."""
        keep = self.keeps_graph or also
        found = gradients(outputs, self.watched, weights, keep, True if retain or keep else None)
        return or_zeros(found, self.watched)

    def by_argument(self, found: Sequence[Tensor]) -> Any:
        """Return what belongs to the watched tensors in the form of the arguments they were in."""
        result = rebuilt(self.arguments, iter(found))
        return tuple(result) if self.only is None else result[0]

    def kept(self, tree: Any) -> Any:
        """Return a tree whose tensors have a graph only if it leads beyond the watched copies."""

        def one(x: Any) -> Any:
            if not isinstance(x, Tensor) or (self.recorded and reaches_beyond((x,))):
                return x
            return x.detach()

        return rebuilt(tree, iter([one(x) for x in leaves(tree)]))


def _places(argnums: Argnums, count: int) -> list[int]:
    """Return which of `count` arguments are meant. Raises ArgumentError for one that there is not."""
    numbers = argnums if isinstance(argnums, tuple) else (argnums,)
    for n in numbers:
        if not -count <= n < count:
            raise ArgumentError(f"Got argnum={n}, but only {count} positional inputs")
    return [n % count for n in numbers]


def _with_aux(returned: Any) -> tuple[Any, Any]:
    if not (isinstance(returned, tuple) and len(returned) == 2):
        raise ArgumentError("a function with has_aux=True returns a pair (output, aux)")
    return returned


def _checked(output: Any) -> Tensor:
    if not isinstance(output, Tensor):
        raise DTypeError(f"Expected the function to return tensors, got {type(output).__name__}")
    return output


def _check_form(given: Sequence[Any], wanted: Sequence[Tensor], what: str) -> None:
    shapes = [[tuple(getattr(x, "shape", ())) for x in xs] for xs in (given, wanted)]
    if shapes[0] != shapes[1]:
        raise ShapeError(f"{what} must have the same form and shapes, got {shapes[0]} and {shapes[1]}")


def _watched(x: Tensor, connected: bool) -> Tensor:
    """Return a copy to differentiate by, which is part of the graph of `x` if that is being recorded."""
    return x.view_as(x) if connected and x.requires_grad else Watched(x)


def reaches_beyond(tensors: Sequence[Tensor]) -> bool:
    """Return whether the graph of `tensors` leads to a leaf that requires grad and is still differentiated by."""
    edges: list[Any] = [edge_of(x) or (x if x.requires_grad else None) for x in tensors]
    seen: set[int] = set()
    while edges:
        edge = edges.pop()
        if isinstance(edge, Tensor):
            if not (isinstance(edge, Watched) and edge.done):
                return True
        elif type(edge) is tuple and id(edge[0]) not in seen:
            seen.add(id(edge[0]))
            edges += edge[0].edges
    return False

"""Derivatives of functions as functions: Jacobians, Hessians, and their products with vectors.

Each takes a function of tensors and a tensor or a tuple of tensors to call it with, and returns what belongs to them in
the same form. `create_graph` returns results that can be differentiated themselves; `strict` raises GraphError where a
result does not depend on an input, instead of giving zeros there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minigrad.autograd.derivatives import grad
from minigrad.autograd.grad_mode import enable_grad, is_grad_enabled, set_grad_enabled
from minigrad.creation import zeros_like
from minigrad.errors import ArgumentError, DTypeError, GraphError, ShapeError
from minigrad.ops.shape import stack
from minigrad.tensor import Tensor

Tensors = tuple[Tensor, ...]
_STRICT = "This is not allowed in strict mode."


def vjp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """Return (outputs, v^T J): the value of `func`, and its Jacobian times `v`, which has the shapes of the outputs.

    `v` may be left out for a single element.

    >>> import minigrad as mg
    >>> vjp(lambda x: x**2, mg.tensor([1.0, 2.0]), mg.tensor([1.0, 1.0]))
    (tensor([1., 4.]), tensor([2., 4.]))
    """
    call = _TupleCall("vjp", func, inputs, create_graph, strict)
    weights = call.vector(v, call.outputs, call.many_outputs, "the user-provided function returns")
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = gradients(call.outputs, call.inputs, weights, create_graph)
    product = call.filled(found, call.inputs, "The output of the user-provided function is independent of input {}.")
    return call.returned(call.outputs, call.many_outputs), call.returned(product, call.many_inputs)


def jvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """Return (outputs, J v): the value of `func`, and its Jacobian times `v`, which has the shapes of the inputs.

    It is computed by going backwards twice: v^T J is linear in v, and its derivative is J.

    >>> import minigrad as mg
    >>> jvp(lambda x: x.sum() * x, mg.tensor([1.0, 2.0]), mg.tensor([1.0, 0.0]))
    (tensor([3., 6.]), tensor([4., 2.]))
    """
    call = _TupleCall("jvp", func, inputs, create_graph, strict)
    direction = call.vector(v, call.inputs, call.many_inputs, "the input to the user-provided function is")
    found = push(call.outputs, call.inputs, direction, create_graph, strict)
    message = "The gradient with respect to the input is independent of entry {} in the grad_outputs."
    product = call.filled(found, call.outputs, message)
    return call.returned(call.outputs, call.many_outputs), call.returned(product, call.many_outputs)


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """Return the Jacobian of `func`, of shape output.shape + input.shape, one backward sweep per element of the output.

    For several outputs and inputs it is a tuple (by output) of tuples (by input). `vectorize` and `strategy` name ways
    of computing it that PyTorch has; the result does not depend on them.

    >>> import minigrad as mg
    >>> jacobian(lambda x: x.exp(), mg.zeros(2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise ArgumentError('Expected strategy to be either "forward-mode" or "reverse-mode".')
    call = _TupleCall("jacobian", func, inputs, create_graph, strict)
    rows = [jacobian_of(i, y, call.inputs, create_graph, strict) for i, y in enumerate(call.outputs)]
    by_output = [call.returned(row, call.many_inputs) for row in rows]
    return tuple(by_output) if call.many_outputs else by_output[0]


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """Return the second derivatives of `func`, which returns a single element: a tensor, or a tuple of tuples.

    >>> import minigrad as mg
    >>> hessian(lambda x: (x**3).sum(), mg.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    many, _ = _tuple(inputs, "inputs", "hessian")

    def slopes(*xs: Tensor) -> Tensors:
        def single(*again: Tensor) -> Tensor:
            return _single(func(*again), "hessian").reshape(())

        found: Tensors = jacobian(single, xs, create_graph=True, strict=strict)
        return found

    blocks = jacobian(slopes, inputs, create_graph, strict, vectorize, outer_jacobian_strategy)
    return blocks if many else blocks[0]


def hvp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """Return (output, H v): the value of `func`, a single element, and its Hessian times `v`."""
    return _hessian_product("hvp", func, inputs, v, create_graph, strict)


def vhp(func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> Any:
    """Return (output, v^T H): the value of `func`, a single element, and `v` times its Hessian."""
    return _hessian_product("vhp", func, inputs, v, create_graph, strict)


def _hessian_product(name: str, func: Callable[..., Any], inputs: Any, v: Any, create_graph: bool, strict: bool) -> Any:
    """Return the value and the derivative of the gradient's product with v: a Hessian is symmetric."""
    call = _TupleCall(name, func, inputs, create_graph, strict)
    direction = call.vector(v, call.inputs, call.many_inputs, "the input to the user-provided function is")
    output = _single(call.outputs if call.many_outputs else call.outputs[0], name)
    with enable_grad():
        slopes = gradients((output,), call.inputs, None, create_graph=True)
        _check_dependence(slopes, strict, "The jacobian of the user-provided function is independent of input {}.")
    with set_grad_enabled(create_graph or is_grad_enabled()):
        found = gradients(slopes, call.inputs, direction, create_graph)
    message = "The jacobian of the user-provided function is independent of input {}."
    product = call.filled(found, call.inputs, message)
    return call.returned((output,), False), call.returned(product, call.many_inputs)


class _TupleCall:
    """One call of a function on a tensor or a tuple of tensors, watched: what went in and came out, in which form."""

    def __init__(self, name: str, func: Callable[..., Any], inputs: Any, create_graph: bool, strict: bool) -> None:
        self.name, self.create_graph, self.strict = name, create_graph, strict
        with enable_grad():
            self.many_inputs, given = _tuple(inputs, "inputs", name)
            self.inputs = tuple(watched(x, create_graph) for x in given)
            what = "outputs of the user-provided function"
            self.many_outputs, self.outputs = _tuple(func(*self.inputs), what, name)
        message = "Output {} of the user-provided function does not require gradients."
        _check_dependence(self.outputs, strict, message)

    def vector(self, v: Any, like: Tensors, many: bool, whose: str) -> Sequence[Tensor | None]:
        """Return `v` as a tuple of tensors shaped as `like`, or None where it was left out for a single element."""
        if v is None:
            if len(like) != 1 or like[0].numel() != 1:
                raise GraphError(f"The vector v can only be None if {whose} a single Tensor with a single element.")
            return (None,)
        _, given = _tuple(v, "v", self.name)
        if len(given) != len(like):
            wanted = f"v is a tuple of invalid length: should be {len(like)} but got {len(given)}."
            raise ShapeError(wanted if many else "The given v should contain a single Tensor.")
        for i, (x, other) in enumerate(zip(given, like, strict=True)):
            if x.shape != other.shape:
                raise ShapeError(
                    f"{f'Entry {i} in ' if many else ''}v has invalid size: should be {other.shape} but got {x.shape}."
                )
        return [x if self.create_graph else x.detach() for x in given]

    def filled(self, found: Sequence[Tensor | None], like: Tensors, message: str) -> Tensors:
        """Return gradients with zeros for those there are not, which `strict` refuses."""
        _check_dependence(found, self.strict, message, need_graph=self.create_graph)
        return or_zeros(found, like)

    def returned(self, tensors: Sequence[Tensor], many: bool) -> Any:
        """Return tensors in the form they have outside, and without a graph that was not asked for."""
        outside = tuple(x if self.create_graph else x.detach() for x in tensors)
        return outside if many else outside[0]


def _tuple(x: Any, what: str, name: str) -> tuple[bool, Tensors]:
    """Return whether `x` is a tuple, and `x` as one. Raises DTypeError for what is no tensor."""
    many, parts = isinstance(x, tuple), x if isinstance(x, tuple) else (x,)
    for i, part in enumerate(parts):
        if not isinstance(part, Tensor):
            which = f"value at index {i}" if many else f"given {what}"
            raise DTypeError(
                f"The {what} given to {name} must be either a Tensor or a tuple of Tensors but the {which} has type "
                f"{type(part)}."
            )
    return many, parts


def _single(output: Any, name: str) -> Tensor:
    if not isinstance(output, Tensor):
        raise GraphError(f"The function given to {name} should return a single Tensor")
    if output.numel() != 1:
        raise GraphError(
            f"The Tensor returned by the function given to {name} should contain a single element, got shape "
            f"{tuple(output.shape)}"
        )
    return output


def _check_dependence(xs: Sequence[Tensor | None], strict: bool, message: str, need_graph: bool = True) -> None:
    """Raise GraphError, if `strict`, for a tensor that is not there or has no graph."""
    for i, x in enumerate(xs if strict else ()):
        if x is None or (need_graph and not x.requires_grad):
            raise GraphError(f"{message.format(i)} {_STRICT}")


def watched(x: Tensor, connected: bool) -> Tensor:
    """Return a tensor with the value of `x` to differentiate by; gradients also reach `x` itself if `connected`."""
    return x.view_as(x) if connected and x.requires_grad else x.detach().requires_grad_()


def gradients(
    outputs: Sequence[Tensor | None],
    inputs: Tensors,
    weights: Sequence[Tensor | None] | None,
    create_graph: bool,
    retain_graph: bool | None = None,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of those outputs that depend on something, None where an input has none."""
    seeds = (None,) * len(outputs) if weights is None else weights
    pairs = [(y, w) for y, w in zip(outputs, seeds, strict=True) if y is not None and y.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    ys, ws = zip(*pairs, strict=True)
    return grad(ys, inputs, ws, retain_graph, create_graph, allow_unused=True)


def or_zeros(found: Sequence[Tensor | None], like: Sequence[Tensor]) -> Tensors:
    """Return gradients, with zeros in the shape of `like` for those there are not."""
    return tuple(zeros_like(x) if g is None else g for g, x in zip(found, like, strict=True))


def push(
    outputs: Tensors, inputs: Tensors, direction: Sequence[Tensor | None], create_graph: bool, strict: bool = False
) -> tuple[Tensor | None, ...]:
    """Return the derivatives of `outputs` as `inputs` move in `direction`, by going backwards twice."""
    with enable_grad():
        weights = tuple(zeros_like(y).requires_grad_() for y in outputs)
        slopes = gradients(outputs, inputs, weights, create_graph=True)
    message = "The output of the user-provided function is independent of input {}."
    _check_dependence(slopes, strict, message)
    with set_grad_enabled(create_graph or is_grad_enabled()):
        return gradients(slopes, weights, direction, create_graph)


def jacobian_of(place: int, output: Tensor, inputs: Tensors, create_graph: bool, strict: bool = False) -> Tensors:
    """Return the Jacobian of one output, the `place`-th, with respect to each of `inputs`."""
    rows: list[list[Tensor]] = [[] for _ in inputs]
    with enable_grad():
        elements = output.reshape(-1)
        for j in range(output.numel()):
            found = gradients((elements[j],), inputs, None, create_graph, retain_graph=True)
            message = f"Output {place} of the user-provided function is independent of input {{}}."
            _check_dependence(found, strict, message, need_graph=create_graph)
            for row, g in zip(rows, or_zeros(found, inputs), strict=True):
                row.append(g)
    shapes = [(*output.shape, *x.shape) for x in inputs]
    return tuple(
        stack(row).reshape(shape) if row else zeros_like(x).expand(0, *x.shape).reshape(shape)
        for row, shape, x in zip(rows, shapes, inputs, strict=True)
    )

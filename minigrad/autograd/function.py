"""Ops of one's own: a forward and a backward written on tensors, entered into the graph as one node."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, ClassVar

import numpy as np

from minigrad import graph
from minigrad.autograd.grad_mode import is_grad_enabled, no_grad
from minigrad.errors import GraphError
from minigrad.graph import Node, Op, recording
from minigrad.plans import Saving, storages_among
from minigrad.tensor import Tensor, record, wrap


class FunctionCtx:
    """What `forward` leaves for `backward`: saved tensors, and any attribute set on it."""

    def __init__(self, needs: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs
        self.saved_tensors: tuple[Any, ...] = ()
        self._to_save: tuple[Any, ...] = ()
        self._constant: tuple[Any, ...] = ()
        self._written: tuple[Any, ...] = ()
        self._materialize = True

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep inputs or outputs for `backward`, where `saved_tensors` returns them and a change since raises."""
        self._to_save = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Declare outputs that no gradient comes back from."""
        self._constant = tensors

    def mark_dirty(self, *tensors: Any) -> None:
        """Declare inputs that `forward` wrote in place and returns."""
        self._written = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Say whether `backward` gets zeros (the default) or None for outputs that got no gradient."""
        self._materialize = value


class Function:
    """An op of your own: subclass with static `forward(ctx, *args)` and `backward(ctx, *grads)`; call `apply`.

    Or `forward(*args)` only computes, and `setup_context(ctx, inputs, output)` keeps what `backward` needs.
    `forward` computes without recording. `backward` gets one gradient per output and returns one per argument of
    `forward`, None where there is none. Written with tensor operations it can itself be differentiated.

    >>> import minigrad as mg
    >>> class Cube(Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return 3 * x**2 * g
    >>> x = mg.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    _ops: ClassVar[dict[int, Op]]

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        """Compute the outputs."""
        raise NotImplementedError("a Function defines forward(ctx, *args) as a static method")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Keep in `ctx` what `backward` needs; a class that defines this has a `forward` without ctx."""
        raise NotImplementedError("setup_context(ctx, inputs, output) is called only where a Function defines it")

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Return a gradient for each argument of `forward`."""
        raise NotImplementedError("a Function defines backward(ctx, *grads) as a static method")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run `forward` on `args` and record it as one node."""
        if graph.observer is None:
            return cls._applied(args)
        return graph.observer.forward(_op_of(cls, 1), args, {}, lambda: cls._applied(args))

    @classmethod
    def _applied(cls, args: tuple[Any, ...]) -> Any:
        needs = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)
        ctx = FunctionCtx(needs)
        previous = recording.get()
        recording.set(False)
        try:
            returned = cls._computed(ctx, args)
        finally:
            recording.set(previous)
        outputs = returned if isinstance(returned, tuple) else (returned,)
        if previous and any(needs):
            outputs = cls._record(ctx, args, outputs)
        return outputs if isinstance(returned, tuple) else outputs[0]

    @classmethod
    def _computed(cls, ctx: FunctionCtx, args: tuple[Any, ...]) -> Any:
        if cls.setup_context is Function.setup_context:
            return cls.forward(ctx, *args)
        returned = cls.forward(*args)
        cls.setup_context(ctx, args, returned)
        return returned

    @classmethod
    def _record(cls, ctx: FunctionCtx, args: tuple[Any, ...], outputs: tuple[Any, ...]) -> tuple[Any, ...]:
        op = _op_of(cls, len(outputs))
        # An argument that is no tensor stands in the graph as a mere place; an output that is an argument, as itself.
        places = tuple(a if isinstance(a, Tensor) else None for a in args)
        results = tuple(_output(y, args, ctx) for y in outputs)
        node = record(op, places, {"function": cls, "ctx": ctx}, results)
        assert node is not None
        constant = ctx._constant
        for written in ctx._written:
            written._check_writable()
            written._storage.version += 1
        _save(node, ctx, args, outputs)
        for i, (y, result) in enumerate(zip(outputs, results, strict=True)):
            if y._data.dtype.kind == "f" and not any(y is c for c in constant):
                result._point_to((node, i))
        return results


def _op_of(cls: type[Function], count: int) -> Op:
    """Return the op of a Function with `count` outputs, made once."""
    ops: dict[int, Op] = cls.__dict__.get("_ops") or {}
    if count not in ops:
        names = tuple(f"output{i}" for i in range(count))
        ops[count] = Op(cls.__name__, cls.forward, {"*inputs": _rule}, joint=_rule, outputs=names, on_tensors=True)
        cls._ops = ops
    return ops[count]


def _output(y: Tensor, args: tuple[Any, ...], ctx: FunctionCtx) -> Tensor:
    """Return an output as a tensor of its own, unless it is an argument that `forward` wrote in place.

    One that lies in the memory of another tensor, an argument say, becomes a read-only alias: a write through it
    would reach the other unrecorded.
    """
    if not isinstance(y, Tensor):
        raise GraphError(f"a Function's forward returns tensors, got {type(y).__name__}")
    if any(y is w for w in ctx._written) or not (y._view is not None or any(y is a for a in args)):
        return y
    alias = y.detach()
    alias._data = alias._data.view()
    alias._data.flags.writeable = False
    return alias


def _save(node: Node, ctx: FunctionCtx, args: tuple[Any, ...], outputs: tuple[Any, ...]) -> None:
    """Move what `forward` saved into the node, where it is checked and released like any op's."""
    saves: list[Saving] = []
    saved: list[Any] = []
    for t in ctx._to_save:
        inside = [i for i, a in enumerate(args) if a is t and t is not None]
        outside = [i for i, y in enumerate(outputs) if y is t and t is not None]
        place = (inside or outside or [-1])[0]
        saves.append(Saving("saved", bool(outside and not inside), place, True))
        saved += (None, None, 0) if t is None else (t._data, t._storage, t._storage.version)
    ctx._to_save, ctx._constant, ctx._written = (), (), ()
    node.plan = replace(node.plan, saves=tuple(saves), storages=storages_among(len(saves)))
    node.saved = tuple(saved)


def _rule(gs: Any, output_facts: Any, function: type[Function], ctx: FunctionCtx, needs: Any, saved: Any = ()) -> Any:
    """Call the user's backward and return a gradient for every argument."""
    if ctx._materialize:
        gs = [wrap(np.zeros(*facts)) if g is None else g for g, facts in zip(gs, output_facts, strict=True)]
    ctx.saved_tensors = saved
    try:
        returned = function.backward(ctx, *gs)
    finally:
        ctx.saved_tensors = ()
    gradients = returned if isinstance(returned, tuple) else (returned,)
    if len(gradients) < len(needs) or any(g is not None for g in gradients[len(needs) :]):
        raise GraphError(
            f"function {function.__name__} returned an incorrect number of gradients (expected {len(needs)}, "
            f"got {len(gradients)})"
        )
    return gradients[: len(needs)]


class _Once(Function):
    """Passes gradients on, and refuses to be differentiated."""

    @staticmethod
    def forward(ctx: Any, *gradients: Any) -> Any:
        return tuple(gradient.detach() for gradient in gradients)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise GraphError(
            "trying to differentiate twice a function that was marked with @once_differentiable; write its backward "
            "with tensor operations and leave the mark out"
        )


def once_differentiable(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Mark the `backward` of a Function as one whose gradients have no gradient: a second derivative raises GraphError.

    It goes below `@staticmethod`.
    """

    @wraps(fn)
    def once(ctx: Any, *grads: Any) -> Any:
        with no_grad():
            returned = fn(ctx, *grads)
        if not is_grad_enabled() or not any(isinstance(g, Tensor) and g.requires_grad for g in grads):
            return returned
        gradients = returned if isinstance(returned, tuple) else (returned,)
        refusing = iter(_Once.apply(*(g.detach().requires_grad_() for g in gradients if isinstance(g, Tensor))))
        return tuple(next(refusing) if isinstance(g, Tensor) else g for g in gradients)

    return once

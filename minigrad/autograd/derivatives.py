"""Gradients as values: `grad` returns them, `backward` adds them to `.grad`."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.backward import accumulate_gradients, differentiate
from minigrad.errors import ArgumentError, GraphError
from minigrad.methods.place import edge_of
from minigrad.ops.shape import stack
from minigrad.tensor import Tensor, wrap


def _listed(value: Any) -> list[Any]:
    return [value] if isinstance(value, Tensor) or value is None else list(value)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """Return the gradients of `outputs` with respect to each of `inputs` (leaves or not); no `.grad` is touched.

    `grad_outputs` weighs the elements of outputs that have more than one. With `create_graph` the gradients are
    themselves recorded, so that they can be differentiated, to any order. An input that no output depends on raises
    GraphError, or gives None with `allow_unused` and zeros with `materialize_grads`. With `is_grads_batched` each of
    `grad_outputs` holds several weights along a further first dim, and so do the results: a sweep is made for each.
    `only_inputs` is True: no other gradient has been computed for long.

    >>> import minigrad as mg
    >>> x = mg.tensor(2.0, requires_grad=True)
    >>> (first,) = grad(x**3, x, create_graph=True)
    >>> first, grad(first, x)
    (tensor(12., grad_fn=<MulBackward0>), (tensor(12.),))
    """
    outs, ins = _listed(outputs), _listed(inputs)
    if not only_inputs:
        raise ArgumentError("grad: only_inputs argument is deprecated and is ignored now (defaults to True)")
    if is_grads_batched:
        return _batched(outs, ins, _listed(grad_outputs), create_graph, allow_unused, materialize_grads)
    for i, x in enumerate(ins):
        if not x.requires_grad:
            raise GraphError(
                f"One of the differentiated Tensors does not require grad: input {i}, shape {tuple(x.shape)}"
            )
    seeds = [None] * len(outs) if grad_outputs is None else _listed(grad_outputs)
    found = differentiate(outs, seeds, retain_graph, create_graph, ins)
    return tuple(_result(found, x, i, bool(allow_unused), materialize_grads) for i, x in enumerate(ins))


def _batched(
    outs: list[Any], ins: list[Any], weights: list[Any], create_graph: bool, unused: bool | None, zeros: bool
) -> tuple[Tensor | None, ...]:
    """Return the gradients for each of several weights, stacked."""
    count = next(len(w) for w in weights if w is not None)
    rows = [
        grad(outs, ins, [None if w is None else w[i] for w in weights], True, create_graph,
             allow_unused=unused, materialize_grads=zeros)
        for i in range(count)
    ]  # fmt: skip
    columns = zip(*rows, strict=True)
    return tuple(None if column[0] is None else stack(column) for column in columns)


def _result(found: dict[Any, tuple[Any, bool]], x: Tensor, i: int, allow_unused: bool, zeros: bool) -> Tensor | None:
    gradient, owned = found.get(edge_of(x) or x, (None, False))
    if isinstance(gradient, Tensor):
        return gradient
    if gradient is not None:
        return wrap(gradient if owned else np.array(gradient))
    if zeros:
        return wrap(np.zeros_like(x._data))
    if not allow_unused:
        raise GraphError(
            f"One of the differentiated Tensors (input {i}, shape {tuple(x.shape)}) appears to not have been used in "
            "the graph. Set allow_unused=True if this is the desired behavior."
        )
    return None


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Add the gradients of the sum of `tensors` to the `.grad` of the leaves they were computed from.

    `grad_tensors` (`grad_variables` of old) weighs their elements. The rest is as for `Tensor.backward`.
    """
    if grad_tensors is None:
        grad_tensors = grad_variables
    outs = _listed(tensors)
    seeds = [None] * len(outs) if grad_tensors is None else _listed(grad_tensors)
    accumulate_gradients(outs, seeds, retain_graph, create_graph, None if inputs is None else _listed(inputs))

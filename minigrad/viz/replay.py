"""The numbers of a small graph: it is computed again, on copies, and differentiated there.

The graph itself does not keep its values, and a picture must not touch the user's tensors, their `.grad`, or the
random stream. So the ops are applied once more to copies of the leaves. What comes out is only believed if it equals
the outputs bit for bit; if not, some leaf was changed since.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from minigrad import graph
from minigrad.backward import Retain, differentiate
from minigrad.errors import MinigradError
from minigrad.graph import Constant
from minigrad.methods.place import edge_of
from minigrad.tensor import Tensor, apply, wrap
from minigrad.viz.numbers import TINY, Numbers
from minigrad.viz.numbers import numbers as of
from minigrad.viz.reading import history

_MOST_NODES = 200
WAITING = "gradients are not computed yet: call backward() first"  # a note of the graph
Edge = Any


def numbers(
    order: list[graph.Node], outputs: Mapping[Edge, Tensor]
) -> tuple[dict[Edge, Numbers], dict[Edge, Numbers], tuple[str, ...]]:
    """Return what is known of the values and the gradients of a tiny graph, by edge, and what to say about them.

    Values that cannot be known again are left out, and the notes say why. Of a larger graph only the gradients that
    are there already, in the `.grad` of leaves, are told.
    """
    leaves = {edge: edge for node in order for edge in node.edges if isinstance(edge, Tensor)}
    leaves |= {edge: edge for edge in outputs if isinstance(edge, Tensor)}
    stored = _stored(leaves)
    if not is_tiny(order, leaves):
        waiting = any(leaf.requires_grad for leaf in leaves) and not stored
        return {}, stored, (WAITING,) if waiting else ()
    custom = next((node.op.name for node in order if node.op.on_tensors), None)
    if custom is not None:
        return {}, stored, (f"values are not shown: {custom} is a custom Function, which cannot be computed again",)
    previous, recording = graph.observe(None), graph.recording.get()
    graph.recording.set(True)
    try:
        fresh = _computed_again(order, leaves)
    except MinigradError:
        fresh = None
    finally:
        graph.recording.set(recording)
        graph.observe(previous)
    if fresh is None or not all(_same(fresh[edge], tensor) for edge, tensor in outputs.items()):
        return {}, stored, ("values are not shown: a tensor was changed after this was computed",)
    shown = {edge: of(tensor._data) for edge, tensor in fresh.items()}
    gradients, notes = _gradients(order, fresh, outputs)
    return shown, stored | gradients, notes


def is_tiny(order: list[graph.Node], leaves: Mapping[Any, Tensor]) -> bool:
    """Return whether the graph is small enough for all its numbers to be shown."""
    if len(order) + len(leaves) > _MOST_NODES:
        return False
    constants = all(edge.value is not None for node in order for edge in node.edges if isinstance(edge, Constant))
    sizes = [math.prod(shape) for node in order for shape, _ in node.outputs] + [x._data.size for x in leaves]
    return constants and all(size <= TINY for size in sizes)


def _stored(leaves: Mapping[Any, Tensor]) -> dict[Edge, Numbers]:
    """Return what is known of the gradients that `backward()` left in the leaves."""
    return {leaf: of(leaf.grad._data) for leaf in leaves if leaf.grad is not None}


def _computed_again(order: list[graph.Node], leaves: Mapping[Any, Tensor]) -> dict[Edge, Tensor]:
    """Apply the ops of `order` to copies of the leaves; return all tensors, by their edge in the first graph."""
    fresh = {leaf: _copy(leaf) for leaf in leaves}
    for node in order:
        operands = tuple(_operand(edge, fresh) for edge in node.edges)
        result = apply(node.op, operands, node.attrs)
        for i, tensor in enumerate(result if isinstance(result, tuple) else (result,)):
            fresh[node, i] = tensor
    return fresh


def _copy(leaf: Tensor) -> Tensor:
    copy = wrap(leaf._data.copy()).requires_grad_(leaf.requires_grad)
    copy.name = leaf.name
    return copy


def _operand(edge: Edge, fresh: Mapping[Edge, Tensor]) -> Any:
    if isinstance(edge, Constant):
        return wrap(edge.value.copy())
    return fresh[edge] if type(edge) is tuple or isinstance(edge, Tensor) else edge


def run_again(output: Tensor, within: AbstractContextManager[Any]) -> bool:
    """Compute a tiny graph again, on copies, `within` a context; return False if it cannot be."""
    order = history([edge_of(output)])
    leaves = {edge: edge for node in order for edge in node.edges if isinstance(edge, Tensor)}
    if not order or not is_tiny(order, leaves) or any(node.op.on_tensors for node in order):
        return False
    previous = graph.recording.get()
    graph.recording.set(True)
    try:
        with within:
            _computed_again(order, leaves)
    finally:
        graph.recording.set(previous)
    return True


def _same(again: Tensor, tensor: Tensor) -> bool:
    a, b = again._data, tensor._data
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


def _gradients(
    order: list[graph.Node], fresh: Mapping[Edge, Tensor], outputs: Mapping[Edge, Tensor]
) -> tuple[dict[Edge, Numbers], tuple[str, ...]]:
    """Return the gradient of the outputs that are single numbers (their sum, if several) with respect to every edge."""
    ends = [fresh[edge] for edge in outputs if fresh[edge].requires_grad and fresh[edge]._data.size == 1]
    if not ends or not order:
        return {}, ()
    inputs = [tensor for tensor in fresh.values() if tensor.requires_grad]
    previous = graph.observe(None)
    try:
        found = differentiate(ends, [None] * len(ends), True, False, inputs)
    finally:
        graph.observe(previous)
    places = {tensor if (edge := edge_of(tensor)) is None else edge: at for at, tensor in fresh.items()}
    notes: tuple[str, ...] = ("gradients are those of the sum of the outputs",) if len(ends) > 1 else ()
    hooks = [hook for node in order for _, hook in node.hooks or () if not isinstance(hook, Retain)]
    if hooks or any(at._hooks for at in fresh if isinstance(at, Tensor)):
        notes += ("gradients are shown without what hooks do to them",)
    return {places[edge]: of(np.asarray(gradient)) for edge, (gradient, _) in found.items()}, notes

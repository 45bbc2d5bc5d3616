"""From a sweep to `.grad`: what a backward starts with, hooks on leaves, and adding up what arrives."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import engine
from minigrad.errors import GraphError, ShapeError
from minigrad.graph import recording, scope
from minigrad.methods.place import edge_of
from minigrad.ops.elementwise import clone, to
from minigrad.tensor import Tensor, wrap


class Retain:
    """The hook that stores a non-leaf's gradient; it does not keep the tensor alive."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = weakref.ref(tensor)

    def __call__(self, gradient: Tensor) -> None:
        """Store `gradient` in the tensor, if that is still there."""
        tensor = self.tensor()
        if tensor is not None:
            _accumulate(tensor, gradient if gradient._edge is not None else gradient._data, False)


class Afterwards:
    """Among the hooks of a leaf, one that leaves its gradient as it is and is run once that is in `.grad`."""

    def __init__(self, run: Callable[[Tensor], None]) -> None:
        self.run = run

    def __call__(self, gradient: Tensor) -> None:
        """Do nothing yet."""


def call_afterwards(leaf: Tensor, run: Callable[[Tensor], None]) -> Removable:
    """Let `run(leaf)` be called whenever a backward has added to the `.grad` of a leaf that requires grad."""
    if not leaf.is_leaf:
        raise GraphError("post accumulate grad hooks cannot be registered on non-leaf tensors")
    handle: Removable = leaf.register_hook(Afterwards(run))
    return handle


class Removable:
    """What registering a hook returns; `remove()` takes the hook away again."""

    def __init__(self, hooks: Any, entry: Any) -> None:
        self._hooks, self._entry = hooks, entry
        self.id = entry if isinstance(entry, int) else id(entry)

    def __enter__(self) -> Removable:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Take the hook away; doing so twice is no error."""
        if isinstance(self._hooks, dict):
            self._hooks.pop(self._entry, None)
        elif self._entry in self._hooks:
            self._hooks.remove(self._entry)
        self._hooks = {}


def accumulate_gradients(
    outputs: list[Tensor],
    gradients: list[Tensor | None],
    retain_graph: bool | None,
    create_graph: bool,
    inputs: list[Tensor] | None = None,
) -> None:
    """Sweep back from `outputs` and add what arrives to the `.grad` of the leaves, or of `inputs` only."""
    if create_graph:
        warnings.warn(
            "Using backward() with create_graph=True will create a reference cycle between the parameter and its "
            "gradient which can cause a memory leak. We recommend using autograd.grad() when creating the graph to "
            "avoid this. If you have to use this function, make sure to reset the .grad fields of your parameters to "
            "None after use to break the cycle and avoid the leak.",
            stacklevel=3,
        )
    found = differentiate(outputs, gradients, retain_graph, create_graph, inputs)
    for leaf, (gradient, owned) in found.items():
        tensor = leaf if isinstance(leaf, Tensor) else next(t for t in inputs or () if edge_of(t) == leaf)
        _accumulate(tensor, gradient, owned)
        if tensor._hooks:
            _run_afterwards(tensor, create_graph)


def _run_afterwards(leaf: Tensor, create_graph: bool) -> None:
    waiting = [hook for hook in leaf._hooks or () if isinstance(hook, Afterwards)]
    previous = recording.get()
    recording.set(create_graph)
    try:
        for hook in waiting:
            hook.run(leaf)
    finally:
        recording.set(previous)


def differentiate(
    outputs: list[Tensor],
    gradients: list[Tensor | None],
    retain_graph: bool | None,
    create_graph: bool,
    inputs: list[Tensor] | None = None,
) -> dict[Any, tuple[Any, bool]]:
    """Return the gradients of `outputs`, by edge, each with whether its buffer is the caller's own.

    `retain_graph` None retains what `create_graph` will want again.
    """
    retain = create_graph if retain_graph is None else retain_graph
    roots = []
    for output, gradient in zip(outputs, gradients, strict=True):
        edge = edge_of(output)
        if edge is None and not output._requires_grad:
            raise GraphError(
                "element 0 of tensors does not require grad and does not have a grad_fn: nothing that led here "
                "requires grad, or it was computed under no_grad() or after detach()"
            )
        start = _first_gradient(output, gradient)
        roots.append((output if edge is None else edge, start if create_graph else start._data))
    targets = None if inputs is None else {t if (e := edge_of(t)) is None else e for t in inputs}
    previous, outer = recording.get(), scope.get()
    recording.set(create_graph)
    try:
        with np.errstate(all="ignore"):
            found = engine.sweep(roots, wrap=wrap, create_graph=create_graph, retain_graph=retain, targets=targets)
        for leaf, held in found.items():
            if isinstance(leaf, Tensor) and leaf._hooks:
                found[leaf] = engine.through_hooks(leaf._hooks, held[0], wrap, leaf.name or "a leaf"), False
        return found
    finally:
        recording.set(previous)
        scope.set(outer)


def _first_gradient(output: Tensor, gradient: Tensor | None) -> Tensor:
    """Return the gradient a sweep starts with: the one given, or 1 for a single element."""
    if gradient is None:
        if output._data.size != 1:
            raise GraphError(
                f"grad can be implicitly created only for scalar outputs, this one has shape {output._data.shape}; "
                "reduce it, with .sum() or .mean(), or pass backward(gradient)"
            )
        return wrap(np.ones(output._data.shape, output._data.dtype))
    if gradient._data.shape != output._data.shape:
        raise ShapeError(
            f"Mismatch in shape: the gradient has shape {gradient._data.shape}, the output {output._data.shape}"
        )
    return gradient if gradient._data.dtype == output._data.dtype else to(gradient, dtype=output._data.dtype)


def _accumulate(tensor: Tensor, gradient: Any, owned: bool) -> None:
    """Add `gradient` to `tensor.grad`, which owns its memory: what is not ours to keep is copied."""
    held = tensor._grad
    if isinstance(gradient, Tensor):
        tensor._grad = clone(gradient) if held is None else held + gradient
    elif held is None:
        tensor._grad = wrap(gradient if owned and gradient.flags.writeable else np.array(gradient, order="C"))
    else:
        np.add(held._data, gradient, out=held._data)
        held._storage.version += 1

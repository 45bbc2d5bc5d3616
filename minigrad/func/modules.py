"""Modules called with other weights than their own, and the weights of several modules in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from minigrad.errors import ArgumentError, StateDictError
from minigrad.ops.shape import stack
from minigrad.tensor import Tensor

Weights = Mapping[str, Tensor]


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Weights | Sequence[Weights],
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """Return `module(*args, **kwargs)` with the given tensors, by dotted name, in place of its own for this call.

    Names that are left out keep their value. With `tie_weights`, a tensor that the module knows by two names is
    replaced under both. Raises StateDictError with `strict` for names too few or too many, ArgumentError for a name
    in two of several dicts.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> weights = {"weight": mg.ones(1, 2), "bias": mg.zeros(1)}
    >>> functional_call(nn.Linear(2, 1), weights, mg.tensor([3.0, 4.0]))
    tensor([7.])
    """
    given = _merged(parameter_and_buffer_dicts)
    own = {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }
    if strict:
        _check_names(type(module).__name__, own, given)
    if tie_weights:
        values = {id(own[name]): value for name, value in given.items() if name in own}
        given = {**{name: values[id(x)] for name, x in own.items() if id(x) in values}, **given}
    tables = {name: _table(module, name) for name in given if name in own}
    arguments = args if isinstance(args, tuple) else () if args is None else (args,)
    try:
        for name, table in tables.items():
            table[name.rpartition(".")[2]] = given[name]
        return module(*arguments, **(kwargs or {}))
    finally:
        for name, table in tables.items():
            table[name.rpartition(".")[2]] = own[name]


def _merged(dicts: Weights | Sequence[Weights]) -> dict[str, Tensor]:
    if isinstance(dicts, Mapping):
        return dict(dicts)
    merged: dict[str, Tensor] = {}
    for part in dicts:
        both = merged.keys() & part.keys()
        if both:
            raise ArgumentError(
                f"{sorted(both)} appeared in multiple dictionaries; behavior of functional call is ambiguous"
            )
        merged |= part
    return merged


def _check_names(kind: str, own: Weights, given: Weights) -> None:
    missing, extra = sorted(own.keys() - given.keys()), sorted(given.keys() - own.keys())
    if missing or extra:
        raise StateDictError(f"functional_call of {kind}, strict: missing key(s) {missing}, unexpected key(s) {extra}")


def _table(module: Any, name: str) -> dict[str, Any]:
    """Return the table of parameters or of buffers in which the module below keeps the tensor of this dotted name."""
    path, _, last = name.rpartition(".")
    owner = module.get_submodule(path)
    table: dict[str, Any] = owner._parameters if last in owner._parameters else owner._buffers
    return table


def stack_module_state(models: Sequence[Any]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the parameters, which require grad, and the buffers of modules of one kind, stacked along a new dim 0.

    Raises ArgumentError for no modules, or modules of different classes or modes.
    """
    models = list(models)
    if not models:
        raise ArgumentError("stack_module_state: Expected at least one model, got 0.")
    if len({(type(m), m.training) for m in models}) > 1:
        raise ArgumentError("stack_module_state: Expected all models to be of the same class and training/eval mode.")
    parameters = _stacked([dict(m.named_parameters()) for m in models])
    buffers = _stacked([dict(m.named_buffers()) for m in models])
    return {name: x.requires_grad_() for name, x in parameters.items()}, buffers


def _stacked(states: list[dict[str, Any]]) -> dict[str, Tensor]:
    return {name: stack([state[name].detach() for state in states]) for name in states[0]}

"""Parameters computed, whenever they are read, from others: by modules, one after the other.

The module gets a class of its own, in which the parameter's name is a property; what it is computed from is kept in
`module.parametrizations.NAME` as `original`, or as `original0`, `original1`, ... where there are several.
"""

from __future__ import annotations

from typing import Any, TypeVar

from minigrad.autograd import no_grad
from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn.containers import ModuleDict, ModuleList
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor

M = TypeVar("M", bound=Module)


class ParametrizationList(ModuleList):
    """The modules that compute a parameter, in order, and the tensors that the first of them starts from."""

    def __init__(self, modules: Any, original: Tensor) -> None:
        super().__init__(modules)
        with no_grad():
            new = self._inverse(original, lenient=True)
        self.is_tensor = isinstance(new, Tensor)
        self.ntensors = 1 if self.is_tensor else len(new)
        for i, value in enumerate([new] if self.is_tensor else new):
            name = "original" if self.is_tensor else f"original{i}"
            if isinstance(original, Parameter):
                kept = original if value is original else Parameter(value.detach(), original.requires_grad)
                self.register_parameter(name, kept)
            else:
                self.register_buffer(name, value)

    def _inverse(self, value: Any, lenient: bool = False) -> Any:
        for module in reversed(list(self)):
            if hasattr(module, "right_inverse"):
                value = module.right_inverse(value)
            elif not lenient:
                raise ArgumentError(f"parametrization {type(module).__name__} does not implement right_inverse.")
        return value

    def originals(self) -> list[Any]:
        """Return the tensors that the first module starts from."""
        return [getattr(self, "original" if self.is_tensor else f"original{i}") for i in range(self.ntensors)]

    @no_grad()
    def right_inverse(self, value: Tensor) -> None:
        """Set the originals such that the parameter becomes `value`."""
        new = self._inverse(value)
        for original, part in zip(self.originals(), [new] if self.is_tensor else new, strict=True):
            original.copy_(part)

    def forward(self) -> Any:
        """Return the parameter."""
        first, *rest = list(self)
        value = first(*self.originals())
        for module in rest:
            value = module(value)
        return value


def register_parametrization(module: M, tensor_name: str, parametrization: Module, *, unsafe: bool = False) -> M:
    """Let `parametrization` compute the parameter or buffer `tensor_name` of `module` from now on; return `module`.

    A `right_inverse` method of it says what it starts from. Further ones work on what those before computed. Raises
    ArgumentError if there is no such tensor, ShapeError if the shape changes and it is not `unsafe`.

    >>> from minigrad import nn
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return x.triu() + x.triu(1).T
    >>> layer = register_parametrization(nn.Linear(3, 3), "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.T).all()), [name for name, _ in layer.named_parameters()]
    (True, ['bias', 'parametrizations.weight.original'])
    """
    if is_parametrized(module, tensor_name):
        module.parametrizations[tensor_name].append(parametrization)
        return module
    original = module._parameters.get(tensor_name)
    tensor: Any = module._buffers.get(tensor_name) if original is None else original
    if tensor is None:
        raise ArgumentError(
            f"Module {type(module).__name__} does not have a parameter, a buffer, or a parametrized element with name "
            f"{tensor_name}"
        )
    made = ParametrizationList([parametrization], tensor)
    made.train(module.training)
    if not unsafe:
        with no_grad():
            shape = tuple(made().shape)
        if shape != tuple(tensor.shape):
            raise ShapeError(
                f"Registering a parametrization may not change the shape of the tensor, unless `unsafe` flag is "
                f"enabled: {tuple(tensor.shape)} would become {shape}"
            )
    delattr(module, tensor_name)
    if not is_parametrized(module):
        module.__class__ = type(f"Parametrized{type(module).__name__}", (type(module),), {})
        module.parametrizations = ModuleDict()
    module.parametrizations[tensor_name] = made
    setattr(type(module), tensor_name, _property(tensor_name))
    return module


def _property(name: str) -> property:
    """Return the property that stands for the parameter in the module's own class."""
    return property(
        lambda self: self.parametrizations[name](),
        lambda self, value: self.parametrizations[name].right_inverse(value),
    )


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Return whether `module` has a computed parameter, or whether `tensor_name` is one."""
    known = module._modules.get("parametrizations")
    if not isinstance(known, ModuleDict):
        return False
    return len(known) > 0 if tensor_name is None else tensor_name in known


def remove_parametrizations(module: M, tensor_name: str, leave_parametrized: bool = True) -> M:
    """Make `tensor_name` an ordinary parameter again, with the computed value or else with the original one.

    Returns `module`. Raises ArgumentError if it is not computed, or if the one original asked for is several.
    """
    if not is_parametrized(module, tensor_name):
        raise ArgumentError(f"Module {type(module).__name__} does not have a parametrization on {tensor_name}")
    known = module.parametrizations[tensor_name]
    if not leave_parametrized and not known.is_tensor:
        raise ArgumentError(
            "Cannot leave unparametrized (`leave_parametrized=False`) a tensor that is parametrized in terms of a "
            "sequence of tensors."
        )
    value = getattr(module, tensor_name).detach()
    original = known.originals()[0] if known.is_tensor else Parameter(value)
    if leave_parametrized and known.is_tensor:
        with no_grad():
            original.copy_(value)
    delattr(type(module), tensor_name)
    del module.parametrizations[tensor_name]
    if not is_parametrized(module):
        del module.parametrizations
        module.__class__ = type(module).__bases__[0]
    if isinstance(original, Parameter):
        module.register_parameter(tensor_name, original)
    else:
        module.register_buffer(tensor_name, original)
    return module

"""The methods of Module that are seldom called: members by path, other dtypes, and hooks on the backward pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from minigrad.arraylike import check_device
from minigrad.backward import Removable
from minigrad.errors import ArgumentError, GraphError
from minigrad.nn.calling import Called
from minigrad.nn.hooks import Hook, add_backward_hook
from minigrad.tensor import Tensor

S = TypeVar("S", bound="Members")


class Members(Called):
    """The part of Module that most programs do without."""

    def parameters(self) -> Iterator[Any]:
        """Yield the parameters."""
        raise AssertionError("a Module knows its parameters")

    def buffers(self) -> Iterator[Tensor]:
        """Yield the buffers."""
        raise AssertionError("a Module knows its buffers")

    def get_submodule(self, target: str) -> Any:
        """Return the module at the dotted path `target`."""
        raise AssertionError("a Module knows its submodules")

    # --- members ---

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer at the dotted path `target`. Raises AttributeError if there is none."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        buffer = module.__dict__["_buffers"].get(name)
        if buffer is None:
            raise AttributeError(f"{name!r} in {target!r} is not a buffer")
        found: Tensor = buffer
        return found

    def set_submodule(self, target: str, module: Any, strict: bool = False) -> None:
        """Put `module` at the dotted path `target`; with `strict` there has to be one already."""
        path, _, name = target.rpartition(".")
        if not name:
            raise ArgumentError("Cannot set the submodule without a target name!")
        parent = self.get_submodule(path)
        if strict and name not in parent.__dict__["_modules"]:
            raise AttributeError(f"{type(parent).__name__} has no attribute `{name}`")
        setattr(parent, name, module)

    def get_extra_state(self) -> Any:
        """Return what else belongs in the state dict; minigrad's modules have nothing, and it is not asked for."""
        raise GraphError(f"{type(self).__name__} has no extra state: state dicts hold tensors only")

    # --- moving ---

    def type(self: S, dst_type: Any) -> S:
        """Convert all parameters and buffers to a dtype, in place; return self."""
        for tensor in (*self.parameters(), *self.buffers()):
            tensor.data = tensor.detach().type(dst_type)
        return self

    def cuda(self: S, device: Any = None) -> S:
        """Raise ArgumentError: minigrad computes on the CPU."""
        check_device("cuda" if device is None else f"cuda:{device}")
        return self

    def to_empty(self: S, *, device: Any, recurse: bool = True) -> S:
        """Return self: the parameters are on the CPU already. Raises ArgumentError for another device."""
        check_device(device)
        return self

    def share_memory(self: S) -> S:
        """Return self: one process computes, and it has the memory to itself."""
        return self

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Do nothing: there is nothing to compile, the module runs as it is."""

    def to_torch(self) -> Any:
        """Return PyTorch's module of the same layers, with a copy of the weights; see `minigrad.to_torch`.

        Raises ArgumentError for a class that is not one of `minigrad.nn`: build PyTorch's and load
        `to_torch(model.state_dict())` into it. Raises MissingDependencyError without PyTorch.
        """
        from minigrad.interchange import to_torch

        return to_torch(self)

    # --- hooks on the backward pass ---

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> Removable:
        """Call `hook(module, grad_input, grad_output)` when the gradients of the inputs are there.

        What it returns, unless None, takes the place of `grad_input`. Both are tuples, None for what is no tensor.
        """
        return add_backward_hook(self, "_backward_hooks", hook, prepend)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> Removable:
        """Call `hook(module, grad_output)` when the gradients of the outputs are there; it may return others."""
        return add_backward_hook(self, "_backward_pre_hooks", hook, prepend)

    register_backward_hook = register_full_backward_hook

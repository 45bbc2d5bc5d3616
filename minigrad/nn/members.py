"""The methods of Module that are seldom called: members by path, other dtypes, and hooks on the backward pass."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from minigrad.arraylike import check_device
from minigrad.autograd import Function, is_grad_enabled
from minigrad.backward import Removable
from minigrad.errors import ArgumentError, GraphError
from minigrad.nn.calling import Called
from minigrad.tensor import Tensor

S = TypeVar("S", bound="Members")
Hook = Callable[..., Any]


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

    # --- hooks on the backward pass ---

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> Removable:
        """Call `hook(module, grad_input, grad_output)` when the gradients of the inputs are there.

        What it returns, unless None, takes the place of `grad_input`. Both are tuples, None for what is no tensor.
        """
        return self._on_backward("_backward_hooks", hook, prepend)

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> Removable:
        """Call `hook(module, grad_output)` when the gradients of the outputs are there; it may return others."""
        return self._on_backward("_backward_pre_hooks", hook, prepend)

    register_backward_hook = register_full_backward_hook

    def _on_backward(self, kind: str, hook: Hook, prepend: bool) -> Removable:
        if "_backward_hooks" not in self.__dict__:
            self.__dict__.update(_backward_hooks={}, _backward_pre_hooks={}, _passes=[])
            self.register_forward_pre_hook(_watch_inputs)
            self.register_forward_hook(_watch_outputs)
        hooks: dict[int, Hook] = self.__dict__[kind]
        added = self._add_hook(hooks, hook)
        if prepend:
            last, function = hooks.popitem()
            rest = dict(hooks)
            hooks.clear()
            hooks.update({last: function, **rest})
        return added


class _Pass:
    """One call of a module whose backward pass is watched: the gradients of its outputs, then those of its inputs."""

    def __init__(self, module: Any, args: tuple[Any, ...]) -> None:
        self.module, self.count = module, len(args)
        self.grad_output: tuple[Any, ...] | None = None
        self.watched = False

    def outputs(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        self.grad_output = gradients
        for hook in tuple(self.module._backward_pre_hooks.values()):
            changed = hook(self.module, self.grad_output)
            if changed is not None:
                self.grad_output = changed if isinstance(changed, tuple) else (changed,)
        passed = self.grad_output
        if not self.watched and self.module._backward_hooks:
            warnings.warn(
                "Full backward hook is firing when gradients are computed with respect to module outputs since no "
                "inputs require gradients.",
                stacklevel=2,
            )
            self.inputs((None,) * self.count)
        return passed

    def inputs(self, gradients: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in tuple(self.module._backward_hooks.values()):
            changed = hook(self.module, gradients, self.grad_output)
            if changed is not None:
                changed = changed if isinstance(changed, tuple) else (changed,)
                if len(changed) != len(gradients):
                    raise GraphError(
                        f"Backward hook returned an invalid number of grad_input, got {len(changed)}, but expected "
                        f"{len(gradients)}"
                    )
                gradients = changed
        return gradients


class _Watch(Function):
    """The identity, whose gradients a function sees and may replace."""

    @staticmethod
    def forward(ctx: Any, seen: Callable[[tuple[Any, ...]], tuple[Any, ...]], *tensors: Any) -> Any:
        """Return the tensors on memory of their own."""
        ctx.seen = seen
        ctx.tensors = tuple(isinstance(t, Tensor) for t in tensors)
        return tuple(t.clone() for t in tensors if isinstance(t, Tensor))

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Show the gradients, None where there is no tensor, and return what becomes of them."""
        rest = iter(grads)
        shown = tuple(next(rest) if is_tensor else None for is_tensor in ctx.tensors)
        return (None, *ctx.seen(shown))


def _watched(seen: Callable[..., Any], values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the values, the tensors among them watched."""
    tensors = iter(_Watch.apply(seen, *values))
    return tuple(next(tensors) if isinstance(v, Tensor) else v for v in values)


def _differentiable(values: tuple[Any, ...]) -> bool:
    return is_grad_enabled() and any(isinstance(v, Tensor) and v.requires_grad for v in values)


def _watch_inputs(module: Any, args: tuple[Any, ...]) -> Any:
    call = _Pass(module, args)
    module._passes.append(call)
    if _differentiable(args):
        call.watched = True
        return _watched(call.inputs, args)
    return None


def _watch_outputs(module: Any, args: tuple[Any, ...], output: Any) -> Any:
    call = module._passes.pop()
    values = output if isinstance(output, tuple) else (output,)
    if not _differentiable(values):
        return None
    watched = _watched(call.outputs, values)
    return watched if isinstance(output, tuple) else watched[0]

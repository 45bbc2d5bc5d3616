"""Hooks of modules: the tables they stand in, those of all modules at once, and the watch on the backward pass."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Any

from minigrad.autograd import Function, is_grad_enabled
from minigrad.backward import Removable
from minigrad.errors import GraphError
from minigrad.tensor import Tensor

Hook = Callable[..., Any]
Values = tuple[Any, ...]

_number = itertools.count().__next__
# Under this key stands the watch on the backward pass, after all others: it sees what they have made of the values.
_WATCH = -1

# The hooks of all modules, by number, each with its kind.
everywhere: dict[int, tuple[str, Any]] = {}


class Asking:
    """A hook that wants the keyword arguments too, or to be called also where forward raises."""

    def __init__(self, hook: Hook, with_kwargs: bool, always_call: bool) -> None:
        self.hook, self.with_kwargs, self.always_call = hook, with_kwargs, always_call


def add_hook(
    hooks: dict[int, Any], hook: Hook, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
) -> Removable:
    """Enter `hook` into a table, in front or behind, and return what takes it away again."""
    number = _number()
    added = Asking(hook, with_kwargs, always_call) if with_kwargs or always_call else hook
    others, watch = dict(hooks), {_WATCH: hooks[_WATCH]} if _WATCH in hooks else {}
    hooks.clear()
    hooks.update({number: added, **others} if prepend else {**others, number: added})
    for key in watch:
        hooks[key] = hooks.pop(key)
    return Removable(hooks, number)


def _of(kind: str) -> list[tuple[int, Any]]:
    return [(number, hook) for number, (its, hook) in everywhere.items() if its == kind]


# --- around forward ---


def before(module: Any, args: Values, kwargs: dict[str, Any]) -> tuple[Values, dict[str, Any]]:
    """Run the hooks before forward; return the arguments that forward gets."""
    hooks = [hook for _, hook in _of("forward_pre")] + list(module._pre_hooks.values())
    if _WATCH not in module._pre_hooks and (_of("backward") or _of("backward_pre")):
        hooks.append(_watch_inputs)
    for hook in hooks:
        if isinstance(hook, Asking):
            changed = hook.hook(module, args, kwargs)
            if changed is not None:
                args, kwargs = _both(changed)
        elif (changed := hook(module, args)) is not None:
            args = changed if isinstance(changed, tuple) else (changed,)
    return args, kwargs


def _both(changed: Any) -> tuple[Values, dict[str, Any]]:
    if not isinstance(changed, tuple) or len(changed) != 2:
        raise GraphError(f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}.")
    return changed


def after(module: Any, args: Values, kwargs: dict[str, Any], output: Any, called: set[int]) -> Any:
    """Run the hooks after forward, noting in `called` which; return the output of the call."""
    hooks = _of("forward") + list(module._hooks.items())
    if _WATCH not in module._hooks and (_of("backward") or _of("backward_pre")):
        hooks.append((_WATCH, _watch_outputs))
    for number, hook in hooks:
        called.add(number)
        changed = _call(hook, module, args, kwargs, output)
        output = output if changed is None else changed
    return output


def after_error(module: Any, args: Values, kwargs: dict[str, Any], called: set[int]) -> None:
    """Run, with None for the output, the hooks that are always to be called and have not been."""
    for number, hook in _of("forward") + list(module._hooks.items()):
        if isinstance(hook, Asking) and hook.always_call and number not in called:
            try:
                _call(hook, module, args, kwargs, None)
            except Exception as error:
                which = "global module" if number in everywhere else "module"
                warnings.warn(
                    f"{which} forward hook with ``always_call=True`` raised an exception that was silenced as another "
                    f"error was raised in forward: {error}",
                    stacklevel=4,
                )


def _call(hook: Any, module: Any, args: Values, kwargs: dict[str, Any], output: Any) -> Any:
    if not isinstance(hook, Asking):
        return hook(module, args, output)
    return hook.hook(module, args, kwargs, output) if hook.with_kwargs else hook.hook(module, args, output)


# --- of all modules ---


def _add_everywhere(kind: str, hook: Hook, with_kwargs: bool = False, always_call: bool = False) -> Removable:
    number = _number()
    everywhere[number] = kind, (Asking(hook, with_kwargs, always_call) if with_kwargs or always_call else hook)
    return Removable(everywhere, number)


def register_module_forward_pre_hook(hook: Hook) -> Removable:
    """Call `hook(module, args)` before the forward of every module there is; see `Module.register_forward_pre_hook`."""
    return _add_everywhere("forward_pre", hook)


def register_module_forward_hook(hook: Hook, *, with_kwargs: bool = False, always_call: bool = False) -> Removable:
    """Call `hook(module, args, output)` after the forward of every module; see `Module.register_forward_hook`."""
    return _add_everywhere("forward", hook, with_kwargs, always_call)


def register_module_full_backward_pre_hook(hook: Hook) -> Removable:
    """Call `hook(module, grad_output)` in the backward of every module; see `register_full_backward_pre_hook`."""
    return _add_everywhere("backward_pre", hook)


def register_module_full_backward_hook(hook: Hook) -> Removable:
    """Call `hook(module, grad_input, grad_output)` in the backward of every module, before the module's own hooks."""
    return _add_everywhere("backward", hook)


register_module_backward_hook = register_module_full_backward_hook


# --- the backward pass ---


def add_backward_hook(module: Any, kind: str, hook: Hook, prepend: bool) -> Removable:
    """Enter a hook on the backward pass of `module`, whose calls are watched from now on."""
    if "_backward_hooks" not in module.__dict__:
        module.__dict__.update(_backward_hooks={}, _backward_pre_hooks={})
        module._pre_hooks[_WATCH] = _watch_inputs
        module._hooks[_WATCH] = _watch_outputs
    return add_hook(module.__dict__[kind], hook, prepend)


class _Pass:
    """One call of a module whose backward pass is watched: the gradients of its outputs, then those of its inputs."""

    def __init__(self, module: Any, args: Values) -> None:
        self.module, self.count = module, len(args)
        self.grad_output: Values | None = None
        self.watched = False

    def hooks(self, kind: str) -> list[Hook]:
        own: dict[int, Hook] = self.module.__dict__.get(f"_{kind}_hooks", {})
        return [hook for _, hook in _of(kind)] + list(own.values())

    def outputs(self, gradients: Values) -> Values:
        self.grad_output = gradients
        for hook in self.hooks("backward_pre"):
            changed = hook(self.module, self.grad_output)
            if changed is not None:
                self.grad_output = changed if isinstance(changed, tuple) else (changed,)
        passed = self.grad_output
        if not self.watched and self.hooks("backward"):
            warnings.warn(
                "Full backward hook is firing when gradients are computed with respect to module outputs since no "
                "inputs require gradients.",
                stacklevel=2,
            )
            self.inputs((None,) * self.count)
        return passed

    def inputs(self, gradients: Values) -> Values:
        for hook in self.hooks("backward"):
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
    def forward(ctx: Any, seen: Callable[[Values], Values], *tensors: Any) -> Any:
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


def _watched(seen: Callable[..., Any], values: Values) -> Values:
    """Return the values, the tensors among them watched."""
    tensors = iter(_Watch.apply(seen, *values))
    return tuple(next(tensors) if isinstance(v, Tensor) else v for v in values)


def _differentiable(values: Values) -> bool:
    return is_grad_enabled() and any(isinstance(v, Tensor) and v.requires_grad for v in values)


def _watch_inputs(module: Any, args: Values) -> Any:
    call = _Pass(module, args)
    module.__dict__.setdefault("_passes", []).append(call)
    if _differentiable(args):
        call.watched = True
        return _watched(call.inputs, args)
    return None


def _watch_outputs(module: Any, args: Values, output: Any) -> Any:
    call = module._passes.pop()
    values = output if isinstance(output, tuple) else (output,)
    if not _differentiable(values):
        return None
    watched = _watched(call.outputs, values)
    return watched if isinstance(output, tuple) else watched[0]

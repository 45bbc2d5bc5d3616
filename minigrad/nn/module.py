"""The Module: a function with parameters, made of other modules, each known by its dotted path.

A module keeps what is assigned to it in three tables (parameters, buffers, submodules), in the order of assignment.
The dotted path through these tables, `conv1.weight`, is the one name a thing has: the key in the state dict, the
label in a drawing, and the place that an error message gives.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from minigrad.autograd import no_grad
from minigrad.creation import as_tensor
from minigrad.errors import ArgumentError
from minigrad.nn.calling import count_registration
from minigrad.nn.hooks import (  # noqa: F401 (PyTorch has them here)
    register_module_backward_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
)
from minigrad.nn.loading import IncompatibleKeys, check_state
from minigrad.nn.members import Members
from minigrad.nn.parameter import Buffer, Parameter
from minigrad.tensor import Tensor

M = TypeVar("M", bound="Module")
_TABLES = ("_parameters", "_buffers", "_modules")


class Module(Members):
    """Base of all layers and models: assign parameters and submodules in `__init__`, compute in `forward`.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.fc = nn.Dense(3, 2)
    ...     def forward(self, x):
    ...         return self.fc(x)
    >>> net = Net()
    >>> net
    Net(
      (fc): Linear(in_features=3, out_features=2, bias=True)
    )
    >>> [name for name, _ in net.named_parameters()], net(mg.zeros(5, 3)).shape
    (['fc.weight', 'fc.bias'], minigrad.Size([5, 2]))
    """

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _not_saved: set[str]

    def __init__(self) -> None:
        state: dict[str, Any] = {table: {} for table in _TABLES}
        state |= {"training": True, "_not_saved": set(), "_pre_hooks": {}, "_hooks": {}, "_cached_paths": None}
        self.__dict__.update(state)

    # --- registering ---

    def register_parameter(self, name: str, parameter: Parameter | None) -> None:
        """Add `parameter` under `name`; None keeps the name for a parameter this module does without."""
        if parameter is not None and not isinstance(parameter, Parameter):
            raise ArgumentError(
                f"cannot assign {type(parameter).__name__!r} object to parameter {name!r} (nn.Parameter or None "
                "required)"
            )
        self._register("_parameters", name, parameter)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add `tensor` to this module's state without training it; the state dict has it if it is `persistent`."""
        if tensor is not None and not isinstance(tensor, Tensor):
            raise ArgumentError(f"cannot assign {type(tensor).__name__!r} object to buffer {name!r} (Tensor required)")
        self._register("_buffers", name, tensor)
        (self._not_saved.discard if persistent else self._not_saved.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add `module` under `name`, which is then also an attribute."""
        if module is not None and not isinstance(module, Module):
            advice = "; unpack it, with *" if isinstance(module, list | tuple) else ""
            raise ArgumentError(f"{type(module).__name__} is not a Module subclass{advice}")
        self._register("_modules", name, module)

    register_module = add_module

    def _register(self, table: str, name: str, value: Any) -> None:
        if table not in self.__dict__:
            what = table.strip("_").removesuffix("s")
            raise AttributeError(
                f"cannot assign {what} {name!r} before Module.__init__() call: begin "
                f"{type(self).__name__}.__init__ with super().__init__()"
            )
        if not isinstance(name, str) or not name or "." in name:
            raise ArgumentError(f"the name of a {table.strip('_')[:-1]} must be a string without dots, got {name!r}")
        taken = name in self.__dict__ or any(name in self.__dict__[t] for t in _TABLES) or hasattr(type(self), name)
        if taken and name not in self.__dict__[table]:
            raise ArgumentError(f"attribute {name!r} already exists in {type(self).__name__}")
        self.__dict__[table][name] = value
        count_registration()

    def _make_room(self, table: str, name: str) -> None:
        """Let an assignment to `name` take the place of what is kept under it elsewhere."""
        if name not in self.__dict__.get(table, ()):
            self._forget(name)

    def _forget(self, name: str) -> bool:
        """Remove `name` from wherever it is kept; return whether it was."""
        found = False
        for table in (*(self.__dict__.get(t, {}) for t in _TABLES), self.__dict__):
            if name in table:
                found = True
                del table[name]
        self.__dict__.get("_not_saved", set()).discard(name)
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter):
            self._make_room("_parameters", name)
            self.register_parameter(name, value)
        elif isinstance(value, Module):
            self._make_room("_modules", name)
            self.add_module(name, value)
        elif isinstance(value, Buffer):
            self._make_room("_buffers", name)
            self._register("_buffers", name, value)
            (self._not_saved.discard if value.persistent else self._not_saved.add)(name)
        else:
            self._set_plain(name, value)

    def _set_plain(self, name: str, value: Any) -> None:
        """Assign what is neither parameter, buffer nor module: in their tables only None, or a Tensor as a buffer."""
        for table, what in zip(_TABLES, ("parameter", "buffer", "child module"), strict=True):
            held = self.__dict__.get(table, {})
            if name in held:
                if value is not None and not (table == "_buffers" and isinstance(value, Tensor)):
                    wanted = {"_parameters": "nn.Parameter", "_buffers": "Tensor", "_modules": "nn.Module"}[table]
                    raise ArgumentError(
                        f"cannot assign {type(value).__name__!r} as {what} {name!r} ({wanted} or None expected)"
                    )
                held[name] = value
                count_registration()
                return
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        state = self.__dict__
        for table in _TABLES:
            if name in (held := state.get(table, ())):
                return held[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{self._hint(name)}")

    def _hint(self, name: str) -> str:
        """Return what to say of a name that is not there: the nearest one that is."""
        if "_modules" not in self.__dict__:
            return f"; {type(self).__name__}.__init__ has not called super().__init__()"
        if name.startswith("_"):  # a protocol that asks, not a person who mistyped
            return ""
        import difflib

        near = difflib.get_close_matches(name, [n for n in dir(self) if not n.startswith("_")], 1)
        return f"; the nearest name it has is {near[0]!r}" if near else ""

    def __delattr__(self, name: str) -> None:
        if not self._forget(name):
            super().__delattr__(name)
        count_registration()

    def __dir__(self) -> list[str]:
        own = [name for table in _TABLES for name in self.__dict__.get(table, ()) if name.isidentifier()]
        return sorted({*super().__dir__(), *own})

    def __bool__(self) -> bool:
        return True  # a container may be empty and is a module all the same

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_cached_paths": None}

    # --- walking ---

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the modules assigned to this one, each once, with their names."""
        seen: set[Module] = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """Yield the modules assigned to this one."""
        return (module for _, module in self.named_children())

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Yield this module (as `prefix`) and all below it with their dotted paths; shared ones once."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, _join(prefix, name), remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below it."""
        return (module for _, module in self.named_modules())

    def _named_members(
        self, table: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = self.named_modules(None, prefix, remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, value in module.__dict__[table].items():
                if value is not None and not (remove_duplicate and id(value) in seen):
                    seen.add(id(value))
                    yield _join(path, name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yield the parameters with their dotted paths; shared ones once unless `remove_duplicate` is False."""
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield the parameters of this module and, with `recurse`, of all below it."""
        return (parameter for _, parameter in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield the buffers with their dotted paths."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the buffers of this module and, with `recurse`, of all below it."""
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def get_submodule(self, target: str) -> Module:
        """Return the module at the dotted path `target`. Raises AttributeError if there is none."""
        module: Any = self
        for name in target.split(".") if target else ():
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"{name!r} in {target!r} is not a Module")
        return module

    def get_parameter(self, target: str) -> Parameter:
        """Return the parameter at the dotted path `target`. Raises AttributeError if there is none."""
        path, _, name = target.rpartition(".")
        parameter = getattr(self.get_submodule(path), name)
        if not isinstance(parameter, Parameter):
            raise AttributeError(f"{name!r} in {target!r} is not a Parameter")
        return parameter

    # --- state ---

    def state_dict(
        self, destination: dict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """Return parameters and persistent buffers by dotted path, detached, on the same memory."""
        state = OrderedDict() if destination is None else destination
        for path, module in self.named_modules(prefix=prefix.removesuffix("."), remove_duplicate=False):
            for table in (module._parameters, module._buffers):
                for name, value in table.items():
                    if value is not None and name not in module._not_saved:
                        state[_join(path, name)] = value if keep_vars else value.detach()
        return state

    @no_grad()
    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> IncompatibleKeys:
        """Copy the values of `state_dict` into the parameters and buffers of the same paths, in place.

        With `strict` the keys must be exactly those of `state_dict()`; otherwise keys too few or too many are returned.
        `assign` makes no difference: values are copied. Raises StateDictError, naming every key that does not fit,
        before anything is copied.
        """
        self._prepare(state_dict)
        own = self.state_dict()
        result = check_state(type(self).__name__, own, state_dict, strict)
        for key, target in own.items():
            if key in state_dict:
                target.copy_(as_tensor(state_dict[key]).detach())
        return result

    def _prepare(self, state: Mapping[str, Any]) -> None:
        """Tell every module that a state dict is about to be loaded: a lazy one takes its shapes from it."""
        for path, module in self.named_modules(remove_duplicate=False):
            module._before_loading(state, f"{path}." if path else "")

    def _before_loading(self, state: Mapping[str, Any], prefix: str) -> None:
        """Prepare for `state`, in which this module's keys begin with `prefix`."""

    # --- switching ---

    def apply(self: M, function: Callable[[Module], Any]) -> M:
        """Call `function` with every module below this one and then with this one; return self."""
        for child in self.children():
            child.apply(function)
        function(self)
        return self

    def train(self: M, mode: bool = True) -> M:
        """Set whether this module and all below it behave as in training (dropout, batch norm); return self."""
        if not isinstance(mode, bool):
            raise ArgumentError(f"training mode is expected to be boolean, got {mode!r}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: M) -> M:
        """Set this module and all below it to evaluation; the same as `train(False)`."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or fill them with zeros."""
        for parameter in self.parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad = parameter.grad.detach().zero_()

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Set whether the parameters are trained; return self."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def to(self: M, *args: Any, **kwargs: Any) -> M:
        """Convert floating-point parameters and buffers in place, as `Tensor.to` would; return self."""
        members: list[Tensor] = [*self.parameters(), *self.buffers()]
        for tensor in members:
            if tensor.is_floating_point():
                gradient, tensor.grad = tensor.grad, None
                tensor.data = tensor.detach().to(*args, **kwargs)
                tensor.grad = None if gradient is None else gradient.to(*args, **kwargs)
        return self

    def float(self: M) -> M:
        """Convert to float32."""
        return self.to(np.float32)

    def double(self: M) -> M:
        """Convert to float64."""
        return self.to(np.float64)

    def half(self: M) -> M:
        """Convert to float16."""
        return self.to(np.float16)

    def cpu(self: M) -> M:
        """Return this module: it is on the CPU."""
        return self

    # --- printing ---

    def extra_repr(self) -> str:
        """Return what stands between the parentheses of this module's repr; layers say their settings here."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        children = [f"({name}): {_indented(repr(module))}" for name, module in self._modules.items()]
        if not children and "\n" not in extra:
            return f"{type(self).__name__}({extra})"
        return lines_repr(type(self).__name__, [*extra.split("\n"), *children] if extra else children)


def lines_repr(name: str, lines: list[str]) -> str:
    """Return the repr of something made of parts, a line or more for each.

    >>> print(lines_repr("Net", ["(0): ReLU()"]))
    Net(
      (0): ReLU()
    )
    """
    return "\n  ".join([f"{name}(", *lines]) + "\n)"


def _indented(text: str) -> str:
    return text.replace("\n", "\n  ")


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name

"""Containers: modules in sequence, in a list, in a dict; parameters in a list."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, TypeVar

from minigrad.errors import ArgumentError, OutOfRangeError
from minigrad.nn.module import Module, _indented, lines_repr
from minigrad.nn.parameter import Parameter
from minigrad.tensor import Tensor

L = TypeVar("L", bound="_Listed")


class _Listed(Module):
    """Modules in order, read and changed as a Python list is."""

    def _key(self, index: Any) -> str:
        """Return the name of the module at `index`, which may count from the end."""
        place = operator.index(index)
        if not -len(self) <= place < len(self):
            raise OutOfRangeError(f"index {place} is out of range: {type(self).__name__} has {len(self)} modules")
        return list(self._modules)[place]

    def _rebuild(self: L, modules: Iterable[Module]) -> L:
        """Take `modules`, numbered from 0, in place of what is here."""
        for name in list(self._modules):
            delattr(self, name)
        return self.extend(modules)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._modules.values()))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._slice(list(self._modules.items())[index])
        return self._modules[self._key(index)]

    def _slice(self, items: list[tuple[str, Any]]) -> Any:
        return type(self)(module for _, module in items)  # type: ignore[call-arg]

    def __setitem__(self, index: int, module: Module) -> None:
        self.add_module(self._key(index), module)

    def __delitem__(self, index: Any) -> None:
        gone = [self._key(i) for i in range(len(self))[index]] if isinstance(index, slice) else [self._key(index)]
        self._rebuild([module for name, module in self._modules.items() if module and name not in gone])

    def __add__(self: L, other: Iterable[Module]) -> L:
        return self._slice(list(self._modules.items())).extend(other)

    def __iadd__(self: L, other: Iterable[Module]) -> L:
        return self.extend(other)

    def append(self: L, module: Module) -> L:
        """Add `module` at the end; return self."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self: L, modules: Iterable[Module]) -> L:
        """Add `modules` at the end, in order; return self."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self: L, index: int, module: Module) -> L:
        """Put `module` before the one at `index`; return self. Raises OutOfRangeError for an index beyond the ends."""
        modules = list(self)
        if not -len(modules) <= index <= len(modules):
            raise OutOfRangeError(f"insert: index {index} is out of range for {len(modules)} modules")
        modules.insert(index, module)
        return self._rebuild(modules)

    def pop(self, index: int = -1) -> Any:
        """Remove the module at `index` and return it."""
        module = self[index]
        del self[index]
        return module


class Sequential(_Listed):
    """Modules applied one after the other: `Sequential(a, b)(x)` is `b(a(x))`.

    An OrderedDict as the only argument names them; otherwise they are named "0", "1", ...

    >>> from minigrad import nn
    >>> model = nn.Sequential(nn.Dense(4, 3), nn.ReLU(), nn.Dense(3, 2))
    >>> model[-1], len(model[:2])
    (Linear(in_features=3, out_features=2, bias=True), 2)
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        named = modules[0] if len(modules) == 1 and isinstance(modules[0], dict) else None
        for name, module in named.items() if named is not None else enumerate(modules):
            self.add_module(str(name), module)

    def _slice(self, items: list[tuple[str, Any]]) -> Sequential:
        return type(self)(OrderedDict(items))

    def __add__(self, other: Iterable[Module]) -> Sequential:
        return Sequential(*self, *other)

    def __mul__(self, times: int) -> Sequential:
        return Sequential(*list(self) * self._checked(times))

    def __rmul__(self, times: int) -> Sequential:
        return self * times

    def __imul__(self, times: int) -> Sequential:
        return self.extend(list(self) * (self._checked(times) - 1))

    @staticmethod
    def _checked(times: int) -> int:
        if times < 1:
            raise ArgumentError(f"Sequential: expected a positive number of repetitions, got {times}")
        return times

    def forward(self, input: Any) -> Any:
        """Apply the modules in order."""
        for module in self:
            input = module(input)
        return input


class ModuleList(_Listed):
    """A list of modules that are registered, for a forward of one's own.

    >>> from minigrad import nn
    >>> nn.ModuleList(nn.Dense(2, 2) for _ in range(3))
    ModuleList(
      (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(() if modules is None else modules)

    def __repr__(self) -> str:
        lines, start = [], 0
        for text, group in groupby(self, key=repr):
            count = len(list(group))
            label = f"({start}): " if count == 1 else f"({start}-{start + count - 1}): {count} x "
            lines.append(label + _indented(text))
            start += count
        return lines_repr(type(self).__name__, lines) if lines else f"{type(self).__name__}()"


class ModuleDict(Module):
    """A dict of modules that are registered, for a forward of one's own; keys are strings without dots."""

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        self.update({} if modules is None else modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        if key not in self._modules:
            raise KeyError(key)
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._modules))

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def keys(self) -> Iterable[str]:
        """Return the keys."""
        return self._modules.keys()

    def values(self) -> Iterable[Any]:
        """Return the modules."""
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return pairs of key and module."""
        return self._modules.items()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add modules from a mapping or from pairs; a key that is there already gets the new module."""
        for key, module in dict(modules).items():
            self.add_module(key, module)

    def pop(self, key: str) -> Any:
        """Remove the module at `key` and return it."""
        module = self[key]
        del self[key]
        return module

    def clear(self) -> None:
        """Remove all modules."""
        for key in list(self._modules):
            delattr(self, key)


class ParameterList(Module):
    """A list of parameters that are registered; tensors that are not parameters are made so."""

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.extend(() if values is None else values)

    def _key(self, index: int) -> str:
        place = operator.index(index)
        if not -len(self) <= place < len(self):
            raise OutOfRangeError(f"index {place} is out of range: ParameterList has {len(self)} parameters")
        return str(place % len(self))

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._parameters.values()))

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return self._parameters[self._key(index)]

    def __setitem__(self, index: int, value: Any) -> None:
        self.register_parameter(self._key(index), _as_parameter(value))

    def __iadd__(self, values: Iterable[Any]) -> ParameterList:
        return self.extend(values)

    def pop(self, index: int = -1) -> Any:
        """Remove the parameter at `index` and return it."""
        values = list(self)
        value = values.pop(index)
        for name in list(self._parameters):
            delattr(self, name)
        self.extend(values)
        return value

    def append(self, value: Any) -> ParameterList:
        """Add `value` at the end; return self."""
        self.register_parameter(str(len(self)), _as_parameter(value))
        return self

    def extend(self, values: Iterable[Any]) -> ParameterList:
        """Add `values` at the end, in order; return self."""
        if isinstance(values, str | Parameter):
            raise ArgumentError(f"ParameterList takes an iterable of parameters, got {type(values).__name__}")
        for value in list(values):
            self.append(value)
        return self

    def extra_repr(self) -> str:
        """Return the dtype and size of each parameter."""
        sizes = [f"{p.dtype!r} of size {'x'.join(map(str, p.shape))}" for p in self]
        return "\n".join(f"  ({i}): Parameter containing: [{size}]" for i, size in enumerate(sizes))


def _as_parameter(value: Any) -> Parameter:
    return value if isinstance(value, Parameter) else Parameter(value)


class ParameterDict(Module):
    """A dict of parameters that are registered; tensors in it are made parameters, other values stay what they are.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> held = nn.ParameterDict({"left": mg.zeros(2)})
    >>> [name for name, _ in held.named_parameters()], "right" in held
    (['left'], False)
    """

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self.__dict__["_keys"] = {}
        self.update({} if parameters is None else parameters)

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise KeyError(key)
        return getattr(self, key)

    def __setitem__(self, key: str, value: Any) -> None:
        if not isinstance(key, str):
            raise ArgumentError(f"a key of ParameterDict must be a string, got {type(key).__name__}")
        self._keys[key] = None
        setattr(self, key, _as_parameter(value) if isinstance(value, Tensor) else value)

    def __delitem__(self, key: str) -> None:
        del self._keys[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._keys))

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self._keys))

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __or__(self, other: Any) -> ParameterDict:
        both = self.copy()
        both.update(other)
        return both

    def __ior__(self, other: Any) -> ParameterDict:
        self.update(other)
        return self

    def copy(self) -> ParameterDict:
        """Return another dict of the same parameters."""
        return ParameterDict(OrderedDict(self.items()))

    def keys(self) -> Iterable[str]:
        """Return the keys."""
        return self._keys.keys()

    def values(self) -> Iterable[Any]:
        """Return the parameters."""
        return (self[key] for key in self._keys)

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return pairs of key and parameter."""
        return ((key, self[key]) for key in self._keys)

    def get(self, key: str, default: Any = None) -> Any:
        """Return the parameter at `key`, or `default` if there is none."""
        return getattr(self, key) if key in self._keys else default

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Return the parameter at `key`, where `default` is put if there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def update(self, parameters: Any) -> None:
        """Add from a mapping or from pairs; a plain dict's keys are sorted first, as in PyTorch."""
        pairs = list(parameters.items()) if hasattr(parameters, "items") else [tuple(pair) for pair in parameters]
        if isinstance(parameters, Mapping) and not isinstance(parameters, OrderedDict):
            pairs.sort(key=lambda pair: pair[0])
        for key, value in pairs:
            self[key] = value

    def pop(self, key: str) -> Any:
        """Remove the parameter at `key` and return it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Remove the last parameter and return its key and it."""
        key = list(self._keys)[-1]
        return key, self.pop(key)

    def clear(self) -> None:
        """Remove all parameters."""
        for key in list(self._keys):
            del self[key]

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """Return a dict with `default` at each of `keys`."""
        return ParameterDict((key, default) for key in keys)

    def extra_repr(self) -> str:
        """Return what is at each key."""
        return "\n".join(f"  ({key}): {self._described(value)}" for key, value in self.items())

    @staticmethod
    def _described(value: Any) -> str:
        if not isinstance(value, Tensor):
            return f"Object of type: {type(value).__name__}"
        return f"Parameter containing: [{value.type()} of size {'x'.join(map(str, value.shape))}]"

"""How a module is called: its hooks, and the place it takes in the model while it runs.

That place, a dotted path, is what drawings and error messages call the module. The outermost module of a call is the
root; it works out the paths of all modules below it, once, and again only when a module somewhere registered something.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from minigrad import graph
from minigrad.backward import Removable
from minigrad.errors import MinigradError
from minigrad.graph import Scope, recording, scope
from minigrad.nn.hooks import Hook, add_hook, after, after_error, before, everywhere
from minigrad.nn.parameter import Parameter

Paths = dict[int, Scope]

# The scopes, by id, of all modules in the model that is running.
_paths: ContextVar[Paths | None] = ContextVar("paths", default=None)
_registrations = 0
_new = tuple.__new__  # half the time of Scope(...)
_next_model = itertools.count(1).__next__


def count_registration() -> None:
    """Note that some module registered something: paths worked out before may be out of date."""
    global _registrations
    _registrations += 1


class Called:
    """The part of Module that runs it."""

    _pre_hooks: dict[int, Hook]
    _hooks: dict[int, Hook]
    _cached_paths: tuple[int, Paths] | None

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; every module defines its own."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def named_modules(self) -> Iterator[tuple[str, Any]]:
        """Yield this module and all below it with their dotted paths."""
        raise AssertionError("a Module knows what is below it")

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Yield the parameters with their dotted paths."""
        raise AssertionError("a Module knows its parameters")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the hooks and `forward`, inside this module's place in the model."""
        outer = scope.get()
        if outer is None:  # the outermost module of a call works out the paths of all below it
            cached = self._cached_paths
            paths = cached[1] if cached is not None and cached[0] == _registrations else self._scopes()
            _paths.set(paths)
        else:
            paths = _paths.get() or {}
        here = paths.get(id(self)) or self._stray(outer)
        if recording.get() or graph.observer is not None:  # each call that may be recorded has a scope of its own
            here = _new(Scope, (here[0], here[1], here[2], 0, None, outer))
        scope.set(here)
        try:
            if self._pre_hooks or self._hooks or everywhere or graph.observer is not None:
                return self._watched(here, args, kwargs)
            return self.forward(*args, **kwargs)
        except MinigradError as error:
            if error.where is None:
                error.where = f"{here.path} ({here.kind})" if here.path else here.kind
            raise
        finally:
            scope.set(outer)

    def _watched(self, here: Scope, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if graph.observer is None:
            return self._with_hooks(args, kwargs)
        return graph.observer.module(here, functools.partial(self._with_hooks, args, kwargs))

    def _with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        args, kwargs = before(self, args, kwargs)
        called: set[int] = set()
        try:
            return after(self, args, kwargs, self.forward(*args, **kwargs), called)
        except Exception:
            after_error(self, args, kwargs, called)
            raise

    def _stray(self, outer: Scope | None) -> Scope:
        """Return the scope of a module that the outermost one does not know."""
        kind = type(self).__name__
        if outer is None:
            return Scope(kind, kind)
        return Scope(f"{outer.path}.{kind}" if outer.path else kind, kind, outer.model)

    def _scopes(self) -> Paths:
        """Return the scope of every module below this one, by id, and let the parameters know their names."""
        known = self._cached_paths
        model = _next_model() if known is None else known[1][id(self)].model
        paths = {id(m): Scope(path, type(m).__name__, model) for path, m in self.named_modules()}
        for name, parameter in self.named_parameters():
            if not f".{parameter.name}".endswith(f".{name}"):  # the name in a larger model stays
                parameter.name = name
        self.__dict__["_cached_paths"] = (_registrations, paths)
        return paths

    @property
    def _forward_pre_hooks(self) -> dict[int, Hook]:
        return self._pre_hooks

    @property
    def _forward_hooks(self) -> dict[int, Hook]:
        return self._hooks

    def register_forward_pre_hook(self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False) -> Removable:
        """Call `hook(module, args)` before every forward; what it returns, unless None, takes the place of `args`.

        With `prepend` it runs before the hooks that are there. With `with_kwargs` it is called as
        `hook(module, args, kwargs)` and returns None or both.
        """
        return add_hook(self._pre_hooks, hook, prepend, with_kwargs)

    def register_forward_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> Removable:
        """Call `hook(module, args, output)` after every forward; what it returns, unless None, is the output.

        With `prepend` it runs before the hooks that are there, with `with_kwargs` it is called as
        `hook(module, args, kwargs, output)`, with `always_call` also when forward raises, and the output is then None.
        """
        return add_hook(self._hooks, hook, prepend, with_kwargs, always_call)

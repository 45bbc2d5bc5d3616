"""Functions of the user's that an optimiser calls around its step and around saving and loading."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

from minigrad import graph
from minigrad.backward import Removable
from minigrad.errors import GraphError

_number = itertools.count().__next__


class Hooked:
    """The part of Optimizer that keeps the hooks; the `step` of every subclass calls those of steps."""

    _hooks: dict[str, dict[int, Callable[..., Any]]] = {}  # noqa: RUF012 (never written: some never call __init__)
    _opt_called = False  # whether a step was taken, which a schedule should wait for

    def __init_subclass__(cls) -> None:
        if "step" in vars(cls):
            cls.step = _hooked(cls.step)  # type: ignore[attr-defined]

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> Removable:
        """Call `hook(optimizer, args, kwargs)` before every step; a pair it returns takes the place of both.

        As in PyTorch the first of `args` is the optimiser itself. The result is a handle with `remove()`.
        """
        return self._add_hook("step_pre", hook)

    def register_step_post_hook(self, hook: Callable[..., None]) -> Removable:
        """Call `hook(optimizer, args, kwargs)` after every step."""
        return self._add_hook("step_post", hook)

    def register_state_dict_pre_hook(self, hook: Callable[[Any], None], prepend: bool = False) -> Removable:
        """Call `hook(optimizer)` before a state dict is made; `prepend` puts it before the other hooks."""
        return self._add_hook("state_dict_pre", hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Removable:
        """Call `hook(optimizer, state_dict)` after a state dict was made; what it returns, unless None, replaces it."""
        return self._add_hook("state_dict_post", hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Removable:
        """Call `hook(optimizer, state_dict)` before one is loaded; what it returns, unless None, is loaded instead."""
        return self._add_hook("load_state_dict_pre", hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[[Any], None], prepend: bool = False) -> Removable:
        """Call `hook(optimizer)` after a state dict was loaded."""
        return self._add_hook("load_state_dict_post", hook, prepend)

    def _add_hook(self, kind: str, hook: Callable[..., Any], prepend: bool = False) -> Removable:
        number = _number()
        if "_hooks" not in self.__dict__:
            self._hooks = {}
        hooks = self._hooks.setdefault(kind, {})
        others = dict(hooks) if prepend else {}
        for other in others:
            del hooks[other]
        hooks[number] = hook
        hooks.update(others)
        return Removable(hooks, number)

    def _call_hooks(self, kind: str, *args: Any) -> Any:
        """Call the hooks with this optimiser and `args`; return the last of `args`, or what a hook put in its place."""
        for hook in tuple(self._hooks.get(kind, {}).values()):
            changed = hook(self, *args)
            if changed is not None and args:
                args = (*args[:-1], changed)
        return args[-1] if args else None


def _hooked(step: Callable[..., Any]) -> Callable[..., Any]:
    """Return `step` with the hooks around it; a step that another step calls has none of its own."""

    @functools.wraps(step)
    def with_hooks(self: Any, *args: Any, **kwargs: Any) -> Any:
        if type(self).step is not with_hooks:
            return step(self, *args, **kwargs)
        if graph.observer is None:
            return taken(self, args, kwargs)
        from minigrad.profiler import record_function  # loaded when something may be measuring

        with record_function(f"Optimizer.step#{type(self).__name__}.step"):
            return taken(self, args, kwargs)

    def taken(self: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not self._hooks:
            result = step(self, *args, **kwargs)
            self._opt_called = True
            return result
        given = _before(self, (self, *args), kwargs)
        result = step(*given[0], **given[1])
        self._opt_called = True
        for hook in tuple(self._hooks.get("step_post", {}).values()):
            hook(self, *given)
        return result

    return with_hooks


def _before(optimizer: Hooked, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    for hook in tuple(optimizer._hooks.get("step_pre", {}).values()):
        changed = hook(optimizer, args, kwargs)
        if changed is not None:
            if not (isinstance(changed, tuple) and len(changed) == 2):
                raise GraphError(f"{hook} must return None or a tuple of (new_args, new_kwargs), but got {changed}")
            args, kwargs = changed
    return args, kwargs

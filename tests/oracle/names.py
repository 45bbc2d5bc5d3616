"""Which of minigrad's functions and methods answers to an entry of the op table."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import torch

import minigrad
from minigrad.dtypes import dtype as Dtype

Pair = tuple[Callable[..., Any], Callable[..., Any]]  # ours, theirs


def _at(root: Any, path: str) -> Any:
    """Return what stands at a dotted path if it can be called, or None."""
    for name in path.split("."):
        root = getattr(root, name, None)
    return root if callable(root) and not isinstance(root, Dtype | type) else None


# Entries whose name in the table is not the name of a function or method of PyTorch's.
RENAMED = {
    "cauchy": "Tensor.cauchy_",
    "exponential": "Tensor.exponential_",
    "geometric": "Tensor.geometric_",
    "log_normal": "Tensor.log_normal_",
    "normal:in_place": "Tensor.normal_",
    "uniform": "Tensor.uniform_",
}
MISTAKEN = {"rand_like"}  # the table calls randn_like there
PROPERTIES = ("H", "T", "imag", "mH", "mT", "real")


def ways(entry: Any, key: str) -> dict[str, Pair]:
    """Return the ways to call an entry that minigrad has, each with PyTorch's."""
    name = RENAMED.get(key, entry.name)
    if name in PROPERTIES:
        has = isinstance(getattr(minigrad.Tensor, name, None), property)
        return {"property": (lambda x: getattr(x, name), lambda x: getattr(x, name))} if has else {}
    function = _at(minigrad, name) if _at(torch, name) else None
    method = _at(minigrad.Tensor, name) if _at(torch.Tensor, name) else None
    found: dict[str, Pair] = {}
    if (function or method) and _is_lambda(entry.op) and key not in MISTAKEN:
        ours = _on_a_copy(method) if name.endswith("_") and method else _for_us(entry.op)
        found["function"] = (ours, entry.op)
    elif function:
        found["function"] = (function, _at(torch, name))
    if method and method is not function and (name.startswith("_") or not name.endswith("_")):
        found["method"] = (method, _at(torch.Tensor, name))
    in_place = _at(minigrad.Tensor, f"{name}_") if entry.inplace_variant and _at(torch.Tensor, f"{name}_") else None
    if in_place and found:
        found["in place"] = (_on_a_copy(in_place), _on_a_copy(entry.inplace_variant))
    return found


def _is_lambda(op: Any) -> bool:
    return isinstance(op, FunctionType) and op.__name__ == "<lambda>"


def _for_us(op: FunctionType) -> Callable[..., Any]:
    """Return the table's own way to call an op, with minigrad in the place of torch."""
    names = op.__globals__ | {"torch": minigrad, "wrapper_set_seed": _seeded}
    return FunctionType(op.__code__, names, op.__name__, op.__defaults__, op.__closure__)


def _seeded(op: Callable[..., Any], *args: Any, **settings: Any) -> Any:
    minigrad.manual_seed(42)
    return op(*args, **settings)


def _on_a_copy(in_place: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, *args, **settings: in_place(x.clone(), *args, **settings)

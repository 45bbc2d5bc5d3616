"""Handing tensors and models to PyTorch, and taking them from it, where it is installed."""

from __future__ import annotations

import inspect
import sys
from collections import OrderedDict
from typing import Any

from minigrad import creation, nn
from minigrad.errors import ArgumentError, MissingDependencyError
from minigrad.tensor import Tensor

_CONTAINERS = ("Sequential", "ModuleList", "ModuleDict")


def from_torch(obj: Any) -> Any:
    """Return minigrad's equal of a PyTorch tensor, module, or dict, list or tuple of tensors.

    A tensor shares its memory with PyTorch's and keeps `requires_grad`. A module may be made of PyTorch's own layers
    in `Sequential`, `ModuleList` and `ModuleDict`; it gets a copy of the weights, and the same `training`. Raises
    ArgumentError for a module of another class: build it in minigrad and load `from_torch(model.state_dict())`.
    """
    torch = _torch("from_torch")
    if isinstance(obj, torch.nn.Module):
        return _module(obj, torch.nn, nn, from_torch)
    if isinstance(obj, torch.Tensor):
        return creation.from_numpy(obj.detach().numpy()).requires_grad_(obj.requires_grad)
    return _tree(obj, from_torch)


def to_torch(obj: Any) -> Any:
    """Return PyTorch's equal of a tensor, module, or dict, list or tuple of tensors; the reverse of `from_torch`.

    Raises ArgumentError for a module of a class that is not one of `minigrad.nn`, MissingDependencyError without
    PyTorch, and ImportError in a program in which minigrad itself runs as torch.
    """
    torch = _torch("to_torch")
    if isinstance(obj, nn.Module):
        return _module(obj, nn, torch.nn, to_torch)
    if isinstance(obj, Tensor):
        return torch.from_numpy(obj.detach().numpy()).requires_grad_(obj.requires_grad)
    return _tree(obj, to_torch)


def _torch(name: str) -> Any:
    if getattr(sys.modules.get("torch"), "__version__", "").endswith("minigrad"):
        raise ImportError(f"{name}: in this program minigrad runs as torch, so that the real one cannot be imported")
    try:
        import torch
    except ImportError:
        raise MissingDependencyError(f"{name} needs PyTorch: pip install torch") from None
    return torch


def _tree(obj: Any, convert: Any) -> Any:
    if isinstance(obj, dict):
        return type(obj)((key, convert(value)) for key, value in obj.items())
    if type(obj) in (list, tuple):
        return type(obj)(convert(value) for value in obj)
    if obj is None or isinstance(obj, bool | int | float | str):
        return obj
    raise ArgumentError(
        f"{convert.__name__}: expected tensors, modules, or a tree of tensors, got {type(obj).__name__}"
    )


def _module(module: Any, theirs: Any, ours: Any, convert: Any) -> Any:
    """Return the equal of `module`, whose class is one of `theirs`, made of the classes of the same names in `ours`."""
    result = _built(module, theirs, ours, convert)
    result.load_state_dict(convert(module.state_dict()))
    for (_, target), (_, source) in zip(result.named_parameters(), module.named_parameters(), strict=True):
        target.requires_grad_(source.requires_grad)
    for part, source in zip(result.modules(), module.modules(), strict=True):
        part.training = source.training
    return result


def _built(module: Any, theirs: Any, ours: Any, convert: Any) -> Any:
    """Return a module with the settings of `module`, and the weights it has when it is new."""
    kind = type(module)
    name = kind.__name__
    if getattr(theirs, name, None) is not kind or not hasattr(ours, name):
        raise ArgumentError(
            f"{convert.__name__}: {name} is not a layer that both have; build the model anew and load "
            f"{convert.__name__}(model.state_dict()) into it"
        )
    if name in _CONTAINERS:
        parts = {key: _built(child, theirs, ours, convert) for key, child in module.named_children()}
        if name == "Sequential":
            return ours.Sequential(OrderedDict(parts))
        return getattr(ours, name)(parts if name == "ModuleDict" else list(parts.values()))
    return getattr(ours, name)(**_settings(module, getattr(ours, name), convert))


def _settings(module: Any, kind: Any, convert: Any) -> dict[str, Any]:
    """Return the arguments that make a `kind` like `module`: each is an attribute of its own name."""
    settings = {}
    for name, parameter in inspect.signature(kind).parameters.items():
        if name in ("device", "dtype") or name.startswith("_"):
            continue
        if hasattr(module, name):
            value = getattr(module, name)
            settings[name] = value if name != "bias" or isinstance(value, bool) else value is not None
            if name != "bias" and hasattr(value, "requires_grad"):
                settings[name] = convert(value)
        elif parameter.default is parameter.empty:
            raise ArgumentError(
                f"{convert.__name__}: a {type(module).__name__} does not tell its {name}; build it anew and load "
                f"{convert.__name__}(model.state_dict()) into it"
            )
    return settings

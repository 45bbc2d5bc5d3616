"""Handing tensors and models to PyTorch, and taking them from it, where it is installed."""

from __future__ import annotations

import inspect
import sys
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from minigrad import creation, nn
from minigrad.errors import ArgumentError, DTypeError, MissingDependencyError
from minigrad.tensor import Tensor

_CONTAINERS = ("Sequential", "ModuleList", "ModuleDict")


def from_torch(obj: Any) -> Any:
    """Return minigrad's equal of a PyTorch tensor, module, or dict, list or tuple of tensors.

    A tensor shares its memory with PyTorch's and keeps `requires_grad`. A module may be made of PyTorch's own layers
    in `Sequential`, `ModuleList` and `ModuleDict`; it gets a copy of the weights, and the same `training`. Raises
    ArgumentError for a module of another class: build it in minigrad and load `from_torch(model.state_dict())`. Raises
    DTypeError for bfloat16 and complex numbers.
    """
    torch = _torch("from_torch")
    if isinstance(obj, torch.nn.Module):
        return _module(obj, torch.nn, nn, from_torch)
    if isinstance(obj, torch.Tensor):
        return creation.from_numpy(_array(obj, torch)).requires_grad_(obj.requires_grad)
    return _tree(obj, from_torch)


def _array(tensor: Any, torch: Any) -> Any:
    """Return the array of PyTorch's tensor, or say what to do first."""
    if tensor.layout is not torch.strided:
        raise ArgumentError(f"from_torch: got a tensor of layout {tensor.layout}; give tensor.to_dense()")
    if tensor.dtype is torch.bfloat16:
        raise DTypeError("from_torch: there is no bfloat16 here; give tensor.float(), or for a module module.float()")
    if tensor.is_complex():
        raise DTypeError(f"from_torch: there is no {tensor.dtype} here; give torch.view_as_real(tensor)")
    return tensor.detach().cpu().resolve_neg().numpy()


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
    state = {key: value for key, value in module.state_dict().items() if _has_values(value)}
    for target, source in zip(_tensors(result), _tensors(module), strict=True):
        if _has_values(source):
            target.data = convert(source.detach().clone())  # it may have another dtype
            target.requires_grad_(source.requires_grad)
    result.load_state_dict(convert(state), strict=len(state) == len(module.state_dict()))
    for part, original in zip(result.modules(), module.modules(), strict=True):
        part.training = original.training
    return result


def _tensors(module: Any) -> list[Any]:
    return [*module.parameters(), *module.buffers()]


def _has_values(tensor: Any) -> bool:
    """Return whether this is not a parameter of a lazy layer that has had no input yet."""
    return not type(tensor).__name__.startswith("Uninitialized")


def _built(module: Any, theirs: Any, ours: Any, convert: Any) -> Any:
    """Return a module with the settings of `module`, and the weights it has when it is new."""
    kind = type(module)
    name = kind.__name__
    if getattr(theirs, name, None) is not kind or not hasattr(ours, name):
        raise ArgumentError(
            f"{convert.__name__}: {name} is not a layer that both have; build the model anew and load "
            f"{convert.__name__}(model.state_dict()) into it with load_state_dict"
        )
    if name in _CONTAINERS:
        parts = {key: _built(child, theirs, ours, convert) for key, child in module.named_children()}
        if name == "Sequential":
            return ours.Sequential(OrderedDict(parts))
        return getattr(ours, name)(parts if name == "ModuleDict" else list(parts.values()))
    if name in ("ParameterList", "ParameterDict"):
        tensors = {key: ours.Parameter(convert(value.detach().clone())) for key, value in module.named_parameters()}
        return getattr(ours, name)(tensors if name == "ParameterDict" else list(tensors.values()))
    settings = _settings(module, getattr(ours, name), convert)
    return getattr(ours, name)(**{key: _value(v, theirs, ours, convert) for key, v in settings.items()})


def _value(value: Any, theirs: Any, ours: Any, convert: Any) -> Any:
    """Return the equal of what a constructor was given: a tensor, a module, a function of `functional`, or plain."""
    if isinstance(value, theirs.Module):
        return _built(value, theirs, ours, convert)
    if hasattr(value, "requires_grad"):
        return convert(value)
    if callable(value):
        name = getattr(value, "__name__", "")
        if getattr(theirs.functional, name, None) is not value or not hasattr(ours.functional, name):
            raise ArgumentError(
                f"{convert.__name__}: {value} is not a function that both have; build the model anew and load "
                f"{convert.__name__}(model.state_dict()) into it with load_state_dict"
            )
        return getattr(ours.functional, name)
    return value


def _layer(module: Any) -> dict[str, Any]:
    """Return what a layer of a transformer was given."""
    attention, first = module.self_attn, module.linear1
    return {
        "d_model": attention.embed_dim,
        "nhead": attention.num_heads,
        "dim_feedforward": first.out_features,
        "dropout": module.dropout.p,
        "layer_norm_eps": module.norm1.eps,
        "batch_first": attention.batch_first,
        "bias": first.bias is not None,
    }


# What the constructors were given where no attribute of the module has the name of the argument.
_TOLD: dict[str, Callable[[Any], dict[str, Any]]] = {
    "PairwiseDistance": lambda m: {"p": m.norm},
    "AdaptiveLogSoftmaxWithLoss": lambda m: {"cutoffs": m.cutoffs[:-1], "head_bias": m.head.bias is not None},
    "MultiheadAttention": lambda m: {"bias": m.in_proj_bias is not None, "add_bias_kv": m.bias_k is not None},
    "TransformerEncoderLayer": _layer,
    "TransformerDecoderLayer": _layer,
    "TransformerEncoder": lambda m: {"encoder_layer": m.layers[0]},
    "TransformerDecoder": lambda m: {"decoder_layer": m.layers[0]},
    "Transformer": lambda m: {"custom_encoder": m.encoder, "custom_decoder": m.decoder},
}


def _settings(module: Any, kind: Any, convert: Any) -> dict[str, Any]:
    """Return the arguments that make a `kind` like `module`: most are attributes of their own names."""
    name = type(module).__name__
    settings = _TOLD[name](module) if name in _TOLD else {}
    taken = inspect.signature(kind).parameters
    any_name = any(p.kind is p.VAR_KEYWORD for p in taken.values())
    for key, parameter in inspect.signature(getattr(nn, name)).parameters.items():
        if key in ("device", "dtype", *settings) or key.startswith("_") or not (any_name or key in taken):
            continue
        if hasattr(module, key):
            value = getattr(module, key)
            settings[key] = value is not None if key == "bias" and not isinstance(value, bool) else value
        elif parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            raise ArgumentError(
                f"{convert.__name__}: a {name} does not tell its {key}; build it anew and load "
                f"{convert.__name__}(model.state_dict()) into it with load_state_dict"
            )
    return settings

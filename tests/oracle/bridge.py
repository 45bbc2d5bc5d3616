"""Values carried from PyTorch to minigrad and back, with their strides, and how the two are compared."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

import minigrad
from minigrad.autograd import grad
from minigrad.dtypes import dtype as Dtype

DEFAULT_FORMATS = (
    torch.preserve_format,
    torch.contiguous_format,
    torch.strided,
)  # what minigrad does when nothing is said


class Unsupported(Exception):
    """A sample that minigrad does not claim to take; its message is the reason that the summary counts."""


class Crossing:
    """Carries one sample over; the same tensor seen twice becomes the same tensor twice."""

    def __init__(self) -> None:
        self.pairs: dict[int, tuple[torch.Tensor, minigrad.Tensor]] = {}

    def __call__(self, value: Any) -> Any:
        """Return the same value for minigrad. Raises Unsupported for what it cannot hold."""
        if isinstance(value, torch.Tensor):
            return self._tensor(value)
        if isinstance(value, torch.dtype):
            return our_dtype(value)
        if isinstance(value, torch.Size):
            return tuple(value)
        if isinstance(value, torch.device):
            return str(value)
        if isinstance(value, torch.memory_format | torch.layout):
            raise Unsupported(f"the argument {value}: what is computed here is contiguous")
        if isinstance(value, torch.nn.TransformerEncoderLayer):
            return _encoder_layer(value, self)
        if isinstance(value, torch.nn.Module) and not list(value.parameters()):
            return _layer(value)
        if getattr(value, "__module__", "").startswith("torch") and callable(value):
            return _namesake(value)
        if isinstance(value, torch.nn.utils.rnn.PackedSequence):
            return minigrad.nn.utils.rnn.PackedSequence(*(self(v) for v in value))
        if isinstance(value, slice):
            return slice(self(value.start), self(value.stop), self(value.step))
        if isinstance(value, dict):
            return {k: self(v) for k, v in value.items() if not any(v is default for default in DEFAULT_FORMATS)}
        if isinstance(value, list | tuple):
            return type(value)(self(v) for v in value)
        if isinstance(value, complex):
            raise Unsupported("complex numbers")
        return value

    def _tensor(self, t: torch.Tensor) -> minigrad.Tensor:
        if id(t) not in self.pairs:
            self.pairs[id(t)] = (t, _copied(t).requires_grad_(t.requires_grad))
        return self.pairs[id(t)][1]

    def leaves(self) -> tuple[list[torch.Tensor], list[minigrad.Tensor]]:
        """Return the tensors that require grad, on either side."""
        wanted = [pair for pair in self.pairs.values() if pair[0].requires_grad]
        return [a for a, _ in wanted], [b for _, b in wanted]


def _copied(t: torch.Tensor) -> minigrad.Tensor:
    """Return a copy in memory of its own, with the same strides (also 0, or with gaps)."""
    if t.layout is not torch.strided:
        raise Unsupported("sparse layouts")
    our_dtype(t.dtype)
    if t.is_quantized:
        raise Unsupported("quantised tensors")
    array = t.detach().resolve_neg().numpy()
    if not array.size or t.is_neg():
        return minigrad.from_numpy(array.copy())
    memory = torch.empty(0, dtype=t.dtype).set_(t.untyped_storage()).numpy().copy()
    strided = np.lib.stride_tricks.as_strided(memory[t.storage_offset() :], array.shape, array.strides)
    return minigrad.from_numpy(strided)


def our_dtype(dtype: torch.dtype) -> Any:
    """Return minigrad's dtype of the same name. Raises Unsupported where there is none."""
    name = str(dtype).removeprefix("torch.")
    found = getattr(minigrad, name, None)
    if dtype.is_complex:
        raise Unsupported("complex numbers")
    if not isinstance(found, Dtype):
        raise Unsupported(f"dtype {name}")
    return found


def _namesake(function: Any) -> Any:
    """Return minigrad's function of the same path, for activations given as arguments."""
    found: Any = minigrad
    path = function.__module__.removeprefix("torch").replace("._C._nn", ".nn.functional")
    for name in [*path.split(".")[1:], function.__name__]:
        found = getattr(found, name, None)
    if found is None:
        raise Unsupported(f"the argument {function.__module__}.{function.__name__}")
    return found


def _layer(layer: Any) -> Any:
    """Return minigrad's layer of the same class, with the default settings."""
    found = getattr(minigrad.nn, type(layer).__name__, None)
    if found is None or repr(layer) != repr(type(layer)()):
        raise Unsupported(f"the argument {layer!r}")
    return found()


def _encoder_layer(layer: Any, crossing: Crossing) -> Any:
    """Return minigrad's encoder layer with the same settings and weights."""
    ours = minigrad.nn.TransformerEncoderLayer(
        layer.self_attn.embed_dim,
        layer.self_attn.num_heads,
        layer.linear1.out_features,
        layer.dropout.p,
        crossing(layer.activation),
        layer.norm1.eps,
        layer.self_attn.batch_first,
        layer.norm_first,
        layer.linear1.bias is not None,
    )
    ours.to(our_dtype(layer.linear1.weight.dtype)).load_state_dict(crossing(dict(layer.state_dict())))
    return ours


@contextmanager
def warnings_of_pytorch() -> Iterator[list[Any]]:
    """Collect what PyTorch warns of."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        yield seen


@contextmanager
def warning_alike(seen: list[Any]) -> Iterator[None]:
    """Let minigrad warn where PyTorch did; elsewhere, and always for NumPy's warnings, a warning is an error."""
    with warnings.catch_warnings():
        if seen:
            warnings.simplefilter("ignore", UserWarning)
        yield


def flat(value: Any) -> list[Any]:
    """Return the tensors and numbers of a result, in order."""
    if isinstance(value, dict):
        return [x for v in value.values() for x in flat(v)]
    if isinstance(value, list | tuple):
        return [x for v in value for x in flat(v)]
    if dataclasses.is_dataclass(value) or value is None:
        return []
    return [value]


def back(value: Any) -> Any:
    """Return a result of minigrad as PyTorch's: a tensor, or the number as it is."""
    return torch.from_numpy(np.array(value.detach().numpy())) if isinstance(value, minigrad.Tensor) else value


def check_close(ours: Any, theirs: Any, what: str, **tolerances: float) -> None:
    """Compare two results: type, dtype, shape and values, NaNs being equal. Raises AssertionError."""
    assert isinstance(ours, minigrad.Tensor) == isinstance(theirs, torch.Tensor), (
        f"{what}: {type(ours).__name__} for PyTorch's {type(theirs).__name__}"
    )
    if isinstance(theirs, torch.Tensor):
        if theirs.is_complex() or theirs.layout is not torch.strided:
            raise Unsupported("complex numbers" if theirs.is_complex() else "sparse layouts")
        theirs = theirs.detach().resolve_neg()
    elif not isinstance(theirs, int | float):
        assert str(ours).removeprefix("minigrad.") == str(theirs).removeprefix("torch."), f"{what}: {ours} != {theirs}"
        return
    found = back(ours)
    if isinstance(theirs, torch.Tensor) and found.dtype == theirs.dtype and torch.equal(found, theirs):
        return  # most are, and assert_close takes longer than an op
    torch.testing.assert_close(
        found, theirs, equal_nan=True, msg=lambda m: f"{what}: {m.replace(chr(10), ' ')}", **tolerances
    )


def shown(value: Any) -> str:
    """Return an argument in short: of a tensor its dtype and shape, and the value of a small one."""
    if isinstance(value, torch.Tensor):
        return f"{str(value.dtype)[6:]}{list(value.shape)}" if value.numel() != 1 else f"tensor({value.tolist()})"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(shown, value))}]"
    return repr(value)[:40]


def described(args: tuple[Any, ...], settings: dict[str, Any]) -> str:
    """Return the arguments of a call in short."""
    return ", ".join([*map(shown, args), *(f"{k}={shown(v)}" for k, v in settings.items())])


def is_float(value: Any) -> bool:
    """Return whether a value of PyTorch's is a tensor of floats."""
    return isinstance(value, torch.Tensor) and value.is_floating_point()


def check_gradients(
    ours: list[Any], theirs: list[Any], leaves: list[Any], their_leaves: list[Any], tolerance: dict[str, float]
) -> None:
    """Compare which results require grad, and the gradients of the leaves for random cotangents."""
    pairs = [(a, b) for a, b in zip(ours, theirs, strict=True) if is_float(b)]
    for i, (a, b) in enumerate(pairs):
        assert a.requires_grad == b.requires_grad, f"result {i} has requires_grad={a.requires_grad}"
    carrying = [(a, b) for a, b in pairs if b.requires_grad]
    if not carrying or not leaves:
        return
    seeds = [torch.randn(b.shape, dtype=b.dtype, generator=torch.Generator().manual_seed(1)) for _, b in carrying]
    try:
        expected = torch.autograd.grad([b for _, b in carrying], their_leaves, seeds, allow_unused=True)
    except NotImplementedError:  # some of PyTorch's in-place ops have no gradient
        return
    weights = [minigrad.from_numpy(s.numpy()) for s in seeds]
    found = grad([a for a, _ in carrying], leaves, weights, allow_unused=True)
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        truth = torch.zeros_like(their_leaves[i], requires_grad=False) if b is None else b
        value = minigrad.zeros_like(leaves[i]).detach() if a is None else a
        check_close(value, truth, f"gradient {i}", **tolerance)

"""Saving and loading as safetensors files: tensors as raw bytes, all else as JSON, never pickled code.

The file holds the tensors under their dotted paths, so that a model's file can be read by any program that knows
safetensors. What nests them (dicts, lists, tuples, plain values) is written to the metadata as a tree in which each
tensor stands as its name; beside it stands a checksum of all.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from minigrad import files
from minigrad.arraylike import check_device
from minigrad.devices import device
from minigrad.dtypes import Array, dtype, of
from minigrad.errors import ArgumentError, DataError, MissingDependencyError
from minigrad.tensor import Tensor, wrap

_TREE, _SUM = "minigrad", "minigrad.sha256"  # the keys of the tree and the checksum in the file's metadata
_TAKEN = "__metadata__"  # the one name that a tensor in such a file cannot have
_PICKLE = (
    "; it looks like a pickle, which minigrad never opens: save it as safetensors, in a program with the real torch: "
    "safetensors.torch.save_file(model.state_dict(), path), or minigrad.save(minigrad.from_torch(state), path)"
)


def save(obj: Any, f: Any, pickle_module: Any = None, **settings: Any) -> None:
    """Write `obj` as safetensors to `f`, a path or a file open for writing bytes; a file appears whole or not at all.

    `obj` is a tensor, number, string, bool, dtype, device or None, or a dict, list or tuple of such, at any
    depth: a state dict, or `{"epoch": 3, "model": model.state_dict()}`. The further arguments are PyTorch's and change
    nothing. Raises ArgumentError, naming the place, for anything else.

    >>> import minigrad as mg, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "model.pt")
    >>> save({"fc.weight": mg.tensor([1.0, 2.0])}, path)
    >>> load(path)
    {'fc.weight': tensor([1., 2.])}
    """
    arrays: dict[str, Array] = {}
    tree = json.dumps(_packed(obj, "", arrays))
    data = _safetensors().numpy.save(arrays, metadata={_TREE: tree, _SUM: _checksum(tree, arrays)})
    if hasattr(f, "write"):
        f.write(data)
    else:
        files.write(Path(f), data)


def load(f: Any, map_location: Any = None, pickle_module: Any = None, *, weights_only: Any = True, **_: Any) -> Any:
    """Return what `save` wrote to `f`, a path or an open file; of a safetensors file from elsewhere, a dict of tensors.

    `map_location` may name the CPU, or be a function or dict, which is not asked; `weights_only` changes nothing, since
    no code is ever loaded. Raises DataError if the file is damaged (one flipped bit is noticed) or is not safetensors,
    ArgumentError for a `map_location` other than the CPU.
    """
    if map_location is not None and not callable(map_location) and not isinstance(map_location, dict):
        check_device(map_location)
    name = "the file" if hasattr(f, "read") else repr(os.fspath(f))
    start = b""
    try:
        with nullcontext(f) if hasattr(f, "read") else open(f, "rb") as file:
            data = file.read()
        start = data[:2]
        arrays, metadata = _parts(data)
        return _restored(arrays, metadata)
    except (_safetensors().SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        hint = _PICKLE if start == b"PK" or start[:1] == b"\x80" else ""
        raise DataError(f"{name} is damaged or not a safetensors file ({error}){hint}") from error


def _parts(data: bytes) -> tuple[dict[str, Array], dict[str, str]]:
    """Return the tensors and the metadata of a safetensors file: a header's length, the header as JSON, the tensors."""
    arrays = _safetensors().numpy.load(data)
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return arrays, header.get(_TAKEN) or {}


def _restored(arrays: dict[str, Array], metadata: dict[str, str]) -> Any:
    """Return the tree with its tensors, after its checksum; if it has neither, the tensors."""
    if _TREE not in metadata and _SUM not in metadata:
        return {name: wrap(array) for name, array in arrays.items()}
    if _SUM not in metadata:
        raise ValueError("it has no checksum: an older minigrad wrote it; safetensors can read its tensors")
    if metadata[_SUM] != _checksum(metadata[_TREE], arrays):
        raise ValueError("its checksum does not fit its content")
    return _unpacked(json.loads(metadata[_TREE]), arrays)


def _checksum(tree: str, arrays: dict[str, Array]) -> str:
    """Return the SHA-256 of the tree and of each tensor's name, dtype, shape and bytes, in the order of the names."""
    digest = hashlib.sha256(tree.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name}\0{array.dtype.str}{array.shape}".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def _packed(value: Any, place: str, arrays: dict[str, Array]) -> Any:
    """Return `value` as JSON can hold it, with its tensors put into `arrays` under their dotted places."""
    if isinstance(value, Tensor | np.ndarray):
        name = place or "tensor"
        while name in arrays or name == _TAKEN:  # {"a": {"b": x}, "a.b": y}
            name += "'"
        arrays[name] = np.array(value.detach() if isinstance(value, Tensor) else value, order="C")
        return {_kind(value): name}
    if isinstance(value, dict):
        items = [[_packed(k, "", {}), _packed(v, _join(place, k), arrays)] for k, v in value.items()]
        return {"ordered" if isinstance(value, OrderedDict) else "dict": items}
    if isinstance(value, list | tuple):
        parts = [_packed(v, _join(place, i), arrays) for i, v in enumerate(value)]
        return parts if isinstance(value, list) else {"tuple": parts}
    if isinstance(value, dtype):
        return {"dtype": value.name}
    if isinstance(value, device):
        return {"device": str(value)}
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    fix = "; save its state_dict()" if hasattr(value, "state_dict") else ""
    raise ArgumentError(f"save: cannot write a {type(value).__name__} at {place or 'the top'!r}{fix}")


def _kind(value: Any) -> str:
    if not getattr(value, "requires_grad", False):
        return "tensor"
    from minigrad.nn.parameter import Parameter

    return "parameter" if isinstance(value, Parameter) else "trained"


def _tensor(kind: str, array: Array) -> Tensor:
    tensor = wrap(array)
    if kind == "parameter":
        from minigrad.nn.parameter import Parameter

        return Parameter(tensor)
    return tensor.requires_grad_(kind == "trained")


def _unpacked(tree: Any, arrays: dict[str, Array]) -> Any:
    """Return what `_packed` made the tree of."""
    if isinstance(tree, list):
        return [_unpacked(part, arrays) for part in tree]
    if not isinstance(tree, dict):
        return tree
    ((kind, inside),) = tree.items()
    if kind in ("tensor", "trained", "parameter"):
        return _tensor(kind, arrays[inside])
    if kind in ("dtype", "device"):
        return of(inside) if kind == "dtype" else device(inside)
    if kind in ("dict", "ordered"):
        items = [(_unpacked(k, arrays), _unpacked(v, arrays)) for k, v in inside]
        return dict(items) if kind == "dict" else OrderedDict(items)
    if kind == "tuple":
        return tuple(_unpacked(part, arrays) for part in inside)
    raise ValueError(f"unknown kind {kind!r} in its metadata")


def _join(place: str, key: Any) -> str:
    return f"{place}.{key}" if place else str(key)


def _safetensors() -> Any:
    try:
        import safetensors
        import safetensors.numpy
    except ImportError:
        raise MissingDependencyError("saving and loading need safetensors: pip install safetensors") from None
    return safetensors


class safe_globals:
    """A context that PyTorch needs to unpickle classes; here nothing is unpickled, and it changes nothing."""

    def __init__(self, safe_globals: Iterable[Any]) -> None:
        pass

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        pass


def add_safe_globals(safe_globals: Iterable[Any]) -> None:
    """Do nothing: no class is ever loaded from a file."""

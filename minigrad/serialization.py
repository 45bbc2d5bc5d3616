"""Saving and loading state dicts as safetensors files: tensors as raw bytes, all else as JSON, never pickled code.

The file holds the tensors under their dotted paths, so that a model's file can be read by any program that knows
safetensors. What nests them (dicts, lists, tuples, plain values) is written to the metadata as a tree in which each
tensor stands as its name.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, DataError, MissingDependencyError
from minigrad.tensor import Tensor, wrap

_TREE = "minigrad"  # the key of the tree in the file's metadata


def save(obj: Any, path: str | os.PathLike[str]) -> None:
    """Write `obj`, a state dict of a module or optimiser, to a safetensors file, which appears whole or not at all.

    Dicts, lists and tuples may nest; in them may be tensors, numbers, strings, bools and None. Raises ArgumentError,
    naming the place, for anything else.

    >>> import minigrad as mg, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
    >>> save({"fc.weight": mg.tensor([1.0, 2.0])}, path)
    >>> load(path)
    {'fc.weight': tensor([1., 2.])}
    """
    arrays: dict[str, Array] = {}
    tree = _packed(obj, "", arrays)
    data = _safetensors().numpy.save(arrays, metadata={_TREE: json.dumps(tree)})
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def load(path: str | os.PathLike[str], map_location: Any = None, weights_only: bool = True) -> Any:
    """Return what `save` wrote to `path`; of a safetensors file from elsewhere, a dict of its tensors.

    `map_location` and `weights_only` are taken for the sake of programs that pass them; neither changes anything.
    Raises DataError if the file is damaged or is not safetensors.
    """
    safetensors = _safetensors()
    with open(path, "rb") as file:  # a file that is missing or closed to us is the system's own error
        start = file.read(2)
    try:
        with safetensors.safe_open(path, framework="numpy") as opened:
            arrays = {name: np.array(opened.get_tensor(name)) for name in opened.keys()}  # noqa: SIM118 - no mapping
            tree = json.loads((opened.metadata() or {}).get(_TREE, "null"))
        return {n: wrap(a) for n, a in arrays.items()} if tree is None else _unpacked(tree, arrays)
    except (safetensors.SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "; it looks like a pickle, which minigrad never opens: save it as safetensors" if _pickled(start) else ""
        raise DataError(f"{os.fspath(path)!r} is damaged or not a safetensors file ({error}){hint}") from error


def _pickled(start: bytes) -> bool:
    return start == b"PK" or start[:1] == b"\x80"


def _packed(value: Any, place: str, arrays: dict[str, Array]) -> Any:
    """Return `value` as JSON can hold it, with its tensors put into `arrays` under their dotted places."""
    if isinstance(value, Tensor | np.ndarray):
        name = place or "tensor"
        while name in arrays:  # {"a": {"b": x}, "a.b": y}
            name += "'"
        arrays[name] = np.array(value.detach() if isinstance(value, Tensor) else value, order="C")
        return {"tensor": name}
    if isinstance(value, dict):
        items = [[_packed(k, "", {}), _packed(v, _join(place, k), arrays)] for k, v in value.items()]
        return {"dict": items}
    if isinstance(value, list | tuple):
        parts = [_packed(v, _join(place, i), arrays) for i, v in enumerate(value)]
        return parts if isinstance(value, list) else {"tuple": parts}
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    fix = "; save its state_dict()" if hasattr(value, "state_dict") else ""
    raise ArgumentError(f"save: cannot write a {type(value).__name__} at {place or 'the top'!r}{fix}")


def _unpacked(tree: Any, arrays: dict[str, Array]) -> Any:
    """Return what `_packed` made the tree of."""
    if isinstance(tree, list):
        return [_unpacked(part, arrays) for part in tree]
    if not isinstance(tree, dict):
        return tree
    ((kind, inside),) = tree.items()
    if kind == "tensor":
        return wrap(arrays[inside])
    if kind == "dict":
        return {_unpacked(k, arrays): _unpacked(v, arrays) for k, v in inside}
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

"""Comparing a state dict with the module it is to be loaded into."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from minigrad.arraylike import Size
from minigrad.errors import StateDictError


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` returns: keys that the module has and the state dict lacks, and the reverse."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


def check_state(kind: str, own: Mapping[str, Any], given: Mapping[str, Any], strict: bool) -> IncompatibleKeys:
    """Return the keys too few and too many; raise StateDictError for these if `strict`, and for shapes that differ."""
    result = IncompatibleKeys([k for k in own if k not in given], [k for k in given if k not in own])
    problems = []
    if strict and result.missing_keys:
        problems.append(f"Missing key(s) in state_dict: {_quoted(result.missing_keys)}.")
    if strict and result.unexpected_keys:
        problems.append(f"Unexpected key(s) in state_dict: {_quoted(result.unexpected_keys)}.")
    for key in (k for k in own if k in given):
        if own[key].__class__.__name__.startswith("Uninitialized"):
            continue
        shape, wanted = getattr(given[key], "shape", None), tuple(own[key].shape)
        if shape is None:
            problems.append(f"{key}: expected a tensor in the state dict, got {type(given[key]).__name__}.")
        elif tuple(shape) != wanted:
            problems.append(
                f"size mismatch for {key}: copying a param with shape {Size(shape)} from checkpoint, "
                f"the shape in current model is {Size(wanted)}."
            )
    if problems:
        raise StateDictError(f"Error(s) in loading state_dict for {kind}:\n\t" + "\n\t".join(problems))
    return result


def _quoted(keys: list[str]) -> str:
    return ", ".join(f'"{key}"' for key in keys)

"""Rows as JSON and back: a file of them can be looked at, checked and compared where there is no model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

from minigrad.errors import ArgumentError
from minigrad.viz import rows as tables
from minigrad.viz.numbers import Numbers
from minigrad.viz.rows import Edge, Mark, Module, Node, Part, Rows, Saved, Step, Where

SCHEMA = "minigrad.graph/1"
_RECORDS = (Numbers, Edge, Mark, Module, Node, Part, Saved, Step, Where)
_ODD = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


def to_json(graph: Rows) -> str:
    """Return the rows as JSON: objects with the names of the fields, those with their default left out.

    Of numbers that JSON has not, the names stand there: "nan", "inf", "-inf". The same rows give the same text.
    """
    fields = {name: _plain(getattr(graph, name)) for name in Rows.__dataclass_fields__}
    return json.dumps({"schema": SCHEMA} | fields, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def from_json(text: str, kind: type[Any]) -> Any:
    """Return the rows, of the class `kind`, that `to_json` wrote. Raises ArgumentError for any other text."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ArgumentError(f"from_json: this is not JSON: {error}") from error
    schema = found.get("schema") if isinstance(found, dict) else None
    if schema != SCHEMA:
        raise ArgumentError(f"from_json: expected a graph of schema {SCHEMA!r}, got {schema!r}")
    hints = get_type_hints(Rows, vars(tables))
    try:
        return kind(**{name: _typed(found[name], hints[name]) for name in Rows.__dataclass_fields__ if name in found})
    except (KeyError, TypeError, ValueError) as error:
        raise ArgumentError(f"from_json: a field is missing or of another kind: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, _RECORDS):
        defaults = type(value)._field_defaults
        pairs = zip(value._fields, value, strict=True)
        return {k: _plain(v) for k, v in pairs if k not in defaults or v != defaults[k]}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float) and (value != value or value in (_ODD["inf"], _ODD["-inf"])):
        return str(value)
    return value


def _typed(value: Any, hint: Any) -> Any:
    """Return a value read from JSON as what `hint` says it is."""
    kinds = get_args(hint)
    if value is None or hint in (Any, int, bool):
        return value
    if hint in _RECORDS:
        hints = get_type_hints(hint)
        assert isinstance(value, Mapping)
        return hint(**{k: _typed(v, hints[k]) for k, v in value.items()})
    if isinstance(value, list):
        inner = next((k for k in kinds if get_args(k)), hint) if type(None) in kinds else hint
        return tuple(_typed(part, get_args(inner)[0]) for part in value)
    if isinstance(value, str) and value in _ODD and (hint is float or float in kinds):
        return _ODD[value]
    record = next((k for k in kinds if k in _RECORDS), None)
    return value if record is None else _typed(value, record)

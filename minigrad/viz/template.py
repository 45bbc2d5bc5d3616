"""Pages from templates: values put in their places, data that a script reads, and the file that is written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from minigrad import files


def filled(template: str, values: dict[str, str]) -> str:
    """Return the template with each `{{name}}` replaced, once, so that no value is taken for a place.

    >>> filled("<b>{{a}}</b>{{b}}", {"a": "{{b}}", "b": "!"})
    '<b>{{b}}</b>!'
    """
    pieces = template.split("{{")
    rest = (piece.partition("}}") for piece in pieces[1:])
    return sound(pieces[0] + "".join(values[name] + text for name, _, text in rest))


def script_data(data: Any) -> str:
    r"""Return data as JSON without a "<", which in HTML could end the element that it is in.

    >>> script_data(["</script>"])
    '["\\u003c/script>"]'
    """
    return sound(json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"))


def sound(text: str) -> str:
    """Return a text in which halves of surrogate pairs, which no file can hold, are question marks."""
    return text.encode("utf-8", "replace").decode()


def written(html: str, path: str | os.PathLike[str]) -> str:
    """Write a page into a file and return its path."""
    place = Path(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    files.write(place, html.encode())
    return str(place)

"""What a page tells of a graph, step by step, as plain data for its script: every text in it is ready to be shown."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from minigrad import viz
from minigrad.errors import MinigradError
from minigrad.graph import primitives
from minigrad.viz.dot import plain_title
from minigrad.viz.formulas import WORDS
from minigrad.viz.numbers import Numbers
from minigrad.viz.reading import operand
from minigrad.viz.rows import BACKWARD, DATA, FAILED, FORWARD, OP, Edge, Node, Part, Rows, Step, Where
from minigrad.viz.text import number

_DIGITS = 7  # enough for a float32


def story(rows: Rows, *, player: bool) -> dict[str, Any]:
    """Return nodes, edges, formulas and, for a player, steps; what is a default or not known is left out."""
    steps = steps_of(rows) if player else ()
    ops = sorted({node.op for node in rows.nodes if node.op})
    places: dict[Where, int] = {}
    return {
        "nodes": [node_facts(node, places) for node in rows.nodes],
        "lines": [[f"{PurePath(line.file).name}:{line.line} in {line.function}", line.code] for line in places],
        "edges": [edge_facts(edge) for edge in rows.edges],
        "formulas": (formulas := {op: lines for op in ops if (lines := formula(op))}),
        "words": words(line for lines in formulas.values() for line in lines),
        "inputs": {op: names for op in ops if len(names := operands(op)) > 1},
        "steps": _steps(steps, {node.id: exact(node.grad_stats) for node in rows.nodes if node.grad_stats}),
    }


def steps_of(rows: Rows) -> Sequence[Step]:
    """Return the steps that were recorded, and one for an op that failed; where none were, one for each op."""
    there = {node.id for node in rows.nodes}
    kept = [step for step in rows.steps if step.node in there]
    return kept + [Step(FORWARD, node.id) for node in rows.nodes if node.op and (not kept or node.kind == FAILED)]


def formula(op: str) -> list[str]:
    """Return the local derivatives of an op in the words of a blackboard, none where they are not known."""
    known = getattr(viz, "formula", None)
    if not callable(known):
        return []
    try:
        return [str(line) for line in known(op)]
    except (MinigradError, KeyError):
        return []


def words(lines: Iterable[str]) -> dict[str, str]:
    """Return what the words in formulas mean that are not NumPy's."""
    return {word: WORDS[word] for line in lines for word in re.findall(r"[A-Za-z_]\w*", line) if word in WORDS}


def operands(op: str) -> list[str]:
    """Return what an op calls its operands, as its formula does; none for an op that is not in the table."""
    known = primitives.get(op)
    return [] if known is None else [operand(known, i) for i in range(len(known.inputs))]


def node_facts(node: Node, lines: dict[Where, int]) -> dict[str, Any]:
    """Return what there is to say of a box; its line of the program as its place in `lines`, where it is entered.

    Names that every box has are short ones: kind, title, module (1: the title has it), shape, dtype, value, gradient.
    """
    title, path = plain_title(node), node.module
    kept = [saved.name for saved in node.saved]
    facts: dict[str, Any] = {
        "id": node.id,
        "k": node.kind if node.kind != OP else None,
        "t": title if title != node.op else None,
        "op": node.op,
        "m": path if path is None or not title.startswith(f"{path}.") else 1,
        "s": str(node.shape) if node.shape else None,
        "d": node.dtype if node.dtype != "float32" else None,
        "attrs": node.attrs,
        "v": node.stats and exact(node.stats),
        "g": node.grad_stats and exact(node.grad_stats),
        "at": None if node.where is None else lines.setdefault(node.where, len(lines)),
        "saved": kept and f"{', '.join(kept)}: {node.saved_bytes:,} bytes",
        "order": node.order,
        "error": node.error,
        "tag": node.mark and node.mark.tag,
        "holds": node.holds if node.holds > 1 else None,
    }
    return {key: value for key, value in facts.items() if value or key == "id" or (key == "at" and value is not None)}


def edge_facts(edge: Edge) -> list[Any]:
    """Return an edge as [tail, head, operand or kind], without an operand 0."""
    which = edge.operand if edge.kind == DATA else edge.kind
    return [edge.tail, edge.head] if which == 0 else [edge.tail, edge.head, which]


def _steps(steps: Sequence[Step], known: Mapping[int, str]) -> list[dict[str, Any]]:
    """Return the steps, without the gradients that are what is `known` of the box in the end.

    Those of the way back have parts. Of one that is not alone to come to its box there is also which it is, of how
    many, and what they are so far.
    """
    expected = Counter(part.tail for step in steps for part in step.parts)
    arrived: Counter[int] = Counter()
    found = []
    for step in steps:
        facts: dict[str, Any] = {"n": step.node}
        if step.kind == BACKWARD:
            if step.gradient is not None and (text := exact(step.gradient)) != known.get(step.node):
                facts["g"] = text
            parts = []
            for part in step.parts:
                arrived[part.tail] += 1
                parts.append(_part(part, arrived[part.tail], expected[part.tail], known.get(part.tail)))
            facts["p"] = parts
        if step.us is not None:
            facts["us"] = round(step.us, 1)
        found.append(facts)
    return found


def _part(part: Part, arrived: int, expected: int, known: str | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"t": part.tail} | ({"o": part.operand} if part.operand else {})
    if (text := exact(part.numbers)) != known:
        facts["v"] = text
    if part.summed:
        facts["s"] = str(part.numbers.shape)
    if expected > 1:
        facts |= {"i": arrived, "of": expected} | ({"c": text} if (text := exact(part.total)) != known else {})
    return facts


def exact(known: Numbers) -> str:
    """Return numbers with all digits of a float32 if they are few, else how large they are and what is odd about them.

    >>> import numpy as np
    >>> from minigrad.viz.numbers import numbers
    >>> exact(numbers(np.array([1 / 3, 2.0]))), exact(numbers(np.arange(20.0)))
    ('[0.3333333, 2]', 'rms 11.11 · 0 … 19 · 1 zero')
    """
    if known.data is not None:
        return _nested([_digits(value) for value in known.data], known.shape)
    odd = ((known.zeros, "zero"), (known.nans, "nan"), (known.infs, "inf"))
    parts = [] if known.rms is None else [f"rms {number(known.rms)}", f"{number(known.min)} … {number(known.max)}"]
    parts += [f"{count:,} {what}{'s' * (count != 1 and what == 'zero')}" for count, what in odd if count]
    return " · ".join(parts) or "[]"


def _digits(value: float | int | bool) -> str:
    return f"{value + 0:.{_DIGITS}g}" if isinstance(value, float) else str(value)


def _nested(values: list[str], shape: tuple[int, ...]) -> str:
    """Return texts as a list, a row of the last dim a line."""
    if not shape:
        return values[0]
    width = shape[-1]
    if not values:
        return "[]"
    return "\n".join(f"[{', '.join(values[i : i + width])}]" for i in range(0, len(values), width))


def headline(rows: Rows, player: bool) -> str:
    """Return what a page is called that was given no title."""
    model = next((module.kind for module in rows.modules if module.path == "" and module.kind), "")
    end = next((node.name for node in reversed(rows.nodes) if node.kind == "output" and node.name), "")
    what = " of ".join(part for part in (end, model) if part)
    return (f"Backpropagation, step by step: {what}" if player else f"Graph: {what}").removesuffix(": ")


def summary(rows: Rows) -> str:
    """Return in one sentence what was computed."""
    counts: Mapping[str, int] = {
        "op": sum(bool(node.op) for node in rows.nodes),
        "parameter": sum(node.kind == "param" for node in rows.nodes),
        "forward step": sum(step.kind == FORWARD for step in rows.steps),
        "backward step": sum(step.kind == BACKWARD for step in rows.steps),
    }
    return ", ".join(f"{count:,} {what}{'s' * (count != 1)}" for what, count in counts.items() if count) + "."

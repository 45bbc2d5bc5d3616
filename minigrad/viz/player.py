"""The player: a page that plays a computation, to be shown in a notebook or saved; and what makes one of a loss."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

import numpy as np

from minigrad import graph
from minigrad.errors import ArgumentError
from minigrad.graph import edge_facts, held
from minigrad.methods.place import edge_of
from minigrad.tensor import Tensor
from minigrad.viz import page, template
from minigrad.viz.numbers import Numbers
from minigrad.viz.numbers import numbers as known
from minigrad.viz.picture import Graph
from minigrad.viz.reading import history
from minigrad.viz.record import Recording
from minigrad.viz.replay import numbers

_BEFORE = "some .grad held a gradient already: backward added to it what is shown here"
_HEIGHT = 640  # pixels in a notebook


@dataclass(frozen=True, repr=False)
class Player:
    """A page that plays the steps of a `graph`: it shows itself in a notebook, `html` is its text, `save` writes it."""

    html: str = field(repr=False)
    graph: Graph

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write the page into one file, with all it needs in it, and return its path."""
        return template.written(self.html, path)

    def __repr__(self) -> str:
        return f"<Player: {len(page.steps_of(self.graph)):,} steps of {self.graph!r}>"

    def _repr_html_(self) -> str:
        """Return the page in a frame of its own, so that its names and styles do not meet those of a notebook."""
        style = f"width:100%;height:{_HEIGHT}px;border:1px solid #d5dbe1"
        return f'<iframe srcdoc="{escape(self.html)}" style="{style}" sandbox="allow-scripts"></iframe>'


def player(
    recording: Recording | Graph,
    path: str | os.PathLike[str] | None = None,
    *,
    speed: float = 1.0,
    quiz: bool = False,
    title: str | None = None,
) -> Player:
    """Return a player for a recording or a graph, and write its page if `path` is given.

    It shows the forward values op by op, and then each gradient rule: what came in, the local derivative, what goes
    along each edge, and the sum where a value was used more than once. `speed` is in steps per second; in a `quiz` the
    gradients are hidden until they are typed in. Of a graph that was not recorded it plays the forward steps. Raises
    ArgumentError for anything else.

    >>> import minigrad as mg
    >>> from minigrad import viz
    >>> w = mg.tensor(3.0, requires_grad=True)
    >>> with viz.record(names={"w": w}) as step:
    ...     (w * w).backward()
    >>> player(step)
    <Player: 3 steps of <Graph: 1 op, 1 parameter>>
    """
    shown = recording.graph() if isinstance(recording, Recording) else recording
    if not isinstance(shown, Graph):
        raise ArgumentError(f"player: expected a recording or a Graph, got {type(recording).__name__}")
    if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0 < speed < 1e4:
        raise ArgumentError(f"player: speed must be a positive number of steps per second, got {speed!r}")
    made = Player(page.page(shown, player=True, title=title, speed=speed, quiz=quiz), shown)
    if path is not None:
        made.save(path)
    return made


def backward_recorded(
    loss: Tensor, recording: Recording, called: Mapping[Any, str], retain_graph: bool | None
) -> Graph:
    """Run `loss.backward()` under a recording and return the graph, in which what came before is there as well.

    If a recording is running already that has seen the forward, its rows are the better ones, with lines and times.
    """
    place = loss if (edge := edge_of(loss)) is None else edge
    called = {place: loss.name or "loss", **called}
    running = graph.observer
    if isinstance(running, Recording) and running.reader.known_id(place) is not None:
        running.reader.rename(called)
        loss.backward(retain_graph=retain_graph)
        return running.graph()
    ends = {place: loss}
    order = history(ends)
    shown, _, notes = numbers(order, ends)
    has_before = any(isinstance(edge, Tensor) and edge.grad is not None for node in order for edge in node.edges)
    recording.reader.names = called
    said = [note for note in notes if "changed" in note]  # then what is at hand is not what was computed with
    recording.begin_with(order, ends, shown if shown or said else _at_hand(order, ends))
    with recording:
        loss.backward(retain_graph=retain_graph)
    found = recording.graph()
    return replace(found, notes=(*found.notes, *said, *[_BEFORE] * has_before))


def _at_hand(order: list[graph.Node], ends: Mapping[Any, Tensor]) -> dict[Any, Numbers]:
    """Return what is known of a graph too large to be computed again: leaves, results, and what is saved for backward.

    Arrays that were written to since are left out.
    """
    found = {place: known(tensor._data) for place, tensor in ends.items()}
    for node in order:
        for edge in node.edges:
            if isinstance(edge, Tensor) and edge not in found:
                found[edge] = known(edge._data)
        for saving, array, storage, version in held(node) if node.saved is not None else ():
            place = (node, saving.position) if saving.is_output else node.edges[saving.position]
            is_whole = isinstance(array, np.ndarray) and array.shape == edge_facts(place)[0]
            is_same = saving.position >= 0 and (storage is None or storage.version == version)
            if is_whole and is_same and place not in found:
                found[place] = known(array)
    return found

"""The Graph that users hold: rows, and what can be made of them."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minigrad import files
from minigrad.errors import ArgumentError, MinigradError
from minigrad.viz import collapse, dot, memory, render, stored
from minigrad.viz.rows import PARAM, Node, Rows

_MOST_DRAWN = 400  # nodes; more are folded before they are laid out


@dataclass(frozen=True, repr=False)
class Graph(Rows):
    """A drawn graph: immutable plain data (`nodes`, `edges`, `modules`), which holds no tensor and may be kept.

    In a notebook it shows itself. `source` is the DOT text; `render` writes a picture, `pipe` returns one; both
    first fold a graph of more than 400 nodes, and say so in the picture.

    >>> import minigrad as mg
    >>> from minigrad import viz
    >>> w = mg.tensor(3.0, requires_grad=True)
    >>> graph = viz.graph({"loss": w * w}, names={"w": w})
    >>> graph
    <Graph: 1 op, 1 parameter>
    >>> graph["w"].value, graph["w"].grad
    ('3', '6')
    """

    def __getitem__(self, key: str | int) -> Node:
        """Return the node of this name or id; raises KeyError if there is none."""
        for node in self.nodes:
            if key == (node.id if isinstance(key, int) else node.name):
                return node
        raise KeyError(f"no node {key!r} in the graph; named are {[n.name for n in self.nodes if n.name][:50]}")

    def __repr__(self) -> str:
        ops = sum(bool(node.op) for node in self.nodes)
        params = sum(node.kind == PARAM for node in self.nodes)
        counts = [f"{ops} op{'s' * (ops != 1)}"] + [f"{params} parameter{'s' * (params != 1)}"] * (params > 0)
        return f"<Graph: {', '.join(counts)}>"

    @property
    def source(self) -> str:
        """The DOT text of all nodes: the same for the same program, on every machine."""
        return dot.source(self)

    def to_json(self) -> str:
        """Return the graph as JSON text, of the schema "minigrad.graph/1": the same graph gives the same bytes."""
        return stored.to_json(self)

    @classmethod
    def from_json(cls, text: str) -> Graph:
        """Return the graph that `to_json` wrote. Raises ArgumentError for any other text.

        >>> import minigrad as mg
        >>> from minigrad import viz
        >>> graph = viz.graph(mg.ones(2, requires_grad=True).sum())
        >>> viz.Graph.from_json(graph.to_json()) == graph
        True
        """
        found: Graph = stored.from_json(text, cls)
        return found

    def collapse(self, max_nodes: int = _MOST_DRAWN) -> Graph:
        """Return the graph folded to at most `max_nodes` (at least 2) nodes, or itself if it has no more.

        Modules are folded first, the innermost before those around them; then runs of ops without a branch; then
        neighbours in the order of the program. A folded node tells what it stands for.
        """
        if max_nodes < 2:
            raise ArgumentError(f"collapse: max_nodes must be at least 2, got {max_nodes}")
        return collapse.collapse(self, max_nodes)

    def memory(self) -> memory.MemoryFilm:
        """Return what the graph keeps in memory for its backward, step by step; of a recorded graph.

        Raises ArgumentError if it was not recorded.

        >>> import minigrad as mg
        >>> from minigrad import viz
        >>> with viz.record() as step:
        ...     mg.ones(4, requires_grad=True).exp().square().sum().backward()
        >>> step.graph().memory().bytes  # exp() is kept, of 16 bytes, until the rule of exp has run
        (16, 16, 16, 16, 16, 0)
        """
        return memory.film(self)

    def pipe(self, format: str = "svg") -> bytes:
        """Return the picture as "svg", "png", "pdf", or as text, "dot".

        Raises MissingDependencyError where no Graphviz is found, ArgumentError for another format, MinigradError
        where Graphviz fails.
        """
        name = render.checked_format(format)
        drawn = self.collapse()
        return render.pipe(dot.source(drawn, dpi=render.PNG_DPI if name == "png" else None), name)

    def render(self, filename: str | os.PathLike[str], format: str | None = None, view: bool = False) -> str:
        """Write the picture into one file and return its path; `view` opens it where there is a screen.

        The format is that of the file name's suffix (svg if it has none). A `format` that differs from it is
        appended, as the graphviz package does. Errors are those of `pipe`.
        """
        path = Path(filename)
        name = render.checked_format(format or path.suffix[1:] or "svg")
        if path.suffix[1:].lower() != name:
            path = path.with_name(f"{path.name}.{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, self.pipe(name))
        if view:
            render.open_viewer(path)
        return str(path)

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, Any]:
        """Return what a notebook shows: the picture, and the text where there is no Graphviz."""
        try:
            return {"image/svg+xml": self.pipe("svg").decode(), "text/plain": repr(self)}
        except MinigradError as error:
            return {"text/plain": f"{self!r}\n{error}"}

"""The Graph that users hold: rows, and what can be made of them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, overload

from minigrad import files
from minigrad.errors import ArgumentError, MinigradError
from minigrad.viz import box, dot, memory, render, shape, stored, summary, textual
from minigrad.viz import diff as comparing
from minigrad.viz import health as doctor
from minigrad.viz import heat as heats
from minigrad.viz import nan as nans
from minigrad.viz.collapse import Origin, collapsed
from minigrad.viz.palette import PALETTES
from minigrad.viz.rows import PARAM, Node, Rows

_MOST_DRAWN = 400  # nodes; more are folded before they are laid out
# What writes the formats that DOT text is not, by their suffix.
_OTHERS = {".json": "to_json(path)", ".html": "to_html(path)"} | dict.fromkeys((".svg", ".png", ".pdf"), "render(path)")


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

    # What it was folded from; neither compared nor written to a file.
    origin: Origin | None = field(default=None, compare=False, repr=False, kw_only=True)

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

    # --- comparing, and other programs' forms ---

    def diff(self, other: Graph, *, values: bool = False) -> comparing.GraphDiff:
        """Return what differs between this graph and `other`, which is true where anything does.

        Compared are modules by their path and class, ops and their settings, shapes and dtypes, and what is computed
        from what; with `values` also the numbers of values and gradients. Raises ArgumentError if `other` is no Graph.

        >>> import minigrad as mg
        >>> from minigrad import viz
        >>> x = mg.ones(2, requires_grad=True)
        >>> print(viz.graph(x.exp().sum()).diff(viz.graph(x.exp().tanh().sum())))
        + tanh (2,)
        """
        if not isinstance(other, Graph):
            raise ArgumentError(f"diff: other must be a Graph, got {type(other).__name__}")
        return comparing.diff(self, other, values)

    def to_model_explorer(self, label: str = "minigrad") -> dict[str, Any]:
        """Return the graph as a graph collection of Model Explorer, to be written with `json.dump`.

        Modules are its namespaces; what is known of a node are its attributes.
        """
        from minigrad.viz import explorer

        return explorer.collection(self, label)

    @property
    def visual_graph(self) -> Graph:
        """The graph itself: where torchview has the picture."""
        return self

    # --- files ---

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return the graph as JSON text, and write it if `path` is given, for `python -m minigrad.viz` to show.

        The schema is "minigrad.graph/1", and the same graph gives the same bytes.
        """
        text = stored.to_json(self)
        if path is not None:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            files.write(Path(path), text.encode())
        return text

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

    # --- shape ---

    def collapse(
        self,
        depth: int | None = None,
        *,
        paths: Collection[str] = (),
        keep: Collection[str] = (),
        repeats: bool = True,
        max_nodes: int = _MOST_DRAWN,
    ) -> Graph:
        """Return the graph folded by modules, to at most `max_nodes` (at least 2) boxes; itself if nothing is to fold.

        With `depth`, every module that deep is one box (0: the model itself is); `paths` are modules to close whatever
        their depth, `keep` modules to leave open. If there are still too many boxes, modules are folded from the
        innermost on, then runs of ops without a branch, then neighbours in the order of the program. With `repeats`,
        closed modules alike that follow upon each other are one box, "×12". A folded box tells what it stands for.
        Raises ArgumentError for a path that no module has.
        """
        if max_nodes < 2 or (depth is not None and depth < 0):
            raise ArgumentError(f"collapse: max_nodes must be at least 2, depth at least 0, got {max_nodes}, {depth}")
        if depth is None and not paths and len(self.nodes) <= max_nodes:
            return self
        closed, kept = ((one,) if isinstance(one, str) else tuple(one) for one in (paths, keep))
        shape.known_paths(self._origin.graph, (*closed, *kept), "collapse")
        return self._seen(collapsed(self._origin, depth, closed, kept, repeats, max_nodes))

    def expand(self, *paths: str) -> Graph:
        """Return the graph with these folded modules open by one level (and those around them); all, without `paths`.

        What `fold` made is opened by its name. Raises ArgumentError for a path that no module has. A graph that was
        read from a file knows nothing of what was folded in it.
        """
        return self._seen(shape.expanded(self._origin, paths))

    def focus(self, path: str, *, context: int = 1) -> Graph:
        """Return the part of the graph in the module or node `path`, and what is at most `context` ops around it.

        Raises ArgumentError if there is no such module or node.
        """
        return self._seen(shape.focused(self._origin, self, path, context))

    def fold(self, pattern: str, name: str) -> Graph:
        """Return the graph with every run that matches `pattern`, as "conv > batchnorm > relu", as one box `name`.

        The parts are names of ops or classes of modules, without regard to case, underscores and "2d"; `*` stands for
        anything. A run has no branch: each part alone uses the one before. Raises ArgumentError if nothing matches.
        """
        return self._seen(shape.patterned(self._origin, pattern, name))

    def hide(self, kinds: Collection[str] = ("const", "view")) -> Graph:
        """Return the graph without nodes of these kinds: "const", "input", "param", "view" (reshape and such), or ops.

        Edges lead past what is hidden, so what depends on what can still be seen. Raises ArgumentError for others.
        """
        return self._seen(shape.hidden(self._origin, self, (kinds,) if isinstance(kinds, str) else tuple(kinds)))

    def label(self, *fields: str) -> Graph:
        """Return the graph with boxes that show these fields; without any, the usual ones.

        Fields are "name", "op", "attrs", "shape", "dtype", "value", "grad", "error" (these are the usual ones),
        "params", "bytes", "flops", "saved", "source", "time", "module" and "stats". What is not known is not shown.
        Raises ArgumentError for another field.
        """
        for one in fields:
            if one not in box.FIELDS:
                raise ArgumentError(f"label: fields are {', '.join(map(repr, box.FIELDS))}, got {one!r}")
        return replace(self, labels=tuple(dict.fromkeys(fields)))

    def theme(self, name: str = "light", rankdir: str | None = None, **attrs: object) -> Graph:
        """Return the graph in the colours of a theme, "light", "dark" or "print" (black and white).

        `rankdir` is "TB" (top to bottom), "LR", "BT" or "RL"; `attrs` are further settings of Graphviz for the graph,
        as `nodesep=0.5`. Raises ArgumentError for another theme or direction.
        """
        if name not in PALETTES:
            raise ArgumentError(f"theme: name must be one of {', '.join(map(repr, PALETTES))}, got {name!r}")
        if rankdir not in (None, "TB", "LR", "BT", "RL"):
            raise ArgumentError(f"theme: rankdir must be 'TB', 'LR', 'BT' or 'RL', got {rankdir!r}")
        more = tuple((dict(self.attrs) | {key: str(value) for key, value in attrs.items()}).items())
        return replace(self, palette=name, rankdir=rankdir or self.rankdir, attrs=more)

    def to_text(self, *, width: int | None = None, color: bool | str = "auto", unicode: bool = True) -> str:
        """Return the graph as text, a line for each op, with lanes for what flows from op to op.

        `width` is that of the terminal, 80 columns where there is none. `color` is "auto" (only on a terminal, and
        never if NO_COLOR is set), True or False; `unicode=False` uses only ASCII for the lines. A graph of more than
        400 nodes is folded first.

        >>> import minigrad as mg
        >>> from minigrad import viz
        >>> h = mg.tensor([1.0, 2.0], requires_grad=True) * 2
        >>> print(viz.graph(h + h.exp(), values=None).to_text(width=40))
        ●    mul  param                      (2)
        ├─●  exp                             (2)
        ●─╯  add  output                     (2)
        """
        return textual.text(self.collapse(), width=width, color=color, unicode=unicode)

    def __str__(self) -> str:
        return self.to_text(unicode=textual.can_print())

    def summary(self, *, depth: int | None = None, width: int = 80) -> str:
        """Return a table of the modules: class, shape of what each returns, parameters, bytes, FLOPs; and the totals.

        `depth` leaves deeper modules out of the table (their figures count for the one around them). What is shared,
        a module called twice or a tied weight, is counted once. FLOPs are those of forward, by the convention of
        `viz.flops`: a multiply-add counts 2. Bytes are those of the values that a module computes; below the table
        stands how many bytes are kept for backward, of values, inputs and parameters.
        """
        return summary.table(self, depth, width)

    @property
    def _origin(self) -> Origin:
        """What this was folded from, itself if it was not; with the marks that were made since."""
        if self.origin is None:
            return Origin(self, tuple(node.id for node in self.nodes))
        marks = {node.id: node.mark for node in self.nodes if node.holds == 1}
        nodes = tuple(n._replace(mark=marks.get(n.id, n.mark)) for n in self.origin.graph.nodes)
        return Origin(replace(self.origin.graph, nodes=nodes), self.origin.keys)

    def _seen(self, origin: Origin) -> Graph:
        """Return the picture that `origin` says, in the style of this one and with its marks."""
        rows = origin.rows()
        whole = all(isinstance(key, int) for key in origin.keys)
        marks = {(node.id, node.holds): node.mark for node in self.nodes}
        nodes = tuple(n._replace(mark=marks.get((n.id, n.holds), n.mark)) for n in rows.nodes)
        notes = [note for note in self.notes if not note.startswith(("folded:", "not shown:"))]
        total = sum(node.holds for node in origin.graph.nodes)
        shown = sum(node.holds for node in nodes)
        if shown != len(nodes):
            notes.append(f"folded: {len(nodes)} boxes stand for {shown:,} nodes")
        if shown != total:
            notes.append(f"not shown: {total - shown:,} of {total:,} nodes")
        return replace(
            self,
            nodes=nodes,
            edges=rows.edges,
            modules=rows.modules,
            steps=rows.steps,
            notes=tuple(notes),
            origin=None if whole else origin,
        )

    # --- answers ---

    def heat(
        self, by: heats.By = "grad", *, scale: str = "log", vmin: float | None = None, vmax: float | None = None
    ) -> Graph:
        """Return the graph with its boxes coloured by a number, which stands in the box; the scale is said below.

        `by` is "grad" or "value" (root mean square), "time" or "backward_time", "bytes" (of the result), "saved"
        (bytes kept for the backward), "flops" (estimated), a function of a Node that returns a number or None, or a
        mapping from ids, names or modules to numbers. Blue is little, white the middle, orange much; times, bytes and
        work go from white to orange. `vmin` and `vmax` are the ends of the scale, by default the smallest and largest
        number. Raises ArgumentError for another `by` or `scale`, and for negative numbers on a "log" scale.

        >>> import minigrad as mg
        >>> from minigrad import viz
        >>> w = mg.tensor([1.0, 2.0], requires_grad=True)
        >>> viz.graph((w * w).sum(), names={"w": w}).heat()["w"].mark
        Mark(fill='#ffddb8', tag='grad rms 3.162')
        """
        return heats.heat(self, by, scale, vmin, vmax)

    def health(self, *, vanish: float = 1e-7, explode: float = 1e4) -> doctor.Health:
        """Return whether training is well: `.verdict`, `.ok`, `.findings` (which module, since which line, numbers).

        The verdict is "ok", "vanishing" (a parameter's gradient has a root mean square below `vanish`, and below a
        thousandth of the largest), "exploding" (one above `explode`, or an overflow), "nan", "dead" (a ReLU gives
        next to nothing but 0), "saturated" (a sigmoid or tanh is flat where it is used), or "unknown" without
        gradients. The report as text says it all; its `.graph` is painted.

        >>> import minigrad as mg
        >>> from minigrad import viz
        >>> w = mg.tensor([1.0, 2.0], requires_grad=True)
        >>> viz.graph((w * w).sum()).health().verdict
        'ok'
        """
        return doctor.health(self, vanish, explode)

    def nan(self) -> nans.NanReport:
        """Return where nan comes from: `.origin`, `.born` ("forward" or "backward"), `.where`, `.path`, `.graph`.

        The report is false if all is finite; as text it says all of it. It needs the numbers of a recording, or of a
        tiny graph.

        >>> import minigrad as mg
        >>> from minigrad import viz
        >>> x = mg.tensor([-1.0], requires_grad=True)
        >>> report = viz.graph(x.log().sum()).nan()
        >>> report.origin.op, report.born
        ('log', 'forward')
        """
        return nans.nan(self)

    # --- pictures ---

    @overload
    def pipe(self, format: str = "svg", *, engine: str = "auto", encoding: None = None) -> bytes: ...

    @overload
    def pipe(self, format: str = "svg", *, engine: str = "auto", encoding: str) -> str: ...

    def pipe(self, format: str = "svg", *, engine: str = "auto", encoding: str | None = None) -> bytes | str:
        """Return the picture as "svg", "png", "pdf", or as text, "dot"; a str if an `encoding` is given.

        `engine` is "auto", or one of "dot", "pygraphviz" and "graphviz-pure". Raises MissingDependencyError where no
        Graphviz, or not the one asked for, is found, ArgumentError for another format, MinigradError where Graphviz
        fails.
        """
        picture = self._pipe(format, engine)
        return picture if encoding is None else picture.decode(encoding)

    def _pipe(self, format: str, engine: str = "auto") -> bytes:
        name = render.checked_format(format)
        drawn = self.collapse()
        return render.pipe(dot.source(drawn, dpi=render.PNG_DPI if name == "png" else None), name, engine=engine)

    def render(
        self,
        filename: str | os.PathLike[str] | None = None,
        directory: str | os.PathLike[str] | None = None,
        view: bool = False,
        cleanup: bool = True,
        format: str | None = None,
        *,
        outfile: str | os.PathLike[str] | None = None,
        engine: str = "auto",
    ) -> str:
        """Write the picture into one file and return its path; `view` opens it where there is a screen.

        The arguments are those of the graphviz package, but for `engine` (see `pipe`). `filename` is "graph" without
        one, in `directory` if that is given; its suffix is the format (svg if it has none), and a `format` that
        differs from the suffix is appended. `outfile` is the whole path, its suffix the format. `cleanup=False` leaves
        the DOT text beside the picture, under the same name with the suffix ".gv". Errors are those of `pipe`.
        """
        path, name = render.target(filename, directory, format, outfile)
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, self._pipe(name, engine))
        if not cleanup and name not in ("dot", "gv"):
            self.save(path.with_suffix(".gv"))
        if view:
            render.open_viewer(path)
        return str(path)

    def save(
        self, filename: str | os.PathLike[str] | None = None, directory: str | os.PathLike[str] | None = None
    ) -> str:
        """Write the DOT text of all nodes into a file, "graph.gv" without a `filename`, and return its path.

        Raises ArgumentError for the suffix of another format, such as .json, .html or .png.
        """
        path = Path(directory or "") / (filename or "graph.gv")
        if path.suffix.lower() in _OTHERS:
            raise ArgumentError(
                f"save writes DOT text, not {path.suffix[1:]}; {_OTHERS[path.suffix.lower()]} writes that"
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, self.source.encode())
        return str(path)

    def view(self) -> str:
        """Write the picture to a temporary file, show it where there is a screen, and return its path.

        It never raises: without Graphviz it prints the text drawing and why, and returns the path of the DOT text.
        """
        folder = tempfile.mkdtemp(prefix="minigrad-")
        try:
            return self.render(Path(folder) / "graph.svg", view=True)
        except MinigradError as error:
            print(f"{self}\n{error}")
            return self.save("graph.gv", folder)

    # --- page ---

    def to_html(
        self, path: str | os.PathLike[str] | None = None, *, player: bool = False, title: str | None = None
    ) -> str:
        """Return one HTML page with the picture in it, to move, zoom and search, and write it if `path` is given.

        With `player` it also plays the steps. Everything is in the file, nothing is fetched; without JavaScript the
        picture is there; without Graphviz, tables are. More than 400 nodes are folded.
        """
        from minigrad.viz import page, template

        text = page.page(self, player=player, title=title)
        if path is not None:
            template.written(text, path)
        return text

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, Any]:
        """Return what a notebook shows: the picture, and the graph as text, alone where there is no Graphviz."""
        text = self.to_text(width=textual.PLAIN_WIDTH, color=False)
        try:
            bundle = {"image/svg+xml": self._pipe("svg").decode(), "text/plain": text}
        except MinigradError as error:
            bundle = {"text/plain": f"{text}\n{error}"}
        return {kind: bundle[kind] for kind in bundle if kind in (include or bundle) and kind not in (exclude or ())}

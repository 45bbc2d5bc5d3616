"""A training run over its steps: how large weights, gradients and updates are, and which units are dead; as one file.

The model is known by its `named_parameters()` alone; which outputs of a ReLU are 0 is seen by standing around its ops.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from html import escape
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from minigrad import graph
from minigrad.dtypes import Array
from minigrad.errors import ArgumentError
from minigrad.graph import Op, array_of
from minigrad.viz import plots
from minigrad.viz.template import filled, script_data, written
from minigrad.viz.text import number

GRAD, WEIGHT, UPDATE, DEAD, VALUE = "grad_rms", "weight_rms", "update_ratio", "dead", "value"
STATS = (GRAD, UPDATE, DEAD, WEIGHT)
DEFAULT = (GRAD, UPDATE, DEAD)
_MEANING = {
    VALUE: "what was handed to step()",
    GRAD: "root mean square of the gradient",
    UPDATE: "root mean square of the last update, as a part of that of the weights before it",
    DEAD: "part of the units of a ReLU that are 0 for every sample of the step",
    WEIGHT: "root mean square of the weights",
}
_DIGITS = 6  # significant digits that are kept of a number, in memory as in the file
_PAGE = Path(__file__).with_name("timeline.html")


class Track(NamedTuple):
    """One line of a timeline: a number of one parameter or ReLU at each of `Timeline.steps`; None where unknown."""

    name: str
    stat: str
    values: tuple[float | None, ...]


class Timeline(graph.Observer):
    """Numbers of a training run, step by step: plain data, which keeps no tensor alive but the model's own.

    Call `step()` after each `optimizer.step()`, before gradients are set to zero. Within `with` the dead units are
    measured as well. See `minigrad.viz.timeline`.
    """

    def __init__(self, model: Any, every: int, stats: Collection[str]) -> None:
        self.steps: list[int] = []
        self._model, self._every, self._stats = model, every, tuple(stats)
        self._lines: dict[tuple[str, str], dict[int, float | None]] = {}
        self._count, self._before = 0, dict[str, Array]()
        self._alive: dict[str, Array] = {}  # by the name of a ReLU: which units were not 0 in this step
        self._calls: Counter[str] = Counter()
        self._hooks: list[Any] = []
        self._is_running = not hasattr(model, "register_forward_pre_hook")
        self._keep_weights()

    def __enter__(self) -> Self:
        if DEAD in self._stats:
            self.inner = graph.observe(None)
            graph.observe(self)
            if hasattr(self._model, "register_forward_pre_hook"):
                self._hooks = [
                    self._model.register_forward_pre_hook(lambda *_: self._run(True)),
                    self._model.register_forward_hook(lambda *_: self._run(False), always_call=True),
                ]
        return self

    def __exit__(self, *_: object) -> None:
        if DEAD in self._stats:
            graph.observe(self.inner)
            self.inner = None
        for hook in self._hooks:
            hook.remove()
        self._hooks = []

    def __getitem__(self, key: tuple[str, str]) -> tuple[float | None, ...]:
        """Return the values of a name and a stat, as `timeline["fc.weight", "grad_rms"]`; KeyError if none are."""
        if key not in self._lines:
            raise KeyError(
                f"the timeline has no {key!r}; there are {', '.join(map(repr, self._lines)) or 'no values yet'}"
            )
        line = self._lines[key]
        return tuple(line.get(step) for step in self.steps)

    def __repr__(self) -> str:
        return f"<Timeline: {len(self.steps)} steps, {len(self._lines)} tracks>"

    @property
    def tracks(self) -> tuple[Track, ...]:
        """All lines, in the order of the names; those of `step(loss=...)` first."""
        names = list(dict.fromkeys(name for name, _ in self._lines))
        keys = sorted(self._lines, key=lambda key: (key[1] != VALUE, names.index(key[0])))
        return tuple(Track(*key, self[key]) for key in keys)

    def step(self, **values: float) -> None:
        """Say that a step is done, and keep its numbers if it is one of the `every`-th; `values` are kept too."""
        self._count += 1
        if self._count % self._every == 0:
            self.steps.append(self._count)
            for name, value in values.items():
                self._keep(name, VALUE, float(value))
            for name, p in self._model.named_parameters():
                self._measure(name, p)
            for name, alive in self._alive.items():
                self._keep(name, DEAD, 1 - float(alive.mean()) if alive.size else None)
        self._alive.clear()
        self._calls.clear()
        if self._is_next_kept():
            self._keep_weights()

    # --- what is measured ---

    def forward(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], call: Callable[[], Any]) -> Any:
        """Run an op, and look which outputs are 0 if it is a ReLU of the model in a step that counts."""
        output = super().forward(op, inputs, attrs, call)
        if op.name == "relu" and self._is_running and graph.recording.get() and self._is_next_kept():
            self._look(array_of(output))
        return output

    def _look(self, array: Array) -> None:
        scope = graph.scope.get()
        path = "" if scope is None else scope.path
        place = path if scope is not None and scope.kind == "ReLU" else f"{path}.relu" if path else "relu"
        self._calls[place] += 1
        name = place if self._calls[place] == 1 else f"{place}@{self._calls[place]}"
        alive = (array != 0).any(0) if array.ndim else array != 0
        before = self._alive.get(name)
        self._alive[name] = alive if before is None or before.shape != alive.shape else before | alive

    def _run(self, is_running: bool) -> None:
        """Take note that a call of the model begins or ends: what runs besides it is not the model's."""
        self._is_running = is_running
        self._calls.clear()

    def _is_next_kept(self) -> bool:
        return (self._count + 1) % self._every == 0

    def _keep_weights(self) -> None:
        if UPDATE in self._stats and self._is_next_kept():
            self._before = {name: array_of(p).copy() for name, p in self._model.named_parameters()}

    def _measure(self, name: str, p: Any) -> None:
        array = array_of(p)
        if GRAD in self._stats:
            self._keep(name, GRAD, None if p.grad is None else _rms(array_of(p.grad)))
        if UPDATE in self._stats:
            self._keep(name, UPDATE, _ratio(array, self._before.get(name)))
        if WEIGHT in self._stats:
            self._keep(name, WEIGHT, _rms(array))

    def _keep(self, name: str, stat: str, value: float | None) -> None:
        short = None if value is None else float(f"{value:.{_DIGITS}g}")
        self._lines.setdefault((name, stat), {})[self._count] = short

    # --- what is made of it ---

    def plot(self, stat: str = GRAD, *, ax: Any = None) -> Any:
        """Draw the lines of one stat with matplotlib, and return the Axes.

        Raises ArgumentError if there are none, MissingDependencyError without matplotlib.
        """
        lines = {t.name: [math.nan if v is None else v for v in t.values] for t in self.tracks if t.stat == stat}
        if not self._lines:
            raise ArgumentError("plot: no step was kept yet; call step() after each optimizer.step()")
        if not lines:
            raise ArgumentError(f"plot: there is no {stat!r}; there are {sorted({s for _, s in self._lines})}")
        log = stat not in (DEAD, VALUE)
        return plots.curves(lines, x=self.steps, xlabel="step", ylabel=stat, log=log, ax=ax)

    def to_html(self, path: str | os.PathLike[str] | None = None, *, title: str = "Training, step by step") -> str:
        """Return one HTML page with all lines and a slider over the steps, and write it if `path` is given.

        Everything is in the file and nothing is fetched; without JavaScript the numbers of the last step are there.
        The same numbers give the same bytes.
        """
        tracks = self.tracks
        data = {"steps": self.steps, "tracks": [[t.name, t.stat, [_plain(v) for v in t.values]] for t in tracks]}
        values = {"title": escape(title), "tables": "\n".join(_tables(tracks)), "data": script_data(data)}
        page = filled(_PAGE.read_text(encoding="utf-8"), values)
        if path is not None:
            written(page, path)
        return page


def timeline(model: Any, every: int = 1, stats: Collection[str] = DEFAULT) -> Timeline:
    """Return what keeps numbers of every `every`-th step of a training loop, for each parameter of `model`.

    `stats` are of "grad_rms" (the size of the gradient), "update_ratio" (that of the update, in relation to the
    weights: about 1e-3 is usual), "dead" (part of a ReLU's units that are 0 for all samples, measured within `with`)
    and "weight_rms". Raises ArgumentError for arguments of another kind.

    >>> import minigrad as mg
    >>> from minigrad import nn, optim, viz
    >>> model = nn.Linear(1, 1, bias=False)
    >>> optimizer = optim.SGD(model.parameters(), lr=0.1)
    >>> with viz.timeline(model) as run:
    ...     for _ in range(3):
    ...         optimizer.zero_grad()
    ...         loss = (model(mg.ones(1, 1)) * 2).sum()
    ...         loss.backward()
    ...         optimizer.step()
    ...         run.step(loss=loss.item())
    >>> run["weight", "grad_rms"], run
    ((2.0, 2.0, 2.0), <Timeline: 3 steps, 3 tracks>)
    """
    if not hasattr(model, "named_parameters"):
        raise ArgumentError(f"timeline: model must be a Module, with named_parameters(), got {type(model).__name__}")
    if not isinstance(every, int) or every < 1:
        raise ArgumentError(f"timeline: every must be a whole number from 1 on, got {every!r}")
    if isinstance(stats, str) or not set(stats) <= set(STATS):
        raise ArgumentError(f"timeline: stats must be among {', '.join(map(repr, STATS))}, got {stats!r}")
    return Timeline(model, every, stats)


def _rms(array: Array) -> float | None:
    if not array.size:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.sqrt(np.mean(np.square(array, dtype=np.float64))))


def _ratio(after: Array, before: Array | None) -> float | None:
    """Return how large an update is beside the weights before it; None where those are 0 or not known."""
    size = None if before is None else _rms(before)
    change = None if before is None or not size else _rms(after.astype(np.float64) - before)
    return None if change is None or not size else change / size


def _plain(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else str(value)


def _tables(tracks: tuple[Track, ...]) -> Iterator[str]:
    """Yield a table for each stat, with the numbers of the last step; the page adds lines and moves through them."""
    for stat in (VALUE, *STATS):
        rows = [(i, t) for i, t in enumerate(tracks) if t.stat == stat]
        if rows:
            yield f'<table class="{stat}"><caption><b>{stat}</b> {_MEANING[stat]}<span></span></caption>'
            for i, t in rows:
                last = t.values[-1] if t.values else None
                shown = "not known" if last is None else number(last)
                yield f'<tr><th>{escape(t.name)}</th><td class="n" id="t{i}">{shown}</td><td id="l{i}"></td></tr>'
            yield "</table>"

"""`python -m minigrad.viz`: look at, check and compare recorded runs (files of `Graph.to_json`) without the model.

Exit codes: 0 fine, 2 an error; `check` 3 if it found what it is to fail on, `diff` 1 if the graphs differ.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from minigrad.errors import ArgumentError, MinigradError
from minigrad.viz import render
from minigrad.viz.layout import UNLOADABLE
from minigrad.viz.picture import Graph

PICTURES = ("svg", "png", "pdf", "dot")
FINDINGS = ("nan", "vanishing", "exploding", "dead", "saturated")
_ENGINES = {
    "dot": "the program of Graphviz: `apt install graphviz`, `brew install graphviz`, or graphviz.org/download",
    "pygraphviz": "Graphviz as a wheel: `pip install 'pygraphviz>=2'`",
    "graphviz-pure": "needs nothing of the system, has one font, draws no pdf: `pip install graphviz-pure`",
}
_PROBE = 'digraph { graph [fontname="Arial"]; a [label="a"]; a -> b }'
_PROBE_SECONDS = 20.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what fonts there are is of no concern here
            code: int = options.run(options)
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (MinigradError, OSError, UnicodeDecodeError) as error:
        print(f"minigrad.viz: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m minigrad.viz", description=(__doc__ or "").strip())
    commands = parser.add_subparsers(title="commands", required=True, metavar="{doctor,show,check,diff}")
    doctor = commands.add_parser("doctor", help="which engines there are, and what each draws here")
    doctor.set_defaults(run=_doctor)

    show = commands.add_parser("show", help="show a run, as text if nothing else is asked for")
    show.add_argument("file", help="what Graph.to_json wrote; - reads standard input")
    show.add_argument("--text", action="store_true", help="print the graph as text")
    for name in PICTURES:
        show.add_argument(f"--{name}", metavar="OUT", help=f"write a {name} file; - writes to standard output")
    show.add_argument("--html", metavar="OUT", help="write one page, with the steps to play if they were recorded")
    show.add_argument("--depth", type=int, metavar="N", help="fold modules deeper than N; 0 is the model itself")
    show.add_argument("--heat", metavar="BY", help="colour by grad, value, time, backward_time, bytes, saved or flops")
    show.set_defaults(run=_show)

    check = commands.add_parser("check", help="say whether the run is healthy; exit 3 if it is not")
    check.add_argument("file", help="what Graph.to_json wrote; - reads standard input")
    check.add_argument("--fail-on", default="nan,vanishing,exploding", metavar="KINDS", help="by default %(default)s")
    check.add_argument("--vanish", type=float, metavar="RMS", help="a gradient below this vanishes")
    check.add_argument("--explode", type=float, metavar="RMS", help="a gradient above this explodes")
    check.set_defaults(run=_check)

    diff = commands.add_parser("diff", help="say what differs between two runs; exit 1 if anything does")
    diff.add_argument("before")
    diff.add_argument("after")
    diff.add_argument("--values", action="store_true", help="compare values and gradients too")
    for name in ("svg", "html"):
        diff.add_argument(f"--{name}", metavar="OUT", help=f"write the picture of both as {name}")
    diff.set_defaults(run=_diff)
    return parser


def _read(file: str) -> Graph:
    text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    try:
        return Graph.from_json(text)
    except ArgumentError as error:
        raise ArgumentError(f"{file}: {error}") from error


def _say(text: str) -> None:
    """Print text, with ? for what the output cannot show."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding))


# --- show, check, diff ---


def _show(options: argparse.Namespace) -> int:
    graph: Any = _read(options.file)
    if options.heat is not None:
        graph = graph.heat(options.heat)
    if options.depth is not None:
        graph = graph.collapse(depth=options.depth)
    outputs = {name: getattr(options, name) for name in PICTURES if getattr(options, name) is not None}
    if options.text or not (outputs or options.html):
        _say(graph.to_text(unicode=_has_lines()))
    for name, target in outputs.items():
        _write(graph.source.encode() if name == "dot" else graph.pipe(name), target)
    if options.html is not None:
        _write(graph.to_html(player=bool(graph.steps)).encode(), options.html)
    return 0


def _has_lines() -> bool:
    """Return whether the output can show the lines that the text drawing is made of."""
    try:
        "├─╯●○◆│┊…×".encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _write(data: bytes, target: str) -> None:
    if target == "-":
        sys.stdout.buffer.write(data)
        return
    path = Path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _check(options: argparse.Namespace) -> int:
    wanted = [kind for kind in options.fail_on.replace(" ", "").split(",") if kind]
    unknown = [kind for kind in wanted if kind not in FINDINGS]
    if unknown:
        raise ArgumentError(f"--fail-on: {unknown[0]!r} is none of {', '.join(FINDINGS)}")
    graph: Any = _read(options.file)
    limits = {name: getattr(options, name) for name in ("vanish", "explode") if getattr(options, name) is not None}
    health = graph.health(**limits)
    if health.verdict == "unknown":
        raise ArgumentError(f"{options.file}: {health}")
    _say(str(health))
    return 3 if any(finding.kind in wanted for finding in health.findings) else 0


def _diff(options: argparse.Namespace) -> int:
    found = _read(options.before).diff(_read(options.after), values=options.values)
    _say(found.to_text())
    graph: Any = found.graph
    if options.svg is not None:
        _write(graph.pipe("svg"), options.svg)
    if options.html is not None:
        _write(graph.to_html(title=f"{options.before} → {options.after}").encode(), options.html)
    return int(bool(found))


# --- doctor ---


def _doctor(options: argparse.Namespace) -> int:
    try:
        found = render.engines()
    except MinigradError:
        found = []
    tried = {name: _tried(name) for name in found}
    used = next((name for name in found if tried[name].loads), None)
    for name, about in _ENGINES.items():
        if name not in tried:
            _say(f"{name:14} not found; {about}")
        elif not tried[name].draws:
            _say(f"{name:14} is here but does not work: {tried[name].said}")
        else:
            _say(f"{name:14} draws {', '.join(tried[name].draws)}{' (the one that is used)' * (name == used)}")
    _say("without any    text, dot, json, and html with the text drawing, the tables and the steps")
    if used is None:
        _say("No engine works here: pictures (svg, png, pdf) need one of these.")
    elif not tried[used].draws:
        _say(f"No picture can be drawn: {used} comes first, and fails.")
    return 0


class Trial(NamedTuple):
    """The formats that an engine draws, whether it can be loaded, and the last line of what it said if it failed."""

    draws: list[str]
    loads: bool
    said: str


def _tried(engine: str) -> Trial:
    """Return what an engine does with a small graph."""
    draws, said, loads = [], "", True
    for picture in ("svg", "png", "pdf"):
        code, out, errors = render._draw(engine, _PROBE, picture, _PROBE_SECONDS)
        if code == 0 and out:
            draws.append(picture)
        else:
            said = (errors.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
            loads = loads and code != UNLOADABLE
    return Trial(draws, loads, said)


if __name__ == "__main__":
    sys.exit(main())

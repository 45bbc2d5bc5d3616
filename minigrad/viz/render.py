"""Laying out with Graphviz: which engine there is, the process it runs in, and the file that is written."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from minigrad.errors import ArgumentError, MinigradError, MissingDependencyError
from minigrad.viz.dot import FONT
from minigrad.viz.layout import UNLOADABLE

FORMATS = ("svg", "png", "pdf", "dot", "gv")
TIME_LIMIT = 60.0  # seconds
PNG_DPI = 144
ENGINES = ("dot", "pygraphviz", "graphviz-pure")
_TEXT = ("dot", "gv")
_UNLOADABLE = (
    "its libraries cannot be loaded here, `pip install graphviz-pure` or `apt install graphviz` draws without them: "
)
_FACES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")
_FONTS_CONF = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{folder}</dir>
  <cachedir>{folder}</cachedir>
  <include ignore_missing="yes">{system}</include>
</fontconfig>
"""


def engines() -> list[str]:
    """Return the engines there are, best first.

    "dot" is the program on PATH; "pygraphviz" the libraries in its wheel, which need some of the system's that a bare
    container lacks; "graphviz-pure" a program from a wheel that needs nothing, has one font, and draws no PDF.
    Raises MissingDependencyError, which says what to install, if there is none.
    """
    found = ["dot"] if shutil.which("dot") else []
    if importlib.util.find_spec("pygraphviz") and int(importlib.metadata.version("pygraphviz").split(".")[0]) >= 2:
        found.append("pygraphviz")
    if _pure_program():
        found.append("graphviz-pure")
    if not found:
        raise MissingDependencyError(
            "drawing a graph needs Graphviz: install it with `pip install 'pygraphviz>=2'` (on a bare Linux container "
            "`pip install graphviz-pure`), or put the program `dot` on PATH (`apt install graphviz`); .source, the DOT "
            "text, works without"
        )
    return found


def _chosen(engine: str) -> list[str]:
    """Return the engines to try: all there are, or the one asked for."""
    found = engines()
    if engine == "auto" or engine in found:
        return found if engine == "auto" else [engine]
    raise MissingDependencyError(f"the engine {engine!r} is not here; there is {' and '.join(map(repr, found))}")


def _pure_program() -> str | None:
    """Return the path of the program graphviz-pure, on PATH or beside this Python."""
    return shutil.which("graphviz-pure") or shutil.which("graphviz-pure", path=str(Path(sys.executable).parent))


def checked_format(picture: str) -> str:
    """Return the name of a format in lower case; raises ArgumentError for one that is not known."""
    if picture.lower() not in FORMATS:
        raise ArgumentError(f"unknown picture format {picture!r}; the formats are {', '.join(FORMATS)}")
    return picture.lower()


def target(
    filename: str | os.PathLike[str] | None,
    directory: str | os.PathLike[str] | None,
    format: str | None,
    outfile: str | os.PathLike[str] | None,
) -> tuple[Path, str]:
    """Return the path and the format of a picture to write."""
    if outfile is not None and (filename is not None or directory is not None):
        raise ArgumentError("render: give either outfile, or filename and directory")
    path = Path(directory or "") / (filename or "graph") if outfile is None else Path(outfile)
    name = checked_format(format or path.suffix[1:] or "svg")
    if path.suffix[1:].lower() == name:
        return path, name
    if outfile is not None:
        raise ArgumentError(f"render: outfile {str(path)!r} must end in .{name}")
    return path.with_name(f"{path.name}.{name}"), name


def pipe(source: str, picture: str, *, engine: str = "auto", time_limit: float = TIME_LIMIT) -> bytes:
    """Return the DOT text `source` as a picture, by the first engine that can.

    Raises MissingDependencyError if no engine can be run, MinigradError if all fail (with what each said), or if one
    needs more than `time_limit` seconds.
    """
    if engine not in ("auto", *ENGINES):
        raise ArgumentError(f"engine must be 'auto' or one of {', '.join(map(repr, ENGINES))}, got {engine!r}")
    if picture in _TEXT:
        return source.encode()
    failed: dict[str, str] = {}
    is_here = False  # an engine that could be run
    for name in _chosen(engine):
        if name == "graphviz-pure" and picture == "pdf":
            failed[name] = "draws svg and png; a pdf needs Graphviz itself: `apt install graphviz`"
            continue
        code, out, said = _draw(name, source, picture, time_limit)
        if code is None:
            raise MinigradError(
                f"Graphviz needed more than {time_limit:g} seconds; draw less, with graph.collapse(max_nodes=100)"
            )
        if code == 0 and out:
            return out
        is_here |= code != UNLOADABLE
        failed[name] = f"{_UNLOADABLE if code == UNLOADABLE else ''}{said.decode(errors='replace').strip()}"
    every = "; ".join(f"{name}: {text or 'it said nothing'}" for name, text in failed.items())
    raise (MinigradError if is_here else MissingDependencyError)(f"Graphviz could not draw the graph: {every}")


def _draw(name: str, source: str, picture: str, time_limit: float) -> tuple[int | None, bytes, bytes]:
    """Run one engine; return its exit code, the picture, and what it said."""
    program = _pure_program()
    if name == "graphviz-pure" and program:
        # It knows the widths of this font's letters, and draws them without asking the system for it.
        return _run([program, f"-T{picture}"], source.replace(FONT, "Arial").encode(), dict(os.environ), time_limit)
    command = [sys.executable, str(Path(__file__).with_name("layout.py")), name, picture]
    with _fonts() as fonts:
        env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))} | fonts
        return _run(command, source.encode(), env, time_limit)


def _run(command: list[str], given: bytes, env: dict[str, str], limit: float) -> tuple[int | None, bytes, bytes]:
    """Run a process; return its exit code, None if it had to be ended (with those it had started), and its output."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=env, start_new_session=os.name == "posix", **pipes) as process:  # type: ignore[call-overload]
        try:
            out, err = process.communicate(given, timeout=limit)
            return process.returncode, out, err
        except BaseException as error:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL) if os.name == "posix" else process.kill()
            if not isinstance(error, subprocess.TimeoutExpired):
                raise
            process.communicate()
            return None, b"", b""


@contextmanager
def _fonts() -> Iterator[dict[str, str]]:
    """Yield settings under which fontconfig finds the fonts of matplotlib besides those of the system.

    A bare container has no fonts, and letters are then drawn as empty boxes.
    """
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None:
        if sys.platform == "linux" and "FONTCONFIG_FILE" not in os.environ and not _has_fonts():
            warnings.warn(
                "no fonts found, letters may be empty boxes: `pip install matplotlib` brings some", stacklevel=4
            )
        yield {}
        return
    faces = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
    with tempfile.TemporaryDirectory(prefix="minigrad-fonts-", ignore_cleanup_errors=True) as folder:
        for face in _FACES:
            shutil.copy(faces / face, folder)
        system = os.environ.get("FONTCONFIG_FILE", "/etc/fonts/fonts.conf")
        conf = Path(folder) / "fonts.conf"
        conf.write_text(_FONTS_CONF.format(folder=folder, system=system), encoding="utf-8")
        yield {"FONTCONFIG_FILE": str(conf)}


def _has_fonts() -> bool:
    """Return whether one of the usual folders holds a font."""
    folders = (Path(folder).expanduser() for folder in _FONT_FOLDERS)
    return any(path.suffix in (".ttf", ".otf", ".ttc", ".pfb") for f in folders for path in f.rglob("*"))


def open_viewer(path: Path) -> None:
    """Show a file in the system's viewer if there is one; say where it is."""
    print(path)
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return
    import graphviz

    with suppress(OSError, RuntimeError, graphviz.CalledProcessError):
        graphviz.view(str(path), quiet=True)

"""Running a script as `python script.py` would, with minigrad as torch."""

from __future__ import annotations

import builtins
import os
import sys
from pathlib import Path
from types import ModuleType, TracebackType

from minigrad.compat.finder import as_torch

_HERE = str(Path(__file__).parent)
USAGE = "usage: python -m minigrad run script.py [arguments]"


def run(arguments: list[str]) -> int:
    """Run the script `arguments[0]` with the rest as its arguments; return the exit code.

    As under plain Python: `__name__` is "__main__", `__file__` and `sys.argv` are the script's, its folder is the
    first place that imports look in, and an exception shows the script's traceback.
    """
    if not arguments or arguments[0].startswith("-"):
        print(USAGE, file=sys.stderr)
        return 2
    path = os.path.abspath(arguments[0])
    try:
        source = Path(path).read_bytes()
    except OSError as error:
        print(f"{sys.executable}: can't open file {path!r}: [Errno {error.errno}] {error.strerror}", file=sys.stderr)
        return 2
    as_torch()
    sys.argv = arguments
    if not sys.flags.safe_path:
        sys.path[0] = str(Path(path).resolve().parent)  # where `python -m` has put the current folder
    return _execute(source, path)


def _execute(source: bytes, path: str) -> int:
    main = ModuleType("__main__")
    main.__dict__.update(__file__=path, __builtins__=builtins, __cached__=None)
    sys.modules["__main__"] = main
    try:
        exec(compile(source, path, "exec", dont_inherit=True), main.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        sys.excepthook(type(error), error, _trimmed(error))
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _trimmed(error: BaseException) -> TracebackType | None:
    """Take the frames of this package out of an exception and of those that led to it; return its traceback."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            one.__traceback__ = _without_own(one.__traceback__)
            waiting += [one.__cause__, one.__context__]
    return error.__traceback__


def _without_own(traceback: TracebackType | None) -> TracebackType | None:
    kept: list[TracebackType] = []
    while traceback is not None:
        if not traceback.tb_frame.f_code.co_filename.startswith((_HERE, "<frozen importlib")):
            kept.append(traceback)
        traceback = traceback.tb_next
    rebuilt: TracebackType | None = None
    for part in reversed(kept):
        rebuilt = TracebackType(rebuilt, part.tb_frame, part.tb_lasti, part.tb_lineno)
    return rebuilt

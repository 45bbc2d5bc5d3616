"""Running programs under PyTorch and under minigrad in its place, and comparing what they print."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
NUMBER = re.compile(r"[-+]?\d+\.\d*(?:e[-+]\d+)?")
# Runs scripts one after the other under PyTorch, which takes longer to import than a script to run.
UNDER_TORCH = """
import contextlib, io, json, runpy, sys, torch
printed = {}
for name, path, arguments in json.load(sys.stdin):
    sys.argv = [path, *arguments]
    torch.set_printoptions(profile="default")
    torch.set_default_dtype(torch.float32)
    with contextlib.redirect_stdout(io.StringIO()) as out:
        runpy.run_path(path, run_name="__main__")
    printed[name] = out.getvalue()
json.dump(printed, sys.stdout)
"""


def python(*arguments: str, given: str = "") -> str:
    """Return what a fresh Python prints, which computes on one thread."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    environment = os.environ | threads | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=300, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def under_torch(runs: list[tuple[str, str, list[str]]]) -> dict[str, str]:
    """Return what each (name, script, arguments) prints under PyTorch, by name."""
    return json.loads(python("-c", UNDER_TORCH, given=json.dumps(runs)))


def under_minigrad(script: str, *arguments: str) -> str:
    """Return what a script prints with minigrad as torch."""
    return python("-m", "minigrad", "run", script, *arguments)


def difference(ours: str, theirs: str, tolerance: float = 1e-4) -> str:
    """Return the first line in which two texts differ, numbers by more than `tolerance`, or "" if there is none.

    Where fewer digits are printed than the tolerance speaks of, the last one may be one off: rounding turns it over.
    """
    for ours_line, theirs_line in zip(ours.splitlines(), theirs.splitlines(), strict=False):
        if not _same(ours_line, theirs_line, tolerance):
            return f"\n  minigrad: {ours_line}\n  torch:    {theirs_line}"
    return "" if ours.count("\n") == theirs.count("\n") else "one of the two texts goes on longer"


def _same(ours: str, theirs: str, tolerance: float) -> bool:
    if ours == theirs:
        return True
    if NUMBER.sub("#", ours).split() != NUMBER.sub("#", theirs).split():
        return False
    return all(_close(a, b, tolerance) for a, b in zip(NUMBER.findall(ours), NUMBER.findall(theirs), strict=True))


def _close(a: str, b: str, tolerance: float) -> bool:
    digits, _, power = b.partition("e")
    last = 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
    return abs(float(a) - float(b)) <= max(tolerance * abs(float(b)), 1.01 * last)

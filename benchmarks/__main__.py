"""`python -m benchmarks`: time all workloads on all sides, and report."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import plot, readme, report
from benchmarks.child import measured
from benchmarks.machine import machine
from benchmarks.memory import peaks
from benchmarks.workloads import WORKLOADS, chosen

KINDS = sorted({w.kind for w in WORKLOADS.values()})
PARTS = ("times", "memory", "growth", "core")


def options(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    p = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    p.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="numbers of threads, each on its own (1 2)")
    p.add_argument("--only", nargs="+", default=[], metavar="NAME", help=f"workloads, or kinds: {', '.join(KINDS)}")
    p.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS, help="what to measure (all)")
    p.add_argument("--rounds", type=float, default=1.0, metavar="SCALE", help="so many times the usual rounds (1)")
    p.add_argument("--quick", action="store_true", help="a quarter of the rounds, and growth up to 100,000 nodes")
    p.add_argument("--data", metavar="DIR", help="MNIST's four IDX files: one epoch of the example net too")
    p.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    p.add_argument("--from", dest="given", type=Path, metavar="FILE", help="report on these figures; measure nothing")
    p.add_argument("--plot", type=Path, metavar="FILE", help="draw the ratios (.png, .svg)")
    p.add_argument("--readme", action="store_true", help="write table and plot into README.md")
    chosen_ = p.parse_args(arguments)
    unknown = set(chosen_.only) - set(WORKLOADS) - set(KINDS)
    if unknown:
        p.error(f"no workload or kind {', '.join(sorted(unknown))}; there are {', '.join([*WORKLOADS, *KINDS])}")
    return chosen_


def run(o: argparse.Namespace) -> dict[str, Any]:
    """Measure what was asked for, each part in processes of its own."""
    names = [name for name, _ in chosen(o.only, o.only)]
    scale = o.rounds / (4 if o.quick else 1)
    results: dict[str, Any] = {"machine": machine(), "threads": {}}
    for threads in o.threads if "times" in o.parts else []:
        say(f"threads: {threads}")
        results["threads"][str(threads)] = measured("compare", threads, names=names, scale=scale)
    if "memory" in o.parts:
        say("memory")
        results["memory"] = peaks(names, installed(), o.threads[0])
    for part in ("growth", "core"):
        if part in o.parts and not o.only:
            say(part)
            results[part] = measured(part, o.threads[0], quick=o.quick)
    if o.data:
        say("MNIST")
        folder = str(Path(o.data).resolve())
        results["epoch"] = {str(n): measured("epoch", n, folder=folder) for n in o.threads}
    return results


def installed() -> list[str]:
    """Return the sides that are there."""
    from importlib.util import find_spec

    return ["minigrad", "torch"] if find_spec("torch") else ["minigrad"]


def say(what: str) -> None:
    """Say what is measured now."""
    print(what, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Do what the command line asks for."""
    o = options(arguments)
    results = json.loads(o.given.read_text()) if o.given else run(o)
    if o.json:
        o.json.write_text(json.dumps(results, indent=1) + "\n")
    print(report.text(results))
    if o.plot:
        plot.draw(results, o.plot)
    if o.readme:
        readme.write(results)


if __name__ == "__main__":
    main()

"""Table and plot in README.md, between two markers."""

from __future__ import annotations

from typing import Any

from benchmarks.child import ROOT
from benchmarks.plot import draw
from benchmarks.report import LEGEND, machine, markdown, summary, table

BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"
PICTURE = "docs/speed.svg"


def inserted(page: str, block: str) -> str:
    """Return the page with `block` between the markers. Raises ValueError where they are missing.

    >>> inserted(f"a {BEGIN} old {END} b", "new").split()[-2:]
    ['-->', 'b']
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"README.md needs the markers {BEGIN} and {END} for `python -m benchmarks --readme`")
    return f"{before}{BEGIN}\n\n{block}\n\n{END}{after}"


def block(results: dict[str, Any]) -> str:
    """Return what stands between the markers."""
    parts = [
        f"![The ratio of minigrad's time to PyTorch's for each workload]({PICTURE})",
        machine(results) + ".",
        LEGEND[0].upper() + LEGEND[1:] + ".",
    ]
    for threads in results["threads"]:
        sentences = "\n".join(f"- {sentence}" for sentence in summary(results, threads))
        parts += [f"Threads: {threads}", markdown(table(results, threads)), sentences]
    return "\n\n".join(parts)


def write(results: dict[str, Any]) -> None:
    """Draw the plot and write it and the tables into README.md."""
    page = ROOT / "README.md"
    new = inserted(page.read_text(), block(results))
    draw(results, ROOT / PICTURE)
    page.write_text(new)

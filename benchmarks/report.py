"""The figures as a table, for the terminal and for Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

Results = dict[str, Any]
Row = tuple[str, ...]
HEAD = (
    "workload",
    "minigrad ms",
    "PyTorch ms",
    "ratio",
    "quartiles",
    "floor ms",
    "efficiency",
    "PyTorch's",
    "peak MB (PyTorch's)",
)

LEGEND = (
    "ratio: minigrad's time over PyTorch's, median and quartiles over all A B B A; floor: the matrix products of a "
    "step alone, through NumPy with the same number of threads; efficiency: floor over time; peak: rise of the "
    "process's high-water mark of memory over where it was before the first step"
)

LIMITS = {"imported": 1.02, "recorded": 3}  # of a step's time with viz imported, and with everything recorded


def geometric_mean(values: Iterable[float]) -> float:
    """Return the geometric mean.

    >>> geometric_mean([0.5, 2.0])
    1.0
    """
    logarithms = [math.log(v) for v in values]
    return math.exp(sum(logarithms) / len(logarithms))


def ratios(workloads: Results, kind: str = "", other: str = "torch") -> dict[str, float]:
    """Return the ratio to `other` of each workload, of one kind if it is named, that was compared."""
    compared = {n: f["ratio"] for n, f in workloads.items() if other in f.get("ratio", {})}
    return {n: r[other]["median"] for n, r in compared.items() if kind in ("", workloads[n]["kind"])}


def row(name: str, figures: Results, memory: Results) -> Row:
    """Return one line of the table; empty where nothing was measured."""
    seconds, parts = figures.get("seconds", {}), figures.get("ratio", {})
    efficiency = figures.get("efficiency", {})
    ours, theirs, floor = (seconds.get(k) for k in ("minigrad", "torch", "floor"))
    cells = [f"{1e3 * t:.3f}" if t else "" for t in (ours, theirs)]
    r = parts.get("torch")
    cells += [f"{r['median']:.2f}", f"{r['low']:.2f} to {r['high']:.2f}"] if r else ["", ""]
    cells += [f"{1e3 * floor:.3f}" if floor else ""]
    cells += [f"{efficiency[k]:.0%}" if k in efficiency else "" for k in ("minigrad", "torch")]
    peak = [f"{bytes_ / 1e6:.0f}" for bytes_ in memory.get(name, {}).values()]
    return (name, *cells, peak[0] + "".join(f" ({p})" for p in peak[1:]) if peak else "")


def table(results: Results, threads: str) -> list[Row]:
    """Return the lines of the table of all workloads with that many threads, its head first."""
    measured, memory = results["threads"][threads]["workloads"], results.get("memory", {})
    return [HEAD, *(row(name, figures, memory) for name, figures in measured.items())]


def aligned(rows: list[Row]) -> str:
    """Return rows as lines of text with the columns below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_padded(r, widths, "  ").rstrip() for r in rows)


def markdown(rows: list[Row]) -> str:
    """Return rows as a table in Markdown."""
    head, *rest = rows
    rule = ("---", *["---:"] * (len(head) - 1))
    return "\n".join("| " + " | ".join(r) + " |" for r in (head, rule, *rest))


def _padded(cells: Row, widths: list[int], gap: str) -> str:
    first, *others = zip(cells, widths, strict=True)
    return gap.join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)])


def summary(results: Results, threads: str) -> list[str]:
    """Return the sentences below a table: means, other rivals, and what was not timed."""
    part = results["threads"][threads]
    measured = part["workloads"]
    said = []
    for kind in ("training", "inference"):
        if found := ratios(measured, kind):
            mean, worst = geometric_mean(found.values()), max(found, key=found.__getitem__)
            said.append(
                f"{kind}: geometric mean of the {len(found)} ratios {mean:.2f}, largest {found[worst]:.2f} ({worst})"
            )
    for rival in part["rivals"]:
        if rival != "torch" and (found := ratios(measured, "", rival)):
            said.append(f"beside {rival}: " + ", ".join(f"{n} {v:.2f}" for n, v in found.items()))
    said += [f"{n}: {k} not timed: {why}" for n, f in measured.items() for k, why in f["failed"].items()]
    absent = [name for name, version in part["rivals"].items() if not version]
    return said + ([f"not installed, so not compared: {', '.join(absent)}"] if absent else [])


def machine(results: Results) -> str:
    """Return in a sentence what was measured on."""
    m, part = results["machine"], next(iter(results["threads"].values()), {"rivals": {}})
    versions = [f"{name} {version}" for name, version in part["rivals"].items() if version]
    parts = [f"minigrad {m['minigrad']}", f"NumPy {m['numpy']}", *versions, f"Python {m['python']}"]
    blas = f"{m['blas']} for {m['blas_architecture']}"
    return f"{m['processor']}, {m['cores']} cores, {m['system']}; {', '.join(parts)}; BLAS: {blas}; {m['date']}"


def where(results: Results, threads: str, most: int = 6) -> list[str]:
    """Return for each workload the ops that take most of its step, in per cent of it."""
    said = []
    for name, figures in results["threads"][threads]["workloads"].items():
        whole = sum(figures.get("ops", {}).values())
        parts = [f"{op} {seconds / whole:.0%}" for op, seconds in list(figures.get("ops", {}).items())[:most]]
        if len(parts) > 1:
            said.append(f"{name}: {', '.join(parts)}")
    return said


def growth(found: Results) -> list[str]:
    """Return what the measurements of growth came to."""
    said = []
    for what, unit in (("depth", "layer"), ("nodes", "node")):
        seconds, fit, on = (found[what][k] for k in ("seconds", "line", "collector_on"))
        largest = max(seconds, key=float)
        said.append(
            f"{what} {min(seconds, key=float)} to {largest}: "
            f"{fit['a'] * 1e3:.3f} ms + {fit['b'] * 1e6:.2f} us a {unit}, "
            f"points within {fit['deviation']:.0%} of the line; at {largest} {seconds[largest]:.2f} s, "
            f"{on[largest]:.2f} s with Python's collector on"
        )
    for model, times in found["samples"].items():
        said.append(f"{model}, us a sample: " + ", ".join(f"batch {n} {1e6 * t:.1f}" for n, t in times.items()))
    return said


def epoch(found: Results) -> list[str]:
    """Return what an epoch took on each side."""
    said = [f"{k} {v['seconds']:.1f} s, accuracy {v['accuracy']:.2%}" for k, v in found.items()]
    if len(found) > 1:
        said.append(f"ratio {found['minigrad']['seconds'] / found['torch']['seconds']:.2f}")
    return said


def core(found: Results) -> list[str]:
    """Return what recording an op, the import and long graphs cost."""
    rows = [("op on 8 x 8, recorded", *(f"{side} us" for side in next(iter(found["ops"].values()))))]
    rows += [(name, *(f"{1e6 * t:.2f}" for t in times.values())) for name, times in found["ops"].items()]
    numpy_alone, added = (1e3 * t for t in found["import"].values())
    length, *seconds = found["chain"].values()
    built, differentiated, freed = (f"{t:.2f} s" for t in seconds)
    return [
        aligned(rows),
        f"import: numpy {numpy_alone:.0f} ms; minigrad adds {added:.0f} ms",
        f"chain of {length:,} ops: built in {built}, differentiated in {differentiated}, freed in {freed}",
        f"60 doublings: {1e3 * found['doublings']:.2f} ms, gradient exactly 2**60",
        *recording(found.get("recording", {})),
    ]


def recording(found: Results) -> list[str]:
    """Return what viz costs a training step: imported only, and with everything recorded."""
    said = []
    for name, figures in found.items():
        parts = (f"{x['median']:.3f} ({x['low']:.3f} to {x['high']:.3f})" for x in map(figures.get, LIMITS))
        told = (f"{part} {which}, at most {LIMITS[which]}" for part, which in zip(parts, LIMITS, strict=True))
        said.append(f"recording, {name}: of {1e3 * figures['seconds']:.3f} ms a step, times {'; times '.join(told)}")
    return said


def text(results: Results) -> str:
    """Return everything as text."""
    blocks = [machine(results), LEGEND]
    for threads in results["threads"]:
        blocks.append(f"--- {threads} thread{'s' * (threads != '1')} ---\n{aligned(table(results, threads))}")
        blocks.append("\n".join(summary(results, threads)))
        if ops := where(results, threads):
            blocks.append("where the time of a step goes:\n" + "\n".join(ops))
    if results.get("memory"):
        rows = [("peak MB", *next(iter(results["memory"].values())))]
        rows += [(n, *(f"{b / 1e6:.1f}" for b in found.values())) for n, found in results["memory"].items()]
        blocks.append(
            "--- memory: rise of the high-water mark over where it was before the first step ---\n" + aligned(rows)
        )
    if "growth" in results:
        blocks.append("--- growth ---\n" + "\n".join(growth(results["growth"])))
    if "core" in results:
        blocks.append("--- small costs ---\n" + "\n".join(core(results["core"])))
    for threads, found in results.get("epoch", {}).items():
        blocks.append(f"--- one epoch of MNIST, threads: {threads} ---\n" + "\n".join(epoch(found)))
    return "\n\n".join(blocks)

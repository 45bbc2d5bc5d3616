"""The ratios as a picture: one bar for each workload and number of threads, whiskers from quartile to quartile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.report import machine

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")  # Okabe and Ito: told apart by the colour-blind too
TICKS = (0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50)


def draw(results: dict[str, Any], path: str | Path) -> None:
    """Write the picture to `path`, in the format that its ending names. Raises ImportError without matplotlib.

    Raises ValueError if nothing was compared with PyTorch.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    parts = {n: p["workloads"] for n, p in results["threads"].items()}
    names = list(dict.fromkeys(name for w in parts.values() for name, f in w.items() if "torch" in f.get("ratio", {})))
    if not names:
        raise ValueError("nothing was compared with PyTorch, so there are no ratios to draw")
    plt.rcParams.update({"svg.hashsalt": "minigrad", "font.size": 9})
    figure, axes = plt.subplots(figsize=(8.0, 1.2 + 0.36 * len(names)), layout="constrained")
    thickness = 0.8 / len(parts)
    for k, (threads, workloads) in enumerate(parts.items()):
        label = f"{threads} thread{'s' * (threads != '1')}"
        _bars(axes, workloads, names, (k - (len(parts) - 1) / 2) * thickness, thickness, COLOURS[k], label)
    _furnish(axes, names)
    figure.suptitle("Time of minigrad / time of PyTorch eager (left of 1: minigrad is faster)", fontsize=11)
    axes.set_xlabel("ratio, on a log scale; lines from the first to the third quartile", fontsize=8)
    figure.supxlabel(machine(results), fontsize=6, color="#555555", wrap=True)
    figure.savefig(path, dpi=150, metadata={"Date": None} if str(path).endswith("svg") else None)
    plt.close(figure)


def _bars(
    axes: Any, workloads: dict[str, Any], names: list[str], shift: float, thickness: float, colour: str, label: str
) -> None:
    """Draw the bars of one number of threads; they begin at 1 and go left where minigrad is faster."""
    there = [n for n in names if "torch" in workloads.get(n, {}).get("ratio", {})]
    places = [names.index(n) + shift for n in there]
    found = [workloads[n]["ratio"]["torch"] for n in there]
    medians = [r["median"] for r in found]
    axes.barh(places, [m - 1 for m in medians], thickness, left=1, color=colour, label=label)
    axes.hlines(places, [r["low"] for r in found], [r["high"] for r in found], color="#222222", linewidth=1)
    for place, r in zip(places, found, strict=True):
        end, side = (max(r["high"], 1), "left") if r["median"] > 1 else (min(r["low"], r["median"]), "right")
        axes.annotate(
            f"{r['median']:.2f}", (end, place), (3 if side == "left" else -3, 0), textcoords="offset points",
            ha=side, va="center", fontsize=7,
        )  # fmt: skip


def _furnish(axes: Any, names: list[str]) -> None:
    """Set the log axis, its labels and the line at 1."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(low / 1.25, high * 1.25)
    axes.minorticks_off()
    ticks = [t for t in TICKS if low / 1.25 <= t <= high * 1.25]
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.axvline(1, color="#222222", linewidth=1)
    axes.grid(axis="x", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(length=0)
    axes.legend(loc="best", frameon=False)

"""Plots of training with matplotlib: what was learnt, how, and where it errs.

Each takes `ax`, the Axes to draw on (several where it draws several), or makes new ones, and returns them; none shows
a window or writes a file: `ax.figure.savefig(...)` does. The colours can be told apart by people with any colour
vision, and lines differ in their dashes as well. matplotlib comes with `pip install minigrad[plots]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from minigrad import graph
from minigrad.creation import from_numpy
from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, MissingDependencyError, ShapeError
from minigrad.graph import array_of
from minigrad.tensor import Tensor

__all__ = [
    "activations",
    "confusion_matrix",
    "curves",
    "decision_boundary",
    "filters",
    "histograms",
    "images",
]

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")  # of Okabe and Ito
_DASHES = ("-", "--", ":", "-.")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")

Axes = Any  # matplotlib.axes.Axes, or an array of them


def pyplot() -> Any:
    """Return the module matplotlib.pyplot. Raises MissingDependencyError without matplotlib."""
    try:
        from matplotlib import pyplot as plt
    except ImportError:
        raise MissingDependencyError("plots need matplotlib: pip install 'minigrad[plots]'") from None
    return plt


def curves(
    history: Mapping[str, Sequence[float]],
    *,
    x: Sequence[float] | None = None,
    xlabel: str = "epoch",
    ylabel: str = "",
    title: str = "",
    log: bool = False,
    ax: Axes = None,
) -> Axes:
    """Draw one line for each entry of `history`, by name, and return the Axes.

    `x` is what the lines are drawn over, 1, 2, 3 ... if None; they may be of different lengths. `log` makes the
    vertical axis logarithmic. Raises ArgumentError if `history` is empty or a line is longer than `x`.
    """
    if not isinstance(history, Mapping):
        raise ArgumentError(f"curves: history must be a dict of names and numbers, got {type(history).__name__}")
    if not history:
        raise ArgumentError("curves: history holds no line; give a dict of names and numbers")
    ax = _axes(ax, (6, 4))
    for i, (name, line) in enumerate(history.items()):
        values = _array(line).astype(float)
        at = np.arange(1, len(values) + 1) if x is None else _array(x)[: len(values)]
        if len(at) < len(values):
            raise ArgumentError(f"curves: {name!r} has {len(values)} values, and x only {len(at)}")
        marker = "o" if len(values) == 1 else None  # a line of one point is not seen
        ax.plot(at, values, color=COLORS[i % 7], linestyle=_DASHES[i % 4], marker=marker, label=name)
    only = next(iter(history)) if len(history) == 1 else ""
    ax.set(xlabel=xlabel, ylabel=ylabel or only, title=title)
    if x is None:
        ax.xaxis.get_major_locator().set_params(integer=True)
    if log:
        ax.set_yscale("log")
    if not only:
        ax.legend()
    return ax


def confusion_matrix(
    truth: Any,
    predicted: Any,
    *,
    classes: Sequence[str] | None = None,
    normalize: bool = False,
    title: str = "",
    ax: Axes = None,
) -> Axes:
    """Draw how often each class (a row) was taken for which (a column), and return the Axes.

    `truth` and `predicted` are integers from 0 on, of one shape; `classes` names them. With `normalize` a cell is the
    per cent of its row. Raises ShapeError or ArgumentError for labels that do not fit.
    """
    counts = _counts(_array(truth), _array(predicted), 0 if classes is None else len(classes))
    names = [str(i) for i in range(len(counts))] if classes is None else list(classes)
    shown = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1) if normalize else counts
    ax = _axes(ax, (1.5 + 0.5 * len(names), 1 + 0.5 * len(names)))
    ax.imshow(np.sqrt(shown), cmap="Blues", vmin=0)  # the square root lets single mistakes be seen beside hundreds
    for row, column in zip(*np.nonzero(shown), strict=True):
        color = "white" if shown[row, column] > shown.max() / 3 else "black"
        text = f"{shown[row, column]:.0f}"
        ax.text(column, row, text, ha="center", va="center", color=color, fontsize=9)
    ticks = range(len(names))
    ax.set(xlabel="predicted", ylabel="true" + ", per cent of each row" * normalize, title=title)
    ax.set_xticks(ticks, names, rotation=0 if max(map(len, names), default=0) < 4 else 90)
    ax.set_yticks(ticks, names)
    return ax


def images(
    values: Any, *, titles: Sequence[str] = (), columns: int = 8, title: str = "", cmap: str = "gray_r", ax: Axes = None
) -> Axes:
    """Draw images of shape (N, H, W), (N, 1, H, W) or (N, 3, H, W) in a grid, and return an array of N Axes.

    Those of three channels are in colour, brought between 0 and 1 each. Raises ShapeError for other shapes.
    """
    pictures = _array(values)
    if pictures.ndim == 4 and pictures.shape[1] in (1, 3):
        channels_last = [_unit(each) for each in pictures.transpose(0, 2, 3, 1)]
        pictures = pictures[:, 0] if pictures.shape[1] == 1 else np.array(channels_last)
    elif pictures.ndim != 3:
        raise ShapeError(f"images: expected (N, H, W), (N, 1, H, W) or (N, 3, H, W), got {_array(values).shape}")
    axes = _grid(ax, len(pictures), columns, title)
    for i, (each, picture) in enumerate(zip(axes, pictures, strict=True)):
        each.imshow(picture, cmap=cmap, interpolation="nearest")
        each.set(xticks=[], yticks=[])
        each.set_title(titles[i] if i < len(titles) else "", fontsize=8)
    return axes


def filters(weight: Any, *, most: int = 64, columns: int = 8, title: str = "", ax: Axes = None) -> Axes:
    """Draw the kernels of a convolution's `weight`, of shape (out, in, H, W), and return an array of Axes.

    A module with a `weight` will do as well. Kernels of 3 input channels are drawn in colour; of others each channel
    by itself, blue below zero, white at zero and red above it, all on one scale. At most the first `most` are drawn.
    """
    kernels = _array(getattr(weight, "weight", weight))
    if kernels.ndim != 4:
        raise ShapeError(f"filters: expected a weight of shape (out, in, H, W), got {kernels.shape}")
    if kernels.shape[1] == 3:
        return images(kernels[:most], titles=[f"{i}" for i in range(most)], columns=columns, title=title, ax=ax)
    singles = kernels.reshape(-1, *kernels.shape[2:])
    names = [f"{i}" if kernels.shape[1] == 1 else f"{i}, {j}" for i, j in np.ndindex(kernels.shape[:2])]
    said = title or f"{len(singles)} kernels" + (f", the first {most}" if len(singles) > most else "")
    axes = images(singles[:most], titles=names, columns=columns, title=said, cmap="RdBu_r", ax=ax)
    _one_scale(axes, float(np.abs(singles[:most]).max(initial=0.0)))
    return axes


def activations(values: Any, *, most: int = 64, columns: int = 8, title: str = "", ax: Axes = None) -> Axes:
    """Draw what a layer gave out for one sample, of shape (C, H, W) or (1, C, H, W), and return an array of Axes.

    One picture for each channel, on one scale, at most `most`; a channel that is 0 everywhere is called "dead here".
    """
    maps = _array(values)
    maps = maps[0] if maps.ndim == 4 and len(maps) == 1 else maps
    if maps.ndim != 3:
        raise ShapeError(f"activations: expected one sample of shape (C, H, W), got {maps.shape}")
    names = [f"{i}" if each.any() else f"{i}: dead here" for i, each in enumerate(maps[:most])]
    said = title or f"{len(maps)} channels" + (f", the first {most}" if len(maps) > most else "")
    axes = images(maps[:most], titles=names, columns=columns, title=said, cmap="RdBu_r", ax=ax)
    _one_scale(axes, float(np.abs(maps[:most]).max(initial=0.0)))
    return axes


def histograms(model: Any, *, bins: int = 40, ax: Axes = None) -> Axes:
    """Draw the spread of every parameter (left) and of its gradient (right), and return Axes of shape (N, 2).

    `model` has `named_parameters()`, or is a dict of names and tensors. Values that are not finite are counted in the
    title. A parameter whose `.grad` is None has an empty plot that says so.
    """
    named = list(model.items() if isinstance(model, Mapping) else model.named_parameters())
    if not named:
        raise ArgumentError("histograms: the model has no parameters")
    axes = _table(ax, len(named))
    for row, (name, parameter) in zip(axes, named, strict=True):
        _histogram(row[0], name, parameter, bins, COLORS[0])
        _histogram(row[1], f"{name}.grad", parameter.grad, bins, COLORS[1])
    return axes


def decision_boundary(
    model: Callable[[Tensor], Any], x: Any, y: Any, *, steps: int = 200, threshold: float = 0.0, ax: Axes = None
) -> Axes:
    """Draw which class `model` gives to each point of a plane, with the points `x` (N, 2) of classes `y` (N,) on it.

    `model` maps a tensor (M, 2) to (M, classes), of which the largest wins, or to (M,) or (M, 1), where class 1 is
    above `threshold` (0 for logits). A module runs in eval mode and is left in the mode it was in. Returns the Axes.
    """
    points, labels = _array(x), _array(y).reshape(-1)
    if points.ndim != 2 or points.shape[1] != 2 or len(points) != len(labels):
        raise ShapeError(f"decision_boundary: expected x (N, 2) and y (N,), got {points.shape} and {_array(y).shape}")
    across, down = (np.linspace(*_around(points[:, k]), steps, dtype=points.dtype) for k in (0, 1))
    grid = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
    regions = _classes(model, grid, threshold).reshape(steps, steps)
    ax = _axes(ax, (5, 4.5))
    count = 1 + int(max(regions.max(), labels.max(initial=0)))
    levels = np.arange(count + 1) - 0.5
    ax.contourf(across, down, regions, levels=levels, colors=[COLORS[k % 7] for k in range(count)], alpha=0.25)
    for k in np.unique(labels).astype(int):
        of = points[labels == k]
        ax.scatter(*of.T, color=COLORS[k % 7], marker=_MARKERS[k % 7], edgecolors="white", linewidths=0.6, label=f"{k}")
    ax.legend(title="class", framealpha=0.9)
    return ax


# --- what they share ---


def _array(values: Any) -> Array:
    return np.asarray(array_of(values))


def _axes(ax: Axes, size: tuple[float, float]) -> Axes:
    return pyplot().subplots(figsize=size, layout="constrained")[1] if ax is None else ax


def _grid(ax: Axes, count: int, columns: int, title: str) -> Any:
    """Return an array of `count` Axes: the given ones, or new ones in rows of `columns`."""
    if ax is not None:
        return _fitting(np.atleast_1d(np.asarray(ax, dtype=object)).reshape(-1), count)
    columns = max(1, min(columns, count))
    rows = max(1, -(-count // columns))
    size = (1.5 * max(columns, 4), 0.6 + 1.7 * rows)
    figure, grid = pyplot().subplots(rows, columns, figsize=size, layout="constrained", squeeze=False)
    figure.suptitle(title)
    for spare in grid.flat[count:]:
        spare.axis("off")
    return grid.reshape(-1)[:count]


def _table(ax: Axes, rows: int) -> Any:
    if ax is not None:
        return _fitting(np.asarray(ax, dtype=object).reshape(-1), 2 * rows).reshape(-1, 2)
    return pyplot().subplots(rows, 2, figsize=(8, 1.8 * rows), layout="constrained", squeeze=False)[1]


def _fitting(axes: Any, count: int) -> Any:
    if len(axes) < count:
        raise ArgumentError(f"ax: {count} Axes are needed, got {len(axes)}")
    return axes[:count]


def _counts(truth: Array, predicted: Array, classes: int) -> Array:
    """Return how often each class was taken for which."""
    if truth.shape != predicted.shape:
        hint = "; give the classes, scores.argmax(1)" if predicted.ndim == truth.ndim + 1 else ""
        raise ShapeError(f"confusion_matrix: truth has shape {truth.shape}, predicted {predicted.shape}{hint}")
    if truth.dtype.kind not in "iub" or predicted.dtype.kind not in "iub":
        raise ArgumentError(f"confusion_matrix: labels must be integers, got {truth.dtype} and {predicted.dtype}")
    largest = int(max(truth.max(initial=0), predicted.max(initial=0)))
    if min(truth.min(initial=0), predicted.min(initial=0)) < 0 or (classes and largest >= classes):
        raise ArgumentError(f"confusion_matrix: labels must lie from 0 to {(classes or largest + 1) - 1}")
    counts = np.zeros([classes or largest + 1] * 2, np.int64)
    np.add.at(counts, (truth.reshape(-1).astype(int), predicted.reshape(-1).astype(int)), 1)
    return counts


def _unit(picture: Array) -> Array:
    """Return a picture brought between 0 and 1."""
    low, high = picture.min(initial=0), picture.max(initial=0)
    return (picture - low) / max(high - low, np.finfo(np.float32).tiny)


def _one_scale(axes: Any, limit: float) -> None:
    """Draw all pictures on one scale with white at zero, and the scale beside them."""
    for each in axes:
        each.images[0].set_clim(-(limit or 1.0), limit or 1.0)
    if len(axes):
        axes[0].figure.colorbar(axes[0].images[0], ax=list(axes), shrink=0.6)


def _histogram(ax: Axes, name: str, values: Any, bins: int, color: str) -> None:
    if values is None:
        ax.text(0.5, 0.5, "not computed", ha="center", va="center", transform=ax.transAxes)
        ax.set(xticks=[], yticks=[])
        ax.set_title(name, fontsize=9)
        return
    array = _array(values).astype(np.float64).reshape(-1)
    finite = array[np.isfinite(array)]
    odd = array.size - finite.size
    ax.hist(finite, bins=bins, color=color)
    ax.set_title(f"{name}, {odd} not finite" if odd else name, fontsize=9)
    ax.tick_params(labelsize=8)
    ax.locator_params(axis="x", nbins=5)
    ax.ticklabel_format(axis="x", scilimits=(-2, 4))


def _around(values: Array) -> tuple[float, float]:
    """Return the range of values with a margin."""
    low, high = float(values.min()), float(values.max())
    margin = 0.1 * (high - low) or 1.0
    return low - margin, high + margin


def _classes(model: Callable[[Tensor], Any], points: Array, threshold: float) -> Array:
    """Return the class that `model` gives to each point."""
    recording = graph.recording.set(False)
    try:
        with _evaluating(model):
            scores = _array(model(from_numpy(points)))
    finally:
        graph.recording.reset(recording)
    if scores.ndim == 1 or scores.shape[1] == 1:
        return (scores.reshape(-1) > threshold).astype(int)
    return scores.argmax(1)


@contextmanager
def _evaluating(model: Any) -> Iterator[None]:
    """Put a module in eval mode within, and each of its modules back in the mode it was in."""
    modules = [m for _, m in model.named_modules()] if hasattr(model, "named_modules") else []
    modes = [(m, m.training) for m in modules if hasattr(m, "training")]
    for m, _ in modes:
        m.training = False
    try:
        yield
    finally:
        for m, mode in modes:
            m.training = mode

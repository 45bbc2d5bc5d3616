"""The words of the formulas that depend on the settings of the op: convolutions, pooling, norms, losses, recurrence."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from formula_words import WORDS, total, zeros

from minigrad.kernels.index import ARRAY
from minigrad.kernels.quiet import quietly
from minigrad.ops.index import follow

STEP = 1e-6
Pair = tuple[int, int]


def several(result: Any) -> tuple[Any, ...]:
    return tuple(result) if isinstance(result, tuple | list) else (result,)


def words_of(op: Any, inputs: list[Any], known: dict[str, Any], seeds: dict[str, Any]) -> dict[str, Any]:
    """Return the words that know one call of `op`: its inputs, what is `known` by name, and its `seeds` by output."""
    words = dict(WORDS)
    if "groups" in known:
        words |= convolutions(known)
    if "window" in known:
        words |= pooling(known)
    if "axes" in known:
        axes = known["axes"]
        words["E"] = lambda t: total(t, axes) / np.prod([t.shape[a] for a in axes])
    if "label" in known:
        words |= losses(known)
    if "sizes" in known and "h0" in known:
        words |= recurrence(known)
    if op.name == "cat":
        words["part"] = lambda g, i, dim: np.split(g, np.cumsum([x.shape[dim] for x in inputs])[:-1], dim)[i]
    words["vjp"] = lambda f, x: differences(f, inputs, x, known["attrs"], seeds)
    return words


def placed(op: Any, known: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that say places, as an index that an array understands."""
    if "steps" in known:
        x = known["x"]
        if x.ndim == 0:
            return {"steps": (None,) * known["value"].ndim}
        return {"steps": np.unravel_index(follow(np.arange(x.size).reshape(x.shape), known["steps"]), x.shape)}
    if op.variadic != "indices":
        return {}
    rest = iter(known["indices"])
    return {"index": tuple(next(rest) if i is ARRAY else i for i in known["index"])}


def differences(op: Any, inputs: list[Any], x: Any, attrs: dict[str, Any], seeds: dict[str, Any]) -> Callable[..., Any]:
    """Return the gradient of op's outputs, weighed, by x: central differences of what the op computes."""
    place = next(i for i, given in enumerate(inputs) if given is x)

    def weighed(moved: Any, weights: dict[str, Any]) -> float:
        plain = [
            moved if i == place else np.asarray(a) if isinstance(a, np.ndarray) else a for i, a in enumerate(inputs)
        ]
        results = dict(zip(op.outputs, several(quietly.get()(op, *plain, **attrs)), strict=True))
        return sum(float(np.sum(results[name] * w)) for name, w in weights.items())

    def product(*gs: Any) -> Any:
        weights = {name: np.asarray(w) for name, w in seeds.items() if any(w is g for g in gs)}
        assert len(weights) == len(gs)
        y = zeros(x)
        for at in np.ndindex(x.shape):
            ends = []
            for step in (STEP, -STEP):
                moved = np.array(x)
                moved[at] += step
                ends.append(weighed(moved, weights))
            y[at] = (ends[0] - ends[1]) / (2 * STEP)
        return y

    return product


# --- convolution ---


def convolutions(known: dict[str, Any]) -> dict[str, Any]:
    stride, padding, dilation, groups = (known[n] for n in ("stride", "padding", "dilation", "groups"))

    def met(out: Pair, kernel: Pair, image: Pair) -> Iterator[tuple[Any, Any, Any]]:
        """Yield the places of output, weight and image that meet."""
        for o, k in itertools.product(np.ndindex(*out), np.ndindex(*kernel)):
            at = tuple(i * s + j * d - p for i, j, s, d, p in zip(o, k, stride, dilation, padding, strict=True))
            if all(0 <= i < n for i, n in zip(at, image, strict=True)):
                yield (..., *o), (..., *k), (..., *at)

    def parts(t: Any, axis: int) -> list[Any]:
        return np.split(np.asarray(t), groups, axis)

    def conv(x: Any, w: Any) -> Any:
        y = zeros(known["u"])
        for part, xs, ws in zip(parts(y, 1), parts(x, 1), parts(w, 0), strict=True):
            for o, k, i in met(y.shape[2:], w.shape[2:], x.shape[2:]):
                part[o] += xs[i] @ ws[k].T
        return y

    def conv_transpose(g: Any, w: Any) -> Any:
        y = zeros(known["x"])
        for part, gs, ws in zip(parts(y, 1), parts(g, 1), parts(w, 0), strict=True):
            for o, k, i in met(g.shape[2:], w.shape[2:], y.shape[2:]):
                part[i] += gs[o] @ ws[k]
        return y

    def correlate(x: Any, g: Any) -> Any:
        y = zeros(known["weight"])
        for part, gs, xs in zip(parts(y, 0), parts(g, 1), parts(x, 1), strict=True):
            for o, k, i in met(g.shape[2:], y.shape[2:], x.shape[2:]):
                part[k] += gs[o].T @ xs[i]
        return y

    return {"conv": conv, "conv_transpose": conv_transpose, "correlate": correlate}


# --- pooling ---


def pooling(known: dict[str, Any]) -> dict[str, Any]:
    window = known["window"]

    def places(out: Pair, image: Pair) -> Iterator[tuple[Pair, list[Pair]]]:
        """Yield each output with the places of its window inside of the image, in reading order."""
        for o in np.ndindex(*out):
            each = [
                [i for j in range(k) if 0 <= (i := a * s - p + j * d) < n]
                for a, k, s, p, d, n in zip(o, *window[:4], image, strict=True)
            ]
            yield o, list(itertools.product(*each))

    def maxima(x: Any, out: Pair) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
        for n, c in np.ndindex(*x.shape[:2]):
            for o, inside in places(out, x.shape[2:]):
                values = [x[(n, c, *i)] for i in inside]
                yield (n, c, *o), (n, c, *inside[int(np.argmax(values))])

    def to_maxima(g: Any, x: Any) -> Any:
        y = zeros(x)
        for o, i in maxima(x, g.shape[2:]):
            y[i] += g[o]
        return y

    def at_maxima(g: Any, x: Any) -> Any:
        y = zeros(known["u"])
        for o, i in maxima(x, y.shape[2:]):
            y[o] = g[i]
        return y

    def divisor(o: Pair, image: Pair) -> int:
        if known["divisor_override"] is not None:
            return int(known["divisor_override"])
        size = 1
        for a, k, s, p, n in zip(o, *window[:3], image, strict=True):
            margin = p if known["count_include_pad"] else 0
            size *= len([i for i in range(a * s - p, a * s - p + k) if -margin <= i < n + margin])
        return size

    def unpool(g: Any) -> Any:
        y = zeros(known["x"])
        for o, inside in places(g.shape[2:], y.shape[2:]):
            for i in inside:
                y[(..., *i)] += g[(..., *o)] / divisor(o, y.shape[2:])
        return y

    def pool(g: Any) -> Any:
        y = zeros(known["u"])
        for o, inside in places(y.shape[2:], g.shape[2:]):
            for i in inside:
                y[(..., *o)] += g[(..., *i)] / divisor(o, g.shape[2:])
        return y

    return {"to_maxima": to_maxima, "at_maxima": at_maxima, "unpool": unpool, "pool": pool}


# --- losses and recurrence ---


def losses(known: dict[str, Any]) -> dict[str, Any]:
    x, dim, reduction = known["x"], known["dim"], known["reduction"]

    def one_hot(label: Any) -> Any:
        y = zeros(x)
        for at in np.ndindex(label.shape):
            y[(*at[:dim], int(label[at]), *at[dim:])] = 1
        return y

    def each(g: Any) -> Any:
        if reduction == "none":
            return np.expand_dims(g, dim)
        return g / known["label"].size if reduction == "mean" else g

    return {"one_hot": one_hot, "each": each}


def recurrence(known: dict[str, Any]) -> dict[str, Any]:
    sizes, step = known["sizes"], -1 if known["reverse"] else 1
    starts = np.cumsum([0, *sizes[:-1]])
    rows = [(t, row) for t, n in enumerate(sizes) for row in range(n)]

    def row_of(t: int, row: int) -> int | None:
        """Return where the row of a sequence at step `t` is, None if it has no such step."""
        return int(starts[t]) + row if 0 <= t < len(sizes) and row < sizes[t] else None

    def shifted(t: Any, end: Any, by: int) -> Any:
        places = [row_of(at + by, row) for at, row in rows]
        y = zeros((len(rows), end.shape[1]))
        for k, ((_, row), place) in enumerate(zip(rows, places, strict=True)):
            y[k] = end[row] if place is None else t[place]
        return y

    def of_each_step(gates: Any, count: int) -> list[Any]:
        each = [zeros((len(rows), gates.shape[1])) for _ in range(count)]
        for k, (at, row) in enumerate(rows):
            for gate in range(count):
                each[gate][k] = gates[count * int(starts[at]) + gate * sizes[at] + row]
        return each

    def first(t: Any, last: Any) -> Any:
        y = last.copy()
        for k, (at, row) in enumerate(rows):
            if row_of(at - step, row) is None:
                y[row] = t[k]
        return y

    return {
        "before": lambda y, h0: shifted(y, h0, -step),
        "later": lambda t, last: shifted(t, last, step),
        "first": first,
        "of_each_step": of_each_step,
    }


def start_of(op: Any, known: dict[str, Any]) -> dict[str, Any]:
    """Return zeros for what the lines of a recurrent layer need before they say what it is."""
    alike = {"rnn": {"dx": "x"}, "lstm": {"dx": "x", "c": "cells"}, "gru": {"h": "y", "hidden": "gates"}}
    return {name: zeros(known[like]) for name, like in alike.get(op.name, {}).items()}

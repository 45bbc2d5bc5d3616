"""Samples of the recurrent layers: batches that keep their size and that shrink, both ways, several steps and one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from op_samples_base import Sample, inside

from minigrad.ops import rnn

# label: rows of each step, reverse
BATCHES: dict[str, tuple[tuple[int, ...], bool]] = {
    "even": ((2, 2, 2), False),
    "even, reverse": ((2, 2, 2), True),
    "shrinking": ((3, 2, 2, 1), False),
    "shrinking, reverse": ((3, 2, 2, 1), True),
    "one step": ((2,), False),
    "one row": ((1, 1), False),
    "no rows": ((0, 0), True),
}
HIDDEN, PROJECTED = 2, 1


def samples() -> Iterator[Sample]:
    for label, (sizes, reverse) in BATCHES.items():
        rows, batch, h = sum(sizes), sizes[0], HIDDEN
        how = {"sizes": sizes, "reverse": reverse}
        for relu in (False, True):
            yield Sample(
                "rnn",
                f"{label}, {'relu' if relu else 'tanh'}",
                lambda x, h0, w, s=how, r=relu: rnn.rnn(x, h0, w, relu=r, **s),
                (inside(rows, h), inside(batch, h), inside(h, h)),
                None,
                lambda t, x, h0, w, s=how, r=relu: _rnn(t, x, h0, w, relu=r, **s),
                special=(),
            )
        state, cell = inside(batch, h), inside(batch, h)
        yield Sample(
            "lstm",
            label,
            lambda x, h0, c0, w, s=how: rnn.lstm(x, h0, c0, w, None, **s),
            (inside(rows, 4 * h), state, cell, inside(4 * h, h)),
            None,
            lambda t, x, h0, c0, w, s=how: _lstm(t, x, h0, c0, w, None, **s),
            special=(),
        )
        yield Sample(
            "lstm",
            f"{label}, projection",
            lambda x, h0, c0, w, p, s=how: rnn.lstm(x, h0, c0, w, p, **s),
            (inside(rows, 4 * h), inside(batch, PROJECTED), cell, inside(4 * h, PROJECTED), inside(PROJECTED, h)),
            None,
            lambda t, x, h0, c0, w, p, s=how: _lstm(t, x, h0, c0, w, p, **s),
            special=(),
        )
        for projected in (False, True):
            wide = PROJECTED if projected else h
            carried = (inside(rows, wide), inside(batch, wide), cell, inside(rows, h), inside(4 * rows, h))
            known = (inside(rows, h), inside(rows, h), inside(4 * rows, h), inside(4 * h, wide))
            yield Sample(
                "lstm_grad",
                f"{label}{', projection' if projected else ''}",
                lambda *a, s=how, p=projected: rnn.lstm_grad(*a, *(() if p else (None,)), **s),
                (*carried, *known, *((inside(PROJECTED, h),) if projected else ())),
                None,
                lambda t, *a, s=how, p=projected: _lstm_grad(t, *a, *(() if p else (None,)), **s),
                special=(),
            )
        yield Sample(
            "lstm_grad",
            f"{label}, of h alone",
            lambda u, h, c, *a, s=how: rnn.lstm_grad(u, h, c, None, None, *a, None, **s),
            (inside(rows, h), state, cell, inside(rows, h), inside(rows, h), inside(4 * rows, h), inside(4 * h, h)),
            None,
            lambda t, u, h, c, *a, s=how: _lstm_grad(t, u, h, c, 0, 0, *a, None, **s),
            special=(),
        )
        yield Sample(
            "gru",
            label,
            lambda x, h0, w, b, s=how: rnn.gru(x, h0, w, b, **s),
            (inside(rows, 3 * h), state, inside(3 * h, h), inside(3 * h)),
            None,
            lambda t, x, h0, w, b, s=how: _gru(t, x, h0, w, b, **s),
            special=(),
        )
        yield Sample(
            "gru",
            f"{label}, no bias",
            lambda x, h0, w, s=how: rnn.gru(x, h0, w, None, **s),
            (inside(rows, 3 * h), state, inside(3 * h, h)),
            None,
            lambda t, x, h0, w, s=how: _gru(t, x, h0, w, None, **s),
            special=(),
        )


Step = Callable[..., tuple[list[Any], list[Any]]]


def _walk(t: Any, x: Any, first: list[Any], sizes: tuple[int, ...], reverse: bool, step: Step) -> tuple[Any, Any]:
    """Take the steps one by one, each sequence in a row of its own; return what they give by rows, and the last states.

    `step` gets the rows of one step and their states, and returns the new states and what else is to be given.
    """
    blocks = list(x.split(list(sizes)))
    order = range(len(sizes))
    states = [list(s.unbind(0)) for s in first]
    found: dict[int, list[Any]] = {}
    new: list[Any] = []
    for k in reversed(order) if reverse else order:
        n = sizes[k]
        new, found[k] = step(blocks[k], *[t.stack(s[:n]) if n else s0[:0] for s, s0 in zip(states, first, strict=True)])
        states = [[*v.unbind(0), *s[n:]] for v, s in zip(new, states, strict=True)]
    given = [t.cat([found[k][i] for k in order]) for i in range(len(found[0]))]
    return given, [t.stack(s) if s else v for s, v in zip(states, new, strict=True)]


def _rnn(t: Any, x: Any, h0: Any, w: Any, *, relu: bool, sizes: tuple[int, ...], reverse: bool) -> tuple[Any, ...]:
    def step(x: Any, h: Any) -> tuple[list[Any], list[Any]]:
        h = (x + h @ w.T).relu() if relu else (x + h @ w.T).tanh()
        return [h], [h]

    (y,), (last,) = _walk(t, x, [h0], sizes, reverse, step)
    return y, last, y * 1


def _lstm(
    t: Any, x: Any, h0: Any, c0: Any, w: Any, p: Any, *, sizes: tuple[int, ...], reverse: bool
) -> tuple[Any, ...]:
    def step(x: Any, h: Any, c: Any) -> tuple[list[Any], list[Any]]:
        i, f, g, o = (x + h @ w.T).chunk(4, 1)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        c = f * c + i * g
        h = o * c.tanh() if p is None else (o * c.tanh()) @ p.T
        return [h, c], [h, c, t.cat([i, f, g, o])]

    (y, cells, gates), (h, c) = _walk(t, x, [h0, c0], sizes, reverse, step)
    return y, h, c, cells, gates, y * 1


def _side_by_side(t: Any, blocks: Any, sizes: tuple[int, ...]) -> Any:
    """Return the gates, which lie below each other for each step, as columns."""
    return t.cat([t.cat(list(step.chunk(4)), 1) if step.shape[0] else step.reshape(0, 4 * blocks.shape[1])
                  for step in blocks.split([4 * n for n in sizes])])  # fmt: skip


def _lstm_grad(
    t: Any, u: Any, dh: Any, dc: Any, u_cells: Any, u_gates: Any,
    before: Any, cells: Any, gates: Any, w: Any, p: Any, *, sizes: tuple[int, ...], reverse: bool,
) -> tuple[Any, ...]:  # fmt: skip
    """The gradient of one step after the other, walked the other way."""
    gates, u_gates = (_side_by_side(t, blocks + t.zeros_like(gates), sizes) for blocks in (gates, u_gates))
    extra = t.cat([u_cells + t.zeros_like(cells), u_gates], 1)
    wide, h = u.shape[1], cells.shape[1]

    def step(x: Any, dh: Any, dc: Any) -> tuple[list[Any], list[Any]]:
        u, b, c, i, f, g, o, v, e = x.split([wide, h, h, h, h, h, h, h, 4 * h], 1)
        dy = dh + u
        du = dy if p is None else dy @ p
        dv = dc + v + du * o * (1 - c.tanh() ** 2)
        q = t.cat([dv * g, dv * b, dv * i, du * c.tanh()], 1) + e
        dx = q * t.cat([i * (1 - i), f * (1 - f), 1 - g * g, o * (1 - o)], 1)
        return [dx @ w, dv * f], [dx, dy, dv]

    rows = t.cat([u, before, cells, gates, extra], 1)
    (dx, dy, dv), (dh, dc) = _walk(t, rows, [dh, dc], sizes, not reverse, step)
    return dx, dh, dc, dy, dv


def _gru(t: Any, x: Any, h0: Any, w: Any, b: Any, *, sizes: tuple[int, ...], reverse: bool) -> tuple[Any, ...]:
    def step(x: Any, h: Any) -> tuple[list[Any], list[Any]]:
        (xr, xz, xn), (hr, hz, part) = x.chunk(3, 1), (h @ w.T + (0 if b is None else b)).chunk(3, 1)
        r, z = (xr + hr).sigmoid(), (xz + hz).sigmoid()
        n = (xn + r * part).tanh()
        h = (1 - z) * n + z * h
        return [h], [h, t.cat([r, z, n], 1), part]

    (y, gates, parts), (last,) = _walk(t, x, [h0], sizes, reverse, step)
    return y, last, y * 1, gates, parts

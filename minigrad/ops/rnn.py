"""Recurrent layers: each is one node over all time steps, whose rule walks the steps once more, backwards.

The input is what `linear` makes of all steps at once, its rows below each other as `sizes` says. A rule first works
out, for all steps together, how a gradient of the state h (and of the LSTM's c) changes what entered the gates; what is
left for the walk is a few products. Gates and states that it reads are outputs: second derivatives flow through them.
"""

from __future__ import annotations

from typing import Any

from minigrad.graph import primitive
from minigrad.kernels import rnn as kernel
from minigrad.kernels.rnn import Sizes, steps
from minigrad.ops.elementwise import gt, tanh, where
from minigrad.ops.reduce import sum
from minigrad.ops.shape import concatenate, permute, reshape


def _before(x: Any, x0: Any, sizes: Sizes, reverse: bool) -> Any:
    """Return for every row the state from which its step began: that of the step before, or one of the first, `x0`."""
    if sizes[0] == sizes[-1]:
        rest = sizes[0] * (len(sizes) - 1)
        return concatenate(x[sizes[0] :], x0, dim=0) if reverse else concatenate(x0, x[:rest], dim=0)
    rows = steps(sizes, False)
    if not reverse:
        return concatenate(x0, *[x[s : s + later] for (s, _), later in zip(rows, sizes[1:], strict=False)], dim=0)
    after = [*rows[1:], (0, 0)]
    return concatenate(*[part for (_, n), (s, later) in zip(rows, after, strict=True)
                         for part in (x[s : s + later], x0[later:n])], dim=0)  # fmt: skip


def _over(new: Any, old: Any) -> Any:
    """Return `old` with its first rows replaced by `new`."""
    n = new.shape[0]
    return new if n == old.shape[0] else concatenate(new, old[n:], dim=0)


def _joined(parts: Any, reverse: bool) -> Any:
    """Return what the steps of a walk found, the last step's first, as rows in the order of time."""
    return concatenate(*(parts if reverse else parts[::-1]), dim=0)


def _rnn_rule(
    g: Any, g_last: Any, h0: Any, weight: Any, states: Any, sizes: Sizes, relu: bool, reverse: bool,
    g_states: Any = None,
) -> tuple[Any, Any, Any]:  # fmt: skip
    if g_states is not None:
        g = g + g_states
    slope = where(gt(states, 0), 1.0, 0.0 * states) if relu else 1.0 - states * states
    found: list[Any] = []
    dh = g_last
    for s, n in steps(sizes, not reverse):
        row = (dh[:n] + g[s : s + n]) * slope[s : s + n]
        dh, found = _over(row @ weight, dh), [*found, row]
    dx = _joined(found, reverse)
    return dx, dh, permute(dx, dims=(1, 0)) @ _before(states, h0, sizes, reverse)


def _gates(x: Any, sizes: Sizes) -> list[Any]:
    """Return the gates i, f, g and o of all steps, each with the rows that the cells have, out of the steps' blocks."""
    if sizes[0] == sizes[-1]:
        blocks = reshape(x, shape=(len(sizes), 4, sizes[0], x.shape[1]))
        return [reshape(blocks[:, k], shape=(-1, x.shape[1])) for k in range(4)]
    return [concatenate(*[x[4 * s + k * n : 4 * s + (k + 1) * n] for s, n in steps(sizes, False)], dim=0)
            for k in range(4)]  # fmt: skip


def _blocks(gates: tuple[Any, ...], sizes: Sizes) -> Any:
    """Return the gates of each step below each other: the opposite of `_gates`."""
    return concatenate(*[gate[s : s + n] for s, n in steps(sizes, False) for gate in gates], dim=0)


def _quarters(x: Any) -> tuple[Any, Any, Any, Any]:
    """Return the columns of the gates i, f, g and o."""
    n = x.shape[1] // 4
    return x[:, :n], x[:, n : 2 * n], x[:, 2 * n : 3 * n], x[:, 3 * n :]


def _lstm_rule(
    g: Any, g_last: Any, g_last_c: Any, h0: Any, c0: Any, weight: Any, weight_hr: Any, cells: Any, gates: Any,
    states: Any, sizes: Sizes, reverse: bool, g_cells: Any = None, g_gates: Any = None, g_states: Any = None,
) -> tuple[Any, Any, Any, Any, Any]:  # fmt: skip
    if g_states is not None:
        g = g + g_states
    before = _before(cells, c0, sizes, reverse)
    dx, dh, dc, dy, _ = lstm_grad(
        g, g_last, g_last_c, g_cells, g_gates, before, cells, gates, weight, weight_hr, sizes=sizes, reverse=reverse
    )
    dw_hr = None if weight_hr is None else permute(dy, dims=(1, 0)) @ (_gates(gates, sizes)[3] * tanh(cells))
    return dx, dh, dc, permute(dx, dims=(1, 0)) @ _before(states, h0, sizes, reverse), dw_hr


def _lstm_again(
    h: Any, c: Any, g_dx: Any, g_dy: Any, g_dv: Any, before: Any, bounded: Any, gates: list[Any], slopes: Any,
    weight: Any, weight_hr: Any, sizes: Sizes, reverse: bool,
) -> tuple[Any, ...]:  # fmt: skip
    """Walk from the first step to the last with the gradients `h` and `c` of the gradients that lstm_grad ends with.

    Return for all steps the gradients of dx, dv, du and dy, and the h and c from which the steps began; and the last.
    """
    i, f, new, o = gates
    found: list[Any] = []
    to_c, across = o * (1.0 - bounded * bounded), permute(weight, dims=(1, 0))
    across_hr = None if weight_hr is None else permute(weight_hr, dims=(1, 0))
    for s, n in steps(sizes, reverse):
        rows = slice(s, s + n)
        at_x = g_dx[rows] + h[:n] @ across
        at_i, at_f, at_new, at_o = _quarters(at_x * slopes[rows])
        at_v = at_i * new[rows] + at_f * before[rows] + at_new * i[rows] + c[:n] * f[rows] + g_dv[rows]
        at_du = at_o * bounded[rows] + at_v * to_c[rows]
        at_y = (at_du if across_hr is None else at_du @ across_hr) + g_dy[rows]
        found = [*found, (at_x, at_v, at_du, at_y, h[:n], c[:n])]
        h, c = _over(at_y, h), _over(at_v, c)
    return (*[_joined(parts, not reverse) for parts in zip(*found, strict=True)], h, c)


def _lstm_grad_rule(
    g_dx: Any, g_dh: Any, g_dc: Any, g_dy: Any, g_dv: Any, u_gates: Any, before: Any, cells: Any, gates: Any,
    weight: Any, weight_hr: Any, dx: Any, dy: Any, dv: Any, sizes: Sizes, reverse: bool,
) -> tuple[Any, ...]:  # fmt: skip
    """Return the gradients of lstm_grad.

    It computes dx = q * slopes, where q, for the gates in turn, is v * new, v * before, v * i and du * tanh(c), plus
    u_gates; and v is what came from the later step, plus u_cells and du * o * (1 - tanh(c)**2).
    """
    known = i, f, new, o = _gates(gates, sizes)
    bounded = tanh(cells)
    slopes = concatenate(i * (1.0 - i), f * (1.0 - f), 1.0 - new * new, o * (1.0 - o), dim=1)
    at_x, at_v, at_du, at_y, hs, cs, h, c = _lstm_again(
        g_dh, g_dc, g_dx, g_dy, g_dv, before, bounded, known, slopes, weight, weight_hr, sizes, reverse
    )
    du = dy if weight_hr is None else dy @ weight_hr
    q = concatenate(dv * new, dv * before, dv * i, du * bounded, dim=1)
    if u_gates is not None:
        q = q + concatenate(*_gates(u_gates, sizes), dim=1)
    slope_i, slope_f, slope_new, slope_o = _quarters(at_x * q)
    at_i, at_f, at_new, at_o = at_q = _quarters(at_x * slopes)
    steep = at_v * du
    at_gates = (
        at_new * dv + slope_i * (1.0 - 2.0 * i),
        cs * dv + slope_f * (1.0 - 2.0 * f),
        at_i * dv - slope_new * new * 2.0,
        steep * (1.0 - bounded * bounded) + slope_o * (1.0 - 2.0 * o),
    )
    at_cells = (at_o * du - steep * o * bounded * 2.0) * (1.0 - bounded * bounded)
    at_weight, at_hr = permute(dx, dims=(1, 0)) @ hs, None if weight_hr is None else permute(dy, dims=(1, 0)) @ at_du
    return at_y, h, c, at_v, _blocks(at_q, sizes), at_f * dv, at_cells, _blocks(at_gates, sizes), at_weight, at_hr


def _gru_rule(
    g: Any, g_last: Any, h0: Any, weight: Any, bias: Any, states: Any, gates: Any, parts: Any,
    sizes: Sizes, reverse: bool, g_states: Any = None, g_gates: Any = None, g_parts: Any = None,
) -> tuple[Any, Any, Any, Any]:  # fmt: skip
    """`parts` is what n's hidden part came to: n = tanh(input's part + r * part)."""
    if g_states is not None:
        g = g + g_states
    h = parts.shape[1]
    r, z, new = gates[:, :h], gates[:, h : 2 * h], gates[:, 2 * h :]
    before = _before(states, h0, sizes, reverse)
    to_new = (1.0 - z) * (1.0 - new * new)
    slope_r, slope_z = r * (1.0 - r), z * (1.0 - z)
    to_r, to_z = to_new * parts * slope_r, (before - new) * slope_z
    to_hidden = reshape(concatenate(to_r, to_z, to_new * r, dim=1), shape=(-1, 3, h))
    extra = extra_part = None
    if g_gates is not None:
        extra_part = g_gates[:, 2 * h :] * (1.0 - new * new)
        extra_r = (g_gates[:, :h] + extra_part * parts) * slope_r
        extra_z = g_gates[:, h : 2 * h] * slope_z
        extra = concatenate(extra_r, extra_z, extra_part * r, dim=1)
    if g_parts is not None:
        at_part = concatenate(0.0 * gates[:, : 2 * h], g_parts, dim=1)
        extra = at_part if extra is None else extra + at_part
    found: list[Any] = []
    dh = g_last
    for s, n in steps(sizes, not reverse):
        dy = dh[:n] + g[s : s + n]
        row = reshape(dy[:, None] * to_hidden[s : s + n], shape=(n, 3 * h))
        if extra is not None:
            row = row + extra[s : s + n]
        dh, found = _over(dy * z[s : s + n] + row @ weight, dh), [*found, dy]
    dy = _joined(found, reverse)
    hidden = reshape(reshape(dy, shape=(-1, 1, h)) * to_hidden, shape=(-1, 3 * h))
    dnew = dy * to_new
    if extra is not None:
        hidden = hidden + extra
    if extra_part is not None:
        dnew = dnew + extra_part
    dx = concatenate(hidden[:, : 2 * h], dnew, dim=1)
    dw = permute(hidden, dims=(1, 0)) @ before
    return dx, dh, dw, None if bias is None else sum(hidden, dim=0)


rnn = primitive(
    "rnn", kernel.rnn, casts="same",
    inputs=("x", "h0", "weight"), outputs=("y", "last", "states"), joint=_rnn_rule,
)  # fmt: skip
lstm = primitive(
    "lstm", kernel.lstm, casts="same", joint=_lstm_rule,
    inputs=("x", "h0", "c0", "weight", "weight_hr"), outputs=("y", "last", "last_c", "cells", "gates", "states"),
)  # fmt: skip
lstm_grad = primitive(
    "lstm_grad", kernel.lstm_grad, joint=_lstm_grad_rule,
    inputs=("u", "u_last", "u_last_c", "u_cells", "u_gates", "before", "cells", "gates", "weight", "weight_hr"),
    outputs=("dx", "dh", "dc", "dy", "dv"),
)  # fmt: skip
gru = primitive(
    "gru", kernel.gru, casts="same",
    inputs=("x", "h0", "weight", "bias"), outputs=("y", "last", "states", "gates", "parts"), joint=_gru_rule,
)  # fmt: skip

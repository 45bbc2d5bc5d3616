"""Recurrent layers over all time steps: the steps follow each other, each on the rows of the sequences still running.

The rows of all steps lie below each other: `sizes` says how many each step has, sequences sorted by length, the longest
first. What each gate came to is returned too, for the gradient rules.
"""

from __future__ import annotations

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import ShapeError

Sizes = tuple[int, ...]


def steps(sizes: Sizes, reverse: bool) -> list[tuple[int, int]]:
    """Return the first row and the number of rows of each step, in the order in which they are taken.

    >>> steps((2, 2, 1), reverse=True)
    [(4, 1), (2, 2), (0, 2)]
    """
    starts = [0]
    for n in sizes[:-1]:
        starts.append(starts[-1] + n)
    found = list(zip(starts, sizes, strict=True))
    return found[::-1] if reverse else found


def _check(name: str, x: Array, h0: Array, weight: Array, gates: int, sizes: Sizes) -> None:
    """Raise ShapeError unless the rows, the state and the weight fit each other."""
    wide, hidden = weight.shape
    if x.shape != (sum(sizes), wide) or h0.shape != (sizes[0], hidden) or wide % gates:
        raise ShapeError(
            f"{name}: the projected input {x.shape}, the state {h0.shape} and the weight {weight.shape} do not fit "
            f"batches of {sizes[0]} and {sum(sizes)} rows in all"
        )


def _logistic(x: Array) -> None:
    """Turn `x` into 1 / (1 + exp(-x)) in place."""
    np.negative(x, out=x)
    np.exp(x, out=x)
    x += 1
    np.reciprocal(x, out=x)


def rnn(x: Array, h0: Array, weight: Array, *, sizes: Sizes, relu: bool, reverse: bool) -> tuple[Array, ...]:
    """Return h of all steps, the last h of each sequence, and the h's once more for the rule."""
    _check("rnn", x, h0, weight, 1, sizes)
    across = np.ascontiguousarray(weight.T)
    y, h = np.empty(x.shape, x.dtype), np.array(h0, order="C")
    for start, n in steps(sizes, reverse):
        row = np.matmul(h[:n], across, out=y[start : start + n])
        row += x[start : start + n]
        if relu:
            np.maximum(row, 0, out=row)
        else:
            np.tanh(row, out=row)
        h[:n] = row
    return y, h, y.copy()


def lstm(
    x: Array, h0: Array, c0: Array, weight: Array, weight_hr: Array | None, *, sizes: Sizes, reverse: bool
) -> tuple[Array, ...]:
    """Return h of all steps, the last h and c of each sequence, c of all steps, the gates i, f, g, o, and the h's.

    The gates of a step lie below each other, so that each is one run of memory: `gate_blocks` finds them.
    """
    _check("lstm", x, h0, weight, 4, sizes)
    hidden = weight.shape[0] // 4
    across, parts = _by_gate(weight, 4), x.reshape(len(x), 4, hidden).transpose(1, 0, 2)
    y = np.empty((len(x), h0.shape[1]), x.dtype)
    cells, gates = np.empty((len(x), hidden), x.dtype), np.empty((4 * len(x), hidden), x.dtype)
    h, c = np.array(h0, order="C"), np.array(c0, order="C")
    for (start, n), gate in zip(steps(sizes, reverse), gate_blocks(gates, 4, sizes, reverse), strict=True):
        rows, cell = slice(start, start + n), c[:n]
        np.matmul(h[:n], across, out=gate)
        gate += parts[:, rows]
        candidate = np.tanh(gate[2])
        _logistic(gate)  # of the candidate's quarter too: one call on contiguous memory is quicker than two on parts
        gate[2] = candidate
        candidate *= gate[0]
        cell *= gate[1]
        cell += candidate
        cells[rows] = cell
        bounded = np.tanh(cell, out=candidate)
        if weight_hr is None:
            h[:n] = np.multiply(bounded, gate[3], out=y[rows])
        else:
            h[:n] = np.matmul(bounded * gate[3], weight_hr.T, out=y[rows])
    return y, h, c, cells, gates, y.copy()


def _by_gate(weight: Array, gates: int) -> Array:
    """Return for each gate the matrix to multiply h with, each of them contiguous.

    BLAS multiplies matrices as small as these without first copying them into the order it likes best.
    """
    return np.ascontiguousarray(weight.reshape(gates, weight.shape[0] // gates, weight.shape[1]).transpose(0, 2, 1))


def _strips(weight: Array) -> Array:
    """Return the columns of `weight` in four matrices, contiguous ones for the reason that `_by_gate` gives."""
    rows, columns = weight.shape
    count = 1 if columns % 4 else 4
    return np.ascontiguousarray(weight.reshape(rows, count, columns // count).transpose(1, 0, 2))


def gate_blocks(gates: Array, count: int, sizes: Sizes, reverse: bool) -> list[Array]:
    """Return the `count` gates of each step, (count, n, hidden), in the order in which the steps are taken.

    >>> [block.tolist() for block in gate_blocks(np.arange(6.0)[:, None], 2, (2, 1), reverse=True)]
    [[[[4.0]], [[5.0]]], [[[0.0], [1.0]], [[2.0], [3.0]]]]
    """
    hidden = gates.shape[1]
    return [gates[count * s : count * (s + n)].reshape(count, n, hidden) for s, n in steps(sizes, reverse)]


def lstm_grad(
    u: Array, u_last: Array, u_last_c: Array, u_cells: Array | None, u_gates: Array | None,
    before: Array, cells: Array, gates: Array, weight: Array, weight_hr: Array | None, *, sizes: Sizes, reverse: bool,
) -> tuple[Array, ...]:  # fmt: skip
    """Return the gradients of the gates' input, of the first h and c, and the whole ones of every h and c.

    The u's are the gradients of what `lstm` returned, and `before` are the c's from which its steps began.
    """
    hidden = cells.shape[1]
    dx, dy, dv = np.empty((len(cells), 4 * hidden), cells.dtype), np.empty(u.shape, u.dtype), np.empty_like(cells)
    dh, dc = np.array(u_last, order="C"), np.array(u_last_c, order="C")
    parts, room = dx.reshape(len(cells), 4, hidden).transpose(1, 0, 2), np.empty((6, sizes[0], hidden), cells.dtype)
    strips = _strips(weight)
    blocks = gate_blocks(gates, 4, sizes, not reverse)
    more = [None] * len(blocks) if u_gates is None else gate_blocks(u_gates, 4, sizes, not reverse)
    for (start, n), gate, extra in zip(steps(sizes, not reverse), blocks, more, strict=True):
        rows, rest, s, t = slice(start, start + n), room[:4, :n], room[4, :n], room[5, :n]
        (i, f, new, o), v = gate, dv[rows]
        to_i, to_f, to_new, to_o = parts[:, rows]
        du = np.add(dh[:n], u[rows], out=dy[rows])
        if weight_hr is not None:
            du = np.matmul(du, weight_hr)
        np.subtract(1, gate, out=rest)
        bounded = np.tanh(cells[rows], out=s)
        np.multiply(du, o, out=v)
        np.multiply(v, bounded, out=t)
        np.multiply(t, rest[3], out=to_o)
        t *= bounded
        v -= t  # du * o * (1 - tanh(c)**2)
        v += dc[:n]
        if u_cells is not None:
            v += u_cells[rows]
        carried = np.multiply(v, f, out=dc[:n])
        np.multiply(carried, before[rows], out=s)
        np.multiply(s, rest[1], out=to_f)
        np.multiply(v, i, out=s)
        np.multiply(s, new, out=t)
        np.multiply(t, rest[0], out=to_i)
        t *= new
        np.subtract(s, t, out=to_new)  # v * i * (1 - new**2)
        if extra is not None:
            rest *= gate
            np.subtract(1, np.multiply(new, new, out=s), out=rest[2])
            parts[:, rows] += np.multiply(extra, rest, out=rest)
        np.matmul(dx[rows], strips, out=dh[:n].reshape(n, len(strips), strips.shape[2]).transpose(1, 0, 2))
    return dx, dh, dc, dy, dv


def gru(x: Array, h0: Array, weight: Array, bias: Array | None, *, sizes: Sizes, reverse: bool) -> tuple[Array, ...]:
    """Return h of all steps, the last h of each sequence, the h's once more, the gates r, z, n, and n's hidden part."""
    _check("gru", x, h0, weight, 3, sizes)
    hidden = weight.shape[0] // 3
    strips = _strips(weight.T)
    y, gates = np.empty((len(x), hidden), x.dtype), np.empty(x.shape, x.dtype)
    parts, h = np.empty_like(y), np.array(h0, order="C")
    for start, n in steps(sizes, reverse):
        rows = slice(start, start + n)
        gate, state, part = gates[rows], h[:n], parts[rows]
        np.matmul(state, strips, out=gate.reshape(n, len(strips), strips.shape[2]).transpose(1, 0, 2))
        if bias is not None:
            gate += bias
        part[...] = gate[:, 2 * hidden :]
        gate += x[rows]
        _logistic(gate)
        candidate = gate[:, 2 * hidden :]
        np.multiply(gate[:, :hidden], part, out=candidate)
        candidate += x[rows, 2 * hidden :]
        np.tanh(candidate, out=candidate)
        state -= candidate
        state *= gate[:, hidden : 2 * hidden]
        state += candidate
        y[rows] = state
    return y, h, y.copy(), gates, parts

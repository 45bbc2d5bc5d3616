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
    """Return h of all steps, the last h and c of each sequence, c of all steps, and the gates i, f, g, o."""
    _check("lstm", x, h0, weight, 4, sizes)
    hidden = weight.shape[0] // 4
    across = np.ascontiguousarray(weight.T)
    y = np.empty((len(x), h0.shape[1]), x.dtype)
    cells, gates = np.empty((len(x), hidden), x.dtype), np.empty(x.shape, x.dtype)
    h, c = np.array(h0, order="C"), np.array(c0, order="C")
    new = np.empty_like(c)
    for start, n in steps(sizes, reverse):
        rows = slice(start, start + n)
        gate, cell, out = np.matmul(h[:n], across, out=gates[rows]), c[:n], new[:n]
        gate += x[rows]
        candidate = np.tanh(gate[:, 2 * hidden : 3 * hidden])
        _logistic(gate)  # of the candidate's quarter too: one call on contiguous memory is quicker than two on parts
        gate[:, 2 * hidden : 3 * hidden] = candidate
        cell *= gate[:, hidden : 2 * hidden]
        candidate *= gate[:, :hidden]
        cell += candidate
        cells[rows] = cell
        np.tanh(cell, out=out)
        out *= gate[:, 3 * hidden :]
        if weight_hr is not None:
            out = np.matmul(out, weight_hr.T)
        y[rows] = h[:n] = out
    return y, h, c, cells, gates


def lstm_grad(
    u: Array, u_last: Array, u_last_c: Array, u_cells: Array | None, u_gates: Array | None,
    before: Array, cells: Array, gates: Array, weight: Array, weight_hr: Array | None, *, sizes: Sizes, reverse: bool,
) -> tuple[Array, ...]:  # fmt: skip
    """Return the gradients of the gates' input, of the first h and c, and the whole ones of every h and c.

    The u's are the gradients of what `lstm` returned, and `before` are the c's from which its steps began.
    """
    hidden = cells.shape[1]
    dx, dy, dv = np.empty(gates.shape, gates.dtype), np.empty(u.shape, u.dtype), np.empty(cells.shape, cells.dtype)
    dh, dc = np.array(u_last, order="C"), np.array(u_last_c, order="C")
    for start, n in reversed(steps(sizes, reverse)):
        rows = slice(start, start + n)
        gate, out, v = gates[rows], dx[rows], dv[rows]
        i, f, new, o = (gate[:, k * hidden : (k + 1) * hidden] for k in range(4))
        du = np.add(dh[:n], u[rows], out=dy[rows])
        if weight_hr is not None:
            du = np.matmul(du, weight_hr)
        bounded = np.tanh(cells[rows])
        to_o = np.multiply(du, bounded, out=out[:, 3 * hidden :])
        bounded *= to_o
        np.subtract(du, bounded, out=v)
        v *= o
        v += dc[:n]
        if u_cells is not None:
            v += u_cells[rows]
        np.multiply(v, new, out=out[:, :hidden])
        np.multiply(v, before[rows], out=out[:, hidden : 2 * hidden])
        np.multiply(v, i, out=out[:, 2 * hidden : 3 * hidden])
        if u_gates is not None:
            out += u_gates[rows]
        slope = np.subtract(1, gate)
        slope *= gate
        np.subtract(1, np.multiply(new, new, out=bounded), out=slope[:, 2 * hidden : 3 * hidden])
        out *= slope
        np.multiply(v, f, out=dc[:n])
        np.matmul(out, weight, out=dh[:n])
    return dx, dh, dc, dy, dv


def gru(x: Array, h0: Array, weight: Array, bias: Array | None, *, sizes: Sizes, reverse: bool) -> tuple[Array, ...]:
    """Return h of all steps, the last h of each sequence, the h's once more, the gates r, z, n, and n's hidden part."""
    _check("gru", x, h0, weight, 3, sizes)
    hidden = weight.shape[0] // 3
    across = np.ascontiguousarray(weight.T)
    y, gates = np.empty((len(x), hidden), x.dtype), np.empty(x.shape, x.dtype)
    parts, h = np.empty_like(y), np.array(h0, order="C")
    for start, n in steps(sizes, reverse):
        rows = slice(start, start + n)
        gate, state, part = np.matmul(h[:n], across, out=gates[rows]), h[:n], parts[rows]
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

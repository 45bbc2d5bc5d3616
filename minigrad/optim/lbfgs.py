"""L-BFGS: Newton's method with a curvature estimated from the last few steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError
from minigrad.kernels import quiet
from minigrad.optim.line_search import Trial, strong_wolfe
from minigrad.optim.optimizer import Group, Optimizer, Parameters, State, recorded
from minigrad.tensor import Tensor, wrap


class LBFGS(Optimizer):
    """Go along -H g, where g is the gradient and H the inverse curvature that the last `history_size` steps show.

    One `step(closure)` makes up to `max_iter` such moves and calls `closure` up to `max_eval` times (by default 5/4 of
    that); it ends early when no gradient is above `tolerance_grad`, or neither loss nor parameters change by more than
    `tolerance_change`. Each move is `lr` times the direction, or found by `line_search_fn="strong_wolfe"`. All
    parameters form one vector, so there is one group. Liu and Nocedal, "On the limited memory BFGS method for large
    scale optimization", Mathematical Programming 45, 1989. Raises ArgumentError for a negative lr, for several groups
    and for a line search of another name.

    >>> import minigrad as mg
    >>> w = mg.tensor([4.0], requires_grad=True)
    >>> optimizer = LBFGS([w])
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 1) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure).item(), round(w.item(), 4)
    (9.0, 1.0)
    """

    def __init__(
        self,
        params: Parameters,
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        settings: Group = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
        }
        settings |= {"tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change}
        super().__init__(params, settings | {"history_size": history_size, "line_search_fn": line_search_fn})
        if len(self.param_groups) != 1:
            raise ArgumentError("LBFGS doesn't support per-parameter options (parameter groups)")
        self._check_settings(self.param_groups[0])

    def _check_settings(self, group: Group) -> None:
        super()._check_settings(group)
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ArgumentError(f"only 'strong_wolfe' is supported, got line_search_fn={group['line_search_fn']!r}")

    @property
    def _params(self) -> list[Tensor]:
        params: list[Tensor] = self.param_groups[0]["params"]
        return params

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move the parameters; `closure` clears and computes the gradients and returns the loss, which is returned."""
        if closure is None:
            raise ArgumentError("LBFGS needs a closure: step(closure), which computes the gradients again and again")
        run, loss = _Run(self, closure), recorded(closure)
        run.state["func_evals"] = run.state.get("func_evals", 0) + 1
        run.state.setdefault("n_iter", 0)
        quiet.run(run.moves, float(loss))
        return loss

    def _flat_gradient(self) -> Array:
        parts = [np.zeros(p.numel(), p._data.dtype) if p._grad is None else p._grad._data for p in self._params]
        return np.concatenate([part.reshape(-1) for part in parts])

    def _move(self, t: Any, direction: Array) -> None:
        start = 0
        for p in self._params:
            p._data += t * direction[start : start + p.numel()].reshape(p._data.shape)
            p._storage.version += 1
            start += p.numel()


class _Run:
    """One step: up to max_iter moves."""

    def __init__(self, optimizer: LBFGS, closure: Callable[[], Any]) -> None:
        self.optimizer, self.closure, self.group = optimizer, closure, optimizer.param_groups[0]
        self.state = optimizer.state[optimizer._params[0]]
        self.made = 1

    def moves(self, loss: float) -> None:
        """Move until an iteration says that it was the last."""
        gradient = self.optimizer._flat_gradient()
        if self._flat(gradient):
            return
        going, iteration = True, 0
        while going and iteration < self.group["max_iter"]:
            iteration += 1
            loss, gradient, going = self._iterate(loss, gradient, iteration == self.group["max_iter"])

    def _flat(self, gradient: Array) -> bool:
        return bool(np.abs(gradient).max() <= self.group["tolerance_grad"])

    def _iterate(self, loss: float, gradient: Array, last: bool) -> tuple[float, Array, bool]:
        """Make one move; return the loss and gradient there and whether to go on."""
        state, tolerance, lr = self.state, self.group["tolerance_change"], float(self.group["lr"])
        state["n_iter"] += 1
        direction = _direction(state, gradient, self.group["history_size"])
        t = min(1.0, 1.0 / np.abs(gradient).sum()) * lr if state["n_iter"] == 1 else lr
        state |= {"d": wrap(direction), "t": t, "prev_flat_grad": wrap(gradient), "prev_loss": loss}
        slope = gradient @ direction
        if slope > -tolerance:
            return loss, gradient, False
        before = loss
        loss, gradient, t, evaluations = self._along(Trial(t, loss, gradient, slope), direction, last)
        state["t"] = t
        self.made += evaluations
        state["func_evals"] += evaluations
        settled = np.abs(direction * t).max() <= tolerance or abs(loss - before) < tolerance
        out = last or self.made >= self.group["max_eval"] or self._flat(gradient)
        return loss, gradient, not (out or settled)

    def _along(self, start: Trial, direction: Array, last: bool) -> tuple[float, Array, Any, int]:
        """Move along `direction`; return loss, gradient, the length gone and how often the loss was computed."""
        optimizer = self.optimizer
        if self.group["line_search_fn"] is None:
            optimizer._move(start.t, direction)
            if last:
                return start.loss, start.grad, start.t, 0
            return float(recorded(self.closure)), optimizer._flat_gradient(), start.t, 1
        held = [p._data.copy() for p in optimizer._params]

        def evaluate(t: Any) -> Trial:
            optimizer._move(t, direction)
            loss, gradient = float(recorded(self.closure)), optimizer._flat_gradient()
            for p, values in zip(optimizer._params, held, strict=True):
                p._data[...] = values
            return Trial(t, loss, gradient, gradient @ direction)

        most, tolerance = self.group["max_eval"] - self.made, 1e-9
        found, made = strong_wolfe(evaluate, start, start.t, np.abs(direction).max(), most, tolerance)
        optimizer._move(found.t, direction)
        return found.loss, found.grad, found.t, made


def _direction(state: State, gradient: Array, history_size: int) -> Array:
    """Return -H g, by the two loops of Nocedal; first enter the last move and what it changed into the history."""
    if state["n_iter"] == 1:
        state |= {"old_dirs": [], "old_stps": [], "ro": [], "H_diag": 1}
        return -gradient
    changes, steps, inverse = state["old_dirs"], state["old_stps"], state["ro"]
    y, s = gradient - state["prev_flat_grad"]._data, state["d"]._data * _number(state["t"])
    ys = y @ s
    if ys > 1e-10:
        if len(changes) == history_size:
            del changes[0], steps[0], inverse[0]
        changes.append(wrap(y))
        steps.append(wrap(s))
        inverse.append(wrap(np.asarray(1.0 / ys)))
        state["H_diag"] = wrap(np.asarray(ys / (y @ y)))
    weights = state.setdefault("al", [None] * history_size)
    q = -gradient
    for i in reversed(range(len(changes))):
        weight = steps[i]._data @ q * inverse[i]._data[()]
        weights[i] = wrap(np.asarray(weight))
        q -= weight * changes[i]._data
    r = q * _number(state["H_diag"])
    for i in range(len(changes)):
        r += (weights[i]._data[()] - changes[i]._data @ r * inverse[i]._data[()]) * steps[i]._data
    return r


def _number(x: Any) -> Any:
    return x._data[()] if isinstance(x, Tensor) else x

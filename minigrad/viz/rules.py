"""Are the gradient rules right: each op is run again on what it was given, beside central differences in float64.

An op is looked at by itself: its outputs, weighed at random, are differentiated by its rules and by moving its inputs a
little. So a wrong rule is found at its own op, whatever the ops around it do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

import numpy as np

from minigrad import graph
from minigrad.backward import differentiate
from minigrad.dtypes import Array
from minigrad.errors import MinigradError
from minigrad.graph import Op, array_of
from minigrad.tensor import Tensor, apply, wrap
from minigrad.viz.paint import BLUE, GREY, ORANGE
from minigrad.viz.rows import Mark, Rows

Some = TypeVar("Some", bound=Rows)
MOST = 10_000  # elements of an operand; ops on larger ones are not checked
_EACH = 64  # inputs of at most so many elements are moved one element after the other
_SINGLE, _DENSE = 24, 8  # of others so many elements, and the whole in so many random directions
_EPS = 1e-6
_BEND = 1e-3  # the slopes on both sides of a place differ by more only where the op bends
_NOISE = 2e-15  # rounding of a weighed sum, in relation to its terms
_SYMMETRIC = ("cholesky", "eigh")  # look at one half of a matrix, and their rules at both
_DOUBLE = np.dtype(np.float64)


class Kept(NamedTuple):
    """An op with copies of the arrays it was given, and the positions of those that gradients flow to."""

    run: Callable[..., Any]  # of tensors and numbers
    inputs: tuple[Any, ...]
    wanted: tuple[int, ...]
    names: tuple[str, ...]
    is_symmetric: bool = False  # whether inputs may only be moved as symmetric matrices


def kept(op: Op, inputs: tuple[Any, ...], attrs: Mapping[str, Any], node: graph.Node) -> Kept | None:
    """Return what is needed to run this application of an op again; None if that is too large."""
    arrays = [array_of(x) for x in inputs]
    if any(x.size > MOST for x in arrays if isinstance(x, np.ndarray)):
        return None
    copies = tuple(x.copy() if isinstance(x, np.ndarray) else x for x in arrays)
    if op.on_tensors:
        wanted = tuple(i for i in node.plan.wanted if i < len(inputs))
        return Kept(node.attrs["function"].apply, copies, wanted, tuple(f"argument {i}" for i in range(len(inputs))))
    settings = {name: _doubled(value) if name == "dtype" else value for name, value in attrs.items()}
    names = tuple(op.input_name(i) for i in range(len(inputs)))
    return Kept(lambda *xs: apply(op, xs, settings), copies, node.plan.wanted, names, op.name in _SYMMETRIC)


def _doubled(dtype: Any) -> Any:
    return _DOUBLE if isinstance(dtype, np.dtype) and dtype.kind == "f" else dtype


def checked(rows: Some, known: Mapping[int, Kept], eps: float | None, rtol: float, seed: int) -> Some:
    """Return `rows` with each op marked whose gradient was recorded: whether its rules are right, by what they err."""
    nodes, counts = [], dict.fromkeys(("right", "wrong", "not checked"), 0)
    for node in rows.nodes:
        if not node.op or not node.requires_grad or node.holds > 1:
            nodes.append(node._replace(mark=None))
            continue
        verdict, said = "not checked", f"more than {MOST:,} elements"
        if node.id in known:
            verdict, said = _verdict(known[node.id], eps, rtol, np.random.default_rng([seed, node.id]))
        counts[verdict] += 1
        fill = {"right": BLUE, "wrong": ORANGE}.get(verdict, GREY)
        nodes.append(node._replace(mark=Mark(fill, f"rule {verdict}: {said}")))
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    return replace(rows, nodes=tuple(nodes), notes=(*rows.notes, f"gradcheck of each op: {told or 'nothing to check'}"))


def _verdict(op: Kept, eps: float | None, rtol: float, rng: np.random.Generator) -> tuple[str, str]:
    previous, recording = graph.observe(None), graph.recording.get()
    try:
        errors = dict(_errors(op, eps, rtol, rng))
    except (MinigradError, ArithmeticError, ValueError, TypeError) as error:
        return "not checked", f"{type(error).__name__}: {error}"[:80]
    finally:
        graph.recording.set(recording)
        graph.observe(previous)
    known = {name: error for name, error in errors.items() if error is not None}
    if not known:
        return "not checked", "no elements, or no finite values beside them"
    wrong = [name for name, error in known.items() if not error <= rtol]
    worst = max(known.values(), key=lambda error: math.inf if error != error else error)
    by = f"by {', '.join(wrong)}, " if wrong else ""
    return "wrong" if wrong else "right", f"{by}relative error {worst:.1e}"


def _errors(op: Kept, eps: float | None, rtol: float, rng: np.random.Generator) -> Iterator[tuple[str, float | None]]:
    """Yield for each input its name and the largest relative error of its gradient; None if none could be compared."""
    arrays = [x.astype(_DOUBLE) if isinstance(x, np.ndarray) and x.dtype.kind == "f" else x for x in op.inputs]
    graph.recording.set(False)
    weights = [np.asarray(rng.standard_normal(y._data.shape)) for y in _outputs(op, _tensors(arrays))]
    gradients = _by_rules(op, arrays, weights)
    graph.recording.set(False)
    for at in op.wanted:

        def weighed(x: Array, at: int = at) -> tuple[float, float]:
            ys = _outputs(op, _tensors([x if i == at else array for i, array in enumerate(arrays)]))
            terms = [w * y._data for w, y in zip(weights, ys, strict=True)]
            return sum(float(t.sum()) for t in terms), sum(float(np.abs(t).sum()) for t in terms)

        pairs = list(_compared(weighed, arrays[at], gradients[at], eps, _directions(op, arrays[at], rng)))
        scale = max((max(abs(a), abs(n)) for a, n, _ in pairs if math.isfinite(a)), default=0.0)
        errors = [abs(a - n) / max(scale + noise / rtol, 1e-300) for a, n, noise in pairs]
        is_odd = any(math.isnan(error) for error in errors)
        yield op.names[at], math.nan if is_odd else max(errors, default=None)


def _tensors(arrays: list[Any]) -> list[Any]:
    return [wrap(x.copy()) if isinstance(x, np.ndarray) else x for x in arrays]


def _outputs(op: Kept, inputs: list[Any]) -> list[Tensor]:
    """Run the op and return those of its outputs that have derivatives."""
    returned = op.run(*inputs)
    outputs = returned if isinstance(returned, tuple | list) else (returned,)
    return [y for y in outputs if y._data.dtype == _DOUBLE]


def _by_rules(op: Kept, arrays: list[Any], weights: list[Array]) -> dict[int, Array]:
    """Return the gradient of the weighed outputs by each wanted input, as the rules have it."""
    graph.recording.set(True)
    inputs = _tensors(arrays)
    wanted = [inputs[i].requires_grad_() for i in op.wanted]
    pairs = [(y, wrap(w)) for y, w in zip(_outputs(op, inputs), weights, strict=True) if y.requires_grad]
    found = differentiate([y for y, _ in pairs], [w for _, w in pairs], False, False, wanted)
    return {i: found[x][0] if x in found else np.zeros(x._data.shape) for i, x in zip(op.wanted, wanted, strict=True)}


def _compared(
    weighed: Callable[[Array], tuple[float, float]],
    x: Array,
    gradient: Array,
    eps: float | None,
    directions: Iterable[tuple[Array, bool]],
) -> Iterator[tuple[float, float, float]]:
    """Yield, for some directions, the slope by the rules, the slope by differences, and how exact that can be."""
    middle, terms = weighed(x)
    for direction, is_single in directions:
        analytic = float(np.sum(gradient * direction))
        for step in _steps(x, direction, eps):
            up, down = (weighed(np.asarray(x + move))[0] for move in (step * direction, -step * direction))
            if math.isfinite(up) and math.isfinite(down) and math.isfinite(middle):
                break
        else:
            continue  # the op has no values beside this place
        central, sides = (up - down) / (2 * step), sorted(((up - middle) / step, (middle - down) / step))
        noise = _NOISE * terms / step
        if sides[1] - sides[0] > _BEND * max(map(abs, sides)) + 2 * noise:  # a bend: any slope between is one
            if not is_single:
                continue
            central = min(max(analytic, sides[0]), sides[1]) if math.isfinite(analytic) else central
        yield analytic, central, noise


def _directions(op: Kept, x: Array, rng: np.random.Generator) -> Iterator[tuple[Array, bool]]:
    """Yield in which directions to move: single elements, all or some, and of a large input all of it at random."""
    places = range(x.size) if x.size <= _EACH else rng.choice(x.size, _SINGLE, replace=False)
    for place in places:
        direction = np.zeros(x.shape)
        direction.reshape(-1)[place] = 1.0
        yield (direction + direction.swapaxes(-1, -2)) / 2 if op.is_symmetric else direction, True
    for _ in range(_DENSE if x.size > _EACH and not op.is_symmetric else 0):
        yield np.asarray(rng.standard_normal(x.shape)), False


def _steps(x: Array, direction: Array, eps: float | None) -> Iterator[float]:
    """Yield how far to move: `eps`, or as fits the size of the elements, the nearer if there are no values there."""
    if eps is not None:
        yield eps
        return
    size = float(np.abs(x * (direction != 0)).max())
    yield _EPS * max(size, 0.1)
    if 0 < size < 0.1:
        yield _EPS * size

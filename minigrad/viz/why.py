"""Why a tensor has no gradient, or one that is zero: what cuts it off from the loss, and at which line.

A recording knows the lines: of an op that ran under no_grad(), of detach(), of the ReLU that let nothing pass. Without
one, what the graph of the loss holds and the tensor itself says has to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Self

import numpy as np

from minigrad import graph as core
from minigrad.errors import ArgumentError
from minigrad.graph import Constant
from minigrad.methods.place import edge_of
from minigrad.tensor import Tensor
from minigrad.viz.paint import BLUE, ORANGE
from minigrad.viz.picture import Graph
from minigrad.viz.reading import history
from minigrad.viz.record import Recording
from minigrad.viz.rows import BACKWARD, CREATED, OUTPUT, Edge, Mark, Node, Rows

_MOST = 5  # lines of one kind


class Reason(str):
    """The answer in words; of a recording also its `graph`, painted: ✂ where the gradient ends."""

    graph: Any = None

    def __new__(cls, text: str, graph: Any = None) -> Self:
        """Make the text and add the graph."""
        reason = super().__new__(cls, text)
        reason.graph = graph
        return reason


def why(tensor: Any, loss: Any = None) -> Reason:
    """Return in words why a tensor's `.grad` is None or zero, with the line of the program that is the reason.

    `loss` is a recording of the step (`viz.record()`), which knows the lines, or the loss itself, whose graph knows
    only whether the tensor is in it. With a recording, or a Graph of one, `tensor` may be a name or an id in it; the
    text has then the painted `graph` with it. Raises ArgumentError for arguments of another kind.

    >>> import minigrad as mg
    >>> from minigrad import viz
    >>> w = mg.tensor([1.0], requires_grad=True)
    >>> print(viz.why(w, (w.detach() * 2).sum()))
    grad is None: the loss does not require grad: nothing that leads to it does, or it was cut off
    >>> print(viz.why(mg.tensor([1])))
    grad is None: it holds int64, and only floating-point numbers have gradients: convert it first, with .float()
    """
    if isinstance(loss, Graph | Recording) and isinstance(tensor, str | int):
        rows = loss if isinstance(loss, Graph) else loss.graph()
        return of_row(rows, rows[tensor].id)
    if not isinstance(tensor, Tensor) or not (loss is None or isinstance(loss, Tensor | Recording)):
        raise ArgumentError(
            f"why: expected a tensor and a recording or a loss, got {type(tensor).__name__} and {type(loss).__name__}"
        )
    known = _of_tensor(tensor)
    if isinstance(loss, Recording):
        at = loss.reader.row_of(tensor)
        rows = loss.graph()
        if at is None:
            ends = _lines(_by_id(rows)[i] for i in _roots(rows))
            unused = f"{_is(tensor)}: nothing uses it: the loss was computed without it"
            return Reason(known or "\n".join([unused, *ends]), rows)
        return Reason(_with_line(known, rows, at), rows) if known else of_row(rows, at, _is(tensor), _is_zero(tensor))
    return Reason(known or f"{_is(tensor)}: {_alone(tensor) if loss is None else _in_graph(tensor, loss)}")


def _is(tensor: Tensor) -> str:
    return "grad is zero" if _is_zero(tensor) else "grad is None"


def _is_zero(tensor: Tensor) -> bool:
    return tensor._grad is not None and not tensor._grad._data.any()


def _of_tensor(tensor: Tensor) -> str | None:
    """Return what the tensor itself tells; None if that is nothing."""
    if tensor._data.dtype.kind != "f":
        return (
            f"grad is None: it holds {tensor._data.dtype}, and only floating-point numbers have gradients: convert it "
            "first, with .float()"
        )
    if tensor._grad is not None and tensor._grad._data.any():
        rms = float(np.sqrt(np.mean(np.square(tensor._grad._data, dtype=np.float64))))
        return f"grad is there, and not zero: its root mean square is {rms:.4g}"
    return None


def _with_line(known: str, rows: Rows, at: int) -> str:
    """Return what the tensor told, and where it was made or first used."""
    node = _by_id(rows)[at]
    users = [node] if node.op else [_by_id(rows)[edge.head] for edge in rows.edges if edge.tail == at]
    return known if known.startswith("grad is there") else "\n".join([known, *_lines(users[:1])])


def _alone(tensor: Tensor) -> str:
    """Return what can be said without a loss."""
    if not tensor.requires_grad:
        return "it does not require grad: that was not asked for, or it was computed under no_grad() or by detach()"
    if not tensor.is_leaf and not tensor._retains:
        return _not_a_leaf()
    return "give why() the loss, or a recording of the step, which knows more"


def _in_graph(tensor: Tensor, loss: Tensor) -> str:
    """Return what the graph of the loss tells of a tensor."""
    end, here = edge_of(loss), edge_of(tensor)
    if end is None and loss.requires_grad:
        return "the loss given is a leaf, which was computed from nothing; the order is why(tensor, loss)"
    if end is None:
        return "the loss does not require grad: nothing that leads to it does, or it was cut off"
    order = history([end])
    edges = [(node, edge) for node in order for edge in node.edges]
    is_inside = here[0] in order if here is not None else any(edge is tensor for _, edge in edges)
    if not is_inside:
        cut = [node for node, e in edges if isinstance(e, Constant) and e.storage is tensor._storage]
        if cut:
            return f"{cut[0].op.name} uses its numbers outside of the graph: detach(), .data or no_grad() came before"
        text = "the loss was computed without it, or detach() or no_grad() cuts it off; a recording knows the line"
        return text if tensor.requires_grad else f"it does not require grad; {text}"
    if here is not None:
        return _not_a_leaf()
    if _is_zero(tensor):
        return (
            "an op on the way to the loss sends on only zeros, or parts cancel each other; a recording knows the line"
        )
    return _not_come(any(node.plan.saves and node.saved is None for node in order))


def _not_a_leaf() -> str:
    return "it is no leaf, and backward() keeps the gradients of leaves only: call its retain_grad() before"


def _not_come(was_run: bool) -> str:
    if was_run:
        return "it leads to the loss, and its gradient was computed: it was cleared since, or asked for with grad()"
    return "it leads to the loss, but backward() was not called yet"


# --- of a recording ---


class _Because(NamedTuple):
    """One reason, the ops whose lines it is, and whether the gradient ends there."""

    text: str
    nodes: Sequence[Node]
    is_cut: bool = False


def of_row(rows: Rows, at: int, said: str | None = None, is_zero: bool | None = None) -> Reason:
    """Return why the row `at` has no gradient, or one of zeros, by what was recorded."""
    node = _by_id(rows)[at]
    known = node.grad_stats
    if is_zero is None:
        is_zero = known is not None and known.zeros == known.size
    if said is None:
        said = "grad is zero" if is_zero else "grad is None"
        if known is not None and not is_zero:
            return Reason(f"grad is there, and not zero: {known.text}")
    found = list(_reasons(rows, node, is_zero))
    lines = []
    for i, because in enumerate(found):
        lines += [f"{'and ' if i else f'{said}: '}{because.text}", *_lines(because.nodes)]
    return Reason("\n".join(lines), _painted(rows, node, said, found))


def _painted(rows: Rows, node: Node, said: str, found: Iterable[_Because]) -> Rows:
    marks = {cut.id: Mark(ORANGE, f"✂ {because.text}") for because in found if because.is_cut for cut in because.nodes}
    marks.setdefault(node.id, Mark(BLUE, said))
    return replace(rows, nodes=tuple(n._replace(mark=marks.get(n.id)) for n in rows.nodes))


def _reasons(rows: Rows, node: Node, is_zero: bool) -> Iterator[_Because]:
    at = _by_id(rows)
    if is_zero:
        yield from _stops(rows, node, at)
    elif np.dtype(node.dtype).kind != "f":
        text = f"it holds {node.dtype}, and only floating-point numbers have gradients"
        yield _Because(text, [node] if node.op else _users(rows, node, at))
    elif node.op and not node.requires_grad:
        flow = [edge for edge in _data(rows) if not at[edge.head].requires_grad]
        before = _reached([node.id], [(edge.head, edge.tail) for edge in flow])
        cuts = [edge for edge in flow if edge.head in before and at[edge.tail].requires_grad]
        for edge in cuts[:1]:
            yield _Because(f"it is cut off itself: {_cut(edge, at)}", [at[edge.head]], True)
        if not cuts:
            yield _Because("nothing that it was computed from requires it", [node])
    elif not node.requires_grad:
        text = "it does not require grad: make it with requires_grad=True, or call requires_grad_()"
        yield _Because(text, _users(rows, node, at)[:1])
    else:
        yield from _of_flow(rows, node, at)


def _of_flow(rows: Rows, node: Node, at: dict[int, Node]) -> Iterator[_Because]:
    """Yield what keeps gradients from a node that requires them."""
    users, roots = _users(rows, node, at), _roots(rows)
    if not users and node.id not in roots:
        yield _Because("nothing uses it: the loss was computed without it", [at[i] for i in roots])
        return
    leading = _reached(roots, [(edge.head, edge.tail) for edge in _data(rows)])
    flow = _reached([node.id], [(edge.tail, edge.head) for edge in _data(rows) if edge.requires_grad])
    if node.id not in leading:
        text = (
            "it is used, but what comes of that does not lead to the loss, as what .item() or .numpy() gives does not"
        )
        yield _Because(text, users)
    elif flow & set(roots):
        text = _not_a_leaf() if node.op else _not_come(node.grad_stats is not None)
        yield _Because(text, [at[i] for i in roots])
    else:
        kinds: dict[str, list[Node]] = {}
        for edge in _data(rows):
            if edge.tail in flow and edge.head in leading and not edge.requires_grad:
                kinds.setdefault(_cut(edge, at), []).append(at[edge.head])
        yield from (_Because(text, nodes, True) for text, nodes in kinds.items())


def _cut(edge: Edge, at: dict[int, Node]) -> str:
    """Return what an op does to the gradient of an operand that requires one."""
    head, op = at[edge.head], core.primitives.get(at[edge.head].op)
    if head.op == "detach":
        return "detach() cuts it off from the loss"
    if np.dtype(head.dtype).kind != "f":
        return f"{head.op} gives {head.dtype}, through which no gradient flows"
    if op is not None and op.rules[op.input_name(edge.operand)] is None:
        return f"{head.op} has no derivative by its operand {op.input_name(edge.operand)!r}"
    return f"{head.op} was computed under no_grad() or inference_mode()"


def _stops(rows: Rows, node: Node, at: dict[int, Node]) -> Iterator[_Because]:
    """Yield the ops, between the node and the loss, to which a gradient came and which sent on only zeros."""
    above = _reached([node.id], [(edge.tail, edge.head) for edge in _data(rows) if edge.requires_grad])
    found: list[Node] = []
    for step in rows.steps:
        came = step.gradient
        parts = [part for part in step.parts if part.tail in above]
        if step.kind != BACKWARD or step.node not in above or came is None or came.zeros == came.size:
            continue
        if parts and all(part.numbers.zeros == part.numbers.size for part in parts):
            found.append(at[step.node])
    if not found:
        yield _Because("no op is known that stops it: what came to each was zero, or parts cancel each other", [])
    for stop in found[:_MOST]:
        known, reason = stop.stats, "sends on only zeros"
        if stop.op == "relu" and known is not None and known.zeros == known.size:
            reason = f"is dead: all {known.size} of its outputs are 0, so that no gradient passes"
        module = f" in {stop.module}" if stop.module else ""
        yield _Because(f"{stop.op}{module} {reason}", [stop], True)


def _by_id(rows: Rows) -> dict[int, Node]:
    return {node.id: node for node in rows.nodes}


def _data(rows: Rows) -> list[Edge]:
    return [edge for edge in rows.edges if edge.kind != CREATED]


def _users(rows: Rows, node: Node, at: dict[int, Node]) -> list[Node]:
    return [at[edge.head] for edge in _data(rows) if edge.tail == node.id]


def _roots(rows: Rows) -> list[int]:
    """Return where backward() began; if it was not called, the last outcome that could be a loss."""
    sent: set[int] = set()
    began: list[int] = []
    for step in rows.steps:
        if step.kind == BACKWARD:
            if step.node not in sent:
                began.append(step.node)
            sent |= {step.node, *(part.tail for part in step.parts)}
    if began:
        return began
    ends = [node for node in rows.nodes if node.kind == OUTPUT]
    return [max(ends, key=lambda node: (node.requires_grad, node.id)).id] if ends else []


def _reached(start: Iterable[int], pairs: Iterable[tuple[int, int]]) -> set[int]:
    """Return the ids that can be reached over the pairs, those of the start among them."""
    after: dict[int, list[int]] = {}
    for tail, head in pairs:
        after.setdefault(tail, []).append(head)
    seen, stack = set(start), list(start)
    while stack:
        for then in after.get(stack.pop(), ()):
            if then not in seen:
                seen.add(then)
                stack.append(then)
    return seen


def _lines(nodes: Iterable[Node]) -> Iterator[str]:
    """Yield the lines of some ops, each once."""
    lines = dict.fromkeys(node.where for node in nodes if node.where is not None)
    for where in list(lines)[:_MOST]:
        yield f"  {where.file}:{where.line}, in {where.function}: {where.code}"

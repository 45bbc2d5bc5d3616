"""How much arithmetic an op does, counted from the shapes of its operands and its result.

The convention: a multiply-add counts 2; an op that computes each element from one or a few counts 1 for each element it
returns (also exp, tanh and their like); a reduction counts 1 for each element it reads, softmax 5, a normalization 7;
what only moves elements (reshape, cat, getitem, pad) counts 0. What backward computes is not counted here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping

from minigrad.graph import primitives
from minigrad.viz.rows import DATA, Node, Rows

Shape = tuple[int, ...]
Shapes = Mapping[int, Shape]  # of the operands that have a box of their own, by position

_MOVES = {
    "as_strided", "cat", "clone", "diagonal", "expand", "flip", "gather", "getitem", "index_put", "index_set",
    "masked_scatter", "narrow", "on_diagonal", "permute", "put_among_zeros", "reshape", "scatter",
    "scatter_along", "to", "tril", "triu", "unfold", "where", "widen", "max_pool2d_scatter",
    "max_pool2d_gather", "nonzero"
}  # fmt: skip
_REDUCES = {
    "sum", "mean", "amax", "amin", "max", "min", "argmax", "argmin", "sum_to", "channel_sum", "median", "mode",
    "kthvalue", "logsumexp", "norm", "scatter_add", "bincount", "cumsum", "cummax", "cummin", "logcumsumexp",
    "add_windows", "add_strided", "scatter_reduce"
}  # fmt: skip
_PER_ELEMENT = {"softmax": 5, "log_softmax": 5, "label_cross_entropy": 5, "var": 3, "std": 3, "normalize": 7}


def _matmul(y: Shape, shapes: Shapes, attrs: str) -> int:
    inner = shapes[0][-1] if 0 in shapes else shapes[1][-2] if len(shapes[1]) > 1 else shapes[1][-1]
    return 2 * math.prod(y) * inner


def _weighted(y: Shape, shapes: Shapes, attrs: str) -> int:
    """Linear and convolution: each result is a sum of as many products as one output's weights have elements."""
    bias = math.prod(y) if 2 in shapes else 0
    return 2 * math.prod(y) * math.prod(shapes[1][1:]) + bias


def _conv_input_grad(y: Shape, shapes: Shapes, attrs: str) -> int:
    return 2 * math.prod(shapes[0]) * math.prod(shapes[1][1:])


def _conv_weight_grad(y: Shape, shapes: Shapes, attrs: str) -> int:
    return 2 * math.prod(shapes[0]) * math.prod(y[1:])


def _pool(y: Shape, shapes: Shapes, attrs: str) -> int:
    found = re.search(r"kernel(?:_size)?=\((\d+), (\d+)", attrs)
    return math.prod(y) * (int(found[1]) * int(found[2]) if found else 1)


def _cells(y: Shape, shapes: Shapes, attrs: str) -> int:
    """Recurrent layers: at every step, every row of the weights meets a row of the input and of the state."""
    x, weight = shapes.get(0, ()), next((s for i, s in shapes.items() if i > 1 and len(s) == 2), ())
    return 2 * math.prod(x[:-1]) * math.prod(weight)


_SPECIAL: dict[str, Callable[[Shape, Shapes, str], int]] = {
    "matmul": _matmul,
    "linear": _weighted,
    "conv2d": _weighted,
    "conv2d_input_grad": _conv_input_grad,
    "conv2d_weight_grad": _conv_weight_grad,
    "max_pool2d": _pool,
    "avg_pool2d": _pool,
    "lstm": _cells,
    "gru": _cells,
    "rnn": _cells,
}


def of(node: Node, shapes: Shapes) -> int:
    """Return the FLOPs of one node for its operands' shapes by position; 0 for what is not an op.

    >>> of(Node(0, "op", "matmul", None, None, (8, 10), "float32", "", True), {0: (8, 84), 1: (84, 10)})
    13440
    """
    if not node.op or node.holds > 1 or node.error is not None or node.op in _MOVES:
        return 0
    if node.op in _SPECIAL:
        try:
            return _SPECIAL[node.op](node.shape, shapes, node.attrs)
        except (KeyError, IndexError):  # an operand is a plain number, or is not in the picture
            return node.numel
    if node.op in primitives and primitives[node.op].view:
        return 0
    read = max((math.prod(shape) for shape in shapes.values()), default=node.numel)
    if node.op in _PER_ELEMENT:
        return _PER_ELEMENT[node.op] * max(read, node.numel)
    return read if node.op in _REDUCES else node.numel


def by_node(rows: Rows) -> dict[int, int]:
    """Return the FLOPs of every node by id; of a folded one, those of what it stands for, if that is still known."""
    if (origin := getattr(rows, "origin", None)) is not None:
        within = by_node(origin.graph)
        stands = origin.stands()
        total = dict.fromkeys((node.id for node in rows.nodes), 0)
        for id, at in stands.items():
            total[at] += within[id]
        return total
    sizes = {node.id: node.shape for node in rows.nodes}
    operands: dict[int, dict[int, Shape]] = {node.id: {} for node in rows.nodes}
    for edge in rows.edges:
        if edge.kind == DATA:
            operands[edge.head][edge.operand] = sizes[edge.tail]
    return {node.id: of(node, operands[node.id]) for node in rows.nodes}

"""How many floating-point operations an op takes, by the shapes of its operands: a multiplication and a sum are two."""

from __future__ import annotations

import math
from collections.abc import Sequence

from minigrad.viz.rows import CREATED, Rows

Shape = tuple[int, ...]
_FREE = frozenset(
    [
        "reshape",
        "permute",
        "getitem",
        "expand",
        "narrow",
        "to",
        "clone",
        "detach",
        "cat",
        "split",
        "flip",
        "broadcast_to",
        "as_strided",
        "index_set",
        "gather",
        "scatter_set",
        "select",
        "transpose",
        "squeeze",
        "unsqueeze",
    ]
)
_PER_INPUT = frozenset(
    [
        "sum",
        "mean",
        "amax",
        "amin",
        "max",
        "min",
        "norm",
        "logsumexp",
        "argmax",
        "argmin",
        "prod",
        "any",
        "all",
        "sum_to",
        "cumsum",
    ]
)


def flops(rows: Rows) -> dict[int, int]:
    """Return the estimated operations of the forward of each op, by id; 0 for what only moves or looks at elements.

    Products of matrices and convolutions count two for each multiplication and sum, reductions one for each element
    they read, all else one for each element of the result.
    """
    shapes = {node.id: node.shape for node in rows.nodes}
    operands: dict[int, list[tuple[int, Shape]]] = {}
    for edge in rows.edges:
        if edge.kind != CREATED:
            operands.setdefault(edge.head, []).append((edge.operand, shapes[edge.tail]))
    found = {}
    for node in rows.nodes:
        if node.op and node.holds == 1:
            found[node.id] = count(node.op, [shape for _, shape in sorted(operands.get(node.id, ()))], node.shape)
    return found


def count(op: str, operands: Sequence[Shape], result: Shape) -> int:
    """Return the operations of one op.

    >>> count("matmul", [(2, 3), (3, 4)], (2, 4)), count("exp", [(5,)], (5,)), count("reshape", [(4,)], (2, 2))
    (48, 5, 0)
    """
    size = math.prod(result)
    if op in _FREE:
        return 0
    if op == "matmul" and operands:
        return 2 * size * (operands[0][-1] if operands[0] else 1)
    if op == "linear" and operands:
        return 2 * size * operands[0][-1] + size * (len(operands) > 2)
    if op.startswith("conv") and len(operands) > 1 and operands[1]:
        return 2 * size * math.prod(operands[1][1:]) + size * (len(operands) > 2)
    if op in _PER_INPUT and operands:
        return math.prod(operands[0])
    return size

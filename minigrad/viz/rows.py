"""A graph as rows of plain data: nothing in it refers to a tensor, so it keeps none alive and may be kept itself.

Every drawing, table and answer is made of these rows, and a file of them (`viz/stored`) is as good as the run itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from minigrad.viz.numbers import Numbers

OP, PARAM, INPUT, CONST, OUTPUT, MODULE, FAILED = "op", "param", "input", "const", "output", "module", "failed"
DATA, CREATED = "data", "created"  # kinds of edges
FORWARD, BACKWARD = "forward", "backward"  # kinds of steps


class Where(NamedTuple):
    """A line of the program: the innermost one outside of minigrad."""

    file: str
    line: int
    function: str
    code: str  # the text of the line, empty where the file cannot be read


class Saved(NamedTuple):
    """An array that a node keeps for its backward: under which name, whose output (and which) it is, and its size.

    An operand is called as in the picture: left, right.
    """

    name: str
    node: int | None  # the id of the node whose output it is; None for one that is not in the picture
    nbytes: int
    output: int = 0


class Mark(NamedTuple):
    """How a box is painted by an answer (heat, a check, a difference): its fill, and a word that says the same."""

    fill: str  # "#rrggbb"
    tag: str


class Node(NamedTuple):
    """One box of the picture.

    `kind` says what it is: "op"; "output", an op whose result was asked for; "param", a leaf that gradients flow to;
    "input" or "const", a tensor that none flows to, or (with `requires_grad`) one that comes from outside the model;
    "module", several nodes folded into one; "failed", an op that raised. `module` is the dotted path of the module it
    ran in, None outside of any; "pool@2" is the second call of "pool". `stats` and `grad_stats` are what is known of
    its value and of its gradient, None where that is nothing.
    `holds` counts the nodes that were folded into this one, `params` the elements of the parameters among them, and
    `times` how many blocks alike it stands for. `order` is 0 for what the program computed, and
    one more for what computed the derivative of an op of the order below. Times are in microseconds.
    """

    id: int
    kind: str
    op: str
    name: str | None
    module: str | None
    shape: tuple[int, ...]
    dtype: str
    attrs: str
    requires_grad: bool
    stats: Numbers | None = None
    grad_stats: Numbers | None = None
    holds: int = 1
    saved: tuple[Saved, ...] = ()
    where: Where | None = None
    forward_us: float | None = None
    backward_us: float | None = None
    order: int = 0
    error: str | None = None
    mark: Mark | None = None
    params: int = 0
    times: int = 1

    @property
    def value(self) -> str | None:
        """The value as text: its elements if they are few, else how large they are; None if it is not known."""
        return None if self.stats is None else self.stats.text

    @property
    def grad(self) -> str | None:
        """The gradient as text, as `value`; None if it was not computed, which is not the same as 0."""
        return None if self.grad_stats is None else self.grad_stats.text

    @property
    def numel(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The size of the array in bytes."""
        return self.numel * np.dtype(self.dtype).itemsize

    @property
    def saved_bytes(self) -> int:
        """The bytes of the arrays that the node keeps for its backward."""
        return sum(saved.nbytes for saved in self.saved)

    @property
    def call(self) -> int:
        """Which call of its module the node belongs to, from 1 on."""
        _, _, count = (self.module or "").rpartition("@")
        return int(count) if count.isdigit() else 1


class Edge(NamedTuple):
    """What flows from `tail` to `head` (ids of nodes) in the forward pass; a gradient comes back if `requires_grad`.

    `label` names the operand where it could be taken for another: not that of an op with one operand or with operands
    that may change places, nor `x`, which is what an op works on, nor one whose box has that name already. `operand`
    is its position among the inputs of the op, `output` which of the outputs of `tail` it is. An edge of the kind
    "created" leads from an op to what computes its derivative, and carries nothing.
    """

    tail: int
    head: int
    label: str
    requires_grad: bool
    operand: int = 0
    output: int = 0
    kind: str = DATA


class Module(NamedTuple):
    """A call of a module: its dotted path ("" for the model itself) and its class's name ("" if not known)."""

    path: str
    kind: str


class Part(NamedTuple):
    """What a gradient rule sends back along an edge.

    `numbers` is what arrives at `tail`, in its shape; `summed` says that it was summed down to that, because forward
    had broadcast. `total` is what `tail` has then received in all.
    """

    tail: int
    head: int
    operand: int
    numbers: Numbers
    summed: bool
    total: Numbers


class Step(NamedTuple):
    """One thing that happened: an op was computed, or a gradient rule of a node was run.

    A backward step has the `gradient` that had arrived at the node (of its first output that got one) and the `parts`
    that the rule sent on.
    """

    kind: str  # "forward" or "backward"
    node: int
    gradient: Numbers | None = None
    parts: tuple[Part, ...] = ()
    us: float | None = None


@dataclass(frozen=True)
class Rows:
    """The rows of a picture, what is to be said below it, and how it is to be drawn.

    `labels` are the fields that boxes show (none: the usual ones), `palette` is the name of the theme, `attrs` are
    further settings of Graphviz for the graph.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    modules: tuple[Module, ...] = ()
    notes: tuple[str, ...] = ()
    direction: str = "both"
    rankdir: str = "TB"
    steps: tuple[Step, ...] = ()
    labels: tuple[str, ...] = ()
    palette: str = "light"
    attrs: tuple[tuple[str, str], ...] = ()


def ancestors(path: str) -> Iterator[str]:
    """Yield `path` and the paths around it, outermost (the model, "") last.

    >>> list(ancestors("body.0"))
    ['body.0', 'body', '']
    """
    while path:
        yield path
        path = path.rpartition(".")[0]
    yield ""

"""The graph as plain data: ops, the nodes that record them, and the switches that stand around recording.

Nothing here computes. An `Op` is a row of the table of ops; a `Node` says that an op was applied to something; an edge
points from a node to what it was applied to, always backwards in time:

- `(node, index)`: output `index` of an earlier node,
- a leaf tensor that requires grad,
- a `Constant`: shape, dtype and name of a tensor that does not (never the tensor, so that no batch is kept alive),
- a Python scalar or None.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple, TypeVar

from minigrad import nodenames
from minigrad.nodenames import titling
from minigrad.plans import (
    ATTRIBUTE,
    DTYPE,
    NUMBER,
    OPERAND,
    OUTPUT,
    SHAPE,
    SHAPES,
    Plan,
    Rule,
    Saving,
    Step,
    quick_steps,
    read_rule,
    storages_among,
)

Function = TypeVar("Function", bound=Callable[..., Any])

# Whether operations on tensors are recorded. Restored by set(previous), never by reset(token): a token cannot be
# used from another context, which is where a generator or a notebook cell may well end.
recording: ContextVar[bool] = ContextVar("recording", default=True)


class Scope(NamedTuple):
    """The module that is running: its dotted path in the model (empty for the model itself) and its class's name.

    Each call has a scope of its own, and `within` is that of the call around it, while there is anything to record.
    `model` is a number that every model called has of its own. What a recorded backward computes belongs to the module
    of the op that it differentiates: its `order` is one more than that op's, and `of` the number of that op's node.
    """

    path: str
    kind: str
    model: int = 0
    order: int = 0
    of: int | None = None
    within: Scope | None = None


scope: ContextVar[Scope | None] = ContextVar("scope", default=None)


class Observer:
    """What stands around every forward and every rule call; this one only hands them on to the one it displaced."""

    inner: Observer | None = None

    def forward(self, op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any], call: Callable[[], Any]) -> Any:
        """Run the forward of `op` and its recording; the call returns the output tensors, which know their node."""
        return call() if self.inner is None else self.inner.forward(op, inputs, attrs, call)

    def rule(self, node: Node, rule: Rule, call: Callable[[], Any]) -> Any:
        """Run one gradient rule of `node`; the call returns what the rule does, not yet summed where it broadcasts."""
        return call() if self.inner is None else self.inner.rule(node, rule, call)

    def gradient(self, edge: Any, gradient: Any) -> None:
        """Take note of the gradient, an array or a tensor, that is now complete at `edge`: (node, index) or a leaf."""
        if self.inner is not None:
            self.inner.gradient(edge, gradient)

    def module(self, where: Scope, call: Callable[[], Any]) -> Any:
        """Run one call of the module at `where`, with its hooks."""
        return call() if self.inner is None else self.inner.module(where, call)

    def detached(self, source: Any, result: Any) -> None:
        """Take note that the tensor `result` is to be `source` outside of the graph."""
        if self.inner is not None:
            self.inner.detached(source, result)


observer: Observer | None = None


def observe(new: Observer | None) -> Observer | None:
    """Install `new` as the observer (None: none) and return the one that stood there before."""
    global observer
    previous, observer = observer, new
    return previous


class Recordable:
    """Base of whatever records the operations applied to it, which is how an op knows a Tensor without its class."""

    __slots__ = ()

    _data: Any

    @staticmethod
    def _apply(op: Op, inputs: tuple[Any, ...], attrs: dict[str, Any]) -> Any:
        """Compute `op` on `inputs` and record it."""
        raise AssertionError("a Recordable says how it records")

    def _facts(self) -> tuple[tuple[int, ...], Any]:
        """Return the shape and the dtype."""
        raise AssertionError("a Recordable says what it is")


def array_of(x: Any) -> Any:
    """Return the array of `x`, which may be a tensor, for an op to look at beforehand."""
    return x._data if isinstance(x, Recordable) else x


class Plans(dict[int, Plan]):
    """The plans of one op by `plan_key`, each made when it is first needed."""

    __slots__ = ("op",)

    def __init__(self, op: Op) -> None:
        super().__init__()
        self.op = op

    def __missing__(self, key: int) -> Plan:
        count = key.bit_length() // 2
        some = (1 << count) - 1
        self[key] = made = self.op.make_plan(count, key & some, key >> count & some)
        return made


class Op:
    """One row of the table: a name, a forward on arrays, and a gradient rule for each input.

    Calling it with arrays computes; calling it with a tensor among them asks that tensor to compute and record.
    Arrays go by position (None for an absent one), settings by keyword.
    """

    def __init__(
        self,
        name: str,
        forward: Callable[..., Any],
        rules: Mapping[str, Callable[..., Any] | None],
        *,
        joint: Callable[..., Any] | None = None,
        outputs: tuple[str, ...] = ("y",),
        casts: str | None = None,
        cast_from: int = 0,
        view: str | None = None,
        on_tensors: bool = False,
    ) -> None:
        self.name, self.forward, self.joint, self.outputs = name, forward, joint, outputs
        self.casts, self.cast_from, self.view, self.on_tensors = casts, cast_from, view, on_tensors
        self.inputs = tuple(n.lstrip("*") for n in rules)
        self.variadic = next((n[1:] for n in rules if n.startswith("*")), None)
        self.rules = {n.lstrip("*"): rule for n, rule in rules.items()}
        self.defaults = _keyword_defaults(forward)
        is_simple = len(rules) < 3 and len(outputs) == 1 and not (self.variadic or self.defaults)
        self.is_elementwise = casts in ("promote", "float") and is_simple
        self.plans = Plans(self)
        self.method: Callable[..., Any] | None = None  # the quick path of an elementwise op, made when first needed

    def __repr__(self) -> str:
        return f"<op {self.name}({', '.join(self.inputs)})>"

    def __call__(self, *inputs: Any, **attrs: Any) -> Any:
        """Compute, and record if a tensor is among the inputs."""
        for x in inputs:
            if isinstance(x, Recordable):
                return x._apply(self, inputs, attrs)
        return self.forward(*inputs, **attrs)

    def input_name(self, position: int) -> str:
        """Return the name of the input at `position`; a variadic input names all that follow it."""
        return self.inputs[min(position, len(self.inputs) - 1)]

    def make_plan(self, count: int, needed: int, numbers: int) -> Plan:
        """Return what to save and run for these inputs, by what the signatures of the rules ask for."""
        wanted = tuple(i for i in range(count) if needed >> i & 1 and self.rules[self.input_name(i)] is not None)
        rules: list[Rule] = []
        if wanted and self.joint is not None:
            rules = [read_rule(self.joint, tuple(range(count)))]
        elif wanted:
            rules = [read_rule(self.rules[self.input_name(i)], (i,)) for i in wanted]
        asked = dict.fromkeys(name for rule in rules for name in rule.names)
        gradients = ["g", *(f"g_{name}" for name in self.outputs)] if len(self.outputs) > 1 else []
        extras = tuple(n for n in asked if n in ("gs", "needs", "output_facts", *gradients))
        saves = tuple(
            sorted(
                (s for s in self._saves(asked, count) if s.is_output or not numbers >> s.position & 1),
                key=lambda s: (not s.is_output, s.position),
            )
        )
        places = tuple((saving.is_output, saving.position) for saving in saves)
        kept = sum(OUTPUT if is_output else OPERAND << position for is_output, position in places)
        facts = tuple(self._facts(asked, numbers))
        steps: tuple[Step, ...] = ()
        is_single = len(self.outputs) == 1 and self.joint is None and self.variadic is None and not self.on_tensors
        if is_single and not extras and not any(rule.optional for rule in rules):
            known = ("g", *(saving.name for saving in saves), *(name for name, _, _ in facts))
            facts += tuple((name, -1, ATTRIBUTE) for name in asked if name not in known)
            steps = quick_steps(rules, saves, facts)
        return Plan(wanted, tuple(rules), saves, facts, places, kept, storages_among(len(saves)), steps, extras)

    def _saves(self, asked: Iterable[str], count: int) -> Iterator[Saving]:
        for name in asked:
            if name in self.outputs:
                yield Saving(name, True, self.outputs.index(name))
            elif name == self.variadic:
                yield from (Saving(name, False, i, True) for i in range(len(self.inputs) - 1, count))
            elif name in self.inputs:
                yield Saving(name, False, self.inputs.index(name))

    def _facts(self, asked: Iterable[str], numbers: int) -> Iterator[tuple[str, int, int]]:
        for name in asked:
            if name in self.inputs and name != self.variadic and numbers >> self.inputs.index(name) & 1:
                yield name, self.inputs.index(name), NUMBER
            base, _, what = name.rpartition("_")
            if base in self.inputs and what in ("shape", "dtype"):
                kind = SHAPES if base == self.variadic else SHAPE if what == "shape" else DTYPE
                yield name, self.inputs.index(base), kind


def _keyword_defaults(forward: Callable[..., Any]) -> dict[str, Any]:
    """Return the defaults of a forward's keyword-only parameters, the attributes of a node that does not set them."""
    return dict(getattr(forward, "__kwdefaults__", None) or {})


# The table of ops: primitives have rules, composites are functions of other ops and have none.
primitives: dict[str, Op] = {}
composites: dict[str, Callable[..., Any]] = {}


def primitive(
    name: str,
    forward: Callable[..., Any],
    *,
    joint: Callable[..., Any] | None = None,
    inputs: tuple[str, ...] = (),
    outputs: tuple[str, ...] = ("y",),
    casts: str | None = None,
    cast_from: int = 0,
    view: str | None = None,
    variadic: Mapping[str, Callable[..., Any] | None] | None = None,
    **rules: Callable[..., Any] | None,
) -> Op:
    """Define an op in one statement: `mul = primitive("mul", np.multiply, a=lambda g, b: g * b, ...)`.

    Each further keyword is an input, in order, with its gradient rule, or None where it has no derivative. A `joint`
    rule instead returns the gradients of all `inputs` as a tuple. A rule asks by parameter name for `g` (the gradient
    of the first output), `g_NAME` (of the output NAME), any input or output, any attribute, `INPUT_shape`,
    `INPUT_dtype`, `needs` (a bool per input) and, for a `variadic` last input, `i` (which of them).
    `casts` says how operands of several dtypes meet, from input `cast_from` on: "promote", "float" (promote, and
    integers become float), "same" (they must be equal), or None (each keeps its own). `view` marks an op whose output
    may share its input's memory: "strided" always does, "dense" only if the input's memory lies in order.
    """
    table = dict.fromkeys(inputs, joint) | rules | {f"*{n}": rule for n, rule in (variadic or {}).items()}
    op = Op(name, forward, table, joint=joint, outputs=outputs, casts=casts, cast_from=cast_from, view=view)
    assert name not in primitives, f"two ops are called {name}"
    primitives[name] = op
    return op


def composite(function: Function) -> Function:
    """Enter a function of other ops into the table, so that it is tested as they are; it needs no rule."""
    entered: Function = titling(function)
    composites[function.__name__] = entered
    return entered


class Constant:
    """What a node remembers of an operand that needs no gradient: its looks, and its value if that is tiny.

    `storage` is the storage (not the memory) it lay in, by which two uses of one tensor are known to be one.
    """

    __slots__ = ("dtype", "name", "shape", "storage", "value")

    def __init__(self, shape: tuple[int, ...], dtype: Any, name: str | None, value: Any, storage: Any) -> None:
        self.shape, self.dtype, self.name, self.value, self.storage = shape, dtype, name, value, storage


_next_number = itertools.count().__next__


class Node:
    """One application of an op: plain data, and the arrays its rules asked for until `backward` releases them.

    `saved` holds, for each of `plan.saves`, one after the other the array, the storage it lies in and that storage's
    version when it was saved (`held` reads it); None after release. `hooks` are (output index, function of the
    gradient) in the order they were added.
    """

    __slots__ = ("__weakref__", "attrs", "edges", "hooks", "number", "op", "outputs", "plan", "saved", "scope")

    def __init__(
        self,
        op: Op,
        plan: Plan,
        edges: tuple[Any, ...],
        attrs: dict[str, Any],
        outputs: tuple[tuple[tuple[int, ...], Any], ...],
        saved: Any,
        where: Scope | None,
    ) -> None:
        self.op = op
        self.plan = plan
        self.edges = edges
        self.attrs = attrs
        self.outputs = outputs
        self.saved = saved
        self.scope = where
        self.hooks: list[tuple[int, Callable[[Any], Any]]] | None = None
        self.number = _next_number()

    def name(self) -> str:
        """Return the name of this node in PyTorch, such as "AddBackward0"."""
        return nodenames.short_name(self)

    @property
    def next_functions(self) -> tuple[tuple[Any, int], ...]:
        """For each input, the node it came from and which of its outputs it was; (None, 0) for a constant."""
        return nodenames.next_functions(self)

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"


def held(node: Node) -> Iterator[tuple[Saving, Any, Any, int]]:
    """Yield what a node still holds: for which rule, the array, its storage (None: nothing to compare) and version."""
    saved = iter(node.saved)
    return zip(node.plan.saves, saved, saved, saved)  # noqa: B905 - three of `saved` for each


def edge_facts(edge: Any) -> tuple[tuple[int, ...], Any]:
    """Return the shape and dtype at the far end of an edge."""
    if type(edge) is tuple:
        facts: tuple[tuple[int, ...], Any] = edge[0].outputs[edge[1]]
        return facts
    if isinstance(edge, Constant):
        return edge.shape, edge.dtype
    if isinstance(edge, Recordable):
        return edge._facts()
    return (), None

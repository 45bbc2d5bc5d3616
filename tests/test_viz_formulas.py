"""Every formula that `viz.formula` gives is worked out and compared with what the op's own gradient rule returns."""

from __future__ import annotations

import ast
import functools
import re
import sys
from typing import Any

import numpy as np
import pytest
from formula_layers import placed, start_of, words_of
from formula_words import board, summed
from op_samples import SAMPLES
from op_samples_base import Sample
from test_ops import direction, leaves

from minigrad import graph, viz
from minigrad.autograd import grad
from minigrad.errors import ArgumentError
from minigrad.tensor import Tensor, wrap
from minigrad.viz.formula_table import FORMULAS, NO_GRADIENT
from minigrad.viz.formulas import WORDS
from minigrad.viz.reading import operand


class Calls(graph.Observer):
    """Keeps the inputs and the settings of every call of one op."""

    def __init__(self, name: str) -> None:
        self.name, self.found = name, list[tuple[Any, Any, Any]]()

    def forward(self, op: graph.Op, inputs: tuple[Any, ...], attrs: dict[str, Any], call: Any) -> Any:
        if op.name == self.name:
            self.found.append((op, inputs, attrs))
        return call()


def watched(observer: Any, sample: Sample) -> Any:
    """Return the observer, which has seen a sample run."""
    previous = graph.observe(observer)
    try:
        sample.call(*leaves(sample, sample.arrays()))
    finally:
        graph.observe(previous)
    return observer


def calls(sample: Sample) -> list[tuple[Any, Any, Any]]:
    """Return the calls of its op that a sample makes."""
    return watched(Calls(sample.op), sample).found


class Case:
    """One call of an op: what its rules return, and the names that its formula is worked out with."""

    def __init__(self, op: graph.Op, inputs: tuple[Any, ...], attrs: dict[str, Any]) -> None:
        self.op = op
        wanted = [isinstance(x, Tensor) and x.requires_grad for x in inputs]
        tensors = [_fresh(x, w) for x, w in zip(inputs, wanted, strict=True)]
        results = op(*tensors, **attrs)
        outputs = dict(zip(op.outputs, results if isinstance(results, tuple) else (results,), strict=True))
        seeds = {name: direction(outputs[name], k) for k, name in enumerate(asked(op))}
        targets = [t for t, w in zip(tensors, wanted, strict=True) if w]
        found = iter(grad([outputs[name] for name in seeds], targets, [wrap(seed) for seed in seeds.values()]))
        self.truth = {i: next(found)._data for i, w in enumerate(wanted) if w}
        self.names = self._names([_shown(x) for x in tensors], outputs, seeds, attrs)

    def _names(self, arrays: list[Any], outputs: Any, seeds: Any, attrs: dict[str, Any]) -> dict[str, Any]:
        op = self.op
        known = op.defaults | attrs | {"attrs": attrs, "indices": ()}
        known |= {name_of(op, i): x for i, x in enumerate(arrays)}
        if op.variadic:
            known[op.variadic] = arrays[len(op.inputs) - 1 :]
        known |= {name: _shown(y) for name, y in outputs.items()}
        weights = {name: board(seed) for name, seed in seeds.items()}
        gradients = {f"g_{name}": weight for name, weight in weights.items()}
        if op.outputs[0] in weights:
            gradients["g"] = weights[op.outputs[0]]
        gradients["gs"] = [*weights.values()]
        names = words_of(op, arrays, known, weights) | known | gradients | start_of(op, known)
        return names | placed(op, known) | ({op.name: op} if "vjp" in " ".join(FORMULAS[op.name]) else {})

    def of(self, lines: tuple[str, ...]) -> dict[int, Any]:
        """Return what formulas come to, for each input that has a true gradient."""
        names, values = dict(self.names), {}
        for line in lines * len(self.names.get("sizes", (1,))):
            left, right = line.split(" = ", 1)
            places = [i for i in self.truth if f"d{name_of(self.op, i)}" == left.removesuffix("[i]")]
            is_used = isinstance(self.names.get(left[1:], self.op), np.ndarray | graph.Op)
            for i in places or [0] * is_used:
                with np.errstate(all="ignore"):
                    value = eval(right, {"__builtins__": {}}, names | ({"i": i} if "[i]" in left else {}))
                names |= zip(left.split(", "), value, strict=True) if "," in left else {left: value}
                if places:
                    values[i] = fitted(value, self.truth[i].shape)
        return values


def _fresh(x: Any, wanted: bool) -> Any:
    return wrap(x._data.copy()).requires_grad_(wanted) if isinstance(x, Tensor) else x


def _shown(x: Any) -> Any:
    return board(x._data) if isinstance(x, Tensor) else board(x) if isinstance(x, np.ndarray) else x


def name_of(op: graph.Op, position: int) -> str:
    """Return what formulas call the input at `position`: what the picture does, without the number of one of many."""
    return operand(op, position).partition("[")[0]


def asked(op: graph.Op) -> list[str]:
    """Return the outputs whose gradient the rules of `op` cannot do without."""
    rules = {op.joint} if op.joint else {rule for rule in op.rules.values() if rule}
    found = set()
    for rule in rules:
        code, optional = rule.__code__, len(rule.__defaults__ or ())
        found |= set(code.co_varnames[: code.co_argcount - optional])
    return [n for k, n in enumerate(op.outputs) if f"g_{n}" in found or (k == 0 and "g" in found)]


def fitted(value: Any, shape: tuple[int, ...]) -> Any:
    """Return a formula's value summed down to the operand, as the engine does; a plain 0 is zeros."""
    return np.zeros(shape) if np.ndim(value) == 0 and value == 0 else np.asarray(summed(value, shape))


def agree(case: Case, lines: tuple[str, ...]) -> bool:
    """Return whether formulas come to what the rules return."""
    rough = any("vjp" in line for line in lines)
    how = {"rtol": 1e-6, "atol": 1e-7} if rough else {"rtol": 1e-9, "atol": 1e-11}
    values = case.of(lines)
    return all(
        values[i].shape == true.shape and np.allclose(values[i], true, equal_nan=True, **how)
        for i, true in case.truth.items()
    )


# Where the rule says more than the formula: at kinks, whose slope is a choice, and where the short form overflows.
LEFT_OUT = (
    "pow: zero base",
    "atan2: origin",
    "xlogy: zeros",
    "std: of equals",
    "norm: of zeros, p 2.0",
    "norm: of zeros, p 3.0",
    "logcumsumexp: far apart",
)
ROWS: dict[str, list[Sample]] = {}
for row in SAMPLES:
    if row.op in graph.primitives and row.smooth and row.differentiable():
        ROWS.setdefault(row.op, []).append(row)


@functools.cache
def cases(name: str) -> list[Case]:
    """Return all calls of an op that its samples make, but those left out."""
    return [Case(*call) for sample in ROWS[name] if str(sample) not in LEFT_OUT for call in calls(sample)]


def test_every_primitive_has_a_formula_and_there_is_no_other():
    assert set(FORMULAS) == set(graph.primitives)


@pytest.mark.parametrize("name", graph.primitives)
def test_a_formula_has_a_line_for_each_input_with_a_derivative(name):
    op = graph.primitives[name]
    wanted = [f"d{name_of(op, i)}" for i, n in enumerate(op.inputs) if op.joint or op.rules[n]]
    lines = viz.formula(name)
    given = [line.split(" = ")[0].removesuffix("[i]") for line in lines if re.match(r"d\w+(\[i\])? = ", line)]
    assert given == wanted
    assert wanted or lines == ("no gradient",)
    assert max(map(len, lines)) <= 60


@pytest.mark.parametrize("name", ROWS)
def test_every_formula_comes_to_what_the_rule_returns(name):
    assert cases(name)
    for case in cases(name):
        assert agree(case, viz.formula(name))


@pytest.mark.parametrize("label", LEFT_OUT)
def test_what_is_left_out_has_a_reason(label):
    sample = next(s for s in SAMPLES if str(s) == label)
    assert not all(agree(Case(*call), viz.formula(sample.op)) for call in calls(sample))


ALIKE = re.compile(r"/ sign\(|sign\(left / y\)")  # the sign of a number is its own inverse

# --- a wrong formula is noticed ---


OTHER = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Gt: ast.Lt, ast.Lt: ast.Gt}


class Swapped(ast.NodeTransformer):
    """Changes the one part of a formula that is at `place`, counted as the parts are visited."""

    def __init__(self, place: int) -> None:
        self.place, self.count = place, 0

    def _is_here(self) -> bool:
        self.count += 1
        return self.count - 1 == self.place

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        other = OTHER.get(type(node.op))
        return ast.BinOp(node.left, other(), node.right) if other and self._is_here() else node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return node.operand if self._is_here() else node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        other = OTHER.get(type(node.ops[0]))
        return ast.Compare(node.left, [other()], node.comparators) if other and self._is_here() else node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        is_number = isinstance(node.value, int | float)
        return ast.Constant(node.value + 1) if is_number and self._is_here() else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        return node.value if node.attr == "T" and self._is_here() else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        is_where = isinstance(node.func, ast.Name) and node.func.id == "where"
        if not is_where or not self._is_here():
            return node
        return ast.Call(node.func, [node.args[0], node.args[2], node.args[1]], [])


def mutants(lines: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return formulas with one thing wrong: a sign, an operator, a number, a missing .T, the branches of a where."""
    found = []
    for k, line in enumerate(lines):
        left, right = line.split(" = ", 1)
        changed = [] if right == "0" else [f"-({right})"]
        for place in range(20):
            swap = Swapped(place)
            text = ast.unparse(swap.visit(ast.parse(right, mode="eval")))
            changed += [text] if swap.count > place else []
        found += [(*lines[:k], f"{left} = {text}", *lines[k + 1 :]) for text in changed]
    return found


def noticed(name: str, lines: tuple[str, ...]) -> bool:
    for case in cases(name):
        try:
            if not agree(case, lines):
                return True
        except (ValueError, TypeError, IndexError, np.linalg.LinAlgError):
            return True
    return False


@pytest.mark.parametrize("name", ROWS)
def test_a_formula_with_one_thing_wrong_is_noticed(name):
    wrong = [lines for lines in mutants(viz.formula(name)) if not ALIKE.search(lines[-1])]
    unseen = [lines for lines in wrong if not noticed(name, lines)]
    assert unseen == []


# --- the names, and what is asked for that has no formula ---


def left_of(lines: tuple[str, ...]) -> list[str]:
    return [name for line in lines for name in line.split(" = ")[0].split(", ")]


def test_every_word_is_explained_or_numpys_and_every_explanation_is_needed():
    settings = """
        dim dims correction value diagonal offset dim1 dim2 step start stride n index steps along eps xs relu
    """
    used = set()
    for name, lines in FORMULAS.items():
        op = graph.primitives[name]
        known = {name_of(op, i) for i in range(len(op.inputs))} | {*op.outputs, *op.defaults, *settings.split()}
        known |= {"g", "gs", name, "i", *(f"g_{n}" for n in op.outputs), *left_of(lines)}
        for line in lines if lines != NO_GRADIENT else ():
            tree = [*ast.walk(ast.parse(line.split(" = ")[1]))]
            calls = {node.func.id for node in tree if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
            used |= ({node.id for node in tree if isinstance(node, ast.Name)} - known) | (calls & set(WORDS) - {name})
    assert {word for word in used if not hasattr(np, word)} <= set(WORDS)
    assert set(WORDS) <= used


class Inside(graph.Observer):
    """Keeps the names of the ops that a function computes."""

    def __init__(self, function: Any) -> None:
        self.code, self.made = getattr(function, "__wrapped__", function).__code__, set[str]()

    def forward(self, op: graph.Op, inputs: tuple[Any, ...], attrs: dict[str, Any], call: Any) -> Any:
        frame = sys._getframe()
        while frame and frame.f_code is not self.code:
            frame = frame.f_back
        if frame:
            self.made.add(op.name)
        return call()


OPERATORS = {"add", "sub", "mul", "div", "pow", "neg", "matmul", "lt", "gt", "le", "ge", "eq", "ne"}


@pytest.mark.parametrize("name", [n for n in graph.composites if n not in graph.primitives])
def test_a_composite_names_all_primitives_that_its_samples_make(name):
    (line,) = viz.formula(name)
    named = set(re.split(", | and ", line.removeprefix("made of ")))
    seen = Inside(graph.composites[name])
    for sample in SAMPLES:
        if sample.op == name:
            watched(seen, sample)
    assert seen.made
    seen.made.discard("to")  # which any op may need for its operands
    assert seen.made - named <= (OPERATORS if "arithmetic" in named else set())


def test_an_unknown_name_is_refused_with_names_near_it():
    with pytest.raises(ArgumentError, match=r"there is no op 'matmull'; did you mean matmul"):
        viz.formula("matmull")
    with pytest.raises(ArgumentError, match=r"there is no op 'qqqq'$"):
        viz.formula("qqqq")

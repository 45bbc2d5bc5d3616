"""Gradient rules are written so that they run on arrays and on tensors alike; here they are read, not run.

A rule may use operators, names, and calls of functions of ops; of its values it may read the shape, ndim, dtype, and
its dtype's itemsize.
Functions that take no value (all parameters annotated, none of them Any) are plain Python on shapes, and free.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import types
from collections.abc import Iterator
from typing import Any

import pytest

import minigrad  # noqa: F401  the table of ops is filled by importing all of it
from minigrad import graph

READABLE = {"shape", "ndim", "dtype", "itemsize"}
PLAIN = {
    "sum",
    "len",
    "range",
    "tuple",
    "max",
    "min",
    "isinstance",
    "int",
    "float",
    "enumerate",
    "zip",
    "sorted",
    "slice",
    "reversed",
    "bool",
    "dict",
}


def rules() -> Iterator[tuple[str, Any]]:
    """Yield every rule of the table, under the name of its op and input."""
    for name, op in graph.primitives.items():
        if op.name == name and op.on_tensors is False:
            if op.joint is not None:
                yield f"{name}, joint", op.joint
            else:
                yield from ((f"{name}, {i}", rule) for i, rule in op.rules.items() if rule is not None)


def syntax(function: types.FunctionType) -> list[ast.AST]:
    """Return what is written where a function or lambda begins; several lambdas of one line may be meant."""
    tree = ast.parse(inspect.getsource(inspect.getmodule(function)))
    code = function.__code__
    arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    nodes: list[ast.AST] = [
        n
        for n in ast.walk(tree)
        if isinstance(n, ast.Lambda | ast.FunctionDef)
        and n.lineno == code.co_firstlineno
        and getattr(n, "name", "<lambda>") == code.co_name
        and tuple(a.arg for a in (*n.args.args, *n.args.kwonlyargs)) == arguments
    ]
    assert nodes, f"{function} is not to be found"
    return nodes


def takes_values(function: types.FunctionType) -> bool:
    """Return whether a function may be given arrays or tensors, which its annotations call Any."""
    parameters = inspect.signature(function).parameters.values()
    return any(str(p.annotation) in ("Any", "*Any") or p.annotation is p.empty for p in parameters)


def faults(function: types.FunctionType, seen: set[Any]) -> Iterator[str]:
    """Yield what in a rule, and in the functions it calls, would not run on both arrays and tensors."""
    if function in seen:
        return
    seen.add(function)
    space = function.__globals__
    for node in (n for tree in syntax(function) for n in _expressions(tree)):
        if isinstance(node, ast.Attribute) and node.attr not in READABLE:
            owner = space.get(node.value.id) if isinstance(node.value, ast.Name) else None
            if getattr(owner, "__name__", "") != "math":
                yield f"{function.__name__}: {ast.unparse(node)}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = node.func.id
            yield from _called(function, name, space.get(name, getattr(builtins, name, None)), seen)


def _expressions(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk a function without its annotations."""
    stack = [tree]
    while stack:
        node = stack.pop()
        yield node
        skipped = (getattr(node, "annotation", None), getattr(node, "returns", None))
        stack += [child for child in ast.iter_child_nodes(node) if child not in skipped]


def _called(function: types.FunctionType, name: str, target: Any, seen: set[Any]) -> Iterator[str]:
    if isinstance(target, graph.Op) or target is None:  # None: a parameter of the rule, such as a comparison
        return
    if isinstance(target, types.FunctionType):
        if target.__module__.startswith("minigrad.kernels") and takes_values(target):
            yield f"{function.__name__}: calls the kernel {name}"
        elif takes_values(target) and target.__name__ not in graph.composites:
            yield from faults(target, seen)
    elif name not in PLAIN:
        yield f"{function.__name__}: calls {name}"


@pytest.mark.parametrize(("where", "rule"), list(rules()), ids=lambda x: x if isinstance(x, str) else "")
def test_rules_use_operators_and_ops_only(where, rule):
    assert not list(faults(rule, set()))


@pytest.mark.parametrize(("where", "rule"), list(rules()), ids=lambda x: x if isinstance(x, str) else "")
def test_rules_close_over_nothing(where, rule):
    assert rule.__closure__ is None


def _bad_method(g: Any, x: Any) -> Any:
    return g * x.sum()


def _bad_numpy(g: Any, x: Any) -> Any:
    import numpy as np

    return g * np.cos(x)


def _helper(x: Any) -> Any:
    return x.T


def _bad_helper(g: Any, x: Any) -> Any:
    return g @ _helper(x)


@pytest.mark.parametrize("rule", [_bad_method, _bad_numpy, _bad_helper])
def test_a_rule_that_works_on_one_kind_only_is_found(rule):
    assert list(faults(rule, set()))

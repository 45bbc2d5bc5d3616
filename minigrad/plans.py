"""Plans: what an op does when some of its inputs need a gradient, read from the signatures of its rules."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


class Rule(NamedTuple):
    """A gradient rule: the function, what it asks for by name, and the inputs whose gradients it returns."""

    function: Callable[..., Any]
    names: tuple[str, ...]
    optional: frozenset[str]  # of these the rule has its own default, used where an output got no gradient
    targets: tuple[int, ...]
    pick: Callable[[Mapping[str, Any]], tuple[Any, ...]]  # from everything that may be asked for, what this rule does


class Saving(NamedTuple):
    """An array that a rule asked for: under which name, and its place among the outputs or the inputs."""

    name: str
    is_output: bool
    position: int
    is_grouped: bool = False  # one of several under this name, which the rule receives as a tuple


# What a rule may ask to know without having an array saved: of an input (NUMBER: that it is), or an attribute.
SHAPE, DTYPE, SHAPES, NUMBER, ATTRIBUTE = 0, 1, 2, 3, 4


class Step(NamedTuple):
    """A rule as the short way of the sweep runs it: what it asks for it picks by place, see `Plan.steps`."""

    function: Callable[..., Any]
    pick: Callable[[list[Any]], Iterable[Any]]
    target: int


OUTPUT, OPERAND = 1, 2  # bits of `Plan.kept`


@dataclass(frozen=True, slots=True)
class Plan:
    """What an op does when certain of its inputs need a gradient: the rules to run, and what they ask for."""

    wanted: tuple[int, ...]
    rules: tuple[Rule, ...]
    saves: tuple[Saving, ...]
    facts: tuple[tuple[str, int, int], ...]  # (name asked for, input, one of SHAPE to ATTRIBUTE)
    places: tuple[tuple[bool, int], ...]  # of `saves`: whether it is an output, and its position
    kept: int  # of `saves`: OUTPUT if the output is among them, + OPERAND << i for the input at i
    storages: tuple[int, ...]  # where in `Node.saved` the storages are
    steps: tuple[Step, ...]  # the rules by place in [gradient, *saved, *facts]; none if that is not all they ask for
    extras: tuple[str, ...]  # what else is asked for: needs, gs, output_facts, and the gradients of several outputs


def plan_key(count: int, needed: int, numbers: int = 0) -> int:
    """Return under which key an op keeps its plan for `count` inputs, of which some need a gradient.

    Those are the bits of `needed`. Those in `numbers` are Python numbers, which need not be saved: an edge is the
    number itself.

    >>> bin(plan_key(2, FIRST)), bin(plan_key(2, FIRST, numbers=SECOND))
    ('0b10001', '0b11001')
    """
    return (1 << count | numbers) << count | needed


FIRST, SECOND = 1, 2  # the bits of the first two inputs


def read_rule(function: Any, targets: tuple[int, ...]) -> Rule:
    """Read a rule's signature: its parameters are what it asks for, those with a default what it can do without."""
    code, defaults = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    pick = operator.itemgetter(*names) if len(names) > 1 else lambda asked: tuple([asked[name] for name in names])
    return Rule(function, names, frozenset(names[len(names) - len(defaults) :]), targets, pick)


def storages_among(count: int) -> tuple[int, ...]:
    """Return where in `Node.saved` the storages of `count` saved arrays are."""
    return tuple(range(1, 3 * count, 3))


def quick_steps(
    rules: list[Rule], saves: tuple[Saving, ...], facts: tuple[tuple[str, int, int], ...]
) -> tuple[Step, ...]:
    """Return the rules, each with what picks its arguments from a list of the gradient, `Node.saved` and the facts."""
    names = ["g", *(name for saving in saves for name in (saving.name, "", "")), *(name for name, _, _ in facts)]
    return tuple(Step(r.function, _picker([names.index(n) for n in r.names]), r.targets[0]) for r in rules)


def _picker(places: list[int]) -> Callable[[list[Any]], Iterable[Any]]:
    """Return what picks the values at some places of a list."""
    if len(places) == 1:
        return operator.itemgetter(slice(places[0], places[0] + 1))
    return operator.itemgetter(*places)

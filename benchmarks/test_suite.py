"""What the suite promises of itself: nothing unequal is timed, and figures are worked out as they say."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from benchmarks import compare, growth, readme
from benchmarks.agreement import difference
from benchmarks.memory import peaks
from benchmarks.reference import worse
from benchmarks.report import geometric_mean
from benchmarks.timing import interleaved, ratio
from benchmarks.workloads import Workload


@pytest.mark.parametrize(("theirs", "is_timed"), [(1.0, True), (1.00005, True), (1.001, False), (float("nan"), False)])
def test_a_side_with_another_result_is_not_timed(theirs: float, is_timed: bool, monkeypatch: Any) -> None:
    pytest.importorskip("torch", reason="there is no second side")
    build = lambda s: lambda: theirs if s.name == "torch" else 1.0
    monkeypatch.setitem(compare.WORKLOADS, "made-up", Workload(build, 8, "training"))
    figures = compare.one("made-up", 8, 0.0, ops=False)
    assert ("torch" in figures["failed"]) is not is_timed
    assert ("ratio" in figures) is is_timed


def test_difference_is_relative_and_sees_shapes() -> None:
    assert difference(np.array([3.0, 4.0]), np.array([3.0, 4.5])) == pytest.approx(0.5 / np.hypot(3, 4.5))
    assert difference(np.zeros(2), np.zeros(3)) == float("inf")


def test_sides_take_turns_there_and_back() -> None:
    order: list[str] = []
    sides = {name: lambda name=name: order.append(name) for name in "ab"}
    times = interleaved(sides, rounds=2, warm=1)
    assert "".join(order) == "ab" + "ab" + "ba"
    assert [len(times[name]) for name in "ab"] == [2, 2]


def test_a_load_that_comes_and_goes_changes_no_ratio() -> None:
    load = [1.0, 1.0, 10.0, 10.0, 1.0, 1.0, 10.0, 10.0]
    assert ratio([1.0 * n for n in load], [2.0 * n for n in load]) == (0.5, 0.5, 0.5)


def test_a_side_that_is_quicker_after_itself_is_so_once_in_each_turn() -> None:
    ours, theirs = [2.0, 1.0] * 4, [1.0, 2.0] * 4  # A B B A: in the first round B is cold, in the second A is
    assert ratio(ours, theirs) == (1.0, 1.0, 1.0)


def test_line_and_its_largest_deviation() -> None:
    exact = growth.line({n: 2.0 + 3.0 * n for n in (1, 10, 100, 1000)})
    assert (exact["a"], exact["b"], exact["deviation"]) == pytest.approx((2.0, 3.0, 0.0), abs=1e-9)
    assert growth.line({n: 1e-3 * n**2 for n in (1, 10, 100, 1000)})["deviation"] > 0.3


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the high-water mark cannot be lowered before the step")
def test_memory_of_an_optimiser_is_that_of_its_state() -> None:
    found = peaks(["optim-1M-adam", "optim-1M-sgd"], ["minigrad"], 1)
    assert found["optim-1M-adam"]["minigrad"] == pytest.approx(8e6, rel=0.2)  # two moments of 4 MB
    assert found["optim-1M-sgd"]["minigrad"] == pytest.approx(4e6, rel=0.2)


def test_geometric_mean() -> None:
    assert geometric_mean([0.25, 4.0, 1.0]) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("then", "now", "is_worse"),
    [
        ({"torch": 1.0}, {"torch": 1.24}, False),
        ({"torch": 1.0}, {"torch": 1.26}, True),
        ({"torch": 1.0, "floor": 2.0}, {"floor": 2.6}, True),  # where PyTorch is not installed
        ({"torch": 1.0, "floor": 2.0}, {"torch": 1.0, "floor": 9.0}, False),
        ({"torch": 1.0}, {}, False),
    ],
)
def test_what_the_guard_takes_for_worse(then: dict[str, float], now: dict[str, float], is_worse: bool) -> None:
    assert bool(worse(then, now)) is is_worse


def test_the_block_is_put_between_the_markers_of_the_readme() -> None:
    page = (readme.ROOT / "README.md").read_text()
    new = readme.inserted(page, "FIGURES")
    assert readme.inserted(new, "FIGURES") == new
    before, _, rest = new.partition(readme.BEGIN)
    assert page.startswith(before)
    assert page.endswith(rest.partition(readme.END)[2])
    with pytest.raises(ValueError, match="needs the markers"):
        readme.inserted("no markers", "FIGURES")

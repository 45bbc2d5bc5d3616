"""No workload takes more than 25 % longer, beside a reference timed in the same process, than it did.

Run `pytest benchmarks`; it is no part of the timed tests. What seems slower is measured once more, with twice the
rounds, before it fails. `python -m benchmarks.reference` renews the ratios in reference.json.
"""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from typing import Any

import pytest

from benchmarks.machine import processor
from benchmarks.reference import AGAIN, FILE, SCALE, TWO, Ratios, ratios, worse
from benchmarks.workloads import WORKLOADS


@pytest.fixture(scope="module")
def then() -> Any:
    """Return the committed ratios."""
    if not FILE.exists():
        pytest.skip("there is no benchmarks/reference.json: `python -m benchmarks.reference` writes it")
    reference = json.loads(FILE.read_text())
    if reference["machine"]["processor"] != processor():
        pytest.skip(f"the reference is of another processor: {reference['machine']['processor']}. {AGAIN}")
    return {1: reference["ratios"], 2: reference.get("two_threads", {})}


@pytest.fixture(scope="module")
def now(then: Any) -> Any:
    """Return the ratios measured anew, all with one number of threads in one process."""
    return {threads: ratios(list(of), threads=threads) if of else {} for threads, of in then.items()}


@pytest.mark.parametrize("name", WORKLOADS)
def test_no_slower_than_it_was(name: str, then: Any, now: Any) -> None:
    check(name, then[1], now[1], 1)


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="there is one processor")
@pytest.mark.parametrize("name", TWO)
def test_no_slower_than_it_was_with_two_threads(name: str, then: Any, now: Any) -> None:
    check(name, then[2], now[2], 2)


def check(name: str, then: Ratios, now: Ratios, threads: int) -> None:
    """Fail if the workload has become slower, also when it is measured once more."""
    if name not in then:
        pytest.skip(f"the reference has no {name}: it is newer, or not steady. {AGAIN}")
    if not (now[name].keys() & then[name].keys()):
        assert not find_spec("torch"), f"{name} could not be compared: its results differ from PyTorch's"
        pytest.skip("PyTorch is not installed, and there are no matrix products to compare with")
    if worse(then[name], now[name]):
        found = worse(then[name], ratios([name], 2 * SCALE, threads)[name])
        assert not found, f"{name}: {found} (measured twice). {AGAIN}"

"""Programs in the style of PyTorch's documentation print the same text under torch and with minigrad in its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from side_by_side import NUMBER, difference, under_minigrad, under_torch

pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = pytest.mark.oracle
PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))


@pytest.fixture(scope="module")
def expected() -> dict[str, str]:
    """Return what each program prints under PyTorch, all run in one process."""
    return under_torch([(path.stem, str(path), []) for path in PROGRAMS])


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_a_program_prints_what_it_prints_under_torch(path, expected):
    assert len(NUMBER.findall(expected[path.stem])) >= 5
    assert not difference(under_minigrad(str(path)), expected[path.stem])


def test_differences_are_found():
    assert not difference("loss 0.12346 of -1.5\n", "loss 0.12345 of -1.5\n")
    assert not difference("tensor([ 0.9999])\n", "tensor([ 1.0000])\n")
    for other in ("loss 0.12348 of -1.5", "loss 0.12345 of 1.5", "lose 0.12345 of -1.5", "loss 0.12345 of -1.5\n\n"):
        assert difference("loss 0.12345 of -1.5\n", other + "\n")
    assert difference("3\n", "4\n")

"""Tests of the op table: one test for each op, which does all its samples and names every one that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from op_samples_base import Sample

Check = Callable[[Sample], None]


def for_every_op(samples: Iterable[Sample]) -> Callable[[Check], Any]:
    """Make of a check of one sample a test of each op; a test for each sample would take longer than the check."""
    rows: dict[str, list[Sample]] = {}
    for sample in samples:
        rows.setdefault(sample.op, []).append(sample)

    def decorated(check: Check) -> Any:
        @pytest.mark.parametrize("op", rows)
        def test(op: str) -> None:
            failed = [(s, failure) for s in rows[op] if (failure := _failure(check, s))]
            if failed:
                told = [f"{sample}: {type(failure).__name__}: {failure}" for sample, failure in failed]
                labels = "; ".join(sample.label for sample, _ in failed)
                head = f"{op}: {len(failed)} of {len(rows[op])} samples fail: {labels}"
                raise AssertionError("\n".join([head, *told])) from failed[0][1]

        test.check = check
        test.__name__, test.__doc__ = check.__name__, check.__doc__
        return test

    return decorated


def _failure(check: Check, sample: Sample) -> BaseException | None:
    try:
        check(sample)
    except (Exception, pytest.fail.Exception) as failure:
        return failure
    return None

"""What became of the samples of one entry, for the summary at the end of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from bridge import Unsupported


class Tally:
    """Counts of the samples of one entry of one of PyTorch's tables."""

    def __init__(self, table: str, name: str) -> None:
        self.table, self.name, self.passed = table, name, 0
        self.failed: list[str] = []
        self.unsupported: Counter[str] = Counter()

    def run(self, label: str, check: Callable[..., None], *args: Any) -> None:
        """Do one check and count how it went; what fails is told with `label`."""
        try:
            check(*args)
            self.passed += 1
        except Unsupported as reason:
            self.unsupported[str(reason)] += 1
        except Exception as failure:
            text = f"{type(failure).__name__}: {failure}".replace("\n", " ")
            self.failed.append(f"{label}: {text[:400]}")

    def report(self, record: Callable[[str, Any], None]) -> None:
        """Hand the counts to the summary, and fail if a sample did or none was run."""
        record("oracle", [self.table, self.name, self.passed, len(self.failed), dict(self.unsupported)])
        shown = "\n  ".join(self.failed[:8])
        if self.failed:
            total = len(self.failed) + self.passed
            pytest.fail(f"{self.name}: {len(self.failed)} of {total} samples differ\n  {shown}", pytrace=False)
        if not self.passed:
            pytest.fail(f"{self.name}: no sample of it was run: {dict(self.unsupported)}", pytrace=False)

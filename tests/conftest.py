"""What all tests share: one thread a process, and the account of PyTorch's sample inputs at the end of a run."""

from __future__ import annotations

import os
import textwrap
from collections import Counter
from typing import Any

for library in ("OMP", "OPENBLAS", "MKL"):  # read when NumPy and PyTorch are imported; pytest -n 2 fills two cores
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say of every entry of PyTorch's tables how many samples passed, failed and were not supported."""
    reports = [r for kind in terminalreporter.stats.values() for r in kind if getattr(r, "when", None) == "call"]
    found = [each for r in reports for each in r.user_properties]
    rows = [value for name, value in found if name == "oracle"]
    scope = [value for name, value in found if name == "oracle_scope"]
    for table in sorted({row[0] for row in rows}):
        terminalreporter.section(f"PyTorch's own samples: {table}")
        for line in _account([r[1:] for r in rows if r[0] == table], [s[1:] for s in scope if s[0] == table]):
            terminalreporter.write_line(line)


def _account(rows: list[Any], scope: list[Any]) -> list[str]:
    passed = [f"{name} {good}" for name, good, bad, _ in sorted(rows) if good and not bad]
    failed = [f"{name} {bad} of {good + bad}" for name, good, bad, _ in sorted(rows) if bad]
    reasons = Counter(reason for _, _, _, skipped in rows for reason in skipped)
    counts = [sum(r[1] for r in rows), sum(r[2] for r in rows), sum(sum(r[3].values()) for r in rows)]
    lines = [
        f"entries: {len(passed)} passed, {len(failed)} failed, {sum(count for _, count in scope)} out of scope",
        "samples: {} passed, {} failed, {} unsupported".format(*counts),
    ]
    lines += _wrapped("passed", passed) + _wrapped("failed", failed)
    for reason in sorted(reasons):
        names = [f"{name} {skipped[reason]}" for name, _, _, skipped in sorted(rows) if reason in skipped]
        lines += _wrapped(f"unsupported ({reason})", names)
    return lines + _wrapped("out of scope", [f"{reason} ({count})" for reason, count in sorted(scope)])


def _wrapped(title: str, items: list[str]) -> list[str]:
    return textwrap.wrap(f"{title}: {', '.join(items)}", 118, subsequent_indent="  ") if items else []

"""What was measured on: a figure without its machine and versions says little."""

from __future__ import annotations

import datetime
import os
import platform
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

import minigrad


def processor() -> str:
    """Return the name of the processor."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text().splitlines() if listing.exists() else []
    named = [text.split(":", 1)[1].strip() for text in lines if text.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def machine() -> dict[str, Any]:
    """Return processor, cores, NumPy with its BLAS, Python, system and date."""
    (blas, *_) = [each for each in threadpool_info() if each["user_api"] == "blas"] or [{}]
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "minigrad": minigrad.__version__,
        "numpy": np.__version__,
        "blas": f"{blas.get('internal_api', 'unknown BLAS')} {blas.get('version', '')}".strip(),
        "blas_architecture": blas.get("architecture", "unknown"),
        "python": platform.python_version(),
        "system": platform.system(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }

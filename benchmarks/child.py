"""A measurement in a process of its own, since NumPy reads the number of its threads when it is imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
COUNTS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "MINIGRAD_NUM_THREADS")
PAUSE = 0.01  # seconds between two sides with more than one thread


def environment(threads: int) -> dict[str, str]:
    """Return the environment in which every library uses `threads` threads.

    With more than one, those that have nothing to do sleep soon: OpenBLAS's would else spin for a tenth of a second and
    OpenMP's (PyTorch's) for some milliseconds, on the cores that the side timed next needs.
    """
    variables = os.environ | dict.fromkeys(COUNTS, str(threads))
    variables |= {"DEV": "CPU", "TRAINING": "1", "JAX_PLATFORMS": "cpu"}  # tinygrad's and JAX's
    if threads > 1:
        return variables | {"OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_THREAD_TIMEOUT": "20"}
    return variables | {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"}


def measured(module: str, threads: int, **request: Any) -> Any:
    """Run `benchmarks.<module>` in a fresh process and return what its `answer` returns for `request`.

    Raises CalledProcessError if it fails; what it reports on the way goes to this process's error stream.
    """
    command = [sys.executable, "-m", "benchmarks.child", module, json.dumps({"threads": threads} | request)]
    run = subprocess.run(command, cwd=ROOT, env=environment(threads), check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(run.stdout.splitlines()[-1])


def main() -> None:
    """Do what `measured` asked for, in the process that it started."""
    import importlib

    module, request = sys.argv[1:]
    print("\n" + json.dumps(importlib.import_module(f"benchmarks.{module}").answer(**json.loads(request))))


if __name__ == "__main__":
    main()

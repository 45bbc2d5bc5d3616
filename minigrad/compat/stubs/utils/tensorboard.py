"""torch.utils.tensorboard without TensorBoard: scalars go to a CSV file that any program can read and plot."""

from __future__ import annotations

import csv
import os
import time
import warnings
from pathlib import Path
from typing import Any

COLUMNS = ("tag", "step", "value", "time")


class SummaryWriter:
    """Writes scalars to `log_dir/scalars.csv`, a row each: tag, step, value, time. Pictures, graphs and the rest are
    not written, and the first of each kind warns.

    `log_dir` is made if it is not there; by default it is runs/ and the time of the start. New rows are added to a
    file that exists.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> with SummaryWriter(folder) as writer:
    ...     writer.add_scalar("loss", 0.5, 1)
    >>> (Path(folder) / "scalars.csv").read_text().splitlines()[1].split(",")[:3]
    ['loss', '1', '0.5']
    """

    def __init__(self, log_dir: str | os.PathLike[str] | None = None, comment: str = "", **settings: Any) -> None:
        self.log_dir = str(log_dir or Path("runs") / (time.strftime("%b%d_%H-%M-%S") + comment))
        Path(self.log_dir).mkdir(parents=True, exist_ok=True)
        path = Path(self.log_dir) / "scalars.csv"
        is_new = not path.exists()
        self._file = path.open("a", newline="")
        self._rows = csv.writer(self._file)
        self._warned: set[str] = set()
        if is_new:
            self._rows.writerow(COLUMNS)

    def add_scalar(
        self, tag: str, scalar_value: Any, global_step: Any = None, walltime: float | None = None, **settings: Any
    ) -> None:
        """Write one value: a number or a tensor of one element."""
        moment = time.time() if walltime is None else walltime
        self._rows.writerow([tag, "" if global_step is None else int(global_step), float(scalar_value), moment])

    def add_scalars(
        self, main_tag: str, tag_scalar_dict: dict[str, Any], global_step: Any = None, walltime: float | None = None
    ) -> None:
        """Write several values of one step, with the tags `main_tag/tag`."""
        for tag, value in tag_scalar_dict.items():
            self.add_scalar(f"{main_tag}/{tag}", value, global_step, walltime)

    def _not_written(self, what: str) -> None:
        if what not in self._warned:
            self._warned.add(what)
            warnings.warn(f"SummaryWriter.{what}: minigrad writes scalars only; this is left out", stacklevel=3)

    def add_image(self, *args: Any, **kwargs: Any) -> None:
        """Warn that pictures are not written."""
        self._not_written("add_image")

    def add_images(self, *args: Any, **kwargs: Any) -> None:
        """Warn that pictures are not written."""
        self._not_written("add_images")

    def add_figure(self, *args: Any, **kwargs: Any) -> None:
        """Warn that figures are not written."""
        self._not_written("add_figure")

    def add_graph(self, *args: Any, **kwargs: Any) -> None:
        """Warn that graphs are not written; `minigrad.viz.graph` draws one."""
        self._not_written("add_graph")

    def add_histogram(self, *args: Any, **kwargs: Any) -> None:
        """Warn that histograms are not written."""
        self._not_written("add_histogram")

    def add_text(self, *args: Any, **kwargs: Any) -> None:
        """Warn that text is not written."""
        self._not_written("add_text")

    def add_hparams(self, *args: Any, **kwargs: Any) -> None:
        """Warn that settings are not written."""
        self._not_written("add_hparams")

    def add_embedding(self, *args: Any, **kwargs: Any) -> None:
        """Warn that embeddings are not written."""
        self._not_written("add_embedding")

    def flush(self) -> None:
        """Write out what is waiting."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

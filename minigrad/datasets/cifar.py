"""CIFAR-10 and CIFAR-100: small colour photographs, read from the files that torchvision uses.

Those files are pickles, and a pickle can run any code. These hold a dict of strings, lists of numbers and one array of
bytes, so they are read by an unpickler that knows three functions of NumPy, to make that array, and refuses all else.
"""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.datasets.images import Images, Transform
from minigrad.dtypes import Array
from minigrad.errors import DataError


def _reconstruct(kind: Any, shape: Any, code: Any) -> Array:
    if kind is not np.ndarray:
        raise pickle.UnpicklingError(f"an array of kind {kind!r}")
    return np.empty((0,), np.uint8)


def _encode(text: str, encoding: str = "latin1") -> bytes:
    return text.encode("latin1")


_ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _encode,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _reconstruct for core in ("core", "_core")},
}


class _Unpickler(pickle.Unpickler):
    """Reads dicts, lists, strings, numbers and arrays; nothing that could run code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which such a file has no use for")
        return _ADMITTED[module, name]


def _read(path: Path, name: str) -> dict[str, Any]:
    """Return the dict in one of the files of the set `name`."""
    try:
        with path.open("rb") as file:
            content = _Unpickler(file, encoding="latin1").load()
    except FileNotFoundError:
        raise DataError(
            f"{name}: Dataset not found, and minigrad downloads nothing: {path} is not there; put the files of the "
            f"python version (the folder {path.parent.name}) into {path.parent.parent}"
        ) from None
    except Exception as error:  # what a damaged pickle raises is anything
        raise DataError(f"{path}: not a file of {name}, or damaged ({error})") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected a dict, as the files of {name} have, got {type(content).__name__}")
    return content


class CIFAR10(Images):
    """The 60,000 photographs of 32 x 32 pixels in ten classes: 50,000 to train on, 10,000 to test.

    The files of the python version are looked for in `root/cifar-10-batches-py`; with `download=True` too, since
    nothing is downloaded. `data` is a uint8 array (N, 32, 32, 3), `targets` a list of ints. Raises DataError if files
    are missing or damaged. Source: A. Krizhevsky, Learning multiple layers of features from tiny images (2009).
    """

    base_folder = "cifar-10-batches-py"
    _parts: tuple[list[str], list[str]] = ([f"data_batch_{i}" for i in range(1, 6)], ["test_batch"])
    _meta, _names, _labels_key = "batches.meta", "label_names", "labels"

    def __init__(
        self,
        root: str | os.PathLike[str],
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        folder, name = Path(root) / self.base_folder, type(self).__name__
        pixels, labels = [], []
        for part in self._parts[0 if train else 1]:
            content = _read(folder / part, name)
            pixels.append(self._checked(content.get("data"), content.get(self._labels_key), folder / part))
            labels += content[self._labels_key]
        self.classes = list(_read(folder / self._meta, name).get(self._names, ()))
        self.class_to_idx = {label: i for i, label in enumerate(self.classes)}
        self.root, self.train = root, train
        images = np.concatenate(pixels).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        super().__init__(np.ascontiguousarray(images), np.asarray(labels, np.int64), transform, target_transform)
        self.data, self.targets = self._pixels, labels

    @staticmethod
    def _checked(data: Any, labels: Any, path: Path) -> Array:
        if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != 3072:
            raise DataError(f"{path}: expected uint8 data of shape (N, 3072), got {getattr(data, 'shape', data)!r:.60}")
        if not isinstance(labels, list) or len(labels) != len(data):
            raise DataError(f"{path}: expected a list of {len(data)} labels, got {labels!r:.60}")
        return data


class CIFAR100(CIFAR10):
    """The 60,000 photographs in a hundred classes, looked for in `root/cifar-100-python`."""

    base_folder = "cifar-100-python"
    _parts = (["train"], ["test"])
    _meta, _names, _labels_key = "meta", "fine_label_names", "fine_labels"

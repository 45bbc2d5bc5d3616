"""Sets of grey images with a label each: Digits, MNIST and FashionMNIST."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.datasets.idx import read_idx
from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, DataError, MissingDependencyError
from minigrad.tensor import Tensor, wrap
from minigrad.utils.data import Dataset

Transform = Callable[[Any], Any]


class Images(Dataset[tuple[Any, Any]]):
    """Grey images and their labels: sample i is (image, label).

    The image is a float32 tensor (1, H, W) in [0, 1], the label an int; `transform` and `target_transform` are called
    with them and what they return takes their place. `data` holds the images as they are stored, uint8 (N, H, W) from
    0 to `white`, and `targets` the labels, int64 (N,).
    """

    classes: Sequence[str] = tuple("0123456789")
    white = 255

    def __init__(self, images: Array, labels: Array, transform: Transform | None, target_transform: Transform | None):
        self.data, self.targets = wrap(images), wrap(labels.astype(np.int64))
        self.transform, self.target_transform = transform, target_transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image: Any = wrap(self._scaled(self.data._data[index])[None])
        label: Any = int(self.targets._data[index])
        image = image if self.transform is None else self.transform(image)
        return image, (label if self.target_transform is None else self.target_transform(label))

    def __repr__(self) -> str:
        count, height, width = self.data.shape
        return f"{type(self).__name__}({count} images of {height}x{width}, {len(self.classes)} classes)"

    def tensors(self) -> tuple[Tensor, Tensor]:
        """Return the whole set at once, without the transforms: float32 images (N, 1, H, W) in [0, 1], int64 labels."""
        return wrap(self._scaled(self.data._data)[:, None]), wrap(self.targets._data.copy())

    def _columns(self, indices: Sequence[int]) -> list[Tensor] | None:
        if self.transform is not None or self.target_transform is not None:
            return None
        rows = np.asarray(indices, np.int64)
        return [wrap(self._scaled(self.data._data[rows])[:, None]), wrap(self.targets._data[rows])]

    def _scaled(self, pixels: Array) -> Array:
        scaled = pixels.astype(np.float32)
        return np.divide(scaled, np.float32(self.white), out=scaled)


class Digits(Images):
    """The 1,797 handwritten digits of 8 x 8 pixels that come with scikit-learn: 1,437 to train on, 360 to test.

    The split is stratified (each digit has the same share of both parts) and always the same. Raises
    MissingDependencyError without scikit-learn. Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten
    Digits (UCI, 1998).
    """

    white = 16

    def __init__(
        self,
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
    ) -> None:
        try:
            from sklearn.datasets import load_digits
            from sklearn.model_selection import train_test_split
        except ImportError:
            raise MissingDependencyError("Digits needs scikit-learn: pip install scikit-learn") from None
        images, labels = load_digits(return_X_y=True)
        split = train_test_split(images, labels, test_size=0.2, stratify=labels, random_state=0)
        pixels, targets = (split[0], split[2]) if train else (split[1], split[3])
        super().__init__(pixels.reshape(-1, 8, 8).astype(np.uint8), targets, transform, target_transform)


class MNIST(Images):
    """The 70,000 handwritten digits of 28 x 28 pixels: 60,000 to train on, 10,000 to test.

    The four IDX files, gzipped or not, are looked for in `root` and in `root/MNIST/raw`. Raises DataError if they are
    missing, damaged or do not belong together, ArgumentError for `download=True`. Source: LeCun, Bottou, Bengio and
    Haffner, Gradient-based learning applied to document recognition, Proceedings of the IEEE 86 (1998).
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        download: bool = False,
    ) -> None:
        name, part = type(self).__name__, "train" if train else "t10k"
        if download:
            raise ArgumentError(
                f"{name}: minigrad downloads nothing yet: put the four files, such as train-images-idx3-ubyte.gz, "
                f"into {Path(root)} and leave download=False"
            )
        image_file, label_file = (_find(Path(root), name, f"{part}-{what}") for what in _FILES)
        images, labels = read_idx(image_file), read_idx(label_file)
        _check(images, image_file, labels, label_file, len(self.classes))
        super().__init__(images, labels, transform, target_transform)


class FashionMNIST(MNIST):
    """The 70,000 pictures of ten kinds of clothing that have the form of MNIST, looked for in `root/FashionMNIST/raw`.

    Source: Xiao, Rasul and Vollgraf, Fashion-MNIST, arXiv:1708.07747 (2017).
    """

    classes = (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"
    )  # fmt: skip


_FILES = ("images-idx3-ubyte", "labels-idx1-ubyte")


def _find(root: Path, name: str, file: str) -> Path:
    """Return the path of `file`, plain or gzipped, under `root`."""
    folders = (root, root / name / "raw")
    for folder in folders:
        for candidate in (folder / file, folder / f"{file}.gz"):
            if candidate.is_file():
                return candidate
    raise DataError(
        f"{name}: Dataset not found: neither {file} nor {file}.gz is in {folders[0]} or {folders[1]}; put the four "
        f"files ({{train,t10k}}-{{{','.join(_FILES)}}}, gzipped or not) into {root}"
    )


def _check(images: Array, image_file: Path, labels: Array, label_file: Path, classes: int) -> None:
    """Check that these are images, and labels, and as many of the one as of the other."""
    for array, file, ndim, what in ((images, image_file, 3, "images"), (labels, label_file, 1, "labels")):
        if array.ndim != ndim or array.dtype != np.uint8:
            raise DataError(
                f"{file}: expected {what}, {ndim} dims of uint8 (magic number {0x0800 + ndim:08x}), but it holds "
                f"{array.dtype} of shape {array.shape}"
            )
    if len(images) != len(labels):
        raise DataError(
            f"{label_file}: expected {len(images)} labels, as {image_file} has images, but it has {len(labels)}"
        )
    if labels.size and labels.max() >= classes:
        first = int(np.argmax(labels >= classes))
        raise DataError(f"{label_file}: expected labels from 0 to {classes - 1}, but label {first} is {labels[first]}")

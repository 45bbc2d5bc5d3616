"""Sets of images with a label each: Digits, MNIST and those of its form."""

from __future__ import annotations

import functools
import importlib.util
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.datasets.idx import read_idx
from minigrad.dtypes import Array
from minigrad.errors import DataError, MissingDependencyError
from minigrad.tensor import Tensor, wrap
from minigrad.transforms.pictures import to_pil_image
from minigrad.utils.data import Dataset

Transform = Callable[[Any], Any]


class Images(Dataset[tuple[Any, Any]]):
    """Images and their labels: sample i is (image, label).

    The image is a float32 tensor (C, H, W) in [0, 1], the label an int. `target_transform` is called with the label,
    `transform` with the image, as a PIL image where Pillow is installed; what they return takes their place. `data`
    holds the images as they are stored, uint8 (N, H, W) or (N, H, W, C) from 0 to `white`, and `targets` the labels.
    """

    classes: Sequence[str] = tuple("0123456789")
    white = 255

    def __init__(self, images: Array, labels: Array, transform: Transform | None, target_transform: Transform | None):
        self.data: Any = wrap(images)
        self.targets: Any = wrap(labels.astype(np.int64))
        self.transform, self.target_transform = transform, target_transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        pixels, label = self._pixels[index], int(self._labels[index])
        image: Any = (
            wrap(self._scaled(pixels[None])[0]) if self.transform is None else self.transform(self._given(pixels))
        )
        return image, (label if self.target_transform is None else self.target_transform(label))

    def __repr__(self) -> str:
        count, height, width = self._pixels.shape[:3]
        return f"{type(self).__name__}({count} images of {height}x{width}, {len(self.classes)} classes)"

    def tensors(self) -> tuple[Tensor, Tensor]:
        """Return the whole set at once, without the transforms: float32 images (N, C, H, W) in [0, 1], int64 labels."""
        return wrap(self._scaled(self._pixels)), wrap(np.array(self._labels, np.int64))

    def _columns(self, indices: Sequence[int]) -> list[Tensor] | None:
        if self.transform is not None or self.target_transform is not None:
            return None
        rows = np.asarray(indices, np.int64)
        return [wrap(self._scaled(self._pixels[rows])), wrap(np.asarray(self._labels, np.int64)[rows])]

    @property
    def _pixels(self) -> Array:
        return self.data._data if isinstance(self.data, Tensor) else self.data

    @property
    def _labels(self) -> Any:
        return self.targets._data if isinstance(self.targets, Tensor) else self.targets

    def _given(self, pixels: Array) -> Any:
        """Return what a transform is called with: a PIL image, or a tensor where there are none."""
        if self.white == 255 and _has_pil():
            return to_pil_image(pixels)
        return self._tensor(pixels)

    def _tensor(self, pixels: Array) -> Tensor:
        return wrap(self._scaled(pixels[None])[0])

    def _scaled(self, pixels: Array) -> Array:
        """Return (N, H, W) or (N, H, W, C) as floats (N, C, H, W) in [0, 1]."""
        first = pixels[:, None] if pixels.ndim == 3 else np.moveaxis(pixels, -1, 1)
        scaled = first.astype(np.float32, order="C")
        return np.divide(scaled, np.float32(self.white), out=scaled)


@functools.cache
def _has_pil() -> bool:
    return importlib.util.find_spec("PIL") is not None


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

    The four IDX files, gzipped or not, are looked for in `root` and in `root/MNIST/raw`, with `download=True` too:
    nothing is downloaded. Raises DataError if they are missing, damaged or do not belong together. Source: LeCun,
    Bottou, Bengio and Haffner, Gradient-based learning applied to document recognition, Proceedings of the IEEE 86
    (1998).
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
        image_file, label_file = (_find(Path(root), name, f"{part}-{what}") for what in _FILES)
        images, labels = read_idx(image_file), read_idx(label_file)
        _check(images, image_file, labels, label_file, len(self.classes))
        super().__init__(images, labels, transform, target_transform)
        self.root, self.train = root, train
        self.class_to_idx = {label: i for i, label in enumerate(self.classes)}


class FashionMNIST(MNIST):
    """The 70,000 pictures of ten kinds of clothing that have the form of MNIST, looked for in `root/FashionMNIST/raw`.

    Source: Xiao, Rasul and Vollgraf, Fashion-MNIST, arXiv:1708.07747 (2017).
    """

    classes = (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"
    )  # fmt: skip


class KMNIST(MNIST):
    """The 70,000 old Japanese characters of ten kinds that have the form of MNIST, looked for in `root/KMNIST/raw`.

    Source: Clanuwat et al., Deep learning for classical Japanese literature, arXiv:1812.01718 (2018).
    """

    classes = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")


_FILES = ("images-idx3-ubyte", "labels-idx1-ubyte")


def _find(root: Path, name: str, file: str) -> Path:
    """Return the path of `file`, plain or gzipped, under `root`."""
    folders = (root, root / name / "raw")
    for folder in folders:
        for candidate in (folder / file, folder / f"{file}.gz"):
            if candidate.is_file():
                return candidate
    raise DataError(
        f"{name}: Dataset not found, and minigrad downloads nothing: neither {file} nor {file}.gz is in "
        f"{folders[0]} or {folders[1]}; put the four files ({{train,t10k}}-{{{','.join(_FILES)}}}, gzipped or not) "
        f"into {root}"
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

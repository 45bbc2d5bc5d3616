"""Data sets without files of their own: pictures of noise, and the pictures in one's folders."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minigrad import random
from minigrad.datasets.images import Transform
from minigrad.errors import DataError, OutOfRangeError
from minigrad.transforms.pictures import pil, to_pil_image
from minigrad.utils.data import Dataset

IMG_EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")


class FakeData(Dataset[tuple[Any, Any]]):
    """`size` pictures of noise with random labels, always the same: sample i comes from the seed i + random_offset.

    The picture is a float tensor `image_size` (C, H, W) of normal numbers without `transform`, and a PIL image with.
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: tuple[int, int, int] = (3, 224, 224),
        num_classes: int = 10,
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        random_offset: int = 0,
    ) -> None:
        self.size, self.image_size, self.num_classes = size, tuple(image_size), num_classes
        self.transform, self.target_transform, self.random_offset = transform, target_transform, random_offset

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        if index >= len(self):
            raise OutOfRangeError(f"{type(self).__name__} index out of range")
        generator = random.Generator().manual_seed(index + self.random_offset)
        image: Any = random.randn(*self.image_size, generator=generator)
        label: Any = int(random.randint(0, self.num_classes, (1,), generator=generator).item())
        if self.transform is not None:
            image = self.transform(to_pil_image(image))
        return image, (label if self.target_transform is None else self.target_transform(label))


def default_loader(path: str) -> Any:
    """Return the picture in a file as a PIL image in RGB. Raises MissingDependencyError without Pillow."""
    with pil().open(path) as image:
        return image.convert("RGB")


class ImageFolder(Dataset[tuple[Any, Any]]):
    """Pictures in folders, one folder for each class: `root/dog/xxx.png`, `root/cat/123.jpg`, at any depth below.

    Sample i is (PIL image, number of its class), after the transforms. `classes` are the folders' names in order,
    `samples` the pairs of path and class number. Raises DataError if there is no folder, or one without a picture.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        transform: Transform | None = None,
        target_transform: Transform | None = None,
        loader: Callable[[str], Any] = default_loader,
        is_valid_file: Callable[[str], bool] | None = None,
        allow_empty: bool = False,
    ) -> None:
        self.root, self.loader, self.transform, self.target_transform = root, loader, transform, target_transform
        self.classes = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
        if not self.classes:
            raise DataError(f"Couldn't find any class folder in {root}.")
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}
        accepted = is_valid_file or (lambda path: path.lower().endswith(IMG_EXTENSIONS))
        self.samples = [
            (str(path), number)
            for name, number in self.class_to_idx.items()
            for path in _files(Path(root) / name)
            if accepted(str(path))
        ]
        self.imgs, self.targets = self.samples, [number for _, number in self.samples]
        empty = [name for name, number in self.class_to_idx.items() if number not in self.targets]
        if empty and not allow_empty:
            raise DataError(f"Found no valid file for the classes {', '.join(empty)} in {root}.")

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, label = self.samples[index]
        image = self.loader(path)
        image = image if self.transform is None else self.transform(image)
        return image, (label if self.target_transform is None else self.target_transform(label))


def _files(folder: Path) -> list[Path]:
    """Return the files below `folder`, folder by folder in order, each folder's own first."""
    return [
        Path(place) / name for place, _, names in sorted(os.walk(folder, followlinks=True)) for name in sorted(names)
    ]

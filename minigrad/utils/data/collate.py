"""Making one batch of many samples: numbers and arrays become tensors with one more dim, containers keep their form."""

from __future__ import annotations

import copy
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import numpy as np

from minigrad.creation import as_tensor, tensor
from minigrad.dtypes import float64
from minigrad.errors import DTypeError, ShapeError
from minigrad.ops.shape import stack
from minigrad.tensor import Tensor


def default_collate(batch: Sequence[Any]) -> Any:
    """Return a batch of samples that are tensors, arrays, numbers, strings, or tuples, lists and mappings of them.

    Tensors and arrays are stacked along a new first dim; Python floats become float64, as in PyTorch. Raises
    DTypeError for a sample of another type, ShapeError for samples of different lengths.

    >>> default_collate([(1, "a"), (2, "b")])
    [tensor([1, 2]), ('a', 'b')]
    """
    first = batch[0]
    if isinstance(first, Tensor | np.ndarray):
        return stack([as_tensor(x) for x in batch], dim=0)
    if isinstance(first, np.bool_ | np.number):  # asked before float, which np.float64 is too
        return tensor(np.array(batch))
    if isinstance(first, float | int):
        return tensor(list(batch), dtype=float64 if isinstance(first, float) else None)
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, Mapping):
        return _like(first, {key: default_collate([sample[key] for sample in batch]) for key in first})
    if isinstance(first, Sequence):
        return _collate_sequences(first, batch)
    raise DTypeError(
        "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found "
        f"{type(first)}: return one of these from the dataset, or pass a collate_fn"
    )


def _collate_sequences(first: Sequence[Any], batch: Sequence[Sequence[Any]]) -> Any:
    lengths = {len(sample) for sample in batch}
    if len(lengths) > 1:
        raise ShapeError(f"each element in list of batch should be of equal size, but there are {sorted(lengths)}")
    columns = [default_collate(column) for column in zip(*batch, strict=True)]
    if isinstance(first, tuple):
        return type(first)(*columns) if hasattr(first, "_fields") else columns
    return _like(first, columns)


def default_convert(data: Any) -> Any:
    """Return a single sample with its arrays turned into tensors, for a DataLoader that makes no batches."""
    if isinstance(data, np.ndarray | np.bool_ | np.number) and data.dtype.kind in "biuf":
        return as_tensor(data)
    if isinstance(data, Mapping):
        return _like(data, {key: default_convert(value) for key, value in data.items()})
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        parts = [default_convert(value) for value in data]
        if isinstance(data, tuple):
            return type(data)(*parts) if hasattr(data, "_fields") else parts
        return _like(data, parts)
    return data


def _like(container: Any, content: Any) -> Any:
    """Return `content` in a container of the same type, if its type can be made from it, else as it is."""
    try:
        if isinstance(container, MutableMapping):  # which may need more than its content, as a defaultdict does
            copied = copy.copy(container)
            copied.update(content)
            return copied
        return type(container)(content)
    except TypeError:
        return content

"""Sequences of several lengths in one batch: padded to one length, or packed step by step without padding."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from minigrad import creation
from minigrad.dtypes import Array
from minigrad.errors import ShapeError
from minigrad.ops.shape import cat
from minigrad.tensor import Tensor, wrap

_SORTED = (
    "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
    "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to have them sorted"
)


class _Packed(NamedTuple):
    data: Tensor
    batch_sizes: Tensor
    sorted_indices: Tensor | None
    unsorted_indices: Tensor | None


class PackedSequence(_Packed):
    """The elements of all sequences, ordered by step: first the first element of each, then the second, and so on.

    `data` (elements, ...); `batch_sizes` int64 on the CPU, how many sequences have each step; `sorted_indices`, the
    order from long to short in which the sequences lie (None: as they came), and `unsorted_indices`, what undoes it.
    """

    __slots__ = ()

    def __new__(
        cls,
        data: Tensor,
        batch_sizes: Tensor,
        sorted_indices: Tensor | None = None,
        unsorted_indices: Tensor | None = None,
    ) -> PackedSequence:
        """Make one; `unsorted_indices` follow from `sorted_indices` if they are not given."""
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """Return the same sequences with `data.to(...)`; this one if that changes nothing."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else PackedSequence(data, *self[1:])

    def double(self) -> PackedSequence:
        """Convert to float64."""
        return self.to(np.float64)

    def float(self) -> PackedSequence:
        """Convert to float32."""
        return self.to(np.float32)

    def half(self) -> PackedSequence:
        """Convert to float16."""
        return self.to(np.float16)

    def long(self) -> PackedSequence:
        """Convert to int64."""
        return self.to(np.int64)

    def int(self) -> PackedSequence:
        """Convert to int32."""
        return self.to(np.int32)

    def cpu(self) -> PackedSequence:
        """Return this: it is on the CPU."""
        return self

    @property
    def is_cuda(self) -> bool:
        """Whether the data is on a GPU: never."""
        return False


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """Return the permutation that undoes `permutation`; of None, None.

    >>> import minigrad as mg
    >>> invert_permutation(mg.tensor([2, 0, 1]))
    tensor([1, 2, 0])
    """
    return None if permutation is None else wrap(np.argsort(permutation.numpy()))


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Pack padded sequences (T, B, ...), or (B, T, ...) with `batch_first`, of the given `lengths` (B,).

    With `enforce_sorted` the lengths must not increase; otherwise the sequences are sorted here, and an RNN puts its
    results back in order. Raises ShapeError for lengths that are not sorted, are no int64, or do not fit the input.

    >>> import minigrad as mg
    >>> packed = pack_padded_sequence(mg.tensor([[1, 2], [3, 0]]), [2, 1], batch_first=True)
    >>> packed.data, packed.batch_sizes
    (tensor([1, 3, 2]), tensor([2, 1]))
    """
    counts = _lengths(lengths)
    if batch_first:
        input = input.transpose(0, 1)
    if not input.numel():
        raise ShapeError("Cannot pack empty tensors.")
    longest, batch = input.shape[:2]
    _check_lengths(counts, longest, batch)
    order = None
    if enforce_sorted:
        if np.any(np.diff(counts) > 0):
            raise ShapeError(_SORTED)
    else:
        order = np.argsort(-counts, kind="stable")
    step, place = _places(counts if order is None else counts[order])
    sizes = wrap(np.bincount(step))
    data = input[wrap(step), wrap(place if order is None else order[place])]
    return PackedSequence(data, sizes, None if order is None else wrap(order))


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """Return the sequences padded, (T, B, ...) or (B, T, ...) with `batch_first`, and their lengths (B,).

    T is the longest length, or `total_length`. Raises ShapeError if that is shorter.
    """
    data, batch_sizes, order, _ = sequence
    sizes = batch_sizes.numpy()
    longest, batch = len(sizes), int(sizes[0])
    if total_length is not None:
        if total_length < longest:
            raise ShapeError(
                "Expected total_length to be at least the length of the longest sequence in input, but got "
                f"total_length={total_length} and max sequence length being {longest}"
            )
        longest = total_length
    counts = (sizes[:, None] > np.arange(batch)).sum(0)
    step, place = _places(counts)
    if order is not None:
        place = order.numpy()[place]
        counts = counts[np.argsort(order.numpy())]
    padded = creation.full((longest, batch, *data.shape[1:]), padding_value, dtype=data.dtype)
    padded[wrap(step), wrap(place)] = data
    return padded.transpose(0, 1) if batch_first else padded, wrap(counts)


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Return sequences (length, ...) padded to the longest, (T, B, ...) or (B, T, ...) with `batch_first`.

    `padding_side` is "right" or "left". Raises ShapeError if the dims after the first differ.

    >>> import minigrad as mg
    >>> pad_sequence([mg.tensor([1, 2]), mg.tensor([3])], batch_first=True)
    tensor([[1, 2],
            [3, 0]])
    """
    if not isinstance(sequences, Iterable):
        raise ShapeError(f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}")
    if padding_side not in ("left", "right"):
        raise ShapeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    parts = list(sequences)
    if not parts:
        raise ShapeError("received an empty list of sequences")
    counts = np.array([len(part) for part in parts])
    longest = int(counts.max())
    step = np.concatenate([np.arange(n) + (longest - n if padding_side == "left" else 0) for n in counts])
    which = np.repeat(np.arange(len(parts)), counts)
    size, at = ((len(parts), longest), (which, step)) if batch_first else ((longest, len(parts)), (step, which))
    padded = creation.full((*size, *parts[0].shape[1:]), padding_value, dtype=parts[0].dtype)
    if len(step):
        padded[wrap(at[0]), wrap(at[1])] = cat(parts)
    return padded


def unpad_sequence(padded_sequences: Tensor, lengths: Tensor, batch_first: bool = False) -> list[Tensor]:
    """Return the sequences (length, ...) of a padded batch, each cut to its length."""
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [row[: int(n)].clone() for row, n in zip(rows, lengths, strict=True)]


def pack_sequence(sequences: Any, enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences (length, ...); with `enforce_sorted` they must come from long to short.

    >>> import minigrad as mg
    >>> pack_sequence([mg.tensor([1, 2, 3]), mg.tensor([4, 5])]).data
    tensor([1, 4, 2, 5, 3])
    """
    sequences = list(sequences)
    return pack_padded_sequence(pad_sequence(sequences), [len(s) for s in sequences], enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """Return the sequences that were packed."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)


def _lengths(lengths: Any) -> Array:
    array = lengths.numpy() if isinstance(lengths, Tensor) else np.array([int(n) for n in lengths])
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ShapeError(
            f"'lengths' argument should be a 1D CPU int64 tensor, but got {array.ndim}D cpu {array.dtype} tensor"
        )
    return array.astype(np.int64)


def _check_lengths(counts: Array, longest: int, batch: int) -> None:
    if len(counts) != batch:
        raise ShapeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(counts)} (batch_size={batch})"
        )
    if counts.min() < 1:
        raise ShapeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if counts.max() > longest:
        raise ShapeError(f"'lengths' has {counts.max()}, but the padded sequences are only {longest} long")


def _places(counts: Array) -> tuple[Array, Array]:
    """Return step and sequence of every element, ordered by step, of sequences of these lengths from long to short."""
    step, place = np.nonzero(np.arange(counts[0])[:, None] < counts)
    return step, place

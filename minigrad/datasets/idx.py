"""Reading IDX files, the format of MNIST: a few numbers that say the type and the shape, then the values."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import DataError

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP = b"\x1f\x8b"
_MOST_COMPRESSED = 1032  # deflate makes no more than so many bytes of one


def read_idx(path: str | os.PathLike[str]) -> Array:
    """Return the array in the IDX file at `path`, gzipped or not, in the machine's byte order.

    The header is checked against the size of the file before anything is allocated. Raises DataError, which names the
    file, what was expected and what is there, if the file is missing, truncated, too long, or not an IDX file.
    """
    path = Path(path)
    try:
        packed = path.stat().st_size
        with path.open("rb") as raw:
            is_gzip = raw.read(2) == _GZIP
            raw.seek(0)
            if path.suffix == ".gz" and not is_gzip:
                raise DataError(f"{path}: expected a gzip file, its first bytes are {raw.read(2).hex() or 'missing'}")
            if is_gzip:
                return _read(gzip.GzipFile(fileobj=raw), path, packed * _MOST_COMPRESSED)
            return _read(raw, path, packed)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: the gzip data is damaged or truncated ({error}); get the file again") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None


def _read(file: BinaryIO | gzip.GzipFile, path: Path, most: int) -> Array:
    """Read header and values of an opened file, which can hold at most `most` bytes."""
    kind, shape = _header(file, path)
    size = math.prod(shape) * kind.itemsize
    described = f"{path}: its header says shape {shape} of {kind.name}, which is {size:,} bytes of values"
    if size > most:
        raise DataError(f"{described}, but the file has {os.stat(path).st_size:,} bytes: it is truncated or damaged")
    values = file.read(size + 1)  # one more, which must not be there, so that a gzip file's checksum is read too
    if len(values) != size:
        found = f"{len(values):,} follow: it is truncated" if len(values) < size else "more follow"
        raise DataError(f"{described}, but {found}")
    return np.frombuffer(values, kind).reshape(shape).astype(kind.newbyteorder("="))


def _header(file: BinaryIO | gzip.GzipFile, path: Path) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Return dtype and shape: two zero bytes, the type, the number of dims, and each dim as a big-endian int32."""
    magic = file.read(4)
    if len(magic) < 4:
        raise DataError(f"{path}: expected an IDX file, which begins with 4 bytes of magic number; it has {len(magic)}")
    if magic[:2] != b"\0\0" or magic[2] not in _TYPES or magic[3] == 0:
        codes = ", ".join(f"{code:02x}" for code in _TYPES)
        raise DataError(
            f"{path}: not an IDX file: expected the magic number 0000TTDD, TT one of {codes} and DD the number of "
            f"dims, but it is {magic.hex()}"
        )
    sizes = file.read(4 * magic[3])
    if len(sizes) < 4 * magic[3]:
        raise DataError(
            f"{path}: truncated: expected {magic[3]} sizes of 4 bytes after the magic number, not {sizes!r}"
        )
    return np.dtype(_TYPES[magic[2]]), tuple(np.frombuffer(sizes, ">u4").tolist())

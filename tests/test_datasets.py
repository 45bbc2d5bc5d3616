"""The sets of real images, and damaged IDX files, each of which has its message."""

import gzip
import os
import struct
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.datasets import MNIST, Digits, FashionMNIST, read_idx
from minigrad.errors import ArgumentError, DataError
from minigrad.utils import data

SHARED = Path(os.environ.get("MINIGRAD_DATA", Path(__file__).parents[2] / "shared" / "data"))


# --- real images ---


@pytest.mark.parametrize(("train", "count"), [(True, 1437), (False, 360)])
def test_digits_are_those_of_scikit_learn_split_by_class(train, count):
    load_digits = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed").load_digits
    digits = Digits(train)
    image, label = digits[5]
    assert (len(digits), digits.data.shape, image.shape, type(label)) == (count, (count, 8, 8), (1, 8, 8), int)
    images, labels = digits.tensors()
    assert (images.dtype, images.shape, labels.dtype) == (mg.float32, (count, 1, 8, 8), mg.int64)
    assert (images[5].tolist(), labels[5].item()) == (image.tolist(), label)
    whole = load_digits()
    shares = np.bincount(labels.numpy()) / np.bincount(whole.target)
    np.testing.assert_allclose(shares, count / 1797, atol=0.01)
    known = {(*(row / 16).astype(np.float32), target) for row, target in zip(whole.data, whole.target, strict=True)}
    rows = [(*x, y) for x, y in zip(images.numpy().reshape(count, 64), labels.numpy(), strict=True)]
    assert known.issuperset(rows)
    assert repr(digits) == f"Digits({count} images of 8x8, 10 classes)"


def test_the_two_parts_of_digits_have_every_image_once():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    sums = np.concatenate([Digits(part).data.numpy().reshape(-1, 64).sum(1, dtype=np.int64) for part in (True, False)])
    from sklearn.datasets import load_digits

    np.testing.assert_array_equal(np.sort(sums), np.sort(load_digits().data.sum(1).astype(np.int64)))


@pytest.mark.parametrize(("kind", "folder"), [(MNIST, "mnist"), (FashionMNIST, "fashion")])
def test_the_real_files_are_read(kind, folder):
    if not (SHARED / folder).is_dir():
        pytest.skip(f"no {folder} in {SHARED}: set MINIGRAD_DATA to a folder that has mnist/ and fashion/")
    test = kind(SHARED / folder, train=False)
    image, label = test[0]
    assert (test.data.shape, test.data.dtype, test.targets.dtype) == ((10000, 28, 28), mg.uint8, mg.int64)
    assert (image.shape, image.dtype, type(label)) == ((1, 28, 28), mg.float32, int)
    assert (float(image.min()), float(image.max())) == (0.0, 1.0)
    raw = gzip.decompress((SHARED / folder / "t10k-images-idx3-ubyte.gz").read_bytes())
    np.testing.assert_array_equal(np.frombuffer(raw[16:], np.uint8), test.data.numpy().reshape(-1))
    np.testing.assert_array_equal(
        image.numpy().reshape(-1), np.frombuffer(raw[16 : 16 + 784], np.uint8) / np.float32(255)
    )
    if kind is FashionMNIST:
        np.testing.assert_array_equal(np.bincount(test.targets.numpy()), [1000] * 10)
        assert kind.classes[label] == "Ankle boot"


# --- IDX files ---


def idx(array, code=0x08):
    """Return the bytes of an IDX file with the values of `array`."""
    array = np.asarray(array)
    return struct.pack(">HBB", 0, code, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


IMAGES = np.arange(5 * 28 * 28, dtype=np.uint32).reshape(5, 28, 28).astype(np.uint8)
LABELS = np.array([3, 1, 4, 1, 5], np.uint8)
GOOD_IMAGES, GOOD_LABELS = idx(IMAGES), idx(LABELS)


def write_set(folder, images=GOOD_IMAGES, labels=GOOD_LABELS, suffix="", part="train"):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("images-idx3-ubyte", images), ("labels-idx1-ubyte", labels)):
        if content is not None:
            (folder / f"{part}-{name}{suffix}").write_bytes(content)


@pytest.mark.parametrize(
    ("code", "kind"), [(0x08, ">u1"), (0x09, ">i1"), (0x0B, ">i2"), (0x0C, ">i4"), (0x0D, ">f4"), (0x0E, ">f8")]
)
def test_every_type_of_idx_is_read_plain_and_gzipped(tmp_path, code, kind):
    array = np.arange(24).reshape(2, 3, 4).astype(kind)
    for name, content in (("a", idx(array, code)), ("a.gz", gzip.compress(idx(array, code)))):
        (tmp_path / name).write_bytes(content)
        read = read_idx(tmp_path / name)
        assert read.dtype == np.dtype(kind).newbyteorder("=")
        assert read.dtype.isnative
        np.testing.assert_array_equal(read, array)


@pytest.mark.parametrize("where", [".", "MNIST/raw"])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_mnist_is_found_where_it_usually_lies(tmp_path, where, suffix):
    pack = gzip.compress if suffix else bytes
    write_set(tmp_path / where, pack(GOOD_IMAGES), pack(GOOD_LABELS), suffix)
    mnist = MNIST(str(tmp_path), transform=lambda image: image * 2 - 1, target_transform=lambda label: -label)
    image, label = mnist[2]
    assert (len(mnist), label) == (5, -4)
    np.testing.assert_array_equal(image.numpy()[0], IMAGES[2] / np.float32(255) * 2 - 1)
    batch = next(iter(data.DataLoader(mnist, batch_size=5)))
    assert batch[1].tolist() == [-3, -1, -4, -1, -5]
    np.testing.assert_array_equal(batch[0][2].numpy(), image.numpy())


def flipped(content, place):
    return content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :]


packed = gzip.compress(GOOD_IMAGES, mtime=0)
DAMAGED = {
    "empty": ("", b"", "begins with 4 bytes of magic number; it has 0"),
    "magic cut": ("", GOOD_IMAGES[:3], "it has 3"),
    "sizes cut": ("", GOOD_IMAGES[:10], "truncated: expected 3 sizes of 4 bytes"),
    "no values": ("", GOOD_IMAGES[:16], r"shape \(5, 28, 28\) of uint8, which is 3,920 bytes.* the file has 16 bytes"),
    "a byte short": ("", GOOD_IMAGES[:-1], "3,920 bytes of values, but 3,919 follow: it is truncated"),
    "a byte long": ("", GOOD_IMAGES + b"\0", "3,920 bytes of values, but more follow"),
    "wrong magic": ("", b"\x89PNG" + GOOD_IMAGES[4:], "not an IDX file: expected the magic number.*it is 89504e47"),
    "wrong type": ("", b"\0\0\x07\x03" + GOOD_IMAGES[4:], "TT one of 08, 09.* it is 00000703"),
    "no dims": ("", b"\0\0\x08\0" + GOOD_IMAGES[4:], "it is 00000800"),
    "a web page": ("", b"<html><body>403 Forbidden</body></html>", "it is 3c68746d"),
    "labels instead": ("", GOOD_LABELS, r"expected images, 3 dims of uint8 .*holds uint8 of shape \(5,\)"),
    "floats": ("", idx(IMAGES.astype(">f4"), 0x0D), "expected images, 3 dims of uint8.*holds float32"),
    "huge sizes": ("", struct.pack(">HBB3I", 0, 8, 3, *[2**32 - 1] * 3), r"the file has 16 bytes: it is truncated"),
    "huge sizes packed": (".gz", gzip.compress(struct.pack(">HBB3I", 0, 8, 3, *[2**31] * 3)), "truncated or damaged"),
    "garbage gzip": (".gz", packed[:10] + b"\xff" * 400, "gzip data is damaged or truncated"),
    "not gzip": (".gz", GOOD_IMAGES, "expected a gzip file, its first bytes are 0000"),
    "empty gzip": (".gz", b"", "expected a gzip file, its first bytes are missing"),
    "truncated gzip": (".gz", packed[: len(packed) // 2], "gzip data is damaged or truncated"),
    "gzip without its end": (".gz", packed[:-4], "gzip data is damaged or truncated"),
    "wrong checksum": (".gz", flipped(packed, len(packed) - 6), "gzip data is damaged.*CRC"),
    "packed too long": (".gz", gzip.compress(GOOD_IMAGES + b"\0" * 99), "but more follow"),
    "packed too short": (".gz", gzip.compress(GOOD_IMAGES[:-9]), "3,911 follow: it is truncated"),
}
DAMAGED_LABELS = {
    "too few": (idx(LABELS[:4]), "expected 5 labels, as .*train-images-idx3-ubyte has images, but it has 4"),
    "too many": (idx(np.append(LABELS, LABELS)), "expected 5 labels.* it has 10"),
    "images instead": (GOOD_IMAGES, r"expected labels, 1 dims of uint8 .*shape \(5, 28, 28\)"),
    "no such class": (idx(LABELS * 3), "expected labels from 0 to 9, but label 2 is 12"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_images_are_refused_with_file_expected_and_actual(tmp_path, name):
    suffix, content, message = DAMAGED[name]
    write_set(tmp_path, content, GOOD_LABELS, suffix)
    write_set(tmp_path, None, GOOD_LABELS)
    start = time.perf_counter()
    with pytest.raises(DataError, match=f"(?s){message}") as caught:
        MNIST(tmp_path)
    assert str(tmp_path / f"train-images-idx3-ubyte{suffix}") in str(caught.value)
    assert time.perf_counter() - start < 0.1


@pytest.mark.parametrize("name", DAMAGED_LABELS)
def test_labels_that_do_not_belong_are_refused(tmp_path, name):
    content, message = DAMAGED_LABELS[name]
    write_set(tmp_path, GOOD_IMAGES, content)
    with pytest.raises(DataError, match=rf"train-labels-idx1-ubyte: {message}"):
        MNIST(tmp_path)


def test_no_flipped_bit_of_a_gzip_file_gives_other_values(tmp_path):
    path = tmp_path / "a.gz"
    small = gzip.compress(GOOD_LABELS, mtime=0)
    found = 0
    for place in range(len(small)):
        path.write_bytes(flipped(small, place))
        try:
            np.testing.assert_array_equal(read_idx(path), LABELS)
        except DataError:
            found += 1
    assert found >= len(small) - 10  # what says when and where the file was packed, and filling bits, mean nothing


def test_missing_files_are_named_with_where_to_put_them(tmp_path):
    with pytest.raises(DataError, match=r"(?s)FashionMNIST: Dataset not found.*t10k-images-idx3-ubyte.*\.gz.*put the"):
        FashionMNIST(tmp_path, train=False)
    with pytest.raises(ArgumentError, match="minigrad downloads nothing yet"):
        MNIST(tmp_path, download=True)
    with pytest.raises(DataError, match="nowhere: cannot be read: No such file"):
        read_idx(tmp_path / "nowhere")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read_idx(tmp_path)


def test_digits_without_scikit_learn_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        Digits()

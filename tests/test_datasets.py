"""The sets of real images, and damaged IDX files, each of which has its message."""

import gzip
import os
import pickle
import struct
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import transforms
from minigrad.datasets import (
    CIFAR10,
    CIFAR100,
    KMNIST,
    MNIST,
    Digits,
    FakeData,
    FashionMNIST,
    ImageFolder,
    images,
    read_idx,
)
from minigrad.errors import DataError
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
    change = lambda image: transforms.functional.to_tensor(image) * 2 - 1
    mnist = MNIST(str(tmp_path), transform=change, target_transform=lambda label: -label, download=True)
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
    with pytest.raises(DataError, match="minigrad downloads nothing"):
        MNIST(tmp_path, download=True)
    with pytest.raises(DataError, match="nowhere: cannot be read: No such file"):
        read_idx(tmp_path / "nowhere")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read_idx(tmp_path)


def test_digits_without_scikit_learn_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match="pip install scikit-learn"):
        Digits()


# --- what a transform is given ---


def test_a_transform_is_given_what_torchvision_gives(tmp_path, monkeypatch):
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    write_set(tmp_path)
    given = MNIST(tmp_path, transform=lambda x: x)[2][0]
    assert isinstance(given, image.Image)
    assert (given.mode, given.size) == ("L", (28, 28))
    np.testing.assert_array_equal(np.asarray(given), IMAGES[2])
    monkeypatch.setattr(images, "_has_pil", lambda: False)
    tensor = MNIST(tmp_path, transform=lambda x: x)[2][0]
    assert tensor.tolist() == MNIST(tmp_path)[2][0].tolist()


def test_the_usual_pipeline(tmp_path):
    write_set(tmp_path)
    change = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    batch, labels = next(iter(data.DataLoader(MNIST(tmp_path, transform=change), batch_size=5)))
    expected = (IMAGES[:, None].astype(np.float32) / np.float32(255) - np.float32(0.1307)) / np.float32(0.3081)
    np.testing.assert_array_equal(batch.numpy(), expected)
    assert labels.tolist() == LABELS.tolist()


def test_kmnist_has_its_own_folder(tmp_path):
    write_set(tmp_path / "KMNIST" / "raw")
    assert len(KMNIST(tmp_path)) == 5
    assert KMNIST(tmp_path).class_to_idx["na"] == 4


# --- CIFAR ---

PHOTOS = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), np.uint8)
NAMES = ["plane", "car", "bird"]


def write_cifar(root, kind, protocol=2):
    """Write a small set in the form of the real one: a photograph for each file to train on, one to test."""
    folder, ten = root / kind.base_folder, kind is CIFAR10
    folder.mkdir(exist_ok=True)
    parts = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"] if ten else ["train", "test"]
    for i, part in enumerate(parts):
        rows = PHOTOS[i : i + 1].transpose(0, 3, 1, 2).reshape(1, 3072).copy()
        content = {
            "batch_label": "x",
            "labels" if ten else "fine_labels": [i % 3],
            "data": rows,
            "filenames": ["a.png"],
        }
        (folder / part).write_bytes(pickle.dumps(content, protocol))
    names = ("batches.meta", "label_names") if ten else ("meta", "fine_label_names")
    (folder / names[0]).write_bytes(pickle.dumps({names[1]: NAMES}, protocol))
    return folder


@pytest.mark.parametrize("protocol", [2, 4])
@pytest.mark.parametrize("kind", [CIFAR10, CIFAR100])
def test_cifar_is_read_from_its_python_files(tmp_path, kind, protocol):
    write_cifar(tmp_path, kind, protocol)
    train, test = kind(tmp_path, download=True), kind(str(tmp_path), train=False)
    count = 5 if kind is CIFAR10 else 1
    np.testing.assert_array_equal(train.data, PHOTOS[:count])
    np.testing.assert_array_equal(test.data, PHOTOS[count : count + 1])
    assert train.targets == [0, 1, 2, 0, 1][:count]
    assert (train.classes, train.class_to_idx["bird"]) == (NAMES, 2)
    image, label = train[0]
    assert (label, image.shape, image.dtype) == (0, (3, 32, 32), mg.float32)
    np.testing.assert_array_equal(image.numpy(), PHOTOS[0].transpose(2, 0, 1) / np.float32(255))
    through = kind(tmp_path, transform=transforms.ToTensor())
    np.testing.assert_array_equal(through[0][0].numpy(), image.numpy())
    batch, labels = next(iter(data.DataLoader(train, batch_size=count)))
    np.testing.assert_array_equal(batch.numpy(), PHOTOS[:count].transpose(0, 3, 1, 2) / np.float32(255))
    assert labels.tolist() == train.targets


class Bad:
    def __reduce__(self):
        return os.system, ("false",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps({"data": Bad()}), r"it asks for \w+.system, which such a file has no use for"),
        (pickle.dumps({"data": eval}), "it asks for builtins.eval"),
        (pickle.dumps([1]), "expected a dict, .* got list"),
        (
            pickle.dumps({"data": PHOTOS, "labels": [1]}),
            r"uint8 data of shape \(N, 3072\), got \(6, 32, 32, 3\)",
        ),
        (pickle.dumps({"data": np.zeros((2, 3072), np.uint8), "labels": [1]}), "expected a list of 2 labels"),
        (pickle.dumps({"data": PHOTOS})[:-20], "or damaged"),
        (b"", "or damaged"),
    ],
)
def test_a_cifar_file_that_is_none(tmp_path, content, message):
    (write_cifar(tmp_path, CIFAR10) / "test_batch").write_bytes(content)
    with pytest.raises(DataError, match=message):
        CIFAR10(tmp_path, train=False)


def test_cifar_files_that_are_missing(tmp_path):
    with pytest.raises(DataError, match=r"data_batch_1 is not there; put .*\(the folder cifar-10-batches-py"):
        CIFAR10(tmp_path, download=True)


# --- sets without files, and one's own ---


def test_fake_data_is_torchs_noise_and_leaves_the_seed_alone():
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    fake = FakeData(4, (3, 8, 8), 7, random_offset=2)
    mg.manual_seed(0)
    before = mg.get_rng_state().tolist()
    for i in range(len(fake)):
        torch.manual_seed(i + 2)
        image, label = fake[i]
        np.testing.assert_allclose(image.numpy(), torch.randn(3, 8, 8).numpy(), atol=1e-6)
        assert label == torch.randint(0, 7, (1,)).item()
    assert mg.get_rng_state().tolist() == before
    assert len(list(fake)) == 4
    pytest.importorskip("PIL", reason="Pillow is not installed")
    assert FakeData(1, (3, 8, 6), transform=lambda x: x.size)[0][0] == (6, 8)


def test_pictures_in_folders(tmp_path):
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    for i, name in enumerate(["dog/b.png", "dog/a/c.PNG", "cat/x.bmp", "cat/notes.txt"]):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("txt"):
            path.write_text("no picture")
        else:
            image.fromarray(np.full((2, 3), i, np.uint8)).save(path)
    folder = ImageFolder(tmp_path, transform=lambda x: np.asarray(x)[0, 0].tolist(), target_transform=str)
    assert (folder.classes, folder.targets) == (["cat", "dog"], [0, 1, 1])
    assert list(map(folder.__getitem__, range(3))) == [([2] * 3, "0"), ([0] * 3, "1"), ([1] * 3, "1")]
    (tmp_path / "bird").mkdir()
    with pytest.raises(DataError, match="no valid file for the classes bird"):
        ImageFolder(tmp_path)
    assert len(ImageFolder(tmp_path, allow_empty=True)) == 3
    with pytest.raises(DataError, match="any class folder"):
        ImageFolder(tmp_path / "bird")

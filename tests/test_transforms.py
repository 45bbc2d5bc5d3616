"""Transforms and pictures: by closed forms, by Pillow where both kinds of image must agree, and by torch's stream."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import transforms as T
from minigrad.errors import ArgumentError, ShapeError
from minigrad.images import make_grid, save_image
from minigrad.transforms import functional as F
from minigrad.transforms.resampling import weights

Image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
COLOR = np.random.default_rng(1).integers(0, 256, (7, 9, 3), np.uint8)
GREY = COLOR[..., 0]


def both(array):
    """Return the image as a PIL image and as a uint8 tensor."""
    picture = Image.fromarray(array)
    return picture, F.pil_to_tensor(picture)


def values(img):
    """Return the array (C, H, W) of either kind of image."""
    return (img if isinstance(img, mg.Tensor) else F.pil_to_tensor(img)).numpy()


# --- from one kind to another ---


@pytest.mark.parametrize("array", [GREY, COLOR], ids=["grey", "colour"])
def test_to_tensor_and_back(array):
    first = array[None] if array.ndim == 2 else array.transpose(2, 0, 1)
    for pic in (array, Image.fromarray(array)):
        tensor = T.ToTensor()(pic)
        assert tensor.dtype is mg.float32
        np.testing.assert_array_equal(tensor.numpy(), first.astype(np.float32) / np.float32(255))
    np.testing.assert_array_equal(T.PILToTensor()(Image.fromarray(array)).numpy(), first)
    for pic in (array, tensor, mg.from_numpy(first)):
        np.testing.assert_array_equal(np.asarray(T.ToPILImage()(pic)), array)
    assert T.ToTensor()(tensor) is tensor


def test_modes_other_than_bytes():
    for mode, kind in (("I", np.int32), ("F", np.float32)):
        tensor = F.to_tensor(Image.fromarray(np.array([[1, 300]], kind)))
        assert (tensor.numpy().dtype, tensor.tolist()) == (np.dtype(kind), [[[1, 300]]]), mode
    assert F.to_tensor(Image.fromarray(np.array([[True, False]]))).tolist() == [[[1.0, 0.0]]]
    assert F.to_tensor(np.array([[1.5]])).dtype is mg.float64
    assert F.to_pil_image(mg.zeros(3, 2, 2), "L").mode == "L"
    with pytest.raises(ArgumentError, match=r"should be PIL Image or ndarray\. Got <class 'list'>"):
        F.to_tensor([1])
    with pytest.raises(ShapeError, match=r"2/3 dimensional\. Got 1"):
        F.to_tensor(np.zeros(3))
    with pytest.raises(ShapeError, match=r"2/3 dimensional\. Got 4"):
        F.to_pil_image(mg.zeros(1, 1, 2, 2))


@pytest.mark.parametrize(
    ("value", "before", "after", "expected"),
    [
        (255, "uint8", "float32", 1.0),
        (51, "uint8", "float64", 0.2),
        (0.2, "float32", "uint8", 51),
        (1.0, "float32", "uint8", 255),
        (1.0, "float64", "float32", 1.0),
        (3, "uint8", "int16", 3 * 128),
        (384, "int16", "uint8", 3),
        (7, "uint8", "uint8", 7),
    ],
)
def test_the_dtype_of_an_image(value, before, after, expected):
    result = T.ConvertImageDtype(getattr(mg, after))(mg.full((1, 1, 1), value, dtype=getattr(mg, before)))
    assert result.dtype is getattr(mg, after)
    assert result.item() == pytest.approx(expected)


def test_normalize():
    x = mg.rand(2, 3, 4, 5)
    mean, std = (0.1, 0.2, 0.3), (0.5, 2.0, 4.0)
    expected = np.stack([(x.numpy()[:, c] - np.float32(mean[c])) / np.float32(std[c]) for c in range(3)], 1)
    np.testing.assert_array_equal(T.Normalize(mean, std)(x).numpy(), expected)
    assert F.normalize(x, mean, std, inplace=True) is x
    np.testing.assert_array_equal(x.numpy(), expected)
    with pytest.raises(ArgumentError, match=r"should be a float tensor\. Got"):
        T.Normalize((0.5,), (0.5,))(mg.zeros(1, 2, 2, dtype=mg.uint8))
    with pytest.raises(ArgumentError, match="division by zero"):
        T.Normalize((0.5,), (0.0,))(mg.zeros(1, 2, 2))


# --- geometry: PIL images and tensors alike ---

MOVES = {
    "hflip": (F.hflip, lambda a: a[:, :, ::-1]),
    "vflip": (F.vflip, lambda a: a[:, ::-1]),
    "crop": (lambda i: F.crop(i, 1, 2, 3, 4), lambda a: a[:, 1:4, 2:6]),
    "crop beyond": (
        lambda i: F.crop(i, -1, 6, 4, 5),
        lambda a: np.pad(a[:, :3, 6:], ((0, 0), (1, 0), (0, 2))),
    ),
    "center": (T.CenterCrop(4), lambda a: a[:, 2:6, 2:6]),
    "center of more": (T.CenterCrop((10, 2)), lambda a: np.pad(a, ((0, 0), (1, 2), (0, 0)))[:, :, 4:6]),
    "pad": (T.Pad(2, fill=7), lambda a: np.pad(a, ((0, 0), (2, 2), (2, 2)), constant_values=7)),
    "pad two": (T.Pad((1, 2)), lambda a: np.pad(a, ((0, 0), (2, 2), (1, 1)))),
    "pad four": (T.Pad((1, 2, 3, 4)), lambda a: np.pad(a, ((0, 0), (2, 4), (1, 3)))),
    "pad reflect": (T.Pad(2, padding_mode="reflect"), lambda a: np.pad(a, ((0, 0), (2, 2), (2, 2)), "reflect")),
    "pad edge": (T.Pad(3, padding_mode="edge"), lambda a: np.pad(a, ((0, 0), (3, 3), (3, 3)), "edge")),
    "pad symmetric": (T.Pad(1, padding_mode="symmetric"), lambda a: np.pad(a, ((0, 0), (1, 1), (1, 1)), "symmetric")),
    "half turn": (lambda i: F.rotate(i, 180), lambda a: a[:, ::-1, ::-1]),
    "same size": (T.Resize((7, 9)), lambda a: a),
    "no turn": (lambda i: F.rotate(i, 0), lambda a: a),
    "grey": (T.Grayscale(), lambda a: a if len(a) == 1 else None),
    "grey of three": (T.Grayscale(3), lambda a: np.repeat(a, 3, 0) if len(a) == 1 else None),
}


@pytest.mark.parametrize("array", [GREY, COLOR], ids=["grey", "colour"])
@pytest.mark.parametrize("name", MOVES)
def test_pixels_go_where_they_should(name, array):
    move, expected = MOVES[name]
    if name == "pad" and array.ndim == 3:
        move = T.Pad(2, fill=0)
        expected = lambda a: np.pad(a, ((0, 0), (2, 2), (2, 2)))
    picture, tensor = both(array)
    wanted = expected(tensor.numpy())
    if wanted is None:  # PIL weighs the colours in integers
        wanted = values(move(picture))
        assert np.abs(values(move(tensor)).astype(int) - wanted).max() <= 1
    else:
        np.testing.assert_array_equal(values(move(picture)), wanted)
        np.testing.assert_array_equal(values(move(tensor)), wanted)
        np.testing.assert_array_equal(move(mg.stack([tensor, tensor])).numpy()[1], wanted)


def test_a_quarter_turn_goes_against_the_clock():
    square = COLOR[:7, :7]
    for img in both(square):
        np.testing.assert_array_equal(values(F.rotate(img, 90)), np.rot90(square.transpose(2, 0, 1), axes=(1, 2)))
    picture, tensor = both(np.full((9, 9), 200, np.uint8))
    for img in (picture, tensor):
        turned = values(F.rotate(img, 45, fill=3))[0]
        assert (turned[0, 0], turned[4, 4], turned[0, 4]) == (3, 200, 200)
    with pytest.raises(ArgumentError, match="turned about their centre"):
        F.rotate(tensor, 10, expand=True)


@pytest.mark.parametrize("size", [(4, 5), (14, 18), (3, 20), (7, 4)])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_resized_tensors_are_those_of_pillow_and_torch(size, mode):
    how = T.InterpolationMode(mode)
    picture, tensor = both(COLOR)
    difference = values(F.resize(picture, size, how)).astype(int) - values(F.resize(tensor, size, how))
    assert np.abs(difference).max() <= 1  # Pillow computes in integers
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    x = tensor.float() / 255
    for antialias in (True, False) if mode == "bilinear" else (True,):
        expected = torch.nn.functional.interpolate(
            torch.from_numpy(x.numpy())[None], size, mode=mode, align_corners=False, antialias=antialias
        )
        ours = F.resize(x, size, how, antialias=antialias)
        np.testing.assert_allclose(ours.numpy(), expected[0].numpy(), atol=2e-6)


def test_resizing_by_the_nearest_pixel():
    _, tensor = both(GREY)
    near = F.resize(tensor, (14, 3), T.InterpolationMode.NEAREST)
    np.testing.assert_array_equal(near.numpy()[0], GREY[np.arange(14) // 2][:, [0, 3, 6]])
    with pytest.raises(ArgumentError, match="not lanczos; PIL images by all"):
        F.resize(tensor, (3, 3), T.InterpolationMode.LANCZOS)
    assert F.resize(Image.fromarray(GREY), (3, 3), T.InterpolationMode.LANCZOS).size == (3, 3)


def test_rows_of_weights_sum_to_one_and_keep_a_straight_line():
    for old, new in ((10, 4), (4, 10), (7, 7), (9, 1)):
        for antialias in (True, False):
            table = weights(old, new, "bilinear", antialias)
            np.testing.assert_allclose(table.sum(1), 1)
    inner = weights(40, 10, "bilinear", True) @ np.arange(40)
    np.testing.assert_allclose(inner[1:-1], (np.arange(10) * 4 + 1.5)[1:-1])


@pytest.mark.parametrize(
    ("size", "max_size", "expected"),
    [(14, None, (14, 18)), ([14], None, (14, 18)), (3, None, (3, 3)), (14, 15, (11, 15)), ((2, 5), None, (2, 5))],
)
def test_the_shorter_side_sets_the_size(size, max_size, expected):
    for array, wanted in ((GREY, expected), (GREY.T.copy(), expected if isinstance(size, tuple) else expected[::-1])):
        for img in both(array):
            assert F.get_dimensions(T.Resize(size, max_size=max_size)(img)) == [1, *wanted]


def test_what_is_no_image():
    for call in (F.hflip, lambda x: F.resize(x, 3), lambda x: F.pad(x, 1)):
        with pytest.raises(ArgumentError, match=r"a Tensor image \(\.\.\., C, H, W\), got list"):
            call([1])
    with pytest.raises(ShapeError, match=r"got shape \(3,\)"):
        F.hflip(mg.zeros(3))
    with pytest.raises(ArgumentError, match="1, 2, or 4 element tuple, not 3"):
        F.pad(mg.zeros(1, 2, 2), (1, 2, 3))
    with pytest.raises(ArgumentError, match="two dimensions"):
        T.CenterCrop((1, 2, 3))


# --- colour ---


@pytest.mark.parametrize("factor", [0.0, 0.4, 1.0, 1.7])
@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
def test_colours_of_tensors_are_those_of_pillow(name, factor):
    change = getattr(F, f"adjust_{name}")
    picture, tensor = both(COLOR)
    difference = values(change(picture, factor)).astype(int) - values(change(tensor, factor))
    assert np.abs(difference).max() <= 2  # Pillow's grey is rounded, and its mean too
    with pytest.raises(ArgumentError, match=rf"{'color' if name == 'saturation' else name}_factor \(-1\) is not"):
        change(tensor, -1)


def test_brightness_of_floats():
    x = mg.tensor([0.2, 0.8]).reshape(1, 1, 2)
    assert F.adjust_brightness(x, 1.5).tolist() == [[[pytest.approx(0.3), 1.0]]]


def test_hues_turn_round():
    red = Image.fromarray(np.full((1, 1, 3), (255, 0, 0), np.uint8))
    assert (
        np.asarray(F.adjust_hue(red, 1 / 3))[0, 0].tolist() == [0, 255, 0]
        or np.asarray(F.adjust_hue(red, 1 / 3))[0, 0].argmax() == 1
    )
    assert np.asarray(F.adjust_hue(red, 0.0)).tolist() == [[[255, 0, 0]]]
    assert F.adjust_hue(Image.fromarray(GREY), 0.1).mode == "L"
    with pytest.raises(ArgumentError, match=r"not in \[-0.5, 0.5\]"):
        F.adjust_hue(red, 0.6)
    with pytest.raises(ArgumentError, match="give a PIL image"):
        F.adjust_hue(mg.zeros(3, 2, 2), 0.1)


# --- what is drawn: the order of torchvision, written out with torch ---


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="the oracle is not installed")


SEEDS = range(12)


def test_flips_are_drawn_as_torchvision_draws_them(torch):
    _, tensor = both(COLOR)
    for seed in SEEDS:
        for flip, changed in ((T.RandomHorizontalFlip(0.4), F.hflip), (T.RandomVerticalFlip(0.7), F.vflip)):
            torch.manual_seed(seed)
            mg.manual_seed(seed)
            expected = changed(tensor) if torch.rand(1) < flip.p else tensor
            np.testing.assert_array_equal(flip(tensor).numpy(), expected.numpy())
    for seed in SEEDS:
        torch.manual_seed(seed)
        mg.manual_seed(seed)
        assert (T.RandomApply([lambda x: 1], 0.3)(0) == 1) == (not torch.rand(1) > 0.3)
        happens = bool(torch.rand(1) < 0.5)
        assert np.ptp(T.RandomGrayscale(0.5)(tensor).numpy(), axis=0).any() != happens


@pytest.mark.parametrize("padding", [None, 2, (1, 3)])
def test_crops_are_drawn_as_torchvision_draws_them(torch, padding):
    for array in (COLOR, GREY):
        picture, tensor = both(array)
        for seed in SEEDS:
            mg.manual_seed(seed)
            ours = T.RandomCrop((4, 5), padding)(tensor).numpy()
            mg.manual_seed(seed)
            np.testing.assert_array_equal(values(T.RandomCrop((4, 5), padding)(picture)), ours)
            torch.manual_seed(seed)
            padded = (tensor if padding is None else F.pad(tensor, padding)).numpy()
            top = int(torch.randint(0, padded.shape[1] - 4 + 1, size=(1,)))
            left = int(torch.randint(0, padded.shape[2] - 5 + 1, size=(1,)))
            np.testing.assert_array_equal(ours, padded[:, top : top + 4, left : left + 5])


def test_crops_that_do_not_fit():
    _, tensor = both(GREY)
    before = mg.get_rng_state().tolist()
    assert T.RandomCrop((7, 9))(tensor).tolist() == tensor.tolist()
    assert mg.get_rng_state().tolist() == before  # nothing to choose, nothing drawn
    with pytest.raises(ShapeError, match=r"Required crop size \(8, 8\) is larger than input image size \(7, 9\)"):
        T.RandomCrop(8)(tensor)
    assert T.RandomCrop(11, pad_if_needed=True)(tensor).shape == (1, 11, 11)


def test_resized_crops_are_drawn_as_torchvision_draws_them(torch):
    _, tensor = both(COLOR)
    for seed in SEEDS:
        torch.manual_seed(seed)
        mg.manual_seed(seed)
        ratio, place = torch.log(torch.tensor([0.75, 4 / 3])), None
        for _ in range(10):
            area = 63 * torch.empty(1).uniform_(0.3, 1.0).item()
            shape = torch.exp(torch.empty(1).uniform_(ratio[0], ratio[1])).item()
            width, height = round(math.sqrt(area * shape)), round(math.sqrt(area / shape))
            if 0 < width <= 9 and 0 < height <= 7:
                top = torch.randint(0, 7 - height + 1, size=(1,)).item()
                place = (top, torch.randint(0, 9 - width + 1, size=(1,)).item(), height, width)
                break
        assert T.RandomResizedCrop.get_params(tensor, (0.3, 1.0), (0.75, 4 / 3)) == place
    assert T.RandomResizedCrop(5)(tensor).shape == (3, 5, 5)
    assert T.RandomResizedCrop.get_params(tensor, (9, 9), (1, 1)) == (0, 1, 7, 7)  # never fits: the middle


def test_angles_and_colours_are_drawn_as_torchvision_draws_them(torch):
    picture, _ = both(COLOR)
    jitter = T.ColorJitter(0.4, (0.5, 1.5), 0.3, 0.1)
    for seed in SEEDS:
        torch.manual_seed(seed)
        mg.manual_seed(seed)
        angle = torch.empty(1).uniform_(-30.0, 30.0).item()
        np.testing.assert_array_equal(values(T.RandomRotation(30)(picture)), values(F.rotate(picture, angle)))
        order = torch.randperm(4).tolist()
        limits = ((0.6, 1.4), (0.5, 1.5), (0.7, 1.3), (-0.1, 0.1))
        factors = [torch.empty(1).uniform_(*pair).item() for pair in limits]
        expected = picture
        for i in order:
            expected = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)[i](
                expected, factors[i]
            )
        np.testing.assert_array_equal(values(jitter(picture)), values(expected))


@pytest.mark.parametrize(
    ("transform", "text"),
    [
        (T.ToTensor(), "ToTensor()"),
        (T.Resize(32), "Resize(size=32, interpolation=bilinear, max_size=None, antialias=True)"),
        (T.CenterCrop(10), "CenterCrop(size=(10, 10))"),
        (T.RandomCrop(32, padding=4), "RandomCrop(size=(32, 32), padding=4)"),
        (T.RandomHorizontalFlip(), "RandomHorizontalFlip(p=0.5)"),
        (T.RandomRotation(30), "RandomRotation(degrees=[-30.0, 30.0], interpolation=nearest, expand=False, fill=0)"),
        (T.Pad(2), "Pad(padding=2, fill=0, padding_mode=constant)"),
        (T.Grayscale(), "Grayscale(num_output_channels=1)"),
        (
            T.ColorJitter(0.5, hue=0.1),
            "ColorJitter(brightness=(0.5, 1.5), contrast=None, saturation=None, hue=(-0.1, 0.1))",
        ),
        (
            T.RandomResizedCrop(224),
            "RandomResizedCrop(size=(224, 224), scale=(0.08, 1.0), ratio=(0.75, 1.3333), interpolation=bilinear, "
            "antialias=True)",
        ),
        (T.RandomApply([T.ToTensor()]), "RandomApply(\n    p=0.5\n    ToTensor()\n)"),
    ],
)
def test_how_transforms_are_written(transform, text):
    assert repr(transform) == text


def test_settings_without_sense():
    with pytest.raises(ArgumentError, match="brightness is a single number, it must be non negative"):
        T.ColorJitter(-1)
    with pytest.raises(ArgumentError, match="lambd should be callable, got int"):
        T.Lambda(3)
    with pytest.raises(ArgumentError, match="either 1 or 3"):
        T.Grayscale(2)(mg.zeros(1, 2, 2))
    assert T.Lambda(lambda x: x + 1)(1) == 2


# --- pictures of several images ---


def test_a_grid_is_rows_of_images_with_a_border():
    images = mg.rand(5, 3, 4, 6)
    grid = make_grid(images, nrow=3, padding=1, pad_value=0.5).numpy()
    assert grid.shape == (3, 2 * 5 + 1, 3 * 7 + 1)
    expected = np.full_like(grid, 0.5)
    for i in range(5):
        top, left = 1 + 5 * (i // 3), 1 + 7 * (i % 3)
        expected[:, top : top + 4, left : left + 6] = images.numpy()[i]
    np.testing.assert_array_equal(grid, expected)
    assert make_grid(list(images)).tolist() == make_grid(images).tolist()


def test_grids_of_few_and_of_grey():
    grey = mg.rand(2, 1, 3, 3)
    assert make_grid(grey).shape == (3, 3 + 4, 2 * 5 + 2)
    assert make_grid(grey[0]).tolist() == [grey[0, 0].tolist()] * 3
    assert make_grid(grey[0, 0]).tolist() == [grey[0, 0].tolist()] * 3
    with pytest.raises(ArgumentError, match="tensor or list of tensors expected"):
        make_grid(3)
    with pytest.raises(ShapeError, match=r"got shape \(1, 1, 1, 1, 1\)"):
        make_grid(mg.zeros(1, 1, 1, 1, 1))


def test_grids_brought_to_one_range():
    images = mg.tensor([-2.0, 0.0, 2.0, 0.0, 1.0, 4.0]).reshape(2, 1, 1, 3)
    rows = lambda **settings: make_grid(images, padding=0, normalize=True, **settings).numpy()[0]
    np.testing.assert_allclose(rows(), [[0, 1 / 3, 2 / 3, 1 / 3, 0.5, 1]], rtol=1e-6)
    np.testing.assert_allclose(rows(scale_each=True), [[0, 0.5, 1, 0, 0.25, 1]])
    np.testing.assert_allclose(rows(value_range=(0, 2)), [[0, 0, 1, 0, 0.5, 1]])
    assert images.min().item() == -2.0
    with pytest.raises(ArgumentError, match="are for normalize=True"):
        make_grid(images, scale_each=True)


def test_a_saved_picture_has_the_pixels(tmp_path):
    x = mg.tensor([0.0, 0.5, 1.0, 2.0, -1.0, 0.2]).reshape(1, 2, 3)
    save_image(x, tmp_path / "x.png")
    buffer = io.BytesIO()
    save_image(x, buffer, format="png")
    for source in (tmp_path / "x.png", buffer):
        with Image.open(source) as picture:
            pixels = np.asarray(picture)
        np.testing.assert_array_equal(pixels, np.repeat(np.array([[0, 128, 255], [255, 0, 51]])[..., None], 3, 2))
    save_image(mg.rand(4, 1, 3, 3), tmp_path / "y.png", nrow=2, padding=1)
    with Image.open(tmp_path / "y.png") as picture:
        assert picture.size == (9, 9)


def test_without_pillow_a_sentence(monkeypatch, tmp_path):
    import sys

    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match="save_image needs Pillow: pip install pillow"):
        save_image(mg.zeros(3, 2, 2), tmp_path / "x.png")
    with pytest.raises(ImportError, match="need Pillow"):
        F.to_pil_image(mg.zeros(3, 2, 2))
    np.testing.assert_array_equal(F.hflip(mg.tensor([[[1.0, 2.0]]])).tolist(), [[[2.0, 1.0]]])

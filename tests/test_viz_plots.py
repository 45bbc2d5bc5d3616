"""The plots of training: what is drawn, counted against loops and read back from the Axes; none needs a screen."""

import os
import subprocess
import sys

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.errors import ArgumentError, MissingDependencyError, ShapeError
from minigrad.viz import plots

matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")
matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_curves_draw_each_line_over_the_epochs_and_can_be_told_apart_without_colour():
    lines = {"training": [3.0, 2.0, 1.0], "test": [3.0, 2.5], "other": [1.0]}
    ax = plots.curves(lines, ylabel="loss", log=True)
    for line, (name, values) in zip(ax.lines, lines.items(), strict=True):
        assert line.get_label() == name
        assert list(line.get_xdata()) == list(range(1, len(values) + 1))
        assert list(line.get_ydata()) == values
    assert len({line.get_linestyle() for line in ax.lines}) == len({line.get_color() for line in ax.lines}) == 3
    assert ax.lines[2].get_marker() == "o"
    assert [t.get_text() for t in ax.get_legend().get_texts()] == list(lines)
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("epoch", "loss", "log")


def test_a_single_curve_names_its_axis_and_is_drawn_on_the_given_axes():
    _, given = plt.subplots()
    ax = plots.curves({"loss": mg.tensor([1.0, 0.5])}, x=[10, 20], xlabel="step", ax=given)
    assert ax is given
    assert (ax.get_ylabel(), ax.get_xlabel(), ax.get_legend()) == ("loss", "step", None)
    assert list(ax.lines[0].get_xdata()) == [10, 20]


@pytest.mark.parametrize(("history", "x"), [({}, None), ({"a": [1.0, 2.0]}, [1])])
def test_curves_refuse_nothing_and_too_short_an_axis(history, x):
    with pytest.raises(ArgumentError, match="curves"):
        plots.curves(history, x=x)


def cells(ax):
    """Return the numbers written into the cells, by (row, column)."""
    return {(int(t.get_position()[1]), int(t.get_position()[0])): int(t.get_text()) for t in ax.texts}


def test_the_confusion_matrix_counts_as_a_loop_does(rng):
    truth, guess = rng.integers(0, 4, 200), rng.integers(0, 4, 200)
    guess[guess == 3] = 2
    ax = plots.confusion_matrix(mg.tensor(truth), mg.tensor(guess), classes=list("abcd"))
    expected: dict[tuple[int, int], int] = {}
    for t, g in zip(truth.tolist(), guess.tolist(), strict=True):
        expected[t, g] = expected.get((t, g), 0) + 1
    assert cells(ax) == expected
    np.testing.assert_allclose(ax.images[0].get_array()[1, 2] ** 2, expected[1, 2])
    assert [t.get_text() for t in ax.get_xticklabels()] == list("abcd")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "true")


def test_a_normalized_confusion_matrix_has_rows_of_100_per_cent():
    ax = plots.confusion_matrix([0, 0, 0, 0, 2], [0, 0, 0, 1, 2], normalize=True)
    assert cells(ax) == {(0, 0): 75, (0, 1): 25, (2, 2): 100}


@pytest.mark.parametrize(
    ("truth", "guess", "error"),
    [([0, 1], [0], ShapeError), ([0.5], [0.5], ArgumentError), ([-1], [0], ArgumentError), ([5], [0], ArgumentError)],
)
def test_the_confusion_matrix_refuses_labels_that_do_not_fit(truth, guess, error):
    with pytest.raises(error, match="confusion_matrix"):
        plots.confusion_matrix(truth, guess, classes=["a", "b"])


def shown(axes):
    return [np.asarray(ax.images[0].get_array()) for ax in axes]


def test_filters_are_the_kernels_on_one_scale_around_zero(rng):
    conv = nn.Conv2D(2, 3, 4)
    axes = plots.filters(conv)
    weight = conv.weight.detach().numpy()
    for picture, (out, channel) in zip(shown(axes), np.ndindex(3, 2), strict=True):
        np.testing.assert_array_equal(picture, weight[out, channel])
    limit = float(np.abs(weight).max())
    assert {ax.images[0].get_clim() for ax in axes} == {(-limit, limit)}
    assert [ax.get_title() for ax in axes] == ["0, 0", "0, 1", "1, 0", "1, 1", "2, 0", "2, 1"]
    assert axes[0].figure.get_suptitle() == "6 kernels"
    assert len(plots.filters(conv, most=4)) == 4
    (colour,) = plots.filters(rng.standard_normal((1, 3, 5, 5)))
    assert (shown([colour])[0].shape, shown([colour])[0].min(), shown([colour])[0].max()) == ((5, 5, 3), 0, 1)


def test_activations_are_the_channels_and_a_dead_one_is_called_so(rng):
    maps = rng.standard_normal((5, 6, 7))
    maps[3] = 0
    axes = plots.activations(mg.tensor(maps[None]))
    np.testing.assert_array_equal(np.stack(shown(axes)), maps)
    assert [ax.get_title() for ax in axes] == ["0", "1", "2", "3: dead here", "4"]


def test_images_take_given_axes_and_refuse_too_few_and_other_shapes(rng):
    _, grid = plt.subplots(2, 2)
    pictures = rng.random((3, 1, 4, 4))
    axes = plots.images(pictures, titles=["a", "b", "c"], ax=grid)
    assert list(axes) == list(grid.flat[:3])
    np.testing.assert_array_equal(np.stack(shown(axes)), pictures[:, 0])
    with pytest.raises(ArgumentError, match="5 Axes are needed, got 4"):
        plots.images(rng.random((5, 4, 4)), ax=grid)
    for draw, shape in ((plots.images, (2, 2, 4, 4)), (plots.filters, (4, 4)), (plots.activations, (2, 3, 4, 4))):
        with pytest.raises(ShapeError, match="expected"):
            draw(np.zeros(shape))
    assert len(plots.images(np.zeros((0, 4, 4)))) == 0


def test_histograms_hold_every_weight_and_every_gradient_once(rng):
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 2))
    model[0](mg.ones(2, 4)).sum().backward()
    model[1].weight.data[0, 0] = float("nan")
    axes = plots.histograms(model, bins=10)
    for row, (name, p) in zip(axes, model.named_parameters(), strict=True):
        values = p.detach().numpy().ravel()
        expected = np.histogram(values[np.isfinite(values)].astype(float), 10)[0]
        assert [patch.get_height() for patch in row[0].patches] == expected.tolist()
        if p.grad is None:
            assert row[1].texts[0].get_text() == "not computed"
        else:
            assert sum(patch.get_height() for patch in row[1].patches) == p.numel()
        assert (row[0].get_title().split(",")[0], row[1].get_title()) == (name, f"{name}.grad")
    assert axes[2, 0].get_title() == "1.weight, 1 not finite"
    with pytest.raises(ArgumentError, match="no parameters"):
        plots.histograms({})


def test_the_decision_boundary_is_where_the_classes_part(rng):
    points = rng.uniform(-1, 1, (30, 2)).astype(np.float32)
    labels = (points[:, 0] > 0.25).astype(int)
    ax = plots.decision_boundary(lambda x: x[:, 0] - 0.25, points, mg.tensor(labels), steps=101)
    spread = [c.get_offsets() for c in ax.collections[1:]]
    for k, offsets in enumerate(spread):
        np.testing.assert_array_equal(offsets, points[labels == k])
    cell = 1.2 * float(np.ptp(points[:, 0])) / 100
    edges = [p.vertices[:, 0] for p in ax.collections[0].get_paths()]
    assert edges[0].max() == pytest.approx(0.25, abs=cell)
    assert edges[1].min() == pytest.approx(0.25, abs=cell)


def test_the_decision_boundary_leaves_the_model_as_it_was(rng):
    model = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 3))
    model[2].eval()
    modes = [m.training for m in model.modules()]
    before = {k: v.numpy().copy() for k, v in model.state_dict().items()}
    plots.decision_boundary(model, rng.standard_normal((6, 2)).astype(np.float32), [0, 1, 2, 0, 1, 2], steps=20)
    assert [m.training for m in model.modules()] == modes
    for name, value in model.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name])
    with pytest.raises(ShapeError, match="decision_boundary"):
        plots.decision_boundary(model, np.zeros((3, 3)), [0, 0, 0])


HEADLESS = """
import minigrad as mg
from minigrad.viz import plots
import sys
assert "matplotlib" not in sys.modules
plots.curves({"a": [1.0, 2.0]}).figure.savefig(sys.argv[1])
"""


def test_there_is_no_need_of_a_screen_and_importing_loads_no_matplotlib(tmp_path):
    out = tmp_path / "a.png"
    environment = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND")}
    subprocess.run([sys.executable, "-c", HEADLESS, str(out)], check=True, env=environment, timeout=120)
    assert out.read_bytes()[1:4] == b"PNG"


def test_without_matplotlib_one_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'minigrad\[plots\]'"):
        plots.curves({"a": [1.0]})

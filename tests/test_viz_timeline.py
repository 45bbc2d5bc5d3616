"""The timeline of a training run: its numbers against loops over arrays, and its page read back."""

import json
import math
import re
import shutil
import subprocess

import numpy as np
import pytest

import minigrad as mg
from minigrad import graph, nn, optim, viz
from minigrad.errors import ArgumentError


def rms(array):
    return math.sqrt(sum(float(v) ** 2 for v in np.asarray(array).ravel()) / np.asarray(array).size)


class Net(nn.Module):
    """A ReLU that is a module, one that is a function, and two units of the first that are dead from birth."""

    def __init__(self):
        super().__init__()
        self.fc1, self.act, self.fc2 = nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 4)
        self.out = nn.Linear(4, 1)
        self.fc1.bias.data[:2] = -1000

    def forward(self, x):
        return self.out(self.fc2(self.act(self.fc1(x))).relu())


def train(every=1, steps=6, stats=("grad_rms", "update_ratio", "dead", "weight_rms")):
    """Return the timeline of a short run, and what a loop beside it measured at each step."""
    mg.manual_seed(0)
    model, x = Net(), mg.randn(10, 3)
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    beside = []
    with viz.timeline(model, every=every, stats=stats) as run:
        for _ in range(steps):
            before = {k: p.detach().numpy().copy() for k, p in model.named_parameters()}
            optimizer.zero_grad()
            with mg.no_grad():
                hidden = model.act(model.fc1(x)).numpy()
                second = model.fc2(mg.tensor(hidden)).relu().numpy()
            loss = (model(x) ** 2).mean()
            loss.backward()
            optimizer.step()
            run.step(loss=loss.item())
            seen = {("loss", "value"): loss.item()}
            for k, p in model.named_parameters():
                after = p.detach().numpy()
                seen[k, "grad_rms"], seen[k, "weight_rms"] = rms(p.grad.numpy()), rms(after)
                seen[k, "update_ratio"] = rms(after - before[k]) / rms(before[k])
            for name, values in (("act", hidden), ("relu", second)):
                units = values.T.tolist()
                seen[name, "dead"] = sum(all(v == 0 for v in unit) for unit in units) / len(units)
            beside.append(seen)
    return run, beside


@pytest.mark.parametrize("every", [1, 2, 4])
def test_each_number_is_what_a_loop_beside_the_training_measures(every):
    run, beside = train(every)
    assert run.steps == list(range(every, 7, every))
    kept = [beside[k - 1] for k in run.steps]
    assert {(t.name, t.stat) for t in run.tracks} == set(kept[0])
    for t in run.tracks:
        np.testing.assert_allclose(t.values, [seen[t.name, t.stat] for seen in kept], rtol=2e-4, err_msg=str(t[:2]))
    assert run["act", "dead"][0] >= 2 / 8


def test_only_what_is_asked_for_is_kept_and_nothing_stays_installed():
    run, _ = train(stats=("weight_rms",), steps=2)
    assert {t.stat for t in run.tracks} == {"value", "weight_rms"}
    run, _ = train(steps=1)
    assert graph.observer is None
    model = Net()
    with pytest.raises(ZeroDivisionError), viz.timeline(model):
        raise ZeroDivisionError
    assert graph.observer is None
    assert not model._hooks


def test_without_with_there_are_norms_and_no_dead_units():
    model = nn.Linear(2, 2)
    run = viz.timeline(model)
    run.step()
    (model(mg.ones(1, 2)).sum() * float("nan")).backward()
    run.step()
    assert {t.stat for t in run.tracks} == {"grad_rms", "update_ratio"}
    assert run["weight", "update_ratio"] == (0.0, 0.0)
    assert run["weight", "grad_rms"][0] is None
    assert math.isnan(run["weight", "grad_rms"][1])
    assert data(run.to_html())["tracks"][0][2] == [None, "nan"]


def test_several_calls_in_a_step_count_as_one_and_other_models_do_not():
    model, other = nn.ReLU(), nn.Sequential(nn.ReLU())
    model.named_parameters = lambda: []
    with viz.timeline(model) as run:
        for row in ([-1.0, 1.0, -1.0], [-1.0, -1.0, 2.0]):
            model(mg.tensor([row], requires_grad=True))
        other(mg.tensor([[-1.0]], requires_grad=True))
        run.step()
    assert [(t.stat, t.values) for t in run.tracks] == [("dead", (pytest.approx(1 / 3, rel=1e-5),))]


@pytest.mark.parametrize(
    ("model", "options", "what"),
    [(3, {}, "model"), (nn.ReLU(), {"every": 0}, "every"), (nn.ReLU(), {"stats": ("loss",)}, "stats"),
     (nn.ReLU(), {"stats": "dead"}, "stats")],
)  # fmt: skip
def test_arguments_of_another_kind_are_refused(model, options, what):
    with pytest.raises(ArgumentError, match=f"timeline: {what} must"):
        viz.timeline(model, **options)


# --- the page ---


def data(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page)[1])


class Named:
    """Fifty parameters under names of all kinds."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.named = [(f"block.{i}.weight</script><b>", mg.tensor(rng.standard_normal(9))) for i in range(50)]
        for _, p in self.named:
            p.requires_grad_().grad = mg.tensor(rng.standard_normal(9))

    def named_parameters(self):
        return self.named


def test_two_hundred_steps_of_fifty_parameters_fit_into_half_a_megabyte(tmp_path):
    model, rng = Named(), np.random.default_rng(1)
    run = viz.timeline(model, stats=("grad_rms", "update_ratio", "weight_rms"))
    norms = {name: [] for name, _ in model.named}
    for _ in range(200):
        for name, p in model.named:
            p.grad.data[...] = mg.tensor(rng.standard_normal(9))
            p.data -= 0.01 * p.grad
            norms[name].append(rms(p.grad.numpy()))
        run.step()
    page = run.to_html(tmp_path / "run.html")
    assert (tmp_path / "run.html").read_text(encoding="utf-8") == page == run.to_html()
    assert len(page.encode()) < 500_000
    found = data(page)
    assert found["steps"] == run.steps == list(range(1, 201))
    assert [(n, s, tuple(v)) for n, s, v in found["tracks"]] == [tuple(t) for t in run.tracks]
    for name, stat, values in found["tracks"]:
        if stat == "grad_rms":
            np.testing.assert_allclose(values, norms[name], rtol=1e-5)
    assert not re.search(r"(src|href)=|url\(|https?:", page)
    assert page.count("</script>") == 2
    assert "<b>" not in page.replace("<caption><b>", "")


def test_the_page_moves_through_the_steps_in_a_browser(tmp_path):
    chromium = shutil.which("chromium") or pytest.skip("chromium is not installed")
    run, _ = train()
    run.to_html(tmp_path / "run.html")
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    for step in (2, 5):
        address = f"file://{tmp_path}/run.html#step={step}"
        done = subprocess.run([*command, "--dump-dom", address], capture_output=True, text=True, timeout=120)
        shown = re.findall(r'<td class="n" id="t\d+">([^<]*)</td>', done.stdout)
        in_order = dict(zip(re.findall(r'id="t(\d+)"', done.stdout), shown, strict=True))
        for i, t in enumerate(run.tracks):
            assert float(in_order[str(i)]) == pytest.approx(t.values[step - 1], rel=5e-3)
        assert f"step {step} of 6" in done.stdout
        assert len(re.findall(r'<path d="M', done.stdout)) == len(run.tracks)


def test_a_stat_is_drawn_with_matplotlib_too():
    pytest.importorskip("matplotlib", reason="matplotlib is not installed").use("Agg")
    run, _ = train(every=2)
    ax = run.plot("update_ratio")
    drawn = {line.get_label(): tuple(line.get_ydata()) for line in ax.lines}
    assert drawn == {t.name: t.values for t in run.tracks if t.stat == "update_ratio"}
    assert list(ax.lines[0].get_xdata()) == [2, 4, 6]
    with pytest.raises(ArgumentError, match="no 'loss'"):
        run.plot("loss")
    pytest.importorskip("matplotlib.pyplot").close("all")


def test_no_name_is_taken_for_a_place_of_the_page():
    model = nn.Sequential()
    model.add_module("{{data}}", nn.Linear(1, 1))
    model.add_module("DATA", nn.Linear(1, 1))
    with viz.timeline(model) as run:
        model(mg.ones(1, 1)).sum().backward()
        optim.SGD(model.parameters(), lr=0.1).step()
    html = run.to_html(title="{{tables}} TITLE")
    assert html.count('"tracks"') == 1
    assert "<h1>{{tables}} TITLE</h1>" in html

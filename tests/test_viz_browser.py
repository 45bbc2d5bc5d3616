"""The page that plays a computation, in a real browser: steps, keys, search, quiz and levels; nothing is executed."""

import re
import shutil
import subprocess

import pytest
from page_reading import Page, fan_out, nasty, no_engine
from test_viz import HAS_ENGINE

import minigrad as mg
from minigrad import nn, viz
from minigrad.viz import render

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")


def opened(path, address=""):
    """Return the page that a browser makes of a file, after its script has run; it may complain of nothing."""
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=3000"]
    done = subprocess.run(
        [CHROMIUM, *flags, f"--user-data-dir={path.parent / 'profile'}", "--dump-dom", f"file://{path}{address}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert not complaints
    return Page(done.stdout)


def acting(player, path, script):
    """Write the page with a script of the test's own in it, which its policy would not let run."""
    text = re.sub(r"script-src 'sha256-[^']*'", "script-src 'unsafe-inline'", player.html)
    path.write_text(text.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
    return path


def names(elements):
    return {attrs["id"] for _, attrs, _ in elements}


@pytest.mark.parametrize("at", [2, 7, 9])
def test_an_address_opens_its_step(tmp_path, at):
    step, _ = fan_out()
    player = viz.player(step, tmp_path / "o.html")
    graph, data = player.graph, Page(player.html).data
    found = opened(tmp_path / "o.html", f"#step={at}")
    told, shown = data["steps"][at], graph.steps[at]
    assert names(found.with_class("cur")) == {f"n{shown.node}"}
    if shown.kind == "forward":
        edges = {(e.tail, e.head, e.operand) for e in graph.edges if e.head == shown.node}
        assert found.by_id("value")[2] == data["nodes"][shown.node]["v"]
    else:
        edges = {(p.tail, p.head, p.operand) for p in shown.parts}
        assert found.by_id("gradient")[2] == told["g"]
        assert [text for _, _, text in found.with_class("part-value")] == [p["v"] for p in told["p"]]
        assert [text for _, _, text in found.with_class("part-total")] == [p["c"] for p in told["p"] if "c" in p]
    assert names(found.with_class("flow")) == {f"e{tail}-{head}-{operand}" for tail, head, operand in edges}
    assert found.by_id("code")[2] == graph.nodes[shown.node].where.code
    later = {s.node for s in graph.steps[at + 1 :] if s.kind == "forward"}
    assert names(found.with_class("wait")) == {f"n{i}" for i in later}


def test_playing_goes_to_the_end_and_keys_and_search_work(tmp_path):
    step, _ = fan_out()
    player = viz.player(step, speed=20)
    press = "const press = key => document.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true}));"
    read = "const read = () => document.getElementById('count').textContent;"
    done = "out.push(read(), location.hash); document.title = out.join('|');"
    keys = "['Home', 'ArrowRight', 'ArrowRight', 'ArrowLeft', 'End', 'Home', ' ']"
    script = (
        f"{press}{read} const out = []; for (const k of {keys}) {{ press(k); out.push(read()); }}"
        f"document.getElementById('search').value = 'TANH';"
        f"document.getElementById('search').dispatchEvent(new Event('input')); setTimeout(() => {{ {done} }}, 2500);"
    )
    found = opened(acting(player, tmp_path / "o.html", script))
    last = len(player.graph.steps) - 1
    (title,) = [text for tag, _, text in found.elements if tag == "title" and "|" in text]
    wanted = [f"step {k} / {last}" for k in (0, 1, 2, 1, last, 0, 1, last)]
    assert title.split("|") == [*wanted, f"#step={last}"]
    assert names(found.with_class("hit")) == {f"n{n.id}" for n in player.graph.nodes if n.op == "tanh"}
    assert not found.with_class("wait")
    assert not found.with_class("no-g")


def test_a_quiz_tells_only_what_was_typed_in(tmp_path):
    w = mg.tensor(3.0, requires_grad=True)
    with viz.record(names={"w": w}) as step:
        (w.square() + w).backward()
    player = viz.player(step, quiz=True)
    first = next(
        k for k, s in enumerate(player.graph.steps) if s.kind == "backward" and s.parts[0].numbers.data == (6,)
    )
    typing = (
        f"location.hash = '#step={first}'; const out = [];"
        "const type = text => { const field = document.querySelector('#panel input'); field.value = text;"
        "document.getElementById('check').click(); out.push(document.querySelectorAll('.part-value').length); };"
        "setTimeout(() => { type('5'); type('6.01'); document.title = out.join('|'); }, 500);"
    )
    found = opened(acting(player, tmp_path / "q.html", typing))
    (title,) = [text for tag, _, text in found.elements if tag == "title" and "|" in text]
    assert title == "0|1"
    assert [text for _, _, text in found.with_class("part-value")] == ["6"]
    assert "no-g" in found.by_id(f"n{player.graph['w'].id}")[1]["class"].split()


def test_a_folded_module_stands_for_what_is_in_it(tmp_path):
    mg.manual_seed(0)
    model = nn.Sequential(nn.Sequential(nn.Linear(3, 4), nn.ReLU()), nn.Linear(4, 2))
    with viz.record(model) as step:
        model(mg.randn(5, 3)).square().sum().backward()
    player = viz.player(step)
    relu = next(n.id for n in player.graph.nodes if n.op == "relu")
    at = next(k for k, s in enumerate(player.graph.steps) if s.node == relu)
    script = (
        "const level = document.getElementById('level'); level.value = [...level.options].find(o => o.text =="
        "'open to depth 1').value; level.dispatchEvent(new Event('change'));"
        f"location.hash = '#step={at}';"
    )
    found = opened(acting(player, tmp_path / "m.html", script))
    (box,) = names(found.with_class("cur"))
    inside = {n.id for n in player.graph.nodes if (n.module or "").split(".")[0] == "0"}
    assert box == f"s2-n{min(inside)}"
    shown = [attrs["id"] for _, attrs, _ in found.with_class("picture") if "hidden" not in attrs]
    assert shown == ["picture2"]


@pytest.mark.parametrize("has_engine", [True, False])
def test_no_name_is_executed(tmp_path, monkeypatch, has_engine):
    if not has_engine:
        monkeypatch.setattr(render, "engines", no_engine)
    nasty().save(tmp_path / "n.html")
    found = opened(tmp_path / "n.html", "#step=12")
    assert not [text for tag, _, text in found.elements if tag == "title" and text == "hit"]
    boxes = [e for e in found.with_class("cur") if "id" in e[1]]
    assert names(boxes) == {f"n{found.data['steps'][12]['n']}"}
    sentences = [attrs for tag, attrs, _ in found.elements if tag == "li"]
    lit = [k for k, attrs in enumerate(sentences) if "cur" in (attrs.get("class") or "").split()]
    assert lit == ([] if has_engine else [12])
    assert sum(tag == "script" for tag, _, _ in found.elements) == 2


def test_words_of_a_formula_are_explained_beside_it(tmp_path):
    layer = nn.Linear(2, 3)
    with viz.record(layer) as step:
        layer(mg.ones(4, 2)).sum().backward()
    viz.player(step, tmp_path / "w.html")
    graph = step.graph()
    weight = next(node.id for node in graph.nodes if node.name == "weight")
    at = next(i for i, s in enumerate(graph.steps) if any(part.tail == weight for part in s.parts))
    told = [text for _, _, text in opened(tmp_path / "w.html", f"#step={at}").with_class("word")]
    assert told == [f"rows: {viz.formulas.WORDS['rows']}"]


@pytest.mark.skipif(not HAS_ENGINE, reason="no Graphviz, so no picture to move")
def test_the_picture_is_moved_and_enlarged_and_a_box_tells_of_itself(tmp_path):
    step, _ = fan_out()
    player = viz.player(step)
    tanh = next(n.id for n in player.graph.nodes if n.op == "tanh")
    script = (
        "const stage = document.getElementById('stage'), out = [];"
        "const read = () => out.push(document.querySelector('.picture svg').getAttribute('viewBox'));"
        "const point = (on, name, x) => on.dispatchEvent(new PointerEvent(name, {clientX: x, clientY: 50}));"
        "document.getElementById('fit').click(); read(); document.getElementById('in').click(); read();"
        "point(stage, 'pointerdown', 50); point(window, 'pointermove', 90); point(window, 'pointerup', 90); read();"
        "stage.dispatchEvent(new WheelEvent('wheel', {deltaY: 400, cancelable: true})); read();"
        "document.getElementById('fit').click(); read(); document.title = out.join('|');"
        "point(stage, 'pointerdown', 50); point(window, 'pointerup', 50);"
        f"document.getElementById('n{tanh}').dispatchEvent(new MouseEvent('click', {{bubbles: true}}));"
    )
    found = opened(acting(player, tmp_path / "o.html", script))
    (title,) = [text for tag, _, text in found.elements if tag == "title" and "|" in text]
    whole, larger, moved, smaller, again = ([float(v) for v in part.split()] for part in title.split("|"))
    assert larger[2] == pytest.approx(whole[2] / 1.3)
    assert larger[0] + larger[2] / 2 == pytest.approx(whole[0] + whole[2] / 2)
    assert moved[2:] == pytest.approx(larger[2:])
    assert moved[0] < larger[0]
    assert smaller[2] == pytest.approx(moved[2] * 2.718281828**0.6)
    assert again == pytest.approx(whole)
    told = " ".join(text for _, _, text in found.elements if text)
    assert all(line in told for line in viz.formula("tanh"))
    assert found.with_class("swatches")  # the legend


@pytest.mark.skipif(not HAS_ENGINE, reason="no Graphviz, so no picture to colour")
def test_heat_is_in_the_page_with_its_scale(tmp_path):
    step, _ = fan_out()
    hot = step.graph().heat("grad")
    marked = [n for n in hot.nodes if n.mark]
    ids = [f"n{n.id}" for n in marked]
    script = (
        f"const out = {ids}.map(id => document.getElementById(id).querySelector('rect, path, polygon'));"
        "document.title = out.map(shape => getComputedStyle(shape).fill).join('|');"
    )
    found = opened(acting(viz.player(hot), tmp_path / "h.html", script))
    (title,) = [text for tag, _, text in found.elements if tag == "title" and "|" in text]
    fills = ["#" + "".join(f"{int(v):02x}" for v in re.findall(r"\d+", color)) for color in title.split("|")]
    assert len(set(fills)) > 2
    assert fills == [n.mark.fill for n in marked]
    everything = " ".join(text for _, _, text in found.elements)
    assert all(n.mark.tag in everything for n in marked)
    assert hot.notes[-1] in everything

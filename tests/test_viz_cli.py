"""The command line on recorded runs, with and without layout engines."""

import importlib.util
import io
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

import minigrad as mg
from minigrad import nn, viz
from minigrad.viz.__main__ import main

ROOT = Path(mg.__file__).parent.parent
PYTHON = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"


def needs(*methods):
    """Return a mark that skips while Graph has not all these methods."""
    missing = [name for name in methods if not hasattr(viz.Graph, name)]
    return pytest.mark.skipif(bool(missing), reason=f"Graph has no {missing} yet")


def step(*layers, seed=0, scale=1.0, shape=(8, 3)):
    """Return the recorded training step of these layers."""
    mg.manual_seed(seed)
    model = nn.Sequential(*layers)
    with mg.no_grad():
        for p in model.parameters():
            p.mul_(scale)
    x = mg.randn(*shape)
    with viz.record(model, names={"x": x}) as recording:
        (model(x) ** 2).mean().backward()
    return recording.graph()


def small(seed=0):
    return step(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2), seed=seed)


def lenet():
    layers = nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)
    dense = nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)
    return step(*layers, *dense, shape=(4, 1, 28, 28))


@pytest.fixture(scope="module")
def lenet_file(tmp_path_factory):
    """Return the file of a recorded step of LeNet, and its graph."""
    graph = lenet()
    path = tmp_path_factory.mktemp("runs") / "lenet.json"
    path.write_text(graph.to_json(), encoding="utf-8")
    return path, graph


def written(folder, **graphs):
    """Write graphs into files and return their paths."""
    for name, graph in graphs.items():
        (folder / f"{name}.json").write_text(graph.to_json(), encoding="utf-8")
    return [str(folder / f"{name}.json") for name in graphs]


def bare(folder, *, wheel=False):
    """Return how to run a Python that has only what minigrad must have, and the wheel if it is to, with no PATH."""
    site = folder / "site"
    site.mkdir(exist_ok=True)
    for name in ("numpy", "graphviz", "threadpoolctl", "safetensors", *(["pygraphviz"] if wheel else [])):
        found = Path(importlib.util.find_spec(name).origin)
        found = found.parent if found.name == "__init__.py" else found
        for part in (found, *found.parent.glob(f"{name}.libs"), *found.parent.glob(f"{name}-*.dist-info")):
            if not (site / part.name).exists():
                (site / part.name).symlink_to(part)
    if not PYTHON.exists() or (PYTHON.parent / "graphviz-pure").exists():
        pytest.skip("this Python cannot be had without a layout engine")
    env = {"PATH": "", "PYTHONPATH": os.pathsep.join((str(ROOT), str(site)))}

    def run(*arguments, **more):
        command = [str(PYTHON), "-S", "-m", "minigrad.viz", *map(str, arguments)]
        done = subprocess.run(command, env=env | more, cwd=folder, capture_output=True, timeout=120, check=False)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return run


@pytest.fixture
def wheel(tmp_path):
    """Return how to run a Python whose only engine is the pygraphviz wheel."""
    if importlib.util.find_spec("pygraphviz") is None:
        pytest.skip("pygraphviz is not installed")
    run = bare(tmp_path, wheel=True)
    if "pygraphviz     draws" not in run("doctor")[1]:
        pytest.skip("the libraries in the pygraphviz wheel cannot be loaded here")
    return run


# --- show, with and without engines ---


def drawn_ids(svg):
    """Return the ids of all elements of a picture."""
    return {element.get("id") for element in ElementTree.fromstring(svg).iter()}


def test_without_an_engine_text_and_dot_are_there_and_a_picture_is_one_sentence(tmp_path, lenet_file):
    run, (file, graph) = bare(tmp_path), lenet_file
    assert run("show", file, "--dot", "o.dot") == (0, "", "")
    assert (tmp_path / "o.dot").read_text(encoding="utf-8") == graph.source
    for name in ("svg", "png", "pdf"):
        code, out, said = run("show", file, f"--{name}", f"o.{name}")
        assert (code, out, len(said.splitlines())) == (2, "", 1)
        assert "pip install" in said
        assert not (tmp_path / f"o.{name}").exists()
    code, out, said = run("doctor")
    assert (code, said) == (0, "")
    assert re.findall(r"^(\S+) +not found", out, re.MULTILINE) == ["dot", "pygraphviz", "graphviz-pure"]
    assert "No engine works here" in out


@needs("to_text")
def test_text_needs_no_engine_and_is_no_wider_than_a_terminal(tmp_path, lenet_file):
    file, graph = lenet_file
    code, out, said = bare(tmp_path)("show", file, "--text")
    assert (code, said) == (0, "")
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= 80
    for op in {node.op for node in graph.nodes if node.op}:
        assert op in out
    _, plain, said = bare(tmp_path)("show", file, PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert said == ""
    assert plain.isascii()
    assert len(plain.splitlines()) == len(out.splitlines())


@needs("to_html")
def test_the_page_needs_no_engine_and_nothing_from_elsewhere(tmp_path, lenet_file):
    file, graph = lenet_file
    assert bare(tmp_path)("show", file, "--html", "o.html") == (0, "", "")
    page = (tmp_path / "o.html").read_text(encoding="utf-8")
    assert len(page.encode()) < 300_000
    assert not re.findall(r"""(?:src|href)\s*=\s*["']?\s*(?:https?:|//)|url\(\s*["']?\s*(?:https?:|//)""", page)
    assert set(re.findall(r"https?://[^\s\"'<>\\]+", page)) <= {"http://www.w3.org/2000/svg"}
    for op in {node.op for node in graph.nodes if node.op}:
        assert op in page


def test_the_wheel_alone_draws_every_node(wheel, tmp_path, lenet_file):
    file, graph = lenet_file
    for name, begins in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        code, out, said = wheel("show", file, f"--{name}", f"o.{name}")
        assert (code, out) == (0, ""), said
        assert (tmp_path / f"o.{name}").read_bytes().startswith(begins)
    assert {f"n{node.id}" for node in graph.nodes} <= drawn_ids((tmp_path / "o.svg").read_bytes())
    (line,) = [line for line in wheel("doctor")[1].splitlines() if line.startswith("pygraphviz")]
    assert "draws svg, png, pdf (the one that is used)" in line


def program(folder, text):
    """Write a program `dot` that runs this Python text, and return the folder it is in."""
    folder.mkdir()
    path = folder / "dot"
    path.write_text(f"#!{PYTHON}\nimport sys\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(folder)


@pytest.mark.skipif(os.name != "posix", reason="programs are not scripts here")
def test_the_doctor_tries_what_it_finds(tmp_path):
    run = bare(tmp_path)
    draws = "sys.stdin.read()\nif '-Tpdf' in sys.argv: sys.exit('no pdf here')\nprint('<svg/>')"
    out = run("doctor", PATH=program(tmp_path / "works", draws))[1]
    assert "dot            draws svg, png (the one that is used)" in out
    out = run("doctor", PATH=program(tmp_path / "broken", "sys.exit('a library is missing')"))[1]
    assert "dot            is here but does not work" in out
    assert "No picture can be drawn: dot comes first, and fails." in out
    assert "that is used" not in out


@needs("heat", "label")
def test_show_folds_and_colours(tmp_path, lenet_file):
    file, graph = lenet_file
    assert main(["show", str(file), "--depth", "0", "--heat", "grad", "--dot", str(tmp_path / "o.dot")]) == 0
    drawn = (tmp_path / "o.dot").read_text(encoding="utf-8")
    assert drawn == graph.heat("grad").collapse(depth=0).source
    assert "grad rms" in drawn
    assert drawn.count("\n  n") < graph.source.count("\n  n")


def test_the_same_program_gives_the_same_bytes_whatever_the_hash_seed(tmp_path):
    program = """
import sys, minigrad as mg
from minigrad import nn, viz
mg.manual_seed(0)
model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
with viz.record(model, time=False) as step:
    model(mg.randn(5, 3)).sum().backward()
open(sys.argv[1], "w").write(step.graph().to_json())
"""
    found = []
    for seed in ("0", "1"):
        env = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", program, "run.json"]
        subprocess.run(command, env=env, cwd=tmp_path, check=True)
        command = [sys.executable, "-m", "minigrad.viz", "show", "run.json", "--dot", "-"]
        drawn = subprocess.run(command, env=env, cwd=tmp_path, check=True, capture_output=True).stdout
        found.append(((tmp_path / "run.json").read_bytes(), drawn))
    assert found[0] == found[1]
    assert b"digraph" in found[0][1]


def test_a_reader_that_has_seen_enough_ends_it_quietly(lenet_file):
    command = [sys.executable, "-m", "minigrad.viz", "show", str(lenet_file[0]), "--dot", "-"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert (process.stderr.read(), process.wait(timeout=60)) == (b"", 0)


def test_a_dash_is_standard_input_and_output(lenet_file, monkeypatch, capsysbinary):
    file, graph = lenet_file
    monkeypatch.setattr("sys.stdin", io.StringIO(file.read_text(encoding="utf-8")))
    assert main(["show", "-", "--dot", "-"]) == 0
    assert capsysbinary.readouterr().out == graph.source.encode()


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"schema": "other/1"}', None])
@pytest.mark.parametrize("command", ["show", "check", "diff"])
def test_files_that_are_no_runs_are_an_error(tmp_path, capsys, command, content):
    path = tmp_path / "run.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    assert main([command, str(path)] + [str(path)] * (command == "diff")) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert "run.json" in said.err


@pytest.mark.parametrize("arguments", [[], ["draw"], ["show"], ["diff", "a.json"], ["show", "a.json", "--depth", "x"]])
def test_wrong_arguments_are_an_error(arguments, capsys):
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 2
    assert "usage" in capsys.readouterr().err


# --- check ---


def mlp(activation, scale, *, depth=20):
    layers = [part for _ in range(depth) for part in (nn.Linear(16, 16), activation())]
    return step(*layers, nn.Linear(16, 1), scale=scale, shape=(32, 16))


@needs("health")
@pytest.mark.parametrize(
    ("graph", "verdict", "code"),
    [
        (lambda: mlp(nn.Sigmoid, 1.0), "vanishing", 3),
        (lambda: mlp(nn.ReLU, 10.0), "exploding", 3),
        (lambda: step(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 1), shape=(32, 3)), "ok", 0),
    ],
)
def test_check_fails_on_what_it_is_told_to(tmp_path, capsys, graph, verdict, code):
    (file,) = written(tmp_path, run=graph())
    assert main(["check", file, "--fail-on", "nan,vanishing,exploding"]) == main(["check", file]) == code
    assert verdict in capsys.readouterr().out
    assert main(["check", file, "--fail-on", "nan"]) == 0
    assert main(["check", file, "--fail-on", "sadness"]) == 2


@needs("health")
def test_check_says_so_when_there_are_no_gradients_to_check(tmp_path, capsys):
    model = nn.Linear(3, 2)
    with viz.record(model) as recording:
        model(mg.ones(4, 3))
    (file,) = written(tmp_path, run=recording.graph())
    assert main(["check", file]) == 2
    assert "gradients" in capsys.readouterr().err


# --- diff ---


def three_layers():
    return step(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2), nn.Linear(2, 2))


def test_diff_tells_another_model_from_other_weights(tmp_path, capsys):
    a, more, other = written(tmp_path, a=small(), more=three_layers(), other=small(seed=5))
    assert main(["diff", a, a]) == 0
    assert main(["diff", a, other]) == 0
    assert capsys.readouterr().out == "the same\n" * 2
    assert main(["diff", a, more]) == 1
    assert capsys.readouterr().out == "+ 3: Linear (weight (2, 2), bias (2,))\n"
    assert main(["diff", more, a]) == 1
    assert capsys.readouterr().out == "- 3: Linear (weight (2, 2), bias (2,))\n"
    assert main(["diff", a, other, "--values"]) == 1
    assert main(["diff", a, a, "--values"]) == 0
    assert main(["diff", a, str(tmp_path / "none.json")]) == 2


@needs("to_html")
def test_diff_writes_a_page(tmp_path):
    a, more = written(tmp_path, a=small(), more=three_layers())
    assert main(["diff", a, more, "--html", str(tmp_path / "d.html")]) == 1
    assert "1 added" in (tmp_path / "d.html").read_text(encoding="utf-8")

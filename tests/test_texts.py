"""The texts of the project: the README's tour and the docstrings' examples run and print what they say."""

import doctest
import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import minigrad

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
INSIDE = [m.name for m in pkgutil.walk_packages(minigrad.__path__, "minigrad.") if not m.name.endswith("__main__")]
MODULES = ["minigrad", *INSIDE]


def test_the_tour_runs_and_prints_what_it_says():
    test = doctest.DocTestParser().get_doctest(README, {}, "README.md", "README.md", 0)
    result = doctest.DocTestRunner(optionflags=OPTIONS).run(test)
    assert result.attempted > 10
    assert result.failed == 0


def test_the_tour_has_at_most_forty_lines():
    tour = README.split("```python\n")[1].split("```")[0]
    assert len(tour.splitlines()) <= 40


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings(name):
    result = doctest.testmod(importlib.import_module(name), optionflags=OPTIONS)
    assert result.failed == 0


def test_the_commands_of_the_readme_are_in_the_makefile():
    targets = (ROOT / "Makefile").read_text()
    for command in ("demo", "test", "bench", "docs"):
        assert f"make {command}" in README
        assert f"\n{command}:" in targets


def test_python_m_minigrad_says_what_there_is():
    run = subprocess.run([sys.executable, "-m", "minigrad"], check=True, capture_output=True, text=True)
    for word in ("Conv2d", "Adam", "Digits", "make demo"):
        assert word in run.stdout


def test_every_link_in_the_texts_exists():
    import re

    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(
            r"\]\(([^)#:]+)\)|`((?:docs|minigrad|tests|examples|benchmarks)/[\w./]+)`", page.read_text()
        ):
            name = next(filter(None, target))
            assert (ROOT / name).exists() or (page.parent / name).exists(), f"{page.name}: {name}"


def test_the_reference_shows_every_layer_and_loads_nothing_from_outside(tmp_path):
    import re

    pytest.importorskip("pdoc")
    subprocess.run([sys.executable, ROOT / "docs" / "reference.py", tmp_path], check=True, capture_output=True)
    layers = (tmp_path / "minigrad" / "nn.html").read_text()
    for name in dir(minigrad.nn):
        if name[0].isupper():
            assert f'id="{name}"' in layers, name
    for page in tmp_path.rglob("*.html"):
        assert not re.search(r'(src|<link[^>]*href)="https?:', page.read_text()), page


def test_the_architecture_page_names_each_file_that_draws_once():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    part = page.split("## Drawing\n")[1].split("\n## ")[0]
    files = [path for path in (ROOT / "minigrad" / "viz").iterdir() if path.is_file() and path.name != "__init__.py"]
    named = [f"viz/{path.name.removesuffix('.py')}" for path in files]
    assert {name: part.count(f"`{name}`") for name in named} == dict.fromkeys(named, 1)

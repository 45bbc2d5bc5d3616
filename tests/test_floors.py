"""The floors of docs/architecture.md: every import points down, or to the same floor, but for the doors listed here."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS: list[tuple[str, ...]] = [
    ("errors", "spoken", "dtypes", "devices", "files", "kernels"),
    ("nodenames", "plans", "graph"),
    ("ops",),
    ("engine", "watching"),
    (
        "indexing",
        "printing",
        "arraylike",
        "methods",
        "operands",
        "tensor",
        "backward",
        "functions",
        "several",
        "creation",
        "typeinfo",
        "legacy",
        "random",
        "windows",
    ),
    ("autograd", "func", "viz", "profiler", "linalg", "special", "testing"),
    ("nn",),
    (
        "optim",
        "utils",
        "datasets",
        "distributions",
        "serialization",
        "interchange",
        "transforms",
        "images",
    ),
    ("__init__", "__main__", "compat"),
]
# From where to where a function of a lower floor may import from a higher one when it is called.
DOORS: set[tuple[str, str]] = {("arraylike", "interchange"), ("nn", "interchange"), ("methods", "viz")}
# Neighbours on one floor that do not know each other, and what a module never knows.
STRANGERS = {("autograd", "viz"), ("viz", "autograd"), ("graph", "numpy"), ("viz", "nn"), ("kernels", "graph")}
FILES = sorted((ROOT / "minigrad").rglob("*.py"))


def part(module: str) -> str:
    """Return what a dotted name is by the table of floors: the first name below minigrad, or a third party's name."""
    names = module.split(".")
    return names[0] if names[0] != "minigrad" else (names[1] if len(names) > 1 else "__init__")


def floor(name: str) -> int | None:
    return next((i for i, names in enumerate(FLOORS) if name in names), None)


def own_name(path: Path) -> str:
    return path.relative_to(ROOT / "minigrad").with_suffix("").parts[0]


def _is_module(dotted: str) -> bool:
    place = ROOT.joinpath(*dotted.split("."))
    return place.is_dir() or place.with_suffix(".py").exists()


def imports(tree: ast.Module) -> Iterator[tuple[str, bool, int]]:
    """Yield each imported module's dotted name, whether only a function or a type checker imports it, and the line."""
    inside: dict[int, bool] = {}
    for node in ast.walk(tree):
        hidden = isinstance(node, ast.FunctionDef) or (
            isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)
        )
        if hidden:
            inside |= {id(child): isinstance(node, ast.FunctionDef) for child in ast.walk(node)}
        kind = inside.get(id(node))
        if isinstance(node, ast.Import):
            yield from ((alias.name, bool(kind), node.lineno) for alias in node.names if kind is not False)
        elif isinstance(node, ast.ImportFrom) and kind is not False:
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield (full if _is_module(full) else str(node.module)), bool(kind), node.lineno


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path):
    here = own_name(path)
    height = floor(here)
    assert height is not None, f"{here} stands on no floor: give it one in docs/architecture.md and here"
    for module, in_function, line in imports(ast.parse(path.read_text())):
        there = part(module)
        where = f"{path.relative_to(ROOT)}:{line} imports {module}"
        assert (here, there) not in STRANGERS, where
        target = floor(there) if module.startswith("minigrad") else None
        if target is not None and target > height:
            assert in_function, f"{where}, which is on a higher floor"
            assert (here, there) in DOORS, f"{where}: a door to a higher floor that is not listed"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_numpy_is_imported_before_it_is_needed(path):
    import sys

    for module, in_function, line in imports(ast.parse(path.read_text())):
        first = module.split(".")[0]
        if not in_function and first not in sys.stdlib_module_names:
            assert first in ("minigrad", "numpy"), f"{path.relative_to(ROOT)}:{line} imports {module} at once"


def test_every_door_is_in_use():
    found = {
        (own_name(path), part(module))
        for path in FILES
        for module, in_function, _ in imports(ast.parse(path.read_text()))
        if in_function
    }
    assert found >= DOORS


def test_the_floors_are_those_of_the_architecture_page():
    page = (ROOT / "docs" / "architecture.md").read_text()
    missing = [name for names in FLOORS for name in names if f"`{name}" not in page and f"{name}/`" not in page]
    assert not missing

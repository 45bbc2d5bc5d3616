"""Build the reference from the docstrings: offline pages in out/docs, one for each public package, with a search.

Run `make docs`, or `python docs/reference.py [FOLDER]`; pdoc lays the pages out.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
import warnings
from pathlib import Path
from types import ModuleType

import pdoc

import minigrad
from minigrad.nn import names

# What programs import from. A package's page shows what it offers, wherever that is written.
PUBLIC = [
    "minigrad",
    "minigrad.nn",
    "minigrad.nn.functional",
    "minigrad.nn.init",
    "minigrad.nn.utils",
    "minigrad.nn.utils.rnn",
    "minigrad.linalg",
    "minigrad.func",
    "minigrad.autograd.functional",
    "minigrad.distributions",
    "minigrad.optim",
    "minigrad.optim.lr_scheduler",
    "minigrad.utils.data",
    "minigrad.autograd",
    "minigrad.viz",
    "minigrad.datasets",
    "minigrad.transforms",
    "minigrad.images",
    "minigrad.compat",
]
# A Tensor's methods stand in these, by subject.
METHODS = [
    "minigrad.arraylike",
    *(m.name for m in pkgutil.iter_modules(minigrad.methods.__path__, "minigrad.methods.")),
]


def offered(module: ModuleType) -> list[str]:
    """Return the public names of a module that are no modules, sorted."""
    inside = {n: getattr(module, n) for n in dir(module) if not n.startswith("_")}
    return sorted(n for n, x in inside.items() if not inspect.ismodule(x) and n != "annotations")


def preface() -> str:
    """Return the table of names that PyTorch spells in another way."""
    spelled = {n: getattr(names, n).__name__ for n in offered(names)}
    differing = [f"| `minigrad.nn.{n}` | `torch.nn.{theirs}` |" for n, theirs in spelled.items() if n != theirs]
    own = [
        "| `minigrad.debug` | none: notices writes through shared memory |",
        "| `minigrad.viz` | none: draws graphs |",
    ]
    head = (
        "Names are PyTorch's, `minigrad` in place of `torch`, but for these:\n\n| here | in PyTorch |\n| --- | --- |\n"
    )
    return head + "\n".join([*differing, *own])


def build(folder: Path) -> list[Path]:
    """Write the pages into `folder` and return their paths."""
    for name in PUBLIC:
        module = importlib.import_module(name)
        module.__all__ = offered(module)  # pdoc shows what this lists
    minigrad.__doc__ = f"{minigrad.__doc__}\n\n{preface()}"
    pdoc.render.configure(docformat="markdown", show_source=False, footer_text=f"minigrad {minigrad.__version__}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pdoc's, of annotations that only a type checker reads
        pdoc.pdoc(*PUBLIC, *METHODS, output_directory=folder)
    return sorted(folder.rglob("*.html"))


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "out/docs")
    print(f"{len(build(target))} pages; begin with {target / 'index.html'}")

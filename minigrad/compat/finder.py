"""Where `import torch` and `import torchvision` lead: to minigrad's own modules, and to stubs for what a CPU has not.

`torch.nn` is the module `minigrad.nn` itself under a second name, so that a class is the same class however it was
imported. Only the two topmost names are modules of their own: they show what PyTorch shows, and nothing of the inside.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import minigrad
from minigrad.spoken import speak_as

TORCH, TORCHVISION = "2.13.0+minigrad", "0.28.0+minigrad"
_STUBS = "minigrad.compat.stubs"
# What PyTorch has below `torch`, of the modules that minigrad has below `minigrad`.
_SHARED = (
    "autograd",
    "distributions",
    "fft",
    "func",
    "linalg",
    "nn",
    "optim",
    "profiler",
    "random",
    "serialization",
    "special",
    "testing",
    "utils",
)
_PLACES = {
    "torch.nn.modules": "minigrad.nn",
    "torch.nn.modules.sparse": "minigrad.nn.sparse",
    "torchvision.datasets": "minigrad.datasets",
    "torchvision.transforms": "minigrad.transforms",
    "torchvision.utils": "minigrad.images",
}
_shown: dict[str, str] = {}  # the name under which each of minigrad's modules was imported


class Torch(ModuleType):
    """The module that `import torch` gives: the public names of minigrad."""

    def __init__(self) -> None:
        super().__init__("torch", "minigrad under the name of torch.")
        self.__path__: list[str] = []
        self.__version__ = TORCH

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":  # what `from torch import *` takes
            return [n for n in dir(minigrad) if not n.startswith("_") and not _is_module(n)]
        if not name.startswith("__") and _place(f"torch.{name}") is not None:
            return importlib.import_module(f"torch.{name}")
        if name.startswith("__") or _is_module(name) or not hasattr(minigrad, name):
            raise AttributeError(missing("torch", name))
        return getattr(minigrad, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.__all__, *(n for n in _SHARED if _place(f"torch.{n}"))})


class Torchvision(ModuleType):
    """The module that `import torchvision` gives: data sets, transforms and pictures."""

    def __init__(self) -> None:
        super().__init__("torchvision", "The part of torchvision that minigrad has.")
        self.__path__: list[str] = []
        self.__version__ = TORCHVISION

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or f"torchvision.{name}" not in _PLACES:
            raise AttributeError(missing("torchvision", name))
        return importlib.import_module(f"torchvision.{name}")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(p.split(".")[1] for p in _PLACES if p.startswith("torchvision."))})


class Shared(ModuleType):
    """What a module of minigrad becomes when it is imported as one of PyTorch's: it says what it has not."""

    def __getattr__(self, name: str) -> Any:
        shown = _shown.get(self.__name__, self.__name__)
        if not name.startswith("__") and _place(f"{shown}.{name}") is not None:
            return importlib.import_module(f"{shown}.{name}")
        raise AttributeError(missing(shown, name))


_TOPS: dict[str, type[ModuleType]] = {"torch": Torch, "torchvision": Torchvision}


def missing(module: str, name: str) -> str:
    """Return the sentence for a name that `module` (as torch) has not, with the nearest that it has."""
    names = [n for n in dir(sys.modules.get(module)) if not n.startswith("_") and n != name]
    lowered = {n.lower(): n for n in names}
    near = difflib.get_close_matches(name, names, 1) or difflib.get_close_matches(name.lower(), lowered, 1)
    hint = f"; the nearest name there is {lowered.get(near[0], near[0])!r}" if near else ""
    return f"module {module!r} has no attribute {name!r} in minigrad {minigrad.__version__}{hint}"


def _is_module(name: str) -> bool:
    """Whether `minigrad.name` is a module, loaded or yet to be; those of PyTorch's are found by `_place`."""
    return isinstance(vars(minigrad).get(name), ModuleType) or minigrad._LATER.get(name, "").rpartition(".")[2] == name


def _place(name: str) -> str | None:
    """Return the module of minigrad that stands for `name`, such as torch.nn.functional; None if there is none."""
    head, _, rest = name.partition(".")
    above = max((p for p in _PLACES if name == p or name.startswith(p + ".")), key=len, default=None)
    if above is not None:
        candidates = [_PLACES[above] + name[len(above) :]]
    else:
        own = [f"minigrad.{rest}"] if rest.split(".")[0] in _SHARED else []
        candidates = [*own, f"{_STUBS}.{rest}"] if head == "torch" else []
    return next((c for c in candidates if _exists(c)), None)


def _exists(module: str) -> bool:
    try:
        return module in sys.modules or importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


class _Same(Loader):
    """Gives a module that exists already, unchanged, for a second name."""

    def __init__(self, real: str) -> None:
        self.real = real

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self.real)
        self.spec = module.__spec__
        _shown.setdefault(self.real, spec.name)
        if type(module) is ModuleType:
            module.__class__ = Shared
            _rename(vars(module).values())
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self.spec  # importing it under the second name has put another in its place


class _Top(Loader):
    """Makes the topmost module."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _TOPS[spec.name]()  # type: ignore[call-arg]

    def exec_module(self, module: ModuleType) -> None:
        pass


class Finder(MetaPathFinder):
    """Finds what is imported as `torch...` and `torchvision...`; stands before the finders of installed packages."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        """Return where the module is. Raises ModuleNotFoundError, with the nearest name, if minigrad has none."""
        if fullname in _TOPS:
            return ModuleSpec(fullname, _Top(), is_package=True)
        parent, _, name = fullname.rpartition(".")
        if parent.partition(".")[0] not in _TOPS:
            return None
        real = _place(fullname)
        if real is None:
            # Without its `name`, or `from torch import x` would drop this message and give its own.
            raise ModuleNotFoundError(missing(parent, name))
        # A package, with or without parts: for these Python looks `x` up as a module too in `from torch.nn import x`,
        # so that what is missing comes to `Absent`, which knows the nearest name.
        return ModuleSpec(fullname, _Same(real), is_package=True)


class Absent(MetaPathFinder):
    """Stands after all other finders, and raises for what is missing in a module that was imported as torch's."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        """Raise ModuleNotFoundError for a name in a module that is shared; return None for all else."""
        parent, _, name = fullname.rpartition(".")
        if parent in _shown and not _place_within(parent, name):
            raise ModuleNotFoundError(missing(_shown[parent], name))
        return None


def _place_within(parent: str, name: str) -> bool:
    return name.startswith("_") or _exists_stub(f"{_shown[parent]}.{name}")


def _exists_stub(name: str) -> bool:
    return name.startswith("torch.") and f"{_STUBS}.{name[6:]}" in sys.modules


def _rename(values: Iterable[Any]) -> None:
    """Let classes say that they are PyTorch's, for programs that print a type."""
    for value in values:
        if isinstance(value, type) and value.__module__.startswith("minigrad."):
            value.__module__ = _torch_module(value.__module__, value.__name__)


def _torch_module(module: str, name: str) -> str:
    if module.split(".")[1] not in _SHARED:
        return "torch" if hasattr(minigrad, name) else module
    path = module.split(".")[1:]
    inside = path[:1] == ["nn"] and len(path) == 2 and path[1] not in ("parameter", "init", "functional", "utils")
    return ".".join(["torch", "nn", "modules", *path[1:]] if inside else ["torch", *path])


def as_torch() -> ModuleType:
    """Make `import torch` and `import torchvision`, in all their forms, give minigrad from now on; return `torch`.

    Tensors print as PyTorch's do (`torch.Size`, `torch.float32`). A second call changes nothing. Raises ImportError if
    this process has imported the real torch or torchvision: two frameworks cannot share a name.
    """
    for name, kind in _TOPS.items():
        if name in sys.modules and not isinstance(sys.modules[name], kind):
            raise ImportError(
                f"as_torch: the real {name} is already imported in this process; call minigrad.as_torch() before "
                "anything imports it, or start anew (in a notebook: restart the kernel)"
            )
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())
        sys.meta_path.append(Absent())
        speak_as("torch")
        _rename(v for n, v in vars(minigrad).items() if not n.startswith("_"))
    return importlib.import_module("torch")

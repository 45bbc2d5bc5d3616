"""What functions of several results return: tuples whose parts have PyTorch's names. And NumPy's names of settings."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any, TypeVar

from minigrad.spoken import spoken

Function = TypeVar("Function", bound=Callable[..., Any])


def _result(name: str, fields: str) -> Any:
    """Return a class of tuples with named fields, which print as PyTorch's do."""

    def text(self: Any) -> str:
        parts = (f"{field}={value!r}" for field, value in zip(self._fields, self, strict=True))
        return f"{spoken()}.return_types.{name}(\n" + ",\n".join(parts) + ")"

    return type(name, (namedtuple(name, fields),), {"__repr__": text, "__slots__": (), "__module__": __name__})


_PAIRS = ("max", "min", "sort", "topk", "median", "nanmedian", "kthvalue", "mode", "cummax", "cummin")
_FIELDS = dict.fromkeys(_PAIRS, "values indices") | {
    "aminmax": "min max",
    "slogdet": "sign logabsdet",
    "frexp": "mantissa exponent",
    "histogram": "hist bin_edges",
    "qr": "Q R",
    "linalg_eigh": "eigenvalues eigenvectors",
    "linalg_qr": "Q R",
    "linalg_slogdet": "sign logabsdet",
    "svd": "U S V",
    "linalg_svd": "U S Vh",
    "linalg_lu": "P L U",
    "lu_unpack": "P L U",
    "linalg_lu_factor": "LU pivots",
    "linalg_lu_factor_ex": "LU pivots info",
    "linalg_inv_ex": "inverse info",
    "linalg_solve_ex": "result info",
    "linalg_cholesky_ex": "L info",
    "geqrf": "a tau",
    "triangular_solve": "solution cloned_coefficient",
    "linalg_lstsq": "solution residuals rank singular_values",
}


class _Results(dict[str, Any]):
    """The classes of results by the functions' names, each made when it is first needed."""

    def __missing__(self, name: str) -> Any:
        self[name] = found = _result(name, _FIELDS[name])
        return found


result_of = _Results()
NUMPY_NAMES = {"axis": "dim", "keepdims": "keepdim"}
_TO_READ = frozenset(("input", "out", *NUMPY_NAMES))  # what few calls have


def _named_as(call: Any, function: Any) -> Any:
    """Return `call` with the name, text and signature of `function`: there are hundreds, and this is quickly done."""
    call.__name__, call.__doc__, call.__wrapped__ = function.__name__, function.__doc__, function
    call.__module__, call.__qualname__ = function.__module__, function.__name__
    return call


def numpy_names(method: Function) -> Function:
    """Let a method that has `dim` and `keepdim` understand NumPy's `axis` and `keepdims` too."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs and not _TO_READ.isdisjoint(kwargs):
            kwargs = {NUMPY_NAMES.get(name, name): value for name, value in kwargs.items()}
        return method(*args, **kwargs)

    return _named_as(call, method)


def public(function: Function) -> Function:
    """Let a function or method understand `input=` for its first argument, `out=`, and NumPy's names."""

    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs and not _TO_READ.isdisjoint(kwargs):
            return _by_name(function, args, kwargs)
        return function(*args, **kwargs)

    return _named_as(call, function)


def _by_name(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    out = kwargs.pop("out", None)
    if "input" in kwargs:
        if "self" in function.__code__.co_varnames[1 : function.__code__.co_argcount]:  # as in where(condition, input)
            kwargs["self"] = kwargs.pop("input")
        else:
            args = (kwargs.pop("input"), *args)
    result = function(*args, **{NUMPY_NAMES.get(name, name): value for name, value in kwargs.items()})
    if out is None:
        return result
    if not isinstance(out, tuple | list):
        return out.resize_(result.shape).copy_(result)
    return type(result)(*(o.resize_(r.shape).copy_(r) for o, r in zip(out, result, strict=True)))

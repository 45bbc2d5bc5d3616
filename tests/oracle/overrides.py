"""Where a comparison with PyTorch's samples is not made as the databases have it, each with its reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from bridge import Unsupported


@dataclass(frozen=True)
class Skip:
    """Samples of an op that are not run: those for which `when(sample, way)` holds."""

    names: tuple[str, ...]
    reason: str
    when: Callable[[Any, str], bool] = lambda sample, way: True


@dataclass(frozen=True)
class Tolerance:
    """A tolerance of our own for an op in one dtype, single precision unless said."""

    names: tuple[str, ...]
    reason: str
    rtol: float
    atol: float
    dtype: torch.dtype = torch.float32


SKIPS: tuple[Skip, ...] = (
    Skip(
        ("nn.functional.batch_norm",),
        "a batch of one dim, which has no channels, is an error here",
        lambda sample, way: sample.input.ndim == 1,
    ),
    Skip(
        ("nn.functional.gaussian_nll_loss",),
        "losses refuse a target whose shape would broadcast (docs/differences.md)",
        lambda sample, way: sample.args[0].shape != sample.input.shape,
    ),
    Skip(
        ("as_strided:partial_views",),
        "what lies in memory before or behind an array that came from outside is not the tensor's",
        lambda sample, way: sample.kwargs.get("storage_offset") is not None,
    ),
    Skip(
        ("addbmm",),
        "PyTorch's in-place addbmm changes the shape of its tensor",
        lambda sample, way: way == "in place" and sample.broadcasts_input,
    ),
)

TOLERANCES: tuple[Tolerance, ...] = (
    Tolerance(
        ("pow", "__rpow__"),
        "the gradient sums terms of up to 1e7, each with a logarithm and a power that NumPy and PyTorch round apart",
        rtol=3e-6,
        atol=1e-5,
    ),
    Tolerance(
        ("Conv3d", "LazyConv3d", "ConvTranspose3d", "LazyConvTranspose3d"),
        "a gradient of a weight sums 150 products in another order than PyTorch's library does",
        rtol=1.3e-6,
        atol=4e-5,
    ),
    Tolerance(
        ("nn.functional.ctc_loss", "CTCLoss"),
        "the logarithm of a path's probability is about -150, of which single precision keeps 1e-5",
        rtol=1e-4,
        atol=1e-4,
    ),
    Tolerance(
        ("LBFGS",),
        "a step is up to twenty, each along quotients of small differences, which magnify the rounding",
        rtol=1e-4,
        atol=0.0,
    ),
    Tolerance(
        ("digamma", "polygamma:polygamma_n_0", "special.polygamma:special_polygamma_n_0", "special.log_ndtr"),
        "near a pole, or far down a tail: computed in double precision here, in single by PyTorch",
        rtol=3e-5,
        atol=1e-5,
    ),
    Tolerance(
        ("linalg.cond", "linalg.multi_dot"),
        "products of products of values of 10, summed in another order",
        rtol=5e-6,
        atol=6e-5,
    ),
    Tolerance(
        ("linalg.householder_product",),
        "products of up to five reflections with gradients of up to 1e3, summed in another order",
        rtol=5e-5,
        atol=5e-5,
    ),
    Tolerance(
        ("nn.functional.grid_sample",),
        "the slopes of sixteen weights all but cancel, summed in another order",
        rtol=1.3e-6,
        atol=3e-5,
    ),
    Tolerance(
        ("histogram",),
        "sums of 125 weights, in another order",
        rtol=1e-5,
        atol=3e-5,
    ),
    Tolerance(
        ("logcumsumexp",),
        "exponents are differences of values of 1e4, of which single precision keeps 1e-3",
        rtol=1e-2,
        atol=1e-2,
    ),
    Tolerance(
        ("matrix_exp",),
        "sums of powers as large as 1e5, in another order",
        rtol=1e-5,
        atol=1.0,
    ),
    Tolerance(
        ("svd", "linalg.svd"),
        "the gradient divides by differences of squared singular values, which magnifies the rounding of LAPACK's",
        rtol=1e-4,
        atol=1e-4,
    ),
    Tolerance(
        ("Transformer",),
        "layers of 4 features normalise values that all but cancel, which magnifies the rounding of either framework",
        rtol=1.3e-6,
        atol=1e-4,
    ),
)

# Of these, values are compared and gradients are not.
CONSTANTS: tuple[Skip, ...] = (
    Skip(
        ("bernoulli", "normal", "normal:number_mean"),
        "what is drawn is a constant here; PyTorch records a gradient of zeros",
    ),
    Skip(
        ("as_strided_scatter",),
        "PyTorch gives a gradient to what is written over, and none to the rest",
    ),
    Skip(
        ("nextafter",),
        "a step of rounding has no gradient; PyTorch records that it cannot say which",
    ),
    Skip(
        ("linalg.eigh",),
        "eigenvectors are unique up to their sign, which the libraries choose differently for the upper triangle",
        lambda sample, way: sample.kwargs.get("UPLO") == "U",
    ),
    Skip(
        ("linalg.pinv:hermitian",),
        "the samples are not symmetric, and PyTorch's gradient then mixes the triangle that is read with the other",
    ),
    Skip(
        ("linalg.lstsq", "linalg.lstsq:grad_oriented"),
        "the residuals are not in the graph here; the solution is",
    ),
    Skip(
        ("linalg.norm:subgradients_at_zero",),
        "at the zero matrix the spectral and the nuclear norm have no gradient here; PyTorch picks one of many",
        lambda sample, way: bool({2, -2, "nuc"} & {sample.args[0] if sample.args else sample.kwargs.get("ord")}),
    ),
    Skip(
        (
            "norm",
            "dist",
            "cdist",
            "nn.functional.pdist",
            "linalg.norm",
            "linalg.norm:subgradients_at_zero",
            "linalg.vector_norm",
        ),
        "the number of elements that are not 0 is a constant here; PyTorch records that it has no gradient",
        lambda sample, way: any(isinstance(v, int | float) and v == 0 for v in (*sample.args, *sample.kwargs.values())),
    ),
)

# Of these, an input is first made what the op takes it for, in both frameworks alike.
PREPARED: tuple[tuple[tuple[str, ...], str, Callable[[Any, Callable[..., Any]], Callable[..., Any]]], ...] = (
    (
        ("nn.functional.ctc_loss", "CTCLoss"),
        "PyTorch's gradient of the CTC loss takes its input for a log_softmax, and is right only together with one",
        lambda framework, f: lambda x, *args, **how: f(framework.log_softmax(x, -1), *args, **how),
    ),
    (
        ("cholesky_solve",),
        "PyTorch's gradient also fills the triangle that is not read",
        lambda framework, f: (
            lambda x, factor, upper=False: f(
                x, framework.triu(factor) if upper else framework.tril(factor), upper=upper
            )
        ),
    ),
)

# Of these, only shape and dtype mean anything: what uninitialised memory holds is nobody's promise.
ONLY_SHAPE = frozenset(("empty", "empty_like", "empty_strided", "new_empty_strided", "new_empty"))


class Overrides:
    """The tables above, by name."""

    def refuse(self, name: str, way: str, sample: Any) -> None:
        """Raise Unsupported with the reason if a sample is listed as not run."""
        for skip in SKIPS:
            if name in skip.names and skip.when(sample, way):
                raise Unsupported(skip.reason)

    def tolerance(self, name: str, dtype: torch.dtype) -> dict[str, float]:
        """Return the tolerance listed for an op, or nothing."""
        found = [t for t in TOLERANCES if name in t.names and t.dtype is dtype]
        return {"rtol": found[0].rtol, "atol": found[0].atol} if found else {}

    def constant(self, name: str, way: str, sample: Any) -> bool:
        """Return whether no gradient is compared."""
        return any(name in row.names and row.when(sample, way) for row in CONSTANTS)

    def prepared(self, name: str, framework: Any, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function as it is compared."""
        for names, _, change in PREPARED:
            if name in names:
                return change(framework, function)
        return function

    def only_shape(self, name: str) -> bool:
        """Return whether only shape and dtype mean anything."""
        return name in ONLY_SHAPE

    def names(self) -> set[str]:
        """Return every name that the tables mention."""
        return (
            {n for row in (*SKIPS, *CONSTANTS, *TOLERANCES) for n in row.names}
            | ONLY_SHAPE
            | {n for names, _, _ in PREPARED for n in names}
        )


OVERRIDES = Overrides()

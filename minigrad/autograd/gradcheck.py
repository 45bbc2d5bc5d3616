"""Comparing gradients with central differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minigrad.autograd.derivatives import grad
from minigrad.autograd.grad_mode import enable_grad
from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, GraphError
from minigrad.tensor import Tensor, wrap


def _outputs(function: Callable[..., Any], inputs: tuple[Any, ...]) -> list[Tensor]:
    returned = function(*inputs)
    outputs = [returned] if isinstance(returned, Tensor) else list(returned)
    return [y for y in outputs if y._data.dtype.kind == "f"]


def numerical_jacobian(
    function: Callable[..., Any], inputs: tuple[Any, ...], x: Tensor, eps: float = 1e-6
) -> list[Array]:
    """Return the (elements of x, elements of y) Jacobian of each output y of `function`, by central differences."""
    columns: list[list[Array]] = []
    for place in np.ndindex(x._data.shape):
        sides = []
        kept = x._data[place]
        for step in (eps, -eps):
            x._data[place] = kept + step
            sides.append([y._data.astype(np.float64).reshape(-1).copy() for y in _outputs(function, inputs)])
        x._data[place] = kept
        columns.append([(up - down) / (2 * eps) for up, down in zip(*sides, strict=True)])
    return [np.array(rows) for rows in zip(*columns, strict=True)]


def analytical_jacobian(output: Tensor, x: Tensor) -> Array:
    """Return the (elements of x, elements of output) Jacobian, one sweep per element of the output."""
    jacobian = np.zeros((x._data.size, output._data.size))
    for k in range(output._data.size if output.requires_grad else 0):
        seed = np.zeros(output._data.size, output._data.dtype)
        seed[k] = 1
        (g,) = grad(output, x, wrap(seed.reshape(output._data.shape)), retain_graph=True, allow_unused=True)
        if g is not None:
            jacobian[:, k] = g._data.reshape(-1)
    return jacobian


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Return whether the gradients of `func` at `inputs` equal central differences: |a - n| <= atol + rtol |n|.

    `inputs` is a tensor or a tuple; those that require grad are checked and should be float64. Where the two differ,
    GraphError says for which input and output, with both Jacobians; or False with `raise_exception=False`. The other
    arguments are PyTorch's and change nothing: every element is compared, whatever `fast_mode` says. Raises
    ArgumentError if gradients going forward are to be checked, which there are not.

    >>> import minigrad as mg
    >>> gradcheck(lambda x: x.tanh().sum(), mg.tensor([0.3, -2.0], dtype=mg.float64, requires_grad=True))
    True
    """
    _refuse_forward(check_forward_ad or check_batched_forward_grad)
    args = _arguments(inputs)
    for message in _mismatches(func, args, _checked(args, eps), eps, atol, rtol):
        if raise_exception:
            raise GraphError(message)
        return False
    return True


def _arguments(inputs: Any) -> tuple[Any, ...]:
    return (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)


def _checked(args: tuple[Any, ...], eps: float) -> list[tuple[int, Tensor]]:
    """Return the arguments whose gradients are compared, with their places. Raises ArgumentError if they cannot be."""
    checked = [(i, x) for i, x in enumerate(args) if isinstance(x, Tensor) and x.requires_grad]
    if not checked:
        raise ArgumentError("gradcheck expects at least one input tensor to require gradient, but none of them do")
    for i, x in checked:
        if x._data.dtype != np.float64:
            raise ArgumentError(f"gradcheck: input {i} is {x._data.dtype}; differences of {eps} need float64")
    return checked


def _mismatches(
    func: Callable[..., Any],
    args: tuple[Any, ...],
    checked: list[tuple[int, Tensor]],
    eps: float,
    atol: float,
    rtol: float,
) -> Iterator[str]:
    """Yield what is to be said of each pair of Jacobians that are not equal."""
    outputs = _outputs(func, args)
    for i, x in checked:
        for j, (y, n) in enumerate(zip(outputs, numerical_jacobian(func, args, x, eps), strict=False)):
            a = analytical_jacobian(y, x)
            if not np.allclose(a, n, rtol, atol, equal_nan=True):
                yield (
                    f"Jacobian mismatch for output {j} with respect to input {i}, by up to {np.abs(a - n).max():.3g}\n"
                    f"numerical:\n{n}\nanalytical:\n{a}"
                )


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """Return whether the second derivatives of `func` equal central differences of its first.

    `grad_outputs` weighs the outputs; by default numbers drawn in -1..1, as PyTorch draws them. The other arguments
    are those of `gradcheck`.
    """
    _refuse_forward(check_fwd_over_rev)
    args = _arguments(inputs)
    if grad_outputs is None:
        grad_outputs = [wrap(np.empty(y._data.shape)).uniform_(-1, 1) for y in _outputs(func, args)]
    weights = [w.requires_grad_() for w in _arguments(grad_outputs)]

    def first(*both: Any) -> tuple[Tensor, ...]:
        xs = both[: len(args)]
        wanted = [x for x in xs if isinstance(x, Tensor) and x.requires_grad]
        with enable_grad():
            found = grad(_outputs(func, xs), wanted, both[len(args) :], create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(first, (*args, *weights), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception)


def _refuse_forward(asked: bool) -> None:
    if asked:
        raise ArgumentError("gradcheck: there is no forward mode here to check; leave out the forward-mode checks")

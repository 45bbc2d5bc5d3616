"""How a tensor is written as text."""

from __future__ import annotations

from typing import Any

import numpy as np

_DEFAULTS = ("float32", "int64", "bool")


def tensor_text(tensor: Any) -> str:
    """Return `tensor(...)` with its values, and its dtype, grad_fn or requires_grad where these are not the usual."""
    array = tensor._data
    text = np.array2string(
        array,
        precision=4,
        separator=", ",
        prefix="tensor(",
        threshold=1000,
        floatmode="maxprec_equal",
        suppress_small=False,
    )
    if array.dtype.kind == "f" and array.size and np.all(array == np.trunc(array)) and np.all(np.abs(array) < 1e6):
        text = np.array2string(array, formatter={"float_kind": lambda v: f"{v:.0f}."}, separator=", ", prefix="tensor(")
    parts = [text]
    if array.size == 0 and array.shape != (0,):
        parts.append(f"size={array.shape}")
    if array.dtype.name not in _DEFAULTS:
        parts.append(f"dtype=minigrad.{array.dtype.name}")
    if tensor.grad_fn is not None:
        parts.append(f"grad_fn=<{grad_fn_name(tensor.grad_fn)}>")
    elif tensor.requires_grad:
        parts.append("requires_grad=True")
    return f"tensor({', '.join(parts)})"


def grad_fn_name(node: Any) -> str:
    """Return the name PyTorch gives the backward of an op.

    >>> from types import SimpleNamespace as N
    >>> grad_fn_name(N(op=N(name="log_softmax")))
    'LogSoftmaxBackward0'
    """
    return "".join(part.capitalize() for part in node.op.name.split("_")) + "Backward0"

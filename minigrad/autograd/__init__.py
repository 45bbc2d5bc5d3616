"""Differentiating: gradients as values, ops of one's own, switching recording off, checking against differences."""

from typing import Any as _Any

from minigrad.autograd.anomaly_mode import (
    detect_anomaly,
    is_anomaly_check_nan_enabled,
    is_anomaly_enabled,
    set_detect_anomaly,
)
from minigrad.autograd.derivatives import backward, grad
from minigrad.autograd.function import Function
from minigrad.autograd.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from minigrad.autograd.gradcheck import gradcheck, gradgradcheck
from minigrad.autograd.saved import debug
from minigrad.autograd.variable import Variable


def __getattr__(name: str) -> _Any:
    if name not in ("functional", "profiler"):  # loaded when they are first asked for
        raise AttributeError(f"module 'minigrad.autograd' has no attribute {name!r}")
    import importlib

    return importlib.import_module(f"minigrad.autograd.{name}")

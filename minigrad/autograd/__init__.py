"""Differentiating: gradients as values, ops of one's own, switching recording off, checking against differences."""

from minigrad.autograd.derivatives import backward, grad
from minigrad.autograd.function import Function
from minigrad.autograd.grad_mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from minigrad.autograd.gradcheck import gradcheck, gradgradcheck
from minigrad.autograd.saved import debug

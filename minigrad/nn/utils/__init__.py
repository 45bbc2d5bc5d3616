"""Helpers around the parameters of a model."""

from minigrad.nn.utils import rnn
from minigrad.nn.utils.gradients import (
    clip_grad_norm_,
    clip_grad_value_,
    parameters_to_vector,
    vector_to_parameters,
)

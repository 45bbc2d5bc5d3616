"""The op test table: every op with the calls it is tested by; all trust in the ops rests on it."""

from __future__ import annotations

import op_samples_convnd
import op_samples_curves
import op_samples_elementwise
import op_samples_factors
import op_samples_layers
import op_samples_loss
import op_samples_matrices
import op_samples_moving
import op_samples_placing
import op_samples_reduce
import op_samples_rnn
import op_samples_shape
import op_samples_sorting
from op_samples_base import Sample

SAMPLES: list[Sample] = [
    *op_samples_elementwise.samples(),
    *op_samples_shape.samples(),
    *op_samples_reduce.samples(),
    *op_samples_layers.samples(),
    *op_samples_loss.samples(),
    *op_samples_curves.samples(),
    *op_samples_matrices.samples(),
    *op_samples_moving.samples(),
    *op_samples_sorting.samples(),
    *op_samples_placing.samples(),
    *op_samples_factors.samples(),
    *op_samples_rnn.samples(),
    *op_samples_convnd.samples(),
]

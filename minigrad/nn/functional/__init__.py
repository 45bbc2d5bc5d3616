"""The layers as functions, with PyTorch's names and arguments; every number in them is computed by `minigrad.ops`."""

from minigrad.nn.functional.activation import (
    elu,
    gelu,
    leaky_relu,
    log_softmax,
    logsigmoid,
    relu,
    relu_,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)
from minigrad.nn.functional.attention import multi_head_attention_forward, scaled_dot_product_attention
from minigrad.nn.functional.dropout import dropout, dropout2d
from minigrad.nn.functional.linear import conv2d, embedding, linear
from minigrad.nn.functional.loss import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber_loss,
    l1_loss,
    mse_loss,
    nll_loss,
    smooth_l1_loss,
)
from minigrad.nn.functional.normalization import batch_norm, layer_norm, normalize
from minigrad.nn.functional.pooling import avg_pool2d, max_pool2d
from minigrad.ops.index import one_hot
from minigrad.ops.pad import pad

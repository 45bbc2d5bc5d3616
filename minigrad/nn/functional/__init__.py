"""The layers as functions, with PyTorch's names and arguments; every number in them is computed by `minigrad.ops`."""

from minigrad.nn.functional.activation import (
    celu,
    celu_,
    elu,
    elu_,
    gelu,
    glu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    hardtanh_,
    leaky_relu,
    leaky_relu_,
    logsigmoid,
    mish,
    prelu,
    relu,
    relu6,
    relu_,
    rrelu,
    rrelu_,
    selu,
    selu_,
    sigmoid,
    silu,
    softplus,
    softshrink,
    softsign,
    tanh,
    tanhshrink,
    threshold,
    threshold_,
)
from minigrad.nn.functional.adaptive import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    adaptive_max_pool3d,
)
from minigrad.nn.functional.attention import multi_head_attention_forward, scaled_dot_product_attention
from minigrad.nn.functional.ctc import ctc_loss
from minigrad.nn.functional.distance import cosine_similarity, pairwise_distance, pdist
from minigrad.nn.functional.dropout import (
    alpha_dropout,
    dropout,
    dropout1d,
    dropout2d,
    dropout3d,
    feature_alpha_dropout,
)
from minigrad.nn.functional.fold import fold, unfold
from minigrad.nn.functional.fractional import fractional_max_pool2d, fractional_max_pool3d
from minigrad.nn.functional.grid import affine_grid, grid_sample
from minigrad.nn.functional.groups import group_norm, instance_norm, local_response_norm, rms_norm
from minigrad.nn.functional.likelihood import gaussian_nll_loss, kl_div, poisson_nll_loss
from minigrad.nn.functional.linear import bilinear, linear
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
from minigrad.nn.functional.margin import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from minigrad.nn.functional.normalization import batch_norm, layer_norm, normalize
from minigrad.nn.functional.pooling import (
    avg_pool1d,
    avg_pool3d,
    lp_pool1d,
    lp_pool2d,
    lp_pool3d,
    max_pool1d,
    max_pool2d,
    max_pool3d,
    max_unpool1d,
    max_unpool2d,
    max_unpool3d,
)
from minigrad.nn.functional.resize import (
    channel_shuffle,
    interpolate,
    pixel_shuffle,
    pixel_unshuffle,
    upsample,
    upsample_bilinear,
    upsample_nearest,
)
from minigrad.nn.functional.softmax import gumbel_softmax, log_softmax, softmax, softmin
from minigrad.nn.functional.sparse import embedding, embedding_bag
from minigrad.ops.conv import conv2d
from minigrad.ops.convnd import conv1d, conv3d, conv_transpose1d, conv_transpose2d, conv_transpose3d
from minigrad.ops.index import one_hot
from minigrad.ops.pad import pad
from minigrad.ops.pool import avg_pool2d

"""Functions whose derivatives, of both orders, are held against central differences in double precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import graph
from minigrad.autograd import gradcheck
from minigrad.autograd.gradcheck import gradgradcheck
from minigrad.nn import functional as F

PLACES = mg.tensor([[[[0, 3], [8, 15]]]])
LINE = mg.tensor([[[1, 2]]])
CORNERS = mg.tensor([[[[[0]], [[17]]]]])
SIGN = mg.tensor([1.0, -1.0], dtype=mg.float64)

# name: function, shapes of what it is given
CALLS: dict[str, tuple[Any, tuple[tuple[int, ...], ...]]] = {
    "group_norm": (lambda x: F.group_norm(x, 2), ((2, 4, 3),)),
    "instance_norm": (F.instance_norm, ((2, 2, 4),)),
    "rms_norm": (lambda x, w: F.rms_norm(x, (3,), w), ((2, 3), (3,))),
    "local_response_norm": (lambda x: F.local_response_norm(x, 2), ((1, 3, 4),)),
    "bicubic": (lambda x: F.interpolate(x, scale_factor=1.5, mode="bicubic"), ((1, 1, 3, 4),)),
    "adaptive_max_pool2d": (lambda x: F.adaptive_max_pool2d(x, 2), ((1, 1, 3, 5),)),
    "adaptive_avg_pool2d": (lambda x: F.adaptive_avg_pool2d(x, 2), ((1, 1, 3, 5),)),
    "grid_sample": (lambda x, g: F.grid_sample(x, g.tanh(), align_corners=False), ((1, 1, 4, 4), (1, 2, 2, 2))),
    "mish": (F.mish, ((5,),)),
    "selu": (F.selu, ((5,),)),
    "celu": (F.celu, ((5,),)),
    "hardswish": (F.hardswish, ((5,),)),
    "fractional_max_pool2d": (
        lambda x: F.fractional_max_pool2d(x, 2, 2, _random_samples=mg.full((1, 2, 2), 0.3)),
        ((1, 2, 4, 5),),
    ),
    "fractional_max_pool3d": (
        lambda x: F.fractional_max_pool3d(x, 2, 2, _random_samples=mg.full((1, 1, 3), 0.3)),
        ((1, 1, 4, 3, 4),),
    ),
    "max_pool3d": (lambda x: F.max_pool3d(x, 2, 1), ((1, 1, 3, 3, 3),)),
    "max_unpool2d": (lambda x: F.max_unpool2d(x, PLACES, 2), ((1, 1, 2, 2),)),
    "lp_pool2d": (lambda x: F.lp_pool2d(x * x + 1, 3.0, 2), ((1, 1, 4, 4),)),
    "ctc_loss": (lambda x: F.ctc_loss(x.log_softmax(-1), mg.tensor([[1, 2]]), [4], [2]), ((4, 1, 3),)),
    "triplet_margin_loss": (F.triplet_margin_loss, ((2, 3), (2, 3), (2, 3))),
    "cosine_similarity": (F.cosine_similarity, ((2, 3), (2, 3))),
    "gaussian_nll_loss": (lambda x, t, v: F.gaussian_nll_loss(x, t, v * v + 0.1), ((3,), (3,), (3,))),
    "multilabel_margin_loss": (lambda x: F.multilabel_margin_loss(x, mg.tensor([1, 0, -1])), ((3,),)),
    "embedding_bag": (lambda w: F.embedding_bag(mg.tensor([[0, 1], [1, 1]]), w, mode="max"), ((3, 2),)),
    "bilinear": (F.bilinear, ((2, 3), (2, 4), (2, 3, 4))),
    "fold": (lambda x: F.fold(F.unfold(x, 2) ** 2, (3, 3), 2), ((1, 1, 3, 3),)),
    "pad": (lambda x: F.pad(x, (1, 2, 2, 1), "reflect") ** 2, ((1, 3, 4),)),
    "adaptive_max_pool1d": (lambda x: F.adaptive_max_pool1d(x, 2), ((1, 1, 5),)),
    "adaptive_max_pool3d": (lambda x: F.adaptive_max_pool3d(x, 2), ((1, 1, 3, 2, 3),)),
    "adaptive_avg_pool1d": (lambda x: F.adaptive_avg_pool1d(x, 2) ** 2, ((1, 1, 5),)),
    "adaptive_avg_pool3d": (lambda x: F.adaptive_avg_pool3d(x, 2) ** 2, ((1, 1, 3, 2, 3),)),
    "affine_grid": (lambda x: F.affine_grid(x, [1, 1, 2, 3], align_corners=False) ** 2, ((1, 2, 3),)),
    "avg_pool1d": (lambda x: F.avg_pool1d(x, 2, padding=1) ** 2, ((1, 2, 5),)),
    "avg_pool3d": (lambda x: F.avg_pool3d(x, 2, 1) ** 2, ((1, 1, 2, 3, 3),)),
    "channel_shuffle": (lambda x: F.channel_shuffle(x, 2) ** 2, ((1, 4, 2),)),
    "cosine_embedding_loss": (lambda x, y: F.cosine_embedding_loss(x, y, SIGN), ((2, 3), (2, 3))),
    "elu": (lambda x: F.elu(x, 0.5), ((5,),)),
    "glu": (F.glu, ((2, 4),)),
    "hardshrink": (lambda x: F.hardshrink(x, 0.3) ** 2, ((5,),)),
    "hardsigmoid": (lambda x: F.hardsigmoid(x * 4) ** 2, ((5,),)),
    "hardtanh": (lambda x: F.hardtanh(x) ** 2, ((5,),)),
    "hinge_embedding_loss": (lambda x: F.hinge_embedding_loss(x * x, SIGN), ((2,),)),
    "interpolate": (lambda x: F.interpolate(x, scale_factor=2, mode="bilinear") ** 2, ((1, 1, 2, 3),)),
    "kl_div": (lambda x, t: F.kl_div(x, t.exp(), reduction="batchmean"), ((2, 3), (2, 3))),
    "logsigmoid": (F.logsigmoid, ((5,),)),
    "lp_pool1d": (lambda x: F.lp_pool1d(x * x + 1, 3.0, 2), ((1, 1, 4),)),
    "lp_pool3d": (lambda x: F.lp_pool3d(x * x + 1, 3.0, 2), ((1, 1, 2, 2, 4),)),
    "margin_ranking_loss": (lambda x, y: F.margin_ranking_loss(x, y, SIGN, 0.5) ** 2, ((2,), (2,))),
    "max_pool1d": (lambda x: F.max_pool1d(x, 2) ** 2, ((1, 2, 5),)),
    "max_unpool1d": (lambda x: F.max_unpool1d(x, LINE, 2) ** 2, ((1, 1, 2),)),
    "max_unpool3d": (lambda x: F.max_unpool3d(x, CORNERS, (1, 3, 3)) ** 2, ((1, 1, 2, 1, 1),)),
    "multi_head_attention_forward": (lambda q: attended(q), ((3, 1, 4),)),
    "multi_margin_loss": (lambda x: F.multi_margin_loss(x, mg.tensor([1, 0]), p=2), ((2, 3),)),
    "multilabel_soft_margin_loss": (lambda x, t: F.multilabel_soft_margin_loss(x, t.sigmoid()), ((2, 3), (2, 3))),
    "pairwise_distance": (F.pairwise_distance, ((2, 3), (2, 3))),
    "pdist": (F.pdist, ((4, 3),)),
    "pixel_shuffle": (lambda x: F.pixel_shuffle(x, 2) ** 2, ((1, 4, 2, 2),)),
    "pixel_unshuffle": (lambda x: F.pixel_unshuffle(x, 2) ** 2, ((1, 1, 4, 2),)),
    "poisson_nll_loss": (lambda x, t: F.poisson_nll_loss(x, t.exp(), full=True), ((3,), (3,))),
    "prelu": (lambda x, w: F.prelu(x, w) ** 2, ((2, 3), (3,))),
    "relu6": (lambda x: F.relu6(x * 5) ** 2, ((5,),)),
    "rrelu": (lambda x: F.rrelu(x) ** 2, ((5,),)),
    "scaled_dot_product_attention": (F.scaled_dot_product_attention, ((1, 2, 3), (1, 4, 3), (1, 4, 3))),
    "soft_margin_loss": (lambda x: F.soft_margin_loss(x, SIGN), ((2,),)),
    "softmin": (lambda x: F.softmin(x, -1), ((2, 3),)),
    "softshrink": (lambda x: F.softshrink(x, 0.3) ** 2, ((5,),)),
    "softsign": (F.softsign, ((5,),)),
    "tanhshrink": (F.tanhshrink, ((5,),)),
    "threshold": (lambda x: F.threshold(x, 0.1, 2.0) ** 2, ((5,),)),
    "triplet_margin_with_distance_loss": (
        lambda a, p, n: F.triplet_margin_with_distance_loss(a, p, n, swap=True),
        ((2, 3), (2, 3), (2, 3)),
    ),
    "upsample_bilinear": (lambda x: mg.nn.UpsamplingBilinear2d(scale_factor=2)(x) ** 2, ((1, 1, 2, 3),)),
    "upsample_nearest": (lambda x: mg.nn.UpsamplingNearest2d(scale_factor=2)(x) ** 2, ((1, 1, 2, 3),)),
}
# Not in the table: what draws numbers, and what only warns and calls another.
OTHERS = {
    *(f"dropout{n}" for n in ("", "1d", "2d", "3d")),
    "alpha_dropout",
    "feature_alpha_dropout",
    "gumbel_softmax",
    "upsample",
}


def attended(query: Any) -> Any:
    """Return attention of `query` to itself, with one head of two features each and weights that are constants."""
    weights = mg.tensor(np.random.default_rng(1).normal(size=(16, 4)))
    return F.multi_head_attention_forward(
        query, query, query, 4, 2, weights[:12], None, None, None, False, 0.0, weights[12:], None, need_weights=False
    )[0]


def test_every_function_is_held_against_them():
    public = {name for name, f in vars(F).items() if name[0] != "_" and name[-1] != "_" and hasattr(f, "__code__")}
    tested = {*CALLS, *OTHERS, *graph.primitives, *graph.composites}
    assert public - tested == set()
    assert public >= OTHERS


@pytest.mark.parametrize("name", CALLS)
def test_derivatives_are_the_central_differences(name):
    function, shapes = CALLS[name]
    rng = np.random.default_rng(0)
    inputs = [mg.tensor(rng.normal(size=shape)).requires_grad_() for shape in shapes]
    assert gradcheck(function, inputs)
    assert gradgradcheck(function, inputs)

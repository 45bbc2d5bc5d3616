"""Functions whose derivatives, of both orders, are held against central differences in double precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.autograd import gradcheck
from minigrad.autograd.gradcheck import gradgradcheck
from minigrad.nn import functional as F

PLACES = mg.tensor([[[[0, 3], [8, 15]]]])

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
}


@pytest.mark.parametrize("name", CALLS)
def test_derivatives_are_the_central_differences(name):
    function, shapes = CALLS[name]
    rng = np.random.default_rng(0)
    inputs = [mg.tensor(rng.normal(size=shape)).requires_grad_() for shape in shapes]
    assert gradcheck(function, inputs)
    assert gradgradcheck(function, inputs)

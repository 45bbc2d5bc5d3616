"""Functions that no layer calls, or not in every way, against PyTorch: values and gradients in one table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.nn import functional as F

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = pytest.mark.oracle

RNG = np.random.default_rng(8)
GRID = RNG.uniform(-1.4, 1.4, (2, 4, 3, 2)).astype(np.float32)
POINTS = RNG.uniform(-1.4, 1.4, (2, 2, 3, 4, 3)).astype(np.float32)
IMAGES, SEQUENCES, VOLUMES = (2, 3, 5, 6), (2, 3, 7), (2, 3, 4, 5, 6)
SAMPLINGS = [
    (m, p, a)
    for m in ("bilinear", "nearest", "bicubic")
    for p in ("zeros", "border", "reflection")
    for a in (True, False)
]

# name, inputs (shapes, drawn normally, or arrays), other arguments
CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    *(("grid_sample", (IMAGES, GRID), dict(zip(("mode", "padding_mode", "align_corners"), s, strict=True)))
      for s in SAMPLINGS),
    ("grid_sample", (VOLUMES, POINTS), {"align_corners": False}),
    ("grid_sample", (VOLUMES, POINTS), {"align_corners": True, "padding_mode": "reflection"}),
    ("affine_grid", ((2, 2, 3),), {"size": (2, 1, 4, 5), "align_corners": False}),
    ("affine_grid", ((2, 2, 3),), {"size": (2, 1, 4, 5), "align_corners": True}),
    ("affine_grid", ((2, 3, 4),), {"size": (2, 1, 3, 4, 5), "align_corners": False}),
    ("pdist", ((6, 3),), {}),
    ("pdist", ((6, 3),), {"p": 1.0}),
    ("pdist", ((1, 3),), {}),
    ("cosine_similarity", ((1, 2, 3), (2, 1, 3)), {"dim": -2}),
    ("cosine_similarity", ((4, 5), (4, 5)), {"eps": 2.5}),
    ("pairwise_distance", ((4, 5), (4, 5)), {"p": 3.0, "keepdim": True}),
    ("conv1d", (SEQUENCES, (4, 3, 2), (4,)), {"stride": (2,), "padding": (1,)}),
    ("conv3d", (VOLUMES, (4, 3, 2, 2, 2)), {"padding": "valid"}),
    ("conv_transpose2d", (IMAGES, (3, 2, 3, 3), (2,)), {"stride": 2, "padding": 1, "output_padding": 1}),
    ("unfold", ((0, 1, 5, 5), ), {"kernel_size": 2}),
    ("avg_pool3d", ((0, 1, 4, 5, 4), ), {"kernel_size": (2, 3, 1)}),
    ("pixel_unshuffle", ((2, 4, 2, 2), ), {"downscale_factor": 2}),
    ("pad", ((1, 3, 4, 4),), {"pad": (-1, 1, -2, 1), "mode": "circular"}),
    ("pad", (IMAGES,), {"pad": (1, 2, 3, 4, 1, 1), "value": 2.5}),
    ("pad", (SEQUENCES,), {"pad": (3, 2), "mode": "reflect"}),
    ("group_norm", ((0, 4, 3),), {"num_groups": 2}),
    ("upsample_nearest", (IMAGES,), {"scale_factor": 2}),
    ("upsample_bilinear", (IMAGES,), {"size": (7, 3)}),
    ("upsample", (IMAGES,), {"scale_factor": 2, "mode": "bicubic"}),
    ("interpolate", (VOLUMES,), {"scale_factor": (2, 1.5, 0.5), "mode": "trilinear"}),
    *(("interpolate", (IMAGES,), {"mode": m, "antialias": True, "align_corners": a, **how})
      for m in ("bilinear", "bicubic") for a in (True, False)
      for how in ({"size": (3, 8)}, {"scale_factor": (0.4, 1.7)})),
    ("interpolate", ((1, 1, 1, 1),), {"size": (3, 4), "mode": "bilinear", "align_corners": True}),
    ("prelu", ((5,), (1,)), {}),
    ("softmin", ((3, 4),), {"dim": 0}),
    ("multi_margin_loss", ((5,), np.array([2])), {}),
    ("rms_norm", ((3, 4), ), {"normalized_shape": (4,)}),
    ("kl_div", ((3, 4), (3, 4)), {"reduction": "sum", "log_target": True}),
]  # fmt: skip


def called(framework: Any, name: str, inputs: tuple[Any, ...], settings: dict[str, Any]) -> list[np.ndarray | None]:
    """Return the value, and the gradients of the float inputs."""
    rng = np.random.default_rng(2)
    arrays = [rng.normal(size=x).astype(np.float32) if isinstance(x, tuple) else x for x in inputs]
    tensors = [framework.tensor(a) for a in arrays]
    for t, a in zip(tensors, arrays, strict=True):
        t.requires_grad_(a.dtype.kind == "f")
    y = getattr(framework.nn.functional, name)(*tensors, **settings)
    y.backward(framework.tensor(np.random.default_rng(5).normal(size=tuple(y.shape)).astype(np.float32)))
    return [y.detach().numpy(), *(None if t.grad is None else t.grad.numpy() for t in tensors)]


@pytest.mark.parametrize(("name", "inputs", "settings"), CALLS, ids=str)
@pytest.mark.filterwarnings("ignore:`nn.functional.upsample:UserWarning")
@pytest.mark.filterwarnings("ignore:.*is deprecated. Use.*interpolate:UserWarning")
def test_functions_are_those_of_pytorch(name, inputs, settings):
    ours, theirs = called(mg, name, inputs, settings), called(torch, name, inputs, settings)
    for a, b in zip(ours, theirs, strict=True):
        if a is None or b is None:  # what has no gradient has none here, and zeros in PyTorch
            assert a is None
            assert b is None or not b.any()
        else:
            assert (a.shape, a.dtype) == (b.shape, b.dtype)
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5 * max(1.0, float(np.abs(b).max(initial=0))))


REFUSED = [
    (lambda x: F.conv1d(x, mg.ones(2, 2, 2)), r"conv1d: Given groups=1, weight of size \[2, 2, 2\], expected input"),
    (lambda x: F.conv1d(x[0, 0], mg.ones(2, 3, 2)), r"Expected 2D \(unbatched\) or 3D \(batched\) input to conv1d"),
    (lambda x: F.conv_transpose1d(x, mg.ones(3, 2, 2), output_padding=1), r"output padding must be smaller than"),
    (lambda x: F.conv_transpose1d(x, mg.ones(2, 2, 2)), r"Given transposed=1, weight of size \[2, 2, 2\]"),
    (lambda x: F.conv_transpose1d(x, mg.ones(3, 2, 1), padding=4), r"Output size is too small"),
    (lambda x: F.interpolate(x), r"only one of size or scale_factor should be defined"),
    (lambda x: F.interpolate(x, 3, mode="bilinear"), r"mode 'bilinear' needs a 4D input"),
    (lambda x: F.interpolate(x, 3, align_corners=True), r"align_corners option can only be set with"),
    (lambda x: F.interpolate(x, 3, antialias=True), r"restricted to bilinear and bicubic modes"),
    (lambda x: F.interpolate(x, (3, 4)), r"same number of spatial dimensions"),
    (lambda x: F.adaptive_avg_pool1d(x[0, 0], 2), r"adaptive_avg_pool1d: Expected 2D or 3D"),
    (lambda x: F.pixel_shuffle(x, 2), r"divisible by the square of upscale_factor"),
    (lambda x: F.fold(x, (4, 4), 2), r"expected input of shape \(N, C \* 4, 9\)"),
    (lambda x: F.unfold(x, 9), r"leave no window at all"),
    (lambda x: F.group_norm(x, 2), r"divisible by num_groups"),
    (lambda x: F.instance_norm(x[:, :, :1]), r"Expected more than 1 spatial element"),
    (lambda x: F.rms_norm(x, (3,)), r"expected input with shape \[\*, 3\]"),
    (lambda x: F.glu(x), r"Halving dimension must be even"),
    (lambda x: F.hardtanh(x, 1.0, -1.0), r"min_val cannot be greater than max_val"),
    (lambda x: F.prelu(x, mg.ones(2)), r"Mismatch of parameter numbers and input channel size"),
    (lambda x: F.softshrink(x, -1.0), r"lambda must be greater or equal to 0"),
    (lambda x: F.cosine_embedding_loss(x, x, mg.ones(2)), r"1D target tensor expects 2D input tensors"),
    (lambda x: F.gaussian_nll_loss(x, x, mg.ones(2)), r"var is of incorrect size"),
    (lambda x: F.gaussian_nll_loss(x, x, -x * x), r"var has negative entry"),
    (lambda x: F.multi_margin_loss(x[0], mg.tensor([1, 2]), p=1), r"inconsistent target size"),
    (lambda x: F.triplet_margin_loss(x, x, x, margin=0), r"margin must be greater than 0"),
    (lambda x: F.kl_div(x, x[:1]), r"losses do not broadcast"),
    (lambda x: F.ctc_loss(x, mg.tensor([[1]]), [9], [1]), r"need 3 input and target lengths"),
    (lambda x: F.embedding_bag(mg.tensor([1]), mg.ones(2, 2)), r"1D with offsets a 1D Tensor"),
    (lambda x: F.bilinear(x, x, mg.ones(1, 2, 2)), r"do not fit the weight"),
    (lambda x: F.grid_sample(x, x), r"expected input \(N, C, H, W\) and grid"),
    (lambda x: F.dropout3d(x), r"dropout3d: Expected 4D or 5D input"),
    (lambda x: F.max_unpool1d(x, mg.tensor(np.full((2, 3, 7), 99)), 1), r"invalid max index"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_what_is_refused(call, message):
    with pytest.raises(mg.errors.MinigradError, match=message):
        call(mg.ones(2, 3, 7))


def test_the_plain_mean_of_a_divergence_warns():
    with pytest.warns(UserWarning, match="'batchmean' divides only by the batch size"):
        F.kl_div(mg.zeros(2, 2), mg.ones(2, 2))


def test_prelu_at_inf_keeps_the_gradient_of_its_weight():
    def run(t):
        x = t.tensor([t.inf, -1.0, 2.0, 0.0], requires_grad=True)
        weight = t.tensor([0.25], requires_grad=True)
        return t.autograd.grad(t.nn.functional.prelu(x, weight).sum(), (x, weight))

    for ours, theirs in zip(run(mg), run(torch), strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy())

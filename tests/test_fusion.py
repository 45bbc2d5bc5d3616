"""Batch norms merged into the layer before them: the same outputs, and PyTorch's weights."""

import numpy as np
import pytest

import minigrad as mg

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = pytest.mark.oracle

LAYERS = {
    "conv": (lambda nn: nn.Conv2d(2, 3, 2), lambda nn: nn.BatchNorm2d(3), (2, 2, 4, 4), {}),
    "no bias": (lambda nn: nn.Conv2d(2, 3, 2, bias=False), lambda nn: nn.BatchNorm2d(3), (2, 2, 4, 4), {}),
    "not affine": (lambda nn: nn.Conv1d(2, 3, 2), lambda nn: nn.BatchNorm1d(3, affine=False), (2, 2, 4), {}),
    "transposed": (
        lambda nn: nn.ConvTranspose2d(2, 3, 2), lambda nn: nn.BatchNorm2d(3), (2, 2, 4, 4), {"transpose": True},
    ),
    "linear": (lambda nn: nn.Linear(2, 3), lambda nn: nn.BatchNorm1d(3), (4, 2), {}),
}  # fmt: skip


def fused(t, case):
    """Return the weights of the fused layer, its outputs, and those of the two layers."""
    layer, norm, shape, how = LAYERS[case]
    t.manual_seed(0)
    layer, norm = layer(t.nn), norm(t.nn)
    norm(layer(t.randn(*shape)))  # so that the running statistics are not those of the start
    layer.eval(), norm.eval()
    x = t.randn(*shape)
    utils = t.nn.utils.fusion if t is torch else t.nn.utils
    merged = (utils.fuse_linear_bn_eval if case == "linear" else utils.fuse_conv_bn_eval)(layer, norm, **how)
    return [y.detach().numpy() for y in (merged.weight, merged.bias, merged(x), norm(layer(x)))]


@pytest.mark.parametrize("case", LAYERS)
def test_a_fused_layer_does_what_two_did(case):
    ours, theirs = fused(mg, case), fused(torch, case)
    np.testing.assert_allclose(ours[2], ours[3], rtol=1e-5, atol=1e-6)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_layers_in_training_are_not_fused():
    nn = mg.nn
    with pytest.raises(ValueError, match="only for eval"):
        nn.utils.fuse_conv_bn_eval(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2))
    with pytest.raises(ValueError, match="keeps running statistics"):
        nn.utils.fuse_conv_bn_eval(nn.Conv2d(1, 2, 1).eval(), nn.BatchNorm2d(2, track_running_stats=False).eval())
    with pytest.raises(ValueError, match=r"linear\.out_features == bn\.num_features"):
        nn.utils.fuse_linear_bn_eval(nn.Linear(1, 2).eval(), nn.BatchNorm1d(3).eval())

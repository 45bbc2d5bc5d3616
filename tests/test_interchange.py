"""Tensors, models and files go to PyTorch and come from it."""

from __future__ import annotations

import sys
import types
from collections import OrderedDict

import numpy as np
import pytest
import safetensors.numpy

import minigrad as mg
from minigrad import nn
from minigrad.errors import ArgumentError, DataError

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = pytest.mark.oracle


def network(n):
    """Return a network of the layers of `n`, torch.nn or minigrad.nn."""
    return n.Sequential(
        OrderedDict(
            conv=n.Conv2d(2, 4, 3, stride=2, padding=1, bias=False),
            norm=n.BatchNorm2d(4, eps=1e-3, momentum=0.2),
            act=n.LeakyReLU(0.1),
            pool=n.MaxPool2d(2, stride=1),
            flat=n.Flatten(),
            drop=n.Dropout(0.3),
            head=n.Sequential(n.Linear(36, 8), n.LayerNorm(8, eps=1e-4), n.GELU(), n.Linear(8, 3)),
        )
    )


def images(count=5):
    return np.random.default_rng(0).normal(size=(count, 2, 8, 8)).astype(np.float32)


def logits(model, framework):
    with framework.no_grad():
        return model(framework.from_numpy(images())).numpy()


def settled(framework, n):
    """Return a network whose running statistics have moved, for evaluation."""
    framework.manual_seed(3)
    model = network(n)
    model(framework.from_numpy(images(7)))
    return model.eval()


@pytest.mark.parametrize("name", ["float32", "float64", "float16", "int64", "int32", "uint8", "bool"])
def test_tensors_share_their_memory_both_ways(name):
    theirs = torch.zeros(2, 3, dtype=getattr(torch, name))
    ours = mg.from_torch(theirs)
    back = ours.to_torch()
    theirs[0, 1] = 1
    assert str(ours.dtype) == f"minigrad.{name}"
    assert back.dtype is theirs.dtype
    assert ours.tolist() == back.tolist() == theirs.tolist()


def test_what_requires_grad_still_does_and_the_rest_of_a_tree_stays():
    tree = {"a": [torch.ones(2, requires_grad=True), 1], "b": (None, "x", torch.ones(1).mul(2.0))}
    ours = mg.from_torch(tree)
    assert (ours["a"][0].requires_grad, ours["b"][2].requires_grad, ours["a"][1]) == (True, False, 1)
    assert isinstance(ours["a"][0], mg.Tensor)
    assert mg.to_torch(ours)["a"][0].requires_grad
    with pytest.raises(ArgumentError, match="got set"):
        mg.from_torch({1})


def test_a_model_from_torch_gives_its_logits_and_goes_back():
    theirs = settled(torch, torch.nn)
    theirs.conv.weight.requires_grad_(False)
    theirs.drop.train()
    ours = mg.from_torch(theirs)
    assert repr(ours) == repr(theirs)
    assert [p.requires_grad for p in ours.parameters()] == [p.requires_grad for p in theirs.parameters()]
    assert [m.training for m in ours.modules()] == [m.training for m in theirs.modules()]
    theirs.eval(), ours.eval()
    np.testing.assert_allclose(logits(ours, mg), logits(theirs, torch), atol=1e-5)
    back = mg.to_torch(ours)
    assert repr(back) == repr(theirs)
    np.testing.assert_allclose(logits(back, torch), logits(theirs, torch), atol=1e-6)


def test_a_model_is_a_copy():
    theirs = torch.nn.Linear(2, 2)
    ours = mg.from_torch(theirs)
    before = ours.weight.tolist()
    with torch.no_grad():
        theirs.weight.add_(1)
    assert ours.weight.tolist() == before


def test_lists_of_layers():
    theirs = torch.nn.ModuleDict({"a": torch.nn.ModuleList([torch.nn.Linear(2, 3), torch.nn.ReLU()])})
    ours = mg.from_torch(theirs)
    assert repr(ours) == repr(theirs)
    assert repr(mg.to_torch(ours)) == repr(theirs)


def test_a_model_of_ones_own_class_is_told_what_to_do():
    class Own(torch.nn.Module):
        pass

    class OwnLinear(nn.Linear):
        pass

    with pytest.raises(ArgumentError, match=r"Own is not a layer .* from_torch\(model.state_dict\(\)\)"):
        mg.from_torch(torch.nn.Sequential(Own()))
    with pytest.raises(ArgumentError, match=r"OwnLinear is not a layer .* to_torch\(model.state_dict\(\)\)"):
        mg.to_torch(OwnLinear(1, 1))


def test_where_minigrad_runs_as_torch_the_real_one_is_out_of_reach(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", types.SimpleNamespace(__version__="2.13.0+minigrad"))
    with pytest.raises(ImportError, match="to_torch: in this program minigrad runs as torch"):
        mg.to_torch(mg.ones(1))


def test_where_torch_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="from_torch needs PyTorch: pip install torch"):
        mg.from_torch(None)


def test_a_file_of_ours_loads_in_torch(tmp_path):
    from safetensors.torch import load_file

    ours = settled(mg, nn)
    mg.save(ours.state_dict(), tmp_path / "x.pt")
    theirs = network(torch.nn)
    theirs.load_state_dict(load_file(tmp_path / "x.pt"))
    np.testing.assert_allclose(logits(ours, mg), logits(theirs.eval(), torch), atol=1e-5)


def test_a_file_of_torch_loads_in_ours(tmp_path):
    from safetensors.torch import save_file

    theirs = settled(torch, torch.nn)
    save_file(theirs.state_dict(), tmp_path / "x.safetensors")
    ours = network(nn)
    ours.load_state_dict(mg.load(tmp_path / "x.safetensors"))
    np.testing.assert_allclose(logits(ours.eval(), mg), logits(theirs, torch), atol=1e-5)


def test_what_torch_saved_with_pickle_is_refused_with_the_way_out(tmp_path):
    torch.save(torch.nn.Linear(1, 1).state_dict(), tmp_path / "x.pt")
    with pytest.raises(DataError, match=r"save_file\(model.state_dict\(\), path\)"):
        mg.load(tmp_path / "x.pt")
    safetensors.numpy.save_file({"w": np.ones(1)}, tmp_path / "y.pt")
    assert mg.load(tmp_path / "y.pt")["w"].tolist() == [1.0]

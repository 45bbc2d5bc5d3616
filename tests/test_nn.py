"""Modules and layers: against PyTorch in values, gradients, keys, reprs and first weights; and what they refuse."""

from __future__ import annotations

import copy
import math
import pickle
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import graph, nn, random
from minigrad.autograd import gradcheck, no_grad
from minigrad.errors import ArgumentError, DTypeError, OutOfRangeError, ShapeError, StateDictError
from minigrad.nn import functional as F
from minigrad.nn import init

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="the oracle is not installed")


def floats(*shape: int) -> Any:
    return RNG.standard_normal(shape).astype(np.float32)


def bits(a: Any, b: Any) -> bool:
    return np.array_equal(a.detach().numpy(), b.detach().numpy())


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Dense(3, 4), nn.ReLU())
        self.head = nn.Dense(4, 2)
        self.register_buffer("seen", mg.zeros(()))
        self.register_buffer("scratch", mg.zeros(2), persistent=False)

    def forward(self, x: Any) -> Any:
        return self.head(self.body(x))


# --- layers against PyTorch ---

IMAGE, ROWS = (2, 4, 6, 7), (5, 4)
LAYERS: list[tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]] = [
    ("Linear", (4, 3), {}, ROWS),
    ("Linear", (4, 3), {"bias": False}, (2, 5, 4)),
    ("Conv2d", (4, 6, 3), {}, IMAGE),
    ("Conv2d", (4, 6, (3, 2)), {"stride": (2, 1), "padding": (1, 0), "dilation": (1, 2), "bias": False}, IMAGE),
    ("Conv2d", (4, 6, 3), {"groups": 2, "padding": "same"}, IMAGE),
    ("Conv2d", (4, 6, (2, 4)), {"padding": "same", "dilation": (1, 2)}, IMAGE),
    ("Conv2d", (4, 6, 3), {"padding": "valid", "dilation": 2}, IMAGE),
    ("MaxPool2d", (2,), {}, IMAGE),
    ("MaxPool2d", (3, 2, 1), {"ceil_mode": True}, IMAGE),
    ("AvgPool2d", (2,), {}, IMAGE),
    ("AvgPool2d", (3, 2, 1), {"count_include_pad": False}, IMAGE),
    ("BatchNorm1d", (4,), {}, ROWS),
    ("BatchNorm1d", (4,), {"affine": False}, (5, 4, 3)),
    ("BatchNorm2d", (4,), {"momentum": None, "eps": 1e-3}, IMAGE),
    ("BatchNorm2d", (4,), {"track_running_stats": False}, IMAGE),
    ("BatchNorm2d", (4,), {"bias": False}, IMAGE),
    ("BatchNorm3d", (4,), {"momentum": 0.3}, (2, 4, 3, 2, 2)),
    ("LayerNorm", (4,), {}, ROWS),
    ("LayerNorm", ([6, 7],), {"bias": False}, IMAGE),
    ("LayerNorm", (4,), {"elementwise_affine": False, "eps": 1e-3}, ROWS),
    ("Dropout", (), {}, ROWS),
    ("Dropout", (0.2,), {}, IMAGE),
    ("Dropout", (0.0,), {}, ROWS),
    ("Dropout", (1.0,), {}, ROWS),
    ("Dropout2d", (0.4,), {}, IMAGE),
    ("Flatten", (), {}, IMAGE),
    ("Flatten", (0, 2), {}, IMAGE),
    ("Unflatten", (1, (2, 2)), {}, IMAGE),
    ("Identity", (3,), {"any": 1}, ROWS),
    ("ReLU", (), {}, ROWS),
    ("LeakyReLU", (), {}, ROWS),
    ("LeakyReLU", (0.3,), {}, ROWS),
    ("GELU", (), {}, ROWS),
    ("GELU", ("tanh",), {}, ROWS),
    ("SiLU", (), {}, ROWS),
    ("Softplus", (), {}, ROWS),
    ("Softplus", (2.0, 1.0), {}, ROWS),
    ("ELU", (), {}, ROWS),
    ("ELU", (0.5,), {}, ROWS),
    ("Sigmoid", (), {}, ROWS),
    ("LogSigmoid", (), {}, ROWS),
    ("Tanh", (), {}, ROWS),
    ("Softmax", (1,), {}, ROWS),
    ("LogSoftmax", (-1,), {}, IMAGE),
]


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")  # PyTorch's own
@pytest.mark.parametrize(("name", "args", "options", "shape"), LAYERS, ids=str)
def test_layers_agree_with_pytorch(torch: Any, name: str, args: Any, options: Any, shape: Any) -> None:
    layers, x, gradient = [], floats(*shape), None
    for lib in (mg, torch):
        lib.manual_seed(7)
        layers.append(getattr(lib.nn, name)(*args, **options))
    ours, theirs = layers
    assert repr(ours) == repr(theirs)
    assert [(k, tuple(v.shape), v.dtype.itemsize) for k, v in ours.state_dict().items()] == [
        (k, tuple(v.shape), v.dtype.itemsize) for k, v in theirs.state_dict().items()
    ]
    assert all(bits(a, b) for a, b in zip(ours.parameters(), theirs.parameters(), strict=True))
    for training in (True, True, False):
        results = []
        for lib, layer in ((mg, ours), (torch, theirs)):
            given = lib.tensor(x, requires_grad=True)
            layer.train(training).zero_grad()
            y = layer(given)
            gradient = floats(*y.shape) if gradient is None else gradient
            y.backward(lib.tensor(gradient))
            grads = [p.grad for p in layer.parameters()]
            results.append([t.detach().numpy() for t in (y, given.grad, *grads, *layer.buffers())])
        for a, b in zip(*results, strict=True):
            assert a.dtype == b.dtype
            torch.testing.assert_close(torch.tensor(a), torch.tensor(b), rtol=1e-5, atol=1e-5 * max(abs(b).max(), 0.1))


@pytest.mark.oracle
@pytest.mark.parametrize("padding", [None, 2, -1])
def test_embedding_agrees_with_pytorch(torch: Any, padding: int | None) -> None:
    index = np.array([[1, 2, 2], [9, 0, 2]])
    results = []
    for lib in (mg, torch):
        lib.manual_seed(3)
        layer = lib.nn.Embedding(10, 4, padding_idx=padding)
        y = layer(lib.tensor(index))
        (y * y).sum().backward()
        results.append([t.detach().numpy() for t in (y, layer.weight.grad)] + [repr(layer)])
    (a, ga, ra), (b, gb, rb) = results
    np.testing.assert_allclose(a, b, rtol=1e-6, atol=3e-7)  # normal draws agree to float rounding
    np.testing.assert_allclose(ga, gb, rtol=1e-6, atol=1e-6)
    assert ra == rb
    if padding is not None:
        assert not ga[padding].any()


def test_embedding_of_a_given_table() -> None:
    table = mg.tensor([[1.0, 2.0], [3.0, 4.0]])
    layer = nn.Embedding.from_pretrained(table)
    assert layer(mg.tensor([1, 0])).tolist() == [[3.0, 4.0], [1.0, 2.0]]
    assert not layer.weight.requires_grad
    assert nn.Embedding.from_pretrained(table, freeze=False, padding_idx=0).weight.requires_grad
    table.add_(1)
    assert layer.weight[0, 0].item() == 2.0


@pytest.mark.oracle
def test_first_weights_of_a_model_follow_pytorchs_stream(torch: Any) -> None:
    models = []
    for lib in (mg, torch):
        lib.manual_seed(0)
        n = lib.nn
        models.append(n.Sequential(n.Conv2d(1, 8, 3), n.BatchNorm2d(8), n.Flatten(), n.Linear(32, 10), n.Linear(10, 2)))
    assert all(bits(a, b) for a, b in zip(*(m.state_dict().values() for m in models), strict=True))
    assert list(models[0].state_dict()) == list(models[1].state_dict())


@pytest.mark.oracle
@pytest.mark.parametrize("shape", [(4, 5), (40, 30), (6, 4, 3, 3)], ids=str)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("uniform_", {"a": -2.0, "b": 3.0}),
        ("normal_", {"mean": 1.0, "std": 2.0}),
        ("trunc_normal_", {}),
        ("trunc_normal_", {"mean": 1.0, "std": 2.0, "a": 0.0, "b": 3.0}),
        ("xavier_uniform_", {"gain": 2.0}),
        ("xavier_normal_", {}),
        ("kaiming_uniform_", {}),
        ("kaiming_uniform_", {"a": 0.2, "mode": "fan_out"}),
        ("kaiming_normal_", {"nonlinearity": "relu"}),
        ("constant_", {"val": 0.3}),
        ("ones_", {}),
        ("zeros_", {}),
    ],
    ids=str,
)
def test_init_agrees_with_pytorch(torch: Any, name: str, options: Any, shape: Any) -> None:
    made = []
    for lib in (mg, torch):
        lib.manual_seed(11)
        made.append(getattr(lib.nn.init, name)(lib.nn.Parameter(lib.zeros(shape)), **options))
    np.testing.assert_allclose(made[0].detach().numpy(), made[1].detach().numpy(), rtol=3e-6, atol=3e-6)
    assert made[0].requires_grad
    assert made[0].is_leaf


@pytest.mark.parametrize("shape", [(5, 5), (7, 3), (3, 7), (4, 2, 3, 3)], ids=str)
def test_orthogonal(shape: Any) -> None:
    w = init.orthogonal_(mg.zeros(shape, dtype=mg.float64), gain=2.0).numpy().reshape(shape[0], -1)
    gram = w @ w.T if w.shape[0] < w.shape[1] else w.T @ w
    np.testing.assert_allclose(gram, 4.0 * np.eye(len(gram)), atol=1e-12)


@pytest.mark.oracle
def test_gains(torch: Any) -> None:
    for name, param in [("linear", None), ("conv2d", None), ("sigmoid", None), ("tanh", None), ("relu", None),
                        ("leaky_relu", None), ("leaky_relu", 0.2), ("selu", None)]:  # fmt: skip
        assert init.calculate_gain(name, param) == torch.nn.init.calculate_gain(name, param)


# --- functions ---


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "elu", "silu"])
def test_activations_in_place(name: str) -> None:
    x = mg.tensor(RNG.standard_normal(6), requires_grad=True)
    kept = x * 1
    y = getattr(F, name)(kept, inplace=True)
    assert y is kept
    (y * y).sum().backward()
    inplace = x.grad
    x.grad = None
    z = getattr(F, name)(x * 1)
    (z * z).sum().backward()
    assert bits(y, z)
    assert bits(inplace, x.grad)


def test_dropout_keeps_the_mean_and_what_it_keeps() -> None:
    x = mg.ones(200, 200, requires_grad=True)
    y = F.dropout(x, 0.25)
    y.sum().backward()
    assert set(np.unique(y.detach().numpy())) == {np.float32(0), np.float32(1) / np.float32(0.75)}
    assert y.mean().item() == pytest.approx(1.0, abs=5 * math.sqrt(1 / 3) / 200)
    assert bits(x.grad, y)
    assert F.dropout(x, 0.5, training=False) is x
    assert F.dropout(x, 0.0) is x
    assert not F.dropout(x, 1.0).any()
    channels = F.dropout2d(mg.ones(8, 50, 3, 3), 0.5).numpy().reshape(8, 50, 9)
    assert (channels == channels[..., :1]).all()
    assert 0 < (channels == 0).mean() < 1
    z = mg.ones(10)
    assert F.dropout(z, 0.5, inplace=True) is z


@pytest.mark.oracle
def test_dropout_of_a_transposed_tensor(torch: Any) -> None:
    array, results = floats(20, 30), []
    for lib in (mg, torch):
        lib.manual_seed(1)
        results.append(lib.nn.functional.dropout(lib.tensor(array).transpose(0, 1), 0.3))
    assert bits(*results)


@pytest.mark.oracle
def test_softmax_without_a_dim_is_pytorchs_choice_and_warns(torch: Any) -> None:
    for ndim in range(5):
        x = floats(*range(2, 2 + ndim))
        for name in ("softmax", "log_softmax"):
            with pytest.warns(UserWarning, match=f"Implicit dimension choice for {name}"):
                ours = getattr(F, name)(mg.tensor(x))
            with pytest.warns(UserWarning, match="Implicit dimension choice"):
                theirs = getattr(torch.nn.functional, name)(torch.tensor(x))
            np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.oracle
def test_normalize(torch: Any) -> None:
    x = np.vstack([floats(3, 4), np.zeros((1, 4), np.float32)])
    for p, dim in [(2.0, 1), (1.0, 0), (3.0, -1)]:
        ours, theirs = F.normalize(mg.tensor(x), p, dim), torch.nn.functional.normalize(torch.tensor(x), p, dim)
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-5)
    assert gradcheck(lambda t: F.normalize(t), (mg.tensor(RNG.standard_normal((2, 3)), requires_grad=True),))


# --- Module ---


def test_registering_in_order() -> None:
    net = Net()
    assert [n for n, _ in net.named_parameters()] == ["body.0.weight", "body.0.bias", "head.weight", "head.bias"]
    assert [n for n, _ in net.named_modules()] == ["", "body", "body.0", "body.1", "head"]
    assert [n for n, _ in net.named_children()] == ["body", "head"]
    assert [n for n, _ in net.named_buffers()] == ["seen", "scratch"]
    assert [n for n, _ in net.named_parameters(prefix="net", recurse=False)] == []
    assert list(net.state_dict()) == ["seen", *(n for n, _ in net.named_parameters())]
    assert net.get_submodule("body.0") is net.body[0]
    assert net.get_parameter("head.bias") is net.head.bias
    assert next(iter(net.state_dict(prefix="model."))) == "model.seen"
    assert bool(net) is True
    assert {"body", "head", "seen"} <= set(dir(net))


def test_shared_parameters_are_listed_once_but_saved_under_both_names() -> None:
    net = nn.Sequential(nn.Dense(3, 3), nn.Dense(3, 3))
    net[1].weight = net[0].weight
    assert len(list(net.parameters())) == 3
    assert [n for n, _ in net.named_parameters(remove_duplicate=False)] == list(net.state_dict())
    twice = nn.Sequential(net, net)
    assert len(list(twice.modules())) == 4
    assert len(list(twice.children())) == 1
    clone = copy.deepcopy(net)
    assert clone[0].weight is clone[1].weight
    assert clone[0].weight is not net[0].weight


def test_the_state_dict_shares_memory() -> None:
    net = Net()
    state = net.state_dict()
    state["head.bias"].fill_(5)
    assert net.head.bias.tolist() == [5.0, 5.0]
    assert not state["head.bias"].requires_grad


def test_loading_copies_in_place() -> None:
    net, other = Net(), Net()
    before = net.head.weight
    net.head.weight.data.fill_(1)
    assert repr(net.load_state_dict(other.state_dict())) == "<All keys matched successfully>"
    assert net.head.weight is before
    assert bits(net.head.weight, other.head.weight)
    net.double().load_state_dict({k: v.numpy() for k, v in other.state_dict().items()})
    assert net.head.weight.dtype == mg.float64


@pytest.mark.oracle
def test_every_key_that_does_not_fit_is_named_at_once(torch: Any) -> None:
    wrong = {"0.weight": (3, 3), "2.weight": (2, 4), "extra": (1,), "2.other": (1,)}
    messages = []
    for lib in (mg, torch):
        net = lib.nn.Sequential(lib.nn.Linear(3, 4), lib.nn.ReLU(), lib.nn.Linear(4, 2))
        first = net[2].weight.detach().clone()
        for strict in (True, False):
            with pytest.raises(RuntimeError) as caught:
                net.load_state_dict({k: lib.ones(s) for k, s in wrong.items()}, strict=strict)
            messages.append(str(caught.value).replace("torch.Size", "minigrad.Size"))
        if lib is mg:
            assert bits(net[2].weight, first), "a part was loaded"
    assert messages[:2] == messages[2:]


def test_loading_without_strict() -> None:
    net = Net()
    result = net.load_state_dict({"head.bias": mg.ones(2), "extra": mg.ones(1)}, strict=False)
    assert result.unexpected_keys == ["extra"]
    assert result.missing_keys == ["seen", "body.0.weight", "body.0.bias", "head.weight"]
    assert net.head.bias.tolist() == [1.0, 1.0]
    with pytest.raises(StateDictError, match=r"head\.bias: expected a tensor in the state dict, got str"):
        net.load_state_dict({"head.bias": "one"}, strict=False)


def test_train_and_eval_reach_everything() -> None:
    net = nn.Sequential(nn.ModuleList([nn.Dropout()]), nn.ModuleDict({"a": nn.Sequential(nn.Dropout())}))
    assert not any(m.training for m in net.eval().modules())
    assert all(m.training for m in net.train().modules())
    seen: list[str] = []
    net.apply(lambda m: seen.append(type(m).__name__))
    assert seen == ["Dropout", "ModuleList", "Dropout", "Sequential", "ModuleDict", "Sequential"]


def test_gradients_and_dtypes() -> None:
    net = Net()
    net(mg.ones(1, 3)).sum().backward()
    net.double()
    assert {p.dtype for p in net.parameters()} == {mg.float64}
    assert net.head.weight.grad.dtype == mg.float64
    assert net.seen.dtype == mg.float64
    assert nn.BatchNorm(2).double().num_batches_tracked.dtype == mg.int64
    net.zero_grad(set_to_none=False)
    assert net.head.bias.grad.tolist() == [0.0, 0.0]
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.requires_grad_(False)
    assert not net(mg.ones(1, 3, dtype=mg.float64)).requires_grad
    assert net.float().to("cpu").cpu().head.weight.dtype == mg.float32


def test_hooks() -> None:
    layer, seen = nn.Identity(), []
    first = layer.register_forward_pre_hook(lambda m, args: args[0] + 1)
    second = layer.register_forward_hook(lambda m, args, y: seen.append((m is layer, args[0].item(), y.item())))
    third = layer.register_forward_hook(lambda m, args, y: y * 10)
    assert layer(mg.tensor(1.0)).item() == 20.0
    assert seen == [(True, 2.0, 2.0)]
    for hook in (first, second, third):
        hook.remove()
    assert layer(mg.tensor(1.0)).item() == 1.0


def test_assigning_and_deleting() -> None:
    net = Net()
    net.seen = mg.ones(())
    assert net.state_dict()["seen"].item() == 1.0
    net.head.bias = None
    assert "head.bias" not in net.state_dict()
    assert net(mg.zeros(1, 3)).shape == (1, 2)
    del net.head
    assert not hasattr(net, "head")
    net.extra = 3
    net.extra = nn.ReLU()
    assert [n for n, _ in net.named_children()] == ["body", "extra"]
    net.body = None
    assert list(net.parameters()) == []
    net.level = nn.Buffer(mg.zeros(2), persistent=False)
    assert "level" in dict(net.named_buffers())
    assert "level" not in net.state_dict()


def test_copies_and_pickles_are_independent() -> None:
    net = Net()
    net(mg.ones(1, 3))
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert repr(other) == repr(net)
        assert bits(other(mg.ones(2, 3)), net(mg.ones(2, 3)))
        with no_grad():
            other.head.bias += 1
        assert not bits(other.head.bias, net.head.bias)
        assert isinstance(other.head.bias, nn.Parameter)
        assert other.head.bias.requires_grad


def test_parameters_share_the_memory_they_are_made_of() -> None:
    data = mg.zeros(2)
    p = nn.Parameter(data)
    data.add_(1)
    assert repr(p) == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"
    assert isinstance(p, mg.Tensor)
    assert type(p * 2) is mg.Tensor
    with pytest.raises(DTypeError, match="floating point"):
        nn.Parameter(mg.arange(3))
    assert not nn.Parameter(mg.arange(3), requires_grad=False).requires_grad


def test_nodes_know_the_layer_that_made_them() -> None:
    net = Net()
    node, scopes = net(mg.ones(1, 3)).grad_fn, []
    while node is not None:
        scopes.append((node.op.name, *node.scope[:2]))
        node = next((edge[0] for edge in node.edges if type(edge) is tuple), None)
    assert scopes == [
        ("linear", "head", "Linear"),
        ("relu", "body.1", "ReLU"),
        ("linear", "body.0", "Linear"),
    ]
    assert graph.scope.get() is None
    assert net.head.weight.name == "head.weight"
    net.body(mg.ones(1, 3))
    assert net.body[0].weight.name == "body.0.weight", "a name in a larger model stays"


def test_scopes_follow_a_change_of_the_model() -> None:
    net = nn.Sequential(nn.ReLU())
    net(mg.ones(1, requires_grad=True))
    net.insert(0, nn.Sequential(nn.Tanh()))
    inner, outer = [], []
    net[0][0].register_forward_hook(lambda m, a, y: inner.append(graph.scope.get()[:2]))
    net[1].register_forward_hook(lambda m, a, y: outer.append(graph.scope.get()[:2]))
    net(mg.ones(1))
    assert inner == [("0.0", "Tanh")]
    assert outer == [("1", "ReLU")]
    hidden = nn.Sequential(nn.Tanh())

    class Outer(nn.Module):
        def forward(self, x: Any) -> Any:
            return hidden(x)

    hidden[0].register_forward_hook(lambda m, a, y: inner.append(graph.scope.get()[:2]))
    Outer()(mg.ones(1))
    assert inner[-1] == ("Sequential.Tanh", "Tanh")


# --- containers ---


def test_sequential() -> None:
    net = nn.Sequential(OrderedDict(a=nn.Dense(2, 3), b=nn.ReLU()))
    assert list(net.state_dict()) == ["a.weight", "a.bias"]
    assert net.a is net[0] is net[-2]
    assert [n for n, _ in net[1:].named_children()] == ["b"]
    seq = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.Sigmoid())
    del seq[1]
    seq.append(nn.SiLU()).insert(1, nn.ELU()).extend([nn.Tanh()])
    seq[-1] = nn.GELU()
    assert [(n, type(m).__name__) for n, m in seq.named_children()] == [
        ("0", "ReLU"), ("1", "ELU"), ("2", "Sigmoid"), ("3", "SiLU"), ("4", "GELU"),
    ]  # fmt: skip
    assert isinstance(seq.pop(), nn.GELU)
    assert len(seq + nn.Sequential(nn.ReLU())) == 5
    assert len(seq) == 4
    del seq[1:3]
    assert [type(m) for m in seq] == [nn.ReLU, nn.SiLU]
    with pytest.raises(IndexError, match="index 2 is out of range: Sequential has 2 modules"):
        seq[2]


def test_module_list_and_dict() -> None:
    layers = nn.ModuleList([nn.Dense(2, 2)])
    layers += [nn.ReLU(), nn.ReLU()]
    layers.insert(0, nn.Tanh())
    assert [type(m).__name__ for m in layers[1:]] == ["Linear", "ReLU", "ReLU"]
    assert list(layers.state_dict()) == ["1.weight", "1.bias"]
    with pytest.raises(NotImplementedError, match=r"Module \[ModuleList\] is missing"):
        layers(1)
    table = nn.ModuleDict({"a": nn.ReLU()})
    table["b"] = nn.Dense(1, 1)
    table.update([("c", nn.Tanh())])
    assert list(table) == list(table.keys()) == ["a", "b", "c"]
    assert isinstance(table.pop("c"), nn.Tanh)
    assert "c" not in table
    assert [k for k, _ in table.items()] == ["a", "b"]
    del table["a"]
    assert len(table.values()) == 1
    table.clear()
    assert not len(table)
    with pytest.raises(KeyError):
        del table["a"]


def test_parameter_list() -> None:
    params = nn.ParameterList([mg.ones(2), nn.Parameter(mg.zeros(3))])
    params.append(mg.ones(1))
    params[-1] = mg.zeros(4)
    assert [tuple(p.shape) for p in params] == [(2,), (3,), (4,)]
    assert list(params.state_dict()) == ["0", "1", "2"]
    assert len(params[1:]) == 2
    with pytest.raises(IndexError, match="ParameterList has 3 parameters"):
        params[3]


@pytest.mark.oracle
def test_reprs_of_nests(torch: Any) -> None:
    def build(n: Any, zeros: Any) -> list[Any]:
        block = n.Sequential(n.Conv2d(1, 2, 3, padding="same", groups=1, dilation=2), n.ReLU(inplace=True))
        return [
            n.Sequential(block, n.ModuleDict({"x": n.Linear(2, 3, bias=False), "y": n.Identity()})),
            n.ModuleList([n.Linear(2, 2), n.Linear(2, 2), n.ReLU(), block, block]),
            n.ModuleList(),
            n.Sequential(),
            n.ParameterList([zeros(2, 3), zeros(4)]),
            n.ParameterList(),
            n.ELU(inplace=True),
            n.LeakyReLU(inplace=True),
            n.SiLU(inplace=True),
        ]

    for ours, theirs in zip(build(nn, mg.zeros), build(torch.nn, torch.zeros), strict=True):
        assert repr(ours) == repr(theirs).replace("torch.", "minigrad.")


def test_short_names_are_the_same_objects() -> None:
    assert nn.Dense is nn.Linear
    assert nn.Conv2D is nn.Conv2d
    assert nn.MaxPool is nn.MaxPool2d
    assert nn.AvgPool is nn.AvgPool2d
    assert nn.Dense.__name__ == "Linear"


def test_batch_norm_of_any_rank() -> None:
    for shape in [(6, 3), (6, 3, 2), (2, 3, 4, 4), (2, 3, 2, 2, 2, 2)]:
        norm = nn.BatchNorm(3)
        x = mg.tensor(RNG.standard_normal(shape))
        y = norm.double()(x)
        axes = tuple(i for i in range(len(shape)) if i != 1)
        np.testing.assert_allclose(y.detach().numpy().mean(axes), 0, atol=1e-12)
        var = x.numpy().var(axes)
        np.testing.assert_allclose(y.detach().numpy().var(axes), var / (var + norm.eps), atol=1e-12)
        np.testing.assert_allclose(norm.running_mean.numpy(), 0.1 * x.numpy().mean(axes), atol=1e-12)
        assert norm.num_batches_tracked.item() == 1
        norm.reset_parameters()
        assert norm.num_batches_tracked.item() == 0


# --- utils ---


@pytest.mark.oracle
@pytest.mark.parametrize("norm_type", [2.0, 1.0, math.inf, 3.0])
@pytest.mark.parametrize("max_norm", [0.5, 100.0])
def test_clipping_agrees_with_pytorch(torch: Any, norm_type: float, max_norm: float) -> None:
    grads, results = [floats(3, 4), floats(5)], []
    for lib in (mg, torch):
        params = [lib.zeros(g.shape, requires_grad=True) for g in [*grads, np.zeros(2)]]
        for p, g in zip(params, grads, strict=False):
            p.grad = lib.tensor(g)
        total = lib.nn.utils.clip_grad_norm_(params, max_norm, norm_type)
        results.append([total.numpy(), *(p.grad.numpy() for p in params[:2])])
        lib.nn.utils.clip_grad_value_(params, 0.1)
        results[-1] += [p.grad.numpy() for p in params[:2]]
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_parameters_as_a_vector() -> None:
    net = nn.Dense(3, 2)
    vector = nn.utils.parameters_to_vector(net.parameters())
    assert vector.shape == (8,)
    assert vector.requires_grad
    nn.utils.vector_to_parameters(mg.arange(8.0), net.parameters())
    assert net.weight.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]
    assert net.bias.tolist() == [6.0, 7.0]
    with pytest.raises(ShapeError, match=r"need shape \(8,\), got \(7,\)"):
        nn.utils.vector_to_parameters(mg.zeros(7), net.parameters())
    net.weight.grad = mg.full((2, 3), math.nan)
    with pytest.raises(RuntimeError, match="non-finite"):
        nn.utils.clip_grad_norm_(net.parameters(), 1.0, error_if_nonfinite=True)
    assert nn.utils.clip_grad_norm_([], 1.0).item() == 0.0


# --- what is refused ---


class Late(nn.Module):
    def __init__(self, value: Any) -> None:
        self.value = value


class Clash(nn.Module):
    limit = 3

    def __init__(self) -> None:
        super().__init__()
        self.limit = nn.ReLU()


REFUSED = [
    (lambda: Net().haed, AttributeError, r"'Net' object has no attribute 'haed'; the nearest name it has is 'head'"),
    (lambda: Net().zzzzz, AttributeError, r"'Net' object has no attribute 'zzzzz'$"),
    (lambda: Late(nn.ReLU()), AttributeError, r"assign module 'value' before Module.__init__\(\) call: begin Late"),
    (lambda: Late(nn.Parameter(mg.ones(1))), AttributeError, r"cannot assign parameter 'value' before"),
    (lambda: Late(3)(mg.ones(1)), AttributeError, r"Late.__init__ has not called super\(\).__init__\(\)"),
    (lambda: Clash(), ArgumentError, r"attribute 'limit' already exists in Clash"),
    (lambda: nn.Linear(2, 2).register_buffer("weight", mg.ones(2)), ArgumentError, "'weight' already exists in Linear"),
    (lambda: nn.BatchNorm2d(2).register_parameter("running_mean", None), ArgumentError, "already exists"),
    (lambda: nn.Sequential().insert(2, nn.ReLU()), IndexError, "index 2 is out of range"),
    (lambda: setattr(Net(), "head", 3), ArgumentError, r"'int' as child module 'head' \(nn.Module or None"),
    (lambda: setattr(nn.Dense(1, 1), "weight", mg.ones(1)), TypeError, r"cannot assign 'Tensor' as parameter 'weight'"),
    (lambda: setattr(Net(), "seen", 3), TypeError, r"cannot assign 'int' as buffer 'seen' \(Tensor or None"),
    (lambda: Net().register_buffer("a.b", mg.ones(1)), ArgumentError, r"without dots, got 'a\.b'"),
    (lambda: Net().register_buffer("x", [1]), ArgumentError, r"cannot assign 'list' object to buffer 'x'"),
    (lambda: Net().register_parameter("x", mg.ones(1)), ArgumentError, r"object to parameter 'x' \(nn.Parameter"),
    (lambda: nn.Sequential(3), TypeError, r"int is not a Module subclass"),
    (lambda: nn.Module()(1), NotImplementedError, r'Module \[Module\] is missing the required "forward"'),
    (lambda: Net().train(1), ValueError, r"training mode is expected to be boolean, got 1"),
    (lambda: Net().get_submodule("body.seen"), AttributeError, r"no attribute 'seen'"),
    (lambda: Net().get_submodule("seen"), AttributeError, r"'seen' in 'seen' is not a Module"),
    (lambda: Net().get_parameter("head"), AttributeError, r"'head' in 'head' is not a Parameter"),
    (lambda: Net().to("cuda"), ArgumentError, r"device 'cuda' is not available"),
    (lambda: Net()(mg.ones(1, 5)), ShapeError, r"^in body\.0 \(Linear\): linear: input \(1, 5\) and weight \(4, 3\)"),
    (lambda: nn.Dense(784, 10)(mg.zeros(2, 16, 7, 7)), ShapeError, r"16\*7\*7 = 784: insert Flatten\(\)"),
    (lambda: nn.Conv2d(3, 4, 3, groups=2), ArgumentError, r"in_channels must be divisible by groups, got 3 and 2"),
    (lambda: nn.Conv2d(4, 3, 3, groups=2), ValueError, r"out_channels must be divisible by groups"),
    (lambda: nn.Conv2d(4, 3, 3, groups=0), ValueError, r"groups must be a positive integer"),
    (lambda: nn.Conv2d(1, 1, 3, padding="half"), ValueError, r"Invalid padding string 'half'"),
    (lambda: nn.Conv2d(1, 1, 3, padding="same", stride=2), ValueError, r"not supported for strided convolutions"),
    (lambda: nn.Conv2d(1, 1, 3, padding_mode="mirror"), ValueError, r"padding_mode must be one of"),
    (lambda: nn.Conv2d(1, 1, (3, 3, 3)), ValueError, r"must either be a single int, or a tuple of two ints"),
    (lambda: nn.BatchNorm2d(3)(mg.ones(2, 3)), ShapeError, r"BatchNorm2d: expected 4D input \(got 2D input"),
    (lambda: nn.BatchNorm1d(3)(mg.ones(2, 3, 1, 1)), ShapeError, r"expected 2D or 3D input \(got 4D input"),
    (lambda: nn.BatchNorm(3)(mg.ones(3)), ShapeError, r"expected at least 2D input \(got 1D"),
    (lambda: nn.BatchNorm(3)(mg.ones(2, 4)), ShapeError, r"has 4 channels .* made for 3"),
    (lambda: nn.BatchNorm(3)(mg.ones(1, 3)), ValueError, r"more than 1 value per channel when training"),
    (lambda: nn.Dropout(1.5), ValueError, r"dropout probability has to be between 0 and 1, but got 1\.5"),
    (lambda: F.dropout(mg.ones(1), -0.1), ValueError, r"dropout probability"),
    (lambda: F.dropout2d(mg.ones(3)), ShapeError, r"dropout2d: expected an input \(N, C"),
    (lambda: nn.Embedding(3, 2, padding_idx=3), OutOfRangeError, r"padding_idx 3 must be within the 3 rows"),
    (lambda: nn.Embedding(3, 2)(mg.tensor([[0, 3]])), IndexError, r"index out of range in self: input\[0, 1\] is 3"),
    (lambda: nn.Embedding(3, 2)(mg.tensor([-1])), IndexError, r"input\[0\] is -1, the table has the rows 0\.\.2"),
    (lambda: nn.Embedding(3, 2)(mg.ones(1)), DTypeError, r"embedding: expected a tensor of int64 indices, got float32"),
    (lambda: nn.Embedding(3, 2, _weight=mg.ones(2, 3)), ShapeError, r"shape \(2, 3\), wanted \(3, 2\)"),
    (lambda: nn.Embedding.from_pretrained(mg.ones(2)), ShapeError, r"expected to be 2-dimensional"),
    (lambda: F.gelu(mg.ones(1), "erf"), ArgumentError, r"either none or tanh, got 'erf'"),
    (lambda: init.xavier_normal_(mg.ones(2)), ShapeError, r"fewer than 2 dimensions, got shape \(2,\)"),
    (lambda: init.kaiming_normal_(mg.ones(2, 2), mode="fan"), ArgumentError, r"Mode fan not supported"),
    (lambda: init.orthogonal_(mg.ones(2)), ShapeError, r"2 or more dimensions"),
    (lambda: init.eye_(mg.ones(2)), ShapeError, r"2 dimensions are supported"),
    (lambda: init.calculate_gain("step"), ArgumentError, r"Unsupported nonlinearity step; known are linear"),
    (lambda: nn.ParameterList(nn.Parameter(mg.ones(2))), ArgumentError, r"takes an iterable of parameters"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_what_is_refused(call: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call()
    assert graph.scope.get() is None


def test_eye_and_seeds() -> None:
    assert init.eye_(mg.zeros(2, 3)).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    generator = random.Generator().manual_seed(5)
    a = init.uniform_(mg.zeros(4), generator=generator)
    assert bits(a, random.rand(4, generator=random.Generator().manual_seed(5)))

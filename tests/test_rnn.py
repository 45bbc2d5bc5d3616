"""Recurrent layers, cells and packed sequences against PyTorch: values, gradients, first weights, reprs, refusals."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest
from test_random_oracle import skip_if_the_oracle_uses_another_stream

import minigrad as mg
from minigrad import nn
from minigrad.autograd import gradcheck, gradgradcheck
from minigrad.nn.utils import rnn as sequences

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN"),  # PyTorch about itself
]
RNG = np.random.default_rng(0)
LENGTHS = [2, 5, 3]

# name, settings beyond input size 3 and hidden size 4
LAYERS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in ("RNN", "LSTM", "GRU")),
    ("RNN", {"nonlinearity": "relu", "num_layers": 2}),
    ("LSTM", {"proj_size": 2, "num_layers": 2, "bidirectional": True}),
    ("LSTM", {"proj_size": 3, "bias": False}),
    *(
        (name, {"num_layers": layers, "bias": bias, "batch_first": first, "bidirectional": both})
        for name, (layers, bias, first, both) in itertools.product(
            ("RNN", "LSTM", "GRU"), [(2, False, True, False), (1, True, True, True), (3, True, False, True)]
        )
    ),
]
CELLS = [
    ("RNNCell", {}),
    ("RNNCell", {"nonlinearity": "relu", "bias": False}),
    ("LSTMCell", {}),
    ("LSTMCell", {"bias": False}),
    ("GRUCell", {}),
    ("GRUCell", {"bias": False}),
]
every_layer = pytest.mark.parametrize(("name", "settings"), LAYERS, ids=str)
every_cell = pytest.mark.parametrize(("name", "settings"), CELLS, ids=str)


def pair(name: str, settings: dict[str, Any], seed: int = 0) -> tuple[Any, Any]:
    """Return the layer of both, made after the same seed."""
    mg.manual_seed(seed)
    torch.manual_seed(seed)
    return getattr(nn, name)(3, 4, **settings), getattr(torch.nn, name)(3, 4, **settings)


def both(*shape: int) -> tuple[Any, Any]:
    """Return the same numbers in a tensor of each that requires grad."""
    array = RNG.standard_normal(shape).astype(np.float32)
    return mg.tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)


def flat(*results: Any) -> list[Any]:
    """Return the tensors in nested tuples and packed sequences that carry gradients."""
    if len(results) == 1 and isinstance(results[0], tuple):
        return flat(*results[0])
    if len(results) == 1:
        return [results[0]] if getattr(results[0], "requires_grad", False) else []
    return [t for r in results for t in flat(r)]


def backward(results: list[Any]) -> None:
    """Run the gradients of the results, weighed by fixed numbers."""
    make = mg.tensor if isinstance(results[0], mg.Tensor) else torch.tensor
    total = 0
    for i, y in enumerate(results):
        weights = np.random.default_rng(i).uniform(0.5, 1.5, tuple(y.shape)).astype(np.float32)
        total = total + (y * make(weights)).sum()
    total.backward()


def close(a: Any, b: Any) -> None:
    assert tuple(a.shape) == tuple(b.shape)
    np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-4, atol=2e-6)


def agree(layers: tuple[Any, Any], results: tuple[Any, Any], inputs: list[tuple[Any, Any]]) -> None:
    """Check that results, and the gradients of inputs and parameters, are the same."""
    (ours, theirs), (mine, other) = layers, (flat(*r) if isinstance(r, tuple) else flat(r) for r in results)
    assert len(mine) == len(other) > 0
    for a, b in zip(mine, other, strict=True):
        close(a, b)
    backward(mine)
    backward(other)
    for a, b in inputs:
        close(a.grad, b.grad)
    for (key, a), (name, b) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert key == name
        close(a.grad, b.grad)


def states(layer: Any, batch: tuple[int, ...]) -> tuple[Any, Any, list[tuple[Any, Any]]]:
    """Return first states for a layer as both take them, and the pairs of tensors in them."""
    rows = layer.num_layers * (2 if layer.bidirectional else 1)
    made = [both(rows, *batch, getattr(layer, "proj_size", 0) or 4)]
    if isinstance(layer, nn.LSTM):
        made.append(both(rows, *batch, 4))
        return tuple(a for a, _ in made), tuple(b for _, b in made), made
    return made[0][0], made[0][1], made


# --- layers ---


@every_layer
def test_keys_reprs_and_first_weights(name, settings):
    ours, theirs = pair(name, settings, 3)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert np.array_equal(a.detach().numpy(), b.detach().numpy())
    assert [[tuple(w.shape) for w in row] for row in ours.all_weights] == [
        [tuple(w.shape) for w in row] for row in theirs.all_weights
    ]
    assert ours.flatten_parameters() is None


@every_layer
def test_a_batch_without_a_state(name, settings):
    layers, (x, u) = pair(name, settings), both(5, 2, 3)
    agree(layers, (layers[0](x), layers[1](u)), [(x, u)])


@every_layer
def test_a_batch_with_a_state(name, settings):
    layers, (x, u) = pair(name, settings), both(5, 2, 3)
    mine, other, tensors = states(layers[0], (5 if settings.get("batch_first") else 2,))
    agree(layers, (layers[0](x, mine), layers[1](u, other)), [(x, u), *tensors])


@every_layer
def test_one_sequence_without_a_batch(name, settings):
    layers, (x, u) = pair(name, settings), both(5, 3)
    mine, other, tensors = states(layers[0], ())
    agree(layers, (layers[0](x, mine), layers[1](u, other)), [(x, u), *tensors])
    for a, b in zip(flat(layers[0](x)), flat(layers[1](u)), strict=True):
        close(a, b)


@every_layer
@pytest.mark.parametrize("given", [False, True])
def test_packed_sequences_of_unsorted_lengths(name, settings, given):
    layers, (x, u) = pair(name, settings), both(5, 3, 3)
    mine, other, tensors = states(layers[0], (3,))
    if not given:
        mine, other, tensors = None, None, []
    pack = torch.nn.utils.rnn.pack_padded_sequence
    results = (
        layers[0](sequences.pack_padded_sequence(x, LENGTHS, enforce_sorted=False), mine),
        layers[1](pack(u, LENGTHS, enforce_sorted=False), other),
    )
    agree(layers, results, [(x, u), *tensors])
    unpacked, lengths = sequences.pad_packed_sequence(results[0][0])
    expected, expected_lengths = torch.nn.utils.rnn.pad_packed_sequence(results[1][0])
    close(unpacked, expected)
    assert lengths.tolist() == expected_lengths.tolist() == LENGTHS


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_no_sequences_at_all(name):
    ours, theirs = pair(name, {})
    assert tuple(ours(mg.zeros(5, 0, 3))[0].shape) == tuple(theirs(torch.zeros(5, 0, 3))[0].shape)


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_dropout_between_layers_draws_what_pytorch_draws(name):
    skip_if_the_oracle_uses_another_stream(torch)
    layers, (x, u) = pair(name, {"num_layers": 3, "dropout": 0.4, "bidirectional": True}), both(5, 2, 3)
    agree(layers, (layers[0](x), layers[1](u)), [(x, u)])
    assert mg.equal(layers[0].eval()(x)[0], layers[0](x)[0])


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU"])
def test_weights_load_both_ways(name):
    (ours, _), (_, theirs) = pair(name, {"num_layers": 2}, 1), pair(name, {"num_layers": 2}, 2)
    x, u = both(5, 2, 3)
    theirs.load_state_dict({k: torch.from_numpy(v.numpy()) for k, v in ours.state_dict().items()})
    close(ours(x)[0], theirs(u)[0])
    fresh, _ = pair(name, {"num_layers": 2}, 4)
    fresh.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    close(fresh(x)[0], theirs(u)[0])


@pytest.mark.parametrize(
    ("name", "settings"),
    [("RNN", {}), ("LSTM", {}), ("GRU", {}), ("LSTM", {"proj_size": 2}), ("GRU", {"bidirectional": True})],
    ids=str,
)
def test_second_derivatives(name, settings):
    layer = getattr(nn, name)(2, 3, dtype=mg.float64, **settings)
    x = mg.tensor(RNG.standard_normal((3, 2, 2)), requires_grad=True)
    weights = tuple(layer.parameters())
    keys = [key for key, _ in layer.named_parameters()]

    def run(x: Any, *given: Any) -> Any:
        held = layer._parameters
        layer.__dict__["_parameters"] = dict(zip(keys, given, strict=True))
        try:
            return tuple(flat(*layer(x)))
        finally:
            layer.__dict__["_parameters"] = held

    assert gradcheck(run, (x, *weights))
    assert gradgradcheck(run, (x, *weights))


def test_the_output_and_the_state_may_be_written_in_place():
    for name in ("RNN", "LSTM", "GRU"):
        layers, (x, u) = pair(name, {}), both(5, 2, 3)
        for layer, value in zip(layers, (x, u), strict=True):
            y, last = layer.double()(value.double())  # in single precision PyTorch's LSTM refuses this
            y.mul_(2)
            (last[0] if name == "LSTM" else last).add_(1)
            y.sum().backward()
        close(x.grad, u.grad)


# --- cells ---


@every_cell
def test_cells(name, settings):
    ours, theirs = pair(name, settings, 5)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert np.array_equal(a.detach().numpy(), b.detach().numpy())
    for batch in ((2,), ()):
        (x, u), (h, k), (c, d) = both(*batch, 3), both(*batch, 4), both(*batch, 4)
        ours.zero_grad()
        theirs.zero_grad()
        agree((ours, theirs), (ours(x), theirs(u)), [(x, u)])
        if "LSTM" in name:
            agree((ours, theirs), (ours(x, (h, c)), theirs(u, (k, d))), [(x, u), (h, k), (c, d)])
        else:
            agree((ours, theirs), (ours(x, h), theirs(u, k)), [(x, u), (h, k)])


# --- refusals ---


def refusal(call: Any) -> Exception:
    with pytest.raises((RuntimeError, ValueError, TypeError)) as caught:
        call()
    return caught.value


def calls(t: Any, n: Any, name: str) -> list[Any]:
    """Return calls of a layer that are refused, with tensors of `t` and layers of `n`."""
    layer, lstm = getattr(n, name)(3, 4, 2), name == "LSTM"
    state = lambda *shape: (t.zeros(*shape),) * 2 if lstm else t.zeros(*shape)
    return [
        *(lambda s=shape: layer(t.zeros(*s)) for shape in ((3,), (2, 2, 2, 3), (5, 2, 7), (0, 2, 3))),
        *(lambda s=shape: layer(t.zeros(5, 2, 3), state(*s)) for shape in ((2, 4), (2, 3, 4), (2, 2, 5), (3, 2, 4))),
        lambda: layer(t.zeros(5, 2, 3).double()),
        lambda: layer(t.zeros(5, 3), state(2, 1, 4)),
        lambda: getattr(n, name)(3, 0),
        lambda: getattr(n, name)(0, 4),
        lambda: getattr(n, name)(3.0, 4),
        lambda: getattr(n, name)(3, 4, 0),
        lambda: getattr(n, name)(3, 4, bias=1),
        lambda: getattr(n, name)(3, 4, batch_first=None),
        lambda: getattr(n, name)(3, 4, dropout=2),
        *((lambda: n.LSTM(3, 4, proj_size=4), lambda: n.LSTM(3, 4, proj_size=-1)) if lstm else ()),
        *((lambda: n.RNN(3, 4, nonlinearity="x"),) if name == "RNN" else ()),
    ]


def cell_calls(t: Any, n: Any, name: str) -> list[Any]:
    cell, lstm = getattr(n, name)(3, 4), name == "LSTMCell"
    state = lambda *shape: (t.zeros(*shape),) * 2 if lstm else t.zeros(*shape)
    return [
        lambda: cell(t.zeros(5, 2, 3)),
        lambda: cell(t.zeros(2, 7)),
        *(lambda s=shape: cell(t.zeros(2, 3), state(*s)) for shape in ((3, 4), (2, 5), (2, 2, 4), (4,))),
    ]


def packing_calls(t: Any, n: Any) -> list[Any]:
    r = n.utils.rnn
    x = t.zeros(3, 4, 2)
    packed = r.pack_padded_sequence(x, [3, 2, 1, 1])
    return [
        *(lambda k=lengths: r.pack_padded_sequence(x, k) for lengths in ([1, 3, 2, 2], [3, 2, 1, 0], [3, 2, 1])),
        lambda: r.pack_padded_sequence(x[:0], [1, 1, 1, 1]),
        lambda: r.pad_packed_sequence(packed, total_length=2),
        lambda: r.pad_sequence([]),
        lambda: r.pad_sequence(5),
        lambda: r.pad_sequence([x[0]], padding_side="up"),
        lambda: r.pack_sequence([t.zeros(2, 3), t.zeros(3, 3)]),
    ]


def in_words(message: str) -> str:
    """Return a message without what is ours: the place before it, the class names, the advice after PyTorch's words."""
    return message.replace("minigrad.", "torch.").replace("tensor instead", "instead")


@pytest.mark.parametrize(
    "make",
    [
        *(lambda t, n, k=name: calls(t, n, k) for name in ("RNN", "LSTM", "GRU")),
        *(lambda t, n, k=name: cell_calls(t, n, k) for name in ("RNNCell", "LSTMCell", "GRUCell")),
        packing_calls,
    ],
    ids=["RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell", "packing"],
)
def test_what_does_not_fit_is_refused_in_pytorchs_words(make):
    for ours, theirs in zip(make(mg, nn), make(torch, torch.nn), strict=True):
        mine, other = refusal(ours), refusal(theirs)
        said = in_words(str(other)).split(" to pack_padded_sequence")[0].replace("<class 'torch.", "<class '")
        assert said in in_words(str(mine))
        assert isinstance(mine, type(other))


def test_dropout_of_a_single_layer_warns_as_in_pytorch():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        nn.LSTM(3, 4, dropout=0.5)
        torch.nn.LSTM(3, 4, dropout=0.5)
    assert [str(w.message) for w in caught[:1]] == [str(w.message) for w in caught[1:]]
    assert caught[0].filename == __file__


# --- sequences ---


def pieces(t: Any, lengths: list[int], *rest: int) -> list[Any]:
    rng = np.random.default_rng(1)
    return [t.tensor(rng.standard_normal((n, *rest)).astype(np.float32), requires_grad=True) for n in lengths]


@pytest.mark.parametrize("rest", [(), (2,), (2, 3)], ids=str)
@pytest.mark.parametrize("first", [False, True])
def test_padding(rest, first):
    for side, value in (("right", 0.0), ("left", -1.5)):
        mine, other = pieces(mg, LENGTHS, *rest), pieces(torch, LENGTHS, *rest)
        ours = sequences.pad_sequence(mine, first, value, side)
        theirs = torch.nn.utils.rnn.pad_sequence(other, first, value, side)
        close(ours, theirs)
        backward([ours])
        backward([theirs])
        for a, b in zip(mine, other, strict=True):
            close(a.grad, b.grad)
    padded = sequences.pad_sequence(mine, first)
    for a, b in zip(sequences.unpad_sequence(padded, mg.tensor(LENGTHS), first), mine, strict=True):
        close(a, b)


@pytest.mark.parametrize("rest", [(), (2,), (2, 3)], ids=str)
@pytest.mark.parametrize("ordered", [False, True])
def test_packing(rest, ordered):
    lengths = sorted(LENGTHS, reverse=True) if ordered else [*LENGTHS, 3]
    mine, other = pieces(mg, lengths, *rest), pieces(torch, lengths, *rest)
    ours, theirs = (
        r.pack_sequence(p, enforce_sorted=ordered) for r, p in ((sequences, mine), (torch.nn.utils.rnn, other))
    )
    assert ours._fields == theirs._fields
    close(ours.data, theirs.data)
    for a, b in zip(ours[1:], theirs[1:], strict=True):
        assert (a is None and b is None) or a.tolist() == b.tolist()
    for first, value, total in ((False, 0.0, None), (True, 2.5, 7)):
        (a, n), (b, m) = (
            sequences.pad_packed_sequence(ours, first, value, total),
            torch.nn.utils.rnn.pad_packed_sequence(theirs, first, value, total),
        )
        close(a, b)
        assert n.tolist() == m.tolist()
        assert (n.dtype, m.dtype) == (mg.int64, torch.int64)
    backward([a])
    backward([b])
    for x, y in zip(mine, other, strict=True):
        close(x.grad, y.grad)
    for x, y in zip(sequences.unpack_sequence(ours), mine, strict=True):
        close(x, y)


def test_a_packed_sequence_converts_its_data():
    packed = sequences.pack_sequence([mg.tensor([1.5, 2.0]), mg.tensor([3.0])])
    assert packed.double().data.dtype == mg.float64
    assert packed.long().data.tolist() == [1, 3, 2]
    assert packed.to(mg.float32) is packed is packed.cpu()
    assert not packed.is_cuda
    with pytest.raises(RuntimeError):
        sequences.pack_padded_sequence(mg.zeros(3, 2), [4, 1])  # PyTorch reads beyond the input

"""Saving and loading: what comes back is what went in, files are whole, and damage is named."""

from __future__ import annotations

import io
import json
import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

import minigrad as mg
from minigrad import nn, serialization
from minigrad.errors import ArgumentError, DataError
from minigrad.serialization import load, save

DTYPES = ["float16", "float32", "float64", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "bool"]


def same(a: Any, b: Any) -> bool:
    """Whether two nests are equal, tensors by dtype, shape and bytes, dicts with their order, tuples as tuples."""
    if isinstance(a, mg.Tensor):
        x, y = a.detach().numpy(), b.detach().numpy()
        return x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes()
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return isinstance(b, type(a)) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or a != a)


def test_a_model_comes_back(tmp_path: Path) -> None:
    make = lambda: nn.Sequential(OrderedDict(fc=nn.Dense(3, 4), act=nn.ReLU(), out=nn.Dense(4, 2)))
    model, other = make(), make()
    save(model.state_dict(), tmp_path / "model.safetensors")
    other.load_state_dict(load(tmp_path / "model.safetensors"))
    assert same(dict(model.state_dict()), dict(other.state_dict()))
    x = mg.ones(5, 3)
    assert same(model(x), other(x))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3, 4)], ids=str)
def test_every_dtype_and_shape(tmp_path: Path, dtype: str, shape: Any) -> None:
    array = (np.arange(np.prod(shape, dtype=int)) % 2).reshape(shape).astype(dtype)
    save({"x": mg.from_numpy(array)}, tmp_path / "x")
    assert same(load(tmp_path / "x")["x"], mg.from_numpy(array))


def test_the_order_of_memory_does_not_matter(tmp_path: Path) -> None:
    array = np.arange(24.0).reshape(2, 3, 4)
    odd = {
        "t": array.T,
        "f": np.asfortranarray(array),
        "s": array[:, ::2, ::-1],
        "b": np.broadcast_to(array[0], (5, 3, 4)),
    }
    save({k: mg.from_numpy(v) for k, v in odd.items()}, tmp_path / "x")
    assert all(same(v, mg.from_numpy(odd[k])) for k, v in load(tmp_path / "x").items())


def test_nested_states_keep_their_kinds_and_order(tmp_path: Path) -> None:
    state = {
        "state": {1: {"step": 3, "avg": mg.ones(2)}, 0: {"step": mg.tensor(2.0), "avg": None}},
        "param_groups": [{"lr": 0.1, "betas": (0.9, 0.999), "nesterov": False, "params": [0, 1], "name": "é"}],
        "nan": float("nan"),
        "inf": -float("inf"),
        "empty": {},
        "none": [],
    }
    save(state, tmp_path / "optimiser")
    assert same(load(tmp_path / "optimiser"), state)
    save(mg.tensor([1, 2]), tmp_path / "one")
    assert load(tmp_path / "one").tolist() == [1, 2]


def test_dtypes_and_devices_in_a_tree(tmp_path: Path) -> None:
    dtypes = [getattr(mg, name) for name in DTYPES]
    mg.save({"dtypes": dtypes, mg.int8: (mg.device("cuda:1"), mg.device("cpu"))}, tmp_path / "x.pt")
    back = mg.load(tmp_path / "x.pt")
    assert all(a is b for a, b in zip(back["dtypes"], dtypes, strict=True))
    assert back[mg.int8] == (mg.device("cuda", 1), mg.device("cpu"))


def test_names_that_collide(tmp_path: Path) -> None:
    state = {"a": {"b": mg.tensor([1])}, "a.b": mg.tensor([2])}
    save(state, tmp_path / "x")
    assert same(load(tmp_path / "x"), state)


def test_the_file_is_readable_by_others_and_theirs_by_us(tmp_path: Path) -> None:
    save({"fc": {"weight": mg.ones(2, 3)}}, tmp_path / "ours")
    assert list(safetensors.numpy.load_file(tmp_path / "ours")) == ["fc.weight"]
    safetensors.numpy.save_file({"w": np.arange(3)}, tmp_path / "theirs", metadata={"by": "someone"})
    assert load(tmp_path / "theirs")["w"].tolist() == [0, 1, 2]


def test_what_is_loaded_is_ones_own(tmp_path: Path) -> None:
    save({"x": mg.zeros(3)}, tmp_path / "x")
    load(tmp_path / "x")["x"].add_(1)
    assert load(tmp_path / "x")["x"].tolist() == [0.0, 0.0, 0.0]


def test_a_failed_save_leaves_the_old_file_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save({"x": mg.zeros(3)}, tmp_path / "x")

    def fail(file: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(serialization.os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        save({"x": mg.ones(3)}, tmp_path / "x")
    assert [p.name for p in tmp_path.iterdir()] == ["x"]
    assert load(tmp_path / "x")["x"].tolist() == [0.0, 0.0, 0.0]


def test_every_way_of_damage_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model"
    save({"a": mg.arange(10), "b": mg.ones(3, 3)}, path)
    whole = path.read_bytes()
    damaged = [whole[:n] for n in range(0, len(whole), 7)] + [whole + b"x", b"\xff" * 100, struct.pack("<Q", 2) + b"[]"]
    for data in damaged:
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"model' is damaged or not a safetensors file"):
            load(path)


@pytest.mark.parametrize("tree", ["{", '{"tensor": "b"}', '{"what": 1}', "{}", '{"dict": [1]}', '{"tensor": []}'])
def test_a_damaged_tree_is_named(tmp_path: Path, tree: str) -> None:
    metadata = {"minigrad": tree, "minigrad.sha256": serialization._checksum(tree, {"a": np.zeros(2)})}
    safetensors.numpy.save_file({"a": np.zeros(2)}, tmp_path / "x", metadata=metadata)
    with pytest.raises(DataError, match="is damaged"):
        load(tmp_path / "x")


@pytest.mark.parametrize("start", [pickle.dumps([1, 2, 3]), b"PK\x03\x04rest of a zip file"])
def test_a_pickle_is_not_opened(tmp_path: Path, start: bytes) -> None:
    (tmp_path / "x.pt").write_bytes(start)
    with pytest.raises(DataError, match=r"pickle, which minigrad never opens: save it as safetensors"):
        load(tmp_path / "x.pt")


def test_a_missing_file_is_the_systems_own_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (nn.ReLU(), r"cannot write a ReLU at 'the top'; save its state_dict\(\)"),
        ({"a": [1, {2, 3}]}, r"cannot write a set at 'a\.1'"),
        ({"f": print}, r"cannot write a builtin_function_or_method at 'f'"),
    ],
)
def test_what_cannot_be_saved(tmp_path: Path, value: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        save(value, tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_the_tree_is_json(tmp_path: Path) -> None:
    save({"a": mg.zeros(2)}, tmp_path / "x")
    with safetensors.safe_open(tmp_path / "x", framework="numpy") as file:
        assert json.loads(file.metadata()["minigrad"]) == {"dict": [["a", {"tensor": "a"}]]}


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    save({"a": mg.tensor([1.0, -2.0]), "b": {"n": [1, "x"]}}, buffer)
    whole = buffer.getvalue()
    for place in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[place] ^= 1 << bit
            with pytest.raises(DataError, match="the file is damaged"):
                load(io.BytesIO(bytes(damaged)))


def test_a_file_without_a_checksum(tmp_path: Path) -> None:
    safetensors.numpy.save_file({"a": np.zeros(2)}, tmp_path / "x", metadata={"minigrad": '{"tensor": "a"}'})
    with pytest.raises(DataError, match="it has no checksum: an older minigrad wrote it"):
        load(tmp_path / "x")


def test_a_checkpoint_of_a_training_run_comes_back_whatever_its_suffix(tmp_path: Path) -> None:
    model = nn.Linear(2, 3)
    optimizer = mg.optim.Adam(model.parameters(), lr=0.1)
    model(mg.ones(4, 2)).sum().backward()
    optimizer.step()
    whole = {"epoch": 3, "model": model.state_dict(), "optimizer": optimizer.state_dict(), "note": None, "t": (1, 2.5)}
    for name in ("x.pt", "x.pth", "x.safetensors", "x"):
        save(whole, tmp_path / name)
        again = load(tmp_path / name, map_location="cpu", weights_only=True)
        assert same(again, whole)
        assert type(again["model"]) is OrderedDict
        assert type(again["t"]) is tuple
    optimizer.load_state_dict(again["optimizer"])


def test_files_that_are_open(tmp_path: Path) -> None:
    state = {"x": mg.tensor([1.5])}
    with (tmp_path / "x").open("wb") as file:
        save(state, file)
    with (tmp_path / "x").open("rb") as file:
        assert same(load(file), state)
    with pytest.raises(DataError, match="the file is damaged"):
        load(io.BytesIO(b"nothing"))


def test_what_requires_grad_does_so_again(tmp_path: Path) -> None:
    x, p = mg.tensor([1.0], requires_grad=True), nn.Parameter(mg.ones(2))
    save([x, p, x * 2, x.detach()], tmp_path / "x")
    again = load(tmp_path / "x")
    assert [t.requires_grad for t in again] == [True, True, True, False]
    assert [type(t) for t in again] == [mg.Tensor, nn.Parameter, mg.Tensor, mg.Tensor]
    assert all(t.is_leaf for t in again)


def test_a_key_that_the_format_has_taken(tmp_path: Path) -> None:
    state = {"__metadata__": mg.tensor([1])}
    save(state, tmp_path / "x")
    assert same(load(tmp_path / "x"), state)


def test_places_to_load_to(tmp_path: Path) -> None:
    save({"x": mg.ones(2)}, tmp_path / "x")
    for place in (None, "cpu", "cpu:0", lambda storage, place: storage, {"cuda:0": "cpu"}):
        assert load(tmp_path / "x", map_location=place)["x"].tolist() == [1.0, 1.0]
    with pytest.raises(ArgumentError, match="'cuda' is not available"):
        load(tmp_path / "x", map_location="cuda")


def test_safe_globals_changes_nothing(tmp_path: Path) -> None:
    serialization.add_safe_globals([dict])
    with serialization.safe_globals([set]), pytest.raises(ArgumentError, match="cannot write a set"):
        save({1, 2}, tmp_path / "x")

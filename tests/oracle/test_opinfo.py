"""Every sample of PyTorch's own op table for every op that minigrad has: values and gradients, two precisions."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytest.importorskip("expecttest", reason="PyTorch's op table needs expecttest")

from bridge import (  # noqa: E402
    Crossing,
    Unsupported,
    check_close,
    check_gradients,
    described,
    flat,
    is_float,
    warning_alike,
    warnings_of_pytorch,
)
from databases import dtypes_of, key, module_db, named, op_db, optim_db, samples_of, tolerances  # noqa: E402
from names import ways  # noqa: E402
from overrides import OVERRIDES  # noqa: E402
from tally import Tally  # noqa: E402

import minigrad  # noqa: E402

pytestmark = pytest.mark.oracle
FLOOR = 540
ENTRIES = {key(entry): entry for entry in op_db}
WAYS = {name: found for name, entry in ENTRIES.items() if (found := ways(entry, name))}
SCOPE = tomllib.loads((Path(__file__).parent / "scope.toml").read_text())
LISTED = {name: group["reason"] for group in SCOPE["ops"] for name in group["names"]}
PARTS = {name: group["reason"] for group in SCOPE["variants"] for name in group["names"]}


@pytest.mark.parametrize("name", [name for name in WAYS if name not in PARTS])
def test_every_sample_of_an_op_gives_pytorchs_values_and_gradients(name, record_property):
    tally = Tally("OpInfo", name)
    entry = ENTRIES[name]
    for dtype in dtypes_of(entry):
        tolerance = OVERRIDES.tolerance(name, dtype) or tolerances(entry.decorators, dtype)
        for i, sample in enumerate(samples_of(entry, dtype)):
            for way, (ours, theirs) in WAYS[name].items():
                label = (
                    f"{way}, {str(dtype)[6:]}, sample {i} ({described((sample.input, *sample.args), sample.kwargs)})"
                )
                tally.run(label, _check, name, entry, sample, way, ours, theirs, tolerance)
    tally.report(record_property)


def _check(name: str, entry: Any, sample: Any, way: str, ours: Any, theirs: Any, tolerance: dict[str, float]) -> None:
    OVERRIDES.refuse(name, way, sample)
    crossing = Crossing()
    inputs = [crossing(x) for x in (sample.input, *sample.args)]
    settings = crossing(sample.kwargs)
    if way != "function" and not isinstance(inputs[0], minigrad.Tensor):
        raise Unsupported("a method needs a tensor")
    with warnings_of_pytorch() as seen:
        expected = _theirs(entry, sample, way, OVERRIDES.prepared(name, torch, theirs))
    minigrad.manual_seed(42)
    with warning_alike(seen):
        found = _processed(entry, sample, OVERRIDES.prepared(name, minigrad, ours)(*inputs, **settings))
    values, truths = flat(found), flat(expected)
    assert len(values) == len(truths), f"{len(values)} results for PyTorch's {len(truths)}"
    for i, (a, b) in enumerate(zip(values, truths, strict=True)):
        if OVERRIDES.only_shape(name):
            assert (tuple(a.shape), str(a.dtype)[9:]) == (tuple(b.shape), str(b.dtype)[6:])
        else:
            check_close(a, b, f"result {i}", **(tolerance if is_float(b) else {}))
    if OVERRIDES.constant(name, way, sample):
        return
    wanted, leaves = crossing.leaves()
    check_gradients(values, truths, leaves, wanted, tolerance)


def _theirs(entry: Any, sample: Any, way: str, theirs: Any) -> Any:
    torch.manual_seed(42)
    try:
        return _processed(entry, sample, theirs(sample.input, *sample.args, **sample.kwargs))
    except Exception as refusal:
        raise Unsupported(f"PyTorch refuses it ({way})") from refusal


def _processed(entry: Any, sample: Any, result: Any) -> Any:
    """Return what of a result PyTorch's tests differentiate: of an eigenvector, what its sign does not change."""
    return sample.output_process_fn_grad(result)


def test_every_entry_is_run_or_listed_with_a_reason():
    missing = sorted(ENTRIES.keys() - WAYS.keys() - LISTED.keys())
    assert not missing, f"neither offered nor listed in tests/oracle/scope.toml: {missing}"


def test_what_is_listed_as_out_of_scope_is_not_offered():
    stale = sorted(name for name in LISTED if name in WAYS)
    assert not stale, f"offered now, so remove from tests/oracle/scope.toml: {stale}"
    unknown = sorted(
        (LISTED.keys() | PARTS.keys() | OVERRIDES.names())
        - ENTRIES.keys()
        - {*map(named, module_db), *map(named, optim_db)}
    )
    assert not unknown, f"no entries of PyTorch's op table: {unknown}"


@pytest.mark.parametrize("name", sorted(PARTS))
def test_a_variant_listed_as_out_of_scope_does_not_work(name, record_property):
    assert name in WAYS, f"{name} is not offered at all: list it under [[ops]]"
    tally, entry = Tally("OpInfo", name), ENTRIES[name]
    dtypes = dtypes_of(entry)[:1]
    for sample in (s for dtype in dtypes for s in samples_of(entry, dtype)):
        for way, (ours, theirs) in WAYS[name].items():
            tally.run(way, _check, name, entry, sample, way, ours, theirs, {})
    assert tally.failed or not dtypes, f"every sample of {name} passes: remove it from tests/oracle/scope.toml"
    record_property("oracle", ["OpInfo", name, 0, 0, {PARTS[name]: tally.passed + len(tally.failed)}])


def test_as_many_entries_are_run_as_were_promised(record_property):
    for reason, count in Counter(LISTED.values()).items():
        record_property("oracle_scope", ["OpInfo", reason, count])
    assert len(WAYS.keys() - PARTS.keys()) >= FLOOR

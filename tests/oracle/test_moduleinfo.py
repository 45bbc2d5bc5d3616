"""Every sample of PyTorch's own module table for every layer and loss that minigrad has, in training and in use."""

from __future__ import annotations

import tomllib
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytest.importorskip("expecttest", reason="PyTorch's module table needs expecttest")

from bridge import (  # noqa: E402
    Crossing,
    check_close,
    check_gradients,
    described,
    flat,
    our_dtype,
    warning_alike,
    warnings_of_pytorch,
)
from databases import FLOATS, module_db, named, seeded, tolerances  # noqa: E402
from overrides import OVERRIDES  # noqa: E402
from tally import Tally  # noqa: E402

import minigrad  # noqa: E402

pytestmark = pytest.mark.oracle
FLOOR = 113
INFOS = {named(info): info for info in module_db}
HAVE = [name for name in INFOS if hasattr(minigrad.nn, name)]
SCOPE = tomllib.loads((Path(__file__).parent / "scope.toml").read_text())
LISTED = {name: group["reason"] for group in SCOPE["modules"] for name in group["names"]}


@pytest.mark.parametrize("name", HAVE)
def test_every_sample_of_a_module_gives_pytorchs_outputs_and_gradients(name, record_property):
    tally = Tally("ModuleInfo", name)
    for dtype in FLOATS:
        tolerance = OVERRIDES.tolerance(name, dtype) or tolerances(INFOS[name].decorators, dtype)
        for training in (True, False):
            for i, sample in enumerate(_samples(INFOS[name], dtype, training)):
                built = sample.constructor_input
                mode = "training" if training else "eval"
                label = f"{str(dtype)[6:]}, {mode}, sample {i} ({described(built.args, built.kwargs)})"
                tally.run(label, _check, INFOS[name], sample, dtype, training, tolerance)
    tally.report(record_property)


def _samples(info: Any, dtype: Any, training: bool) -> list[Any]:
    seeded()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(info.module_inputs_func(info, device="cpu", dtype=dtype, requires_grad=True, training=training))


def _check(info: Any, sample: Any, dtype: Any, training: bool, tolerance: dict[str, float]) -> None:
    OVERRIDES.refuse(named(info), "training" if training else "eval", sample)
    crossing = Crossing()
    theirs, ours = _built(info, sample, crossing, dtype, training)
    args, settings = sample.forward_input.args, sample.forward_input.kwargs
    our_args, our_settings = [crossing(a) for a in args], crossing(settings)
    if info.is_lazy:
        ours(*our_args, **our_settings)
        theirs(*args, **settings)
    ours.load_state_dict(Crossing()(dict(theirs.state_dict())))
    torch.manual_seed(42)
    with warnings_of_pytorch() as seen:
        truths = flat(OVERRIDES.prepared(named(info), torch, theirs)(*args, **settings))
    minigrad.manual_seed(42)
    with warning_alike(seen):
        values = flat(OVERRIDES.prepared(named(info), minigrad, ours)(*our_args, **our_settings))
    assert len(values) == len(truths), f"{len(values)} results for PyTorch's {len(truths)}"
    for i, (a, b) in enumerate(zip(values, truths, strict=True)):
        check_close(a, b, f"output {i}", **(tolerance if b.is_floating_point() else {}))
    wanted, leaves = crossing.leaves()
    leaves, wanted = [*leaves, *ours.parameters()], [*wanted, *theirs.parameters()]
    check_gradients(values, truths, leaves, wanted, tolerance)
    _check_state(ours, theirs, tolerance)


def _built(info: Any, sample: Any, crossing: Crossing, dtype: Any, training: bool) -> tuple[Any, Any]:
    """Return PyTorch's module and ours, built from the same seed: their repr and initial values must agree."""
    args, settings = sample.constructor_input.args, sample.constructor_input.kwargs
    torch.manual_seed(7)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = info.module_cls(*args, **settings).to(dtype).train(training)
    our_args, our_settings = [crossing(a) for a in args], crossing(settings)
    minigrad.manual_seed(7)
    ours = getattr(minigrad.nn, named(info))(*our_args, **our_settings).to(our_dtype(dtype)).train(training)
    assert repr(ours) == repr(theirs), f"repr {ours!r} for PyTorch's {theirs!r}"
    if not info.is_lazy:
        _check_state(ours, theirs, {})
    return theirs, ours


def _check_state(ours: Any, theirs: Any, tolerance: dict[str, float]) -> None:
    state, truth = ours.state_dict(), theirs.state_dict()
    assert list(state) == list(truth), f"state dict {list(state)} for PyTorch's {list(truth)}"
    for name, value in truth.items():
        check_close(state[name], value, name, **(tolerance if value.is_floating_point() else {}))


def test_every_module_is_run_or_listed_with_a_reason():
    missing = sorted(INFOS.keys() - set(HAVE) - LISTED.keys())
    assert not missing, f"neither offered nor listed in tests/oracle/scope.toml: {missing}"
    stale = sorted(LISTED.keys() & set(HAVE))
    assert not stale, f"offered now, so remove from tests/oracle/scope.toml: {stale}"
    assert LISTED.keys() <= INFOS.keys()


def test_as_many_modules_are_run_as_were_promised(record_property):
    for reason, count in Counter(LISTED.values()).items():
        record_property("oracle_scope", ["ModuleInfo", reason, count])
    assert len(HAVE) >= FLOOR

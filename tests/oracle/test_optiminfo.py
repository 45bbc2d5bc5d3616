"""Every configuration of PyTorch's own optimiser table for every optimiser that minigrad has: twenty steps alike."""

from __future__ import annotations

import tomllib
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytest.importorskip("expecttest", reason="PyTorch's optimiser table needs expecttest")

from bridge import Crossing, described  # noqa: E402
from databases import FLOATS, named, optim_db, seeded  # noqa: E402
from overrides import OVERRIDES  # noqa: E402
from tally import Tally  # noqa: E402

import minigrad  # noqa: E402
import minigrad.optim  # noqa: E402

pytestmark = pytest.mark.oracle
FLOOR = 14
STEPS = 20
INFOS = {named(info): info for info in optim_db}
STUBS = {"SparseAdam"}  # says that gradients are never sparse here
HAVE = [name for name in INFOS if hasattr(minigrad.optim, name) and name not in STUBS]
SCOPE = tomllib.loads((Path(__file__).parent / "scope.toml").read_text())
LISTED = {name: group["reason"] for group in SCOPE["optimizers"] for name in group["names"]}


@pytest.mark.parametrize("name", HAVE)
def test_every_configuration_of_an_optimiser_goes_pytorchs_way(name, record_property):
    tally = Tally("OptimizerInfo", name)
    for dtype in FLOATS:
        for i, sample in enumerate(INFOS[name].optim_inputs_func(device="cpu")):
            label = f"{str(dtype)[6:]}, sample {i} ({described((), sample.kwargs)})"
            tally.run(label, _check, INFOS[name], sample, dtype)
    tally.report(record_property)


def _check(info: Any, sample: Any, dtype: Any) -> None:
    """Compare the parameters after every step, both frameworks starting from the same and computing for themselves."""
    allowed = OVERRIDES.tolerance(named(info), dtype).get("rtol", 1e-6)
    theirs, x, y = _problem(info, dtype)
    crossing = Crossing()
    ours, settings = [crossing(p) for p in theirs], crossing(sample.kwargs)
    a, b = crossing(x), crossing(y)
    our_optimiser = getattr(minigrad.optim, named(info))(ours, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        their_optimiser = info.optim_cls(theirs, **sample.kwargs)
        for step in range(STEPS):
            their_optimiser.step(lambda: _loss(their_optimiser, theirs, x, y))
            our_optimiser.step(lambda: _loss(our_optimiser, ours, a, b))
            for mine, truth in zip(ours, theirs, strict=True):
                _check_near(mine.detach().numpy(), truth.detach().numpy(), step, allowed)


def _problem(info: Any, dtype: Any) -> tuple[list[Any], Any, Any]:
    """Return the parameters of a small problem, and its inputs and targets.

    Muon takes matrices only. For L-BFGS, whose every step is up to twenty, the problem is one layer: there all ways
    lead to one minimum, while on a curved one they part at the first difference in rounding.
    """
    seeded()
    shapes = {"Muon": [(4, 3), (3, 2)], "LBFGS": [(4, 2), (2,)]}.get(named(info), [(4, 3), (3, 2), (2,)])
    parameters = [torch.randn(*shape, dtype=dtype).requires_grad_() for shape in shapes]
    return parameters, torch.randn(8, 4, dtype=dtype), torch.randn(8, 2, dtype=dtype)


def _loss(optimiser: Any, parameters: list[Any], x: Any, y: Any) -> Any:
    optimiser.zero_grad()
    *matrices, last = parameters
    if last.ndim == 2:
        matrices, last = parameters, 0.0
    output = x @ matrices[0]
    for matrix in matrices[1:]:
        output = output.tanh() @ matrix
    output = output + last
    loss = ((output - y) ** 2).mean()
    loss.backward()
    return loss


def _check_near(ours: np.ndarray, theirs: np.ndarray, step: int, allowed: float) -> None:
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    away = np.max(np.abs(ours - theirs)) / np.max(np.abs(theirs))
    assert away <= allowed, f"after step {step + 1} the parameters are {away:.2e} of their size away"


def test_every_optimiser_is_run_or_listed_with_a_reason():
    missing = sorted(INFOS.keys() - set(HAVE) - LISTED.keys())
    assert not missing, f"neither offered nor listed in tests/oracle/scope.toml: {missing}"
    stale = sorted(LISTED.keys() & set(HAVE))
    assert not stale, f"offered now, so remove from tests/oracle/scope.toml: {stale}"
    assert LISTED.keys() <= INFOS.keys()


def test_as_many_optimisers_are_run_as_were_promised(record_property):
    for reason, count in Counter(LISTED.values()).items():
        record_property("oracle_scope", ["OptimizerInfo", reason, count])
    assert len(HAVE) >= FLOOR

"""Every op on every sample of its row in the table: values, gradients, dtypes, layouts, aliasing, PyTorch."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from op_samples import SAMPLES
from op_samples_base import Sample
from op_tests import for_every_op

from minigrad import engine, graph, plans
from minigrad.autograd import backward, grad
from minigrad.kernels.quiet import quietly
from minigrad.methods.place import edge_of
from minigrad.tensor import Tensor, wrap

EPS = 1e-6
every_sample = for_every_op(SAMPLES)
differentiable = for_every_op(s for s in SAMPLES if s.smooth and s.differentiable())
smooth = for_every_op(s for s in SAMPLES if s.smooth and not s.kink and s.differentiable())


def several(result: Any) -> tuple[Any, ...]:
    """Return the outputs of an op, however many."""
    return tuple(result) if isinstance(result, tuple | list) else (result,)


def leaves(sample: Sample, arrays: Iterable[np.ndarray]) -> list[Tensor]:
    """Return tensors on copies of the arrays; those that are differentiable require grad."""
    places = sample.differentiable()
    return [wrap(a.copy()).requires_grad_(i in places) for i, a in enumerate(arrays)]


def run(sample: Sample, tensors: list[Tensor]) -> list[Tensor]:
    """Return the float outputs that carry a gradient."""
    return [y for y in several(sample.call(*tensors)) if y.requires_grad]


def direction(like: Any, seed: int) -> np.ndarray:
    """Return a random array of this shape and dtype."""
    return np.asarray(np.random.default_rng(seed).uniform(0.5, 1.5, like.shape)).astype(like._data.dtype)


def directions(tensors: Iterable[Tensor], seed: int) -> list[np.ndarray]:
    return [direction(t, seed + i) for i, t in enumerate(tensors)]


def gradients(sample: Sample, tensors: list[Tensor], seeds: list[Tensor] | None = None, **how: Any) -> list[Tensor]:
    """Return the gradient of the outputs, weighed by fixed random numbers, for each differentiable input."""
    outputs = run(sample, tensors)
    seeds = seeds or [wrap(direction(y, i)) for i, y in enumerate(outputs)]
    return list(grad(outputs, [tensors[i] for i in sample.differentiable()], seeds, **how))


def dot(a: Iterable[Any], b: Iterable[np.ndarray]) -> float:
    return math.fsum(float(np.sum(np.asarray(getattr(x, "_data", x)) * y)) for x, y in zip(a, b, strict=True))


def moved(tensors: list[Tensor], along: list[np.ndarray], step: float) -> list[Tensor]:
    """Return fresh tensors, those that require grad moved by `step` along `along`."""
    rest = iter(along)
    return [
        wrap(t._data + step * next(rest)).requires_grad_() if t.requires_grad else wrap(t._data.copy()) for t in tensors
    ]


def test_every_op_has_a_sample_and_every_sample_an_op():
    assert {s.op for s in SAMPLES} == set(graph.primitives) | set(graph.composites)


def test_labels_are_unique():
    assert len({str(s) for s in SAMPLES}) == len(SAMPLES)


@every_sample
def test_the_raw_and_the_recorded_path_agree_to_the_bit(sample):
    for dtype in (np.float64, np.float32):
        arrays = sample.arrays(dtype)
        raw = several(quietly.get()(sample.call, *arrays))
        for a, t in zip(map(np.asarray, raw), several(sample.call(*leaves(sample, arrays))), strict=True):
            assert isinstance(t, Tensor)
            assert (a.dtype, a.shape) == (t._data.dtype, t._data.shape)
            assert a.tobytes() == t._data.tobytes()


@for_every_op(s for s in SAMPLES if s.truth)
def test_forward_is_numpys(sample):
    arrays = sample.arrays()
    results = several(sample.call(*leaves(sample, arrays)))
    for t, expected in zip(results, several(quietly.get()(sample.truth, *arrays)), strict=True):
        assert t._data.shape == np.shape(expected)
        np.testing.assert_allclose(t._data, expected, rtol=1e-13, atol=1e-15)


@every_sample
def test_what_carries_a_gradient(sample):
    tensors = leaves(sample, sample.arrays())
    outputs = several(sample.call(*tensors))
    for y in outputs:
        assert y.requires_grad == (bool(sample.differentiable()) and y.is_floating_point())
    if not sample.smooth:  # asking for a gradient changes nothing for an op without one
        asked = [wrap(a).requires_grad_(a.dtype.kind == "f") for a in sample.arrays()]
        assert not any(y.requires_grad for y in several(sample.call(*asked)))


@smooth
def test_gradients_are_the_central_differences(sample):
    tensors = leaves(sample, sample.arrays())
    along = directions((t for t in tensors if t.requires_grad), 50)
    analytic = dot(gradients(sample, tensors), along)

    def projected(step: float) -> float:
        outputs = run(sample, moved(tensors, along, step))
        return dot(outputs, [direction(y, i) for i, y in enumerate(outputs)])

    numeric = (projected(EPS) - projected(-EPS)) / (2 * EPS)
    assert numeric == pytest.approx(analytic, rel=1e-6, abs=1e-8)


@smooth
def test_second_derivatives_are_the_central_differences_of_the_first(sample):
    tensors = leaves(sample, sample.arrays())
    seeds = [wrap(direction(y, i)).requires_grad_() for i, y in enumerate(run(sample, tensors))]
    wanted = [t for t in tensors if t.requires_grad]
    weights = directions(wanted, 90)
    along, seeds_along = directions(wanted, 50), directions(seeds, 70)
    first = gradients(sample, tensors, seeds, create_graph=True)
    for g, t in zip(first, wanted, strict=True):
        assert (g.shape, g.dtype) == (t.shape, t.dtype)
    recorded = [(g, w) for g, w in zip(first, weights, strict=True) if g.requires_grad]
    second = grad([g for g, _ in recorded], wanted + seeds, [wrap(w) for _, w in recorded], materialize_grads=True)
    analytic = dot(second, along + seeds_along)

    def projected(step: float) -> float:
        return dot(gradients(sample, moved(tensors, along, step), moved(seeds, seeds_along, step)), weights)

    numeric = (projected(EPS) - projected(-EPS)) / (2 * EPS)
    assert numeric == pytest.approx(analytic, rel=1e-6, abs=1e-8)


@differentiable
def test_backward_visits_nodes_the_short_way_with_the_result_of_the_long_way(sample):
    """With targets, as `grad` has them, the engine goes the long way round."""
    long, short = leaves(sample, sample.arrays()), leaves(sample, sample.arrays())
    outputs = run(sample, short)
    backward(outputs, [wrap(direction(y, i)) for i, y in enumerate(outputs)])
    for expected, i in zip(gradients(sample, long), sample.differentiable(), strict=True):
        assert short[i].grad._data.tobytes() == expected._data.tobytes()


@differentiable
def test_dtype_is_kept(sample):
    for dtype in (np.float64, np.float32, np.float16):
        tensors = leaves(sample, sample.arrays(dtype))
        if sample.keeps_dtype:
            assert {y._data.dtype for y in run(sample, tensors)} == {np.dtype(dtype)}
        for g, i in zip(gradients(sample, tensors), sample.differentiable(), strict=True):
            assert (g._data.dtype, g.shape) == (dtype, tensors[i].shape)


def every_other(a: np.ndarray) -> np.ndarray:
    """Return the same values as every other element of a larger array."""
    return np.repeat(a, 2, -1)[..., ::2] if a.ndim else a


LAYOUTS = {
    "transposed": lambda a: a.T.copy().T,
    "negative strides": lambda a: a[(slice(None, None, -1),) * a.ndim].copy()[(slice(None, None, -1),) * a.ndim],
    "channels last": lambda a: np.moveaxis(np.moveaxis(a, 1, -1).copy(), -1, 1) if a.ndim > 2 else a,
    "every other": every_other,
}


@every_sample
def test_memory_layout_changes_nothing(sample):
    arrays = sample.arrays()
    plain = leaves(sample, arrays)
    expected = [y._data for y in several(sample.call(*plain))]
    slopes = [g._data for g in gradients(sample, plain)] if sample.differentiable() else []
    for layout, arranged in LAYOUTS.items():
        laid = [wrap(arranged(a)).requires_grad_(t.requires_grad) for a, t in zip(arrays, plain, strict=True)]
        found = [y._data for y in several(sample.call(*laid))]
        found += [g._data for g in gradients(sample, laid)] if slopes else []
        for a, b in zip(found, expected + slopes, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-13, atol=1e-14, err_msg=layout)


@every_sample
def test_inputs_are_never_written_to(sample):
    tensors = leaves(sample, sample.arrays())
    for t in tensors:
        t._data.flags.writeable = False
    before = [t._data.tobytes() for t in tensors]
    outputs = several(sample.call(*tensors))
    if sample.differentiable():
        gradients(sample, tensors)
        kept = [y._data.tobytes() for y in outputs]
        gradients(sample, tensors)
        assert kept == [y._data.tobytes() for y in outputs]
    assert before == [t._data.tobytes() for t in tensors]
    for t in tensors:
        t._data.flags.writeable = True


@differentiable
def test_each_leaf_owns_its_gradient(sample):
    tensors = leaves(sample, sample.arrays())
    outputs = run(sample, tensors)
    seeds = [wrap(direction(y, i)) for i, y in enumerate(outputs)]
    backward(outputs, seeds)
    wanted = [t for t in tensors if t.requires_grad]
    others: list[np.ndarray] = [t._data for t in (*tensors, *outputs, *seeds)]
    for t in wanted:
        g = t.grad._data
        assert (g.shape, g.dtype) == (t._data.shape, t._data.dtype)
        assert g.flags.writeable
        assert not any(np.shares_memory(g, other) for other in others)
        others.append(g)


@differentiable
def test_backward_accumulates_and_frees(sample):
    tensors = leaves(sample, sample.arrays())
    outputs = run(sample, tensors)
    seeds = [wrap(direction(y, i)) for i, y in enumerate(outputs)]
    once = gradients(sample, tensors)
    backward(outputs, seeds, retain_graph=True)
    backward(outputs, seeds)
    for g, i in zip(once, sample.differentiable(), strict=True):
        np.testing.assert_allclose(tensors[i].grad._data, 2 * g._data, rtol=1e-14, atol=1e-14)
    nodes = engine.reachable(edge_of(y) for y in outputs)
    assert not any(node.saved for node in nodes)
    if any(node.plan.saves for node in nodes):
        with pytest.raises(RuntimeError, match="backward through the graph a second time"):
            backward(outputs, seeds)


def changed(t: Tensor) -> bool:
    """Write other values into the tensor's memory as an in-place operation does; False if it has none to write to."""
    if not t._data.flags.writeable or not t._data.size:
        return False
    t._data[...] = ~t._data if t._data.dtype == bool else t._data + 1
    t._storage.version += 1
    return True


@differentiable
def test_changing_a_value_raises_if_and_only_if_a_rule_asked_for_it(sample):
    expected = gradients(sample, leaves(sample, sample.arrays()))
    count = len(several(quietly.get()(sample.call, *sample.arrays())))
    for place in range(len(sample.draws) + count):
        tensors = leaves(sample, sample.arrays())
        everything = several(sample.call(*tensors))
        outputs = [y for y in everything if y.requires_grad]
        seeds = [wrap(direction(y, i)) for i, y in enumerate(outputs)]
        victim = (*tensors, *everything)[place]
        if not changed(victim):
            continue
        nodes = engine.reachable(edge_of(y) for y in outputs)
        asked = any(s is victim._storage for node in nodes if node.saved for _, _, s, _ in graph.held(node))
        if asked:
            with pytest.raises(RuntimeError, match="modified by an inplace operation"):
                grad(outputs, [tensors[i] for i in sample.differentiable()], seeds)
        else:
            for g, e in zip(grad(outputs, [tensors[i] for i in sample.differentiable()], seeds), expected, strict=True):
                np.testing.assert_array_equal(g._data, e._data)


def negated(rule: plans.Rule) -> plans.Rule:
    """Return the rule with the sign of all that it returns turned."""

    def wrong(*asked: Any, **by_name: Any) -> Any:
        returned = rule.function(*asked, **by_name)
        return tuple(None if g is None else -g for g in returned) if isinstance(returned, tuple) else -returned

    return rule._replace(function=wrong)


def holds(sample: Sample) -> bool:
    """Return whether the gradients of a sample are the central differences."""
    try:
        test_gradients_are_the_central_differences.check(sample)
    except AssertionError:
        return False
    return True


FLAT = ("ceil", "div_floor", "div_trunc", "floor", "round", "sign", "trunc")  # their gradient is 0, which has no sign
RULES = [
    (op, i)
    for op in graph.primitives.values()
    for i in op.inputs
    if op.name not in FLAT and (op.joint or op.rules[i] is not None)
]


@pytest.mark.parametrize(("op", "name"), RULES, ids=lambda x: getattr(x, "name", x))
def test_the_table_would_notice_a_wrong_sign(op, name, monkeypatch):
    right = op.make_plan

    def wrong(*key: int) -> plans.Plan:
        plan = right(*key)
        named = (op.joint is not None or op.input_name(rule.targets[0]) == name for rule in plan.rules)
        rules = tuple(negated(r) if n else r for r, n in zip(plan.rules, named, strict=True))
        return dataclasses.replace(plan, rules=rules)

    rows = [s for s in SAMPLES if s.op == op.name and s.smooth and not s.kink and s.differentiable()]
    monkeypatch.setattr(op, "make_plan", wrong)
    op.plans.clear()
    try:
        assert not all(holds(sample) for sample in rows)
    finally:
        op.plans.clear()


def test_the_table_would_notice_a_broadcast_operand_whose_gradient_is_not_summed(monkeypatch):
    monkeypatch.setattr("minigrad.engine.sum_to", lambda g, *, shape: np.resize(g, shape))
    rows = [s for s in SAMPLES if s.op in ("add", "mul") and s.label.endswith("broadcast") and "empty" not in s.label]
    assert not any(holds(sample) for sample in rows)

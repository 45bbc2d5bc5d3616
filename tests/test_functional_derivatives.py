"""autograd.functional, func, and the names around autograd: the same programs with either library."""

import warnings
from collections import namedtuple

import numpy as np
import pytest

import minigrad as mg
from minigrad import func  # noqa: F401  it is loaded when first used

torch = pytest.importorskip("torch", reason="the oracle is not installed")
pytestmark = pytest.mark.oracle


def plain(x):
    """Return results as nested lists of arrays and their need of a gradient, for comparing."""
    if isinstance(x, mg.Tensor | torch.Tensor):
        return (x.detach().numpy(), x.requires_grad)
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, tuple | list):
        return type(x)(*map(plain, x)) if hasattr(x, "_fields") else type(x)(plain(v) for v in x)
    return x


def assert_equal(a, b):
    if isinstance(b, np.ndarray):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)
    elif isinstance(b, dict):
        assert list(a) == list(b)
        for k in b:
            assert_equal(a[k], b[k])
    elif isinstance(b, tuple | list):
        assert len(a) == len(b)
        assert type(a).__name__ == type(b).__name__
        for x, y in zip(a, b, strict=True):
            assert_equal(x, y)
    else:
        assert a == b


def both(run):
    results = []
    for t in (mg, torch):
        t.manual_seed(5)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results.append(plain(run(t)))
    assert_equal(*results)


def x(t, *shape, start=0.3, grad=False):
    size = int(np.prod(shape, dtype=int))
    values = t.linspace(start, start + 1.1, size, dtype=t.float64).reshape(shape)
    return values.requires_grad_() if grad else values


# --- autograd.grad and backward ---


def test_grad_takes_pytorchs_arguments():
    def run(t):
        a, b, unused = x(t, 3, grad=True), x(t, 3, start=2, grad=True), x(t, 2, grad=True)
        many = (t.eye(3, dtype=t.float64), t.linspace(0, 1, 3, dtype=t.float64))
        outputs = lambda: (a * b, (a**2).sum())
        return [
            t.autograd.grad(outputs(), (a, b), [many[0][0], many[1][0]], None, True, True, True),
            t.autograd.grad(outputs(), [a, b], many, is_grads_batched=True),
            t.autograd.grad(outputs(), (a, unused), many, is_grads_batched=True, allow_unused=True),
            t.autograd.grad((a * b).sum(), (a, unused), materialize_grads=True),
            t.autograd.grad((a * b).sum(), a, only_inputs=True, create_graph=True, retain_graph=True),
        ]

    both(run)


def test_backward_takes_pytorchs_arguments():
    def run(t):
        a, b = x(t, 3, grad=True), x(t, 3, start=2, grad=True)
        t.autograd.backward([a * b, (a**2).sum()], [x(t, 3), None], inputs=[a])
        t.autograd.backward(a * b, grad_variables=x(t, 3))
        return a.grad, b.grad

    both(run)


# --- autograd.functional ---

FUNCTIONS = {
    "one to one": (lambda t: lambda a: a.exp() * a.sum(), lambda t, g: x(t, 3, grad=g)),
    "to a number": (lambda t: lambda a: (a**3).sum(), lambda t, g: x(t, 2, 2, grad=g)),
    "two in": (lambda t: lambda a, b: (a * b).sin(), lambda t, g: (x(t, 3, grad=g), x(t, 3, start=1, grad=g))),
    "two in, to a number": (lambda t: lambda a, b: (a @ b).tanh().sum(), lambda t, g: (x(t, 2, 3, grad=g), x(t, 3, 2))),
    "two out": (lambda t: lambda a: (a**2, a.sum()), lambda t, g: x(t, 3, grad=g)),
    "a tuple of one": (lambda t: lambda a: (a.exp(),), lambda t, g: (x(t, 2, grad=g),)),
    "unused": (lambda t: lambda a, b: (a * a).sum(), lambda t, g: (x(t, 2), x(t, 3, grad=g))),
    "constant": (lambda t: lambda a: t.ones(2, dtype=t.float64), lambda t, g: x(t, 2, grad=g)),
    "linear": (lambda t: lambda a: 2 * a, lambda t, g: x(t, 2, grad=g)),
    "0-d": (lambda t: lambda a: a**4, lambda t, g: x(t, grad=g)),
}
TO_A_NUMBER = ("to a number", "two in, to a number", "unused", "0-d")


def like(t, value):
    """Return vectors of the form of `value`."""
    if isinstance(value, tuple):
        return tuple(like(t, v) for v in value)
    return x(t, *value.shape, start=-0.5)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize("case", FUNCTIONS)
def test_products_with_jacobians(case, grad, create_graph):
    make, inputs = FUNCTIONS[case]

    def run(t):
        f, xs = make(t), inputs(t, grad)
        api, outputs = t.autograd.functional, f(*xs) if isinstance(xs, tuple) else f(xs)
        return [
            api.jacobian(f, xs, create_graph=create_graph),
            api.vjp(f, xs, like(t, outputs), create_graph=create_graph),
            api.jvp(f, xs, like(t, xs), create_graph=create_graph),
        ]

    both(run)


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("grad", [False, True])
@pytest.mark.parametrize("case", TO_A_NUMBER)
def test_products_with_hessians(case, grad, create_graph):
    make, inputs = FUNCTIONS[case]

    def run(t):
        f, xs, api = make(t), inputs(t, grad), t.autograd.functional
        return [
            api.hessian(f, xs, create_graph=create_graph),
            api.hessian(f, xs, vectorize=True),
            api.vjp(f, xs),
            api.hvp(f, xs, like(t, xs), create_graph=create_graph),
            api.vhp(f, xs, like(t, xs), create_graph=create_graph),
        ]

    both(run)


def test_a_jacobian_made_with_its_graph_is_differentiated():
    def run(t):
        a = x(t, 3, grad=True)
        t.autograd.functional.jacobian(lambda v: v**3, a, create_graph=True).sum().backward()
        return a.grad

    both(run)


def test_other_tensors_in_the_function_are_left_alone():
    def run(t):
        w = x(t, 3, grad=True)
        result = t.autograd.functional.vjp(lambda v: (w * v).sum(), x(t, 3))
        with t.no_grad():
            again = t.autograd.functional.jacobian(lambda v: w * v, x(t, 3))
        return result, again, w.grad

    both(run)


A = mg.tensor([1.0, 2.0])
api = mg.autograd.functional
REFUSED = {
    "strict, unused": (lambda: api.jacobian(lambda a, b: a * 1, (A, A), strict=True), RuntimeError, "independent of"),
    "strict, constant": (lambda: api.vjp(lambda a: A, A, A, strict=True), RuntimeError, "does not require gradients"),
    "strict, linear": (lambda: api.hessian(lambda a: a.sum(), A, strict=True), RuntimeError, "strict mode"),
    "not a tensor": (lambda: api.jacobian(lambda a: 3.0, A), TypeError, "must be either a Tensor or a tuple"),
    "not tensors": (lambda: api.vjp(lambda a: a, (A, 2)), TypeError, "value at index 1 has type"),
    "no v": (lambda: api.vjp(lambda a: a, A), RuntimeError, "v can only be None if"),
    "v too long": (lambda: api.jvp(lambda a: a, A, (A, A)), RuntimeError, "single Tensor"),
    "v of another shape": (lambda: api.jvp(lambda a: a, A, A[:1]), RuntimeError, "v has invalid size: should be"),
    "not a number": (lambda: api.hessian(lambda a: a, A), RuntimeError, "should contain a single element"),
    "two numbers": (lambda: api.hvp(lambda a: (a.sum(), a.sum()), A, A), RuntimeError, "should return a single Tensor"),
    "strategy": (lambda: api.jacobian(lambda a: a, A, strategy="x"), ValueError, "Expected strategy"),
    "grad of a vector": (lambda: mg.func.grad(lambda a: a)(A), RuntimeError, "to return a scalar tensor, got shape"),
    "argnum": (lambda: mg.func.grad(lambda a: a.sum(), 1)(A), ValueError, "Got argnum=1, but only 1 positional"),
    "no aux": (lambda: mg.func.grad(lambda a: a.sum(), has_aux=True)(A), ValueError, "returns a pair"),
    "weights": (lambda: mg.func.vjp(lambda a: a, A)[1](A[:1]), RuntimeError, "same form and shapes"),
    "tangents": (lambda: mg.func.jvp(lambda a: a, A, A), TypeError, "primals and tangents to be tuples"),
    "sizes": (lambda: mg.func.vmap(mg.add)(A, A[:1]), ValueError, "same size in the mapped dimension"),
    "nothing mapped": (lambda: mg.func.vmap(mg.add, (None, None))(A, A), ValueError, "no inputs to map over"),
    "randomness": (lambda: mg.func.vmap(mg.add, randomness="x")(A, A), ValueError, "Only allowed values"),
    "drawn": (lambda: mg.func.vmap(lambda a: a + mg.rand(1))(A), RuntimeError, "randomness error mode"),
    "no models": (lambda: mg.func.stack_module_state([]), ValueError, "at least one model"),
    "kinds": (lambda: mg.func.stack_module_state([mg.nn.ReLU(), mg.nn.Tanh()]), ValueError, "same class"),
    "strict call": (
        lambda: mg.func.functional_call(mg.nn.Linear(2, 1), {"bias": A, "x": A}, A, strict=True),
        RuntimeError,
        r"missing key\(s\) \['weight'\], unexpected key\(s\) \['x'\]",
    ),
    "twice": (
        lambda: mg.func.functional_call(mg.nn.Linear(2, 1), ({"bias": A}, {"bias": A}), A),
        ValueError,
        "multiple dictionaries",
    ),
    "only inputs": (lambda: mg.autograd.grad(A, A, only_inputs=False), ValueError, "only_inputs argument is deprec"),
    "forward": (lambda: mg.autograd.gradcheck(mg.exp, A, check_forward_ad=True), ValueError, "no forward mode"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused_in_words(case):
    call, kind, words = REFUSED[case]
    with pytest.raises(kind, match=words):
        call()


# --- func ---

Pair = namedtuple("Pair", "w b")


def cube(a):
    return (a**3).sum()


PROGRAMS = {
    "grad": lambda t, f: f.grad(cube)(x(t, 3)),
    "grad of grad": lambda t, f: f.grad(f.grad(lambda a: a**4))(x(t)),
    "third": lambda t, f: f.grad(f.grad(f.grad(lambda a: a**5)))(x(t)),
    "argnums": lambda t, f: f.grad(lambda a, b: (a * b**2).sum(), argnums=(1, 0))(x(t, 2), x(t, 2, start=2)),
    "argnums of one": lambda t, f: f.grad(lambda a, b: (a * b**2).sum(), argnums=(-1,))(x(t, 2), x(t, 2, start=2)),
    "aux": lambda t, f: f.grad(lambda a: (cube(a), {"twice": a * 2}), has_aux=True)(x(t, 2)),
    "value": lambda t, f: f.grad_and_value(cube)(x(t, 2)),
    "value, aux": lambda t, f: f.grad_and_value(lambda a: (cube(a), a + 1), has_aux=True)(x(t, 2)),
    "dict": lambda t, f: f.grad(lambda p, a: ((p["w"] @ a + p["b"]) ** 2).sum())(
        {"w": x(t, 2, 3), "b": x(t, 2)}, x(t, 3)
    ),
    "list": lambda t, f: f.grad(lambda p: (p[0] * p[1][0]).sum())([x(t, 2), (x(t, 2, start=3),)]),
    "named tuple": lambda t, f: f.grad(lambda p: (p.w * p.b).sum())(Pair(x(t, 2), x(t, 2, start=3))),
    "unused": lambda t, f: f.grad(lambda a, b: cube(a), argnums=(0, 1))(x(t, 2), x(t, 3)),
    "of a leaf": lambda t, f: f.grad(cube)(x(t, 3, grad=True)),
    "without recording": lambda t, f: without_recording(t, lambda: f.grad(cube)(x(t, 3, grad=True))),
    "of a closed-over leaf": lambda t, f: (lambda w: f.grad(lambda a: (a * w).sum())(x(t, 3)))(x(t, 3, grad=True)),
    "vjp": lambda t, f: called(f.vjp(lambda a: a.sin(), x(t, 3)), x(t, 3, start=2)),
    "vjp of two": lambda t, f: called(f.vjp(lambda a, b: {"s": a + b, "p": a * b}, x(t, 2), x(t, 2)),
                                      {"s": x(t, 2), "p": x(t, 2)}),
    "vjp, aux": lambda t, f: f.vjp(lambda a: (a * 2, a + 1), x(t, 3), has_aux=True)[2],
    "jvp": lambda t, f: f.jvp(lambda a: a.sin() * a.sum(), (x(t, 3),), (x(t, 3, start=2),)),
    "jvp of two": lambda t, f: f.jvp(lambda a, b: (a * b, a.sum()), (x(t, 2), x(t, 2)), (x(t, 2), x(t, 2, start=1))),
    "jvp, aux": lambda t, f: f.jvp(lambda a: (a.exp(), a + 1), (x(t, 2),), (x(t, 2),), has_aux=True),
    "jvp of a constant": lambda t, f: f.jvp(lambda a: x(t, 2), (x(t, 3),), (x(t, 3),)),
    "grad of jvp": lambda t, f: f.grad(lambda a: f.jvp(lambda b: b**3, (a,), (t.ones_like(a),))[1].sum())(x(t, 2)),
    "jvp of grad": lambda t, f: f.jvp(f.grad(cube), (x(t, 2),), (x(t, 2, start=1),)),
    "jacrev": lambda t, f: f.jacrev(lambda a: a.sin() * a.sum())(x(t, 3)),
    "jacrev of two": lambda t, f: f.jacrev(lambda a, b: (a * b, a.sum()), argnums=(0, 1))(x(t, 2), x(t, 2)),
    "jacrev of a dict": lambda t, f: f.jacrev(lambda p: {"y": p["w"] @ p["v"]})({"w": x(t, 2, 3), "v": x(t, 3)}),
    "jacrev, aux": lambda t, f: f.jacrev(lambda a: (a.exp(), a.sum()), has_aux=True)(x(t, 2)),
    "jacfwd": lambda t, f: f.jacfwd(lambda a: a.sin() * a.sum())(x(t, 3)),
    "hessian": lambda t, f: f.hessian(lambda a: (a.sin() * a.sum()).sum())(x(t, 3)),
    "hessian of two": lambda t, f: f.hessian(lambda a, b: (a * b**2).sum(), argnums=(0, 1))(x(t, 2), x(t, 2)),
    "jacrev of jacrev": lambda t, f: f.jacrev(f.jacrev(lambda a: a**3))(x(t, 2)),
    "mixed": lambda t, f: f.grad(lambda b: f.grad(lambda a: (a**2 * b).sum())(x(t, 2)).sum())(x(t, 2, start=2)),
    "vmap": lambda t, f: f.vmap(lambda a, b: a @ b)(x(t, 4, 3), x(t, 4, 3)),
    "vmap in_dims": lambda t, f: f.vmap(lambda a, b: a * b, in_dims=(1, None))(x(t, 2, 3), x(t, 2)),
    "vmap negative dims": lambda t, f: f.vmap(lambda a: a * 2, in_dims=-1, out_dims=-1)(x(t, 2, 3)),
    "vmap out_dims": lambda t, f: f.vmap(lambda a: (a, a.sum()), out_dims=(1, 0))(x(t, 2, 3)),
    "vmap of a dict": lambda t, f: f.vmap(lambda d: {"y": d["a"] + d["b"]}, in_dims=({"a": 0, "b": None},))(
        {"a": x(t, 3), "b": x(t)}),
    "vmap of vmap": lambda t, f: f.vmap(f.vmap(lambda a, b: a * b, (None, 0)), (0, None))(x(t, 2), x(t, 3)),
    "vmap of grad": lambda t, f: f.vmap(f.grad(lambda w, a: (w * a).sin().sum()), (None, 0))(x(t, 2), x(t, 4, 2)),
    "grad of vmap": lambda t, f: f.grad(lambda w: f.vmap(lambda a: (w * a).sum())(x(t, 4, 2)).prod())(x(t, 2)),
    "vmap of jacrev": lambda t, f: f.vmap(f.jacrev(lambda a: a**2))(x(t, 2, 3)),
    "vmap, keywords": lambda t, f: f.vmap(lambda a, *, b: a + b)(x(t, 3), b=x(t, 3)),
    "vmap of a leaf": lambda t, f: f.vmap(lambda a: a * 2)(x(t, 3, grad=True)),
    "vmap, same": lambda t, f: f.vmap(lambda a: a + t.rand(2, dtype=t.float64), randomness="same")(x(t, 3)),
}  # fmt: skip


def without_recording(t, run):
    with t.no_grad():
        return run()


def called(pair, weights):
    return pair[0], pair[1](weights)


@pytest.mark.parametrize("case", PROGRAMS)
def test_functions_of_functions(case):
    both(lambda t: PROGRAMS[case](t, t.func))


def network(t):
    return t.nn.Sequential(t.nn.Linear(3, 4), t.nn.Tanh(), t.nn.BatchNorm1d(4), t.nn.Linear(4, 1)).double()


def test_a_module_is_called_with_other_weights():
    def run(t):
        net, data = network(t).eval(), x(t, 5, 3)
        before = {k: v.clone() for k, v in net.state_dict().items()}
        params = {k: (v * 2).detach() for k, v in net.named_parameters()}
        buffers = {k: v.clone() for k, v in net.named_buffers()}
        loss = lambda p: (t.func.functional_call(net, (p, buffers), (data,)) ** 2).mean()
        some = t.func.functional_call(net, {"0.bias": t.zeros(4, dtype=t.float64)}, data)
        gradients = t.func.grad(loss)(params)
        kept = all(bool((before[k] == v).all()) for k, v in net.named_parameters())
        return gradients, some, buffers, kept, [type(p).__name__ for p in net.parameters()]

    both(run)


def test_gradients_of_single_examples():
    def run(t):
        net = t.nn.Linear(3, 1).double()
        params = {k: v.detach() for k, v in net.named_parameters()}
        loss = lambda p, a, b: ((t.func.functional_call(net, p, (a,)) - b) ** 2).sum()
        return t.func.vmap(t.func.grad(loss), in_dims=(None, 0, 0))(params, x(t, 5, 3), x(t, 5, 1))

    both(run)


def test_an_ensemble():
    def run(t):
        nets = [t.nn.Linear(3, 2).double() for _ in range(3)]
        params, buffers = t.func.stack_module_state(nets)
        one = lambda p, b, a: t.func.functional_call(nets[0], (p, b), (a,))
        return params, buffers, t.func.vmap(one, in_dims=(0, 0, None))(params, buffers, x(t, 4, 3))

    both(run)


def test_a_tensor_under_two_names():
    def run(t):
        net = t.nn.Sequential(t.nn.Linear(2, 2), t.nn.Linear(2, 2)).double()
        net[1].weight = net[0].weight
        ones = {"0.weight": t.ones(2, 2, dtype=t.float64)}
        return [t.func.functional_call(net, ones, x(t, 2), tie_weights=tie) for tie in (True, False)]

    both(run)


def test_weights_come_back_after_an_error():
    net = mg.nn.Linear(2, 2)
    own = net.weight
    with pytest.raises(RuntimeError):
        mg.func.functional_call(net, {"weight": mg.zeros(5, 5)}, mg.zeros(2))
    assert net.weight is own


# --- modes and old names ---


def modes(t):
    """Yield what is switched on in many places."""
    state = lambda: (t.is_grad_enabled(), t.is_inference_mode_enabled())
    with t.inference_mode():
        yield state()
        with t.inference_mode(False):
            yield state()
        with t.enable_grad():
            yield state()
    yield state()
    with t.no_grad(), t.inference_mode(mode=False):
        yield state()
    yield t.inference_mode()(state)()
    yield t.inference_mode(state)()
    yield t.autograd.inference_mode()(state)()
    t.set_grad_enabled(False)
    yield state()
    t.set_grad_enabled(True)
    yield t.set_grad_enabled(False)(state)()
    with t.set_grad_enabled(mode=False):
        yield state()
    yield state()
    yield t.no_grad()(state)()


def test_the_modes_are_pytorchs():
    assert list(modes(mg)) == list(modes(torch))


def test_inference_mode_records_nothing():
    w = mg.ones(2, requires_grad=True)
    with mg.inference_mode():
        y = w * 2
    assert not y.requires_grad
    assert w.requires_grad


def test_variables_are_tensors():
    def run(t):
        w = x(t, 2, grad=True)
        a, b = t.autograd.Variable(w * 2), t.autograd.Variable(x(t, 2), requires_grad=True)
        (a * b).sum().backward()
        return a, b.grad, w.grad, isinstance(w, t.autograd.Variable), isinstance(2, t.autograd.Variable)

    both(run)


def test_a_volatile_variable_says_that_nothing_is():
    with pytest.warns(UserWarning, match="volatile was removed and now has no effect"):
        mg.autograd.Variable(mg.ones(1), volatile=True)


def anomalies(t):
    state = t.is_anomaly_enabled if hasattr(t, "is_anomaly_enabled") else t.autograd.is_anomaly_enabled
    yield state()
    with t.autograd.detect_anomaly():
        yield state()
        with t.autograd.set_detect_anomaly(False):
            yield state()
        yield state()
    yield state()
    t.autograd.set_detect_anomaly(True)
    yield state()
    t.autograd.set_detect_anomaly(False, check_nan=False)
    yield state()


def test_anomaly_detection_is_switched_as_in_pytorch():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert list(anomalies(mg)) == list(anomalies(torch))


def test_gradcheck_takes_pytorchs_arguments():
    def run(t):
        a = x(t, 3, grad=True)
        options = {"nondet_tol": 1e-7, "fast_mode": True, "check_undefined_grad": False, "atol": 1e-4}
        return [
            t.autograd.gradcheck(cube, (a,), **options),
            t.autograd.gradgradcheck(cube, (a,), **options, gen_non_contig_grad_outputs=True),
            t.autograd.gradcheck(lambda v: v.detach().exp() + v * 0, a, raise_exception=False),
        ]

    both(run)

"""Learning-rate schedules and averaged weights: PyTorch's rates, closed forms, saving and loading, refusals."""

import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.errors import ArgumentError, StateDictError
from minigrad.optim import lr_scheduler, swa_utils


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="the oracle is not installed")


def leaf(data):
    return mg.tensor(data, requires_grad=True)


class Schedules:
    """The schedules of a library, made with further settings."""

    def __init__(self, library, **settings):
        self.library, self.settings = library, settings

    def __getattr__(self, name):
        made = getattr(self.library.swa_utils if name == "SWALR" else self.library.lr_scheduler, name)
        return lambda *arguments, **settings: made(*arguments, **settings, **self.settings)


SCHEDULES = {
    "step": lambda s, o: [s.StepLR(o, 7, 0.3)],
    "step, zero": lambda s, o: [s.StepLR(o, 20, 0.0)],
    "milestones": lambda s, o: [s.MultiStepLR(o, [3, 10, 10, 31], 0.5)],
    "exponential": lambda s, o: [s.ExponentialLR(o, 0.93)],
    "cosine": lambda s, o: [s.CosineAnnealingLR(o, 50, 0.001)],
    "cosine up and down": lambda s, o: [s.CosineAnnealingLR(o, 8)],
    "linear": lambda s, o: [s.LinearLR(o, 0.1, 0.7, 13)],
    "linear to zero": lambda s, o: [s.LinearLR(o, 1.0, 0.0, 30)],
    "constant": lambda s, o: [s.ConstantLR(o, 0.2, 4)],
    "lambda": lambda s, o: [s.LambdaLR(o, lambda t: 1 / (1 + t))],
    "lambdas": lambda s, o: [s.LambdaLR(o, [lambda t: 0.9**t, lambda t: 1.0])],
    "warm-up and decay": lambda s, o: [s.LinearLR(o, 0.1), s.ExponentialLR(o, 0.9)],
    "three": lambda s, o: [s.ConstantLR(o, 0.5, 3), s.StepLR(o, 4, 0.7), s.CosineAnnealingLR(o, 20)],
    "multiplicative": lambda s, o: [s.MultiplicativeLR(o, lambda t: 1 - t / 100)],
    "polynomial": lambda s, o: [s.PolynomialLR(o, 40, 1.7)],
    "restarts": lambda s, o: [s.CosineAnnealingWarmRestarts(o, 6)],
    "longer restarts": lambda s, o: [s.CosineAnnealingWarmRestarts(o, 4, 2, 0.01)],
    "one cycle": lambda s, o: [s.OneCycleLR(o, [0.5, 0.1], total_steps=61)],
    "one cycle, straight": lambda s, o: [s.OneCycleLR(o, 0.5, epochs=7, steps_per_epoch=10, anneal_strategy="linear")],
    "one cycle, three phases": lambda s, o: [s.OneCycleLR(o, 0.5, 60, pct_start=0.2, three_phase=True, div_factor=5)],
    "one cycle, momentum kept": lambda s, o: [s.OneCycleLR(o, 0.5, 50, cycle_momentum=False)],
    "cyclic": lambda s, o: [s.CyclicLR(o, 0.01, 0.2, 7)],
    "cyclic, halved": lambda s, o: [s.CyclicLR(o, [0.01, 0.02], 0.2, 5, 9, mode="triangular2", base_momentum=0.5)],
    "cyclic, shrinking": lambda s, o: [s.CyclicLR(o, 0.01, 0.2, 6, mode="exp_range", gamma=0.97)],
    "cyclic, own scale": lambda s, o: [s.CyclicLR(o, 0.01, 0.2, 6, scale_fn=lambda x: 1 / x, cycle_momentum=False)],
    "chained": lambda s, o: [s.ChainedScheduler([s.ConstantLR(o, 0.1, 6), s.ExponentialLR(o, 0.9)])],
    "sequential": lambda s, o: [
        s.SequentialLR(o, [s.LinearLR(o, 0.1, total_iters=5), s.CosineAnnealingLR(o, 20)], [5])
    ],
    "sequential, of lambdas": lambda s, o: [
        s.SequentialLR(
            o,
            [s.MultiplicativeLR(o, lambda t: 0.9), s.LambdaLR(o, lambda t: 1 / (1 + t)), s.MultiStepLR(o, [3, 9])],
            [4, 19],
        )
    ],
    "sequential, of others": lambda s, o: [
        s.SequentialLR(o, [s.PolynomialLR(o, 9), s.StepLR(o, 3), s.ConstantLR(o), s.ExponentialLR(o, 0.9)], [3, 9, 30])
    ],
    "averaging": lambda s, o: [s.ExponentialLR(o, 0.99), s.SWALR(o, 0.07, 15)],
    "averaging, straight": lambda s, o: [s.SWALR(o, [0.07, 0.01], anneal_strategy="linear")],
    "averaging at once": lambda s, o: [s.SWALR(o, 0.07, 0)],
}


def rates(library, tensor, make, steps, interrupt=None):
    groups = [{"params": [tensor], "lr": 0.3}, {"params": [tensor.detach().clone().requires_grad_()]}]
    optimizer = library.SGD(groups, lr=0.05, momentum=0.3)
    optimizer.step()
    schedules = make(Schedules(library), optimizer)
    seen = []
    for t in range(steps):
        seen.append([g[key] for g in optimizer.param_groups for key in ("lr", "momentum")])
        if t == interrupt:
            saved, saved_rates = [s.state_dict() for s in schedules], optimizer.state_dict()
            optimizer = library.SGD(groups, lr=7.0)
            optimizer.step()
            schedules = make(Schedules(library), optimizer)
            optimizer.load_state_dict(saved_rates)
            for schedule, state in zip(schedules, saved, strict=True):
                schedule.load_state_dict(state)
        optimizer.step()
        for schedule in schedules:
            schedule.step()
    assert schedules[-1].get_last_lr() == [g["lr"] for g in optimizer.param_groups]
    return np.array(seen)


@pytest.mark.oracle
@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_give_torchs_rates(torch, name):
    ours = rates(optim, leaf([1.0]), SCHEDULES[name], 50)
    theirs = rates(torch.optim, torch.ones(1, requires_grad=True), SCHEDULES[name], 50)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-18)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_resumed_schedule_is_the_uninterrupted_one(name):
    whole = rates(optim, leaf([1.0]), SCHEDULES[name], 30)
    np.testing.assert_array_equal(rates(optim, leaf([1.0]), SCHEDULES[name], 30, interrupt=11), whole)


CLOSED = {
    "step": lambda t, lr: lr * 0.3 ** (t // 7),
    "milestones": lambda t, lr: lr * 0.5 ** sum(t >= m for m in (3, 10, 10, 31)),
    "exponential": lambda t, lr: lr * 0.93**t,
    "cosine": lambda t, lr: 0.001 + (lr - 0.001) * (1 + np.cos(np.pi * t / 50)) / 2,
    "cosine up and down": lambda t, lr: lr * (1 + np.cos(np.pi * t / 8)) / 2,
    "linear": lambda t, lr: lr * (0.1 + 0.6 * min(t, 13) / 13),
    "constant": lambda t, lr: lr * (0.2 if t < 4 else 1.0),
    "lambda": lambda t, lr: lr / (1 + t),
}


@pytest.mark.parametrize("name", CLOSED)
def test_schedules_follow_their_closed_forms(name):
    expected = [[CLOSED[name](t, lr) for lr in (0.3, 0.05)] for t in range(50)]
    np.testing.assert_allclose(rates(optim, leaf([1.0]), SCHEDULES[name], 50)[:, ::2], expected, rtol=1e-12, atol=1e-16)


def two_groups(library, tensor, **settings):
    groups = [{"params": [tensor], "lr": 0.3, **settings}, {"params": [tensor.detach().clone()], **settings}]
    return library.SGD(groups, lr=0.05, momentum=0.3)


MANY = ("warm-up and decay", "three", "chained", "sequential", "sequential, of lambdas", "sequential, of others")
SINGLE = [name for name in SCHEDULES if name not in (*MANY, "averaging")]


@pytest.mark.oracle
@pytest.mark.parametrize("name", [name for name in SINGLE if name.split(",")[0] != "one cycle"])
def test_schedules_made_anew_at_a_later_epoch_go_on_as_torchs_do(torch, name):
    def resumed(library, tensor):
        optimizer = two_groups(library, tensor, initial_lr=0.2)
        made = SCHEDULES[name](Schedules(library, last_epoch=5), optimizer)
        optimizer.step()
        seen = []
        for _ in range(20):
            seen.append(made[0].get_last_lr())
            made[0].step()
        return seen

    theirs = resumed(torch.optim, torch.ones(1, requires_grad=True))
    np.testing.assert_allclose(resumed(optim, leaf([1.0])), theirs, rtol=1e-12, atol=1e-18)


def test_a_lambda_that_is_an_object_keeps_its_attributes():
    class Decay:
        def __init__(self, by):
            self.by = by

        def __call__(self, t):
            return self.by**t

    optimizer = optim.SGD([leaf([1.0])], lr=1.0)
    saved = lr_scheduler.LambdaLR(optimizer, Decay(0.5)).state_dict()
    assert saved["lr_lambdas"] == [{"by": 0.5}]
    other = lr_scheduler.LambdaLR(optimizer, Decay(0.9))
    other.load_state_dict(saved)
    optimizer.step()
    other.step()
    assert other.get_last_lr() == [0.5]


def test_a_schedule_refuses_the_state_of_another_kind_and_groups_it_does_not_know():
    optimizer = optim.SGD([leaf([1.0])])
    step, exponential = lr_scheduler.StepLR(optimizer, 3), lr_scheduler.ExponentialLR(optimizer, 0.5)
    with pytest.raises(StateDictError, match="ExponentialLR: it has step_size, which this one has not"):
        exponential.load_state_dict(step.state_dict())
    with pytest.raises(StateDictError, match="StepLR: it lacks step_size"):
        step.load_state_dict(exponential.state_dict())
    optimizer.add_param_group({"params": [leaf([1.0])]})
    with pytest.raises(ArgumentError, match="made for 1 parameter groups, the optimizer now has 2"):
        step.step()


def test_a_schedule_before_the_first_step_warns_and_afterwards_does_not():
    optimizer = optim.SGD([leaf([1.0])])
    schedule = lr_scheduler.StepLR(optimizer, 3)
    with pytest.warns(UserWarning, match="before `optimizer.step"):
        schedule.step()
    optimizer.step()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schedule.step()


# --- the state, as PyTorch keeps it ---


@pytest.mark.oracle
@pytest.mark.parametrize("name", SCHEDULES)
def test_state_dicts_have_torchs_keys_and_values(torch, name):
    def state(library, tensor):
        optimizer = two_groups(library, tensor)
        schedules = SCHEDULES[name](Schedules(library), optimizer)
        for _ in range(11):
            optimizer.step()
            for schedule in schedules:
                schedule.step()
        return [comparable(schedule.state_dict()) for schedule in schedules]

    ours, theirs = state(optim, leaf([1.0])), state(torch.optim, torch.ones(1, requires_grad=True))
    assert ours == theirs


def comparable(state):
    if isinstance(state, dict):
        return {key: comparable(value) for key, value in state.items()}
    if isinstance(state, list | tuple):
        return [comparable(value) for value in state]
    return pytest.approx(state, rel=1e-12, abs=1e-18) if isinstance(state, float) else state


# --- a plateau ---

PLATEAUS = [
    {},
    {"patience": 2, "factor": 0.5},
    {"mode": "max", "patience": 1, "cooldown": 3, "threshold": 0.1},
    {"threshold_mode": "abs", "threshold": 0.2, "patience": 0, "min_lr": [0.01, 0.02]},
    {"mode": "max", "threshold_mode": "abs", "patience": 3, "min_lr": 0.005, "eps": 1e-3},
]


@pytest.mark.oracle
@pytest.mark.parametrize("settings", PLATEAUS)
def test_a_plateau_cuts_where_torchs_does(torch, settings):
    losses = np.random.default_rng(0).standard_normal(50).round(1) + np.linspace(3, 0, 50)
    runs = []
    for library, tensor in ((optim, leaf([1.0])), (torch.optim, torch.ones(1, requires_grad=True))):
        optimizer = two_groups(library, tensor)
        schedule = library.lr_scheduler.ReduceLROnPlateau(optimizer, **settings)
        seen = []
        for t, loss in enumerate(losses):
            schedule.step(loss if t % 2 else (torch if library is torch.optim else mg).from_numpy(np.array(loss)))
            seen.append((schedule.get_last_lr(), schedule.num_bad_epochs, schedule.best))
            if t == 20:
                state = schedule.state_dict()
                schedule = library.lr_scheduler.ReduceLROnPlateau(optimizer, **settings)
                schedule.load_state_dict(state)
        runs.append((seen, schedule.state_dict()))
    assert comparable(runs[0][0]) == comparable(runs[1][0])
    assert runs[0][1] == runs[1][1]


# --- going to an epoch ---


@pytest.mark.oracle
@pytest.mark.parametrize("name", SINGLE)
def test_going_to_an_epoch_gives_torchs_rate(torch, name):
    def visited(library, tensor):
        optimizer = two_groups(library, tensor)
        schedule = SCHEDULES[name](Schedules(library), optimizer)[-1]
        optimizer.step()
        seen = []
        for t in (3, 17, 8, 30, 41, 0):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                schedule.step(t)
            seen.append(schedule.get_last_lr())
            schedule.step()
            seen.append(schedule.get_last_lr())
        return seen

    theirs = visited(torch.optim, torch.ones(1, requires_grad=True))
    np.testing.assert_allclose(visited(optim, leaf([1.0])), theirs, rtol=1e-12, atol=1e-17)


def test_a_rate_that_is_a_tensor_stays_that_tensor():
    rate = mg.tensor(0.5)
    optimizer = optim.SGD([leaf([1.0])], lr=rate)
    schedule = lr_scheduler.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    schedule.step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == 0.25
    assert schedule.get_last_lr() == [0.25]


# --- averaged weights ---


def train(m, library, steps, **settings):
    """Return the averaged model's state after some steps of a small net with batch norm, and what it then computes."""
    rng = np.random.default_rng(0)
    net = m.nn.Sequential(m.nn.Linear(3, 4), m.nn.BatchNorm1d(4), m.nn.Tanh(), m.nn.Linear(4, 2))
    for p in net.parameters():
        p.data.copy_(m.tensor(rng.standard_normal(p.shape).astype(np.float32)))
    settings = {k: v(library.swa_utils) if callable(v) else v for k, v in settings.items()}
    average = library.swa_utils.AveragedModel(net, **settings)
    optimizer = library.SGD(net.parameters(), lr=0.1)
    batches = [m.tensor(rng.standard_normal((6, 3)).astype(np.float32)) for _ in range(steps)]
    for x in batches:
        optimizer.zero_grad()
        (net(x) ** 2).mean().backward()
        optimizer.step()
        average.update_parameters(net)
    library.swa_utils.update_bn([(x, 0) for x in batches], average)
    average.eval()
    assert net.training
    return {k: v.detach().numpy() for k, v in average.state_dict().items()}, average(batches[0]).detach().numpy()


AVERAGES = [
    {},
    {"use_buffers": True},
    {"avg_fn": lambda u: u.get_ema_avg_fn(0.9)},
    {"multi_avg_fn": lambda u: u.get_ema_multi_avg_fn(0.8)},
    {"avg_fn": lambda u: u.get_swa_avg_fn()},
    {"multi_avg_fn": lambda u: u.get_swa_multi_avg_fn()},
]


@pytest.mark.oracle
@pytest.mark.parametrize("settings", AVERAGES)
def test_averaged_weights_are_torchs(torch, settings):
    ours, theirs = train(mg, optim, 9, **settings), train(torch, torch.optim, 9, **settings)
    assert list(ours[0]) == list(theirs[0])
    for key, value in theirs[0].items():
        np.testing.assert_allclose(ours[0][key], value, rtol=2e-6, atol=1e-6, err_msg=key)
        assert ours[0][key].dtype == value.dtype
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-5, atol=1e-6)


def test_the_average_of_weights_is_their_mean():
    net, rng = nn.Linear(2, 2), np.random.default_rng(0)
    average, seen = swa_utils.AveragedModel(net), []
    for _ in range(7):
        seen.append(rng.standard_normal((2, 2)).astype(np.float32))
        net.weight.data.copy_(mg.tensor(seen[-1]))
        average.update_parameters(net)
    np.testing.assert_allclose(average.module.weight.detach().numpy(), np.mean(seen, 0), rtol=1e-5, atol=1e-6)
    assert average.n_averaged.item() == 7


# --- refusals ---


def adagrad(p):
    return optim.Adagrad([p])


def one(p):
    return lr_scheduler.ExponentialLR(optim.SGD([p]), 0.5)


BAD = {
    "step_size must be positive, got 0": lambda p: lr_scheduler.StepLR(optim.SGD([p]), 0),
    "T_max must be positive": lambda p: lr_scheduler.CosineAnnealingLR(optim.SGD([p]), 0),
    "int is not an Optimizer": lambda p: lr_scheduler.StepLR(3, 3),
    "Starting multiplicative factor.* got 0": lambda p: lr_scheduler.LinearLR(optim.SGD([p]), 0),
    "Ending multiplicative factor.* got 2": lambda p: lr_scheduler.LinearLR(optim.SGD([p]), 0.5, 2),
    "Constant multiplicative factor.* got -1": lambda p: lr_scheduler.ConstantLR(optim.SGD([p]), -1),
    "Expected 1 lr_lambdas": lambda p: lr_scheduler.LambdaLR(optim.SGD([p]), []),
    r"'initial_lr' is not specified in param_groups\[0\]": lambda p: lr_scheduler.StepLR(optim.SGD([p]), 3, 0.1, 7),
    "lr_lambda should be a function, but got int": lambda p: lr_scheduler.MultiplicativeLR(optim.SGD([p]), 3),
    "Factor should be < 1.0, got 1.0": lambda p: lr_scheduler.ReduceLROnPlateau(optim.SGD([p]), factor=1.0),
    "mode least is unknown": lambda p: lr_scheduler.ReduceLROnPlateau(optim.SGD([p]), "least"),
    "threshold mode x is unknown": lambda p: lr_scheduler.ReduceLROnPlateau(optim.SGD([p]), threshold_mode="x"),
    "min_lr must have the same length.* 2 values.* 1": lambda p: lr_scheduler.ReduceLROnPlateau(
        optim.SGD([p]), min_lr=[1, 2]
    ),
    "define either total_steps OR": lambda p: lr_scheduler.OneCycleLR(optim.SGD([p]), 1.0, epochs=3),
    "positive integer total_steps, but got 0": lambda p: lr_scheduler.OneCycleLR(optim.SGD([p]), 1.0, 0),
    "positive integer steps_per_epoch, but got 1.5": lambda p: lr_scheduler.OneCycleLR(
        optim.SGD([p]), 1.0, epochs=3, steps_per_epoch=1.5
    ),
    "Expected float between 0 and 1 pct_start, but got 2": lambda p: lr_scheduler.OneCycleLR(
        optim.SGD([p]), 1.0, 9, pct_start=2
    ),
    "must be one of 'cos' or 'linear', instead got up": lambda p: lr_scheduler.OneCycleLR(
        optim.SGD([p]), 1.0, 9, anneal_strategy="up"
    ),
    "must support momentum or beta1": lambda p: lr_scheduler.OneCycleLR(adagrad(p), 1.0, 9),
    "mode is invalid and scale_fn is None": lambda p: lr_scheduler.CyclicLR(optim.SGD([p]), 0.1, 1.0, mode="round"),
    "positive integer T_0, but got 0": lambda p: lr_scheduler.CosineAnnealingWarmRestarts(optim.SGD([p]), 0),
    "T_mult >= 1, but got 0.5": lambda p: lr_scheduler.CosineAnnealingWarmRestarts(optim.SGD([p]), 1, 0.5),
    "ChainedScheduler expects at least one": lambda p: lr_scheduler.ChainedScheduler([]),
    "SequentialLR expects number of|expects number of schedulers": lambda p: lr_scheduler.SequentialLR(
        (s := one(p)).optimizer, [s], [3]
    ),
    "belong to the same optimizer": lambda p: lr_scheduler.ChainedScheduler([one(p), one(p)]),
    "does not support `ReduceLROnPlateau`": lambda p: lr_scheduler.ChainedScheduler(
        [lr_scheduler.ReduceLROnPlateau(optim.SGD([p]))]
    ),
    "anneal_epochs must be equal or greater than 0": lambda p: swa_utils.SWALR(optim.SGD([p]), 0.1, -1),
    "Invalid decay value 2": lambda p: swa_utils.get_ema_avg_fn(2),
    "Only one of avg_fn and multi_avg_fn": lambda p: swa_utils.AveragedModel(nn.Linear(1, 1), None, min, max),
}


@pytest.mark.parametrize("message", BAD)
def test_bad_arguments_are_refused_by_name(message):
    with pytest.raises(ArgumentError, match=message):
        BAD[message](leaf([1.0]))


def test_one_cycle_has_an_end():
    optimizer = optim.SGD([leaf([1.0])])
    schedule = lr_scheduler.OneCycleLR(optimizer, 1.0, 3, cycle_momentum=False)
    optimizer.step()
    for _ in range(3):
        schedule.step()
    with pytest.raises(ArgumentError, match=r"Tried to step 4 times.* The specified number of total steps is 3"):
        schedule.step()

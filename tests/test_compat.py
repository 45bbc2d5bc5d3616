"""Running as torch: every form of import, the stubs' answers, and scripts that behave as under plain Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import minigrad as mg
from minigrad.compat import settings
from minigrad.compat.finder import as_torch
from minigrad.compat.stubs import (
    accelerator,
    amp,
    backends,
    cuda,
    distributed,
    hub,
    jit,
    mps,
    multiprocessing,
    onnx,
    xpu,
)
from minigrad.compat.stubs.utils.checkpoint import checkpoint, checkpoint_sequential
from minigrad.compat.stubs.utils.tensorboard import SummaryWriter
from minigrad.errors import ArgumentError

ROOT = Path(__file__).parent.parent
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}

# Statements, and what must be true after them.
IMPORTS = [
    ("import torch", "torch.Tensor is minigrad.Tensor"),
    ("import torch as t", "t.tensor is minigrad.tensor"),
    ("from torch import nn, optim", "nn is minigrad.nn and optim is minigrad.optim"),
    ("import torch.nn as nn", "nn is minigrad.nn"),
    ("import torch.nn", "torch.nn.Linear is minigrad.nn.Linear"),
    ("import torch.nn.functional as F", "F is minigrad.nn.functional"),
    ("from torch.nn import functional as F, Module, Parameter", "F.relu is minigrad.nn.functional.relu"),
    ("from torch.nn.functional import relu, cross_entropy", "relu is minigrad.nn.functional.relu"),
    ("from torch.nn.parameter import Parameter", "Parameter is minigrad.nn.Parameter"),
    ("from torch.nn.modules.linear import Linear", "Linear is minigrad.nn.Linear"),
    ("from torch.nn.modules import Conv2d", "Conv2d is minigrad.nn.Conv2d"),
    ("import torch.nn.init as init", "init is minigrad.nn.init"),
    ("from torch.nn.init import xavier_uniform_", "xavier_uniform_ is minigrad.nn.init.xavier_uniform_"),
    ("from torch.nn.utils import clip_grad_norm_", "clip_grad_norm_ is minigrad.nn.utils.clip_grad_norm_"),
    ("from torch.nn.parallel import data_parallel", "callable(data_parallel)"),
    ("import torch.nn.parallel", "torch.nn.parallel.data_parallel"),
    ("import torch.optim as optim", "optim.SGD is minigrad.optim.SGD"),
    ("from torch.optim import Adam, lr_scheduler", "lr_scheduler is minigrad.optim.lr_scheduler"),
    ("from torch.optim.lr_scheduler import StepLR", "StepLR is minigrad.optim.lr_scheduler.StepLR"),
    ("from torch.optim.optimizer import Optimizer", "Optimizer is minigrad.optim.Optimizer"),
    ("from torch.optim.adam import Adam", "Adam is minigrad.optim.Adam"),
    ("from torch.utils.data import DataLoader", "DataLoader is minigrad.utils.data.DataLoader"),
    ("import torch.utils.data as data", "data is minigrad.utils.data"),
    ("import torch.utils.data.dataloader", "torch.utils.data.dataloader.DataLoader"),
    ("from torch.utils.data.dataset import Dataset", "Dataset is minigrad.utils.data.Dataset"),
    ("from torch.utils.data.sampler import RandomSampler", "RandomSampler is minigrad.utils.data.RandomSampler"),
    ("from torch.utils.tensorboard import SummaryWriter", "SummaryWriter"),
    ("from torch.utils.checkpoint import checkpoint", "checkpoint"),
    ("import torch.autograd as autograd", "autograd is minigrad.autograd"),
    ("from torch.autograd import Function, grad", "Function is minigrad.autograd.Function"),
    ("import torch", "torch.autograd.Function is minigrad.autograd.Function"),
    ("from torch import Tensor, float32, no_grad", "no_grad is minigrad.no_grad"),
    ("from torch import *", "tensor is minigrad.tensor and 'errors' not in dir()"),
    ("import torch.backends.cudnn as cudnn", "cudnn.benchmark is False"),
    ("import torch", "torch.backends.cudnn.deterministic is False"),
    ("import torch\ntorch.backends.cudnn.benchmark = True", "torch.backends.cudnn.benchmark is True"),
    ("from torch.cuda.amp import autocast, GradScaler", "autocast and GradScaler"),
    ("from torch.amp import autocast", "autocast is torch.autocast"),
    ("import torch.cuda, torch.onnx, torch.jit, torch.mps", "torch.cuda.is_available() is False"),
    ("import torch.distributed as dist", "dist.is_available() is False"),
    ("import torch.multiprocessing as mp", "mp.set_sharing_strategy('file_system') is None and mp.cpu_count() > 0"),
    ("from torch.types import Number, Device", "isinstance(1.5, Number) and not isinstance('1', Number)"),
    ("import torch.hub", "callable(torch.hub.load)"),
    ("import torch.serialization", "torch.serialization.load is torch.load"),
    ("import torch.random", "torch.random.manual_seed is torch.manual_seed"),
    ("import torch", "torch.__version__ == torch.version.__version__ and torch.__version__ > '2.0'"),
    ("import torchvision.datasets as datasets", "datasets is minigrad.datasets"),
    ("from torchvision import datasets", "datasets.MNIST is minigrad.datasets.MNIST"),
    ("import torchvision", "torchvision.datasets.FashionMNIST and torchvision.__version__"),
    ("from torchvision.datasets import MNIST", "MNIST is minigrad.datasets.MNIST"),
    ("from torchvision import datasets, transforms", "transforms.ToTensor"),
    ("import torchvision.transforms as transforms", "transforms.Compose"),
    ("from torchvision.transforms import ToTensor, Compose", "ToTensor"),
    ("import torchvision.transforms.functional as TF", "TF.to_tensor"),
    ("from torchvision.utils import save_image, make_grid", "save_image"),
    ("import torchvision", "torchvision.utils.make_grid and torchvision.transforms.Resize"),
    ("import torch", "minigrad.as_torch() is torch"),
    ("import torch", "str(type(torch.zeros(1))) == \"<class 'torch.Tensor'>\""),
    ("from torch import nn", "str(type(nn.ReLU())) == \"<class 'torch.nn.modules.activation.ReLU'>\""),
]
# Statements that must raise, and what the message must have in it.
MISSING = [
    ("import torch.quantisation", "torch' has no attribute 'quantisation'"),
    ("from torch import zeroes", "nearest name there is 'zeros'"),
    ("import torch\ntorch.zeroes(2)", "torch' has no attribute 'zeroes'.*nearest name there is 'zeros'"),
    ("import torch\ntorch.errors", "torch' has no attribute 'errors'"),
    ("from torch import kernels", "torch' has no attribute 'kernels'"),
    ("import torch\ntorch.nn.Linaer(2, 3)", "torch.nn' has no attribute 'Linaer'.*nearest name there is 'Linear'"),
    ("from torch.nn import Linaer", "torch.nn' has no attribute 'Linaer'.*nearest name there is 'Linear'"),
    ("from torch.nn.functional import rellu", "torch.nn.functional' has no attribute 'rellu'.*'relu'"),
    ("from torch.optim.lr_scheduler import StepLRR", "lr_scheduler' has no attribute 'StepLRR'.*'StepLR'"),
    ("from torch.cuda import is_availabel", "torch.cuda' has no attribute 'is_availabel'.*'is_available'"),
    ("import torchvision.model", "torchvision' has no attribute 'model'"),
    ("from torchvision.datasets import MNISTT", "torchvision.datasets' has no attribute 'MNISTT'.*'MNIST'"),
]


def python(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, **options)  # type: ignore[call-overload]


def in_one_process(lines: list[str]) -> list[str]:
    """Run each program in its own namespace of one process that runs as torch; return the repr of what each gave."""
    program = (
        "import sys, minigrad; torch = minigrad.as_torch()\n"
        "for code, then in eval(sys.stdin.read()):\n"
        "    names = {'minigrad': minigrad, 'torch': torch}\n"
        "    try:\n"
        "        exec(code, names); print(bool(eval(then, names)))\n"
        "    except Exception as error:\n"
        "        print(type(error).__name__, error)\n"
    )
    done = python("-c", program, input=repr(lines))
    assert not done.stderr
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def imported() -> dict[tuple[str, str], str]:
    return dict(zip(IMPORTS, in_one_process(IMPORTS), strict=True))  # type: ignore[arg-type]


@pytest.mark.parametrize("case", IMPORTS, ids=lambda c: f"{c[0]}: {c[1]}"[:60])
def test_imports_resolve_to_the_same_objects(case, imported):
    assert imported[case] == "True"


@pytest.fixture(scope="module")
def refused() -> dict[str, str]:
    return dict(zip(MISSING, in_one_process([(c, "0") for c, _ in MISSING]), strict=True))  # type: ignore[arg-type, misc]


@pytest.mark.parametrize("case", MISSING, ids=lambda c: c[0])
def test_a_missing_name_is_named_with_the_nearest(case, refused):
    import re

    assert re.match("ModuleNotFoundError|AttributeError", refused[case])
    assert re.search(case[1], refused[case])


def test_a_real_torch_that_is_already_there_is_an_error(monkeypatch):
    import types

    monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch"))
    with pytest.raises(ImportError, match=r"real torch is already imported .* restart the kernel"):
        as_torch()
    assert not any(type(finder).__module__.startswith("minigrad") for finder in sys.meta_path)


# --- the runner ---

SCRIPT = """\
import sys
from helper import value
print(__name__, __file__, sys.argv[1:], sys.path[0], value, sorted(n for n in globals() if n[0] != "_"))
"""
FAILING = {
    "an error": "def f(x):\n    return 1 / x\n\nf(0)\n",
    "a cause": "try:\n    {}['a']\nexcept KeyError as e:\n    raise ValueError('b') from e\n",
    "a context": "try:\n    {}['a']\nexcept KeyError:\n    1 / 0\n",
    "syntax": "x = (\n",
    "exit code": "import sys; sys.exit(3)\n",
    "exit message": "raise SystemExit('stop')\n",
    "no such module": "import no_such_module\n",
    "bytes": "# -*- coding: latin-1 -*-\nprint('\\xe9')\nraise ValueError('é')\n",
}


def both(path: Path, *arguments: str) -> list[tuple[int, str, str]]:
    runs = [
        python(str(path), *arguments, cwd=path.parent),
        python("-m", "minigrad", "run", str(path), *arguments, cwd=path.parent),
    ]
    return [(run.returncode, run.stdout, run.stderr) for run in runs]


def test_a_script_sees_what_it_would_under_plain_python(tmp_path):
    (tmp_path / "helper.py").write_text("value = 3\n")
    (tmp_path / "script.py").write_text(SCRIPT)
    plain, ours = both(tmp_path / "script.py", "-x", "--flag=1", "run")
    assert plain == ours
    assert plain[0] == 0


@pytest.mark.parametrize("name", FAILING)
def test_what_goes_wrong_looks_as_under_plain_python(tmp_path, name):
    path = tmp_path / "script.py"
    path.write_text(FAILING[name])
    plain, ours = both(path)
    assert plain == ours
    assert plain[0] != 0


def test_no_frame_of_the_runner_is_shown_for_what_is_missing(tmp_path):
    path = tmp_path / "script.py"
    for line in ("from torch import zeroes", "import torch; torch.zeroes", "import torch.zeroes"):
        path.write_text(line + "\n")
        run = python("-m", "minigrad", "run", str(path))
        assert run.returncode == 1
        assert run.stderr.count('  File "') == 1
        assert f'File "{path}", line 1, in <module>\n    {line}\n' in run.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [([], "usage:"), (["-h"], "usage:"), (["none.py"], "can't open file '/.*none.py': .*No such file")],
)
def test_what_cannot_be_run(arguments, message):
    import re

    run = python("-m", "minigrad", "run", *arguments)
    assert run.returncode == 2
    assert re.search(message, run.stderr)


# --- stubs ---


def test_no_device_is_there():
    for place in (cuda, mps, xpu, accelerator, backends.mps, backends.cudnn, distributed, backends.mkldnn):
        assert place.is_available() is False
    assert (cuda.device_count(), xpu.device_count(), accelerator.device_count()) == (0, 0, 0)
    assert accelerator.current_accelerator() is None
    assert (mg.cuda, mg.backends, mg.jit) == (cuda, backends, jit)


@pytest.mark.parametrize(
    "call",
    [
        lambda: cuda.FloatTensor(3),
        lambda: cuda.LongTensor([1]),
        cuda.current_device,
        lambda: cuda.set_device(0),
        lambda: cuda.Stream(),
        lambda: accelerator.current_device_index(),
        lambda: settings.set_default_device("cuda"),
        lambda: mg.zeros(2).to("cuda"),
        lambda: mg.zeros(2, device="mps"),
    ],
)
def test_what_needs_a_device_says_that_there_is_none(call):
    with pytest.raises(ArgumentError, match="is not available: minigrad computes on the CPU"):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: onnx.export(None, None, "x.onnx"),
            "torch.onnx.export is not available: exporting to ONNX comes later",
        ),
        (lambda: jit.save(None, "x"), "torch.jit.save is not available: it comes later"),
        (lambda: hub.load("a/b", "c"), "torch.hub.load is not available: minigrad downloads no code"),
        (lambda: multiprocessing.spawn(len), "spawn is not available: minigrad runs in one process"),
        (lambda: multiprocessing.set_sharing_strategy("telepathy"), "one of .*'file_system'.*, not 'telepathy'"),
        (lambda: distributed.init_process_group("gloo"), "init_process_group is not available: minigrad runs in one"),
    ],
)
def test_what_comes_later_says_so(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()


def test_what_changes_nothing_draws_nothing():
    mg.manual_seed(1)
    expected = mg.rand(3).tolist()
    mg.manual_seed(1)
    for call in (cuda.manual_seed_all, cuda.manual_seed, mps.manual_seed, xpu.manual_seed_all):
        assert call(5) is None
    for call in (cuda.synchronize, cuda.empty_cache, cuda.memory._record_memory_history, accelerator.synchronize):
        assert call() is None
    assert mg.rand(3).tolist() == expected


def test_nothing_is_compiled():
    model = mg.nn.Linear(2, 3)
    assert mg.compile(model) is model
    assert mg.compile(model, mode="reduce-overhead", fullgraph=True) is model
    assert mg.compile(backend="inductor")(len) is len
    assert jit.script(model) is model
    assert jit.trace(model, mg.zeros(1, 2)) is model
    assert jit.ignore(len) is jit.ignore()(len) is jit.export(len) is len
    assert mg.nn.parallel.data_parallel(mg.nn.Identity(), (mg.ones(2),)).tolist() == [1, 1]
    assert checkpoint(max, 1, 2, use_reentrant=False) == 2
    assert checkpoint_sequential([abs, float], 2, -3, use_reentrant=False) == 3.0


def test_a_scaled_step_is_a_step():
    results = []
    for scaled in (True, False):
        weight = mg.nn.Parameter(mg.tensor([1.0, -2.0]))
        optimizer, scaler = mg.optim.SGD([weight], lr=0.1), amp.GradScaler("cpu")
        with mg.autocast("cpu", dtype=mg.float16):
            loss = (weight * weight).sum()
        (scaler.scale(loss) if scaled else loss).backward()
        scaler.unscale_(optimizer)
        if scaled:
            scaler.step(optimizer)
            scaler.update()
        else:
            optimizer.step()
        results.append((loss.dtype, weight.tolist()))
    assert results[0] == results[1] == (mg.float32, weight.tolist())
    assert amp.autocast("cuda")(len)([1]) == 1
    assert cuda.amp.autocast(enabled=False)(len)([1]) == 1
    assert cuda.amp.GradScaler().state_dict() == {}


def test_settings_are_kept():
    for setter, getter, value in (
        (mg.set_num_threads, mg.get_num_threads, 3),
        (mg.set_num_interop_threads, mg.get_num_interop_threads, 2),
        (mg.use_deterministic_algorithms, mg.are_deterministic_algorithms_enabled, True),
        (mg.set_float32_matmul_precision, mg.get_float32_matmul_precision, "high"),
    ):
        before = getter()
        setter(value)
        assert getter() == value
        setter(before)
    with pytest.raises(ArgumentError, match="positive number of threads, got 0"):
        mg.set_num_threads(0)
    with pytest.raises(ArgumentError, match="not 'low'"):
        mg.set_float32_matmul_precision("low")
    mg.set_default_device("cpu")
    assert str(mg.get_default_device()) == "cpu"


def test_scalars_are_written_and_the_rest_warns_once(tmp_path):
    import csv

    with SummaryWriter(tmp_path / "log") as writer:
        writer.add_scalar("loss", mg.tensor(0.5), 3, walltime=7.0)
        writer.add_scalars("acc", {"a": 1, "b": 0.25}, 4, walltime=8.0)
        with pytest.warns(UserWarning, match="add_graph: minigrad writes scalars only"):
            writer.add_graph(None)
        writer.add_graph(None)  # a second warning would be an error
    with SummaryWriter(tmp_path / "log") as writer:
        writer.add_scalar("loss", 1, walltime=9.0)
    with (tmp_path / "log" / "scalars.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [
            ["tag", "step", "value", "time"],
            ["loss", "3", "0.5", "7.0"],
            ["acc/a", "4", "1.0", "8.0"],
            ["acc/b", "4", "0.25", "8.0"],
            ["loss", "", "1.0", "9.0"],
        ]

"""Hooks of modules: the same program writes the same log with minigrad and with PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import minigrad as mg
from minigrad.nn.module import register_module_forward_hook

Log = list[Any]


def _add_model(lib: Any) -> Any:
    class Add(lib.nn.Module):
        def forward(self, x: Any, *, y: Any = 1.0, fail: bool = False) -> Any:
            if fail:
                raise KeyError("forward")
            return x + y

    return Add()


def _order(lib: Any, log: Log) -> None:
    net = _add_model(lib)
    for name, prepend in (("a", False), ("b", True), ("c", False), ("d", True)):
        net.register_forward_pre_hook(lambda m, args, n=name: log.append(("pre", n)), prepend=prepend)
        net.register_forward_hook(lambda m, args, y, n=name: log.append(("after", n)), prepend=prepend)
    log.append(net(lib.ones(2)).tolist())


def _with_kwargs(lib: Any, log: Log) -> None:
    net = _add_model(lib)
    net.register_forward_pre_hook(lambda m, args, kw: ((args[0] * 2,), {"y": kw["y"] + 1}), with_kwargs=True)
    net.register_forward_pre_hook(lambda m, args, kw: log.append(sorted(kw)), with_kwargs=True)
    net.register_forward_pre_hook(lambda m, args: args[0] * 10)
    net.register_forward_hook(lambda m, args, kw, y: log.append((args[0].item(), kw["y"], y.item())), with_kwargs=True)
    net.register_forward_hook(lambda m, args, kw, y: y - kw["y"], with_kwargs=True)
    log.append(net(lib.tensor(3.0), y=4.0).item())


def _bad_pre_hook(lib: Any, log: Log) -> None:
    net = _add_model(lib)
    net.register_forward_pre_hook(lambda m, args, kw: args[0], with_kwargs=True)
    with pytest.raises(RuntimeError, match="pre-hook must return None or a tuple of") as error:
        net(lib.tensor(3.0))
    log.append(str(error.value).removeprefix("in Add: "))  # minigrad says where


def _always_call(lib: Any, log: Log) -> None:
    net = _add_model(lib)
    net.register_forward_hook(lambda m, args, y: log.append("not for errors"))
    net.register_forward_hook(
        lambda m, args, y: log.append(("always", None if y is None else y.item())), always_call=True
    )
    net.register_forward_hook(lambda m, args, kw, y: log.append((kw, y is None)), always_call=True, with_kwargs=True)
    with pytest.raises(KeyError, match="forward"):
        net(lib.ones(1), fail=True)
    net.register_forward_hook(lambda m, args, y: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        net(lib.tensor(1.0))


def _error_in_always_call(lib: Any, log: Log) -> None:
    net = _add_model(lib)
    net.register_forward_hook(lambda m, args, y: 1 / 0, always_call=True)
    with pytest.raises(KeyError), pytest.warns(UserWarning, match="silenced as another error") as caught:
        net(lib.ones(1), fail=True)
    log.append(str(caught[0].message))


def _removing(lib: Any, log: Log) -> None:
    net = _add_model(lib)
    with net.register_forward_hook(lambda m, args, y: y * 2):
        log.append(net(lib.tensor(1.0)).item())
    handle = net.register_forward_pre_hook(lambda m, args: log.append("pre"))
    log.append((len(net._forward_hooks), len(net._forward_pre_hooks), isinstance(handle.id, int)))
    handle.remove()
    handle.remove()
    log.append((net(lib.tensor(1.0)).item(), len(net._forward_pre_hooks)))


def _everywhere(lib: Any, log: Log) -> None:
    common = lib.nn.modules.module if lib is not mg else mg.nn.module
    net = lib.nn.Sequential(lib.nn.Flatten(), _add_model(lib))
    net[1].register_forward_hook(lambda m, args, y: log.append("own"))
    net[1].register_forward_pre_hook(lambda m, args: log.append("own pre"))
    net[1].register_full_backward_hook(lambda m, gi, go: log.append("own backward"))

    def seen(kind: str) -> Callable[..., None]:
        return lambda m, *rest: log.append((kind, type(m).__name__, len(rest)))

    handles = [
        common.register_module_forward_pre_hook(seen("pre")),
        common.register_module_forward_hook(seen("after")),
        common.register_module_forward_hook(seen("kwargs"), with_kwargs=True),
        common.register_module_full_backward_pre_hook(seen("backward pre")),
        common.register_module_full_backward_hook(seen("backward")),
    ]
    x = lib.ones(2, 2, requires_grad=True)
    net(x).sum().backward()
    for handle in handles:
        handle.remove()
    log.append("removed")
    net(x).sum().backward()
    log.append(x.grad.tolist())


def _backward_after_later_hooks(lib: Any, log: Log) -> None:
    """The watch on the backward pass stands behind hooks that were registered after it."""
    net = _add_model(lib)
    net.register_full_backward_hook(lambda m, gi, go: log.append((gi[0].item(), go[0].item())))
    net.register_forward_hook(lambda m, args, y: y * 3)
    net.register_forward_pre_hook(lambda m, args: args[0] * 5)
    x = lib.tensor(1.0, requires_grad=True)
    (net(x) * 2).backward()
    log.append(x.grad.item())


def _backward_order(lib: Any, log: Log) -> None:
    net = _add_model(lib)
    for name, prepend in (("a", False), ("b", True), ("c", True)):
        net.register_full_backward_hook(lambda m, gi, go, n=name: log.append(n), prepend=prepend)
        net.register_full_backward_pre_hook(lambda m, go, n=name: log.append(("pre", n)), prepend=prepend)
    net(lib.tensor(1.0, requires_grad=True)).backward()


PROGRAMS = [
    _order, _with_kwargs, _bad_pre_hook, _always_call, _error_in_always_call, _removing, _everywhere,
    _backward_after_later_hooks, _backward_order,
]  # fmt: skip


@pytest.mark.oracle
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda p: p.__name__.strip("_"))
def test_same_log(program: Callable[[Any, Log], None]) -> None:
    torch = pytest.importorskip("torch", reason="the oracle is not installed")
    ours: Log = []
    theirs: Log = []
    program(mg, ours)
    program(torch, theirs)
    assert theirs
    assert ours == theirs


def test_nothing_is_left_of_a_hook_for_all() -> None:
    seen: Log = []
    with register_module_forward_hook(lambda m, args, y: seen.append(m)):
        mg.nn.Identity()(mg.ones(1))
    mg.nn.Identity()(mg.ones(1))
    assert len(seen) == 1

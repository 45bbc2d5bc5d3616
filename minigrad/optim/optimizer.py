"""What all optimisers share: parameter groups, the state of each parameter, the step, saving and loading."""

from __future__ import annotations

import copy
import itertools
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from minigrad.dtypes import Array
from minigrad.errors import ArgumentError, GraphError, ShapeError, StateDictError
from minigrad.graph import recording
from minigrad.kernels import quiet
from minigrad.optim.hooks import Hooked
from minigrad.tensor import Tensor, wrap

Group = dict[str, Any]
State = dict[str, Any]
Parameters = Iterable[Tensor] | Iterable[Group] | Iterable[tuple[str, Tensor]]

_NOT_NEGATIVE = {
    "lr": "learning rate",
    "momentum": "momentum value",
    "weight_decay": "weight_decay value",
    "lr_decay": "lr_decay value",
    "initial_accumulator_value": "initial_accumulator_value value",
    "eps": "epsilon value",
    "momentum_decay": "momentum_decay value",
}
# Later versions of PyTorch added these: a state dict may lack them.
_CAME_LATER = {"foreach", "fused", "capturable", "differentiable", "maximize", "decoupled_weight_decay"}
_COUNTS = {"step", "mu_product", "eta", "mu"}  # the state that is float32 whatever the parameter is


class _Required:
    """In `defaults`, what every group has to say for itself."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()


class Optimizer(Hooked):
    """The base of all optimisers: `params` to change, and the `defaults` of the settings a group may set for itself.

    `params` are tensors, (name, tensor) pairs, or groups: dicts with "params" and settings of their own. A subclass
    says in `_update` how one parameter moves; one of your own may instead define `step` over `param_groups` and
    `state`. The settings `foreach`, `fused`, `capturable` and `differentiable`, which choose among PyTorch's ways to
    compute the same step, are kept in the groups and change nothing. Raises ArgumentError for no parameters, for what
    is not a leaf tensor, and for a tensor in two groups.
    """

    moments: tuple[str, ...] = ()
    """The names of the state tensors that have the shape of their parameter."""

    def __init__(self, params: Parameters, defaults: Mapping[str, Any]) -> None:
        self.defaults: Group = dict(defaults)
        self.state: defaultdict[Tensor, State] = defaultdict(dict)
        self.param_groups: list[Group] = []
        for group in _as_groups(params):
            self.add_param_group(group)

    def add_param_group(self, param_group: Group) -> None:
        """Optimise further parameters too: a dict with "params" and the settings that differ from the defaults."""
        if not isinstance(param_group, dict):
            raise ArgumentError(f"param_group must be a dict, but got {_kind(param_group)}")
        names, params = _named(param_group["params"])
        group: Group = {"params": params}
        if names is not None:
            group["param_names"] = names
        group |= {key: value for key, value in param_group.items() if key != "params"}
        group = group | {key: value for key, value in self.defaults.items() if key not in group}
        self._check_params(group)
        for key, value in group.items():
            if value is required:
                raise ArgumentError(f"parameter group didn't specify a value of required optimization parameter {key}")
        if type(self)._update is not Optimizer._update:  # one of the user's own may mean another thing by a name
            self._check_settings(group)
        self.param_groups.append(group)

    def _check_params(self, group: Group) -> None:
        for p in group["params"]:
            if not isinstance(p, Tensor):
                raise ArgumentError(f"optimizer can only optimize Tensors, but one of the params is {_kind(p)}")
            if p.grad_fn is not None and not p._retains:
                raise ArgumentError(
                    f"can't optimize a non-leaf Tensor: {_title(p)} was computed by {p.grad_fn.op.name}, so no "
                    "gradient is kept for it; pass the tensors it was computed from, or its detach().requires_grad_()"
                )
        if len(set(group["params"])) < len(group["params"]):
            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters: a step moves them twice", stacklevel=4
            )
        if not set(group["params"]).isdisjoint(itertools.chain(*(g["params"] for g in self.param_groups))):
            raise ArgumentError("some parameters appear in more than one parameter group")
        if self.param_groups and ("param_names" in group) != ("param_names" in self.param_groups[0]):
            kind = "with" if "param_names" in group else "without"
            raise ArgumentError(
                "all optimizer param groups should be with/without names. cannot add param group "
                f"{kind} names to the optimizer"
            )

    def _check_settings(self, group: Group) -> None:
        """Raise ArgumentError for settings without a meaning; a subclass adds what only it knows."""
        check_sizes(group)
        for key, title in _NOT_NEGATIVE.items():
            if key in group and not float(group[key]) >= 0:
                raise ArgumentError(f"Invalid {title}: {group[key]}; {key} must not be negative")
        for i, beta in enumerate(group.get("betas", ())):
            if not 0 <= float(beta) < 1:
                raise ArgumentError(f"Invalid beta parameter at index {i}: {beta}; it must be in [0, 1)")

    # --- the step ---

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters; without `set_to_none`, fill them with zeros."""
        for p in itertools.chain(*(group["params"] for group in self.param_groups)):
            grad = p._grad
            if grad is not None and not set_to_none:
                grad.detach_()
                grad._data.fill(0)
                grad._storage.version += 1
            elif set_to_none:
                p._grad = None

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient.

        `closure`, if given, is called first, to compute gradients; what it returns, the loss, is returned.
        """
        loss = None if closure is None else recorded(closure)
        for group in self.param_groups:
            quiet.run(self._step_group, group)
        return loss

    def _step_group(self, group: Group) -> None:
        for p in group["params"]:
            grad = p._grad
            if grad is not None:
                array, gradient = p._data, grad._data
                if array.shape != gradient.shape or not array.flags.writeable:
                    raise _unfit(p, gradient)
                self._update(array, gradient, self.state[p], group)
                p._storage.version += 1

    def _update(self, p: Array, g: Array, state: State, group: Group) -> None:
        """Move the array `p` in place by its gradient `g`, with the settings of its group."""
        raise NotImplementedError(f"{type(self).__name__} defines neither _update nor step")

    # --- saving and loading ---

    def state_dict(self) -> dict[str, Any]:
        """Return {"state": {number: state}, "param_groups": [...]}, parameters numbered through all groups.

        The state tensors are the optimiser's own, not copies: the next step changes them.
        """
        self._call_hooks("state_dict_pre")
        params = list(itertools.chain(*(group["params"] for group in self.param_groups)))
        number = {p: len(params) - 1 - i for i, p in enumerate(reversed(params))}  # the first place of each
        packed = {
            "state": {number.get(p, p): state for p, state in self.state.items() if state},
            "param_groups": [
                {key: value for key, value in group.items() if key != "params"}
                | {"params": [number[p] for p in group["params"]]}
                for group in self.param_groups
            ],
        }
        return self._call_hooks("state_dict_post", packed)

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over settings and state from what `state_dict()` returned; parameters are matched by their order.

        Raises StateDictError, which lists all that does not fit, and then changes nothing.
        """
        state_dict = self._call_hooks("load_state_dict_pre", dict(state_dict))
        misfits = _group_misfits(self.param_groups, self.defaults, state_dict) or self._state_misfits(state_dict)
        if misfits:
            raise StateDictError(f"loading state_dict for {type(self).__name__}:\n  " + "\n  ".join(misfits))
        saved_groups = copy.deepcopy(state_dict["param_groups"])
        state: defaultdict[Tensor, State] = defaultdict(dict)
        for p, _, saved in self._matched(state_dict):
            state[p] = {name: _restored(name, value, p) for name, value in saved.items()}
        state.update({key: value for key, value in state_dict["state"].items() if not isinstance(key, int)})
        self.state = state
        self.param_groups = [
            group | saved | {"params": group["params"]}
            for group, saved in zip(self.param_groups, saved_groups, strict=True)
        ]
        self._call_hooks("load_state_dict_post")

    def _matched(self, state_dict: Mapping[str, Any]) -> Iterator[tuple[Tensor, Any, State]]:
        """Yield each parameter with its number and its state in `state_dict`."""
        numbers = itertools.chain(*(saved["params"] for saved in state_dict["param_groups"]))
        params = itertools.chain(*(group["params"] for group in self.param_groups))
        for p, number in zip(params, numbers, strict=True):
            if number in state_dict["state"]:
                yield p, number, state_dict["state"][number]

    def _state_misfits(self, state_dict: Mapping[str, Any]) -> list[str]:
        return [
            f"{name} of {_title(p)} (number {number}) has shape {np.shape(_value(saved[name]))}, "
            f"the parameter {p._data.shape}"
            for p, number, saved in self._matched(state_dict)
            for name in self.moments
            if saved.get(name) is not None and np.shape(_value(saved[name])) != p._data.shape
        ]

    def __repr__(self) -> str:
        lines = []
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
            lines.append("")
        return f"{type(self).__name__} (\n" + "\n".join(lines[:-1]) + "\n)"


def moment(state: State, name: str, p: Array) -> Array:
    """Return the array of the state tensor `name`: zeros like `p` at first."""
    held = state.get(name)
    if held is None:
        held = state[name] = wrap(np.zeros_like(p))
    return held._data


def check_sizes(group: Group) -> None:
    """Raise ArgumentError for a setting that is a tensor of several numbers."""
    for key, value in group.items():
        if key in _NOT_NEGATIVE and isinstance(value, Tensor) and value.numel() != 1:
            raise ArgumentError(f"Tensor {key} must be 1-element, got shape {tuple(value.shape)}")


def apart(group: Group) -> tuple[float, float]:
    """Return what to multiply the parameter by first, if its decay is decoupled, and else the decay to add to g."""
    decay = float(group["weight_decay"])
    return (1 - float(group["lr"]) * decay, 0.0) if group["decoupled_weight_decay"] else (1.0, decay)


def count(state: State) -> float:
    """Return the number of this step, from 1 on; kept as a 0-d float32 tensor, as in PyTorch."""
    held = state.get("step", 0)
    if not isinstance(held, Tensor):  # a plain number in state dicts of PyTorch before 1.12
        held = state["step"] = wrap(np.array(held, np.float32))
    held._data += 1
    return float(held._data)


def _as_groups(params: Any) -> list[Group]:
    if isinstance(params, Tensor) or not isinstance(params, Iterable):
        advice = "pass its .parameters()" if hasattr(params, "parameters") else "put it into a list"
        raise ArgumentError(
            "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
            f"{_kind(params)}; {advice}"
        )
    given = _in_order(params)
    if not given:
        raise ArgumentError(
            "optimizer got an empty parameter list: the model has no parameters, or a generator such as "
            "model.parameters() was used up before; pass a fresh one, or a list"
        )
    return given if isinstance(given[0], dict) else [{"params": given}]


def _in_order(params: Any) -> list[Any]:
    if isinstance(params, set | frozenset):
        raise ArgumentError("optimizer parameters need to be in an order that stays the same: pass a list, not a set")
    return [params] if isinstance(params, Tensor) else list(params)


def _named(params: Any) -> tuple[list[str] | None, list[Any]]:
    """Return the names, if the parameters come as (name, tensor) pairs, and the tensors."""
    given = _in_order(params)
    pairs = [isinstance(item, tuple) and len(item) == 2 for item in given]
    if not any(pairs):
        return None, given
    if not all(pairs):
        raise ArgumentError("all optimizer params should be with/without names. Some param names are missing")
    return [name for name, _ in given], [p for _, p in given]


def recorded(closure: Callable[[], Any]) -> Any:
    """Call `closure` with recording on, also if the step was asked for under `no_grad`."""
    previous = recording.get()
    recording.set(True)
    try:
        return closure()
    finally:
        recording.set(previous)


def _unfit(p: Tensor, gradient: Array) -> ShapeError | GraphError:
    if p._data.shape != gradient.shape:
        return ShapeError(
            f"optimizer step: {_title(p)} has a gradient of shape {gradient.shape}; call zero_grad() first"
        )
    return GraphError(
        f"optimizer step: the memory of {_title(p)} is read-only, or one place of it serves several elements; "
        "optimise a clone()"
    )


def _group_misfits(groups: list[Group], defaults: Group, state_dict: Mapping[str, Any]) -> list[str]:
    """Return what in the groups of `state_dict` differs from `groups`, or is lacking of the `defaults`."""
    absent = [f"it has no {key!r}" for key in ("state", "param_groups") if key not in state_dict]
    if absent:
        return absent
    loaded = state_dict["param_groups"]
    if len(loaded) != len(groups):
        return [f"it has a different number of parameter groups: {len(loaded)}, the optimizer {len(groups)}"]
    misfits = []
    for i, (group, saved) in enumerate(zip(groups, loaded, strict=True)):
        if len(saved["params"]) != len(group["params"]):
            misfits.append(
                f"it contains a parameter group that doesn't match the size of optimizer's group: group {i} has "
                f"{len(saved['params'])} parameters, the optimizer's {len(group['params'])}"
            )
        missing = [key for key in defaults if key not in saved and key not in _CAME_LATER]
        if missing:
            misfits.append(f"group {i} lacks {', '.join(missing)}: it was saved by another kind of optimizer")
    return misfits


def _restored(name: str, value: Any, p: Tensor) -> Any:
    """Return a copy of a saved state value: the counts as float32, tensors in the parameter's dtype."""
    if isinstance(value, np.ndarray) or hasattr(value, "detach"):
        return wrap(np.array(_value(value), np.float32 if name in _COUNTS else p._data.dtype, order="C"))
    if isinstance(value, list | tuple):
        return type(value)(_restored("", item, p) for item in value)
    return copy.deepcopy(value)


def _value(x: Any) -> Any:
    """Return the array of a tensor, ours or PyTorch's; anything else as it is."""
    return x._data if isinstance(x, Tensor) else x.detach().numpy() if hasattr(x, "detach") else x


def _title(p: Tensor) -> str:
    return p.name or f"a parameter of shape {p._data.shape}"


def _kind(x: Any) -> str:
    return type(x).__name__

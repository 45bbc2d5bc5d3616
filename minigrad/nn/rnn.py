"""Recurrent layers and their single steps: a state is carried from each element of a sequence to the next."""

from __future__ import annotations

import math
import warnings
from typing import Any, NamedTuple

import numpy as np

from minigrad import creation
from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.nn.utils.rnn import PackedSequence
from minigrad.nodenames import titled
from minigrad.ops import rnn as op
from minigrad.ops.shape import cat, stack
from minigrad.tensor import Tensor, wrap

Sizes = tuple[int, ...]
Weights = list[Any]  # weight_ih, weight_hh, bias_ih, bias_hh (None: none), weight_hr (of LSTM only, None: none)
States = list[Tensor]  # h, and of LSTM also c


def _input_part(x: Tensor, weights: Weights) -> Tensor:
    """Return what the input of all steps brings to the gates, with both biases: one product."""
    bias = None if weights[2] is None else weights[2] + weights[3]
    return F.linear(x, weights[0], bias)


def _rnn(x: Tensor, states: States, weights: Weights, sizes: Sizes, reverse: bool, relu: bool) -> tuple[Tensor, ...]:
    part = _input_part(x, weights)
    y, last, _ = op.rnn(part, states[0], weights[1], sizes=sizes, relu=relu, reverse=reverse)
    return y, last


def _lstm(x: Tensor, states: States, weights: Weights, sizes: Sizes, reverse: bool) -> tuple[Tensor, ...]:
    part, projection = _input_part(x, weights), weights[4] if len(weights) > 4 else None
    found = op.lstm(part, *states, weights[1], projection, sizes=sizes, reverse=reverse)
    return tuple(found[:3])


def _gru(x: Tensor, states: States, weights: Weights, sizes: Sizes, reverse: bool) -> tuple[Tensor, ...]:
    part = F.linear(x, weights[0], weights[2])
    return tuple(op.gru(part, states[0], weights[1], weights[3], sizes=sizes, reverse=reverse)[:2])


class Mode(NamedTuple):
    """What tells the kinds of recurrence apart: the gates, the tensors of the state, and the computation."""

    gates: int
    states: int
    run: Any
    settings: dict[str, Any]


MODES = {
    "RNN_TANH": Mode(1, 1, _rnn, {"relu": False}),
    "RNN_RELU": Mode(1, 1, _rnn, {"relu": True}),
    "LSTM": Mode(4, 2, _lstm, {}),
    "GRU": Mode(3, 1, _gru, {}),
}


class RNNBase(Module):
    """What RNN, LSTM and GRU have in common: layers above each other, each once or twice (forwards and backwards)."""

    def __init__(
        self,
        mode: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if mode not in MODES:
            raise ArgumentError(f"Unrecognized RNN mode: {mode}")
        self.mode, self.input_size, self.hidden_size, self.num_layers = mode, input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, dropout
        self.bidirectional, self.proj_size = bidirectional, proj_size
        self._check_settings()
        self.dropout = float(dropout)
        self._all_weights: list[list[str]] = []
        wide, out = MODES[mode].gates * hidden_size, proj_size or hidden_size
        for layer in range(num_layers):
            features = input_size if layer == 0 else out * self._directions
            shapes: dict[str, tuple[int, ...]] = {"weight_ih": (wide, features), "weight_hh": (wide, out)}
            shapes |= {"bias_ih": (wide,), "bias_hh": (wide,)} if bias else {}
            shapes |= {"weight_hr": (proj_size, hidden_size)} if proj_size else {}
            for end in ("", "_reverse")[: self._directions]:
                self._all_weights.append([f"{name}_l{layer}{end}" for name in shapes])
                for name, shape in zip(self._all_weights[-1], shapes.values(), strict=True):
                    self.register_parameter(name, Parameter(creation.empty(shape, device=device, dtype=dtype)))
        self.reset_parameters()

    @property
    def _directions(self) -> int:
        return 2 if self.bidirectional else 1

    def _check_settings(self) -> None:
        for name, kind in (("bias", bool), ("batch_first", bool), ("input_size", int), ("hidden_size", int)):
            if not isinstance(value := getattr(self, name), kind):
                raise ArgumentError(f"{name} should be of type {kind.__name__}, got: {type(value).__name__}")
        for name in ("input_size", "hidden_size", "num_layers"):
            if getattr(self, name) <= 0:
                raise ArgumentError(f"{name} must be greater than zero")
        if self.proj_size < 0:
            raise ArgumentError("proj_size should be a positive integer or zero to disable projections")
        if self.proj_size and self.mode != "LSTM":
            raise ArgumentError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if self.proj_size >= self.hidden_size:
            raise ArgumentError("proj_size has to be smaller than hidden_size")
        if isinstance(self.dropout, bool) or not isinstance(self.dropout, int | float) or not 0 <= self.dropout <= 1:
            raise ArgumentError(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
            )
        if self.dropout and self.num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={self.dropout} and num_layers={self.num_layers}",
                stacklevel=4,
            )

    def reset_parameters(self) -> None:
        """Draw all weights and biases anew, uniform in +-1/sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Do nothing: only on a GPU are there weights to be laid out."""

    @property
    def all_weights(self) -> list[list[Parameter]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them: those that are not the default."""
        defaults = {
            "proj_size": 0,
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0,
            "bidirectional": False,
        }
        changed = [f"{name}={value}" for name, usual in defaults.items() if (value := getattr(self, name)) != usual]
        return ", ".join([f"{self.input_size}, {self.hidden_size}", *changed])

    # --- running ---

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """Return the outputs of the last layer for all elements, and the last state of each layer."""
        if isinstance(input, PackedSequence):
            return self._run_packed(input, hx)
        self._check_dims(input)
        single = input.ndim == 2
        x = input.unsqueeze(1) if single else input.transpose(0, 1) if self.batch_first else input
        steps, batch = x.shape[:2]
        if not steps:
            raise ShapeError("Expected sequence length to be larger than 0 in RNN")
        states = self._first(hx, batch, x, single)
        y, last = self._layers(x.reshape(steps * batch, x.shape[2]), (batch,) * steps, states)
        if single:
            return titled(y, "SqueezeBackward1"), self._packed_state([state.squeeze(1) for state in last])
        y = y.reshape(steps, batch, y.shape[1])
        y = y.transpose(0, 1) if self.batch_first else y
        return titled(y, self._last_step()), self._packed_state(last)

    def _last_step(self) -> str:
        """Return what PyTorch makes the output by, which is how it prints there."""
        if self.batch_first:
            return f"TransposeBackward{int(self.mode != 'LSTM')}"
        return "Cat" if self.bidirectional else "Stack" if self.mode != "LSTM" or self.proj_size else "MkldnnRnnLayer"

    def _run_packed(self, input: PackedSequence, hx: Any) -> tuple[PackedSequence, Any]:
        x, batch_sizes, order, back = input
        if x.ndim != 2:
            raise ShapeError(f"input must have 2 dimensions, got {x.ndim}")
        self._check_features(x)
        sizes = tuple(batch_sizes.tolist())
        states = self._first(hx, sizes[0], x, False)
        if order is not None and hx is not None:
            states = [state.index_select(1, order) for state in states]
        y, last = self._layers(x, sizes, states)
        if back is not None:
            last = [state.index_select(1, back) for state in last]
        return PackedSequence(titled(y, "Cat"), batch_sizes, order, back), self._packed_state(last)

    def _packed_state(self, states: States) -> Any:
        """Return the state as it is given and taken: of LSTM a pair."""
        return tuple(states) if len(states) > 1 else states[0]

    def _layers(self, x: Tensor, sizes: Sizes, states: States) -> tuple[Tensor, States]:
        """Run all layers on the rows `x` of all steps; return the rows of the last and the states they end with."""
        mode, ends = MODES[self.mode], []
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(self._directions):
                k = layer * self._directions + direction
                weights: Weights = [self._parameters[name] for name in self._all_weights[k]]
                if not self.bias:
                    weights[2:2] = [None, None]
                first = [state[k] for state in states]
                y, *end = mode.run(x, first, weights, sizes, direction == 1, **mode.settings)
                outputs.append(y)
                ends.append(end)
            x = cat(outputs, 1) if len(outputs) > 1 else outputs[0]
            if self.dropout and layer < self.num_layers - 1:
                x = F.dropout(x, self.dropout, self.training)
        return x, [stack(list(last)) for last in zip(*ends, strict=True)]

    def _first(self, hx: Any, batch: int, x: Tensor, single: bool) -> States:
        """Return the states to begin with, (layers * directions, batch, features) each: those given, or zeros."""
        rows = self.num_layers * self._directions
        wanted = [(rows, batch, self.proj_size or self.hidden_size), (rows, batch, self.hidden_size)]
        wanted = wanted[: MODES[self.mode].states]
        if hx is None:
            return [wrap(np.zeros(shape, x._data.dtype)) for shape in wanted]
        states = list(hx) if len(wanted) > 1 else [hx]
        self._check_state_dims(states, single)
        if single:
            states = [state.unsqueeze(1) for state in states]
        for i, (state, shape) in enumerate(zip(states, wanted, strict=True)):
            if tuple(state.shape) != shape:
                which = f"hidden[{i}]" if len(wanted) > 1 else "hidden"
                raise ShapeError(f"Expected {which} size {shape}, got {list(state.shape)}")
        return states

    def _check_state_dims(self, states: States, single: bool) -> None:
        dims, pair = 2 if single else 3, len(states) > 1
        if any(state.ndim != dims for state in states):
            got = f"({states[0].ndim}-D, {states[1].ndim}-D) tensors" if pair else f"{states[0].ndim}-D tensor"
            raise ShapeError(
                f"For {'unbatched 2-D' if single else 'batched 3-D'} input, hx {'and cx ' if pair else ''}should "
                f"also be {dims}-D but got {got}"
            )

    def _check_dims(self, x: Tensor) -> None:
        if x.ndim not in (2, 3):
            raise ShapeError(f"{type(self).__name__}: Expected input to be 2D or 3D, got {x.ndim}D tensor instead")
        self._check_features(x)

    def _check_features(self, x: Tensor) -> None:
        kind = self._parameters["weight_ih_l0"].dtype  # type: ignore[union-attr]
        if x.dtype != kind:
            raise ArgumentError(
                f"RNN input dtype ({x.dtype}) does not match weight dtype ({kind}). Convert input: input.to({kind}), "
                f"or convert model: model.to({x.dtype})"
            )
        if x.shape[-1] != self.input_size:
            raise ShapeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {x.shape[-1]}"
            )


class RNN(RNNBase):
    """h = tanh(W_ih x + b_ih + W_hh h + b_hh), for each element x of a sequence (Elman, 1990); or with relu.

    Shapes: input (T, B, input_size), with `batch_first` (B, T, input_size), of one sequence (T, input_size), or a
    PackedSequence; output likewise, with hidden_size features, twice as many if `bidirectional`; state h
    (num_layers * directions, B, hidden_size), zeros if not given. `dropout` acts between layers, in training. Weights
    and biases start uniform in +-1/sqrt(hidden_size). Raises ShapeError for sizes that do not fit, ArgumentError
    for settings without a meaning and for another dtype than the weights'.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> output, h = nn.RNN(3, 4, num_layers=2)(mg.zeros(5, 2, 3))
    >>> output.shape, h.shape
    (minigrad.Size([5, 2, 4]), minigrad.Size([2, 2, 4]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ArgumentError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        mode = f"RNN_{nonlinearity.upper()}"
        super().__init__(
            mode, input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype
        )
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter & Schmidhuber, 1997): a cell c, kept, written and read through gates.

    i, f, o = sigmoid(W x + U h + b) and g = tanh(W x + U h + b), each with its own rows of the weights in the order
    i, f, g, o; c = f c + i g; h = o tanh(c), or W_hr of that if `proj_size` is not 0 (Sak et al., 2014,
    arXiv:1402.1128). Shapes as of `RNN`; the state is the pair (h, c), where h has proj_size features if that is set.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> output, (h, c) = nn.LSTM(3, 4, bidirectional=True)(mg.zeros(5, 2, 3))
    >>> output.shape, h.shape, c.shape
    (minigrad.Size([5, 2, 8]), minigrad.Size([2, 2, 4]), minigrad.Size([2, 2, 4]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "LSTM",
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
        )


class GRU(RNNBase):
    """Gated recurrent unit (Cho et al., 2014, arXiv:1406.1078): the state is moved towards a candidate n.

    r, z = sigmoid(W x + b + U h + d), n = tanh(W x + b + r (U h + d)), each with its own rows of the weights in the
    order r, z, n; h = (1 - z) n + z h. Shapes as of `RNN`.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> output, h = nn.GRU(3, 4, batch_first=True)(mg.zeros(2, 5, 3))
    >>> output.shape, h.shape
    (minigrad.Size([2, 5, 4]), minigrad.Size([1, 2, 4]))
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(
            "GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, 0, device, dtype
        )

"""Recurrent cells: one step of a recurrent layer, for loops written by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import creation
from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn import init
from minigrad.nn.module import Module
from minigrad.nn.parameter import Parameter
from minigrad.nn.rnn import MODES
from minigrad.nodenames import titled
from minigrad.tensor import Tensor, wrap

# What the state is made by in PyTorch, which is how a tensor prints there.
_LAST_STEPS = {"RNN_TANH": ("Tanh",), "RNN_RELU": ("Relu",), "GRU": ("Add",), "LSTM": ("Mul", "Add")}


class RNNCellBase(Module):
    """What the cells have in common: the weights of `num_chunks` gates, and the checks."""

    bias_ih: Parameter | None
    bias_hh: Parameter | None
    mode: str

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        wide = num_chunks * hidden_size

        def parameter(*shape: int) -> Parameter:
            return Parameter(creation.empty(shape, device=device, dtype=dtype))

        self.weight_ih, self.weight_hh = parameter(wide, input_size), parameter(wide, hidden_size)
        self.register_parameter("bias_ih", parameter(wide) if bias else None)
        self.register_parameter("bias_hh", parameter(wide) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights and biases anew, uniform in +-1/sqrt(hidden_size)."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0.0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        return f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else f", bias={self.bias}")

    def _step(self, x: Tensor, states: list[Tensor] | None) -> list[Tensor]:
        """Return the state after `x` (B, input_size) or (input_size,): h, and of an LSTM also c."""
        name, mode = type(self).__name__, MODES[self.mode]
        if x.ndim not in (1, 2):
            raise ShapeError(f"{name}: Expected input to be 1D or 2D, got {x.ndim}D instead")
        for i, state in enumerate(states or ()):
            if state.ndim not in (1, 2):
                which = f"hx[{i}]" if mode.states > 1 else "hidden"
                raise ShapeError(f"{name}: Expected {which} to be 1D or 2D, got {state.ndim}D instead")
        single = x.ndim == 1
        if single:
            x, states = x.unsqueeze(0), None if states is None else [state.unsqueeze(0) for state in states]
        if states is None:
            states = [wrap(np.zeros((len(x), self.hidden_size), x._data.dtype)) for _ in range(mode.states)]
        self._check(x, states)
        weights = [self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh]
        found = mode.run(x, states, weights, (len(x),), False, **mode.settings)[1:]
        found = [titled(state, name) for state, name in zip(found, _LAST_STEPS[self.mode], strict=True)]
        return [state.squeeze(0) for state in found] if single else list(found)

    def _check(self, x: Tensor, states: list[Tensor]) -> None:
        if x.shape[1] != self.input_size:
            raise ShapeError(f"input has inconsistent input_size: got {x.shape[1]} expected {self.input_size}")
        for i, state in enumerate(states):
            if len(state) != len(x):
                raise ShapeError(f"Input batch size {len(x)} doesn't match hidden{i} batch size {len(state)}")
            if state.ndim != 2 or state.shape[1] != self.hidden_size:
                raise ShapeError(
                    f"hidden{i} has inconsistent hidden_size: got {state.shape[-1]}, expected {self.hidden_size}"
                )


class RNNCell(RNNCellBase):
    """h' = tanh(W_ih x + b_ih + W_hh h + b_hh), one step of `RNN`; or with relu.

    Shapes: input (B, input_size) or (input_size,), h and h' (B, hidden_size) or (hidden_size,), zeros if not given.
    Weights and biases start uniform in +-1/sqrt(hidden_size). Raises ShapeError for sizes that do not fit.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.RNNCell(3, 4)(mg.zeros(2, 3)).shape
    minigrad.Size([2, 4])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    @property
    def mode(self) -> str:  # type: ignore[override]
        """The kind of recurrence. Raises ArgumentError for an unknown nonlinearity."""
        if self.nonlinearity not in ("tanh", "relu"):
            raise ArgumentError(f"Unknown nonlinearity: {self.nonlinearity}; known are tanh and relu")
        return f"RNN_{self.nonlinearity.upper()}"

    def extra_repr(self) -> str:
        """Return the settings, as the repr shows them."""
        other = "" if self.nonlinearity == "tanh" else f", nonlinearity={self.nonlinearity}"
        return super().extra_repr() + other

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Return the next state."""
        return self._step(input, None if hx is None else [hx])[0]


class LSTMCell(RNNCellBase):
    """(h', c') of one step of `LSTM`, from x and (h, c).

    Shapes: input (B, input_size) or (input_size,); h, c, h' and c' (B, hidden_size) or (hidden_size,), zeros if not
    given. Weights and biases start uniform in +-1/sqrt(hidden_size). Raises ShapeError for sizes that do not fit.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> h, c = nn.LSTMCell(3, 4)(mg.zeros(2, 3))
    >>> h.shape, c.shape
    (minigrad.Size([2, 4]), minigrad.Size([2, 4]))
    """

    mode = "LSTM"

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        """Return the next state."""
        h, c = self._step(input, None if hx is None else list(hx))
        return h, c


class GRUCell(RNNCellBase):
    """h' of one step of `GRU`, from x and h.

    Shapes: input (B, input_size) or (input_size,), h and h' (B, hidden_size) or (hidden_size,), zeros if not given.
    Weights and biases start uniform in +-1/sqrt(hidden_size). Raises ShapeError for sizes that do not fit.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> nn.GRUCell(3, 4)(mg.zeros(2, 3)).shape
    minigrad.Size([2, 4])
    """

    mode = "GRU"

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Return the next state."""
        return self._step(input, None if hx is None else [hx])[0]

"""A softmax over very many classes, the rare ones in clusters (Grave et al., 2016, arXiv:1609.04309)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.creation import zeros
from minigrad.errors import ArgumentError, ShapeError
from minigrad.nn.containers import ModuleList, Sequential
from minigrad.nn.linear import Linear
from minigrad.nn.module import Module
from minigrad.ops.elementwise import where
from minigrad.ops.shape import cat
from minigrad.tensor import Tensor, wrap


class _ASMoutput(NamedTuple):
    output: Tensor
    loss: Tensor


_ASMoutput.__name__ = "ASMoutput"


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-probabilities of `n_classes` classes in the order of how often they come, and the loss of targets.

    The classes below `cutoffs[0]` are in the head, which also has one place for each cluster of the others; cluster i
    sees `in_features // div_value**(i + 1)` features. Raises ArgumentError unless `cutoffs` are different ascending
    positive ints below `n_classes - 1`.
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        ends = list(cutoffs)
        if not ends:
            raise ArgumentError("cutoffs should be a sequence of length larger than 0")
        if ends != sorted(set(ends)) or ends[0] <= 0 or ends[-1] > n_classes - 1 or any(int(c) != c for c in ends):
            raise ArgumentError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each "
                f"value is between 1 and n_classes-1, got {ends}"
            )
        self.in_features, self.n_classes, self.cutoffs = in_features, n_classes, [*ends, n_classes]
        self.div_value, self.head_bias = div_value, head_bias
        self.shortlist_size, self.n_clusters = ends[0], len(ends)
        self.head_size = self.shortlist_size + self.n_clusters
        how = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **how)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            inner, classes = int(in_features // div_value ** (i + 1)), self.cutoffs[i + 1] - self.cutoffs[i]
            self.tail.append(
                Sequential(Linear(in_features, inner, bias=False, **how), Linear(inner, classes, bias=False, **how))
            )

    def reset_parameters(self) -> None:
        """Draw the weights anew."""
        self.head.reset_parameters()
        for first, second in self.tail:
            first.reset_parameters()
            second.reset_parameters()

    def forward(self, input: Tensor, target: Tensor) -> Any:
        """Return (output, loss): the log-probability of each target, and minus their mean.

        The input is (N, in_features) with targets (N,), or one example of (in_features,) with its target. Raises
        ShapeError for others, ArgumentError for a target that is no class.
        """
        if target.ndim not in (0, 1) or input.ndim != target.ndim + 1 or input.shape[:-1] != target.shape:
            raise ShapeError(
                "Input and target should have the same size in the batch dimension, and targets 0D or 1D, got "
                f"{tuple(input.shape)} and {tuple(target.shape)}"
            )
        x, labels = (input, target) if target.ndim else (input.unsqueeze(0), target.unsqueeze(0))
        classes = labels._data
        if classes.size and not 0 <= classes.min() <= classes.max() < self.n_classes:
            raise ArgumentError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range [{classes.min()}, "
                f"{classes.max()}] were found. "
            )
        group = np.searchsorted(self.cutoffs, classes, side="right")
        place = np.where(group == 0, classes, self.shortlist_size + group - 1)
        output = zeros(len(x), dtype=x.dtype)
        for i in range(self.n_clusters):
            rows = np.flatnonzero(group == i + 1)
            if rows.size:
                within = wrap((classes[rows] - self.cutoffs[i])[:, None])
                inner = self.tail[i](x[wrap(rows)]).log_softmax(1).gather(1, within).squeeze(1)
                output = output.index_copy(0, wrap(rows), inner)
        output = output + self.head(x).log_softmax(1).gather(1, wrap(place[:, None])).squeeze(1)
        loss = (-output).mean()
        return _ASMoutput(output if target.ndim else output.squeeze(0), loss)

    def log_prob(self, input: Tensor) -> Tensor:
        """Return the log-probabilities (N, n_classes) of all classes."""
        return self._all(input, self.head(input))

    def _all(self, x: Tensor, head: Tensor) -> Tensor:
        first = head.log_softmax(1)
        n = self.shortlist_size
        parts = [self.tail[i](x).log_softmax(1) + first[:, n + i : n + i + 1] for i in range(self.n_clusters)]
        result: Tensor = cat([first[:, :n], *parts], 1)
        return result

    def predict(self, input: Tensor) -> Tensor:
        """Return the likeliest class of each example: in a cluster only where that is likelier than the shortlist."""
        head = self.head(input)
        best = head.argmax(1)
        whole = self._all(input, head).argmax(1)
        result: Tensor = where(best < self.shortlist_size, best, whole)
        return result

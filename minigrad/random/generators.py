"""Generators: where random numbers come from, and the seeds and states they go on from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError
from minigrad.kernels.stream import Stream
from minigrad.tensor import Tensor, wrap

_FIRST_SEED = 67280421310721  # of a generator nobody seeded; as arbitrary here as in PyTorch


class Generator:
    """A source of random numbers with a state of its own.

    >>> from minigrad import rand
    >>> g = Generator().manual_seed(42)
    >>> state = g.get_state()
    >>> a = rand(3, generator=g)
    >>> a.tolist() == rand(3, generator=g.set_state(state)).tolist()
    True
    """

    device = "cpu"

    def __init__(self, device: Any = None) -> None:
        self._stream = Stream(_FIRST_SEED)

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream that belongs to `seed` and return this generator; a negative seed counts from 2**64 down.

        Raises ArgumentError outside [-2**63, 2**64).
        """
        if not -(2**63) <= int(seed) < 2**64:
            raise ArgumentError(f"manual_seed: Overflow when unpacking long long: {seed} is not in [-2**63, 2**64)")
        self._stream.restart(int(seed) % 2**64)
        return self

    def seed(self) -> int:
        """Start from a seed that the operating system makes up, and return it."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little") % 2**53)
        return self.initial_seed()

    def initial_seed(self) -> int:
        """Return the seed this generator was last started from."""
        return self._stream.seed

    def get_state(self) -> Tensor:
        """Return all that the coming numbers depend on, as uint8 of shape (5056,): PyTorch's own format."""
        return wrap(self._stream.state())

    def clone_state(self) -> Generator:
        """Return another generator that goes on from the same state."""
        return Generator().set_state(self.get_state())

    def set_state(self, state: Tensor) -> Generator:
        """Go on from a state that `get_state()`, here or in PyTorch, returned. Raises ArgumentError for another."""
        self._stream.set_state(np.asarray(state))
        return self


default_generator = Generator()
default_generator.seed()


def manual_seed(seed: int) -> Generator:
    """Seed the default generator, which all draws use that are given no other, and return it."""
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Seed the default generator from the operating system and return the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """Return the seed the default generator was last started from."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """Return the state of the default generator."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Set the state of the default generator."""
    default_generator.set_state(new_state)


@contextmanager
def fork_rng(devices: Any = None, enabled: bool = True) -> Iterator[None]:
    """Draw inside a with statement without moving the default generator on outside; unless not `enabled`.

    >>> _ = manual_seed(3)
    >>> with fork_rng():
    ...     _ = manual_seed(4)
    >>> initial_seed()
    3
    """
    state = get_rng_state()
    try:
        yield
    finally:
        if enabled:
            set_rng_state(state)


def stream_of(generator: Generator | None) -> Stream:
    """Return the stream of a generator, of the default one for None."""
    return (default_generator if generator is None else generator)._stream

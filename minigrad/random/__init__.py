"""Random tensors: generators, and draws from PyTorch's CPU stream, so that a seed gives the numbers it gives there."""

from minigrad.random.choices import bernoulli, dropout_mask, multinomial, poisson, uniform_noise
from minigrad.random.drawing import draw_like
from minigrad.random.filling import (
    bernoulli_,
    cauchy_,
    exponential_,
    geometric_,
    log_normal_,
    normal_,
    random_,
    uniform_,
)
from minigrad.random.generators import (
    Generator,
    default_generator,
    fork_rng,
    get_rng_state,
    initial_seed,
    manual_seed,
    seed,
    set_rng_state,
)
from minigrad.random.new import normal, rand, rand_like, randint, randint_like, randn, randn_like, randperm

# What `minigrad` itself has; the rest is for other modules, and for methods of tensors.
__all__ = [
    "Generator",
    "bernoulli",
    "default_generator",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "multinomial",
    "normal",
    "poisson",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "randperm",
    "seed",
    "set_rng_state",
]

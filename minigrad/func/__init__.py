"""Functions made of functions: their derivatives, the same for a batch, modules called with other weights.

Arguments and results may be tensors or lists, tuples and dicts of them. A module is known by what it has
(`named_parameters`, `get_submodule`), not by its class.
"""

from minigrad.func.derivatives import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, vjp
from minigrad.func.modules import functional_call, stack_module_state
from minigrad.func.vectorize import vmap

"""What one can compute from a tensor: operators, and methods that are a call of an op each.

The public functions of the same names (`minigrad.exp`, `minigrad.sum`) are these methods.
"""

from minigrad.methods.inplace import InPlace as Methods

__all__ = ["Methods"]

"""What a tensor can do: its place in the graph, writing its memory, operators, and methods that call an op each.

A class a subject, all bases of `Tensor`. The public functions of the same names (`minigrad.exp`, `minigrad.sum`) are
these methods.
"""

from minigrad.methods.inplace import InPlace as Methods

__all__ = ["Methods"]

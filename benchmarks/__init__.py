"""How fast minigrad is, beside PyTorch and beside the matrix products alone: `python -m benchmarks --help`."""

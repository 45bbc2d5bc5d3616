"""torch.backends: none of the libraries is there; what programs set is kept and changes nothing."""

from minigrad.compat.stubs.backends import cuda, cudnn, mkl, mkldnn, mps, openmp
